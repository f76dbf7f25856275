"""The demo page calls a phone: ringback first, then speech both ways, digits, and the end from either side."""

import time

import heard
import pytest
import speech
from browser_driver import Recording
from demo_page import DemoPage, write_wav

NUMBER = "+14155550199"
RATE = 48000
SAID, ANSWERED = speech.BROWSER_SENTENCE, speech.AGENT_SENTENCE


@pytest.fixture
def gateway_to(start_gateway):
    def start(callee):
        return start_gateway(trunks={"callee": {"hosts": [callee.uri]}}, routes=[{"name": "out", "when": {"via": "browser", "to": NUMBER}, "do": [{"trunk": "callee"}]}])

    return start


def test_ringback_then_speech_both_ways(start_chromium, start_callee, gateway_to, out_folder):
    def behave(call):
        call.ring()
        time.sleep(4)
        call.answer()

    callee = start_callee(behave)
    gateway = gateway_to(callee)
    # Chromium's microphone opens with the call; the phone answers four seconds later.
    microphone = speech.wav_file(SAID, RATE, silence_before=9.0, silence_after=60.0)
    page = DemoPage(start_chromium(microphone), gateway, out_folder, "?processing=off")
    page.place(NUMBER)
    page.browser.wait_for_text("#state", "ringing", 20)
    page.browser.wait_for("loudest.output > 0.1", 10, "ringback")
    page.browser.wait_for_text("#state", "connected", 20)
    called = callee.wait_call()
    page.browser.start_recording()
    answered = speech.samples(ANSWERED)
    time.sleep(1)
    called.media.play(answered)
    time.sleep(len(answered) / 8000 + 1)
    recording = page.browser.stop_recording()
    page.browser.wait_for("loudest.input > 0.4", 15, "the caller speaks")
    time.sleep(len(speech.samples(SAID)) / 8000 + 1)
    page.press("5")
    page.screenshot("phone-1-connected")
    page.check_statistics()
    page.hang_up()
    called.wait_bye()

    at_browser = heard.speech(recording, speech.samples(ANSWERED, RATE), RATE)
    write_wav(out_folder / "browser-heard.wav", recording.samples.tobytes(), recording.rate)
    assert at_browser.correlation >= 0.85 and at_browser.spread < 0.3, at_browser
    at_phone = heard.speech(Recording(called.media.recording(), 8000), speech.samples(SAID), 8000)
    assert at_phone.correlation >= 0.85 and at_phone.spread < 0.3, at_phone
    assert called.media.digits_heard() == "5"
    # One stream without a hole.
    assert called.media.lost() == 0 and len({packet.ssrc for packet in called.media.packets}) == 1
    page.no_complaints()


def test_busy_is_explained(start_chromium, start_callee, gateway_to, out_folder):
    callee = start_callee(lambda call: call.refuse(486))
    page = DemoPage(start_chromium(), gateway_to(callee), out_folder)
    page.place(NUMBER)
    page.await_end("busy", "")
    assert page.browser.attribute("#cause", "data-sip-code") == "486"
    page.screenshot("phone-2-busy")


def test_the_phone_hangs_up(start_chromium, start_callee, gateway_to, out_folder):
    callee = start_callee()
    page = DemoPage(start_chromium(), gateway_to(callee), out_folder)
    page.call(NUMBER)
    called = callee.wait_call()
    called.wait_acknowledged()
    assert called.hang_up() == 200
    page.await_end("callee_hangup", "")
