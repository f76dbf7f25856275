"""The reference clients of `tandem.media.v1` and the agents of their examples, unmodified, with a phone and with a browser."""

import asyncio
import pathlib
import re
import subprocess
import sys
import time

import numpy as np
import pytest
import speech
from sound import best_correlation, tone_report
from tcp_relay import TCPRelay
from verdict import assert_same_speech
from waiting import wait_until
from whip_caller import RATE, WHIPCaller

CLIENTS = pathlib.Path(__file__).parents[3] / "clients"
EXAMPLES = {
    "python": [sys.executable, str(CLIENTS / "python" / "example.py"), "0"],
    "javascript": ["node", str(CLIENTS / "javascript" / "example.mjs"), "0"],
}


class Example:
    """An example's process, on a free port."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"listening on port (\d+)", line)
        assert found, line + self.process.stdout.read()
        self.port = int(found[1])

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture(params=EXAMPLES)
def example(request):
    running = Example(EXAMPLES[request.param])
    yield running
    running.stop()


@pytest.fixture
def relay(example):
    between = TCPRelay(example.port)
    yield between
    between.stop()


@pytest.fixture
def native_gateway(start_gateway, relay):
    return start_gateway(agents={"native": {"url": f"ws://127.0.0.1:{relay.port}/", "protocol": "tandem"}})


def test_a_phone_is_greeted_and_repeated(native_gateway, start_phone):
    call = start_phone(native_gateway).call("native")
    call.media.wait_sound(5)
    call.media.wait_heard_further(0.5, 5)
    greeting = tone_report(call.media.recording(), 8000, 440)
    assert abs(greeting.frequency - 440) < 1 and not greeting.gaps_ms, greeting

    said = speech.samples(speech.PHONE_SENTENCE)
    spoke = time.monotonic()
    call.media.play(said)
    call.media.wait_played(len(said) / 8000 + 5)
    call.media.wait_sound(5, after=spoke)
    call.media.wait_heard_further(len(said) / 8000 + 0.5, 20)
    assert_same_speech(said, call.media.recording(), 0.95, native_gateway)
    call.media.press("*")
    assert call.wait_bye(5)


def test_a_cut_connection_costs_nothing(native_gateway, relay, start_phone):
    """The connection breaks while the caller speaks, and again while the agent does."""
    call = start_phone(native_gateway).call("native")
    call.media.wait_sound(5)
    said = speech.samples(speech.PHONE_SENTENCE)
    spoke = time.monotonic()
    call.media.play(said)
    time.sleep(len(said) / 8000 / 2)
    relay.cut()
    wait_until(lambda: relay.connections == 2, 3, "the gateway did not come back")
    call.media.wait_played(len(said) / 8000 + 5)
    call.media.wait_sound(5, after=spoke + len(said) / 8000)
    relay.cut()
    wait_until(lambda: relay.connections == 3, 3, "the gateway did not come back")
    call.media.wait_heard_further(len(said) / 8000 + 0.5, 20)
    assert_same_speech(said, call.media.recording(), 0.95, native_gateway)
    call.media.press("*")
    assert call.wait_bye(5)


def test_a_browser_is_heard_wide(native_gateway):
    """The caller's sound keeps what lies above a telephone's 4 kHz."""
    rate, seconds = RATE, 1.5
    tone = (8000 * np.sin(2 * np.pi * 6000 * np.arange(int(rate * seconds)) / rate)).astype(np.int16)

    async def scenario():
        async with WHIPCaller(native_gateway, "native", tone) as caller:
            await caller.wait_connected()
            await caller.wait_heard(0.5, 15)
            caller.track.begin()
            await caller.wait_heard(seconds * 2 + 2, 40)
            heard = caller.heard()
            report = tone_report(heard[int(len(heard) * 0.3):], rate, 6000)
            assert abs(report.frequency - 6000) < 2, report

    asyncio.run(asyncio.wait_for(scenario(), 60))


def test_a_client_wants_its_token(start_gateway, tmp_path, start_phone):
    agent = tmp_path / "agent.py"
    agent.write_text(
        "import asyncio, sys\n"
        f"sys.path.insert(0, {str(CLIENTS / 'python')!r})\n"
        "import tandem_agent\n"
        "async def talk(call):\n    async for event in call: pass\n"
        "asyncio.run(tandem_agent.serve(talk, port=0, token='secret', ready=lambda port: print('listening on port', port, flush=True)))\n")  # fmt: skip
    running = Example([sys.executable, str(agent)])
    try:
        gateway = start_gateway(agents={
            "known": {"url": f"ws://127.0.0.1:{running.port}/", "protocol": "tandem", "token": "secret"},
            "stranger": {"url": f"ws://127.0.0.1:{running.port}/", "protocol": "tandem", "token": "guess"}})  # fmt: skip
        phone = start_phone(gateway)
        refused = phone.invite("stranger")
        assert refused.wait_final() == 480
        call = phone.call("known")
        assert call.hang_up() == 200
    finally:
        running.stop()
