"""The Twilio dialect, with a Python agent on one side and a phone with a stopwatch on the other."""

import re
import time

import numpy as np
import pytest
import speech
from sound import best_correlation
from verdict import assert_same_speech
from waiting import wait_until

# What a frame may be late between the gateway's socket and the other end's, on a machine busy with tests: the crank turns
# every millisecond, the rest is the kernel and Python.
SLACK = 0.005


@pytest.fixture
def phone(start_phone, agent_gateway):
    return start_phone(agent_gateway)


@pytest.fixture
def connected(agent, phone):
    """(the phone's call, the agent's call)."""
    call = phone.call("assistant")
    return call, agent.wait_call()


def sounding_times(call, after=0.0):
    return np.array([packet.arrived for packet in call.media.sounding() if packet.arrived > after])


def test_the_caller_is_heard_and_the_agent_too(connected, agent_gateway, phone):
    call, agent_call = connected
    said, answer = speech.samples(speech.PHONE_SENTENCE), speech.samples(speech.AGENT_SENTENCE)
    call.media.play(said)
    agent_call.wait_heard(len(said) / 8000 + 1, 20)
    agent_call.say(answer)
    call.media.wait_sound(2)
    call.media.wait_heard_further(len(answer) / 8000 + 0.5, 20)
    assert call.hang_up() == 200
    agent_call.wait_for("stop", 2)
    agent_call.wait_closed()

    assert agent_call.transcript.events() == ["connected", "start", "media", "stop"]
    assert not agent_call.transcript.violations
    assert agent_call.parameters["from_number"] == phone.user and agent_call.parameters["to_number"] == "assistant"
    assert_same_speech(said, agent_call.transcript.heard(), 0.98, agent_gateway, call.media)
    assert_same_speech(answer, call.media.recording(), 0.98, agent_gateway)
    assert call.media.lost() == 0
    # Reports both ways (RFC 3550): ours were sent, the gateway's came, a sender's report among them.
    assert any(len(report) >= 28 and report[1] == 200 for _, report in call.media.reports), "no RTCP sender report"


def test_the_stream_to_the_agent_keeps_time(connected):
    """50 frames a second by the wall clock, through speech and through a caller who sends nothing at all."""
    call, agent_call = connected
    agent_call.wait_heard(2, 5)
    call.media.sending = False
    time.sleep(2)
    call.media.sending = True
    agent_call.wait_heard(6, 10)
    arrivals = agent_call.transcript.media_arrivals()
    late = arrivals - arrivals[0] - np.arange(len(arrivals)) * 0.02
    assert not agent_call.transcript.violations
    # ARCHITECTURE 4a.1 says 60 ms; the rest is a busy machine.
    assert np.abs(np.median(late[-25:]) - np.median(late[:25])) < 0.06
    assert np.ptp(late) < 0.25


def test_parameters_of_the_step_reach_the_agent(agent, start_gateway, start_phone):
    gateway = start_gateway(agents={"assistant": agent.configuration}, routes=[
        {"name": "support", "when": {"via": "phone", "to": "+1415555XXXX"}, "do": [{"agent": "assistant", "parameters": {"queue": "support"}}]}])  # fmt: skip
    phone = start_phone(gateway, user="+14155552671")
    phone.call("+14155550123")
    parameters = agent.wait_call().parameters
    assert parameters == {"queue": "support", "from_number": "+14155552671", "to_number": "+14155550123"}


def test_a_mark_comes_when_its_place_is_played(connected):
    call, agent_call = connected
    agent_call.say(speech.tone(500, 3))
    agent_call.mark("three")
    agent_call.say(speech.tone(700, 7))
    agent_call.mark("ten")
    first = call.media.wait_sound(2).arrived
    assert agent_call.wait_mark("three", 5) - first == pytest.approx(3.0, abs=0.06)
    assert agent_call.wait_mark("ten", 12) - first == pytest.approx(10.0, abs=0.06)
    assert agent_call.marks() == ["three", "ten"]
    # Ten seconds without a hole, frame after frame on the grid.
    played = sounding_times(call)
    assert len(played) == pytest.approx(500, abs=2)
    assert np.diff(played).max() < 0.06


def test_clear_is_silence_within_one_frame(connected):
    call, agent_call = connected
    lateness = []
    for turn in range(5):
        began = agent_call.say(speech.tone(500, 10))
        agent_call.mark(f"end {turn}")
        first = call.media.wait_sound(2, after=began).arrived
        time.sleep(first + (5.0 if turn == 0 else 0.7 + 0.007 * turn) - time.time())
        cleared = agent_call.clear()
        # The pending mark comes back at once.
        assert agent_call.wait_mark(f"end {turn}", 1) - cleared < 0.1
        time.sleep(0.4)
        lateness.append(sounding_times(call)[-1] - cleared)
    assert np.median(lateness) <= 0.020 and max(lateness) <= 0.020 + SLACK, lateness


def test_a_thousand_clears(connected):
    call, agent_call = connected
    burst = speech.tone(500, 0.2)
    for turn in range(1000):
        agent_call.say(burst, payload_bytes=1600)
        agent_call.clear()
    agent_call.say(speech.tone(700, 1.0))
    began = agent_call.mark("after")
    assert agent_call.wait_mark("after", 10) - began < 3
    assert not agent_call.transcript.violations
    heard = sounding_times(call, after=began)
    assert len(heard) == pytest.approx(50, abs=3)


def test_a_mark_with_nothing_queued_comes_at_once(connected):
    _, agent_call = connected
    for turn in range(50):
        agent_call.mark(f"m{turn}")
    agent_call.wait_mark("m49", 2)
    assert agent_call.marks() == [f"m{turn}" for turn in range(50)]
    assert not agent_call.transcript.violations


@pytest.mark.parametrize("payload_bytes", [7, 161, 999, 4000])
def test_payloads_of_any_size_play_without_a_seam(connected, agent_gateway, payload_bytes):
    call, agent_call = connected
    answer = speech.samples(speech.AGENT_SENTENCE)
    agent_call.say(answer, payload_bytes=payload_bytes)
    agent_call.mark("end")
    agent_call.wait_mark("end", len(answer) / 8000 + 3)
    call.media.wait_heard_further(0.3, 3)
    assert_same_speech(answer, call.media.recording(), 0.98, agent_gateway)


def test_half_a_minute_in_one_message(connected, agent_gateway):
    call, agent_call = connected
    sentence = speech.samples(speech.AGENT_SENTENCE)
    half_minute = np.resize(sentence, 30 * 8000)
    agent_call.say(half_minute, payload_bytes=len(half_minute))
    agent_call.mark("end")
    first = call.media.wait_sound(3).arrived
    # The sentence begins softly: the first packet that is heard is not the first one.
    soft = np.argmax(np.abs(sentence.astype(int)) > 200) / 8000
    assert agent_call.wait_mark("end", 40) - first == pytest.approx(30.0 - soft, abs=0.1)
    assert_same_speech(half_minute, call.media.recording(), 0.98, agent_gateway)


def test_speech_that_comes_in_real_time_has_no_gaps(connected):
    """An agent that paces itself, late by up to 15 ms a frame: nothing is lost and nothing falls into pieces."""
    call, agent_call = connected
    answer = speech.samples(speech.AGENT_SENTENCE)
    late = np.random.default_rng(4).uniform(0, 0.015, len(answer) // 160 + 1)
    began = time.time()
    for number, first in enumerate(range(0, len(answer), 160)):
        time.sleep(max(0, began + number * 0.02 + late[number] - time.time()))
        agent_call.say(answer[first : first + 160])
    agent_call.mark("end")
    agent_call.wait_mark("end", 3)
    time.sleep(0.2)
    assert best_correlation(answer, call.media.recording(), 8000)[1] >= 0.9


def test_digits_of_the_caller_reach_the_agent(connected):
    call, agent_call = connected
    call.media.press("1590*#")
    wait_until(lambda: len(agent_call.transcript.digits()) >= 6, 8, lambda: f"six digits: {agent_call.transcript.digits()}")
    time.sleep(0.3)
    assert agent_call.transcript.digits() == "1590*#"
    # No gap, and no trace of the events, in the audio beside them.
    assert not agent_call.transcript.violations


def test_the_agent_hangs_up(connected, agent_gateway):
    call, agent_call = connected
    agent_call.close()
    bye = call.wait_bye(3)
    assert re.match(r"SIP *;cause=200", bye.get("Reason") or ""), bye.headers
    assert agent_gateway.metrics()["tandem_calls_ended_total"]['cause="agent_hangup"'] == 1


def test_an_agent_that_dies_is_agent_lost(connected, agent_gateway):
    call, agent_call = connected
    agent_call.abort()
    bye = call.wait_bye(5)
    assert re.match(r"SIP *;cause=500", bye.get("Reason") or ""), bye.headers
    assert agent_gateway.metrics()["tandem_calls_ended_total"]['cause="agent_lost"'] == 1


def test_an_agent_that_dies_is_followed_by_the_next_step(start_agent, start_gateway, start_phone):
    dying, standby = start_agent(), start_agent()
    gateway = start_gateway(agents={"dying": dying.configuration, "standby": standby.configuration}, routes=[
        {"name": "both", "when": {"to": "both"}, "do": [{"agent": "dying"}, {"agent": "standby"}]}])  # fmt: skip
    call = start_phone(gateway).call("both")
    dying.wait_call().abort()
    second = standby.wait_call(5)
    said = speech.samples(speech.PHONE_SENTENCE)
    call.media.play(said)
    began = second.say(speech.tone(600, 0.5))
    call.media.wait_sound(2, after=began)
    second.wait_heard(len(said) / 8000 + 1, 20)
    assert not call.over
    assert not second.transcript.violations
    assert_same_speech(said, second.transcript.heard(), 0.98, gateway, call.media)


def test_an_agent_that_refuses_is_followed_by_the_next_step(start_agent, start_gateway, start_phone):
    refusing, standby = start_agent(refuse=403), start_agent()
    gateway = start_gateway(agents={"refusing": refusing.configuration, "standby": standby.configuration}, routes=[
        {"name": "both", "when": {"to": "both"}, "do": [{"agent": "refusing"}, {"agent": "standby"}]}])  # fmt: skip
    call = start_phone(gateway).call("both")
    standby.wait_call(5)
    assert refusing.upgrades == 1
    assert 180 in call.statuses()


def test_an_agent_that_does_not_answer_for_3_s_is_followed_by_the_next_step(start_agent, start_gateway, start_phone):
    hanging, standby = start_agent(hang=True), start_agent()
    gateway = start_gateway(agents={"hanging": hanging.configuration, "standby": standby.configuration}, routes=[
        {"name": "both", "when": {"to": "both"}, "do": [{"agent": "hanging"}, {"agent": "standby"}]}])  # fmt: skip
    phone = start_phone(gateway)
    began = time.time()
    call = phone.call("both")
    assert call.answered_at - began == pytest.approx(3.0, abs=0.5)
    standby.wait_call(1)


def test_no_agent_at_all_is_the_last_steps_answer(start_gateway, start_phone):
    nowhere = {"url": "ws://127.0.0.1:9/media", "protocol": "twilio"}
    gateway = start_gateway(agents={"nowhere": nowhere}, routes=[{"name": "closed", "when": {"to": "closed"}, "do": [{"agent": "nowhere"}, {"reject": 486}]}])
    phone = start_phone(gateway)
    assert phone.invite("closed").wait_final(8) == 486
    assert phone.invite("nowhere").wait_final(8) in (480, 503)


NONSENSE = [
    "this is not JSON",
    "{",
    "[]",
    "null",
    '"media"',
    "{}",
    '{"event":5}',
    '{"event":"media"}',
    '{"event":"media","media":"no"}',
    '{"event":"media","media":{"payload":5}}',
    '{"event":"media","media":{"payload":"not base64 !!"}}',
    '{"event":"media","media":{"payload":"A"}}',
    '{"event":"mark"}',
    '{"event":"mark","mark":{"name":7}}',
    '{"event":"transfer","transfer":{"to":"+14155550123"}}',
    '{"event":"media","media":{"payload":"' + "!" * 200_000 + '"}}',
    '{"event":"\\ud800"}',
    "[" * 50_000,
    b"\x00\x01\x02\xff",
    "",
]


def test_nonsense_is_ignored_and_logged_once(connected, agent_gateway):
    call, agent_call = connected
    for _ in range(10):
        agent_call.send(*NONSENSE)
    began = agent_call.say(speech.tone(600, 1.0))
    agent_call.mark("sane")
    agent_call.wait_mark("sane", 5)
    time.sleep(0.2)
    assert len(sounding_times(call, after=began)) == pytest.approx(50, abs=2)
    assert not call.over
    assert not agent_call.transcript.violations
    # One line for the call, not two hundred.
    lines = [line for line in agent_gateway.log_text().splitlines() if "warning" in line.lower()]
    assert len(lines) < 30, "\n".join(lines)


def test_a_message_beyond_4_mib_ends_only_its_own_call(agent, connected, phone):
    call, agent_call = connected
    other = phone.call("assistant")
    other_agent = agent.wait_call(number=2)
    try:
        agent_call.send('{"event":"media","media":{"payload":"' + "A" * (5 << 20) + '"}}')
    except Exception:
        pass  # the gateway may close while it is sent
    call.wait_bye(5)
    began = other_agent.say(speech.tone(600, 0.5))
    other.media.wait_sound(2, after=began)
    assert not other.over


def test_the_echo_agent_returns_speech(start_agent, start_gateway, start_phone):
    echo = start_agent(echo=True)
    gateway = start_gateway(agents={"assistant": echo.configuration})
    call = start_phone(gateway).call("assistant")
    said = speech.samples(speech.PHONE_SENTENCE)
    call.media.play(said)
    call.media.wait_heard(len(said) / 8000 + 1.5, 20)
    assert_same_speech(said, call.media.recording(), 0.9, gateway, call.media)
