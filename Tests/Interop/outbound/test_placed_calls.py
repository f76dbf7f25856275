"""Calls that the API orders: the gateway calls a phone, and an agent is joined to it when it answers. sipp is the phone where only
its signalling counts, our own where it talks."""

import http.server
import json
import threading

import pytest
import speech
from gateway import Gateway
from verdict import assert_same_speech
from waiting import wait_until

NUMBER = "+14155550199"
CALLER_ID = "+14155550100"


@pytest.fixture
def placing(start_gateway, agent):
    """A gateway that sends the API's calls to a trunk: placing(callee). The agent is `assistant`."""

    def start(callee):
        return start_gateway(
            trunks={"callee": {"hosts": [callee.uri]}},
            agents={"assistant": agent.configuration},
            routes=[{"name": "campaign", "when": {"via": "api", "to": "+1NXXNXXXXXX"}, "do": [{"trunk": "callee", "caller_id": CALLER_ID}]}],
        )

    return start


def place(gateway, key=None, expect=201, **body):
    headers = {"Idempotency_Key": key} if key else {}
    status, answer_headers, answer = gateway.api("POST", "calls", {"to": NUMBER, "agent": "assistant", **body}, **headers)
    assert status == expect, answer
    if status == 201:
        assert answer_headers["Location"] == f"/api/v1/calls/{answer['id']}"
    return answer


def record(gateway, call):
    """The record of a call, which is written soon after its end."""

    def find():
        status, _, answer = gateway.api("GET", f"records/{call['id']}")
        return answer if status == 200 else None

    return wait_until(find, 5, "record of the call")


def test_a_phone_is_called_and_talks_with_the_agent(start_callee, placing, agent):
    callee = start_callee()
    gateway = placing(callee)
    call = place(gateway, parameters={"campaign": "spring"})
    assert call["via"] == "api" and call["route"] == "campaign" and call["to"]["e164"] == NUMBER and call["state"] in ("routing", "ringing")
    phone, agent_call = callee.wait_call(), agent.wait_call()
    assert phone.invite.start_line.startswith(f"INVITE sip:{NUMBER}@") and f"sip:{CALLER_ID}@" in phone.invite.get("From")
    assert agent_call.parameters["campaign"] == "spring" and agent_call.parameters["to_number"] == NUMBER
    said, answer = speech.samples(speech.PHONE_SENTENCE), speech.samples(speech.AGENT_SENTENCE)
    phone.media.play(said)
    agent_call.wait_heard(len(said) / 8000 + 1, 20)
    agent_call.say(answer)
    phone.media.wait_sound(3)
    phone.media.wait_heard_further(len(answer) / 8000 + 0.5, 20)
    phone.media.press("42")
    agent_call.wait_for("dtmf", 5, count=2)
    status, _, running = gateway.api("GET", f"calls/{call['id']}")
    assert status == 200 and running["state"] == "connected"
    _, _, agents = gateway.api("GET", "agents")
    assert {item["name"]: item["calls"] for item in agents["items"]} == {"demo": 0, "echo": 0, "assistant": 1}
    assert gateway.metrics()["tandem_agent_calls"]['agent="assistant"'] == 1
    assert phone.hang_up() == 200
    agent_call.wait_for("stop", 2)
    assert_same_speech(said, agent_call.transcript.heard(), 0.98, gateway, phone.media)
    assert_same_speech(answer, phone.media.recording(), 0.98, gateway)
    ended = record(gateway, call)
    assert ended["cause"] == "callee_hangup" and [step["outcome"] for step in ended["steps"]] == ["answered", "answered"]
    assert [leg["kind"] for leg in ended["legs"]] == ["trunk", "agent"]


def test_the_agent_is_not_dialled_before_the_answer_and_hangs_up(start_sipp_callee, placing, agent):
    callee = start_sipp_callee("rings_and_answers")
    gateway = placing(callee)
    call = place(gateway)
    wait_until(lambda: gateway.api("GET", f"calls/{call['id']}")[2]["state"] == "ringing" or agent.calls, 5, "ringing")
    agent_call = agent.wait_call()
    callee.wait_message("ACK sip:")
    agent_call.close()
    callee.finish()
    assert record(gateway, call)["cause"] == "agent_hangup"


@pytest.mark.parametrize(("status", "cause"), [("486 Busy Here", "busy"), ("603 Decline", "rejected")])
def test_a_phone_that_does_not_take_the_call(start_sipp_callee, placing, agent, status, cause):
    callee = start_sipp_callee("refuses", STATUS=status, HEADER="Subject: no")
    gateway = placing(callee)
    call = place(gateway)
    callee.finish()
    assert record(gateway, call)["cause"] == cause
    assert agent.upgrades == 0


def test_nobody_answers(start_sipp_callee, placing):
    callee = start_sipp_callee("rings_for_ever")
    gateway = placing(callee)
    call = place(gateway, ring_seconds=1)
    callee.finish()
    assert record(gateway, call)["cause"] == "no_answer"


def test_a_call_is_taken_back_while_it_rings(start_sipp_callee, placing, agent):
    callee = start_sipp_callee("rings_for_ever")
    gateway = placing(callee)
    call = place(gateway)
    wait_until(lambda: gateway.api("GET", f"calls/{call['id']}")[2]["state"] == "ringing", 5, "ringing")
    assert gateway.api("DELETE", f"calls/{call['id']}")[0] == 204
    callee.finish()
    assert record(gateway, call)["cause"] == "refused"
    assert agent.upgrades == 0


def test_the_same_order_twice_is_one_call(start_callee, placing):
    callee = start_callee()
    gateway = placing(callee)
    first = place(gateway, key="order-1")
    assert place(gateway, key="order-1") == first
    place(gateway, key="order-1", expect=422, ring_seconds=9)
    callee.wait_call().wait_acknowledged()
    assert len(gateway.api("GET", "calls")[2]["items"]) == len(callee.calls) == 1
    assert gateway.api("DELETE", f"calls/{first['id']}")[0] == 204
    callee.wait_call().wait_bye()


def test_the_same_order_after_a_crash_is_no_second_call(start_callee, start_gateway, agent, out_folder, tmp_path):
    callee = start_callee()
    settings = dict(
        trunks={"callee": {"hosts": [callee.uri]}}, agents={"assistant": agent.configuration}, configuration={"calls": {"database": str(tmp_path / "calls.db")}},
        routes=[{"name": "campaign", "when": {"via": "api"}, "do": [{"trunk": "callee", "caller_id": CALLER_ID}]}])  # fmt: skip
    killed = Gateway(out_folder / "killed", **settings)
    try:
        first = place(killed, key="order-1")
        callee.wait_call()
    finally:
        killed.kill()
    gateway = start_gateway(**settings)
    assert place(gateway, key="order-1") == first
    place(gateway, key="order-1", expect=422, ring_seconds=9)
    assert gateway.api("GET", "calls")[2]["items"] == [] and len(callee.calls) == 1


def test_what_cannot_be_placed(start_callee, placing):
    gateway = placing(start_callee())
    place(gateway, expect=400, agent="nobody")
    place(gateway, expect=400, via="nowhere")
    place(gateway, expect=404, to="+442079460000")
    assert gateway.api("GET", "calls")[2] == {"items": [], "next": None}


def test_a_call_is_given_to_a_person(start_callee, placing, agent, start_phone):
    """By the API, while its agent talks."""
    person = start_callee()
    gateway = placing(person)
    caller = start_phone(gateway).call("assistant")
    agent_call = agent.wait_call()
    (running,) = gateway.api("GET", "calls")[2]["items"]
    status, _, answer = gateway.api("POST", f"calls/{running['id']}/transfer", {"to": NUMBER})
    assert status == 202, answer
    phone = person.wait_call()
    phone.wait_acknowledged()
    agent_call.wait_closed()
    said = speech.samples(speech.PHONE_SENTENCE)
    caller.media.play(said)
    phone.media.wait_heard(len(said) / 8000 + 1, 20)
    assert_same_speech(said, phone.media.recording(), 0.98, gateway, caller.media)
    assert gateway.api("POST", f"calls/{'0' * 32}/transfer", {"to": NUMBER})[0] == 404
    phone.hang_up()
    caller.wait_bye()
    assert record(gateway, running)["cause"] == "callee_hangup"


@pytest.fixture
def notices():
    """(address, list): a web server that keeps what is posted to it. It refuses the first attempt."""
    posted, attempts = [], []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            attempts.append(self.path)
            if len(attempts) > 1:
                posted.append(json.loads(body))
            self.send_response(204 if len(attempts) > 1 else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/calls?key=7", posted
    server.shutdown()
    server.server_close()


def test_whoever_ordered_the_call_is_told_what_it_does(start_sipp_callee, placing, notices, agent):
    address, posted = notices
    callee = start_sipp_callee("rings_and_answers")
    gateway = placing(callee)
    call = place(gateway, status_url=address)
    agent.wait_call().close()
    callee.finish()
    wait_until(lambda: len(posted) >= 3, 10, lambda: f"three notices: {posted}")
    assert [notice["state"] for notice in posted] == ["ringing", "connected", "ended"]
    assert {notice["id"] for notice in posted} == {call["id"]} and posted[2]["cause"] == "agent_hangup"
    assert "key=7" not in gateway.log_text()
