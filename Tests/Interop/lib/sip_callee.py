"""A SIP phone in Python that is called: a UAS over UDP that does what a test tells it, and G.711 RTP by RTPStream. It shares no
code with the gateway; its messages are sip_caller's."""

import itertools
import queue
import random
import re
import socket
import threading
import time

from rtp_stream import EVENT, RTPStream
from sip_caller import T1, T2, Message
from waiting import wait_until

REASONS = {100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 183: "Session Progress", 200: "OK", 302: "Moved Temporarily", 401: "Unauthorized", 407: "Proxy Authentication Required", 486: "Busy Here", 487: "Request Terminated"}  # fmt: skip
# Not 127.0.0.1: the tests' callers are the trunk of that address.
HOST = "127.0.0.2"


def answer_at_once(call):
    call.answer()


class SIPCallee:
    """`behaviour` is called with each new CalledCall, in a thread of its own; what it raises is kept in `failures`. `contact` is
    the address that the gateway is told to send to (a relay's outer one), the phone's own without it."""

    def __init__(self, behaviour=answer_at_once, host=HOST, port=0, contact=None, seed=1):
        self.behaviour = behaviour
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, port))
        self._socket.settimeout(0.1)
        self.address = self._socket.getsockname()
        self.contact = contact or self.address
        self._random = random.Random(seed * 104729 + self.address[1])
        self._by_id = {}
        self._answers = {}  # branch to a queue of responses to our own requests
        self.calls = []
        self.failures = []
        self.strays = []  # requests of no call
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def uri(self):
        """As `hosts` of a trunk wants it."""
        return f"sip:{self.address[0]}:{self.address[1]}"

    def stop(self):
        for call in self.calls:
            if not call.over:
                try:
                    call.give_up()
                except (AssertionError, OSError):
                    pass
            call.media.stop()
        self._ended.set()
        self._thread.join(5)
        self._socket.close()

    def token(self, length=12):
        return "".join(self._random.choices("0123456789abcdefghijklmnopqrstuvwxyz", k=length))

    def wait_call(self, number=1, limit=10):
        """The call of that number, in the order they came."""
        wait_until(lambda: len(self.calls) >= number, limit, lambda: f"call {number}; there are {len(self.calls)}; failures: {self.failures}")
        return self.calls[number - 1]

    def send(self, data, to):
        try:
            self._socket.sendto(data, to)
        except OSError:
            pass

    def expect(self, branch):
        return self._answers.setdefault(branch, queue.Queue())

    def _receive(self):
        while not self._ended.is_set():
            try:
                data, source = self._socket.recvfrom(65536)
            except (TimeoutError, OSError):
                continue
            message = Message(data)
            if message.is_response:
                waiting = self._answers.get(message.branch)
                if waiting:
                    waiting.put(message)
                continue
            call = self._by_id.get(message.get("Call-ID"))
            if call is None and message.method == "INVITE":
                call = CalledCall(self, message, source)
                self._by_id[call.call_id] = call
                self.calls.append(call)
                threading.Thread(target=self._behave, args=(call,), daemon=True).start()
            elif call is not None:
                call.take(message, source)
            else:
                self.strays.append(message)
                if message.method != "ACK":
                    self.send(response(message, 481 if message.method != "OPTIONS" else 200), source)

    def _behave(self, call):
        try:
            self.behaviour(call)
        except Exception as error:  # noqa: BLE001 - whatever it was, the test looks at it
            self.failures.append(error)


def response(request, status, headers=(), body="", tag=None, reason=None):
    """The bytes of a response (RFC 3261, 8.2.6)."""
    to = request.get("To")
    if tag and ";tag=" not in to:
        to += f";tag={tag}"
    lines = [f"SIP/2.0 {status} {reason or REASONS.get(status, 'As The Test Says')}", *(f"Via: {value}" for value in request.all("Via"))]
    if status > 100 and request.method == "INVITE":
        lines += [f"Record-Route: {value}" for value in request.all("Record-Route")]
    lines += [f"From: {request.get('From')}", f"To: {to}", f"Call-ID: {request.get('Call-ID')}", f"CSeq: {request.get('CSeq')}", *(f"{name}: {value}" for name, value in headers)]
    if body:
        lines.append("Content-Type: application/sdp")
    lines += [f"Content-Length: {len(body.encode())}", "", body]
    return "\r\n".join(lines).encode()


def _address(uri):
    """(host, port) of a SIP URI."""
    match = re.search(r"sips?:(?:[^@>;]*@)?([\d.]+)(?::(\d+))?", uri)
    assert match, f"no address in {uri!r}"
    return match[1], int(match[2] or 5060)


class CalledCall:
    """One call that came to a SIPCallee."""

    def __init__(self, callee, invite, source):
        self._callee = callee
        self.invites = [invite]  # those after the first: other tries in the same Call-ID, or the gateway's re-INVITEs
        self.source = source
        self.call_id = invite.get("Call-ID")
        self.tag = callee.token()
        self.media = RTPStream(callee.address[0], 0)
        self.requests = []  # (arrival in seconds of the system clock, message) of everything but the first INVITE
        self.acknowledgements = []
        self.bye = None
        self.cancelled = None
        self.obeys_cancel = True
        self.takes_events = True  # telephone-event in our descriptions
        self.over = False
        self.arrived_at = time.time()
        self.ended_at = None
        self._sent = {}  # branch of a request to our last response to it
        self._acknowledged = {}  # tag to an event
        self._sequence = itertools.count(1)
        self._lock = threading.Lock()
        self._version = itertools.count(1)

    @property
    def invite(self):
        return self.invites[-1]

    def offered(self, pattern):
        """The first group of a pattern in the offer, by lines."""
        match = re.search(pattern, self.invite.body, re.MULTILINE)
        assert match, f"no {pattern} in the offer:\n{self.invite.body}"
        return match[1]

    # What came

    def take(self, message, source):
        self.requests.append((time.time(), message))
        if message.method == "ACK":
            self.acknowledgements.append(message)
            tag = re.search(r"tag=([^;\s]+)", message.get("To") or "")
            self._acknowledged.setdefault(tag[1] if tag else None, threading.Event()).set()
        elif message.branch in self._sent and message.method != "CANCEL":
            self._callee.send(self._sent[message.branch], source)
        elif message.method == "CANCEL":
            self.cancelled = self.cancelled or message
            self._callee.send(response(message, 200, tag=self.tag), source)
            if self.obeys_cancel and not self._answered():
                self.refuse(487)
        elif message.method == "INVITE":
            if message.branch not in [invite.branch for invite in self.invites]:
                self.invites.append(message)
                if ";tag=" in message.get("To"):
                    self.respond(200, [self._contact()], self.description(), request=message)
                else:
                    threading.Thread(target=self._callee._behave, args=(self,), daemon=True).start()
        else:
            self._callee.send(response(message, 200), source)
            if message.method == "BYE":
                self.bye, self.over, self.ended_at = self.bye or message, True, self.ended_at or time.time()

    def _answered(self):
        data = self._sent.get(self.invite.branch, b"")
        return data.startswith(b"SIP/2.0 2")

    # What we answer

    def respond(self, status, headers=(), body="", tag=None, request=None, reason=None):
        """A response to the INVITE; a final one is repeated until its ACK (RFC 3261, 13.3.1.4 and 17.2.1)."""
        request = request or self.invite
        tag = tag or self.tag
        data = response(request, status, headers, body, tag if status > 100 else None, reason)
        self._sent[request.branch] = data
        self._callee.send(data, self.source)
        if status >= 200:
            threading.Thread(target=self._repeat, args=(data, self._acknowledged.setdefault(tag, threading.Event())), daemon=True).start()

    def _repeat(self, data, acknowledged):
        wait, end = T1, time.monotonic() + 32
        while not acknowledged.wait(wait) and time.monotonic() < end and not self._callee._ended.is_set():
            self._callee.send(data, self.source)
            wait = min(2 * wait, T2)

    def _contact(self):
        host, port = self._callee.contact
        return ("Contact", f"<sip:callee@{host}:{port}>")

    def description(self, direction="sendrecv"):
        """Our session description: one codec of the offer's, and telephone-event if we take it."""
        payload_type, host = self.media.payload_type, self.media.host
        name = {0: "PCMU", 8: "PCMA"}[payload_type]
        types, events = str(payload_type), []
        if self.takes_events:
            types, events = f"{payload_type} {EVENT}", [f"a=rtpmap:{EVENT} telephone-event/8000", f"a=fmtp:{EVENT} 0-15"]
        return "\r\n".join([
            "v=0", f"o=callee 1 {next(self._version)} IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0", f"m=audio {self.media.port} RTP/AVP {types}",
            f"a=rtpmap:{payload_type} {name}/8000", *events, "a=ptime:20", f"a={direction}", ""])  # fmt: skip

    def open_media(self, payload_type=0):
        """Sound both ways from now on, in this codec."""
        if self.media.remote is None:
            self.media.payload_type = payload_type
            self.media.aim((self.offered(r"^c=IN IP4 (\S+?)\s*$"), int(self.offered(r"^m=audio (\d+) "))))
            self.media.start()

    def ring(self, status=180, early_media=False, payload_type=0, tag=None):
        if early_media:
            self.open_media(payload_type)
        self.respond(status, [self._contact()], self.description() if early_media else "", tag)

    def answer(self, payload_type=0, tag=None):
        self.open_media(payload_type)
        self.respond(200, [self._contact(), ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO")], self.description(), tag)

    def refuse(self, status, headers=(), reason=None):
        self.over, self.ended_at = status not in (401, 407), time.time()
        self.respond(status, headers, reason=reason)

    # What we ask

    def request(self, method, body="", headers=(), tag=None, limit=10, content_type="application/sdp"):
        """A request in the dialog, by its route set; returns the final response. A 2xx to INVITE is acknowledged."""
        first = self.invites[0]
        contact = re.search(r"<([^>]+)>", first.get("Contact"))[1]
        route = [value for line in self.invite.all("Record-Route") for value in line.split(",")]
        to = _address(route[0] if route else contact)
        sequence = next(self._sequence)
        host, port = self._callee.address

        def build(name, branch, text):
            lines = [f"{name} {contact} SIP/2.0", f"Via: SIP/2.0/UDP {host}:{port};branch={branch};rport", "Max-Forwards: 70", *(f"Route: {value.strip()}" for value in route)]
            lines += [f"From: {first.get('To')};tag={tag or self.tag}", f"To: {first.get('From')}", f"Call-ID: {self.call_id}", f"CSeq: {sequence} {name}", ": ".join(self._contact())]
            lines += [f"{key}: {value}" for key, value in headers]
            lines += [f"Content-Type: {content_type}"] if text else []
            return "\r\n".join([*lines, f"Content-Length: {len(text.encode())}", "", text]).encode()

        branch = "z9hG4bK" + self._callee.token()
        answers, data = self._callee.expect(branch), build(method, branch, body)
        wait, end = T1, time.monotonic() + limit
        self._callee.send(data, to)
        while time.monotonic() < end:
            try:
                answer = answers.get(timeout=wait)
            except queue.Empty:
                self._callee.send(data, to)
                wait = min(2 * wait, T2)
                continue
            if answer.status >= 200:
                if method == "INVITE":
                    self._callee.send(build("ACK", "z9hG4bK" + self._callee.token() if answer.status < 300 else branch, ""), to)
                return answer
        raise AssertionError(f"no final answer to our {method} within {limit} s")

    def reinvite(self, direction):
        """Hold (`sendonly`, `inactive`) and resume (`sendrecv`); returns the direction answered."""
        answer = self.request("INVITE", self.description(direction))
        assert answer.status == 200, answer.start_line
        match = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", answer.body, re.MULTILINE)
        return match[1] if match else "sendrecv"

    def hang_up(self):
        """BYE; returns its status."""
        self.over, self.ended_at = True, time.time()
        return self.request("BYE").status

    def give_up(self):
        """Ends the call whatever has become of it."""
        if self._answered():
            self.hang_up()
        elif not self.invite.branch in self._sent or self._sent[self.invite.branch].startswith(b"SIP/2.0 1"):
            self.refuse(480)

    # What is waited for

    def wait_acknowledged(self, limit=5, tag=None):
        wait_until(self._acknowledged.setdefault(tag or self.tag, threading.Event()).is_set, limit, lambda: f"ACK; requests: {self.methods()}")

    def wait_cancel(self, limit=5):
        return wait_until(lambda: self.cancelled, limit, lambda: f"CANCEL; requests: {self.methods()}")

    def wait_bye(self, limit=5):
        return wait_until(lambda: self.bye, limit, lambda: f"BYE; requests: {self.methods()}")

    def methods(self):
        return [message.method for _, message in list(self.requests)]
