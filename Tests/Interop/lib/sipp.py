"""Runs sipp on scenarios: those in sipp/ call the gateway, those in outbound/ are called by it."""

import pathlib
import socket
import string
import subprocess

from waiting import wait_until

SCENARIOS = pathlib.Path(__file__).parent.parent / "sipp"
CALLED = pathlib.Path(__file__).parent.parent / "outbound"


def free_port(host, transport):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM) as free:
        free.bind((host, 0))
        return free.getsockname()[1]


class _Run:
    """One run of a scenario; `values` replace $NAME in the scenario's text."""

    def __init__(self, folder, path, source, transport, calls, limit, values, arguments, port):
        self.folder = pathlib.Path(folder) / f"sipp-{path.stem}"
        for attempt in range(2, 100):
            if not self.folder.exists():
                break
            self.folder = pathlib.Path(folder) / f"sipp-{path.stem}-{attempt}"
        self.folder.mkdir(parents=True)
        self.scenario, self.limit = path.stem, limit
        (self.folder / "scenario.xml").write_text(string.Template(path.read_text()).safe_substitute(values))
        command = [
            "sipp", *arguments, "-sf", "scenario.xml", "-i", source, "-mi", source, "-p", str(port),
            "-t", {"udp": "u1", "tcp": "t1"}[transport], "-m", str(calls), "-nostdin", "-timeout", f"{limit}s", "-timeout_error",
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


class Sipp(_Run):
    """A caller."""

    def __init__(self, folder, gateway, scenario, to="echo", transport="udp", source="127.0.0.1", calls=1, limit=30, target=None, **values):
        host, port = target or gateway.sip[transport]
        arguments = [f"{host}:{port}", "-s", to, "-l", str(calls), "-r", str(calls)]
        super().__init__(folder, SCENARIOS / f"{scenario}.xml", source, transport, calls, limit, values, arguments, free_port(source, transport))


class SippCallee(_Run):
    """A phone that is called, at another address than the callers'. `uri` is what `hosts` of a trunk wants."""

    def __init__(self, folder, scenario, transport="udp", source="127.0.0.2", calls=1, limit=30, **values):
        self.address = (source, free_port(source, transport))
        self.uri = f"sip:{source}:{self.address[1]};transport={transport}"
        super().__init__(folder, CALLED / f"{scenario}.xml", source, transport, calls, limit, values, [], self.address[1])
        wait_until(lambda: self._listens(transport), 10, lambda: f"sipp listens; it says:\n{(self.folder / 'screen.log').read_text(errors='replace')[-2000:]}")

    def _listens(self, transport):
        assert self.process.poll() is None, f"sipp {self.scenario} ended with {self.process.returncode}:\n{(self.folder / 'screen.log').read_text(errors='replace')[-2000:]}"
        host, port = self.address
        # As the kernel writes addresses: each number of four bytes the other way round.
        wanted = f"{int.from_bytes(socket.inet_aton(host), 'little'):08X}:{port:04X}"
        return wanted in pathlib.Path(f"/proc/net/{transport}").read_text()
