"""The reference clients of `tandem.media.v1` and the agents of their examples, unmodified, with a phone and with a browser."""

import asyncio
import hashlib
import hmac
import http
import pathlib
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import speech
from aiortc.codecs.opus import OpusEncoder
from sound import best_correlation, tone_report
from tcp_relay import TCPRelay
from verdict import assert_same_speech
from waiting import wait_until
from websockets.sync.server import serve
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


ECHOES = {
    "python": """
import asyncio, sys
sys.path.insert(0, {clients!r})
import tandem_agent
async def talk(call):
    with open({heard!r}, "w") as heard:
        async for event in call:
            if event.name == "audio":
                print(event.pts, event.packet.hex(), file=heard, flush=True)
                await call.say_packet(event.packet)
asyncio.run(tandem_agent.serve(talk, port=0, accept=lambda offer: next(each for each in offer if each["codec"] == "opus"), ready=lambda port: print("listening on port", port, flush=True)))
""",
    "javascript": """
import {{ appendFileSync }} from "node:fs"
import {{ serve }} from {clients!r}
const server = serve(async call => {{
  for await (const event of call) {{
    if (event.name !== "audio") continue
    appendFileSync({heard!r}, `${{event.pts}} ${{event.packet.toString("hex")}}\\n`)
    call.sayPacket(event.packet)
  }}
}}, {{ port: 0, accept: offer => offer.find(({{ codec }}) => codec === "opus") }})
server.on("listening", () => console.log("listening on port", server.address().port))
""",
}


@pytest.mark.parametrize("language", ECHOES)
def test_a_browsers_opus_goes_to_the_agent_and_back_untouched(start_gateway, tmp_path, monkeypatch, language):
    """What the browser encoded is what the agent gets, to the byte; and what the agent says is heard."""
    heard = tmp_path / "heard"
    suffix, module, command = {"python": ("py", "python", sys.executable), "javascript": ("mjs", "javascript/tandem_agent.mjs", "node")}[language]
    agent = tmp_path / f"agent.{suffix}"
    agent.write_text(ECHOES[language].format(clients=str(CLIENTS / module), heard=str(heard)))
    encoded = []
    encode = OpusEncoder.encode

    def keep(self, *arguments):
        payloads, timestamp = encode(self, *arguments)
        encoded.extend(payloads)
        return payloads, timestamp

    monkeypatch.setattr(OpusEncoder, "encode", keep)
    running = Example([command, str(agent)])
    tone = (8000 * np.sin(2 * np.pi * 1000 * np.arange(RATE * 2) / RATE)).astype(np.int16)

    async def scenario(gateway):
        async with WHIPCaller(gateway, "native", tone) as caller:
            await caller.wait_connected()
            await caller.wait_heard(0.5, 15)
            caller.track.begin()
            await caller.wait_heard(4, 40)
            report = tone_report(caller.heard(), RATE, 1000)
            assert abs(report.frequency - 1000) < 2 and report.snr_db > 15, report

    try:
        gateway = start_gateway(agents={"native": {"url": f"ws://127.0.0.1:{running.port}/", "protocol": "tandem"}})
        asyncio.run(asyncio.wait_for(scenario(gateway), 60))
        got = [(int(pts) // 960, bytes.fromhex(packet)) for pts, packet in map(str.split, heard.read_text().splitlines())]
        assert len(got) > 100 and len({packet for _, packet in got}) > 50
        # A packet that a busy machine lost is a jump of the clock.
        assert any(
            all(number + place < len(encoded) and encoded[number + place] == packet for number, packet in got) for place in range(len(encoded))
        ), f"{len(got)} packets heard, {len(encoded)} encoded"
        assert "packets passed on" in gateway.log_text()
    finally:
        running.stop()


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


def test_the_gateway_signs_its_request_with_a_secret(start_gateway, start_phone):
    requests = []

    def refuse(connection, request):
        requests.append((request.path, request.headers.get("Tandem-Signature"), request.headers.get("Authorization")))
        return connection.respond(http.HTTPStatus.UNAUTHORIZED, "only looked at\n")

    with serve(lambda socket: None, "127.0.0.1", 0, process_request=refuse) as server:
        threading.Thread(target=server.serve_forever).start()
        port = server.socket.getsockname()[1]
        gateway = start_gateway(agents={"native": {"url": f"ws://127.0.0.1:{port}/media?for=tests", "protocol": "tandem", "secret": "hush"}})
        assert start_phone(gateway).invite("native").wait_final() == 480
        server.shutdown()
    (target, signature, authorization), *_ = requests
    seconds, digest = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", signature).groups()
    assert target == "/media?for=tests" and authorization is None and abs(int(seconds) - time.time()) < 300
    assert digest == hmac.new(b"hush", f"{seconds}.{target}".encode(), hashlib.sha256).hexdigest()
