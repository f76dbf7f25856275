"""The demo page in Debian's Chromium, which speaks a WAV file into the gateway."""

import re
import time

import heard
import speech
from demo_page import DemoPage, write_wav

SENTENCE = speech.BROWSER_SENTENCE
RATE = 48000
# The sound of Opus, twice, in the waveform; a sentence that was never said stays below 0.4.
UNDERSTOOD = 0.8


def test_echo_brings_speech_back(start_chromium, gateway, out_folder):
    microphone = speech.wav_file(SENTENCE, RATE, silence_before=4.0, silence_after=30.0)
    page = DemoPage(start_chromium(microphone), gateway, out_folder, "?processing=off")
    page.screenshot("1-idle")
    page.call("echo")
    recording = page.browser.record_remote(12)
    page.screenshot("2-connected")
    page.check_statistics()
    assert page.loudest("input") > 0.4 and page.loudest("output") > 0.4
    page.hang_up()
    page.screenshot("3-ended")

    write_wav(out_folder / "heard.wav", recording.samples.tobytes(), recording.rate)
    back = heard.speech(recording, speech.samples(SENTENCE, RATE), RATE)
    assert back.correlation >= UNDERSTOOD, back
    assert back.spread < 0.2, back
    page.no_complaints()


def test_demo_greets_and_repeats_what_was_said(start_chromium, gateway, out_folder):
    # The greeting gets its time first: the agent falls silent for a caller who speaks.
    microphone = speech.wav_file(SENTENCE, RATE, silence_before=8.0, silence_after=60.0)
    page = DemoPage(start_chromium(microphone), gateway, out_folder, "?processing=off&to=demo")
    page.call("demo")
    page.browser.start_recording()
    page.browser.wait_for("loudest.output > 0.4", 6, "a greeting")
    page.browser.wait_for("loudest.input > 0.4", 15, "the caller speaks")
    time.sleep(7)  # the sentence
    page.await_quiet(2.0)
    recording = page.browser.stop_recording()
    page.hang_up()

    write_wav(out_folder / "heard.wav", recording.samples.tobytes(), recording.rate)
    back = heard.speech(recording, speech.samples(SENTENCE, RATE), RATE)
    assert back.correlation >= UNDERSTOOD, back
    page.no_complaints()


def test_digits_are_heard_and_star_hangs_up(start_chromium, gateway, out_folder):
    page = DemoPage(start_chromium(), gateway, out_folder)
    page.call("demo")
    page.browser.wait_for("loudest.output > 0.4", 10, "a greeting")
    page.await_quiet()
    page.browser.start_recording()
    page.press("5")
    time.sleep(2)
    page.browser.press_key("9")  # the keyboard dials too
    time.sleep(2)
    recording = page.browser.stop_recording()
    assert heard.digits(recording) == "59"
    assert page.browser.text("#digits") == "59"
    page.press("*")
    page.await_end("agent_hangup", "The agent ended the call.")
    page.screenshot("4-agent-hung-up")


def test_chromium_tells_of_every_packet(start_chromium, gateway, out_folder):
    tone = speech.tone(600, 60, RATE)
    page = DemoPage(start_chromium(write_wav(out_folder / "tone.wav", tone.tobytes())), gateway, out_folder, "?processing=off")
    page.call("echo")
    page.await_media()
    answer = page.browser.evaluate("tandemCall.connection.remoteDescription.sdp")
    assert re.search(r"a=rtcp-fb:\d+ transport-cc", answer) and "transport-wide-cc-extensions-01" in answer
    time.sleep(4)
    frequency, share = heard.tone(page.browser.record_remote(2))
    assert abs(frequency - 600) < 3 and share > 0.95
    metrics = gateway.metrics()
    # A report takes 400 ms; a browser on a busy machine may tell less often.
    assert sum(metrics["tandem_transport_reports_total"].values()) >= 3
    assert sum(metrics["tandem_opus_reduced_legs"].values()) == 0
    page.hang_up()


def test_mute_silences_the_caller(start_chromium, gateway, out_folder):
    tone = speech.tone(600, 60, RATE)
    page = DemoPage(start_chromium(write_wav(out_folder / "tone.wav", tone.tobytes())), gateway, out_folder, "?processing=off")
    page.call("echo")
    page.browser.wait_for("loudest.output > 0.4", 10, "the tone comes back")
    page.browser.click("#mute")
    assert page.browser.attribute("#mute", "aria-pressed") == "true"
    page.await_quiet()
    assert heard.loudness(page.browser.record_remote(1.5)) < -60
    page.browser.press_key("m")
    assert page.browser.attribute("#mute", "aria-pressed") == "false"
    page.loudest("output")
    page.browser.wait_for("loudest.output > 0.4", 10, "the tone comes back again")
    frequency, share = heard.tone(page.browser.record_remote(2))
    assert abs(frequency - 600) < 3 and share > 0.95
    page.browser.press_key("Escape")
    page.await_end("caller_hangup", "You hung up.")


def test_an_unknown_destination_is_explained(start_chromium, gateway, out_folder):
    page = DemoPage(start_chromium(), gateway, out_folder)
    page.place("nowhere")
    page.await_end("no_route", "There is no such destination.")
    assert page.browser.attribute("#cause", "data-sip-code") == "404"
    page.screenshot("5-no-route")
    # The same page calls again.
    page.call("echo")
    assert page.browser.text("#cause") == ""
    page.hang_up()


def test_a_lost_socket_does_not_end_the_call(start_chromium, gateway, out_folder):
    tone = speech.tone(600, 60, RATE)
    page = DemoPage(start_chromium(write_wav(out_folder / "tone.wav", tone.tobytes())), gateway, out_folder, "?processing=off")
    page.call("echo")
    page.await_media()
    page.break_sockets()
    page.browser.wait_for("states.includes('reconnecting')", 5)
    page.browser.wait_for_text("#state", "connected", 15)
    frequency, share = heard.tone(page.browser.record_remote(2))
    assert abs(frequency - 600) < 3 and share > 0.95
    page.hang_up()  # by message on the new socket or, without one, by DTLS close_notify


def test_a_change_of_network_keeps_the_call(start_chromium, gateway, out_folder):
    page = DemoPage(start_chromium(), gateway, out_folder)
    page.call("echo")
    page.await_media()
    before = page.browser.evaluate("tandemCall.connection.localDescription.sdp.match(/a=ice-ufrag:(.*)/)[1]")
    page.browser.evaluate("void window.dispatchEvent(new Event('online'))")
    # Restarted with new credentials, or refused and said so; the sound goes on either way.
    page.browser.wait_for(
        f"errors.length > 0 || tandemCall.connection.signalingState === 'stable' && "
        f"tandemCall.connection.currentLocalDescription.sdp.match(/a=ice-ufrag:(.*)/)[1] !== {before!r}", 15, "an ICE restart, or its refusal")  # fmt: skip
    page.browser.wait_for_text("#state", "connected", 15)
    page.await_media(100)
    page.hang_up()


def test_whip(start_chromium, gateway, out_folder):
    tone = speech.tone(600, 60, RATE)
    microphone = write_wav(out_folder / "tone.wav", tone.tobytes())
    page = DemoPage(start_chromium(microphone), gateway, out_folder, "?processing=off&transport=whip")
    page.call("echo")
    page.browser.wait_for("loudest.output > 0.4", 10, "the tone comes back")
    frequency, share = heard.tone(page.browser.record_remote(2))
    assert abs(frequency - 600) < 3 and share > 0.95
    page.check_statistics()
    page.hang_up()
    page.place("nowhere")
    page.await_end("no_route", "There is no such destination.")


def test_the_page_calls_by_its_address(start_chromium, gateway, out_folder):
    browser = start_chromium()
    browser.open(f"{gateway.http_url}/?to=echo&autocall=1")
    browser.wait_for_text("#state", "connected", 30)
    browser.open(f"{gateway.http_url}/style.css")  # leaving the page hangs up: the gateway fixture waits for the call to be gone


def test_small_and_dark(start_chromium, gateway, out_folder):
    page = DemoPage(start_chromium(size=(390, 844)), gateway, out_folder)
    assert page.browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than a telephone"
    page.call("demo")
    page.browser.wait_for_text("#rtt", re.compile("ms"))
    page.browser.resize(390, 844, 2)
    page.screenshot("6-small")
    page.browser.prefer_dark()
    page.screenshot("7-small-dark")
    page.browser.resize(1280, 1000)
    page.screenshot("8-dark")
    page.hang_up()


def test_every_control_has_a_name(start_chromium, gateway, out_folder):
    browser = DemoPage(start_chromium(), gateway, out_folder).browser
    nodes = browser._command("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "textbox", "combobox", "meter", "link"}
    controls = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if node.get("role", {}).get("value") in roles]
    assert len(controls) >= 18  # destination, call, two suggestions, twelve keys, mute, hang up
    assert all(name for _, name in controls), controls
    # By keyboard alone: Tab leads from the destination to Call, and Enter in the field calls.
    browser.evaluate("void document.querySelector('#destination').focus()")
    browser.press_key("Enter")
    browser.wait_for_text("#state", "connected", 30)
    assert browser.evaluate("document.activeElement.id") == "hangup"
    browser.press_key("Escape")
    browser.wait_for_text("#state", "ended")


# What a page does that wants its sound sent twice: audio/red before everything else.
PREFER_REDUNDANCY = """
(() => {
  const createOffer = RTCPeerConnection.prototype.createOffer;
  RTCPeerConnection.prototype.createOffer = function (...options) {
    const { codecs } = RTCRtpReceiver.getCapabilities('audio');
    const isRedundancy = ({ mimeType }) => mimeType.toLowerCase() === 'audio/red';
    const preferred = [...codecs.filter(isRedundancy), ...codecs.filter((codec) => !isRedundancy(codec))];
    for (const transceiver of this.getTransceivers()) transceiver.setCodecPreferences(preferred);
    return createOffer.apply(this, options);
  };
})()
"""

BYTES_A_PACKET = """
(async () => {
  for (const report of (await tandemCall.connection.getStats()).values()) {
    if (report.type === 'outbound-rtp') return report.bytesSent / report.packetsSent;
  }
})()
"""


def test_redundant_sound_is_heard_both_ways(start_chromium, gateway, out_folder):
    tone = speech.tone(600, 60, RATE)
    page = DemoPage(start_chromium(write_wav(out_folder / "tone.wav", tone.tobytes())), gateway, out_folder, "?processing=off")

    def bytes_a_packet():
        page.call("echo")
        page.await_media()
        frequency, share = heard.tone(page.browser.record_remote(3))
        assert abs(frequency - 600) < 3 and share > 0.95
        size = page.browser.evaluate(BYTES_A_PACKET)
        answer = page.browser.evaluate("tandemCall.connection.remoteDescription.sdp")
        page.hang_up()
        return size, answer

    plain, answer = bytes_a_packet()
    assert "a=fmtp:63 111/111" in answer and "SAVPF 111 " in answer
    page.browser.evaluate(PREFER_REDUNDANCY)
    redundant, answer = bytes_a_packet()
    assert "SAVPF 63 111 " in answer
    assert redundant > 1.5 * plain
    page.no_complaints()
