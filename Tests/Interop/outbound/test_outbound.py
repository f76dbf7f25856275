"""Calls out: sipp, and a phone of our own where a byte of the answer must be computed, do everything a far end may do. Each time
the caller hears of it in the right words, and nothing is left over: no call, dialog or port (fixture `start_gateway`)."""

import socket
import time

import digest
import pytest
import speech
from sound import best_correlation
from udp_relay import UDPRelay
from waiting import wait_until

NUMBER = "+14155550199"
PASSWORD = "s3cret word"


@pytest.fixture
def gateway_to(start_gateway):
    """A gateway that sends every American number to a trunk with these hosts: gateway_to(callee, …, step={…}, trunk options)."""

    def start(*hosts, step=None, **trunk):
        hosts = [getattr(host, "uri", host) for host in hosts]
        return start_gateway(
            trunks={"callee": {"hosts": hosts, **trunk}},
            routes=[{"name": "out", "when": {"to": "+1NXXNXXXXXX"}, "do": [{"trunk": "callee", **(step or {})}]}],
        )

    return start


@pytest.fixture
def place(start_phone):
    """Calls NUMBER from a phone through a gateway; returns the call at once."""

    def begin(gateway, **options):
        return start_phone(gateway).invite(NUMBER, **options)

    return begin


def free_port(host, kind):
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind((host, 0))
        return free.getsockname()[1]


# Answers


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("scenario", ["answered", "rings_and_answers"])
def test_answered(start_sipp_callee, gateway_to, place, scenario, transport):
    callee = start_sipp_callee(scenario, transport=transport)
    call = place(gateway_to(callee))
    assert call.wait_final() == 200
    # The caller hears of the answer when it comes, and of ringing only when it rings.
    assert (180 in call.statuses()) == (scenario == "rings_and_answers")
    call.media.wait_heard(0.5, 5)
    assert call.hang_up() == 200
    callee.finish()


def test_early_media_is_heard_before_the_answer(start_sipp_callee, gateway_to, place, out_folder):
    import g711

    said = speech.samples(speech.AGENT_SENTENCE)
    file = out_folder / "speech.ulaw"
    file.write_bytes(g711.encode(said))
    callee = start_sipp_callee("early_media", SPEECH=file, MILLISECONDS=int(len(said) / 8 + 1000))
    call = place(gateway_to(callee))
    call.wait_status(183)
    progress = next(message for _, message in call.responses if message.status == 183)
    assert "m=audio" in progress.body
    call._aim(progress.body)
    assert call.wait_final(20) == 200
    before = [packet for packet in call.media.audio_packets() if packet.arrived < call.answered_at]
    assert len(before) > len(said) / 160
    assert best_correlation(said, call.media.recording(), 8000)[1] >= 0.97
    call.hang_up()
    callee.finish()


def test_the_callee_hangs_up(start_sipp_callee, gateway_to, place):
    callee = start_sipp_callee("hangs_up", MILLISECONDS=500)
    call = place(gateway_to(callee))
    assert call.wait_final() == 200
    call.wait_bye()
    callee.finish()


def test_keys_go_out_by_info_where_the_trunk_wants_that(start_sipp_callee, gateway_to, place):
    callee = start_sipp_callee("takes_keys_by_info")
    call = place(gateway_to(callee, dtmf="info"))
    assert call.wait_final() == 200
    call.media.wait_heard(0.3, 5)
    call.media.press("7#")
    call.wait_bye()
    callee.finish()


def test_the_callee_holds_and_the_caller_is_not_bothered(start_sipp_callee, gateway_to, start_phone):
    callee = start_sipp_callee("holds_and_resumes")
    gateway = gateway_to(callee)
    phone = start_phone(gateway)
    call = phone.call(NUMBER)
    callee.wait_message("CSeq: 2 ACK")
    call.media.wait_heard_further(0.5, 5)
    assert [message.method for message in phone.requests] == []
    assert len({packet.ssrc for packet in call.media.packets}) == 1
    assert call.media.lost() == 0
    call.hang_up()
    callee.finish()


def test_of_two_that_answer_the_second_is_let_go(start_sipp_callee, gateway_to, place):
    callee = start_sipp_callee("forked")
    call = place(gateway_to(callee))
    assert call.wait_final() == 200
    callee.wait_message("BYE sip:")
    assert not call.over
    call.hang_up()
    callee.finish()


# Refusals


@pytest.mark.parametrize(
    ("status", "heard"),
    [("302 Moved Temporarily", 502), ("403 Forbidden", 403), ("404 Not Found", 404), ("408 Request Timeout", 408), ("480 Temporarily Unavailable", 480),
     ("486 Busy Here", 486), ("488 Not Acceptable Here", 488), ("500 Server Internal Error", 500), ("503 Service Unavailable", 502),
     ("600 Busy Everywhere", 600), ("603 Decline", 603)],
)  # fmt: skip
def test_refused(start_sipp_callee, gateway_to, place, status, heard):
    header = "Contact: <sip:+19005550100@127.0.0.3>" if status.startswith("3") else "Subject: no"
    callee = start_sipp_callee("refuses", STATUS=status, HEADER=header)
    call = place(gateway_to(callee))
    assert call.wait_final() == heard
    callee.finish()


@pytest.mark.parametrize("status", ["408 Request Timeout", "500 Server Internal Error", "503 Service Unavailable"])
def test_the_next_host_is_tried(start_sipp_callee, gateway_to, place, status):
    first = start_sipp_callee("refuses", STATUS=status, HEADER="Subject: no")
    second = start_sipp_callee("answered", source="127.0.0.3")
    call = place(gateway_to(first, second))
    assert call.wait_final() == 200
    call.hang_up()
    first.finish()
    second.finish()


@pytest.mark.parametrize("status", [403, 486, 603])
def test_the_next_host_is_not_bothered_with_what_the_first_has_decided(start_callee, gateway_to, place, status):
    first, second = start_callee(lambda call: call.refuse(status)), start_callee(host="127.0.0.3")
    assert place(gateway_to(first, second)).wait_final() == status
    assert len(first.calls) == 1 and not second.calls


def test_a_host_is_left_alone_for_the_time_it_asked(start_callee, gateway_to, place):
    first, second = start_callee(lambda call: call.refuse(503, [("Retry-After", "60")])), start_callee(host="127.0.0.3")
    gateway = gateway_to(first, second)
    for number in (1, 2):
        call = place(gateway)
        assert call.wait_final() == 200
        call.hang_up()
        assert len(first.calls) == 1 and len(second.calls) == number


# Passwords


@pytest.mark.parametrize("password", [PASSWORD, "wrong"], ids=["right", "wrong"])
def test_digest_as_sipp_checks_it(start_sipp_callee, gateway_to, place, password):
    """By 401: sipp does not look into Proxy-Authorization; of 407, Kamailio is the judge."""
    challenge = f"WWW-Authenticate: {digest.challenge()}"
    callee = start_sipp_callee("digest", STATUS="401 Unauthorized", CHALLENGE=challenge, USERNAME="tandem", PASSWORD=PASSWORD)
    call = place(gateway_to(callee, username="tandem", password=password))
    if password == PASSWORD:
        assert call.wait_final() == 200
        call.hang_up()
    else:
        assert call.wait_final() == 403
    callee.finish()


@pytest.mark.parametrize(
    "challenges", [["MD5"], ["SHA-256"], ["MD5", "SHA-256"], ["SHA-512-256", "SHA-256"]], ids="+".join
)  # fmt: skip
@pytest.mark.parametrize("proxy", [False, True], ids=["401", "407"])
def test_digest(start_callee, gateway_to, place, challenges, proxy):
    status, ask, answer = (407, "Proxy-Authenticate", "Proxy-Authorization") if proxy else (401, "WWW-Authenticate", "Authorization")

    def behave(call):
        given = call.invite.get(answer)
        if given is None:
            call.refuse(status, [(ask, digest.challenge(algorithm)) for algorithm in challenges])
        else:
            assert digest.is_valid(given, "INVITE", "tandem", PASSWORD), given
            assert digest.fields(given)["algorithm"] == ("SHA-256" if "SHA-256" in challenges else "MD5")
            call.answer()

    callee = start_callee(behave)
    call = place(gateway_to(callee, username="tandem", password=PASSWORD))
    assert call.wait_final() == 200, callee.failures
    assert len(callee.wait_call().invites) == 2
    call.hang_up()


def test_a_stale_nonce_is_replaced_once(start_callee, gateway_to, place):
    def behave(call):
        given = call.invite.get("Authorization")
        if given is None:
            call.refuse(401, [("WWW-Authenticate", digest.challenge(nonce="old"))])
        elif digest.fields(given)["nonce"] == "old":
            call.refuse(401, [("WWW-Authenticate", digest.challenge(nonce="new", stale=True))])
        else:
            assert digest.is_valid(given, "INVITE", "tandem", PASSWORD), given
            call.answer()

    callee = start_callee(behave)
    call = place(gateway_to(callee, username="tandem", password=PASSWORD))
    assert call.wait_final() == 200
    call.hang_up()


@pytest.mark.parametrize("credentials", [{}, {"username": "tandem", "password": "wrong"}], ids=["none", "wrong"])
def test_a_password_that_does_not_do_is_not_tried_for_ever(start_callee, gateway_to, place, credentials):
    callee = start_callee(lambda call: call.refuse(401, [("WWW-Authenticate", digest.challenge(nonce=f"nonce-{len(call.invites)}"))]))
    call = place(gateway_to(callee, **credentials))
    status = call.wait_final()
    # Not 401: the caller is not to answer a challenge of the trunk's.
    assert status in (403, 502, 503), status
    assert len(callee.wait_call().invites) == 1 + bool(credentials)


# Giving up


def test_no_answer(start_sipp_callee, gateway_to, place):
    callee = start_sipp_callee("rings_for_ever")
    began = time.monotonic()
    call = place(gateway_to(callee, step={"ring_seconds": 2}))
    assert call.wait_final() == 480
    assert 1.8 < time.monotonic() - began < 5
    assert 180 in call.statuses()
    callee.finish()


def test_cancel_while_it_rings(start_sipp_callee, gateway_to, place):
    callee = start_sipp_callee("rings_for_ever")
    call = place(gateway_to(callee))
    call.wait_status(180)
    assert call.cancel() == 200
    assert call.wait_final() == 487
    callee.finish()


def test_cancel_crosses_the_answer(start_sipp_callee, gateway_to, place):
    callee = start_sipp_callee("cancel_crosses_200")
    call = place(gateway_to(callee))
    call.wait_status(180)
    assert call.cancel() == 200
    assert call.wait_final() == 487
    callee.finish()


def test_cancel_waits_for_the_first_provisional_response(start_callee, gateway_to, place):
    def behave(call):
        time.sleep(1.2)
        assert call.cancelled is None, "CANCEL before any provisional response (RFC 3261, 9.1)"
        call.ring()

    callee = start_callee(behave)
    call = place(gateway_to(callee))
    called = callee.wait_call()
    assert call.cancel() == 200
    assert call.wait_final() == 487
    called.wait_cancel()
    called.wait_acknowledged()


# Bad networks


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_lossy_network(start_callee, gateway_to, place, seed):
    """A third of all SIP datagrams is lost both ways."""

    def behave(call):
        call.ring()
        time.sleep(0.5)
        call.answer()

    with UDPRelay(loss=0.33, seed=seed, host="127.0.0.2") as relay:
        callee = start_callee(behave, contact=relay.outer)
        relay._peer = callee.address
        gateway = gateway_to(f"sip:{relay.outer[0]}:{relay.outer[1]}")
        relay.target = gateway.sip_udp
        call = place(gateway)
        assert call.wait_final(25) == 200
        called = callee.wait_call()
        called.wait_acknowledged(25)
        assert call.hang_up() == 200
        called.wait_bye(25)
        gateway.await_idle(40)
        assert relay.dropped > 0
        assert len(callee.calls) == 1


@pytest.mark.parametrize("kind", ["udp refused", "udp silent", "tcp refused"])
def test_a_host_that_is_down(start_callee, gateway_to, place, kind):
    """The other host answers: at once where the first one refuses, and before the caller gives up where it is silent."""
    transport = kind.split()[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.3", 0))
        port = silent.getsockname()[1] if kind == "udp silent" else free_port("127.0.0.3", socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM)
        callee = start_callee()
        gateway = gateway_to(f"sip:127.0.0.3:{port};transport={transport}", callee)
        began = time.monotonic()
        call = place(gateway)
        assert call.wait_final(20) == 200
        assert time.monotonic() - began < (2 if kind == "tcp refused" else 10)
        call.hang_up()


def test_every_host_is_down(gateway_to, place):
    gateway = gateway_to(f"sip:127.0.0.3:{free_port('127.0.0.3', socket.SOCK_STREAM)};transport=tcp")
    assert place(gateway).wait_final() == 502


# What the far end sees


def test_hops_are_counted_through(start_callee, gateway_to, start_phone):
    callee = start_callee()
    gateway = gateway_to(callee)
    call = start_phone(gateway).call(NUMBER)
    assert callee.wait_call().invite.get("Max-Forwards") == "69"
    call.hang_up()


def test_the_caller_hangs_up_first_and_last(start_callee, gateway_to, start_phone):
    """Ten calls one after the other on one phone: every one has its own dialog, and all are over."""
    callee = start_callee()
    gateway = gateway_to(callee)
    phone = start_phone(gateway)
    for number in range(1, 11):
        call = phone.call(NUMBER)
        called = callee.wait_call(number)
        called.wait_acknowledged()
        if number % 2:
            assert call.hang_up() == 200
            called.wait_bye()
        else:
            assert called.hang_up() == 200
            call.wait_bye()
    wait_until(lambda: gateway.metric("tandem_calls") == 0, 5, "no call left")
    assert len({called.call_id for called in callee.calls}) == 10
