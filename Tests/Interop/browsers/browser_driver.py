"""Real browsers, headless: Chromium by the DevTools protocol, Firefox by WebDriver BiDi, behind one interface.

    with Chromium(folder, microphone=wav_path) as browser:      # or Firefox(folder, tone=700)
        browser.open(gateway.http_url + "/?to=demo")
        browser.click("#call")
        browser.wait_for_text("#state", "connected")
        recording = browser.record_remote(5)                     # .samples (16 bits), .rate

Everything blocks, with a limit. A browser belongs to one thread; from a coroutine use asyncio.to_thread.
"""

import base64
import contextlib
import io
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field

import av
import numpy as np
from websockets.sync.client import connect

START_LIMIT = 60  # seconds; a cold browser on two busy cores
ANSWER_LIMIT = 60
LARGEST_ANSWER = 64 << 20  # a minute of sound in base64 is 8 MiB


@dataclass
class Recording:
    """What the browser played of the far end: mono 16-bit samples."""

    samples: np.ndarray
    rate: int = 48000
    seconds: float = field(init=False)

    def __post_init__(self):
        self.seconds = len(self.samples) / self.rate


class BrowserError(AssertionError):
    """The browser refused a command, or a script threw."""


# MediaRecorder, not a script on samples: it writes from the browser's own audio thread, so that a busy page loses nothing.
START_RECORDING = """
(() => {
  const stream = globalThis.tandemCall?.remoteStream ?? document.querySelector('#remote-audio').srcObject;
  const types = ['audio/webm;codecs=pcm', 'audio/webm;codecs=opus', 'audio/ogg;codecs=opus'];
  const mimeType = types.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(new MediaStream(stream.getAudioTracks()), { mimeType, audioBitsPerSecond: 128000 });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
  globalThis.tandemRecording = { recorder, parts, stopped };
  return new Promise((resolve) => { recorder.onstart = () => resolve(recorder.mimeType); recorder.start(); });
})()
"""

STOP_RECORDING = """
(async () => {
  const { recorder, parts, stopped } = globalThis.tandemRecording;
  if (recorder.state !== 'inactive') recorder.stop();
  await stopped;
  const url = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(new Blob(parts));
  });
  return url.slice(url.indexOf(',') + 1);
})()
"""


def decode(container, rate=48000):
    """A WebM or Ogg file as mono 16-bit samples at `rate`."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
    pieces = []
    with av.open(io.BytesIO(container)) as file:
        for frame in itertools.chain(file.decode(audio=0), [None]):
            pieces += [piece.to_ndarray().reshape(-1) for piece in resampler.resample(frame)]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)


class Browser:
    """What both browsers can do; how a script runs and a mouse moves is theirs."""

    name = "browser"

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log_path = self.folder / f"{self.name}.log"
        self.console = []  # what pages logged and what went wrong in them, as text
        self._numbers = itertools.count(1)
        self._socket = None
        self._connection = contextlib.ExitStack()
        self._process = None
        self._profile = self.folder / f"{self.name}-profile"
        shutil.rmtree(self._profile, ignore_errors=True)
        self._profile.mkdir()
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    # To be said by each browser: _start, open, _run(script) -> str, press_mouse(x, y), press_key(key), screenshot(path), resize

    def evaluate(self, expression):
        """The value of a JavaScript expression, awaited if it is a promise; what JSON can carry."""
        text = self._run(f"(async () => JSON.stringify((await ({expression})) ?? null))()")
        return json.loads(text)

    def wait_for(self, expression, limit=20, what=None):
        """Waits until the expression is true; returns its value."""
        end = time.monotonic() + limit
        while True:
            value = self.evaluate(expression)
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"{self.name}: not within {limit} s: {what or expression}; {self.describe()}")
            time.sleep(0.05)

    def wait_for_text(self, selector, expected, limit=20):
        """Waits until the element's text is `expected`, or matches it if it is a compiled pattern; returns the text."""
        end = time.monotonic() + limit
        while True:
            text = self.text(selector)
            if expected.search(text) if isinstance(expected, re.Pattern) else text == expected:
                return text
            if time.monotonic() > end:
                raise AssertionError(f"{self.name}: {selector} is {text!r} and not {expected!r} within {limit} s; {self.describe()}")
            time.sleep(0.05)

    def describe(self):
        """The demo page in a line, for messages of failed tests."""
        state = self.evaluate(
            "Object.fromEntries(['state', 'cause', 'notice', 'rtt', 'loss', 'codec']"
            ".map((id) => [id, document.getElementById(id)?.textContent]))"
        )
        return f"page: {state}, console: {self.console[-5:]}"

    def text(self, selector):
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).textContent.trim()")

    def attribute(self, selector, name):
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).getAttribute({json.dumps(name)})")

    def fill(self, selector, value):
        self.evaluate(f"void (document.querySelector({json.dumps(selector)}).value = {json.dumps(value)})")

    def click(self, selector):
        """A real click with the mouse on the middle of the element, which must be visible and enabled."""
        x, y, hit = self.evaluate(
            f"""(() => {{
              const target = document.querySelector({json.dumps(selector)});
              target.scrollIntoView({{ block: 'center', behavior: 'instant' }});
              const box = target.getBoundingClientRect();
              const x = box.left + box.width / 2, y = box.top + box.height / 2;
              return [x, y, !target.disabled && target.contains(document.elementFromPoint(x, y))];
            }})()"""
        )
        if not hit:
            raise AssertionError(f"{self.name}: {selector} cannot be clicked: hidden, covered or disabled; {self.describe()}")
        self.press_mouse(int(x), int(y))

    # Sound

    def start_recording(self):
        """Begins to record what the page's call plays of the far end."""
        return self.evaluate(START_RECORDING)

    def stop_recording(self):
        return Recording(decode(base64.b64decode(self.evaluate(STOP_RECORDING))))

    def record_remote(self, seconds):
        """Records the far end for so long."""
        self.start_recording()
        time.sleep(seconds)
        return self.stop_recording()

    # The process

    def _launch(self, command, environment=None):
        self._log = open(self.log_path, "wb")
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "HOME": str(self._profile), **(environment or {})})  # fmt: skip

    def _await_log(self, pattern):
        end = time.monotonic() + START_LIMIT
        while True:
            match = re.search(pattern, self.log_path.read_text(errors="replace"))
            if match:
                return match
            if self._process.poll() is not None or time.monotonic() > end:
                raise BrowserError(f"{self.name} did not start:\n{self.log_path.read_text(errors='replace')[-3000:]}")
            time.sleep(0.1)

    def _connect(self, url):
        self._socket = self._connection.enter_context(connect(url, max_size=LARGEST_ANSWER, compression=None))

    def _command(self, method, parameters=None, **envelope):
        """Sends a command and returns its result; events that come meanwhile are looked at."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters or {}, **envelope}))
        end = time.monotonic() + ANSWER_LIMIT
        while True:
            try:
                message = json.loads(self._socket.recv(timeout=max(0.0, end - time.monotonic())))
            except TimeoutError:
                raise BrowserError(f"{self.name} does not answer {method}") from None
            if message.get("id") == number:
                if "error" in message:
                    raise BrowserError(f"{self.name}: {method}: {message['error']} {message.get('message', '')}")
                return message["result"]
            self._event(message)

    def _event(self, message):
        pass

    def close(self):
        """Ends the browser and every process of its own."""
        self._connection.close()
        if self._process:
            for number in (signal.SIGTERM, signal.SIGKILL):
                # The browser is the leader of a group of its own; its helpers are in it.
                try:
                    os.killpg(self._process.pid, number)
                    self._process.wait(5)
                except ProcessLookupError:
                    break
                except subprocess.TimeoutExpired:
                    continue
            self._process.wait(5)
            self._process = None
            self._log.close()
        shutil.rmtree(self._profile, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Chromium(Browser):
    """Debian's Chromium. `microphone` is a WAV file that is spoken once, beginning when the page opens the microphone."""

    name = "chromium"

    def __init__(self, folder, microphone=None, size=(1280, 1000), arguments=()):
        self._microphone = microphone
        self._size = size
        self._arguments = arguments
        super().__init__(folder)

    def _start(self):
        width, height = self._size
        command = [
            shutil.which("chromium") or "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            f"--user-data-dir={self._profile}", "--remote-debugging-port=0", f"--window-size={width},{height}",
            "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", *self._arguments]  # fmt: skip
        if self._microphone:
            command.append(f"--use-file-for-fake-audio-capture={pathlib.Path(self._microphone).resolve()}%noloop")
        self._launch([*command, "about:blank"])
        address = self._await_log(r"DevTools listening on ws://([^/]+)/")[1]
        end = time.monotonic() + START_LIMIT
        while True:
            with urllib.request.urlopen(f"http://{address}/json/list", timeout=ANSWER_LIMIT) as answer:
                page = next((page for page in json.load(answer) if page["type"] == "page"), None)
            if page:
                break
            if time.monotonic() > end:
                raise BrowserError("chromium opened no page")
            time.sleep(0.1)
        self._connect(page["webSocketDebuggerUrl"])
        for domain in ("Page", "Runtime", "Log"):
            self._command(f"{domain}.enable")
        self.resize(width, height)

    def open(self, url):
        result = self._command("Page.navigate", {"url": url})
        if "errorText" in result:
            raise BrowserError(f"chromium: {url}: {result['errorText']}")
        self.wait_for("document.readyState === 'complete'")

    def resize(self, width, height, scale=1):
        self._command("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False})

    def prefer_dark(self, on=True):
        features = [{"name": "prefers-color-scheme", "value": "dark" if on else "light"}]
        self._command("Emulation.setEmulatedMedia", {"features": features})

    def _run(self, script):
        answer = self._command(
            "Runtime.evaluate", {"expression": script, "awaitPromise": True, "returnByValue": True, "timeout": ANSWER_LIMIT * 1000}
        )
        if "exceptionDetails" in answer:
            thrown = answer["exceptionDetails"]
            raise BrowserError(f"chromium: {thrown.get('exception', {}).get('description') or thrown['text']} in {script[:300]}")
        return answer["result"]["value"]

    def press_mouse(self, x, y):
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            button = {} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
            self._command("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **button})

    def press_key(self, key):
        """A key by its DOM name: "5", "m", "Enter", "Escape"."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        self._command("Input.dispatchKeyEvent", {"type": "keyDown", "key": key, "text": text})
        self._command("Input.dispatchKeyEvent", {"type": "keyUp", "key": key})

    def screenshot(self, path, whole_page=True):
        data = self._command("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole_page})["data"]
        return _keep(path, data)

    def _event(self, message):
        parameters = message.get("params", {})
        if message["method"] == "Runtime.consoleAPICalled":
            self.console.append(" ".join(str(item.get("value", item.get("description"))) for item in parameters["args"]))
        elif message["method"] == "Runtime.exceptionThrown":
            thrown = parameters["exceptionDetails"]
            self.console.append("exception: " + (thrown.get("exception", {}).get("description") or thrown["text"]))
        elif message["method"] == "Log.entryAdded":
            entry = parameters["entry"]
            self.console.append(f"{entry['level']}: {entry['text']} {entry.get('url', '')}")


class Firefox(Browser):
    """Debian's Firefox ESR. Its microphone is its own fake one, a steady sine of `tone` Hz.

    `media.peerconnection.ice.loopback` stays off: like a user's Firefox it sends no checks to 127.0.0.1.
    """

    name = "firefox"

    def __init__(self, folder, tone=700, size=(1280, 1000), preferences=None):
        self._size = size
        self._preferences = {
            "media.navigator.streams.fake": True,
            "media.navigator.audio.fake_frequency": tone,
            "media.navigator.permission.disabled": True,
            "remote.active-protocols": 1,  # BiDi
            "app.update.enabled": False,
            "browser.shell.checkDefaultBrowser": False,
            "browser.startup.page": 0,
            "datareporting.policy.dataSubmissionEnabled": False,
            "datareporting.healthreport.uploadEnabled": False,
            "toolkit.telemetry.reportingpolicy.firstRun": False,
            "network.captive-portal-service.enabled": False,
            "network.connectivity-service.enabled": False,
            "services.settings.server": "http://127.0.0.1:9/",  # nothing is fetched from outside
            "browser.safebrowsing.update.enabled": False,
            "extensions.update.enabled": False,
            **(preferences or {}),
        }
        super().__init__(folder)

    def _start(self):
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in self._preferences.items()]
        (self._profile / "user.js").write_text("\n".join(lines) + "\n")
        width, height = self._size
        self._launch(
            [shutil.which("firefox-esr") or shutil.which("firefox") or "firefox-esr", "--headless", "--no-remote", "--profile", str(self._profile),
             "--remote-debugging-port=0", "about:blank"],
            {"MOZ_HEADLESS": "1", "MOZ_HEADLESS_WIDTH": str(width), "MOZ_HEADLESS_HEIGHT": str(height), "MOZ_DISABLE_CONTENT_SANDBOX": "1"})  # fmt: skip
        address = self._await_log(r"WebDriver BiDi listening on (ws://\S+)")[1]
        self._connect(f"{address}/session")
        self._command("session.new", {"capabilities": {}})
        self._command("session.subscribe", {"events": ["log.entryAdded"]})
        self._context = self._command("browsingContext.getTree", {"maxDepth": 0})["contexts"][0]["context"]
        self.resize(width, height)

    def open(self, url):
        self._command("browsingContext.navigate", {"context": self._context, "url": url, "wait": "complete"})

    def resize(self, width, height, scale=1):
        self._command("browsingContext.setViewport", {"context": self._context, "viewport": {"width": width, "height": height}, "devicePixelRatio": scale})

    def _run(self, script):
        answer = self._command(
            "script.evaluate", {"expression": script, "target": {"context": self._context}, "awaitPromise": True, "userActivation": False}
        )
        if answer["type"] == "exception":
            raise BrowserError(f"firefox: {answer['exceptionDetails']['text']} in {script[:300]}")
        return answer["result"]["value"]

    def press_mouse(self, x, y):
        actions = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self._command("input.performActions", {"context": self._context, "actions": [{"type": "pointer", "id": "mouse", "actions": actions}]})

    def press_key(self, key):
        """A key by its DOM name: "5", "m", "Enter", "Escape"."""
        value = {"Enter": "\ue007", "Escape": "\ue00c"}.get(key, key)
        actions = [{"type": kind, "value": value} for kind in ("keyDown", "keyUp")]
        self._command("input.performActions", {"context": self._context, "actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def screenshot(self, path, whole_page=True):
        origin = "document" if whole_page else "viewport"
        data = self._command("browsingContext.captureScreenshot", {"context": self._context, "origin": origin})["data"]
        return _keep(path, data)

    def _event(self, message):
        if message.get("method") == "log.entryAdded":
            entry = message["params"]
            self.console.append(f"{entry['level']}: {entry['text']}")


def _keep(path, data):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.b64decode(data))
    return path
