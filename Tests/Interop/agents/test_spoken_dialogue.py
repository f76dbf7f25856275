"""A talk in words: an unmodified Pipecat bot (spoken_agent.py) through each of its serializers that the gateway speaks, with a phone
and a browser at once. Both ask, hear the beginning of a long answer, come in between, and hear it stop, and then the next one."""

import asyncio
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys
import threading
import time

import g711
import numpy as np
import pytest
import speech
from spoken_lines import FAREWELL, FORECAST, GOODBYE, OTHER_ANSWERS, WEATHER
from waiting import wait_until
from whip_caller import RATE, WHIPCaller
from words import Recogniser, beginnings

# From the caller's first syllable to silence. Silero takes 0.34 s of it to be sure of a voice.
SILENT_WITHIN = 1.5
# From the bot's interruption to the caller's silence.
CLEARED_WITHIN = 0.5
LOUD = 300


class SpokenAgent:
    """The bot's process, and what it tells."""

    def __init__(self, log):
        self._log = open(log, "w")
        command = [sys.executable, str(pathlib.Path(__file__).with_name("spoken_agent.py"))]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._log, text=True)
        line = self._process.stdout.readline()
        found = re.match(r"listening on port (\d+)", line)
        assert found, f"{line!r}, see {log}"
        self.port = int(found[1])
        self.events = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self.events.append(json.loads(line))

    def wait(self, call, event, limit, after=0.0):
        """The first such event of a call after a moment of the system clock."""
        def find():
            return next((told for told in list(self.events) if told["call"] == call and told["event"] == event and told["at"] > after), None)

        return wait_until(find, limit, lambda: f"{event}; {call} told: {[told for told in self.events if told['call'] == call]}")

    def stop(self):
        self._process.kill()
        self._process.wait()
        self._reader.join(5)
        self._log.close()


class PhoneLine:
    def __init__(self, phone, to):
        self.rate = 8000
        self._call = phone.call(to)

    def say(self, sentence):
        self._call.media.play(speech.samples(sentence, self.rate))

    def heard(self):
        """[(arrival, samples)]"""
        return [(packet.arrived, g711.decode(packet.payload, packet.payload_type)) for packet in self._call.media.audio_packets()]

    def wait_ended(self, limit):
        self._call.wait_bye(limit)

    def close(self):
        pass


class BrowserLine:
    """A WHIP caller on a thread of its own."""

    def __init__(self, gateway, to):
        self.rate = RATE
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        try:
            self._caller = self._run(self._open(gateway, to), 30)
        except BaseException:
            self._end()
            raise

    async def _open(self, gateway, to):
        caller = WHIPCaller(gateway, to)
        await caller.__aenter__()
        await caller.wait_connected()
        return caller

    def _run(self, work, limit):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(limit)

    def say(self, sentence):
        self._loop.call_soon_threadsafe(self._caller.track.say, speech.samples(sentence, self.rate))

    def heard(self):
        return list(zip(self._caller.arrivals, self._caller.frames))

    def wait_ended(self, limit):
        self._run(self._caller.wait_gone(limit), limit + 5)

    def close(self):
        self._run(self._caller.__aexit__(), 10)
        self._end()

    def _end(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


@pytest.fixture(scope="module")
def spoken_agent(tmp_path_factory):
    agent = SpokenAgent(tmp_path_factory.mktemp("spoken") / "agent.log")
    yield agent
    agent.stop()


def sounds(frames):
    """The arrivals of frames in which something is heard."""
    return [arrived for arrived, samples in frames if np.abs(samples.astype(int)).max(initial=0) > LOUD]


def words(frames, rate):
    recogniser = Recogniser(beginnings(FORECAST), FAREWELL, *OTHER_ANSWERS)
    return recogniser.words(np.concatenate([samples for _, samples in frames]), rate)


def talk(line, agent, name):
    agent.wait(name, "begins", 10)
    line.say(WEATHER)
    assert agent.wait(name, "heard", 20)["text"] == WEATHER
    answered = agent.wait(name, "speaks", 10)["at"]
    wait_until(lambda: len(sounds(line.heard())) >= 125, 20, "2.5 s of the forecast")

    said = time.time()
    line.say(GOODBYE)
    interrupted = agent.wait(name, "interrupted", 10, after=said)["at"]
    assert agent.wait(name, "heard", 20, after=said)["text"] == GOODBYE
    again = agent.wait(name, "speaks", 10, after=said)["at"]
    line.wait_ended(20)

    frames = line.heard()
    silent = max((arrived for arrived in sounds(frames) if said < arrived < again), default=said)
    print(f"{name}: silent {silent - said:.2f} s after the caller's first syllable, {silent - interrupted:+.3f} s from the interruption")
    assert silent - said < SILENT_WITHIN, f"{name}: stale speech until {silent - said:.2f} s after the caller's first syllable"
    assert silent - interrupted < CLEARED_WITHIN, f"{name}: stale speech until {silent - interrupted:.2f} s after the interruption"
    first = words([frame for frame in frames if answered < frame[0] < said], line.rate)
    assert first.startswith("the weather today is warm"), f"{name}: {first!r}"
    second = words([frame for frame in frames if frame[0] > again], line.rate)
    assert second == FAREWELL, f"{name}: {second!r}"


@pytest.mark.parametrize("protocol", ["twilio", "telnyx", "vonage", "pipecat"])
def test_a_spoken_dialogue(spoken_agent, start_gateway, start_phone, protocol):
    names = [f"{protocol}-phone", f"{protocol}-browser"]
    gateway = start_gateway(
        agents={name: {"url": f"ws://127.0.0.1:{spoken_agent.port}/{protocol}/{name}", "protocol": protocol} for name in names})  # fmt: skip
    lines = []
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        try:
            lines = [PhoneLine(start_phone(gateway), names[0]), BrowserLine(gateway, names[1])]
            talks = [pool.submit(talk, line, spoken_agent, name) for line, name in zip(lines, names)]
            for done in talks:
                done.result(90)
        finally:
            for line in lines:
                line.close()
