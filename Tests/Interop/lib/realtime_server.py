"""A service that speaks OpenAI's Realtime API as far as a gateway uses it, and believes nothing.

Every event, its own and the client's, is validated by the types of OpenAI's official SDK. What is ill-formed or comes at the wrong time
is kept in `violations`, which a test expects to be empty. It hears speech by its energy, and answers by a script, several times faster than
real time.
"""

import asyncio
import base64
import itertools
import json
import threading

import g711
import numpy as np
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import TypeAdapter, ValidationError
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

CLIENT, SERVER = TypeAdapter(RealtimeClientEvent), TypeAdapter(RealtimeServerEvent)
LOUD, START_FRAMES, END_FRAMES = 500, 3, 20
CHUNK_SECONDS = 0.2
LATE_CHUNKS = 3
# Shapes of the beta, which are refused now.
BETA = {"input_audio_format", "output_audio_format", "modalities", "turn_detection", "voice"}


def tone(hertz, seconds, rate):
    return (8000 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)).astype(np.int16)


class Say:
    """An answer of sound: a tone."""

    def __init__(self, hertz=600, seconds=2.0, transcript="Hello."):
        self.hertz, self.seconds, self.transcript = hertz, seconds, transcript


class CallTool:
    """An answer that speaks and then calls a tool."""

    def __init__(self, name, arguments="{}", say=None):
        self.name, self.arguments, self.say = name, arguments, say


class RealtimeServer:
    """`script` holds the answers in order, the last one again and again. `actual` sends another format than agreed on."""

    def __init__(self, script=(), token="key", actual=None):
        self.script = list(script) or [Say()]
        self.token, self.actual = token, actual
        self.violations, self.sessions, self.requests = [], [], []
        self._answers = itertools.count()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    async def _serve(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with serve(self._handle, "127.0.0.1", 0, max_size=1 << 22) as server:
            self.port = server.sockets[0].getsockname()[1]
            self._ready.set()
            await self._stop.wait()

    def stop(self):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    def run(self, coroutine):
        """Does something on the server's loop, from a test."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    @property
    def configuration(self):
        return {
            "url": f"ws://127.0.0.1:{self.port}/v1/realtime", "protocol": "openai", "token": self.token, "model": "gpt-realtime",
            "voice": "marin", "instructions": "Be short.", "tools": ["transfer_call", "end_call"]}  # fmt: skip

    def next_answer(self):
        return self.script[min(next(self._answers), len(self.script) - 1)]

    async def _handle(self, socket):
        self.requests.append(socket.request)
        if socket.request.headers.get("Authorization") != f"Bearer {self.token}":
            self.violations.append("no bearer token")
        session = Session(self, socket)
        self.sessions.append(session)
        try:
            await session.run()
        except ConnectionClosed:
            pass
        finally:
            session.end()


class Session:
    def __init__(self, server, socket):
        self.server, self.socket = server, socket
        self.settings = None
        self.items, self.audio, self.truncated, self.texts, self.outputs = {}, {}, {}, [], []
        self.cancels = 0
        self.wishes = []  # instructions of single responses
        self.heard = np.zeros(0, np.int16)
        self._pending = np.zeros(0, np.int16)
        self._loud = self._quiet = 0
        self.is_speaking = False
        self._response = None
        self._numbers = itertools.count(1)

    def _id(self, kind):
        return f"{kind}_{next(self._numbers)}"

    async def send(self, kind, **fields):
        event = {"type": kind, "event_id": self._id("event"), **fields}
        SERVER.validate_python(event)
        await self.socket.send(json.dumps(event))

    def refuse(self, what):
        self.server.violations.append(what)

    async def error(self, code, message):
        await self.send("error", error={"type": "invalid_request_error", "code": code, "message": message, "event_id": None, "param": None})

    async def run(self):
        await self.send("session.created", session={"type": "realtime", "model": "gpt-realtime"})
        async for message in self.socket:
            try:
                event = CLIENT.validate_json(message)
            except ValidationError as problem:
                self.refuse(f"ill-formed: {message[:200]}: {problem}")
                continue
            await self.take(event, message)

    def end(self):
        if self._response:
            self._response.cancel()

    async def take(self, event, raw):
        kind = event.type
        if self.settings is None and kind != "session.update":
            return self.refuse(f"{kind} before session.update")
        if kind == "session.update":
            await self.update(event, raw)
        elif kind == "input_audio_buffer.append":
            await self.hear(base64.b64decode(event.audio))
        elif kind == "conversation.item.create":
            await self.create_item(event.item)
        elif kind == "conversation.item.truncate":
            await self.truncate(event)
        elif kind == "response.create":
            if event.response and event.response.instructions:
                self.wishes.append(event.response.instructions)
            await self.respond(is_asked=True)
        elif kind == "response.cancel":
            self.cancels += 1
            if not self._response:
                await self.error("response_cancel_not_active", "Cancellation failed: no active response found")
            else:
                self._response.cancel()
        else:
            self.refuse(f"unexpected {kind}")

    async def update(self, event, raw):
        session = json.loads(raw)["session"]
        beta = BETA & set(session)
        if beta:
            self.refuse(f"beta fields: {beta}")
        self.settings = session
        await self.send("session.updated", session=session)

    def format(self, direction):
        found = self.settings["audio"][direction]["format"]
        return found["type"], found.get("rate", 8000)

    # The caller ----------------------------------------------------------------------------------------------------------

    async def hear(self, data):
        kind, rate = self.format("input")
        samples = g711.decode(data) if kind == "audio/pcmu" else np.frombuffer(data, "<i2")
        self.heard = np.concatenate([self.heard, samples])
        self._pending = np.concatenate([self._pending, samples])
        frame = rate // 50
        while len(self._pending) >= frame:
            loud = np.abs(self._pending[:frame].astype(int)).max() > LOUD
            self._pending = self._pending[frame:]
            self._loud, self._quiet = (self._loud + 1, 0) if loud else (0, self._quiet + 1)
            if not self.is_speaking and self._loud >= START_FRAMES:
                await self.speech_started()
            elif self.is_speaking and self._quiet >= END_FRAMES:
                await self.speech_stopped()

    async def speech_started(self):
        self.is_speaking = True
        self._item = self._id("item")
        await self.send("input_audio_buffer.speech_started", audio_start_ms=0, item_id=self._item)
        if self._response:
            self._response.cancel()

    async def speech_stopped(self):
        self.is_speaking = False
        await self.send("input_audio_buffer.speech_stopped", audio_end_ms=0, item_id=self._item)
        await self.send("input_audio_buffer.committed", item_id=self._item, previous_item_id=None)
        self.items[self._item] = "user"
        await self.send(
            "conversation.item.input_audio_transcription.completed", item_id=self._item, content_index=0, transcript="Something.",
            usage={"type": "duration", "seconds": 1})  # fmt: skip
        await self.respond()

    async def create_item(self, item):
        if item.type == "message":
            self.texts.append((item.role, item.content[0].text))
        elif item.type == "function_call_output":
            self.outputs.append(item.output)

    async def truncate(self, event):
        if event.item_id not in self.audio:
            return self.refuse(f"truncation of an unknown item {event.item_id}")
        length = self.audio[event.item_id]
        if event.audio_end_ms > length:
            return self.refuse(f"truncation at {event.audio_end_ms} ms of {length} ms")
        self.truncated[event.item_id] = event.audio_end_ms
        await self.send("conversation.item.truncated", item_id=event.item_id, content_index=event.content_index, audio_end_ms=event.audio_end_ms)

    # The answers ---------------------------------------------------------------------------------------------------------

    async def respond(self, is_asked=False):
        if self._response and not self._response.done():
            self.refuse("response.create while a response is active")
            return await self.error("conversation_already_has_active_response", "There is an active response.")
        self._response = asyncio.ensure_future(self._respond(self.server.next_answer()))

    async def _respond(self, answer):
        response = self._id("resp")
        await self.send("response.created", response={"id": response, "object": "realtime.response", "status": "in_progress", "output": []})
        status = "completed"
        try:
            say = answer if isinstance(answer, Say) else answer.say
            if say:
                await self.speak(response, say)
            if isinstance(answer, CallTool):
                item = {"id": self._id("item"), "type": "function_call", "object": "realtime.item", "status": "completed", "name": answer.name, "call_id": self._id("call"), "arguments": answer.arguments}  # fmt: skip
                await self.send("response.output_item.done", response_id=response, output_index=1, item=item)
        except asyncio.CancelledError:
            status = "cancelled"
        self._response = None
        await self.send("response.done", response={"id": response, "object": "realtime.response", "status": status, "output": []})

    async def speak(self, response, say):
        item = self._id("item")
        place = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
        kind, rate = self.server.actual or self.format("output")
        samples = tone(say.hertz, say.seconds, rate)
        self.audio[item] = 0
        step = int(rate * CHUNK_SECONDS)
        chunks = [samples[at : at + step] for at in range(0, len(samples), step)]
        try:
            for chunk in chunks:
                await self.delta(place, chunk, kind, rate)
                await asyncio.sleep(CHUNK_SECONDS / 5)
        except asyncio.CancelledError:
            # What was under way when the caller spoke.
            for chunk in chunks[:LATE_CHUNKS]:
                await self.delta(place, chunk, kind, rate)
            raise
        await self.send("response.output_audio.done", **place)
        await self.send("response.output_audio_transcript.done", **place, transcript=say.transcript)

    async def delta(self, place, samples, kind, rate):
        data = g711.encode(samples) if kind == "audio/pcmu" else samples.astype("<i2").tobytes()
        self.audio[place["item_id"]] += len(samples) * 1000 // rate
        await self.send("response.output_audio.delta", **place, delta=base64.b64encode(bytes(data)).decode())
