"""Runs sipp on the scenarios in sipp/."""

import pathlib
import socket
import string
import subprocess

from waiting import wait_until

SCENARIOS = pathlib.Path(__file__).parent.parent / "sipp"


def _free_port(host, transport):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM) as free:
        free.bind((host, 0))
        return free.getsockname()[1]


class Sipp:
    """One run of a scenario against the gateway; `values` replace $NAME in the scenario's text."""

    def __init__(self, folder, gateway, scenario, to="echo", transport="udp", source="127.0.0.1", calls=1, limit=30, target=None, **values):
        self.folder = pathlib.Path(folder) / f"sipp-{scenario}"
        for attempt in range(2, 100):
            if not self.folder.exists():
                break
            self.folder = pathlib.Path(folder) / f"sipp-{scenario}-{attempt}"
        self.folder.mkdir(parents=True)
        self.scenario, self.limit = scenario, limit
        text = (SCENARIOS / f"{scenario}.xml").read_text()
        (self.folder / "scenario.xml").write_text(string.Template(text).safe_substitute(values))
        host, port = target or gateway.sip[transport]
        command = [
            "sipp", f"{host}:{port}", "-sf", "scenario.xml", "-s", to, "-i", source, "-mi", source, "-p", str(_free_port(source, transport)),
            "-t", {"udp": "u1", "tcp": "t1"}[transport], "-m", str(calls), "-l", str(calls), "-r", str(calls), "-nostdin", "-timeout", f"{limit}s", "-timeout_error",
            "-recv_timeout", "8000", "-trace_err", "-error_file", "errors.log", "-trace_msg", "-message_file", "messages.log", "-max_reconnect", "0"]  # fmt: skip
        self._screen = open(self.folder / "screen.log", "wb")
        self.process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self._screen, stderr=subprocess.STDOUT, env={"TERM": "dumb", "PATH": "/usr/bin:/bin"})

    def messages(self):
        """Everything sent and received so far."""
        path = self.folder / "messages.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait_message(self, text, limit=10):
        wait_until(lambda: text in self.messages(), limit, lambda: f"{text!r} in sipp's messages:\n{self.messages()[-2000:]}")

    def finish(self):
        """Waits for the end of the scenario, which must be the expected one."""
        try:
            status = self.process.wait(self.limit + 10)
        except subprocess.TimeoutExpired:
            self.stop()
            raise AssertionError(f"sipp {self.scenario} does not end:\n{self.messages()[-4000:]}") from None
        self._screen.close()
        errors = (self.folder / "errors.log").read_text(errors="replace") if (self.folder / "errors.log").exists() else ""
        assert status == 0, f"sipp {self.scenario} ends with {status}:\n{errors[-2000:]}\n{self.messages()[-5000:]}"

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)
        self._screen.close()
