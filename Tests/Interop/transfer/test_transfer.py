"""Calls that an agent gives away, with the Python client of the native protocol: to a person whom it talks with first, and by the
caller's own phone; and texts between an agent and a phone."""

import numpy as np
import pytest
import speech
from baresip import Baresip
from native_agent import NativeAgent
from sound import best_correlation, tone_report
from waiting import wait_until

NUMBER = "+14155550199"
RATE = 8000


@pytest.fixture
def start_native(start_gateway):
    started = []

    def start(act):
        started.append(NativeAgent(act))
        return started[-1]

    yield start
    for agent in started:
        agent.stop()
    failures = [failure for agent in started for failure in agent.failures]
    assert not failures, failures


def with_trunk(start_gateway, agent, uri):
    """A gateway whose plan leads calls of agents to a trunk."""
    return start_gateway(
        trunks={"callee": {"hosts": [uri]}}, agents={"native": agent.configuration},
        routes=[{"name": "people", "when": {"via": "api", "to": "+1NXXNXXXXXX"}, "do": [{"trunk": "callee", "caller_id": "+14155550100"}]}])  # fmt: skip


def tone(hertz, seconds):
    return (8000 * np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE)).astype("<i2")


def expect_tone(samples, hertz, is_whole=True):
    """What a phone of the test says comes from a thread that may be late on a busy machine: then it has gaps."""
    report = tone_report(samples, RATE, hertz)
    assert abs(report.frequency - hertz) < 1 and not (is_whole and report.gaps_ms), report


def spoken(media, hertz, seconds):
    """Plays a tone from a phone to its end."""
    media.play(tone(hertz, seconds))
    media.wait_played(seconds + 10)


def test_the_agent_talks_with_a_person_before_the_caller_does(start_gateway, start_native, start_phone, start_callee):
    async def act(call, event):
        if event.name == "call" and event.data["state"] == "answered":
            await call.transfer(NUMBER, mode="attended")
        elif event.name == "transfer" and event.data["state"] == "answered":
            await call.say(tone(700, 1.5).tobytes())
            await call.mark("introduced")

    agent, callee = start_native(act), start_callee()
    caller = start_phone(with_trunk(start_gateway, agent, callee.uri)).call("native")
    agent.wait_state("answered")
    person = callee.wait_call()
    caller.media.play(tone(1700, 1.5))
    spoken(person.media, 1000, 1.5)
    assert agent.wait_for("mark")["status"] == "played"
    person.media.wait_heard_further(0.3, 10)
    expect_tone(person.media.recording(), 700)
    expect_tone(np.frombuffer(bytes(agent.heard[1]), "<i2"), 1000, is_whole=False)
    # The caller heard that the line is held, and nothing of what was said.
    held = tone_report(caller.media.recording(), RATE, 523)
    assert abs(held.frequency - 523) < 2, held

    agent.do("complete_transfer")
    agent.wait_state("completed")
    assert agent.wait_for("stop")["cause"] == "transferred"
    before = len(person.media.recording()), len(caller.media.recording())
    caller.media.play(tone(1300, 1.0))
    spoken(person.media, 1100, 1.0)
    person.media.wait_heard_further(0.5, 10)
    caller.media.wait_heard_further(0.5, 10)
    expect_tone(person.media.recording()[before[0]:], 1300, is_whole=False)
    expect_tone(caller.media.recording()[before[1]:], 1100, is_whole=False)
    assert person.hang_up() == 200
    assert caller.wait_bye(5)


def test_a_person_who_does_not_answer_leaves_the_call_with_the_agent(start_gateway, start_native, start_phone, start_callee):
    async def act(call, event):
        if event.name == "call" and event.data["state"] == "answered":
            await call.transfer(NUMBER, mode="attended")
        elif event.name == "transfer" and event.data["state"] == "failed":
            await call.say(tone(700, 1.0).tobytes())

    agent, callee = start_native(act), start_callee(lambda call: call.refuse(486))
    caller = start_phone(with_trunk(start_gateway, agent, callee.uri)).call("native")
    agent.wait_state("failed")
    assert agent.of("transfer")[-1]["sip_code"] == 486
    caller.media.wait_sound(5)
    caller.media.wait_heard_further(1.2, 10)
    expect_tone(caller.media.recording(), 700)
    assert caller.hang_up() == 200


async def refer(call, event):
    if event.name == "call" and event.data["state"] == "answered":
        await call.transfer(NUMBER, mode="refer")


def test_a_phone_is_asked_to_call_by_itself(start_gateway, start_native, run_sipp):
    agent = start_native(refer)
    gateway = with_trunk(start_gateway, agent, "sip:127.0.0.2:5999")
    run_sipp(gateway, "referred", to="native", TARGET=rf"sip:\+14155550199@127\.0\.0\.2:5999").finish()
    agent.wait_for("stop")
    assert agent.states() == ["trying", "ringing", "completed"] and agent.wait_for("stop")["cause"] == "transferred"


def test_a_phone_that_will_not_call_keeps_the_agent(start_gateway, start_native, run_sipp):
    agent = start_native(refer)
    run_sipp(with_trunk(start_gateway, agent, "sip:127.0.0.2:5999"), "refuses_refer", to="native").finish()
    assert agent.wait_for("stop")["cause"] == "caller_hangup"
    assert agent.states() == ["trying", "failed"] and agent.of("transfer")[-1]["sip_code"] == 603


def test_baresip_calls_by_itself(start_gateway, start_native, start_callee, out_folder):
    agent, callee = start_native(refer), start_callee()
    gateway = with_trunk(start_gateway, agent, callee.uri)
    said = speech.wav_file(speech.PHONE_SENTENCE, RATE, silence_before=1.0, silence_after=20.0)
    host, port = gateway.sip_udp
    with Baresip(out_folder / "phone", said) as phone:
        phone.dial(f"sip:native@{host}:{port};transport=udp")
        agent.wait_state("completed", 20)
        assert agent.wait_for("stop")["cause"] == "transferred"
        person = callee.wait_call()
        assert person.invite.start_line.startswith(f"INVITE sip:{NUMBER}@")
        # The phone talks with the person, past the gateway.
        person.media.wait_sound(15)
        wait_until(lambda: best_correlation(speech.samples(speech.PHONE_SENTENCE), person.media.recording(), RATE)[1] > 0.9, 20, "the sentence")
        assert person.hang_up() == 200


def test_texts_between_a_phone_and_an_agent(start_gateway, start_native, run_sipp):
    async def act(call, event):
        if event.name == "call" and event.data["state"] == "answered":
            await call.command("message", content_type="text/plain;charset=UTF-8", body="your code is 4711")

    agent = start_native(act)
    run_sipp(start_gateway(agents={"native": agent.configuration}), "texts", to="native").finish()
    agent.wait_for("stop")
    assert [text["body"].strip() for text in agent.of("message")] == ["thank you"] and not agent.of("error")
    assert agent.of("message")[0]["content_type"] == "text/plain"
