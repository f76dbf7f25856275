"""Calls that Twilio's own Python library places, several phones of one <Dial>, and status callbacks that its RequestValidator believes."""

import time

import pytest
import speech
from test_twilio_webhook import library, start_webhook, stream  # noqa: F401 - a fixture
from twilio.base.exceptions import TwilioRestException
from verdict import assert_same_speech
from waiting import wait_until

NUMBER, OTHER, CALLER_ID = "+14155550199", "+14155550198", "+14155550100"
EVENTS = ["initiated", "ringing", "answered", "completed"]


def rings(call):
    call.ring()


def rings_and_answers(call):
    call.ring()
    time.sleep(0.5)
    call.answer()


def people(*phones):
    """Trunks to phones, and the routes of the numbers that lead there."""
    named = list(zip([NUMBER, OTHER], phones))
    trunks = {f"phone{index}": {"hosts": [phone.uri]} for index, (_, phone) in enumerate(named)}
    routes = [{"name": number, "when": {"via": "api", "to": number}, "do": [{"trunk": f"phone{index}"}]} for index, (number, _) in enumerate(named)]
    return {"trunks": trunks, "routes": routes}


def told(webhook, path):
    """The forms that came to a path; their signatures were right."""
    found = [(form, valid) for requested, form, valid in list(webhook.requests) if requested == path]
    assert all(valid for _, valid in found)
    return [form for form, _ in found]


def test_twilios_library_places_a_call(agent, start_webhook, start_gateway, start_callee):  # noqa: F811
    webhook = start_webhook(documents={"/order": stream(agent), "/status": ""})
    callee = start_callee(rings_and_answers)
    gateway = start_gateway(agents={"assistant": webhook.agent()}, **people(callee))
    client = library(gateway)
    made = client.calls.create(
        to=NUMBER, from_=CALLER_ID, url=webhook.url + "/order", status_callback=webhook.url + "/status", status_callback_event=EVENTS, timeout=20)  # fmt: skip
    assert made.status in ("queued", "ringing") and made.direction == "outbound-api" and made.to == NUMBER
    phone, agent_call = callee.wait_call(), agent.wait_call()
    assert f"sip:{CALLER_ID}@" in phone.invite.get("From") and agent_call.start["callSid"] == made.sid
    assert [call.sid for call in client.calls.list(status="in-progress")] == [made.sid]

    answer = speech.samples(speech.AGENT_SENTENCE)
    agent_call.say(answer)
    phone.media.wait_heard(len(answer) / 8000 + 0.5, 20)
    assert_same_speech(answer, phone.media.recording(), 0.98, gateway)
    assert phone.hang_up() == 200
    wait_until(lambda: len(told(webhook, "/status")) == 4, 10, lambda: f"four callbacks: {webhook.requests}")
    forms = told(webhook, "/status")
    assert [form["CallStatus"] for form in forms] == ["initiated", "ringing", "in-progress", "completed"]
    assert {form["CallSid"] for form in forms} == {made.sid} and int(forms[-1]["CallDuration"]) >= 1
    (document,) = told(webhook, "/order")
    assert document["Direction"] == "outbound-api" and document["CallStatus"] == "in-progress"
    wait_until(lambda: client.calls(made.sid).fetch().end_time, 10, "the call's record")
    assert [(call.sid, call.status) for call in client.calls.list(to=NUMBER, limit=5)] == [(made.sid, "completed")]
    assert client.calls.list(status="busy") == []


def test_an_order_that_the_plan_does_not_allow(start_webhook, start_gateway):  # noqa: F811
    gateway = start_gateway(agents={"assistant": start_webhook().agent()})
    with pytest.raises(TwilioRestException) as refused:
        library(gateway).calls.create(to="+442079460000", from_=CALLER_ID, twiml="<Response><Hangup/></Response>")
    assert (refused.value.status, refused.value.code) == (404, 21214)
    assert library(gateway).calls.list() == []


def test_two_phones_ring_and_one_answers(start_webhook, start_gateway, start_phone, start_callee):  # noqa: F811
    callback = f'statusCallback="/status" statusCallbackEvent="{" ".join(EVENTS)}"'
    numbers = "".join(f"<Number {callback}>{number}</Number>" for number in (NUMBER, OTHER))
    webhook = start_webhook(documents={"/voice": f'<Dial action="/after">{numbers}</Dial>', "/after": "<Hangup/>", "/status": ""})
    one, other = start_callee(rings), start_callee(rings_and_answers, host="127.0.0.3")
    gateway = start_gateway(agents={"assistant": webhook.agent()}, **people(one, other))
    call = start_phone(gateway).call("assistant")
    one.wait_call().wait_cancel()
    answered = other.wait_call()
    said = speech.samples(speech.PHONE_SENTENCE)
    call.media.play(said)
    answered.media.wait_heard(len(said) / 8000 + 1, 20)
    assert_same_speech(said, answered.media.recording(), 0.98, gateway, call.media)
    answered.hang_up()
    call.wait_bye()

    (after,) = told(webhook, "/after")
    assert after["DialCallStatus"] == "completed" and int(after["DialCallDuration"]) >= 1
    wait_until(lambda: len(told(webhook, "/status")) == 7, 10, lambda: f"seven callbacks: {webhook.requests}")
    for number, statuses in [(NUMBER, ["initiated", "ringing", "canceled"]), (OTHER, ["initiated", "ringing", "in-progress", "completed"])]:
        forms = [form for form in told(webhook, "/status") if form["To"] == number]
        assert [form["CallStatus"] for form in forms] == statuses
        assert {form["ParentCallSid"] for form in forms} == {after["CallSid"]}
    assert after["DialCallSid"] == forms[-1]["CallSid"]
    gateway.await_idle()
