"""Voice webhooks, TwiML and Twilio's REST resource, checked by Twilio's own Python library and by Pipecat's hang-up."""

import asyncio
import os
import re
import socket
import subprocess
import sys
import time

import pytest
import speech
from gateway import REPOSITORY
from pipecat.frames.frames import EndFrame
from pipecat.serializers.twilio import TwilioFrameSerializer
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio_webhook import ACCOUNT, TOKEN, TwilioWebhook, wav_bytes
from verdict import assert_same_speech
from waiting import wait_until


@pytest.fixture
def start_webhook(start_gateway):
    started = []

    def start(**options):
        started.append(TwilioWebhook(**options))
        return started[-1]

    yield start
    for webhook in started:
        webhook.stop()


class PointedHere(TwilioHttpClient):
    """Twilio's HTTP client, which asks the gateway whatever host the library names."""

    def __init__(self, gateway):
        super().__init__(timeout=10)
        self._here = gateway.http_url

    def request(self, method, url, **options):
        return super().request(method, url.replace("https://api.twilio.com", self._here), **options)


def library(gateway, token=TOKEN):
    return Client(ACCOUNT, token, http_client=PointedHere(gateway))


def stream(agent, parameters=""):
    return f'<Connect><Stream url="{agent.url}">{parameters}</Stream></Connect>'


def test_a_webhook_leads_the_call_from_stream_to_file_to_person(agent, start_webhook, start_gateway, start_phone, start_callee):
    webhook = start_webhook(files={"/bye.wav": wav_bytes(speech.tone(500, 1.0))})
    webhook.documents["/voice"] = stream(agent, '<Parameter name="tier" value="gold &amp; more"/>') + '<Play>/bye.wav</Play><Dial timeout="10" action="/after">+14155550199</Dial>'
    webhook.documents["/after"] = "<Hangup/>"
    callee = start_callee()
    gateway = start_gateway(agents={"assistant": webhook.agent()}, trunks={"callee": {"hosts": [callee.uri]}}, routes=[
        {"name": "people", "when": {"via": "api", "to": "+14155550199"}, "do": [{"trunk": "callee"}]}])  # fmt: skip
    phone = start_phone(gateway)
    call = phone.call("assistant")
    agent_call = agent.wait_call()

    path, form, valid = webhook.requests[0]
    assert path == "/voice" and valid
    assert form["From"] == phone.user and form["To"] == "assistant" and form["AccountSid"] == ACCOUNT and form["CallStatus"] == "ringing"
    assert agent_call.start["callSid"] == form["CallSid"] and agent_call.start["accountSid"] == ACCOUNT
    assert agent_call.parameters == {"tier": "gold & more", "from_number": phone.user, "to_number": "assistant"}
    # The token was not meant for an address that a document names; its signature is.
    headers = {name.lower(): value for name, value in agent_call.request_headers.items()}
    assert "authorization" not in headers
    assert RequestValidator(TOKEN).validate(agent.url, {}, headers["x-twilio-signature"])

    answer = speech.samples(speech.AGENT_SENTENCE)
    agent_call.say(answer)
    call.media.wait_sound(2)
    call.media.wait_heard_further(len(answer) / 8000 + 0.5, 20)
    assert_same_speech(answer, call.media.recording(), 0.98, gateway)

    agent_call.close()
    call.media.wait_sound(5, after=time.time())  # the file
    called = callee.wait_call()
    called.wait_acknowledged()
    called.hang_up()
    call.wait_bye(5)
    assert webhook.requests[-1][0] == "/after" and webhook.requests[-1][1]["DialCallStatus"] == "completed"
    assert all(valid for _, _, valid in webhook.requests)


def test_a_webhook_that_is_late_is_followed_by_the_next_step(start_webhook, start_gateway, start_phone):
    webhook = start_webhook(documents={"/voice": "<Hangup/>"}, delays={"/voice": 5})
    gateway = start_gateway(agents={"late": webhook.agent()}, routes=[{"name": "both", "when": {"to": "both"}, "do": [{"agent": "late"}, {"agent": "echo"}]}])
    began = time.time()
    call = start_phone(gateway).call("both")
    assert call.answered_at - began == pytest.approx(3.0, abs=0.7)


def test_what_is_refused_is_said_in_the_log(start_webhook, start_gateway, start_phone):
    webhook = start_webhook(documents={"/say": "<Say>Hello</Say>", "/start": '<Start><Stream url="wss://a.example/"/></Start>'})
    gateway = start_gateway(agents={name: webhook.agent(f"/{name}") for name in ("say", "start", "missing")})
    phone = start_phone(gateway)
    for name in ("say", "start", "missing"):
        assert phone.invite(name).wait_final(8) == 480
    log = gateway.log_text()
    assert "<Say> is refused" in log and "its stream goes one way only" in log and "it answered HTTP 404" in log


def test_twilios_library_reads_changes_and_ends_a_call(agent, start_webhook, start_gateway, start_phone):
    webhook = start_webhook(documents={"/voice": stream(agent), "/next": stream(agent)})
    gateway = start_gateway(agents={"assistant": webhook.agent()})
    phone = start_phone(gateway)
    call = phone.call("assistant")
    sid = agent.wait_call().start["callSid"]
    client = library(gateway)
    fetched = client.calls(sid).fetch()
    assert (fetched.sid, fetched.status, fetched.direction, fetched.to) == (sid, "in-progress", "inbound", "assistant")
    assert fetched.start_time is not None and fetched.end_time is None

    assert client.calls(sid).update(url=webhook.url + "/next").status == "in-progress"
    second = agent.wait_call(number=2)
    assert second.start["callSid"] == sid
    assert client.calls(sid).update(twiml="<Response><Pause length='600'/></Response>").sid == sid
    second.wait_closed()
    assert not call.over
    with pytest.raises(TwilioRestException) as refused:
        client.calls(sid).update(twiml="<Response><Say>Hello</Say></Response>")
    assert (refused.value.status, refused.value.code) == (400, 12100)
    with pytest.raises(TwilioRestException) as refused:
        library(gateway, "wrong").calls(sid).update(status="completed")
    assert refused.value.status == 401
    assert not call.over

    assert client.calls(sid).update(status="completed").status == "completed"
    call.wait_bye(3)
    wait_until(lambda: client.calls(sid).fetch().end_time, 10, "the call's record")
    over = client.calls(sid).fetch()
    assert over.status == "completed" and int(over.duration) >= 0
    with pytest.raises(TwilioRestException) as refused:
        client.calls(sid).update(status="completed")
    assert refused.value.code == 21220


def test_pipecats_own_hang_up_ends_a_call(agent, start_gateway, start_phone):
    """The static URL, without a webhook: an account and a token are enough for REST."""
    gateway = start_gateway(agents={"assistant": {**agent.configuration, "account": ACCOUNT, "token": TOKEN}})
    call = start_phone(gateway).call("assistant")
    agent_call = agent.wait_call()
    headers = {name.lower(): value for name, value in agent_call.request_headers.items()}
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert RequestValidator(TOKEN).validate(agent.url, {}, headers["x-twilio-signature"])
    serializer = TwilioFrameSerializer(
        agent_call.start["streamSid"], agent_call.start["callSid"], account_sid=agent_call.start["accountSid"], auth_token=TOKEN,
        base_url=gateway.http_url)  # fmt: skip
    asyncio.run(serializer.serialize(EndFrame()))
    call.wait_bye(3)
    wait_until(lambda: gateway.metrics()["tandem_calls_ended_total"].get('cause="agent_hangup"') == 1, 5, "the call ended by its agent")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_the_five_minutes_of_the_documentation(out_folder, start_gateway, start_phone):
    """docs/agents/twilio.md as it stands there, but for the ports."""
    page = (REPOSITORY / "docs" / "agents" / "twilio.md").read_text()
    voice, media = free_port(), free_port()
    for name, code in re.findall(r"```python\n# (\S+)\n(.*?)```", page, re.DOTALL):
        (out_folder / name).write_text(code)
    settings = re.search(r"```yaml\nagents:\n  assistant:\n(.*?)```", page, re.DOTALL)[1]
    configuration = dict(re.findall(r'^    (\w+): "?(.*?)"?$', settings, re.MULTILINE))
    assert configuration["webhook"] == "http://127.0.0.1:8766/voice"
    configuration["webhook"] = f"http://127.0.0.1:{voice}/voice"
    ports = {"VOICE_PORT": str(voice), "MEDIA_PORT": str(media)}
    agent = subprocess.Popen([sys.executable, str(out_folder / "agent.py")], env={**os.environ, **ports}, stderr=subprocess.DEVNULL)
    try:
        for port in (voice, media):
            wait_until(lambda port=port: answers(port), 20, f"port {port} of the agent")
        gateway = start_gateway(agents={"assistant": configuration})
        call = start_phone(gateway).call("assistant")
        said = speech.samples(speech.PHONE_SENTENCE)
        call.media.play(said)
        call.media.wait_heard_further(len(said) / 8000 + 1.5, 20)
        assert_same_speech(said, call.media.recording(), 0.9, gateway, call.media)

        names = {}
        exec((out_folder / "library.py").read_text().replace("http://127.0.0.1:8080", gateway.http_url), names)
        status, _, body = gateway.api("GET", "calls")
        assert status == 200
        names["client"].calls("CA" + body["items"][0]["id"]).update(status="completed")
        call.wait_bye(3)
    finally:
        agent.kill()
        agent.wait(10)


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
