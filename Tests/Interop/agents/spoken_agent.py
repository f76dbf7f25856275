"""A voice agent as Pipecat's users build it, unmodified Pipecat from the socket to the turns of the talk, with speech services that
need no network: pocketsphinx listens, rules think, espeak-ng speaks.

    python spoken_agent.py      says on which port it listens; ws://127.0.0.1:PORT/PROTOCOL/NAME is a call of that NAME

What happens in the calls is told in lines of JSON."""

import asyncio
import json
import pathlib
import socket
import sys
import time

import numpy as np
import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    EndWorkerFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TranscriptionFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.protobuf import ProtobufFrameSerializer
from pipecat.serializers.telnyx import TelnyxFrameSerializer
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.serializers.vonage import VonageFrameSerializer
from pipecat.services.settings import STTSettings, TTSSettings
from pipecat.services.stt_service import SegmentedSTTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.utils.time import time_now_iso8601
from pipecat.workers.runner import WorkerRunner

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "lib"))
from spoken_lines import ANSWERS, GOODBYE, OTHER_ANSWERS, OTHER_QUESTIONS
from words import Recogniser

RATE = 16000


class PocketsphinxSTT(SegmentedSTTService):
    def __init__(self):
        super().__init__(ttfs_p99_latency=1.0, settings=STTSettings(model=None, language=None))
        self._recogniser = Recogniser(*ANSWERS, *OTHER_QUESTIONS)

    @property
    def wants_wav_segments(self):
        return False

    async def run_stt(self, audio):
        text = await asyncio.to_thread(self._recogniser.words, np.frombuffer(audio, np.int16), self.sample_rate)
        if text:
            yield TranscriptionFrame(text, "", time_now_iso8601())


class Rules(FrameProcessor):
    """In the place of a language model: the last thing said has one answer. Who says goodbye is let go."""

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            return await self.push_frame(frame, direction)
        said = frame.context.get_messages()[-1]["content"]
        await self.push_frame(LLMFullResponseStartFrame())
        await self.push_frame(LLMTextFrame(ANSWERS.get(said, OTHER_ANSWERS[0]) + "."))
        await self.push_frame(LLMFullResponseEndFrame())
        if said == GOODBYE:
            await self.push_frame(EndWorkerFrame())


class EspeakTTS(TTSService):
    def __init__(self):
        super().__init__(push_start_frame=True, push_stop_frames=True, settings=TTSSettings(model=None, voice="en-us", language=None))

    async def run_tts(self, text, context_id):
        command = ["espeak-ng", "-v", "en-us", "-s", "160", "--stdout", text]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        spoken = (await process.communicate())[0]

        async def whole():
            yield spoken

        async for frame in self._stream_audio_frames_from_iterator(whole(), strip_wav_header=True, context_id=context_id):
            yield frame


class Witness(FrameProcessor):
    """Tells when the agent begins to speak and when it is interrupted."""

    def __init__(self, name):
        super().__init__()
        self._name = name

    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, InterruptionFrame):
            tell(self._name, "interrupted")
        elif isinstance(frame, BotStartedSpeakingFrame):
            tell(self._name, "speaks")
        await self.push_frame(frame, direction)


def tell(call, event, **more):
    print(json.dumps({"call": call, "event": event, "at": time.time(), **more}), flush=True)


async def serializer_for(protocol, websocket):
    if protocol == "vonage":
        return VonageFrameSerializer()
    if protocol == "pipecat":
        return ProtobufFrameSerializer()
    _, call = await parse_telephony_websocket(websocket)
    if protocol == "telnyx":
        params = TelnyxFrameSerializer.InputParams(auto_hang_up=False)
        return TelnyxFrameSerializer(call.stream_id, call.outbound_encoding, call.outbound_encoding, call.call_id, params=params)
    return TwilioFrameSerializer(call.stream_id, call.call_id, params=TwilioFrameSerializer.InputParams(auto_hang_up=False))


app = FastAPI()


@app.websocket("/{protocol}/{name}")
async def talk(websocket: WebSocket, protocol: str, name: str):
    await websocket.accept()
    transport = FastAPIWebsocketTransport(
        websocket,
        FastAPIWebsocketParams(
            audio_in_enabled=True, audio_out_enabled=True, audio_out_end_silence_secs=1, serializer=await serializer_for(protocol, websocket)))  # fmt: skip
    user, assistant = LLMContextAggregatorPair(
        LLMContext(),
        user_params=LLMUserAggregatorParams(
            vad_analyzer=SileroVADAnalyzer(), user_turn_strategies=UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.4)])))  # fmt: skip
    pipeline = Pipeline([transport.input(), PocketsphinxSTT(), user, Rules(), EspeakTTS(), Witness(name), transport.output(), assistant])
    worker = PipelineWorker(pipeline, params=PipelineParams(audio_in_sample_rate=RATE))

    @user.event_handler("on_user_turn_stopped")
    async def heard(_, strategy, message):
        tell(name, "heard", text=message.content)

    @assistant.event_handler("on_assistant_turn_stopped")
    async def answered(_, message):
        tell(name, "said", text=message.content, interrupted=message.interrupted)

    @transport.event_handler("on_client_disconnected")
    async def gone(*_):
        await worker.cancel()

    tell(name, "begins")
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()
    tell(name, "ends")


def main():
    logger.remove()
    logger.add(sys.stderr, level="INFO")
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"listening on port {listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main()
