"""The gateway under test: the debug binary on a configuration of its own, every port free."""

import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

from waiting import wait_until

REPOSITORY = pathlib.Path(__file__).parents[3]
BINARY = pathlib.Path(os.environ.get("TANDEM_BINARY", REPOSITORY / ".build" / "debug" / "tandem"))
READY = re.compile(r"^tandem ready http=(?P<http>http://\S+) sip=(?P<sip>\S+) webrtc=(?P<webrtc>\S+)$")

# Gauges that must be zero when the last call is over.
GONE_AT_ONCE = re.compile(r"(calls|dialogs|ports)(_|$)")
# RFC 3261 keeps a finished transaction for up to 64*T1, 32 s, to answer retransmissions.
GONE_IN_TIME = re.compile(r"(transactions|timers)(_|$)")

# Each of the processes that run tests side by side has 3000 ports of its own, outside the kernel's own choice (32768 on), so
# that peers do not take from them.
_FIRST_PORT = 20000 + 3000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 4)
_next_ports = [_FIRST_PORT]
_ports_lock = threading.Lock()


def _rtp_ports():
    """A range for one gateway."""
    with _ports_lock:
        first = _next_ports[0]
        _next_ports[0] = _FIRST_PORT if first + 400 > _FIRST_PORT + 3000 else first + 200
    return f"{first}-{first + 199}"


class Gateway:
    """One running gateway.

    `agents` and `trunks` are added to the default ones of the configuration, `routes` stand before the default ones:
    a route to every agent by its name. Further sections are merged in by `configuration`.
    """

    def __init__(self, folder, agents=None, trunks=None, routes=None, configuration=None, environment=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log_path = self.folder / "gateway.log"
        agents = {"demo": {"builtin": "parrot"}, "echo": {"builtin": "echo"}, **(agents or {})}
        settings = {
            "http": {"listen": "127.0.0.1:0"},
            "browser": {"listen": "0.0.0.0:0"},
            "sip": {"listen": ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"], "rtp_ports": _rtp_ports()},
            # Tests call faster than a trunk may by default.
            "trunks": {"phone": {"accept_from": ["127.0.0.1/32"], "max_calls_per_second": 1000}, **(trunks or {})},
            "agents": agents,
            "dialplan": "dialplan.yaml",
            "calls": {"database": "calls.db"},
            "limits": {"max_calls": 100, "drain_seconds": 3},
            "log": {"level": "debug", "format": "text"},
        }
        for section, values in (configuration or {}).items():
            settings[section] = {**settings.get(section, {}), **values} if isinstance(values, dict) else values
        for stale in self.folder.glob("calls.db*"):
            stale.unlink()
        plan = {"routes": (routes or []) + [{"name": f"by name: {name}", "when": {"to": name}, "do": [{"agent": name}]} for name in agents]}
        # JSON is YAML.
        self.configuration_path = self.folder / "tandem.yaml"
        self.configuration_path.write_text(json.dumps(settings, indent=2) + "\n")
        self.dialplan_path = self.folder / "dialplan.yaml"
        self.dialplan_path.write_text(json.dumps(plan, indent=2) + "\n")

        assert BINARY.exists(), f"{BINARY} is not built: run `make debug` or `make test`"
        self._log = open(self.log_path, "wb")
        self.process = subprocess.Popen(
            [str(BINARY), "serve", "--config", str(self.configuration_path)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._log, env={**os.environ, **(environment or {})})  # fmt: skip
        self.standard_output = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._await_ready()
        except BaseException:
            self.kill()
            raise

    def _read(self):
        for line in self.process.stdout:
            self.standard_output.append(line.decode(errors="replace").rstrip("\n"))

    def _await_ready(self):
        def ready():
            assert self.process.poll() is None, f"the gateway ended with {self.process.returncode} before it was ready:\n{self.log_tail()}"
            return next((match for match in map(READY.match, list(self.standard_output)) if match), None)

        match = wait_until(ready, 30, lambda: f"ready line; standard output: {self.standard_output}\n{self.log_tail()}")
        self.http_url = match["http"]
        self.sip = {}  # transport to (host, port)
        for listener in match["sip"].split(","):
            transport, host, port = listener.split(":", 2)
            self.sip[transport] = (host, int(port))
        self.sip_udp = self.sip.get("udp")
        self.sip_tcp = self.sip.get("tcp")
        self.webrtc = match["webrtc"]
        host, ports = self.webrtc.rsplit(":", 1)
        self.webrtc_address = ("127.0.0.1", int(ports.split("-")[0]))

    def log_tail(self, lines=60):
        return "\n".join(self.log_text().splitlines()[-lines:])

    def log_text(self):
        return self.log_path.read_text(errors="replace")

    # HTTP

    def get(self, path):
        """(status, body) of a GET."""
        try:
            with urllib.request.urlopen(self.http_url + path, timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def api(self, method, path, body=None, content_type="application/json", **headers):
        """(status, headers, body) of a request to /api/v1; `If_Match="…"` becomes If-Match. Bodies that are JSON come parsed."""
        data = body if body is None or isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()} | ({"Content-Type": content_type} if data is not None else {})
        request = urllib.request.Request(f"{self.http_url}/api/v1/{path}", data, named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                status, headers, text = response.status, response.headers, response.read().decode()
        except urllib.error.HTTPError as error:
            status, headers, text = error.code, error.headers, error.read().decode(errors="replace")
        return status, headers, json.loads(text) if "json" in headers.get("Content-Type", "") else text

    def command(self, name, *arguments):
        """Runs `tandem NAME --config …` beside the gateway: (exit status, standard output, standard error)."""
        done = subprocess.run([str(BINARY), name, "--config", str(self.configuration_path), *arguments], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def reload(self):
        """SIGHUP."""
        self.process.send_signal(signal.SIGHUP)

    def metrics(self):
        """/metrics as {name: {labels: value}}; labels as they are written, "" without any."""
        status, text = self.get("/metrics")
        assert status == 200, f"/metrics answers {status}"
        found = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                match = re.match(r"^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)", line)
                assert match, f"not a line of the Prometheus text format: {line!r}"
                found.setdefault(match[1], {})[match[2] or ""] = float(match[3])
        return found

    def metric(self, name):
        """The sum of a metric over its labels; fails where there is none of that name."""
        values = self.metrics().get(name)
        assert values is not None, f"no metric {name}; there are: {sorted(self.metrics())}"
        return sum(values.values())

    def gauges(self):
        """{name with labels: value} of every gauge."""
        status, text = self.get("/metrics")
        assert status == 200, f"/metrics answers {status}"
        names = set(re.findall(r"^# TYPE (\S+) gauge$", text, re.MULTILINE))
        return {
            f"{name}{{{labels}}}": value
            for name, series in self.metrics().items() if name in names
            for labels, value in series.items()
        }  # fmt: skip

    def in_use(self, kinds):
        """The gauges of these kinds that are not zero."""
        gauges = self.gauges()
        held = {name: value for name, value in gauges.items() if kinds.search(name.split("{")[0])}
        assert held, f"no gauge matches {kinds.pattern}; there are: {sorted(gauges)}"
        return {name: value for name, value in held.items() if value != 0}

    def await_idle(self, limit=5):
        """Waits until no call, dialog or port is left."""
        wait_until(lambda: not self.in_use(GONE_AT_ONCE), limit, lambda: f"calls, dialogs, ports gone: {self.in_use(GONE_AT_ONCE)}\n{self.log_tail()}", every=0.1)

    # The end

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self, limit=15):
        """SIGTERM; returns the exit status once the gateway has drained."""
        if self.process.poll() is None:
            self.terminate()
        try:
            return self.process.wait(limit)
        finally:
            self.kill()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)
        self._reader.join(5)
        self._log.close()

    def alive(self):
        return self.process.poll() is None


class Parking:
    """Gateways whose test is over. Each is stopped as soon as SIP has let go of its transactions, so that no test waits the
    half minute that RFC 3261 demands; those that hold on to them longer are reported together at the end."""

    HOLD = 40  # seconds; 64*T1 and what a busy machine adds

    def __init__(self):
        self._parked = []
        self.failures = []

    def park(self, name, gateway):
        self._parked.append((time.monotonic() + self.HOLD, name, gateway))
        self._parked = [parked for parked in self._parked if not self._settled(*parked)]

    def settle(self):
        """Waits until every gateway is gone."""
        while self._parked:
            self._parked = [parked for parked in self._parked if not self._settled(*parked)]
            time.sleep(0.5)

    def _settled(self, end, name, gateway):
        try:
            held = {**gateway.in_use(GONE_IN_TIME), **gateway.in_use(GONE_AT_ONCE)}
            if held and time.monotonic() < end:
                return False
            assert not held, f"{held}\n{gateway.log_tail()}"
            status = gateway.stop()
            assert status == 0, f"exit status {status} after SIGTERM:\n{gateway.log_tail()}"
        except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
            self.failures.append(f"{name}: {error}")
            gateway.kill()
        return True
