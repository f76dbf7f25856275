"""Two gateways, trunk to trunk. A call passes both; a plan of each that points at the other ends where it began to go round."""

import socket
import time

import pytest
import speech
from sound import best_correlation
from waiting import wait_until

NUMBER, ECHO = "+14155550199", "+14155550100"
FIRST, SECOND = "127.0.0.1", "127.0.0.5"


def free_port(host):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((host, 0))
        return free.getsockname()[1]


@pytest.fixture
def start_at(start_gateway):
    """Starts a gateway at a host and port with one trunk to each of some addresses, and routes of (number, steps)."""

    def start(host, port, trunks, routes):
        return start_gateway(
            trunks=trunks, configuration={"sip": {"listen": [f"udp:{host}:{port}"]}},
            routes=[{"name": f"route {at}", "when": {"to": to}, "do": steps} for at, (to, steps) in enumerate(routes, 1)])  # fmt: skip

    return start


@pytest.fixture
def pair(start_at):
    """Two gateways; the first sends every American number to the second."""

    def start(trunks, routes):
        second = start_at(SECOND, 0, trunks, routes)
        host, port = second.sip_udp
        first = start_at(FIRST, 0, {"second": {"hosts": [f"sip:{host}:{port}"]}}, [("+1NXXNXXXXXX", [{"trunk": "second"}])])
        return first, second

    return start


def test_a_call_passes_both_to_an_agent(pair, start_phone):
    first, _ = pair({}, [(ECHO, [{"agent": "echo"}])])
    said = speech.samples(speech.PHONE_SENTENCE)
    call = start_phone(first).call(ECHO)
    call.media.play(said)
    call.media.wait_heard(len(said) / 8000 + 1, 20)
    assert call.hang_up() == 200
    assert best_correlation(said, call.media.recording(), 8000)[1] >= 0.97


@pytest.mark.parametrize("first_to_go", ["caller", "callee"])
def test_a_call_passes_both_to_a_phone(pair, start_callee, start_phone, first_to_go):
    callee = start_callee(lambda call: (call.ring(), time.sleep(0.5), call.answer()))
    first, _ = pair({"callee": {"hosts": [callee.uri]}}, [(NUMBER, [{"trunk": "callee"}])])
    call = start_phone(first).call(NUMBER)
    assert 180 in call.statuses()
    called = callee.wait_call()
    called.wait_acknowledged()
    assert called.invite.get("Max-Forwards") == "68"
    said, answered = speech.samples(speech.PHONE_SENTENCE), speech.samples(speech.AGENT_SENTENCE)
    call.media.play(said)
    called.media.play(answered)
    call.media.wait_heard_further(max(len(said), len(answered)) / 8000 + 1, 20)
    call.media.press("5")
    wait_until(lambda: called.media.digits_heard() == "5", 5, "the digit")
    if first_to_go == "caller":
        assert call.hang_up() == 200
        called.wait_bye()
    else:
        assert called.hang_up() == 200
        call.wait_bye()
    assert best_correlation(said, called.media.recording(), 8000)[1] >= 0.97
    assert best_correlation(answered, call.media.recording(), 8000)[1] >= 0.97


def test_busy_passes_both(pair, start_callee, start_phone):
    callee = start_callee(lambda call: call.refuse(486))
    first, _ = pair({"callee": {"hosts": [callee.uri]}}, [(NUMBER, [{"trunk": "callee"}])])
    assert start_phone(first).invite(NUMBER).wait_final() == 486


def test_giving_up_passes_both(pair, start_callee, start_phone):
    callee = start_callee(lambda call: call.ring())
    first, _ = pair({"callee": {"hosts": [callee.uri]}}, [(NUMBER, [{"trunk": "callee"}])])
    call = start_phone(first).invite(NUMBER)
    call.wait_status(180)
    assert call.cancel() == 200
    assert call.wait_final() == 487
    callee.wait_call().wait_cancel()


def test_each_points_at_the_other(start_at, start_phone):
    ports = {host: free_port(host) for host in (FIRST, SECOND)}
    everywhere = [("+1NXXNXXXXXX", [{"trunk": "other"}])]
    first = start_at(FIRST, ports[FIRST], {"other": {"hosts": [f"sip:{SECOND}:{ports[SECOND]}"]}}, everywhere)
    second = start_at(SECOND, ports[SECOND], {"other": {"hosts": [f"sip:{FIRST}:{ports[FIRST]}"], "accept_from": ["127.0.0.9"]}}, everywhere)
    began = time.monotonic()
    call = start_phone(first).invite(NUMBER)
    assert call.wait_final() in (482, 483)
    assert time.monotonic() - began < 5
    for gateway in (first, second):
        gateway.await_idle()
        # No flood: the call went round once, not until its hops were used up.
        assert gateway.log_text().count("INVITE") < 40


def test_a_trunk_that_points_at_the_gateway_itself(start_at, start_phone):
    port = free_port(FIRST)
    gateway = start_at(FIRST, port, {"mirror": {"hosts": [f"sip:{FIRST}:{port}"], "accept_from": ["127.0.0.9"]}}, [("+1NXXNXXXXXX", [{"trunk": "mirror"}])])
    began = time.monotonic()
    assert start_phone(gateway).invite(NUMBER).wait_final() in (482, 483)
    assert time.monotonic() - began < 5
