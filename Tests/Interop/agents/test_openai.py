"""The dialect `openai`, against a service whose every event and whose every demand is OpenAI's official SDK's."""

import asyncio
import time

import numpy as np
import pytest
from realtime_server import CallTool, RealtimeServer, Say, tone
from sound import tone_report
from waiting import wait_until
from whip_caller import RATE, WHIPCaller


@pytest.fixture
def start_service():
    """Starts services: start_service(script, …). None may have seen anything it had to refuse."""
    started = []

    def start(*script, **options):
        started.append(RealtimeServer(script, **options))
        return started[-1]

    yield start
    violations = [violation for service in started for violation in service.violations]
    for service in started:
        service.stop()
    assert not violations, violations


def gateway_for(start_gateway, service, **options):
    return start_gateway(agents={"model": service.configuration, "standby": {"builtin": "echo"}}, **options)


def speak(call, hertz=300, seconds=1.0):
    call.media.play(tone(hertz, seconds, 8000))


def assert_tone(samples, rate, hertz, seconds):
    report = tone_report(samples, rate, hertz)
    assert abs(report.frequency - hertz) < 1 and not report.gaps_ms, report
    assert abs(report.last_sound_ms - report.first_sound_ms - 1000 * seconds) < 60, report


def test_a_phone_is_greeted_in_pcmu_and_answered(start_gateway, start_service, start_phone):
    service = start_service(Say(600, 1.5), Say(900, 1.5))
    call = start_phone(gateway_for(start_gateway, service)).call("model")
    call.media.wait_sound(5)
    call.media.wait_heard_further(2, 5)
    assert_tone(call.media.recording(), 8000, 600, 1.5)
    session = service.sessions[0]
    assert session.format("input") == ("audio/pcmu", 8000) and session.format("output") == ("audio/pcmu", 8000)
    assert service.requests[0].path == "/v1/realtime?model=gpt-realtime"
    before = len(call.media.recording())
    speak(call)
    call.media.wait_heard_further(4, 10)
    assert_tone(call.media.recording()[before:], 8000, 900, 1.5)
    heard = tone_report(session.heard, 8000, 300)
    assert abs(heard.frequency - 300) < 1 and not heard.gaps_ms, heard
    assert call.hang_up() == 200


def test_a_browser_is_heard_and_answered_wide(start_gateway, start_service):
    service = start_service(Say(7000, 1.5))
    gateway = gateway_for(start_gateway, service)

    async def scenario():
        async with WHIPCaller(gateway, "model", tone(6000, 1.0, RATE)) as caller:
            await caller.wait_connected()
            await caller.wait_heard(2, 15)
            report = tone_report(caller.heard(), RATE, 7000)
            assert abs(report.frequency - 7000) < 2, report
            caller.track.begin()
            await caller.wait_heard(4, 20)

    asyncio.run(asyncio.wait_for(scenario(), 60))
    session = service.sessions[0]
    assert session.format("input") == ("audio/pcm", 24000)
    assert abs(tone_report(session.heard, 24000, 6000).frequency - 6000) < 2


def test_an_interrupted_answer_is_cut_where_the_caller_heard_it(start_gateway, start_service, start_phone):
    """The answer of 12 s came within 3; the caller interrupts after 2 of them."""
    service = start_service(Say(600, 12), Say(900, 1))
    call = start_phone(gateway_for(start_gateway, service)).call("model")
    began = call.media.wait_sound(5)
    time.sleep(2)
    speak(call)
    session = service.sessions[0]
    wait_until(lambda: session.truncated, 5, "no truncation")
    # What the caller heard, by the caller's own clock: from the first loud packet to the last before silence.
    call.media.wait_heard_further(2.5, 10)
    first = tone_report(call.media.recording(), 8000, 600)
    heard = next((start for start, length in first.gaps_ms if length > 100), first.last_sound_ms) - first.first_sound_ms
    (milliseconds,) = session.truncated.values()
    assert abs(milliseconds - heard) < 100, (milliseconds, heard, began)
    call.media.wait_heard_further(2, 10)
    assert tone_report(call.media.recording()[-3 * 8000 :], 8000, 900).frequency == pytest.approx(900, abs=1)


def test_the_call_is_given_away_after_the_last_word(start_gateway, start_service, start_phone, start_callee):
    service = start_service(CallTool("transfer_call", '{"destination": "+14155550199"}', say=Say(600, 1.5)))
    callee = start_callee()
    gateway = gateway_for(
        start_gateway, service, trunks={"callee": {"hosts": [callee.uri]}},
        routes=[{"name": "out", "when": {"via": "api", "to": "+1NXXNXXXXXX"}, "do": [{"trunk": "callee"}]}])  # fmt: skip
    call = start_phone(gateway).call("model")
    began = call.media.wait_sound(5)
    called = callee.wait_call()
    assert time.time() - began.arrived > 1.3
    call.media.wait_heard_further(0.5, 5)
    assert_tone(call.media.recording(), 8000, 600, 1.5)
    assert "+14155550199" in called.invite.start_line
    assert call.hang_up() == 200


def test_the_call_ends_after_the_last_word(start_gateway, start_service, start_phone):
    service = start_service(CallTool("end_call", say=Say(600, 1.5)))
    call = start_phone(gateway_for(start_gateway, service)).call("model")
    call.media.wait_sound(5)
    call.wait_bye(10)
    assert_tone(call.media.recording(), 8000, 600, 1.5)


def test_keys_are_a_text_of_the_caller(start_gateway, start_service, start_phone):
    service = start_service(Say(600, 0.5), Say(900, 0.5))
    call = start_phone(gateway_for(start_gateway, service)).call("model")
    call.media.wait_sound(5)
    call.media.wait_heard_further(1, 5)
    call.media.press("12#")
    wait_until(lambda: service.sessions[0].texts, 8, "no text")
    assert service.sessions[0].texts == [("user", "The caller pressed these keys of the telephone: 12#")]
    call.media.wait_heard_further(1.5, 5)
    assert call.hang_up() == 200


def test_linear_sound_for_pcmu_is_not_played_as_noise(start_gateway, start_service, start_phone):
    service = start_service(Say(600, 1.5), actual=("audio/pcm", 24000))
    call = start_phone(gateway_for(start_gateway, service)).call("model")
    call.media.wait_sound(5)
    call.media.wait_heard_further(2, 5)
    assert_tone(call.media.recording(), 8000, 600, 1.5)
    assert call.hang_up() == 200


def test_a_session_that_expires_is_followed_by_another(start_gateway, start_service, start_phone):
    service = start_service(Say(600, 0.5, transcript="Good day."), Say(900, 1))
    call = start_phone(gateway_for(start_gateway, service)).call("model")
    call.media.wait_sound(5)
    call.media.wait_heard_further(1, 5)
    first = service.sessions[0]
    service.run(first.error("session_expired", "Your session hit the maximum duration of 60 minutes."))
    wait_until(lambda: len(service.sessions) == 2 and service.sessions[1].texts, 5, "no second session")
    assert service.sessions[1].texts == [("assistant", "Good day.")]
    before = len(call.media.recording())
    speak(call)
    call.media.wait_heard_further(3.5, 10)
    assert_tone(call.media.recording()[before:], 8000, 900, 1)
    assert call.hang_up() == 200


def test_a_service_that_refuses_the_key_is_followed_by_the_next_step(start_gateway, start_service, start_phone):
    service = start_service(token="right")
    agents = {"model": {**service.configuration, "url": "ws://127.0.0.1:9/v1/realtime"}, "standby": {"builtin": "echo"}}
    gateway = start_gateway(agents=agents, routes=[{"name": "m", "when": {"to": "help"}, "do": [{"agent": "model"}, {"agent": "standby"}]}])
    call = start_phone(gateway).call("help")
    speak(call)
    call.media.wait_sound(5)
    assert np.abs(call.media.recording()).max() > 500
    assert call.hang_up() == 200
