"""No allocation of ours on the media path: counted in the release binary, which alone is what the optimiser made of it, by a
library preloaded into it (count.c), over 10,000 packets of each kind of call."""

import asyncio
import collections
import contextlib
import pathlib
import shutil
import struct
import subprocess
import sys
import threading
import time

import gateway as gateway_module
import numpy as np
import pytest
import speech
from aiortc import rtcdtlstransport
from pipecat.frames.protobufs import frames_pb2
from signal_user import SignalUser
from waiting import wait_until
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from whip_caller import RATE, WHIPCaller

RELEASE = gateway_module.REPOSITORY / ".build" / "release" / "tandem"
PACKETS = 10_000
# Beyond the first reports (RFC 3550: 2.5 s, then every 5 s) and the browsers' first consent checks (every 5 s).
WARM_UP = 8
PHONES, BROWSERS = 10, 8

# What the libraries allocate for themselves is theirs (ARCHITECTURE section 6); everything else, known or not, is ours.
LIBRARIES = {
    "Opus": ("libopus",),
    "OpenSSL": ("libcrypto", "libssl"),
}
STACKS, FRAMES = 32768, 16  # as in count.c
TOLD = 12  # frames of a stack that a failure tells


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """count.c, compiled."""
    path = tmp_path_factory.mktemp("allocations") / "count.so"
    subprocess.run([str(gateway_module.REPOSITORY / "scripts" / "build-allocation-counter.sh"), str(path)], check=True)
    return path


@pytest.fixture
def start_counted(start_gateway, library, out_folder, monkeypatch):
    """Starts the release binary with its allocations counted: (gateway, counts)."""
    monkeypatch.setattr(gateway_module, "BINARY", RELEASE)

    def start(more=None, **options):
        report = out_folder / "allocations"
        report.unlink(missing_ok=True)
        environment = {"LD_PRELOAD": str(library), "ALLOCATIONS": str(report)}
        gateway = start_gateway(environment=environment, configuration={"log": {"level": "info"}, **(more or {})}, **options)
        return gateway, Counts(gateway, report)

    return start


@pytest.fixture
def start_protobuf_agent():
    """Starts an agent that answers every frame of Pipecat's with one at the rate that Pipecat speaks; returns its configuration."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    answer = frames_pb2.Frame(audio=frames_pb2.AudioRawFrame(
        id=1, name="OutputAudioRawFrame#1", audio=speech.tone(440, 0.02, 24000).tobytes(), sample_rate=24000, num_channels=1)).SerializeToString()  # fmt: skip

    async def answer_all(connection):
        try:
            async for _ in connection:
                await connection.send(answer)
        except ConnectionClosed:
            pass

    def run(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    async def begin():
        return await serve(answer_all, "127.0.0.1", 0, compression=None, close_timeout=1)

    async def end():
        server.close()
        await server.wait_closed()

    server = run(begin())
    yield lambda: {"url": f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", "protocol": "pipecat"}
    run(end())
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)


class Counts:
    """The file that count.c keeps, as it stands."""

    def __init__(self, gateway, path):
        self._gateway = gateway
        self._path = path

    def read(self):
        """(turns of media loops, {stack: allocations})."""
        data = self._path.read_bytes()
        entered, overflow = struct.unpack_from("QQ", data)
        assert overflow == 0, f"{overflow} allocations were not counted: raise STACKS in count.c"
        rows = np.frombuffer(data, np.uint64, offset=16).reshape(STACKS, 2 + FRAMES)
        return entered, {tuple(int(frame) for frame in row[2:] if frame): int(row[1]) for row in rows[rows[:, 1] > 0]}

    def owners(self, stacks):
        """{"ours": {stack: allocations}, library: {…}}, by who called the allocating function."""
        modules = self._modules()
        owned = {owner: {} for owner in ("ours", *LIBRARIES)}
        for stack, count in stacks.items():
            name = pathlib.Path(self._place(modules, stack[0])[0]).name
            owner = next((owner for owner, names in LIBRARIES.items() if name.startswith(names)), "ours")
            owned[owner][stack] = count
        return owned

    def described(self, stacks, most=10):
        """The stacks in words, the most frequent first."""
        modules = self._modules()
        worst = sorted(stacks.items(), key=lambda item: -item[1])[:most]
        # A return address lies behind its call.
        places = [(path, address - 1) for stack, _ in worst for path, address in (self._place(modules, frame) for frame in stack[:TOLD])]
        names = iter(named(places))
        return "\n".join(line for stack, count in worst for line in (f"{count} allocations:", *(f"    {next(names)}" for _ in stack[:TOLD])))

    def _modules(self):
        """(start, end, offset in the file, path) of what is mapped in the gateway."""
        modules = []
        for line in pathlib.Path(f"/proc/{self._gateway.process.pid}/maps").read_text().splitlines():
            addresses, _, offset, _, _, *path = line.split(maxsplit=5)
            start, end = (int(address, 16) for address in addresses.split("-"))
            modules.append((start, end, int(offset, 16), path[0] if path else ""))
        return modules

    def _place(self, modules, address):
        """(file, address in it) of a return address."""
        module = next((module for module in modules if module[0] <= address < module[1]), None)
        if module is None:
            return "", address
        base = min(start for start, _, _, path in modules if path == module[3])
        return module[3], address - base


def named(places):
    """The functions' names where the tools of the toolchain are there to find them, else files and addresses."""
    plain = [f"{pathlib.Path(path).name}+{address:#x}" for path, address in places]
    if not (shutil.which("llvm-symbolizer") and shutil.which("swift-demangle")):
        return plain
    asked = "".join(f'"{path or "/dev/null"}" {address:#x}\n' for path, address in places)
    answered = subprocess.run(["llvm-symbolizer", "--no-inlines", "--basenames"], input=asked, capture_output=True, text=True).stdout
    words = subprocess.run(["swift-demangle", "--simplified"], input=answered, capture_output=True, text=True).stdout.strip().split("\n\n")
    if len(words) != len(places):
        return plain
    return [f"{place.split('+')[0]} {' '.join(found.split(chr(10)))}" for place, found in zip(plain, words)]


def packets(gateway):
    return sum(gateway.metric(f"tandem_rtp_packets_{direction}_total") for direction in ("received", "sent"))


def prove(gateway, counts, kind, reports=0):
    """Warms up, then counts over 10,000 packets. With `reports`, what is told to the agent every five seconds may allocate: no place
    may oftener than so many times."""
    # The counter does count: the first packet of a call makes decoders.
    wait_until(lambda: counts.owners(counts.read()[1])["ours"], 10, "a single allocation while calls are set up: the hooks do not work")
    time.sleep(WARM_UP)
    owned = counted(gateway, counts, kind)
    if max(owned["ours"].values(), default=0) > reports:
        # A call makes something once: a filter when an echo is found, room where the machine stood still and a queue grew. What a packet
        # makes, the next ones make again, a thousand for each call.
        owned = counted(gateway, counts, kind)
        reports = max(reports, 1)
    made = sum(owned["ours"].values())
    assert max(owned["ours"].values(), default=0) <= reports, f"{made} allocations of ours over {PACKETS} packets:\n{counts.described(owned['ours'])}"


def counted(gateway, counts, kind):
    """What 10,000 packets allocate: {owner: {stack: allocations}}."""
    first, (turns, before) = packets(gateway), counts.read()
    wait_until(lambda: packets(gateway) - first >= PACKETS, 100, lambda: f"{PACKETS} packets; {packets(gateway) - first} came", every=0.5)
    (turns_after, after), passed = counts.read(), packets(gateway) - first
    assert turns_after > turns, "no turn of a media loop was counted"
    made = collections.Counter(after)
    made.subtract(before)
    owned = counts.owners({stack: count for stack, count in made.items() if count})
    sums = {owner: sum(stacks.values()) for owner, stacks in owned.items()}
    print(f"{kind}: {passed:.0f} packets; allocations of ours: {sums['ours']}; " + ", ".join(f"{owner}: {sums[owner] / passed:.2f} a packet" for owner in LIBRARIES))
    # SRTP is on kept contexts; what is left is the browsers' consent checks, a few a second.
    assert sums["OpenSSL"] < passed / 2, counts.described(owned["OpenSSL"])
    return owned


def phones(start_phone, gateway, to):
    """Phones that talk."""
    phone = start_phone(gateway)
    said = np.tile(speech.samples(speech.PHONE_SENTENCE), 20)
    for _ in range(PHONES):
        phone.call(to).media.play(said)


def browsers(gateway, to, kind, counts, reports=0):
    """Browsers that talk."""
    said = np.tile(speech.samples(speech.BROWSER_SENTENCE, RATE), 20)

    async def scenario():
        async with contextlib.AsyncExitStack() as stack:
            callers = [await stack.enter_async_context(WHIPCaller(gateway, to, said)) for _ in range(BROWSERS)]
            for caller in callers:
                await caller.wait_connected()
                caller.track.begin()
            await asyncio.to_thread(prove, gateway, counts, kind, reports)
            for caller in callers:
                assert await caller.hang_up() == 200

    asyncio.run(scenario())


def test_phone_and_echo(start_counted, start_phone):
    gateway, counts = start_counted()
    phones(start_phone, gateway, "echo")
    prove(gateway, counts, "phone, echo")


@pytest.mark.parametrize("agc", ["off", "auto"])
def test_phone_and_websocket_agent(start_counted, start_phone, start_agent, agc):
    agent = start_agent(echo=True)
    trunk = {"accept_from": ["127.0.0.1/32"], "max_calls_per_second": 1000, "agc": agc}
    gateway, counts = start_counted(agents={"assistant": agent.configuration}, trunks={"phone": trunk})
    phones(start_phone, gateway, "assistant")
    prove(gateway, counts, f"phone, agent, agc {agc}")


def test_phone_and_pipecat_agent(start_counted, start_phone, start_protobuf_agent):
    gateway, counts = start_counted(agents={"assistant": start_protobuf_agent()})
    phones(start_phone, gateway, "assistant")
    prove(gateway, counts, "phone, Pipecat")


@pytest.mark.parametrize("format", ["wav", "opus"])
def test_phone_and_agent_recorded(start_counted, start_phone, start_agent, tmp_path, format):
    agent = start_agent(echo=True)
    gateway, counts = start_counted(
        agents={"assistant": agent.configuration}, routes=[{"name": "recorded", "when": {"to": "assistant"}, "do": [{"agent": "assistant", "record": True}]}],
        more={"recordings": {"folder": str(tmp_path), "format": format, "tone": True, "keep_digits": False}})  # fmt: skip
    phones(start_phone, gateway, "assistant")
    prove(gateway, counts, f"phone, agent, recorded as {format}")
    assert gateway.metric("tandem_recordings") == PHONES
    assert gateway.metric("tandem_recordings_dropped_milliseconds_total") == 0


@pytest.mark.parametrize("profile", [rtcdtlstransport.SRTP_AEAD_AES_128_GCM, rtcdtlstransport.SRTP_AES128_CM_SHA1_80], ids=["gcm", "cm"])
def test_browser_and_echo(start_counted, monkeypatch, profile):
    monkeypatch.setattr(rtcdtlstransport, "SRTP_PROFILES", [profile])
    gateway, counts = start_counted()
    browsers(gateway, "echo", f"browser, echo, {profile.openssl_profile.decode()}", counts)
    spoken = {rtcdtlstransport.SRTP_AEAD_AES_128_GCM: "aeadAES128GCM", rtcdtlstransport.SRTP_AES128_CM_SHA1_80: "aesCM128HMACSHA1_80"}[profile]
    assert gateway.log_text().count(f"srtp={spoken}") == BROWSERS


def test_browser_and_websocket_agent(start_counted, start_agent):
    agent = start_agent(echo=True)
    gateway, counts = start_counted(agents={"assistant": agent.configuration})
    browsers(gateway, "assistant", "browser, agent", counts)


OPUS_ECHO = """
import asyncio, sys
sys.path.insert(0, {clients!r})
import tandem_agent
async def talk(call):
    async for event in call:
        if event.name == "audio":
            await call.say_packet(event.packet)
asyncio.run(tandem_agent.serve(talk, port=0, accept=lambda offer: next(each for each in offer if each["codec"] == "opus"), ready=lambda port: print("listening on port", port, flush=True)))
"""


def test_browser_and_agent_of_packets(start_counted, tmp_path):
    """Opus that is passed on both ways."""
    agent = tmp_path / "agent.py"
    agent.write_text(OPUS_ECHO.format(clients=str(gateway_module.REPOSITORY / "clients" / "python")))
    process = subprocess.Popen([sys.executable, str(agent)], stdout=subprocess.PIPE, text=True)
    try:
        port = int(process.stdout.readline().split()[-1])
        gateway, counts = start_counted(agents={"native": {"url": f"ws://127.0.0.1:{port}/", "protocol": "tandem"}})
        # A hundredth of the packets: `stats` comes with every 500th, slow machines included.
        browsers(gateway, "native", "browser, agent of packets", counts, reports=PACKETS // 100)
        assert gateway.log_text().count("queue of packets") == BROWSERS
    finally:
        process.kill()
        process.wait()


def test_phone_and_user(start_counted, start_phone):
    users = [f"user{number}" for number in range(BROWSERS)]
    gateway, counts = start_counted(routes=[{"name": user, "when": {"to": user}, "do": [{"browser": user}]} for user in users])
    phone = start_phone(gateway)
    heard, said = np.tile(speech.samples(speech.PHONE_SENTENCE), 20), np.tile(speech.samples(speech.BROWSER_SENTENCE, RATE), 20)

    async def scenario():
        async with contextlib.AsyncExitStack() as stack:
            for name in users:
                user = await stack.enter_async_context(SignalUser(gateway, name, said))
                call = await asyncio.to_thread(phone.invite, name)
                await user.accept()
                assert await asyncio.to_thread(call.wait_final) == 200
                call.media.play(heard)
                user.track.begin()
            await asyncio.to_thread(prove, gateway, counts, "phone, user")

    asyncio.run(scenario())
