"""What README.md tells people to do works as it stands there."""

import asyncio
import os
import re
import shlex
import signal
import socket
import subprocess
import threading
import urllib.request

import pytest
from baresip import configuration_without_sound_card
from gateway import BINARY, REPOSITORY
from sip_caller import SIPCaller
from speech import PHONE_SENTENCE, samples, tone, wav_file
from waiting import wait_until
from whip_caller import WHIPCaller

README = (REPOSITORY / "README.md").read_text()
COMMANDS = [line.split("#")[0].strip() for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]


def test_the_commands_it_names_exist():
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    made = [command.split()[1] for command in COMMANDS if command.startswith("make ")]
    assert {"run", "test"} <= set(made) <= targets
    assert set(re.findall(r"`make ([a-z-]+)`", README)) <= targets


def test_the_files_it_names_exist():
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert len(links) > 5
    missing = [link for link in links if not (REPOSITORY / link).exists()]
    assert not missing


def test_make_help_lists_the_targets_with_a_word_each():
    listed = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=20).stdout
    for target in ("run", "test", "help", "build", "lint", "interop", "clean-room"):
        assert re.search(rf"^  make {target} +\S", listed, re.MULTILINE), listed


@pytest.fixture
def default_gateway(out_folder):
    """The gateway on conf/tandem.yaml as it is, with its fixed ports, started as `make run` starts it."""
    for kind, port in ((socket.SOCK_STREAM, 8080), (socket.SOCK_DGRAM, 5060)):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                pytest.fail(f"port {port} is taken: another gateway runs on this machine")
    output = []
    with open(out_folder / "gateway.log", "wb") as log:
        process = subprocess.Popen(
            ["scripts/run.sh", "conf/tandem.yaml"], cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
            env={**os.environ, "TANDEM_BINARY": str(BINARY)})  # fmt: skip
        reader = threading.Thread(target=lambda: output.extend(process.stdout), daemon=True)
        reader.start()
        try:
            wait_until(lambda: any("Stop with" in line for line in output), 30, lambda: f"the lines of make run: {output}\n{(out_folder / 'gateway.log').read_text()}")
            yield output
        finally:
            process.send_signal(signal.SIGTERM)
            status = process.wait(20)
            reader.join(5)
    assert status == 0


def test_make_run_says_where_to_call_and_a_phone_gets_through(default_gateway, out_folder):
    text = "".join(default_gateway)
    assert re.search(r"^tandem ready http=http://127\.0\.0\.1:8080 sip=udp:127\.0\.0\.1:5060,tcp:127\.0\.0\.1:5060 webrtc=\S+$", text, re.MULTILINE), text
    page = re.search(r"Open in a browser: +(\S+)", text)[1]
    number = re.search(r"Dial from a SIP phone: +(\S+)", text)[1]
    assert page in README and number.startswith("sip:demo@127.0.0.1")
    with urllib.request.urlopen(page, timeout=5) as response:
        assert response.status == 200 and "text/html" in response.headers["Content-Type"]

    (command,) = [command for command in COMMANDS if command.startswith("baresip ")]
    home = out_folder / "home"
    home.mkdir(exist_ok=True)
    configuration = home / ".baresip-tandem"
    configuration.mkdir(exist_ok=True)
    # People have a sound card; here a file is the microphone.
    (configuration / "config").write_text(configuration_without_sound_card(wav_file(PHONE_SENTENCE, 8000, silence_after=20.0)))
    for name in ("accounts", "contacts"):
        (configuration / name).write_text("")
    arguments = shlex.split(command.replace("~", str(home)))
    with open(out_folder / "baresip.log", "wb") as log:
        phone = subprocess.Popen(arguments, cwd=home, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "HOME": str(home)})
        try:
            wait_until(lambda: "Call established" in (out_folder / "baresip.log").read_text(errors="replace"), 20, lambda: (out_folder / "baresip.log").read_text(errors="replace")[-2000:])
        finally:
            phone.terminate()
            phone.wait(10)

    def no_calls():
        with urllib.request.urlopen("http://127.0.0.1:8080/metrics", timeout=5) as response:
            metrics = response.read().decode()
        values = re.findall(r"^\w*calls(?:\{[^}]*\})? (\S+)$", metrics, re.MULTILINE)
        return values and all(float(value) == 0 for value in values)

    wait_until(no_calls, 40, "the phone's call is over")


def test_the_agent_it_offers_answers(start_gateway, out_folder):
    """The agent of `Let your own agent answer`, with the two pieces of configuration printed there."""
    (command,) = [command for command in COMMANDS if "twilio_agent.py" in command]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    *words, documented = shlex.split(command)
    agent = subprocess.Popen([*words, str(port)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        assert f":{port}/media" in agent.stdout.readline()
        configured = next(block for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if "assistant: {" in block)
        assert f"ws://127.0.0.1:{documented}/media" in configured
        routes = [{"name": "support", "when": {"to": "support"}, "do": [{"agent": "assistant", "parameters": {"queue": "support"}}, {"reject": 480}]}]
        gateway = start_gateway(agents={"assistant": {"url": f"ws://127.0.0.1:{port}/media", "protocol": "twilio"}}, routes=routes)
        with SIPCaller(gateway.sip_udp) as phone:
            call = phone.call("support")
            call.media.play(tone(500, 1))
            call.media.wait_sound(5)
    finally:
        agent.terminate()
        agent.wait(10)


BLOCKS = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


def files(folder, of_the_phone, carrier="sip:192.0.2.20"):
    """Writes the pieces of YAML of `Call a phone from your browser`, or all the others, as the two files they speak of."""
    chosen = [block for block in BLOCKS if ("carrier" in block) == of_the_phone]
    plan = "".join(block for block in chosen if block.startswith("routes:"))
    configuration = "".join(block for block in chosen if not block.startswith("routes:"))
    assert plan and "trunks:" in configuration
    (folder / "dialplan.yaml").write_text(plan)
    (folder / "tandem.yaml").write_text(configuration.replace("sip:192.0.2.20", carrier) + "dialplan: dialplan.yaml\ncalls: { database: calls.db }\n")
    return folder / "tandem.yaml"


def tandem(*words):
    return subprocess.run([str(BINARY), *map(str, words)], capture_output=True, text=True, timeout=20, env={**os.environ, "CARRIER_PASSWORD": "secret"})


@pytest.mark.parametrize("of_the_phone", [False, True])
def test_its_configuration_is_valid(tmp_path, of_the_phone):
    checked = tandem("check", "--config", files(tmp_path, of_the_phone))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "error" not in checked.stdout


def test_route_says_what_would_be_dialled(tmp_path):
    (command,) = [command for command in COMMANDS if " route " in command]
    words = shlex.split(command)[1:]
    words[words.index("--config") + 1] = files(tmp_path, of_the_phone=True)
    asked = tandem(*words)
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert "sip:+14155550123@192.0.2.20" in asked.stdout and "+14155550100" in asked.stdout and "secret" not in asked.stdout


def test_the_carrier_is_called(start_gateway, start_callee):
    """The route printed there, with a phone where the carrier would be."""
    callee = start_callee()
    (plan,) = [block for block in BLOCKS if "trunk: carrier" in block]
    assert 'to: "+1NXXNXXXXXX"' in plan and 'trunk: carrier, caller_id: "+14155550100"' in plan
    route = {"name": "out", "when": {"via": "browser", "to": "+1NXXNXXXXXX"}, "do": [{"trunk": "carrier", "caller_id": "+14155550100"}]}
    gateway = start_gateway(trunks={"carrier": {"hosts": [callee.uri], "username": "tandem", "password": "secret", "country": "1"}}, routes=[route])

    async def scenario():
        async with WHIPCaller(gateway, "+14155550123", samples(PHONE_SENTENCE, 48000)) as browser:
            await browser.wait_connected()
            called = await asyncio.to_thread(callee.wait_call)
            await asyncio.to_thread(called.wait_acknowledged)
            browser.track.begin()
            await asyncio.to_thread(called.media.wait_sound, 10)
            assert await browser.hang_up() == 200
            await asyncio.to_thread(called.wait_bye)
            return called.invite

    invite = asyncio.run(asyncio.wait_for(scenario(), 40))
    assert invite.start_line.startswith("INVITE sip:+14155550123@") and "sip:+14155550100@" in invite.get("From")
