"""Kamailio as a carrier's proxy between the gateway and a phone (kamailio/kamailio.cfg)."""

import pathlib
import socket
import string
import subprocess

from waiting import wait_until

CONFIGURATION = pathlib.Path(__file__).parent.parent / "kamailio" / "kamailio.cfg"
HOST = "127.0.0.4"


class Kamailio:
    """Its address is known at once, so that a gateway can be told of it; it runs from `start` on. `phone` and `gateway` are
    (host, port); whoever else calls the phone must know `user` and `password`."""

    def __init__(self, folder, phone, user="tandem", password="s3cret"):
        self.folder = pathlib.Path(folder) / "kamailio"
        self.folder.mkdir(parents=True, exist_ok=True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind((HOST, 0))
            self.address = free.getsockname()
        self.uri = f"sip:{self.address[0]}:{self.address[1]}"
        self.user, self.password = user, password
        self._phone = phone
        self._log = open(self.folder / "kamailio.log", "wb")
        self.process = None

    def start(self, gateway):
        modules = sorted(pathlib.Path("/usr/lib").glob("*/kamailio/modules"))
        assert modules, "no Kamailio modules below /usr/lib"
        values = {"HOST": HOST, "PORT": self.address[1], "MODULES": modules[0], "PHONE_HOST": self._phone[0], "PHONE_PORT": self._phone[1],
                  "GATEWAY_HOST": gateway[0], "GATEWAY_PORT": gateway[1], "PASSWORD": self.password}  # fmt: skip
        (self.folder / "kamailio.cfg").write_text(string.Template(CONFIGURATION.read_text()).safe_substitute(values))
        (self.folder / "kamailio.pid").unlink(missing_ok=True)
        command = ["kamailio", "-f", "kamailio.cfg", "-DD", "-E", "-m", "32", "-M", "8", "-P", str(self.folder / "kamailio.pid"), "-Y", str(self.folder)]
        self.process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT)
        wait_until(self._listens, 15, lambda: f"Kamailio listens:\n{self.log()}")

    def _listens(self):
        assert self.process.poll() is None, f"Kamailio ended with {self.process.returncode}:\n{self.log()}"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(0.2)
            asker.bind((HOST, 0))
            host, port = asker.getsockname()
            asker.sendto(
                f"OPTIONS sip:{HOST} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK1\r\nMax-Forwards: 9\r\nFrom: <sip:t@{host}>;tag=1\r\nTo: <sip:t@{HOST}>\r\n"
                f"Call-ID: ready@{host}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n".encode(), self.address)  # fmt: skip
            try:
                return asker.recv(4096).startswith(b"SIP/2.0")
            except OSError:
                return False

    def log(self):
        return (self.folder / "kamailio.log").read_text(errors="replace")[-4000:]

    def requests(self):
        """The methods it was asked for after `start`, in order; repeated ones count once. It keeps the ACKs of its own refusals to itself."""
        lines = (self.folder / "kamailio.log").read_text(errors="replace").splitlines()
        found = dict.fromkeys(tuple(line.partition("REQUEST ")[2].split()[:4]) for line in lines if "REQUEST " in line)
        return [method for method, *_ in found if method != "OPTIONS"]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(5)
        self._log.close()
