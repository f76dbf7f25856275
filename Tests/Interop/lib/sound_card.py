"""A sound card for machines that have none: PulseAudio with a null sink.

Firefox keeps an AudioContext suspended for ever where there is no output at all, and with it the page's level meters."""

import os
import subprocess
import tempfile

from waiting import wait_until


class SoundCard:
    """Runs until `stop`; programs find it by `server` as PULSE_SERVER in their environment."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="tandem-sound-")
        folder = self._folder.name
        socket = f"{folder}/native"
        self._log = open(f"{folder}/log", "w+")
        self._process = subprocess.Popen(
            ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "-L", "module-null-sink rate=48000",
             "-L", f"module-native-protocol-unix socket={socket} auth-anonymous=1"],
            env={**os.environ, "HOME": folder, "XDG_RUNTIME_DIR": folder}, stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT)  # fmt: skip
        wait_until(lambda: self._process.poll() is not None or os.path.exists(socket), 20, "PulseAudio's socket")
        assert self._process.poll() is None, f"PulseAudio does not start:\n{self._read_log()}"
        self.server = f"unix:{socket}"

    def _read_log(self):
        self._log.seek(0)
        return self._log.read()

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._log.close()
        self._folder.cleanup()
