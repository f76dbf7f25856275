"""Chromium that asks for pauses (`usedtx=1` put into its offer): it fills them, and counts nothing as lost or made up."""

import time

import heard
import sound
import speech
from demo_page import DemoPage, write_wav

ASK = """void (() => {
  const connection = RTCPeerConnection.prototype, make = connection.createOffer;
  connection.createOffer = async function (...given) {
    const { type, sdp } = await make.apply(this, given);
    return { type, sdp: sdp.replace('useinbandfec=1', 'useinbandfec=1;usedtx=1') };
  };
})()"""
FIGURES = """tandemCall.connection.getStats().then((report) => {
  const { packetsReceived, packetsLost, concealedSamples, silentConcealedSamples } = [...report.values()].find(({ type }) => type === 'inbound-rtp');
  return { packets: packetsReceived, lost: packetsLost, concealed: concealedSamples - silentConcealedSamples };
})"""


def test_a_pause_is_filled(start_chromium, agent, agent_gateway, out_folder):
    page = DemoPage(start_chromium(), agent_gateway, out_folder, "?processing=off")
    page.browser.evaluate(ASK)
    page.call("assistant")
    call = agent.wait_call()
    page.await_media(5)
    time.sleep(1)
    before, began = page.browser.evaluate(FIGURES), time.monotonic()
    time.sleep(2)
    after = page.browser.evaluate(FIGURES)
    # A frame about every 400 ms, and one that says that no more follow; else it is 50 a second.
    assert 2 <= after["packets"] - before["packets"] < 12 * (time.monotonic() - began), (before, after)

    page.browser.start_recording()
    tone = speech.tone(500, 1.5)
    call.say(tone)
    call.mark("first")
    call.wait_mark("first", 8)
    time.sleep(2)
    call.say(tone)
    call.mark("second")
    call.wait_mark("second", 8)
    time.sleep(1)
    recording = page.browser.stop_recording()
    figures = page.browser.evaluate(FIGURES)
    page.hang_up()
    write_wav(out_folder / "heard.wav", recording.samples.tobytes(), recording.rate)
    report = sound.tone_report(recording.samples, recording.rate, 500)
    assert abs(report.frequency - 500) < 3 and report.longest_gap_ms > 1500, report
    assert heard.loudness(recording) > -60
    assert figures["lost"] == 0, figures
    # What it fills a pause with is no concealment to it.
    assert figures["concealed"] - after["concealed"] < 4800, (after, figures)
    page.no_complaints()
