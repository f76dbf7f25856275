"""A SIP phone in Python: a UAC over UDP with RFC 3261's retransmissions, and G.711 or G.722 RTP by RTPStream. It shares no code with
the gateway. Flows in which every byte matters are sipp's; this one is for sound."""

import itertools
import queue
import random
import re
import socket
import threading
import time

from g722_stream import G722Stream
from rtp_stream import EVENT, RTPStream
from waiting import wait_until

T1, T2 = 0.5, 4.0  # RFC 3261, 17


class Message:
    """A parsed SIP message; header names are compared without case."""

    def __init__(self, data):
        head, _, self.body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        self.start_line, *lines = head.split("\r\n")
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines if ":" in line]
        self.is_response = self.start_line.startswith("SIP/2.0 ")
        self.status = int(self.start_line.split()[1]) if self.is_response else None
        self.method = None if self.is_response else self.start_line.split()[0]

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name):
        values = self.all(name)
        return values[0] if values else None

    @property
    def branch(self):
        match = re.search(r"branch=([^;,\s]+)", self.get("Via") or "")
        return match[1] if match else None

    @property
    def sequence_method(self):
        return (self.get("CSeq") or " ").split()[-1]


class SIPCaller:
    """`outbound` is where every message goes, the gateway or a relay before it; `contact` is the address the gateway is told
    to answer to (the relay's outer one), the phone's own without it."""

    def __init__(self, outbound, host="127.0.0.1", user="+14155550100", contact=None, seed=1):
        self.outbound = outbound
        self.user = user
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.settimeout(0.1)
        self.address = self._socket.getsockname()
        self.contact = contact or self.address
        self._random = random.Random(seed * 7919 + self.address[1])
        self._responses = {}  # (branch, method) to a queue of responses
        self.calls = {}  # Call-ID to call
        self.retransmitted = 0
        self.requests = []  # what the gateway asked, in order
        self.to_lose = []  # methods of requests that are as good as lost, each once
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for call in list(self.calls.values()):
            if not call.over:
                try:
                    call.hang_up()
                except (AssertionError, OSError):
                    pass
            call.media.stop()
        self._ended.set()
        self._thread.join(5)
        self._socket.close()

    def token(self, length=12):
        return "".join(self._random.choices("0123456789abcdefghijklmnopqrstuvwxyz", k=length))

    def call(self, to, limit=10, **options):
        """Calls `to` and waits until it is answered."""
        call = self.invite(to, **options)
        status = call.wait_final(limit)
        assert status == 200, f"{to} answers {status}"
        return call

    def invite(self, to, payload_type=0, headers=(), media_relay=None, body=None):
        """Sends an INVITE and returns at once. With a UDPRelay as `media_relay` the sound goes through it; `body` replaces the offer."""
        media = G722Stream(self.address[0]) if payload_type == 9 else RTPStream(self.address[0], payload_type)
        call = Call(self, to, media, headers, media_relay)
        self.calls[call.call_id] = call
        call.begin(body)
        return call

    def request(self, method, uri, headers, body="", limit=32):
        """A non-INVITE client transaction (RFC 3261, 17.1.2): its final response, or None after 64*T1."""
        branch = "z9hG4bK" + self.token()
        answers = self.expect(branch, method)
        data = self.format(method, uri, branch, headers, body)
        wait, end = T1, time.monotonic() + limit
        self.send(data)
        while time.monotonic() < end:
            try:
                response = answers.get(timeout=min(wait, max(0.01, end - time.monotonic())))
            except queue.Empty:
                self.retransmitted += 1
                self.send(data)
                wait = min(wait * 2, T2)
                continue
            if response.status >= 200:
                return response
        return None

    def expect(self, branch, method):
        return self._responses.setdefault((branch, method), queue.Queue())

    def format(self, method, uri, branch, headers, body="", content_type="application/sdp"):
        host, port = self.address
        lines = [f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/UDP {host}:{port};branch={branch};rport", "Max-Forwards: 70", *(f"{name}: {value}" for name, value in headers)]
        lines += [f"Contact: <sip:{self.user}@{self.contact[0]}:{self.contact[1]}>", "User-Agent: tandem interop caller"]
        if body:
            lines.append(f"Content-Type: {content_type}")
        lines += [f"Content-Length: {len(body.encode())}", "", body]
        return "\r\n".join(lines).encode()

    def send(self, data):
        try:
            self._socket.sendto(data, self.outbound)
        except OSError:
            pass

    def _receive(self):
        while not self._ended.is_set():
            try:
                data, _ = self._socket.recvfrom(65536)
            except (TimeoutError, OSError):
                continue
            message = Message(data)
            if message.is_response:
                call = self.calls.get(message.get("Call-ID"))
                if call and message.sequence_method == "INVITE":
                    call.take_response(message)
                waiting = self._responses.get((message.branch, message.sequence_method))
                if waiting:
                    waiting.put(message)
            else:
                self._take_request(message)

    def _take_request(self, message):
        self.requests.append(message)
        if message.method in self.to_lose:
            self.to_lose.remove(message.method)
            return
        call = self.calls.get(message.get("Call-ID"))
        if message.method == "ACK":
            return
        if call is None:
            status = "481 Call/Transaction Does Not Exist"
        elif message.method in ("BYE", "OPTIONS", "INFO", "UPDATE"):
            status = "200 OK"
        else:
            status = "405 Method Not Allowed"
        copied = [("Via", value) for value in message.all("Via")]
        copied += [(name, message.get(name)) for name in ("From", "To", "Call-ID", "CSeq")]
        self.send("\r\n".join([f"SIP/2.0 {status}", *(f"{name}: {value}" for name, value in copied), "Content-Length: 0", "", ""]).encode())
        if call is not None and message.method == "BYE":
            call.take_bye(message)


class Call:
    """One call placed by a SIPCaller."""

    def __init__(self, caller, to, media, headers, media_relay):
        self._caller = caller
        host, port = caller.outbound
        self.to = to
        self.uri = f"sip:{to}@{host}:{port}"
        self.media = media
        self._media_relay = media_relay
        self.call_id = f"{caller.token()}@test"
        self.responses = []  # (arrival in seconds of the system clock, message)
        self.final = None
        self.bye = None
        self.over = False
        self.answered_at = None
        self.ended_at = None
        self._headers = list(headers)
        self._from = f"<sip:{caller.user}@{caller.address[0]}>;tag={caller.token()}"
        self._branch = "z9hG4bK" + caller.token()
        self._sequence = itertools.count(1)
        self._invite_sequence = next(self._sequence)
        self._acknowledgement = None
        self._heard = threading.Event()

    def offer(self, direction="sendrecv"):
        host, port = self._media_relay.outer if self._media_relay else (self.media.host, self.media.port)
        payload_type = self.media.payload_type
        name = {0: "PCMU", 8: "PCMA", 9: "G722"}[payload_type]
        return "\r\n".join([
            "v=0", f"o=caller 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0", f"m=audio {port} RTP/AVP {payload_type} {EVENT}",
            f"a=rtpmap:{payload_type} {name}/8000", f"a=rtpmap:{EVENT} telephone-event/8000", f"a=fmtp:{EVENT} 0-15", "a=ptime:20", f"a={direction}", ""])  # fmt: skip

    def _dialog_headers(self, sequence, method):
        to = (self.final and self.final.get("To")) or f"<{self.uri}>"
        answered = self.final is not None and self.final.status < 300
        # The route set of a caller is Record-Route backwards (RFC 3261, 12.1.2).
        route = [value.strip() for line in self.final.all("Record-Route") for value in line.split(",")][::-1] if answered else []
        return [*(("Route", value) for value in route), ("From", self._from), ("To", to), ("Call-ID", self.call_id), ("CSeq", f"{sequence} {method}")]

    def begin(self, body=None):
        self.media.start()
        data = self._caller.format("INVITE", self.uri, self._branch, self._dialog_headers(self._invite_sequence, "INVITE") + self._headers, self.offer() if body is None else body)
        threading.Thread(target=self._send_invite, args=(data,), daemon=True).start()

    def _send_invite(self, data):
        wait, end = T1, time.monotonic() + 32
        self._caller.send(data)
        # Until anything is heard (17.1.1.2, timer A).
        while not self._heard.wait(wait) and time.monotonic() < end:
            self._caller.retransmitted += 1
            self._caller.send(data)
            wait *= 2

    def take_response(self, message):
        self._heard.set()
        self.responses.append((time.time(), message))
        if message.status < 200:
            return
        if message.status < 300:
            if self.final is None:
                self.answered_at = time.time()
                self.final = message
                self._aim(message.body)
            # A new transaction; the same ACK for every 200 that comes again (13.2.2.4).
            target = self.remote_target()
            if self._acknowledgement is None:
                headers = self._dialog_headers(self._invite_sequence, "ACK")
                self._acknowledgement = self._caller.format("ACK", target, "z9hG4bK" + self._caller.token(), headers)
            self._caller.send(self._acknowledgement)
        else:
            first = self.final is None
            self.final = self.final or message
            self.over = True
            if first:
                self.ended_at = time.time()
            headers = [("From", self._from), ("To", message.get("To")), ("Call-ID", self.call_id), ("CSeq", f"{self._invite_sequence} ACK")]
            self._caller.send(self._caller.format("ACK", self.uri, self._branch, headers))

    def _aim(self, description):
        host = re.search(r"^c=IN IP4 (\S+)", description, re.MULTILINE)
        port = re.search(r"^m=audio (\d+)", description, re.MULTILINE)
        assert host and port, f"no media address in the answer:\n{description}"
        remote = (host[1], int(port[1]))
        if self._media_relay:
            self._media_relay.target = remote
            remote = self._media_relay.inner
        self.media.aim(remote)

    def remote_target(self):
        match = re.search(r"<([^>]+)>", self.final.get("Contact") or "")
        return match[1] if match else self.uri

    def statuses(self):
        return [message.status for _, message in list(self.responses)]

    def wait_status(self, status, limit=5):
        wait_until(lambda: status in self.statuses(), limit, lambda: f"{status}; responses: {self.statuses()}")

    def wait_final(self, limit=10):
        wait_until(lambda: self.final, limit, lambda: f"final response; so far: {self.statuses()}")
        return self.final.status

    def take_bye(self, message):
        if self.bye is None:
            self.bye = message
            self.ended_at = time.time()
        self.over = True

    def wait_bye(self, limit=5):
        """The gateway's BYE."""
        return wait_until(lambda: self.bye, limit, lambda: f"BYE; responses: {self.statuses()}")

    def hang_up(self):
        """BYE; returns its status."""
        if self.final is None:
            return self.cancel()
        self.over = True
        response = self._caller.request("BYE", self.remote_target(), self._dialog_headers(next(self._sequence), "BYE"))
        assert response is not None, "no answer to BYE"
        return response.status

    def cancel(self):
        """CANCEL; returns its status."""
        headers = [("From", self._from), ("To", f"<{self.uri}>"), ("Call-ID", self.call_id), ("CSeq", f"{self._invite_sequence} CANCEL")]
        answers = self._caller.expect(self._branch, "CANCEL")
        self._caller.send(self._caller.format("CANCEL", self.uri, self._branch, headers))
        return answers.get(timeout=5).status

    def info_digit(self, digit):
        """A digit by INFO with application/dtmf-relay; returns its status."""
        body = f"Signal={digit}\r\nDuration=160\r\n"
        branch = "z9hG4bK" + self._caller.token()
        answers = self._caller.expect(branch, "INFO")
        self._caller.send(self._caller.format("INFO", self.remote_target(), branch, self._dialog_headers(next(self._sequence), "INFO"), body, "application/dtmf-relay"))
        return answers.get(timeout=5).status
