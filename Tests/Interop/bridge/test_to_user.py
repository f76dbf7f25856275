"""Calls to signed-in users, with aiortc as their browser: from a phone, from another browser and from the API."""

import asyncio

import pytest
import speech
from scipy.signal import resample_poly
from signal_caller import SignalCaller
from signal_user import SignalUser
from verdict import assert_same_speech
from waiting import wait_until
from whip_caller import RATE

SAID, ANSWERED = speech.BROWSER_SENTENCE, speech.AGENT_SENTENCE
# One Opus coding; a sentence that was never said stays below 0.5.
UNDERSTOOD = 0.85


def run(scenario, limit=60):
    asyncio.run(asyncio.wait_for(scenario, limit))


def narrow(samples):
    return resample_poly(samples.astype(float), 1, RATE // 8000)


@pytest.fixture
def user_gateway(start_gateway):
    def start(*after, **options):
        return start_gateway(routes=[{"name": "alice", "when": {"to": "alice"}, "do": [{"browser": "alice"}, *after]}], **options)

    return start


def records(gateway):
    return wait_until(lambda: gateway.api("GET", "records")[2]["items"], 5, "record of the call")


def test_a_phone_and_a_user_hear_each_other(start_phone, user_gateway):
    gateway = user_gateway()
    phone = start_phone(gateway)
    said, answered = speech.samples(SAID), speech.samples(ANSWERED, RATE)

    async def scenario():
        async with SignalUser(gateway, "alice", answered) as user:
            call = await asyncio.to_thread(phone.invite, "alice")
            await asyncio.to_thread(call.wait_status, 180)
            incoming = await user.wait_message("incoming")
            assert incoming["to"] == "alice" and incoming["from"] == "+14155550100"
            assert gateway.metrics()["tandem_users_signed_in"][""] == 1
            await asyncio.sleep(0.5)
            assert 200 not in call.statuses()
            await user.accept()
            assert await asyncio.to_thread(call.wait_final) == 200
            await user.wait_message("connected")
            await user.wait_heard(0.3, 10)
            user.track.begin()
            await asyncio.to_thread(call.media.wait_heard_further, len(answered) / RATE + 1, 30)
            before = len(user.frames) * 0.02
            call.media.play(said)
            await user.wait_heard(before + len(said) / 8000 + 1.5, 30)
            assert await asyncio.to_thread(call.hang_up) == 200
            assert (await user.wait_message("ended"))["cause"] == "caller_hangup"
            assert_same_speech(narrow(answered), call.media.recording(), UNDERSTOOD, gateway)
            assert_same_speech(said, narrow(user.heard()), UNDERSTOOD, gateway, call.media)

    run(scenario())
    record = records(gateway)[0]
    assert [step["kind"] for step in record["steps"]] == ["browser"] and [leg["kind"] for leg in record["legs"]] == ["trunk", "browser"]
    assert [leg["name"] for leg in record["legs"]] == ["phone", "alice"]


def test_two_browsers_of_whom_one_is_signed_in_twice(user_gateway):
    gateway = user_gateway()
    said, answered = speech.samples(SAID, RATE), speech.samples(ANSWERED, RATE)

    async def scenario():
        async with SignalUser(gateway, "alice", answered) as user, SignalUser(gateway, "alice") as other, SignalCaller(gateway, "alice", said) as caller:
            await caller.wait_message("ringing")
            ringing = await other.wait_message("incoming")
            await user.accept()
            over = await other.wait_message("ended")
            assert over["call"] == ringing["call"] and over["cause"] == "transferred"
            await caller.wait_message("connected")
            await user.wait_heard(0.3, 10)
            caller.track.begin()
            before = len(user.frames) * 0.02
            await user.wait_heard(before + len(said) / RATE + 1.5, 30)
            before = len(caller.frames) * 0.02
            user.track.begin()
            await caller.wait_heard(before + len(answered) / RATE + 1.5, 30)
            await user.tell("hangup")
            assert (await caller.wait_message("ended"))["cause"] == "callee_hangup"
            assert_same_speech(narrow(said), narrow(user.heard()), UNDERSTOOD, gateway)
            assert_same_speech(narrow(answered), narrow(caller.heard()), UNDERSTOOD, gateway)

    run(scenario())


@pytest.mark.parametrize(("code", "status"), [(None, 603), (486, 486)])
def test_a_user_who_declines(start_phone, user_gateway, code, status):
    gateway = user_gateway()
    phone = start_phone(gateway)

    async def scenario():
        async with SignalUser(gateway, "alice") as user:
            call = await asyncio.to_thread(phone.invite, "alice")
            await user.decline(**({"code": code} if code else {}))
            assert await asyncio.to_thread(call.wait_final) == status

    run(scenario())


def test_a_declined_call_goes_to_the_next_step(start_phone, user_gateway, agent):
    gateway = user_gateway({"agent": "assistant"}, agents={"assistant": agent.configuration})
    phone = start_phone(gateway)

    async def scenario():
        async with SignalUser(gateway, "alice") as user:
            call = await asyncio.to_thread(phone.invite, "alice")
            await user.decline()
            assert await asyncio.to_thread(call.wait_final) == 200
            await asyncio.to_thread(agent.wait_call)
            assert await asyncio.to_thread(call.hang_up) == 200

    run(scenario())


def test_the_api_calls_a_user(user_gateway, agent):
    gateway = user_gateway(agents={"assistant": agent.configuration})
    order = {"to": "alice", "agent": "assistant", "parameters": {"ticket": "7"}}
    assert gateway.api("POST", "calls", order)[0] == 503
    said, answered = speech.samples(SAID), speech.samples(ANSWERED, RATE)

    async def scenario():
        async with SignalUser(gateway, "alice", answered) as user:
            status, _, call = await asyncio.to_thread(gateway.api, "POST", "calls", order)
            assert status == 201 and call["state"] == "ringing", call
            assert (await user.wait_message("incoming"))["parameters"] == {"ticket": "7"}
            await user.accept()
            agent_call = await asyncio.to_thread(agent.wait_call)
            assert agent_call.parameters["ticket"] == "7"
            await asyncio.to_thread(agent_call.wait_heard, 0.3, 10)
            user.track.begin()
            await asyncio.to_thread(agent_call.wait_heard, len(answered) / RATE + 1.5, 30)
            before = len(user.frames) * 0.02
            agent_call.say(said)
            await user.wait_heard(before + len(said) / 8000 + 1.5, 30)
            await user.tell("hangup")
            assert (await user.wait_message("ended"))["cause"] == "callee_hangup"
            await asyncio.to_thread(agent_call.wait_for, "stop", 5)
            assert_same_speech(narrow(answered), agent_call.transcript.heard(), UNDERSTOOD, gateway)
            assert_same_speech(said, narrow(user.heard()), UNDERSTOOD, gateway)

    run(scenario())
    assert [leg["kind"] for leg in records(gateway)[0]["legs"]] == ["browser", "agent"]
