"""The agent's side of `tandem.media.v1`, Tandem's own protocol: one file, on the `websockets` package (pip install websockets).

    import asyncio, tandem_agent

    async def talk(call):
        async for event in call:                       # until the call is over
            if event.name == "audio": ...              # event.samples: 20 ms of the caller, 16 bit, little-endian; event.track is
                                                       # OTHER_PARTY for whom an attended transfer consults
            elif event.name == "dtmf": ...             # every event of the gateway, its fields in event.data

    asyncio.run(tandem_agent.serve(talk, port=9000, token="secret"))

An agent that takes Opus (`accept=lambda offer: next(each for each in offer if each["codec"] == "opus")`, where a browser calls) gets the caller's packets as they came, in
`event.packet`, and says its own with `call.say_packet`.

Sockets break; calls do not: when the gateway comes back with `resume`, the same `talk` goes on, and only new sound and new events
reach it. What was said to the gateway and not yet done is said again.
"""
import asyncio
import json
import logging
import struct
from collections import deque
from dataclasses import dataclass, field
from http import HTTPStatus

from websockets.asyncio.server import serve as websocket_server
from websockets.exceptions import ConnectionClosed

SUBPROTOCOL = "tandem.media.v1"
HEADER = struct.Struct(">BBHIQ")  # kind, flags, generation or track, seq, pts
AUDIO, DISCONTINUITY, CONCEALED = 1, 1, 4
CALLER, OTHER_PARTY = 0, 1        # tracks
SECONDS_TO_COME_BACK = 15
COMMANDS_KEPT = 256
SECONDS_KEPT = 60                 # of what was said: as much as the gateway queues


def opus_samples(packet):
    """How long an Opus packet is, in samples of 48 kHz (RFC 6716 section 3.1)."""
    kind = packet[0] >> 3
    frame = (480, 960, 1920, 2880)[kind & 3] if kind < 12 else (480, 960)[kind & 1] if kind < 16 else 120 << (kind & 3)
    return frame * (1, 2, 2, packet[1] & 63 if len(packet) > 1 else 0)[packet[0] & 3]


def sample_count(codec, payload):
    """Samples in the sound of one binary message."""
    return opus_samples(payload) if codec == "opus" else len(payload) // (2 if codec == "pcm_s16le" else 1)


@dataclass
class Event:
    """`audio` with `samples`, or with the Opus `packet`, `pts` and `track`; or an event of the gateway with its fields in `data`."""
    name: str
    data: dict = field(default_factory=dict)
    samples: bytes = b""
    pts: int = 0
    track: int = CALLER
    packet: bytes = b""


class Call:
    """One call, from `start` to `stop`, over as many sockets as it takes. Iterate over it for what happens."""

    def __init__(self, start, accept):
        self.start = start
        self.info, self.parameters = start["call"], start["parameters"]
        chosen = accept(start["offer"]) if accept else start["offer"][0]
        # What is heard, and what is said; the rate is that of both unless they differ.
        self.format, self.format_said = chosen if isinstance(chosen, tuple) else (chosen, chosen)
        self.rate = self.format_said["rate"]
        self.generation = 1
        self.pts = 0                     # of the next sample that is said
        self.heard = 0                   # of the first sample the caller did not hear, as last told
        self._next = 0                   # the caller's next wanted sample
        self._last_seq = start["seq"]
        self._id = 0
        self._binary_seq = 0
        self._said = deque(maxlen=COMMANDS_KEPT)
        self._sounds = deque()           # (pts, generation, samples) that may have to be said again
        self._events = asyncio.Queue()
        self._socket = None
        self._attached = asyncio.Event()
        self._over = False

    # What the agent says -------------------------------------------------------------------------------------------------

    async def say(self, samples):
        """Queues 16-bit little-endian samples of any length; the gateway plays them in time."""
        step = self.rate // 2 * 2
        for start in range(0, len(samples), step):
            part = samples[start:start + step]
            await self._say(part)

    async def say_packet(self, packet):
        """Queues one Opus packet, which goes to the caller as it is."""
        await self._say(packet)

    async def _say(self, payload):
        sound = (self.pts, self.generation, payload)
        self.pts += sample_count(self.format_said["codec"], payload)
        self._sounds.append(sound)
        while self.pts - self._sounds[0][0] > SECONDS_KEPT * self.rate:
            self._sounds.popleft()
        await self._send(self._binary(*sound))

    def _binary(self, pts, generation, payload):
        self._binary_seq += 1
        return HEADER.pack(AUDIO, 0, generation, self._binary_seq - 1, pts) + payload

    async def clear(self):
        """The caller interrupts: drops what is queued. What is said next is another generation."""
        cleared = self.generation
        self.generation += 1
        await self.command("clear", gen=cleared)

    async def mark(self, name):
        """`mark` comes back with `status` when what was said before it was played, or cleared."""
        await self.command("mark", name=name, gen=self.generation)

    async def transfer(self, to, mode="bridge", **fields):
        """`bridge`: the caller is joined to whoever answers; `attended`: the agent talks with them first, from `transfer` `answered` on;
        `refer`: the caller's own phone calls them."""
        await self.command("transfer", to=to, mode=mode, **fields)

    async def complete_transfer(self, **fields):
        """Joins the caller to whom an attended transfer consults."""
        await self.command("transfer", complete=True, **fields)

    async def cancel_transfer(self):
        """Takes a transfer back: the agent talks with the caller again."""
        await self.command("transfer", cancel=True)

    async def hang_up(self, drain=True):
        await self.command("hangup", cause="normal", drain=drain)

    async def command(self, event, /, **fields):
        """Any other command of the protocol, such as `dtmf`, `pause`, `continue`, `message` or `set`."""
        self._id += 1
        text = json.dumps({"event": event, "id": self._id, **fields})
        self._said.append((self._id, text))
        await self._send(text)

    async def _send(self, message):
        while not self._over:
            await self._attached.wait()
            try:
                return await self._socket.send(message)
            except ConnectionClosed:
                self._attached.clear()
                return  # said again when the gateway is back

    # What happens --------------------------------------------------------------------------------------------------------

    def __aiter__(self):
        return self

    async def __anext__(self):
        event = await self._events.get()
        if event is None:
            raise StopAsyncIteration
        return event

    def _take_binary(self, message):
        kind, flags, track, _, pts = HEADER.unpack_from(message)
        payload = message[HEADER.size:]
        count = sample_count(self.format["codec"], payload)
        if kind != AUDIO or pts + count <= self._next:
            return  # said again, and had already
        self._next = pts + count
        said = {"discontinuity": bool(flags & DISCONTINUITY), "concealed": bool(flags & CONCEALED)}
        sound = {"packet": payload} if self.format["codec"] == "opus" else {"samples": payload}
        self._events.put_nowait(Event("audio", said, pts=pts, track=track, **sound))

    def _take_text(self, event):
        if event["seq"] <= self._last_seq:
            return
        self._last_seq = event["seq"]
        self.heard = event.get("heard_pts", self.heard)
        if event["event"] == "cleared":
            self.generation = max(self.generation, event["gen"] + 1)
        self._events.put_nowait(Event(event["event"], event))

    async def _run(self, socket):
        """Serves one socket of the call; true when the call is over."""
        self._socket = socket
        self._attached.set()
        try:
            async for message in socket:
                if isinstance(message, bytes):
                    self._take_binary(message)
                    continue
                event = json.loads(message)
                self._take_text(event)
                if event["event"] == "stop":
                    return True
        except ConnectionClosed:
            pass
        finally:
            self._attached.clear()
        return socket.close_code == 1000

    def _end(self):
        self._over = True
        self._attached.set()
        self._events.put_nowait(None)

    async def _come_back(self, socket, resume):
        self._id += 1
        answer = {"event": "accept", "id": self._id, "resumed": True, "caller_pts": self._next, "last_seq": self._last_seq}
        await socket.send(json.dumps(answer))
        self._binary_seq = 0
        for pts, generation, payload in list(self._sounds):
            if pts + sample_count(self.format_said["codec"], payload) > resume["agent_pts"]:
                await socket.send(self._binary(pts, generation, payload))
        for number, text in list(self._said):
            if number > resume["last_id"]:
                await socket.send(text)


class Server:
    """The calls that are under way; one task of `talk` each."""

    def __init__(self, talk, accept=None):
        self.talk, self.accept = talk, accept
        self.calls = {}

    async def handle(self, socket):
        first = json.loads(await socket.recv())
        token = first["session"]["resume_token"]
        if first["event"] == "resume":
            return await self._resume(socket, token, first)
        call = Call(first, self.accept)
        self.calls[token] = call
        call._id = 1
        await socket.send(json.dumps({"event": "accept", "id": 1, "in": call.format, "out": call.format_said}))
        call.task = asyncio.create_task(self._talk(call))
        await self._serve(socket, token, call)

    async def _resume(self, socket, token, resume):
        call = self.calls.get(token)
        if call is None or call._over:
            return await socket.close(4410, "unknown session")
        await call._come_back(socket, resume)
        await self._serve(socket, token, call)

    async def _serve(self, socket, token, call):
        if await call._run(socket):
            return self._forget(token, call)
        asyncio.get_running_loop().call_later(SECONDS_TO_COME_BACK, self._expire, token, call)

    def _expire(self, token, call):
        if not call._attached.is_set():
            self._forget(token, call)

    def _forget(self, token, call):
        self.calls.pop(token, None)
        call._end()

    async def _talk(self, call):
        try:
            await self.talk(call)
        except Exception:
            logging.exception("the agent failed")
        finally:
            await call.hang_up() if not call._over else None


async def serve(talk, host="127.0.0.1", port=9000, token=None, accept=None, ready=None):
    """Serves calls for ever.

    talk: a coroutine that gets the Call; when it returns, the call is hung up
    token: what the gateway must show (`token` of its configuration)
    accept: picks a format out of the offer, or two: what is heard and what is said; by default the first whose samples are linear
    ready: called with the port once it is bound
    """
    server = Server(talk, accept or (lambda offer: next(each for each in offer if each["codec"] == "pcm_s16le")))

    def check(connection, request):
        if token and request.headers.get("Authorization") != f"Bearer {token}":
            return connection.respond(HTTPStatus.UNAUTHORIZED, "This agent needs a token.\n")
        return None

    async with websocket_server(
        server.handle, host, port, subprotocols=[SUBPROTOCOL], compression=None, max_size=1 << 20, process_request=check
    ) as listening:
        if ready:
            ready(listening.sockets[0].getsockname()[1])
        await asyncio.get_running_loop().create_future()
