"""What is left of calls that are over: nothing. In the release binary, whose memory is what users see."""

import pathlib
import re
import subprocess

import gateway as gateway_module
from sipp import free_port

RELEASE = gateway_module.REPOSITORY / ".build" / "release" / "tandem"
RATE = 100  # calls a second
# A transaction answers repeated requests for 32 s after its end (RFC 3261 section 17.2.2, timer J). From then on as many go as come.
SETTLED = 40 * RATE
MORE = 10 * RATE
MOST = 0.5  # kB a call; a transaction kept would be 4


def test_nothing_is_kept_of_calls_that_are_over(start_gateway, monkeypatch, out_folder):
    monkeypatch.setattr(gateway_module, "BINARY", RELEASE)
    # A port rests for ten seconds after its call: ten seconds of calls want one each, and one for RTCP.
    gateway = start_gateway(
        trunks={"phone": {"accept_from": ["127.0.0.1/32"], "max_calls": 1000, "max_calls_per_second": 1000}},
        configuration={"limits": {"max_calls": 1000}, "sip": {"rtp_ports": "10000-13999"}, "log": {"level": "info"}})  # fmt: skip
    make_calls(gateway, SETTLED, out_folder)
    before = anonymous_memory(gateway)
    make_calls(gateway, MORE, out_folder)
    grown = (anonymous_memory(gateway) - before) / MORE
    assert gateway.metric("tandem_calls_total") >= SETTLED + MORE
    assert grown < MOST, f"{grown:.2f} kB are left of each call"


def make_calls(gateway, count, folder):
    """Short calls to the echo, by sipp's own scenario of a caller."""
    host, port = gateway.sip["udp"]
    done = subprocess.run(
        ["sipp", "-sn", "uac", f"{host}:{port}", "-s", "echo", "-i", host, "-p", str(free_port(host, "udp")), "-m", str(count), "-r", str(RATE), "-d", "200", "-nostdin", "-timeout", "110s"],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, env={"TERM": "dumb", "PATH": "/usr/bin:/bin"})  # fmt: skip
    assert done.returncode == 0, f"sipp ends with {done.returncode}:\n{done.stdout[-2000:]}"


def anonymous_memory(gateway):
    """kB."""
    status = pathlib.Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1])
