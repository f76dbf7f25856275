"""baresip, a real SIP phone, without a sound card: it speaks from a WAV file, records what it hears, and is steered by its
ctrl_tcp module (JSON in netstrings)."""

import json
import pathlib
import queue
import socket
import subprocess
import threading
import time
import wave

import numpy as np
from waiting import wait_until

_SOUND = """\
audio_source aufile,{speech}
audio_player aufile,{recording}
audio_srate {rate}
audio_channels 1
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
ausrc_format s16
auplay_format s16
audio_buffer 20-160
rtp_timeout 60
module_path {modules}
module g711.so
module g722.so
module opus.so
opus_stereo no
opus_sprop_stereo no
module aufile.so
module sndfile.so
snd_path .
module_app account.so
module_app menu.so
"""
_CONTROL = """\
sip_listen {host}:{sip_port}
ctrl_tcp_listen 127.0.0.1:{control_port}
module ctrl_tcp.so
"""


def _free_port(kind):
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _free_sip_port(host):
    """A port for SIP whose next one, which baresip takes for TLS whether it is wanted or not, is free too."""
    while True:
        port = _free_port(socket.SOCK_DGRAM)
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as same, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as following:
                same.bind((host, port))
                following.bind((host, port + 1))
                return port
        except (OSError, OverflowError):
            continue


def _modules():
    found = sorted(pathlib.Path("/usr/lib").glob("**/baresip/modules"))
    assert found, "no baresip modules below /usr/lib"
    return found[0]


def configuration_without_sound_card(speech, rate=8000):
    """A `config` in which a WAV file is the microphone; what is heard is recorded in the working directory."""
    return _SOUND.format(speech=speech, recording="played.wav", modules=_modules(), rate=rate)


class Baresip:
    """One phone. `speech`: the WAV file it speaks once a call is up (mono, `rate` samples a second). With `answers` it takes every call; `uri` is
    what `hosts` of a trunk wants; `milliseconds` of its packets, and what it asks for."""

    def __init__(self, folder, speech, transport="udp", codecs="pcmu/8000,pcma/8000", dtmf="rtpevent", host="127.0.0.1", answers=False, rate=8000, milliseconds=20):
        self.rate = rate
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        for stale in self.folder.glob("*.wav"):
            stale.unlink()
        # Paths inside are short and relative: baresip forgets to record where they are long.
        control_port = _free_port(socket.SOCK_STREAM)
        sip_port = _free_sip_port(host)
        self.uri = f"sip:{host}:{sip_port};transport={transport}"
        control = _CONTROL.format(host=host, sip_port=sip_port, control_port=control_port)
        (self.folder / "config").write_text(configuration_without_sound_card(speech, rate) + control)
        (self.folder / "accounts").write_text(f"<sip:+14155550142@127.0.0.1;transport={transport}>;regint=0;audio_codecs={codecs};ptime={milliseconds};dtmfmode={dtmf};answermode={'auto' if answers else 'manual'}\n")
        (self.folder / "contacts").write_text("")
        self.events = []
        self._answers = queue.Queue()
        self._log = open(self.folder / "baresip.log", "wb")
        self.process = subprocess.Popen(["baresip", "-4", "-f", "."], cwd=self.folder, stdin=subprocess.PIPE, stdout=self._log, stderr=subprocess.STDOUT)
        self._control = wait_until(lambda: self._connect(control_port), 10, lambda: f"baresip's control port:\n{self.log()}")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _connect(self, port):
        assert self.process.poll() is None, f"baresip ended with {self.process.returncode}:\n{self.log()}"
        try:
            return socket.create_connection(("127.0.0.1", port), 1)
        except OSError:
            return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def log(self):
        lines = (self.folder / "baresip.log").read_text(errors="replace").splitlines()
        return "\n".join([line for line in lines if line and "(bit/s)" not in line][-40:])

    def _read(self):
        self._control.settimeout(None)
        data = b""
        while True:
            try:
                received = self._control.recv(65536)
            except OSError:
                return
            if not received:
                return
            data += received
            while b":" in data:
                length, _, rest = data.partition(b":")
                if len(rest) < int(length) + 1:
                    break
                message = json.loads(rest[: int(length)])
                data = rest[int(length) + 1 :]
                if message.get("event"):
                    self.events.append((time.time(), message))
                else:
                    self._answers.put(message)

    def command(self, command, parameters=""):
        """A command of baresip's menu by its long name; returns what it says."""
        text = json.dumps({"command": command, "params": parameters}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))
        answer = self._answers.get(timeout=5)
        assert answer.get("ok"), f"{command} {parameters}: {answer}"
        return answer.get("data", "")

    def dial(self, uri):
        self.command("dial", uri)

    def types(self):
        return [event["type"] for _, event in list(self.events)]

    def wait_event(self, kind, limit=10):
        """The event of a kind (CALL_ESTABLISHED, CALL_CLOSED, …) once it has come."""

        def found():
            return next((event for _, event in list(self.events) if event["type"] == kind), None)

        return wait_until(found, limit, lambda: f"{kind}; events: {self.types()}\n{self.log()}")

    def press(self, digits):
        for digit in digits:
            self.command("sndcode", digit)

    def hang_up(self):
        self.command("hangup")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        self._control.close()
        self._reader.join(5)
        self._log.close()

    def heard(self):
        """What the phone decoded, 16-bit samples at its rate; whole only after `stop`."""
        files = sorted(self.folder.glob("dump-*-dec.wav"))
        assert files, f"baresip recorded nothing: {sorted(self.folder.iterdir())}\n{self.log()}"
        with wave.open(str(files[-1])) as recording:
            assert recording.getframerate() == self.rate and recording.getnchannels() == 1
            return np.frombuffer(recording.readframes(recording.getnframes()), np.int16)
