"""docs/agents/*.md: every agent that is printed there runs as it stands, but for its port, and talks with a phone."""

import os
import re
import shutil
import socket
import subprocess
import sys

import pytest
import speech
from gateway import BINARY, REPOSITORY
from realtime_server import CallTool, RealtimeServer, Say
from verdict import assert_same_speech
from waiting import wait_until

DOCS = REPOSITORY / "docs" / "agents"
PAGES = {name: (DOCS / name).read_text() for name in ("openai.md", "tandem.md", "vonage-telnyx.md")}
CLIENTS = {".py": REPOSITORY / "clients" / "python" / "tandem_agent.py", ".mjs": REPOSITORY / "clients" / "javascript" / "tandem_agent.mjs"}
# The page, the agent on it, which of the page's configurations leads to it, and its port there.
ECHOES = [
    ("tandem.md", "agent.py", 0, 9000), ("tandem.md", "agent.mjs", 0, 9000),
    ("vonage-telnyx.md", "vonage_agent.py", 0, 8770), ("vonage-telnyx.md", "telnyx_agent.py", 1, 8771)]  # fmt: skip


def code(page, name):
    return re.search(rf"```\w+\n(?:#|//) {re.escape(name)}\n(.*?)```", PAGES[page], re.DOTALL)[1]


def configurations(page):
    """The settings of the agent in each, as far as the pages' YAML goes: texts and lists of words."""
    texts = re.findall(r"```yaml\nagents:\n  assistant:(.*?)```", PAGES[page], re.DOTALL)
    pairs = [re.findall(r'(\w+): ("[^"]*"|\[[^]]*\]|[^\s,}]+)', text) for text in texts]
    return [{key: value.strip("[]").split(", ") if value[0] == "[" else value.strip('"') for key, value in found} for found in pairs]


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def run_agent(out_folder):
    """Runs an agent of a page on a port of its own: run_agent(page, name, its port there) -> that port."""
    processes = []

    def run(page, name, printed):
        port = free_port()
        text = code(page, name)
        assert text.count(str(printed)) == 1
        path = out_folder / name
        path.write_text(text.replace(str(printed), str(port)))
        shutil.copy(CLIENTS.get(path.suffix, CLIENTS[".py"]), out_folder)
        command = ["node", name] if path.suffix == ".mjs" else [sys.executable, name]
        log = (out_folder / f"{name}.log").open("w")
        processes.append(subprocess.Popen(command, cwd=out_folder, stdout=log, stderr=subprocess.STDOUT))
        wait_until(lambda: answers(port), 20, f"the agent {name}")
        return port

    yield run
    for process in processes:
        process.kill()
        process.wait(10)


@pytest.mark.parametrize("page, name, place, printed", ECHOES, ids=[name for _, name, _, _ in ECHOES])
def test_the_agent_of_the_page_says_back_what_it_hears(run_agent, start_gateway, start_phone, page, name, place, printed):
    port = run_agent(page, name, printed)
    settings = configurations(page)[place]
    assert settings["url"] == f"ws://127.0.0.1:{printed}"
    gateway = start_gateway(agents={"assistant": {**settings, "url": f"ws://127.0.0.1:{port}"}})
    call = start_phone(gateway).call("assistant")
    if page == "tandem.md":
        call.media.wait_sound(5)
        call.media.wait_heard_further(1, 5)
    before = len(call.media.recording())
    said = speech.samples(speech.PHONE_SENTENCE)
    call.media.play(said)
    call.media.wait_heard_further(len(said) / 8000 + 1.5, 20)
    assert_same_speech(said, call.media.recording()[before:], 0.9, gateway, call.media)
    call.media.press("*")
    call.wait_bye(5)


@pytest.fixture
def service():
    running = RealtimeServer([Say(600, 0.5), CallTool("opening_hours", '{"day": "Monday"}', say=Say(700, 0.5)), Say(800, 0.5)])
    yield running
    running.stop()
    assert not running.violations, running.violations


def test_a_model_needs_no_agent(service, start_gateway, start_phone):
    settings = configurations("openai.md")[0]
    assert settings["url"] == "wss://api.openai.com/v1/realtime" and settings["token"] == "${OPENAI_API_KEY}"
    here = {"url": service.configuration["url"], "token": service.token}
    call = start_phone(start_gateway(agents={"assistant": {**settings, **here}})).call("assistant")
    call.media.wait_sound(5)
    told = service.sessions[0].settings
    assert told["instructions"] == settings["instructions"]
    assert [tool["name"] for tool in told["tools"]] == ["transfer_call", "end_call"]
    assert call.hang_up() == 200


def test_the_webhook_describes_the_session_and_carries_out_its_function(service, run_agent, start_gateway, start_phone):
    port = run_agent("openai.md", "webhook.py", 8772)
    settings = configurations("openai.md")[1]
    assert settings["webhook"] == "http://127.0.0.1:8772/"
    here = {"url": service.configuration["url"], "token": service.token, "webhook": f"http://127.0.0.1:{port}/"}
    gateway = start_gateway(agents={"assistant": {**settings, **here}, "forged": {**settings, **here, "webhook_secret": "another"}}, routes=[
        {"name": "assistant", "when": {"to": "assistant"}, "do": [{"agent": "assistant"}]},
        {"name": "forged", "when": {"to": "forged"}, "do": [{"agent": "forged"}, {"agent": "echo"}]}])  # fmt: skip
    phone = start_phone(gateway)
    call = phone.call("assistant")
    call.media.wait_sound(5)
    session = service.sessions[0]
    assert session.settings["instructions"] == f"You answer the telephone of a bakery. {phone.user} is calling. Be short."
    assert [tool["name"] for tool in session.settings["tools"]] == ["transfer_call", "end_call", "opening_hours"]
    assert session.wishes and "Bakery, good day!" in session.wishes[0]
    call.media.wait_heard_further(1, 5)
    call.media.play(speech.tone(300, 1.0))
    wait_until(lambda: session.outputs, 10, "no result of the function")
    assert session.outputs == ['{"open": "7 to 18"}']
    # And the model says it.
    call.media.wait_heard_further(1, 10)
    assert call.hang_up() == 200

    # A signature that is not believed: the next step takes the call.
    assert phone.call("forged").hang_up() == 200
    assert "it answered HTTP 403" in gateway.log_text() and len(service.sessions) == 1


@pytest.mark.parametrize("page", PAGES)
def test_its_configurations_are_taken(page, tmp_path):
    (tmp_path / "dialplan.yaml").write_text("routes: [{ name: all, do: [{ agent: assistant }] }]\n")
    texts = re.findall(r"```yaml\n(agents:.*?)```", PAGES[page], re.DOTALL)
    assert texts
    for text in texts:
        (tmp_path / "tandem.yaml").write_text(text + "dialplan: dialplan.yaml\n")
        checked = subprocess.run(
            [str(BINARY), "check", "--config", str(tmp_path / "tandem.yaml")], capture_output=True, text=True, timeout=30,
            env={**os.environ, "OPENAI_API_KEY": "key"})  # fmt: skip
        said = checked.stdout + checked.stderr
        assert checked.returncode == 0 and "warning" not in said, said


@pytest.mark.parametrize("page", [*PAGES, "twilio.md"])
def test_its_links_lead_somewhere(page):
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", (DOCS / page).read_text()) if "://" not in link]
    assert links and not [link for link in links if not (DOCS / link).exists()]


@pytest.mark.parametrize("page", PAGES)
def test_its_agents_are_short(page):
    agents = re.findall(r"```(?:python|js)\n(.*?)```", PAGES[page], re.DOTALL)
    assert agents and all(len(agent.splitlines()) <= 60 for agent in agents)
