"""The demo page in Debian's Firefox ESR, whose fake microphone is a steady tone.

`media.peerconnection.ice.loopback` is off, as in a user's Firefox: the gateway must offer an address that is not loopback."""

import time

import heard
import pytest
from browser_driver import Firefox
from demo_page import DemoPage, write_wav

TONE = 700


@pytest.fixture
def firefox(out_folder):
    with Firefox(out_folder, tone=TONE) as browser:
        yield browser


def test_echo_brings_the_tone_back(firefox, gateway, out_folder):
    page = DemoPage(firefox, gateway, out_folder, "?processing=off")
    page.screenshot("1-idle")
    page.call("echo")
    firefox.wait_for("loudest.output > 0.4", 10, "the tone comes back")
    recording = firefox.record_remote(4)
    page.screenshot("2-connected")
    page.check_statistics()
    page.hang_up()
    page.screenshot("3-ended")

    write_wav(out_folder / "heard.wav", recording.samples.tobytes(), recording.rate)
    frequency, share = heard.tone(recording)
    assert abs(frequency - TONE) < 3
    assert share > 0.95  # Opus twice, and nothing torn
    page.no_complaints()


def test_demo_greets_speaks_digits_back_and_hangs_up_on_star(firefox, gateway, out_folder):
    page = DemoPage(firefox, gateway, out_folder)
    page.call("demo", muted=True)  # the tone would be a caller who never stops speaking
    firefox.wait_for("loudest.output > 0.4", 10, "a greeting")
    page.await_quiet()
    firefox.start_recording()
    page.press("5")
    time.sleep(2)
    firefox.press_key("9")
    time.sleep(2)
    recording = firefox.stop_recording()
    assert heard.digits(recording) == "59"
    page.press("*")
    page.await_end("agent_hangup", "The agent ended the call.")
    page.screenshot("4-agent-hung-up")


def test_an_unknown_destination_is_explained(firefox, gateway, out_folder):
    page = DemoPage(firefox, gateway, out_folder)
    page.place("nowhere")
    page.await_end("no_route", "There is no such destination.")
    assert firefox.attribute("#cause", "data-sip-code") == "404"


def test_a_lost_socket_does_not_end_the_call(firefox, gateway, out_folder):
    page = DemoPage(firefox, gateway, out_folder)
    page.call("echo")
    page.await_media()
    page.break_sockets()
    firefox.wait_for("states.includes('reconnecting')", 5)
    firefox.wait_for_text("#state", "connected", 15)
    page.await_media(100)
    page.hang_up()


def test_whip(firefox, gateway, out_folder):
    page = DemoPage(firefox, gateway, out_folder, "?processing=off&transport=whip")
    page.call("echo")
    firefox.wait_for("loudest.output > 0.4", 10, "the tone comes back")
    frequency, share = heard.tone(firefox.record_remote(3))
    assert abs(frequency - TONE) < 3 and share > 0.95
    page.hang_up()
