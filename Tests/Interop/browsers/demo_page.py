"""The demo page in a test's hands: what both browsers' tests do with it, and what they expect of it."""

import pathlib
import re
import shutil
import time
import wave

SHOTS = pathlib.Path(__file__).parent.parent / "out" / "screenshots"
CONNECT_LIMIT = 30  # seconds; two cores, a browser and a debug build
NUMBER = re.compile(r"^\d+(\.\d)? ms$")
NO_LOSS = re.compile(r"^0\.0 / (0\.0|–) %$")


class DemoPage:
    """One open demo page."""

    def __init__(self, browser, gateway, folder, query=""):
        self.browser = browser
        self.gateway = gateway
        self.folder = folder
        browser.open(f"{gateway.http_url}/{query}")
        assert browser.text("#state") == "idle"
        # Sockets are kept so that a test can break one; levels, so that a short sound is not missed between two looks.
        browser.evaluate("""void (() => {
          globalThis.sockets = [];
          globalThis.WebSocket = class extends WebSocket { constructor(...given) { super(...given); sockets.push(this); } };
        })()""")

    def go_by(self, relay):
        """The next call's media goes by way of a relay (lib/narrow_relay.py): its address is all the browser learns of the gateway."""
        line = "a=candidate:1 1 udp 2130706431 %s %d typ host\\r\\na=ice-ufrag:" % relay.inner
        self.browser.evaluate(f"""void (() => {{
          const connection = RTCPeerConnection.prototype, apply = connection.setRemoteDescription;
          connection.setRemoteDescription = function ({{ type, sdp }}) {{
            return apply.call(this, {{ type, sdp: sdp.replace(/a=(candidate:|end-of-candidates).*\\r\\n/g, '').replace('a=ice-ufrag:', '{line}') }});
          }};
          connection.addIceCandidate = async () => {{}};
        }})()""")

    def call(self, destination, muted=False):
        """Calls by the form and the button, as a person does; returns when connected."""
        self.place(destination)
        if muted:
            self.browser.click("#mute")
        self.browser.wait_for_text("#state", "connected", CONNECT_LIMIT)

    def place(self, destination):
        self.browser.fill("#destination", destination)
        self.browser.click("#call")
        self.browser.evaluate("""void (() => {
          globalThis.loudest = { input: 0, output: 0 };
          globalThis.states = [];
          globalThis.errors = [];
          tandemCall.addEventListener('state', ({ detail }) => states.push(detail.state));
          tandemCall.addEventListener('error', ({ detail }) => errors.push(detail));
          tandemCall.addEventListener('levels', ({ detail }) => {
            for (const name of ['input', 'output']) loudest[name] = Math.max(loudest[name], detail[name]);
          });
        })()""")

    def press(self, digit):
        self.browser.click(f'#keypad button[data-digit="{digit}"]')

    def loudest(self, name):
        """The greatest level of a meter since the call was placed, or since this was last asked."""
        return self.browser.evaluate(f"((level) => (loudest.{name} = 0, level))(loudest.{name})")

    def await_quiet(self, seconds=1.0, limit=20):
        """Waits until the far end has been quiet for so long."""
        end = time.monotonic() + limit
        quiet_since = None
        while True:
            level = self.loudest("output")
            now = time.monotonic()
            if level > 0.2:
                quiet_since = None
            elif quiet_since is None:
                quiet_since = now
            elif now - quiet_since >= seconds:
                return
            assert now < end, f"the far end is not quiet within {limit} s"
            time.sleep(0.1)

    def check_statistics(self):
        """The figures of a call on loopback, within sensible limits, and a clock that runs."""
        browser = self.browser
        browser.wait_for_text("#rtt", NUMBER)
        browser.wait_for_text("#jitter", NUMBER)
        browser.wait_for_text("#bitrate", re.compile(r"^[1-9]\d* / [1-9]\d* kbit/s$"))
        browser.wait_for_text("#codec", re.compile("^Opus 48 kHz$"))
        assert float(browser.text("#rtt").split()[0]) < 500
        assert float(browser.text("#jitter").split()[0]) < 200
        browser.wait_for_text("#loss", NO_LOSS)
        first = browser.text("#timer")
        assert re.match(r"^\d+:\d\d$", first)
        browser.wait_for(f"document.querySelector('#timer').textContent !== {first!r}", 3, "the timer runs")

    def hang_up(self):
        self.browser.click("#hangup")
        self.await_end("caller_hangup", "You hung up.")

    def await_end(self, cause, sentence, limit=15):
        """Waits for the end and compares how the page explains it; everything must be ready for the next call."""
        browser = self.browser
        browser.wait_for_text("#state", "ended", limit)
        assert browser.attribute("#cause", "data-cause") == cause, browser.describe()
        assert browser.text("#cause").startswith(sentence)
        assert browser.evaluate("[document.querySelector('#hangup').disabled, document.querySelector('#call').disabled]") == [True, False]

    def break_sockets(self):
        """Every signalling socket dies."""
        assert self.browser.evaluate("sockets.map((socket) => socket.close()).length") >= 1

    def packets_received(self):
        return self.browser.evaluate(
            "tandemCall.connection.getStats().then((report) => [...report.values()].find(({ type }) => type === 'inbound-rtp')?.packetsReceived ?? 0)"
        )

    def await_media(self, packets=50, limit=15):
        """Waits until so many further packets have come: the sound goes on."""
        goal = self.packets_received() + packets
        end = time.monotonic() + limit
        while self.packets_received() < goal:
            assert time.monotonic() < end, f"no media within {limit} s; {self.browser.describe()}"
            time.sleep(0.1)

    def screenshot(self, name):
        """Kept with the test's own things and, for people, all together in out/screenshots/."""
        path = self.browser.screenshot(self.folder / f"{name}.png")
        SHOTS.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, SHOTS / f"{self.browser.name}-{name}.png")

    def no_complaints(self):
        """Neither an error nor a refused resource in the browser's console."""
        complaints = [line for line in self.browser.console if re.match(r"(error|exception|severe)", line)]
        assert not complaints, complaints


def write_silence(folder, seconds=60):
    """A WAV file of silence: without a file Chromium's fake microphone beeps."""
    return write_wav(folder / "silence.wav", b"\0\0" * 48000 * seconds)


def write_wav(path, samples, rate=48000):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(samples))
    return path
