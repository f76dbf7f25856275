"""THE test: one agent, a caller on a SIP phone and a caller in a real browser at the same time. The agent cannot tell them
apart, both are understood, and each hears what the agent says."""

import heard
import pytest
import speech
from baresip import Baresip
from browser_driver import Chromium, Recording
from demo_page import DemoPage
from sound import best_correlation, write_wav
from twilio_agent import TwilioAgent

PHONE, BROWSER = speech.PHONE_SENTENCE, speech.BROWSER_SENTENCE


@pytest.fixture
def repeating_agent():
    """One agent that repeats to each caller what that caller says."""
    agent = TwilioAgent(echo=True)
    yield agent
    agent.stop()


@pytest.mark.timeout(240)
def test_a_phone_and_a_browser_talk_to_the_same_agent(repeating_agent, start_gateway, out_folder):
    gateway = start_gateway(agents={"assistant": repeating_agent.configuration})
    phone_file = speech.wav_file(PHONE, 8000, silence_before=1.0, silence_after=60.0)
    browser_file = speech.wav_file(BROWSER, 48000, silence_before=4.0, silence_after=60.0)

    with Chromium(out_folder, microphone=browser_file) as browser:
        page = DemoPage(browser, gateway, out_folder, "?processing=off")
        page.call("assistant")
        browser.start_recording()
        # The browser speaks four seconds after its microphone opened; the phone calls now and speaks after one.
        with Baresip(out_folder / "phone", phone_file) as phone:
            host, port = gateway.sip_udp
            phone.dial(f"sip:assistant@{host}:{port}")
            phone.wait_event("CALL_ESTABLISHED")
            calls = [repeating_agent.wait_call(number=number) for number in (1, 2)]
            assert len(repeating_agent.calls) == 2
            for call in calls:
                call.wait_heard(14, 30)
            assert not any(call.closed for call in calls), "one of the calls is over"
            recording = browser.stop_recording()
            page.screenshot("mission")
            phone.hang_up()
            phone.wait_event("CALL_CLOSED")
            page.hang_up()
        for call in calls:
            call.wait_for("stop", 5)
            call.wait_closed()

    by_phone = next(call for call in calls if call.parameters["from_number"] == "+14155550142")
    by_browser = next(call for call in calls if call is not by_phone)
    for call, name in ((by_phone, "phone"), (by_browser, "browser")):
        write_wav(out_folder / f"agent-heard-{name}.wav", call.transcript.heard(), 8000)
        # Order, keys, types, counting, and timestamps without a gap.
        assert call.transcript.violations == [], name
        assert call.parameters["to_number"] == "assistant"

    # Nothing in what the agent was told depends on how the caller came.
    assert by_phone.transcript.events() == by_browser.transcript.events() == ["connected", "start", "media", "stop"]
    assert by_phone.transcript.shapes() == by_browser.transcript.shapes()
    assert set(by_phone.parameters) == set(by_browser.parameters)

    # The agent understood both …
    said_by_phone, said_by_browser = speech.samples(PHONE), speech.samples(BROWSER)
    for call, said in ((by_phone, said_by_phone), (by_browser, said_by_browser)):
        # In pieces of half a second, each with a delay of its own: callers stretch time a little, a busy machine more.
        at_agent = heard.speech(Recording(call.transcript.heard(), 8000), said, 8000)
        assert at_agent.correlation >= 0.9 and at_agent.spread < 0.5, at_agent
    # … and each of them only.
    assert best_correlation(said_by_phone, by_browser.transcript.heard(), 8000)[1] < 0.5
    assert best_correlation(said_by_browser, by_phone.transcript.heard(), 8000)[1] < 0.5

    # Each caller heard the answer.
    at_phone = heard.speech(Recording(phone.heard(), 8000), said_by_phone, 8000)
    assert at_phone.correlation >= 0.9, at_phone
    back = heard.speech(recording, speech.samples(BROWSER, 48000), 48000)
    write_wav(out_folder / "browser-heard.wav", recording.samples, recording.rate)
    assert back.correlation >= 0.8, back  # the sound of Opus, twice
