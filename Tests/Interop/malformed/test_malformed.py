"""Everything malformed at the real binary, while a call is up whose sound must not notice."""

import json
import pathlib
import random
import socket
import struct
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import pytest
import speech
from sip_caller import SIPCaller
from sound import best_correlation
from waiting import wait_until
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

VECTORS = sorted((pathlib.Path(__file__).parents[2] / "SIPStackTests" / "Vectors").glob("*.dat"))
# Its beginning: what is said before, through and after each attack should not take long.
SENTENCE = speech.samples(speech.PHONE_SENTENCE)[: 2 * 8000]


@pytest.fixture
def call(gateway):
    """A call to `echo` that speaks all the time. After the test: every frame came back, none missing, none out of place."""
    phone = SIPCaller(gateway.sip_udp)
    try:
        call = phone.call("echo")
        call.media.play(np.concatenate([SENTENCE] * 20))
        call.media.wait_heard(0.5, 5)
        before = len(call.media.audio_packets())
        yield call
        # The sentence that began last before the attack, through it, and one more after it.
        call.media.wait_heard_further(2 * len(SENTENCE) / 8000, 40)
        assert gateway.alive(), gateway.log_tail()
        assert not call.over, f"the call ended: {call.bye and call.bye.headers}"
        assert call.media.lost() == 0
        heard = call.media.recording()
        for sentence in range(len(heard) // len(SENTENCE) - 1):
            start = sentence * len(SENTENCE)
            _, correlation = best_correlation(SENTENCE, heard[start : start + len(SENTENCE) * 3 // 2 + 8000], 8000)
            assert correlation >= 0.97, f"sentence {sentence}: {correlation}"
        assert before < len(call.media.audio_packets())
        assert call.hang_up() == 200
    finally:
        phone.stop()


def still_serves(gateway):
    """A stranger to what happened before can still ask and call."""
    assert gateway.get("/healthz")[0] == 200
    with SIPCaller(gateway.sip_udp) as phone:
        other = phone.call("echo")
        other.media.wait_heard(0.3, 5)
        assert other.hang_up() == 200


def send_udp(address, messages, source="127.0.0.1"):
    """Sends datagrams from one socket; returns what came back within a moment of quiet."""
    answers = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((source, 0))
        sender.settimeout(0.002)
        for message in messages:
            try:
                sender.sendto(message, address)
                answers.append(sender.recv(65536))
            except OSError:
                pass
        sender.settimeout(0.2)
        try:
            while True:
                answers.append(sender.recv(65536))
        except OSError:
            return answers


def send_tcp(address, message, wait=0.3):
    """One TCP connection; returns what came back."""
    with socket.create_connection(address, 5) as sender:
        sender.settimeout(wait)
        try:
            sender.sendall(message)
            answer = b""
            while received := sender.recv(65536):
                answer += received
            return answer
        except OSError:
            return b""


def mutations(seed, material, count):
    """Seeded damage to good messages: bytes changed, pieces cut out, doubled, and endings lost."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(material))
        for _ in range(chance.randrange(1, 6)):
            kind, at = chance.randrange(5), chance.randrange(max(1, len(data)))
            if kind == 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            elif kind == 1:
                del data[at : at + chance.randrange(1, 20)]
            elif kind == 2:
                data[at:at] = data[at : at + chance.randrange(1, 200)]
            elif kind == 3:
                del data[at:]
            else:
                data[at:at] = chance.randbytes(chance.randrange(1, 8))
        yield bytes(data)


def noise(seed, count, longest=1500):
    chance = random.Random(seed)
    return [chance.randbytes(chance.randrange(0, longest)) for _ in range(count)]


def test_the_torture_messages_of_rfc_4475(gateway, call):
    assert len(VECTORS) == 49
    send_udp(gateway.sip_udp, [path.read_bytes() for path in VECTORS])
    for path in VECTORS:
        send_tcp(gateway.sip_tcp, path.read_bytes(), wait=0.05)
    still_serves(gateway)


def test_damaged_sip(gateway, call):
    material = [path.read_bytes() for path in VECTORS]
    send_udp(gateway.sip_udp, mutations(1, material, 1500))
    send_udp(gateway.sip_udp, noise(2, 300) + [b"", b"\0" * 1000, b"\r\n\r\n", b"INVITE", b"INVITE " * 9000, b"A: b\r\n" * 5000])
    for message in mutations(3, material, 60):
        send_tcp(gateway.sip_tcp, message, wait=0.02)
    for message in noise(4, 20, 5000):
        send_tcp(gateway.sip_tcp, message, wait=0.02)
    # Not one byte of a length that never ends is kept for ever.
    head = b"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKa\r\n"
    assert send_tcp(gateway.sip_tcp, head + b"X: " + b"y" * 200_000, wait=1) is not None
    assert send_tcp(gateway.sip_tcp, head + b"Content-Length: 99999999999999999999\r\n\r\n", wait=1) is not None
    assert send_tcp(gateway.sip_tcp, head + b"Content-Length: -5\r\n\r\n", wait=1) is not None
    still_serves(gateway)


def test_an_unknown_source_learns_nothing(gateway, call):
    """Readable requests get a plain 403, unreadable bytes nothing at all."""
    assert send_udp(gateway.sip_udp, noise(5, 50), source="127.0.0.9") == []
    request = (b"OPTIONS sip:echo@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.9;branch=z9hG4bKq;rport\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\n"
               b"To: <sip:echo@127.0.0.1>\r\nCall-ID: stranger\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")  # fmt: skip
    answers = send_udp(gateway.sip_udp, [request], source="127.0.0.9")
    assert len(answers) == 1 and answers[0].startswith(b"SIP/2.0 403 ")


def sdp(*lines):
    return "\r\n".join(lines) + "\r\n"


def test_session_descriptions_that_are_none(gateway, call):
    good = call.offer()
    bodies = [body.decode("latin-1") for body in mutations(6, [good.encode()], 150)]
    bodies += [
        sdp("v=0"),
        sdp("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "m=audio 99999 RTP/AVP 0"),
        sdp("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "m=audio -1 RTP/AVP 0 0 0 0"),
        sdp("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 999.1.2.3", "t=0 0", "m=audio 4000 RTP/AVP 0"),
        sdp("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", *["m=audio 4000 RTP/AVP 0"] * 500),
        sdp("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 4000 RTP/AVP 0", "a=rtpmap:0 PCMU/99999999999"),
        sdp("v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 4000 RTP/AVP 0", "a=ptime:-7", "a=ptime:9999999"),
        good.replace("\r\n", "\n"),
        "\0" * 100,
    ]
    with SIPCaller(gateway.sip_udp) as phone:
        for number, body in enumerate(bodies):
            attempt = phone.invite("echo", body=body)
            status = attempt.wait_final(5)
            if status == 200:  # harmless damage
                # With nothing left of it the INVITE asks for an offer, and our ACK, which brings no answer, ends the call.
                assert attempt.hang_up() in ((200,) if body else (200, 481))
            else:
                assert status in (400, 415, 488), f"body {number}: {status}\n{body}"
            attempt.media.stop()
    still_serves(gateway)


def stun(attributes=b"", length=None, kind=1, cookie=0x2112A442):
    return struct.pack("!HHI", kind, len(attributes) if length is None else length, cookie) + b"transaction1" + attributes


def test_garbage_at_the_webrtc_port(gateway, call):
    chance = random.Random(7)
    datagrams = noise(8, 500)
    for kind in (0, 1, 20, 21, 22, 23, 63, 64, 79, 80, 127, 128, 191, 192, 255):  # every class of RFC 7983
        datagrams += [bytes([kind]) + chance.randbytes(chance.randrange(0, 400)) for _ in range(30)]
    username = b"nobody:nobody"
    attribute = struct.pack("!HH", 6, len(username)) + username + b"\0" * (-len(username) % 4)
    datagrams += [
        stun(), stun(length=4), stun(length=65532), stun(attribute), stun(attribute[:7]), stun(struct.pack("!HH", 6, 60000)),
        stun(attribute + struct.pack("!HH", 8, 20) + b"\1" * 20), stun(attribute * 200), stun(kind=0x0101), stun(kind=0x0111), stun(cookie=0),
        stun(attribute + struct.pack("!HHI", 0x8028, 4, 5)),
        # DTLS: a ClientHello's head with lengths that lie, and epochs from the future.
        bytes.fromhex("16fefd000000000000000000") + b"\xff\xff" + b"\1" * 50,
        bytes.fromhex("16fefd0000000000000000002001000014000000000000001400") + b"\0" * 20,
        bytes.fromhex("16fefd00010000000000000020") + b"\2" * 32,
        bytes.fromhex("14fefd0000000000000000000101"), bytes.fromhex("15fefd000000000000000000020228"),
        # RTP and RTCP without a session.
        b"\x80\x6f" + b"\0" * 10, b"\x80\xc8\xff\xff" + b"\0" * 20, b"\x9f" + b"\xff" * 11]  # fmt: skip
    assert send_udp(gateway.webrtc_address, datagrams) == []
    still_serves(gateway)


def rtp(first=0x80, second=0, sequence=1, timestamp=1, ssrc=1, payload=b"\x55" * 160):
    return struct.pack("!BBHII", first, second, sequence, timestamp, ssrc) + payload


def test_garbage_at_the_calls_rtp_port(gateway, call):
    chance = random.Random(9)
    remote = call.media.remote
    damaged = noise(10, 300, 300) + [
        b"", b"\x80", rtp()[:11], rtp(first=0x00), rtp(first=0xC0), rtp(first=0x8F), rtp(first=0x90), rtp(first=0x90, payload=b"\xbe\xde\xff\xff"),
        rtp(first=0xA0, payload=b"\xff"), rtp(first=0xA0, payload=b"\0"), rtp(second=127), rtp(second=34), rtp(payload=b""), rtp(payload=b"\1" * 1400),
        rtp(second=101, payload=b"\1"), rtp(second=101, payload=b"\xff\xff\xff\xff"), rtp(second=0xE5, payload=b"\5\x80\xff\xff")]  # fmt: skip
    # From a stranger, whatever it looks like: a stream of its own, with good packets too.
    send_udp(remote, damaged + [rtp(sequence=number, timestamp=160 * number, ssrc=7) for number in range(200)])
    # From the phone's own address, among its packets.
    for data in damaged:
        if len(data) < 12 or data[0] & 0xC0 != 0x80 or struct.unpack("!I", data[8:12])[0] != call.media.ssrc:
            call.media.send_raw(data)
    reports = noise(11, 200, 200) + [
        b"\x80\xc8\x00\x00", b"\x80\xc8\xff\xff" + b"\0" * 24, b"\x9f\xc9\x00\x01" + b"\0" * 4, b"\x81\xca\x00\x02" + b"\0" * 4 + b"\x01\xff\xff\xff",
        b"\x80\xcb\x00\x01" + struct.pack("!I", call.media.ssrc), b"\x80\xcc\x00\x02" + b"\0" * 8, b"\xa0\xc8\x00\x06" + b"\xff" * 24]  # fmt: skip
    for data in reports:
        call.media.send_raw(data, rtcp=True)
    send_udp((remote[0], remote[1] + 1), [chance.randbytes(60) for _ in range(50)])
    still_serves(gateway)


def test_garbage_at_the_http_port(gateway, call):
    address = ("127.0.0.1", int(gateway.http_url.rsplit(":", 1)[1]))
    for data in noise(12, 40, 3000) + [
        b"GET / HTTP/9.9\r\n\r\n", b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
        b"POST /whip/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\nContent-Length: 99999999999999999\r\n\r\nv=0",
        b"POST /whip/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/sdp\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /whip/%00%ff%zz HTTP/1.1\r\nHost: x\r\n\r\n", b"DELETE /whip/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /signal HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"]:  # fmt: skip
        send_tcp(address, data, wait=0.05)
    for body in mutations(13, [b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\na=ice-ufrag:abcd\r\n"
                                    b"a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 " + b":".join([b"AA"] * 32) + b"\r\na=setup:actpass\r\na=mid:0\r\n"], 100):  # fmt: skip
        request = urllib.request.Request(f"{gateway.http_url}/whip/echo", data=body, headers={"Content-Type": "application/sdp"}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                session = urllib.request.Request(urllib.parse.urljoin(gateway.http_url, response.headers["Location"]), method="DELETE")
                urllib.request.urlopen(session, timeout=5).close()
        except urllib.error.HTTPError as error:
            assert error.code in (400, 406), f"{error.code} for {body!r}"
    still_serves(gateway)


SIGNALS = [
    "", "x", "{", "[]", "null", "5", "{}", '{"type":5}', '{"type":"nonsense"}', '{"type":"call"}', '{"type":"call","to":"echo"}', '{"type":"call","to":5,"sdp":{}}',
    '{"type":"call","to":"echo","sdp":"this is no offer"}', '{"type":"call","to":"nobody","sdp":"v=0"}', '{"type":"candidate","candidate":null}', '{"type":"candidate","candidate":"x"}',
    '{"type":"dtmf","digits":"' + "5" * 10_000 + '"}', '{"type":"dtmf","digits":7}', '{"type":"mute","on":"perhaps"}', '{"type":"restart","sdp":""}',
    '{"type":"resume","session":"nobody"}', '{"type":"hangup"}', "[" * 100_000, '{"a":' * 20_000, '{"type":"\\ud800"}', b"\x00\xff binary",
]  # fmt: skip


def test_garbage_on_the_signal_socket(gateway, call):
    url = gateway.http_url.replace("http", "ws") + "/signal"
    for message in SIGNALS:
        try:
            with connect(url, subprotocols=["tandem.signal.v1"], open_timeout=5, close_timeout=1) as signal:
                signal.send(message)
                try:
                    answer = json.loads(signal.recv(timeout=0.5))
                    assert answer["type"] in ("error", "ended"), f"{answer} to {message!r:.80}"
                except (TimeoutError, WebSocketException):
                    pass
        except WebSocketException as error:
            raise AssertionError(f"the socket could not be opened: {error}") from error
    with connect(url, subprotocols=["tandem.signal.v1"], open_timeout=5, close_timeout=1) as signal:
        # Above 256 KiB the socket is closed, not the gateway.
        with pytest.raises(WebSocketException):
            signal.send('{"type":"call","to":"echo","sdp":"' + "x" * 400_000 + '"}')
            while True:
                signal.recv(timeout=3)
    with connect(url, subprotocols=["tandem.signal.v1"], open_timeout=5, close_timeout=1) as signal:
        signal.send('{"type":"resume","session":"nobody-has-this"}')
        assert json.loads(signal.recv(timeout=3))["type"] == "error"
    still_serves(gateway)


def test_connections_that_say_nothing(gateway, call):
    """Many open and silent connections to every TCP port; calls go on, and more are answered."""
    http = ("127.0.0.1", int(gateway.http_url.rsplit(":", 1)[1]))
    silent = []
    try:
        for _ in range(100):
            for address in (http, gateway.sip_tcp):
                silent.append(socket.create_connection(address, 5))
        still_serves(gateway)
    finally:
        for connection in silent:
            connection.close()
    wait_until(lambda: gateway.get("/healthz")[0] == 200, 5, "healthz")
