"""A voice agent that speaks Twilio Media Streams, with Python `websockets`: it checks what it is told, records the caller,
and says what a test tells it to say. It runs on a thread of its own, so that tests can be plain functions.

Alone, as an agent that repeats the caller:  python twilio_agent.py PORT
"""

import asyncio
import base64
import json
import pathlib
import sys
import threading
import time

if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "lib"))

import g711
from twilio_transcript import TwilioTranscript
from waiting import wait_until
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


class AgentCall:
    """One call as the agent sees it. Its methods may be called from any thread."""

    def __init__(self, connection, loop, request):
        self._connection = connection
        self._loop = loop
        self.request_headers = dict(request.headers) if request else {}
        self.transcript = TwilioTranscript()
        self.closed = False
        self.close_code = None
        self.opened_at = time.time()
        self.closed_at = None

    # What was heard

    @property
    def start(self):
        return self.transcript.start

    @property
    def parameters(self):
        return self.start["customParameters"]

    def wait_started(self, limit=5):
        wait_until(lambda: self.start, limit, "start message")
        return self

    def wait_heard(self, seconds, limit):
        """Waits until that much of the caller's audio has come."""
        wait_until(lambda: len(self.transcript.of("media")) * 0.02 >= seconds, limit, f"{seconds} s of caller audio")

    def wait_for(self, event, limit, count=1):
        """The (arrival, message) of the count-th message of an event."""
        wait_until(lambda: len(self.transcript.of(event)) >= count, limit, lambda: f"{event} number {count}; events: {self.transcript.events()}")
        return self.transcript.of(event)[count - 1]

    def wait_mark(self, name, limit):
        """The arrival, in seconds of the system clock, of the echo of a mark."""

        def arrival():
            return next((arrived for arrived, message in self.transcript.of("mark") if message["mark"]["name"] == name), None)

        return wait_until(arrival, limit, lambda: f"mark {name}; marks: {self.marks()}")

    def marks(self):
        return [message["mark"]["name"] for _, message in self.transcript.of("mark")]

    def wait_closed(self, limit=5):
        wait_until(lambda: self.closed, limit, "end of the agent's socket")

    # What is said; each returns the moment, in seconds of the system clock, just before the bytes were handed over

    def say(self, samples, payload_bytes=160):
        """Sends audio at once, however long, in messages of that many mu-law bytes."""
        encoded = g711.encode(samples)
        pieces = [encoded[first : first + payload_bytes] for first in range(0, len(encoded), payload_bytes)]
        return self.send(*[{"event": "media", "streamSid": self.start["streamSid"], "media": {"payload": base64.b64encode(piece).decode()}} for piece in pieces])

    def mark(self, name):
        return self.send({"event": "mark", "streamSid": self.start["streamSid"], "mark": {"name": name}})

    def clear(self):
        return self.send({"event": "clear", "streamSid": self.start["streamSid"]})

    def send(self, *messages):
        """Sends messages (objects as JSON, text and bytes as they are), in order and together."""

        async def send_all():
            began = time.time()
            for message in messages:
                await self._connection.send(json.dumps(message) if isinstance(message, dict) else message)
            return began

        return self._run(send_all())

    def close(self, code=1000):
        self._run(self._connection.close(code))

    def abort(self):
        """Breaks the TCP connection without a close handshake, as a crashed process does."""
        self._loop.call_soon_threadsafe(self._connection.transport.abort)

    def _run(self, coroutine, limit=10):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(limit)


class TwilioAgent:
    """A server for such calls.

    `echo`: every frame comes straight back. `upgrade_delay`: seconds before the WebSocket is accepted. `refuse`: answer the
    upgrade with this HTTP status. `hang`: never answer it. `on_call`: called on the agent's loop with every started call.
    """

    def __init__(self, echo=False, upgrade_delay=0.0, refuse=None, hang=False, on_message=None, port=0):
        self.echo = echo
        self.upgrade_delay = upgrade_delay
        self.refuse = refuse
        self.hang = hang
        self.on_message = on_message
        self.calls = []
        self.upgrades = 0
        self._loop = asyncio.new_event_loop()
        self._stopped = None
        started = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(port, started), daemon=True)
        self._thread.start()
        assert started.wait(10), "the agent does not start"

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}/media"

    @property
    def configuration(self):
        """The agent's entry in tandem.yaml."""
        return {"url": self.url, "protocol": "twilio"}

    def wait_call(self, limit=10, number=1):
        """The number-th call, once it has said start."""
        wait_until(lambda: len(self.calls) >= number, limit, lambda: f"call {number} at the agent; {self.upgrades} upgrades asked for")
        return self.calls[number - 1].wait_started()

    def stop(self):
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set_result, None)
            self._thread.join(10)

    def _serve(self, port, started):
        async def main():
            self._stopped = self._loop.create_future()
            # Media sockets carry no compression; what an agent is sent has no limit worth testing here.
            async with serve(self._handle, "127.0.0.1", port, process_request=self._upgrade, compression=None, max_size=None, close_timeout=1) as server:
                self.port = server.sockets[0].getsockname()[1]
                started.set()
                await self._stopped

        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(main())

    async def _upgrade(self, connection, request):
        self.upgrades += 1
        if self.refuse:
            return connection.respond(self.refuse, "refused by the test\n")
        if self.hang:
            await self._stopped
        if self.upgrade_delay:
            await asyncio.sleep(self.upgrade_delay)
        return None

    async def _handle(self, connection):
        call = AgentCall(connection, self._loop, connection.request)
        self.calls.append(call)
        try:
            async for text in connection:
                message = call.transcript.receive(text, time.time())
                if self.echo and message and message.get("event") == "media":
                    media = {"payload": message["media"]["payload"]}
                    await connection.send(json.dumps({"event": "media", "streamSid": message["streamSid"], "media": media}))
                if self.on_message and message:
                    await self.on_message(call, connection, message)
                if message and message.get("event") == "stop":
                    break
        except ConnectionClosed:
            pass
        finally:
            call.close_code = connection.close_code
            call.closed_at = time.time()
            call.closed = True


if __name__ == "__main__":
    standing = TwilioAgent(echo=True, port=int(sys.argv[1]) if len(sys.argv) > 1 else 9100)
    print(f"agent at {standing.url}", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        standing.stop()
