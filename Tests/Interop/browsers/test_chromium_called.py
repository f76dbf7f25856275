"""Somebody signed in on the demo page is called by a phone: a banner, the keyboard or the mouse, speech both ways, the end."""

import time

import heard
import pytest
import speech
from browser_driver import Recording
from demo_page import DemoPage, write_wav

RATE = 48000
SAID, ANSWERED = speech.BROWSER_SENTENCE, speech.AGENT_SENTENCE


@pytest.fixture
def signed_in(start_gateway, start_chromium, out_folder):
    """A gateway, and its page with alice signed in."""

    def start(microphone=None):
        gateway = start_gateway(routes=[{"name": "alice", "when": {"to": "alice"}, "do": [{"browser": "alice"}]}])
        page = DemoPage(start_chromium(microphone), gateway, out_folder, "?processing=off&user=alice")
        page.browser.click("#sign-in")
        page.browser.wait_for_text("#user-state", "signed in as alice")
        return gateway, page

    return start


def test_a_phone_calls_and_both_hear_each_other(signed_in, start_phone, out_folder):
    # Chromium's microphone opens when the call is accepted.
    gateway, page = signed_in(speech.wav_file(SAID, RATE, silence_before=7.0, silence_after=60.0))
    call = start_phone(gateway).invite("alice")
    page.browser.wait_for("!document.querySelector('#incoming').hidden", 10, "the banner")
    assert page.browser.text("#incoming-caller") == "+14155550100 calls alice."
    call.wait_status(180)
    page.screenshot("called-1-rings")
    # The focus is on Accept: Enter takes the call.
    assert page.browser.evaluate("document.activeElement.id") == "accept"
    page.browser.press_key("Enter")
    page.browser.wait_for_text("#state", "connected", 20)
    assert call.wait_final() == 200
    assert page.browser.evaluate("document.querySelector('#incoming').hidden")
    page.browser.start_recording()
    said = speech.samples(ANSWERED)
    time.sleep(1)
    call.media.play(said)
    time.sleep(len(said) / 8000 + 1)
    recording = page.browser.stop_recording()
    call.media.wait_sound(20, after=0)
    time.sleep(len(speech.samples(SAID)) / 8000 + 1)
    page.screenshot("called-2-connected")
    page.check_statistics()
    assert call.hang_up() == 200
    page.await_end("caller_hangup", "")

    at_browser = heard.speech(recording, speech.samples(ANSWERED, RATE), RATE)
    write_wav(out_folder / "browser-heard.wav", recording.samples.tobytes(), recording.rate)
    assert at_browser.correlation >= 0.85 and at_browser.spread < 0.3, at_browser
    at_phone = heard.speech(Recording(call.media.recording(), 8000), speech.samples(SAID), 8000)
    assert at_phone.correlation >= 0.85 and at_phone.spread < 0.3, at_phone
    page.no_complaints()


def test_declining_and_a_caller_who_gives_up(signed_in, start_phone):
    gateway, page = signed_in()
    phone = start_phone(gateway)
    call = phone.invite("alice")
    page.browser.wait_for("!document.querySelector('#incoming').hidden", 10, "the banner")
    page.browser.click("#decline")
    assert call.wait_final() == 603
    call = phone.invite("alice")
    page.browser.wait_for("!document.querySelector('#incoming').hidden", 10, "the banner")
    call.cancel()
    page.browser.wait_for("document.querySelector('#incoming').hidden", 10, "the banner goes")
    # A lost socket is replaced.
    page.break_sockets()
    page.browser.wait_for_text("#user-state", "connecting")
    page.browser.wait_for_text("#user-state", "signed in as alice")
    call = phone.invite("alice")
    page.browser.wait_for("!document.querySelector('#incoming').hidden", 10, "the banner")
    page.browser.click("#decline")
    assert call.wait_final() == 603
    # Signed out, nobody is there.
    page.browser.click("#sign-in")
    page.browser.wait_for_text("#user-state", "signed out")
    assert phone.invite("alice").wait_final() == 480
    page.no_complaints()
