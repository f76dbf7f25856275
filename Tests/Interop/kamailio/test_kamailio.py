"""Kamailio between the gateway and a phone: digest at its door, and every request of a call by the route set it recorded (it
answers 403 to one that left the path)."""

import pytest
import speech
from kamailio import Kamailio
from sip_caller import SIPCaller
from sound import best_correlation

NUMBER = "+14155550199"


@pytest.fixture
def between(start_gateway, out_folder):
    """(Kamailio, gateway) with a phone behind it: between(phone's address, trunk options)."""
    started = []

    def start(phone, **trunk):
        proxy = Kamailio(out_folder, phone)
        started.append(proxy)
        gateway = start_gateway(
            trunks={"carrier": {"hosts": [proxy.uri], "username": proxy.user, "password": proxy.password, **trunk}},
            routes=[{"name": "out", "when": {"to": "+1NXXNXXXXXX"}, "do": [{"trunk": "carrier"}]}])  # fmt: skip
        proxy.start(gateway.sip_udp)
        return proxy, gateway

    yield start
    for proxy in started:
        proxy.stop()


@pytest.mark.parametrize("first", ["caller", "callee"])
def test_a_call_out(between, start_callee, start_phone, first):
    callee = start_callee()
    proxy, gateway = between(callee.address)
    call = start_phone(gateway).call(NUMBER)
    called = callee.wait_call()
    called.wait_acknowledged()
    assert "127.0.0.4" in called.invite.get("Record-Route")
    assert called.invite.get("Proxy-Authorization") is None, "the proxy has taken the credentials out"
    call.media.play(speech.tone(440, 1))
    called.media.play(speech.tone(660, 1))
    call.media.wait_sound(5)
    called.media.wait_sound(5)
    # A hold and its end by the route set, in the other direction.
    assert called.reinvite("sendonly") == "recvonly"
    assert called.reinvite("sendrecv") == "sendrecv"
    if first == "caller":
        assert call.hang_up() == 200
        called.wait_bye()
    else:
        assert called.hang_up() == 200
        call.wait_bye()
    # The INVITE that got 407, the one that knew the password, two re-INVITEs.
    assert proxy.requests() == ["INVITE", "INVITE", "ACK", "INVITE", "ACK", "INVITE", "ACK", "BYE"]


def test_a_busy_phone_behind_the_proxy(between, start_callee, start_phone):
    callee = start_callee(lambda call: call.refuse(486))
    _, gateway = between(callee.address)
    assert start_phone(gateway).invite(NUMBER).wait_final() == 486


def test_giving_up_behind_the_proxy(between, start_callee, start_phone):
    callee = start_callee(lambda call: call.ring())
    _, gateway = between(callee.address)
    call = start_phone(gateway).invite(NUMBER)
    call.wait_status(180)
    assert call.cancel() == 200
    assert call.wait_final() == 487
    called = callee.wait_call()
    called.wait_cancel()
    called.wait_acknowledged()


def test_a_wrong_password_is_refused_and_not_tried_for_ever(between, start_callee, start_phone):
    callee = start_callee()
    proxy, gateway = between(callee.address, password="wrong")
    assert start_phone(gateway).invite(NUMBER).wait_final() in (403, 502, 503)
    assert proxy.requests() == ["INVITE", "INVITE"]
    assert not callee.calls


def test_a_call_in(between):
    said = speech.samples(speech.PHONE_SENTENCE)
    with SIPCaller(None, host="127.0.0.2") as phone:
        proxy, gateway = between(phone.address)
        phone.outbound = proxy.address
        call = phone.call("echo")
        call.media.play(said)
        call.media.wait_heard(len(said) / 8000 + 1, 20)
        assert call.hang_up() == 200
        assert best_correlation(said, call.media.recording(), 8000)[1] >= 0.97
        assert proxy.requests() == ["INVITE", "ACK", "BYE"]
        gateway.await_idle()


def test_the_gateway_hangs_up_a_call_in(between):
    with SIPCaller(None, host="127.0.0.2") as phone:
        proxy, gateway = between(phone.address)
        phone.outbound = proxy.address
        call = phone.call("demo")
        call.media.wait_heard(0.5, 5)
        call.media.press("*")
        call.wait_bye(5)
        assert proxy.requests() == ["INVITE", "ACK", "BYE"]
