"""The Python client of `tandem.media.v1` in a thread of the test's own process: an agent that does what a coroutine of the test says."""

import asyncio
import pathlib
import sys
import threading

from waiting import wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / "clients" / "python"))
import tandem_agent  # noqa: E402


class NativeAgent:
    """`act(call, event)` is awaited for every event but sound; what came is kept in `events` and, by track, in `heard`."""

    def __init__(self, act):
        self.act = act
        self.events, self.heard, self.failures = [], {}, []
        self._loop = asyncio.new_event_loop()
        self._bound = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._bound.wait(10), "the agent does not listen"

    @property
    def configuration(self):
        return {"url": f"ws://127.0.0.1:{self.port}/", "protocol": "tandem"}

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(tandem_agent.serve(self._talk, port=0, ready=self._ready))
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass

    def _ready(self, port):
        self.port = port
        self._bound.set()

    async def _talk(self, call):
        self.call = call
        async for event in call:
            if event.name == "audio":
                self.heard.setdefault(event.track, bytearray()).extend(event.samples)
                continue
            self.events.append(event)
            try:
                await self.act(call, event)
            except Exception as error:  # noqa: BLE001 - whatever it was, the test looks at it
                self.failures.append(error)

    def do(self, name, *arguments, **fields):
        """Has the call's `name` (`say`, `transfer`, …) done, from the test's thread."""
        return asyncio.run_coroutine_threadsafe(getattr(self.call, name)(*arguments, **fields), self._loop).result(5)

    def states(self, name="transfer"):
        return [event.data.get("state") for event in list(self.events) if event.name == name]

    def of(self, name):
        return [event.data for event in list(self.events) if event.name == name]

    def wait_state(self, state, limit=10, name="transfer"):
        wait_until(lambda: state in self.states(name), limit, lambda: f"{name} {state}; came: {[event.data for event in self.events]}; failures: {self.failures}")

    def wait_for(self, name, limit=10):
        return wait_until(lambda: self.of(name), limit, lambda: f"{name}; came: {[event.data for event in self.events]}; failures: {self.failures}")[-1]

    def stop(self):
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(5)
