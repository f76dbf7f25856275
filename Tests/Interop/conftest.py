"""Fixtures every interop test builds on. Nothing here is skipped: a missing peer or a missing binary is a failure."""

import logging
import os
import pathlib
import re

import pytest
from gateway import Gateway, Parking
from sip_callee import SIPCallee
from sip_caller import SIPCaller
from sipp import Sipp, SippCallee
from sound_card import SoundCard
from twilio_agent import TwilioAgent

OUT = pathlib.Path(__file__).parent / "out"

logging.getLogger("websockets").setLevel(logging.CRITICAL)


# Browsers want a core of their own: never two of these at a time, and what runs beside them waits for them.
BROWSERS = {"browsers", "mission"}
# How far everything else, and what it starts, stands behind them (nice(2)).
BEHIND = 5


def pytest_addoption(parser):
    parser.addoption("--failures-to", help="a file that the names of failed tests are written to, a line each")


def pytest_configure(config):
    path = config.getoption("--failures-to")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(FailureList(pathlib.Path(path)))


class FailureList:
    """Writes which tests failed, in any of their phases, to a file that scripts/interop.sh reads."""

    def __init__(self, path):
        self.path = path
        self.names = {}

    def pytest_runtest_logreport(self, report):
        if report.failed:
            # The rest is the group that pytest-xdist adds.
            self.names[re.sub(r"@\w+$", "", report.nodeid)] = None

    def pytest_sessionfinish(self):
        self.path.write_text("".join(f"{name}\n" for name in self.names))


def group(item):
    folder = item.path.parent.name
    if folder in BROWSERS:
        return "browsers"
    # The longest of the others.
    return f"{folder}_{item.path.stem}" if folder in ("agents", "allocations") else folder


def pytest_collection_modifyitems(items):
    """Several processes run the tests (scripts/interop.sh): a folder stays in one of them, but for the longest, whose files do, and those
    with browsers stay together."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Before the fixtures, for what they start stands where the test does."""
    wanted = 0 if group(item) == "browsers" else BEHIND
    if os.getpriority(os.PRIO_PROCESS, 0) == wanted:
        return
    try:
        os.setpriority(os.PRIO_PROCESS, 0, wanted)
    except PermissionError:
        pass  # Only root goes forward again. Browsers are the first tests of all.


@pytest.fixture(scope="session")
def sound_card():
    card = SoundCard()
    yield card
    card.stop()


@pytest.fixture(autouse=True)
def sound_for_firefox(request, monkeypatch):
    """Gives Firefox a sound card. Chromium keeps better time with its own null output."""
    if "firefox" in request.fixturenames:
        monkeypatch.setenv("PULSE_SERVER", request.getfixturevalue("sound_card").server)


@pytest.fixture(scope="session")
def parking():
    place = Parking()
    yield place
    place.settle()
    assert not place.failures, "left over after the last call:\n" + "\n".join(place.failures)


@pytest.fixture
def out_folder(request):
    """A folder for what this test leaves behind: logs, recordings, screenshots."""
    name = re.sub(r"[^\w.-]+", "_", f"{request.node.path.stem}.{request.node.name}")
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def start_gateway(request, out_folder, parking):
    """Starts gateways with a configuration of the test's own: start_gateway(agents={…}, routes=[…], …).

    After the test each must have let go of every call, dialog and port."""
    started = []

    def start(**options):
        folder = out_folder if not started else out_folder / f"gateway-{len(started) + 1}"
        started.append(Gateway(folder, **options))
        return started[-1]

    yield start
    for gateway in started:
        if gateway.process.poll() == 0:  # the test has stopped it
            gateway.kill()
            continue
        try:
            assert gateway.alive(), f"the gateway died with {gateway.process.returncode}:\n{gateway.log_tail()}"
            gateway.await_idle()
        except BaseException:
            gateway.kill()
            raise
        parking.park(request.node.name, gateway)


@pytest.fixture
def gateway(start_gateway):
    """A gateway with the built-in agents `demo` (parrot) and `echo`."""
    return start_gateway()


@pytest.fixture
def start_agent():
    """Starts Twilio-dialect agents on free ports: start_agent(echo=True, …)."""
    started = []

    def start(**options):
        started.append(TwilioAgent(**options))
        return started[-1]

    yield start
    for agent in started:
        agent.stop()


@pytest.fixture
def agent(start_agent):
    """A Twilio-dialect agent that says only what the test tells it to say."""
    return start_agent()


@pytest.fixture
def agent_gateway(start_gateway, agent):
    """A gateway that routes `assistant` to the agent."""
    return start_gateway(agents={"assistant": agent.configuration})


@pytest.fixture
def start_phone(start_gateway):
    """Starts SIP phones with RTP: start_phone(gateway, …). They hang up before the gateway is looked at."""
    started = []

    def start(gateway, **options):
        started.append(SIPCaller(gateway.sip_udp, **options))
        return started[-1]

    yield start
    for phone in started:
        phone.stop()


@pytest.fixture
def start_callee(start_gateway):
    """Starts SIP phones that are called: start_callee(behaviour). What their behaviours raised fails the test."""
    started = []

    def start(*arguments, **options):
        started.append(SIPCallee(*arguments, **options))
        return started[-1]

    yield start
    for callee in started:
        callee.stop()
    failures = [failure for callee in started for failure in callee.failures]
    assert not failures, failures


@pytest.fixture
def start_sipp_callee(start_gateway, out_folder):
    """Starts sipp on a scenario of outbound/: start_sipp_callee("answered", …)."""
    started = []

    def start(scenario, **options):
        started.append(SippCallee(out_folder, scenario, **options))
        return started[-1]

    yield start
    for callee in started:
        callee.stop()


@pytest.fixture
def run_sipp(out_folder):
    started = []

    def start(gateway, scenario, **options):
        started.append(Sipp(out_folder, gateway, scenario, **options))
        return started[-1]

    yield start
    for one in started:
        one.stop()
