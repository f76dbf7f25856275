"""Pipecat's own code as the agent: its parser of the first two messages and its serializers, from PyPI."""

import asyncio
import threading
import time

import numpy as np
import pytest
import speech
from pipecat.frames.frames import InputAudioRawFrame, InputDTMFFrame, InputTransportMessageFrame, InterruptionFrame, OutputAudioRawFrame
from pipecat.processors.frameworks.rtvi import models as rtvi
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.protobuf import ProtobufFrameSerializer
from pipecat.serializers.telnyx import TelnyxFrameSerializer
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.serializers.vonage import VonageFrameSerializer
from sip_caller import SIPCaller
from sound import best_correlation
from waiting import wait_until
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

RATE = 16000  # what a Pipecat pipeline works at


class TextSocket:
    """The one method of FastAPI's WebSocket that Pipecat's parser uses."""

    def __init__(self, connection):
        self._connection = connection

    async def iter_text(self):
        async for text in self._connection:
            yield text


class PipecatAgent:
    """Collects the caller's frames; says samples through the serializer in 40 ms frames, as Pipecat's transport does."""

    def __init__(self, protocol):
        self.protocol = protocol
        self.kind = self.call = self.serializer = None
        self.frames = []
        self.digits = ""
        self.is_ready = False
        self.interruptions = []  # when, in seconds of the system clock
        self._connection = None
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        self.configuration = {"url": f"ws://127.0.0.1:{self.port}/ws", "protocol": protocol}

    def _serve(self, ready):
        async def main():
            self._stopped = self._loop.create_future()
            async with serve(self._handle, "127.0.0.1", 0, compression=None, close_timeout=1) as server:
                self.port = server.sockets[0].getsockname()[1]
                ready.set()
                await self._stopped

        self._loop.run_until_complete(main())

    async def _handle(self, connection):
        serializer = await self._make_serializer(connection)
        await serializer.setup(None)
        self._connection, self.serializer = connection, serializer
        try:
            async for text in connection:
                frame = await serializer.deserialize(text)
                if isinstance(frame, InputAudioRawFrame):
                    assert frame.sample_rate == RATE
                    self.frames.append(np.frombuffer(frame.audio, np.int16))
                elif isinstance(frame, InputDTMFFrame):
                    self.digits += frame.button.value
                elif isinstance(frame, InterruptionFrame):
                    self.interruptions.append(time.time())
                elif isinstance(frame, InputTransportMessageFrame):
                    self._take(rtvi.Message.model_validate(frame.message))
        except ConnectionClosed:
            pass

    def _take(self, message):
        """What a bot's RTVIProcessor makes of a client's messages."""
        if message.type == "dtmf":
            self.digits += "".join(key.value for key in rtvi.DTMFInputData.model_validate(message.data).buttons)
        elif message.type == "client-ready":
            self.is_ready = rtvi.ClientReadyData.model_validate(message.data).about.library == "tandem"
        else:
            assert message.type == "client-message", message
            data = rtvi.RawClientMessageData.model_validate(message.data)
            assert data.t == "call" and not self.is_ready
            self.call = data.d

    async def _make_serializer(self, connection):
        if self.protocol == "pipecat":
            return ProtobufFrameSerializer()
        if self.protocol == "vonage":  # nothing to parse: the serializer reads the first message as any other
            return VonageFrameSerializer(params=VonageFrameSerializer.InputParams(sample_rate=RATE))
        self.kind, self.call = await parse_telephony_websocket(TextSocket(connection))
        if self.protocol == "telnyx":
            # Both named by the stream: what we send, and what we are sent.
            encoding = self.call.outbound_encoding
            params = TelnyxFrameSerializer.InputParams(auto_hang_up=False, sample_rate=RATE)
            return TelnyxFrameSerializer(self.call.stream_id, encoding, encoding, self.call.call_id, params=params)
        params = TwilioFrameSerializer.InputParams(auto_hang_up=False, sample_rate=RATE)
        return TwilioFrameSerializer(self.call.stream_id, self.call.call_id, params=params)

    def heard(self):
        return np.concatenate(self.frames) if self.frames else np.zeros(0, np.int16)

    def send(self, *frames):
        async def send_all():
            for frame in frames:
                text = await self.serializer.serialize(frame)
                if text is not None:
                    await self._connection.send(text)
            return time.time()

        return asyncio.run_coroutine_threadsafe(send_all(), self._loop).result(10)

    def say(self, samples):
        size = RATE * 40 // 1000
        return self.send(*[OutputAudioRawFrame(samples[first : first + size].tobytes(), RATE, 1) for first in range(0, len(samples), size)])

    def stop(self):
        self._loop.call_soon_threadsafe(self._stopped.set_result, None)
        self._thread.join(10)


@pytest.fixture(params=["twilio", "telnyx", "vonage", "pipecat"])
def pipecat(request):
    agent = PipecatAgent(request.param)
    yield agent
    agent.stop()


@pytest.fixture
def protobuf_agent():
    agent = PipecatAgent("pipecat")
    yield agent
    agent.stop()


def test_the_gateways_interruption_is_pipecats(protobuf_agent, start_gateway, start_phone):
    """A bot that does not notice the caller is told so."""
    gateway = start_gateway(
        agents={"pipecat": protobuf_agent.configuration},
        routes=[{"name": "watched", "when": {"to": "pipecat"}, "do": [{"agent": "pipecat", "barge_in": "flush"}]}])  # fmt: skip
    call = start_phone(gateway).call("pipecat")
    wait_until(lambda: protobuf_agent.is_ready, 5, "Pipecat takes the call")
    protobuf_agent.say(np.resize(speech.samples(speech.AGENT_SENTENCE, RATE), RATE * 30))
    call.media.wait_sound(5)
    call.media.wait_heard_further(1, 5)
    assert not protobuf_agent.interruptions
    call.media.play(speech.samples(speech.PHONE_SENTENCE))
    told = wait_until(lambda: protobuf_agent.interruptions, 5, "an InterruptionFrame")[0]
    call.media.wait_heard_further(1, 5)
    assert call.media.sounding()[-1].arrived - told < 0.2
    assert len(protobuf_agent.interruptions) == 1
    assert call.hang_up() == 200


def test_pipecat_understands_the_call(pipecat, start_gateway):
    gateway = start_gateway(agents={"pipecat": pipecat.configuration})
    said, answer = speech.samples(speech.PHONE_SENTENCE), speech.samples(speech.AGENT_SENTENCE, RATE)
    with SIPCaller(gateway.sip_udp) as phone:
        call = phone.call("pipecat")
        wait_until(lambda: pipecat.serializer, 5, "Pipecat takes the call")
        if pipecat.protocol == "pipecat":
            wait_until(lambda: pipecat.is_ready, 5, "Pipecat is told that the client is ready")
            assert (pipecat.call["from"], pipecat.call["to"], pipecat.call["leg"]) == (phone.user, "pipecat", "sip")
        elif pipecat.protocol != "vonage":
            assert pipecat.kind == pipecat.protocol
            numbers = (pipecat.call.from_number, pipecat.call.to_number)
            assert numbers == (phone.user, "pipecat")
        call.media.play(said)
        wait_until(lambda: len(pipecat.heard()) >= (len(said) / 8000 + 1) * RATE, 20, "the caller's sentence")
        call.media.press("42")
        wait_until(lambda: pipecat.digits == "42", 5, lambda: f"digits 42: {pipecat.digits}")

        pipecat.say(answer)
        call.media.wait_sound(2)
        call.media.wait_heard_further(len(answer) / RATE + 1, 20)
        assert best_correlation(speech.samples(speech.PHONE_SENTENCE, RATE), pipecat.heard(), RATE)[1] >= 0.9
        assert best_correlation(speech.samples(speech.AGENT_SENTENCE), call.media.recording(), 8000)[1] >= 0.9

        # An interruption: Pipecat's serializer turns it into `clear`.
        pipecat.say(np.resize(answer, RATE * 10))
        time.sleep(1)
        cleared = pipecat.send(InterruptionFrame())
        time.sleep(0.5)
        last = call.media.sounding()[-1].arrived
        assert last - cleared < 0.04, last - cleared
        assert call.hang_up() == 200
