"""A user who is signed in at the signal socket and is called there, with aiortc for the sound."""

import asyncio

from signal_caller import SignalCaller


class SignalUser(SignalCaller):
    """`async with SignalUser(gateway, "alice") as user`; it rings until `accept` or `decline`."""

    async def _begin(self):
        await self._prepare()
        self._socket = await self.http.ws_connect(f"{self._gateway.http_url}/signal", protocols=["tandem.signal.v1"])
        self._listener = asyncio.ensure_future(self._listen())
        await self.tell("register", user=self._to)
        assert (await self.wait_message("registered"))["user"] == self._to
        return self

    async def accept(self):
        await self.tell("accept", call=(await self.wait_message("incoming"))["call"], sdp=self.offer)
        self.answer = (await self.wait_message("answer"))["sdp"]
        await self._accept()

    async def decline(self, **fields):
        await self.tell("decline", call=(await self.wait_message("incoming"))["call"], **fields)
