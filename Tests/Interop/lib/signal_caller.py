"""A caller on the signal socket (CONTRACT 6) with aiortc for the sound."""

import asyncio
import json
import time

from whip_caller import WHIPCaller


class SignalCaller(WHIPCaller):
    """`async with SignalCaller(gateway, "+14155550199") as caller`; every message of the gateway is kept in `messages`."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.messages = []
        self._listener = None

    async def _begin(self):
        await self._prepare()
        self._socket = await self.http.ws_connect(f"{self._gateway.http_url}/signal", protocols=["tandem.signal.v1"])
        self._listener = asyncio.ensure_future(self._listen())
        await self.tell("call", to=self._to, sdp=self.offer)
        self.answer = (await self.wait_message("answer"))["sdp"]
        await self._accept()
        return self

    async def __aexit__(self, *failure):
        if self._listener:
            self._listener.cancel()
            await self._socket.close()
        await super().__aexit__(*failure)

    async def _listen(self):
        async for message in self._socket:
            self.messages.append(json.loads(message.data))

    async def tell(self, kind, **fields):
        await self._socket.send_json({"type": kind, **fields})

    def types(self):
        """The types of what came, statistics left out, repeated ones once."""
        types = [message["type"] for message in self.messages if message["type"] not in ("stats", "candidate")]
        return [kind for at, kind in enumerate(types) if at == 0 or kind != types[at - 1]]

    async def wait_message(self, kind, limit=10):
        """The first message of a type."""
        end = time.monotonic() + limit
        while True:
            found = next((message for message in self.messages if message["type"] == kind), None)
            if found:
                return found
            assert time.monotonic() < end, f"no {kind} within {limit} s: {self.messages}"
            await asyncio.sleep(0.02)
