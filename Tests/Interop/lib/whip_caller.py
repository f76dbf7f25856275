"""A WHIP client (RFC 9725) on aiortc: speaks samples, records what it hears."""

import asyncio
import fractions
import json
import re
import time
import urllib.parse

import aiohttp
import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame

RATE = 48000
FRAME = 960


class SpeechTrack(MediaStreamTrack):
    """Speaks samples at 48 kHz on a 20 ms grid once `begin` is called; silence before and after."""

    kind = "audio"

    def __init__(self, samples):
        super().__init__()
        self._samples = np.asarray(samples, np.int16)
        self._position = None
        self._count = 0
        self._started = None
        self.worst_lateness = 0.0  # seconds behind the 20 ms grid

    def begin(self):
        self._position = 0

    def say(self, samples):
        """Other samples, from now on."""
        self._samples, self._position = np.asarray(samples, np.int16), 0

    async def recv(self):
        if self.readyState != "live":
            raise MediaStreamError
        self._started = self._started or time.monotonic()
        due = self._started + self._count * 0.02
        await asyncio.sleep(max(0, due - time.monotonic()))
        self.worst_lateness = max(self.worst_lateness, time.monotonic() - due)
        piece = np.zeros(FRAME, np.int16)
        if self._position is not None:
            said = self._samples[self._position : self._position + FRAME]
            piece[: len(said)] = said
            self._position += FRAME
        frame = AudioFrame(format="s16", layout="mono", samples=FRAME)
        frame.planes[0].update(piece.tobytes())
        frame.sample_rate = RATE
        frame.pts = self._count * FRAME
        frame.time_base = fractions.Fraction(1, RATE)
        self._count += 1
        return frame


class WHIPCaller:
    """One WHIP session: `async with WHIPCaller(gateway, "echo", samples) as caller`. `setup` replaces a=setup in the offer,
    `fingerprint` the certificate's; `change` rewrites the offer as a whole, `change_answer` the answer before aiortc reads it."""

    def __init__(self, gateway, to, samples=(), setup=None, fingerprint=None, change=None, change_answer=None, headers=None):
        self._gateway = gateway
        self._to = to
        self._setup, self._fingerprint, self._change = setup, fingerprint, change
        self._change_answer = change_answer or (lambda answer: answer)
        self._headers = headers or {}
        self.track = SpeechTrack(samples)
        self.frames = []  # mono int16 arrays at 48 kHz
        self.arrivals = []  # of each, in seconds of the system clock
        self.states = []
        self.connected = asyncio.Event()
        self.ended = asyncio.Event()
        self._reader = None

    async def __aenter__(self):
        try:
            return await self._begin()
        except BaseException:
            await self.__aexit__()
            raise

    async def _begin(self):
        await self._prepare()
        async with self.http.post(f"{self._gateway.http_url}/whip/{self._to}", data=self.offer, headers={"Content-Type": "application/sdp", **self._headers}) as response:
            self.status, self.response_headers, self.answer = response.status, response.headers, await response.text()
        assert self.status == 201, f"POST answers {self.status}: {self.answer}"
        self.url = urllib.parse.urljoin(self._gateway.http_url, self.response_headers["Location"])
        self.etag = self.response_headers.get("ETag")
        await self._accept()
        return self

    async def _prepare(self):
        """The peer connection and its offer."""
        self.http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
        self.connection = RTCPeerConnection()
        self.connection.addTrack(self.track)

        @self.connection.on("connectionstatechange")
        def changed():
            self.states.append(self.connection.connectionState)
            if self.connection.connectionState == "connected":
                self.connected.set()
            if self.connection.connectionState in ("closed", "failed"):
                self.ended.set()

        @self.connection.on("track")
        def arrived(track):
            self._reader = asyncio.ensure_future(self._record(track))

        await self.connection.setLocalDescription(await self.connection.createOffer())
        self.offer = self.connection.localDescription.sdp
        if self._setup:
            self.offer = re.sub(r"a=setup:\S+", f"a=setup:{self._setup}", self.offer)
        if self._fingerprint:
            self.offer = re.sub(r"a=fingerprint:.*", f"a=fingerprint:{self._fingerprint}", self.offer)
        if self._change:
            self.offer = self._change(self.offer)

    async def _accept(self):
        """The answer goes to aiortc."""
        await self.connection.setRemoteDescription(RTCSessionDescription(self._change_answer(self.answer), "answer"))

    async def __aexit__(self, *_):
        if self._reader:
            self._reader.cancel()
        await self.connection.close()
        await self.http.close()

    async def _record(self, track):
        try:
            while True:
                frame = await track.recv()
                samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels)).mean(axis=1).astype(np.int16)
                self.frames.append(samples)
                self.arrivals.append(time.time())
        except (MediaStreamError, asyncio.CancelledError):
            pass

    async def wait_connected(self, limit=15):
        try:
            await asyncio.wait_for(self.connected.wait(), limit)
        except TimeoutError:
            raise AssertionError(f"not connected within {limit} s: {self.states}, ICE {self.connection.iceConnectionState}") from None

    async def wait_heard(self, seconds, limit):
        end = time.monotonic() + limit
        while sum(map(len, self.frames)) < seconds * RATE:
            assert time.monotonic() < end, f"{sum(map(len, self.frames)) / RATE} s of {seconds} s heard within {limit} s"
            await asyncio.sleep(0.05)

    def heard(self):
        return np.concatenate(self.frames) if self.frames else np.zeros(0, np.int16)

    async def request(self, method, url=None, data=None, **headers):
        """(status, headers, body) of a request to the session; `If_Match="…"` becomes If-Match."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.request(method, url or self.url, data=data, headers=named) as response:
            return response.status, response.headers, await response.text()

    async def wait_gone(self, limit=20):
        """Polls the session until it answers 410; returns the problem it answers with."""
        end = time.monotonic() + limit
        while True:
            status, _, body = await self.request("GET")
            if status == 410:
                return json.loads(body)
            assert time.monotonic() < end, f"the session still answers {status} after {limit} s"
            await asyncio.sleep(0.1)

    async def hang_up(self):
        return (await self.request("DELETE"))[0]
