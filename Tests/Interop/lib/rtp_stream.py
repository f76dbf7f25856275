"""One end of a G.711 RTP stream: sends on an absolute 20 ms grid, records what comes with the kernel's time of arrival."""

import dataclasses
import random
import select
import socket
import struct
import threading
import time

import g711
import numpy as np
from waiting import wait_until

SO_TIMESTAMPNS = 35  # socket(7); Python has no name for it
FRAME = 160
FRAME_SECONDS = 0.02
EVENT = 101  # telephone-event (RFC 4733), as offered by SIPCaller
DIGITS = "0123456789*#ABCD"


@dataclasses.dataclass
class Packet:
    arrived: float  # seconds of the system clock, by the kernel
    sequence: int
    timestamp: int
    marker: bool
    payload_type: int
    ssrc: int
    payload: bytes


class RTPStream:
    """`remote` is where to send; nothing is sent before `aim` gave it. Silence is sent while there is nothing to say."""

    def __init__(self, host="127.0.0.1", payload_type=0, seed=1):
        self.payload_type = payload_type
        self.host = host
        # An even port for RTP and the next one for RTCP (RFC 3550, 11).
        while True:
            self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._rtp.bind((host, 0))
            self.port = self._rtp.getsockname()[1]
            self._rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                if self.port % 2:
                    raise OSError("odd")
                self._rtcp.bind((host, self.port + 1))
                break
            except OSError:
                self._rtp.close()
                self._rtcp.close()
        self._rtp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        randomness = random.Random(seed)
        self.ssrc = randomness.getrandbits(32)
        self._sequence = randomness.getrandbits(15)
        self._timestamp = randomness.getrandbits(31)
        self.remote = None
        self.packets = []
        self.reports = []  # RTCP packets as (arrival, bytes)
        self.unreadable = 0
        self.sending = True
        self.sent = 0
        self.worst_lateness = 0.0  # seconds behind the 20 ms grid
        self._queue = []
        self._digits = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._send, self._receive)]
        self.first_sound_sent = None  # when the first packet that counts as sounding went out

    def start(self):
        for thread in self._threads:
            thread.start()

    def aim(self, remote):
        self.remote = remote

    def stop(self):
        if not self._ended.is_set():
            self._ended.set()
            for thread in self._threads:
                if thread.ident:
                    thread.join(5)
            self._rtp.close()
            self._rtcp.close()

    # Saying

    @property
    def silence(self):
        """The byte of a silent sample."""
        return g711.SILENCE[self.payload_type]

    def play(self, samples):
        """Queues 16-bit samples at 8 kHz behind what is queued already."""
        self.play_encoded(g711.encode(samples, self.payload_type))

    def play_encoded(self, encoded):
        """The same with bytes as they go on the wire."""
        frames = [encoded[first : first + FRAME] for first in range(0, len(encoded), FRAME)]
        if frames:
            frames[-1] = frames[-1].ljust(FRAME, bytes([self.silence]))
        with self._lock:
            self._queue += frames

    def press(self, digits, milliseconds=160):
        """Queues digits as telephone-events, 60 ms of audio between them."""
        with self._lock:
            self._digits += [(digit, milliseconds) for digit in digits]

    def wait_played(self, limit):
        wait_until(lambda: not self._queue and not self._digits, limit, "end of what was queued")

    def send_raw(self, data, rtcp=False):
        """Any bytes at all, to where RTP or RTCP goes."""
        host, port = self.remote
        (self._rtcp if rtcp else self._rtp).sendto(data, (host, port + 1 if rtcp else port))

    def _send(self):
        deadline = time.monotonic()
        silence = bytes([self.silence]) * FRAME
        marker = True
        event = None  # (digit, its timestamp, duration so far, duration in the end)
        pause = 0
        turn = 0
        while not self._ended.is_set():
            deadline += FRAME_SECONDS
            self._ended.wait(max(0, deadline - time.monotonic()))
            self.worst_lateness = max(self.worst_lateness, time.monotonic() - deadline)
            turn += 1
            if self.remote is None:
                continue
            if not self.sending:
                # The media clock runs on through silence (RFC 3550, 5.1).
                self._timestamp, marker = (self._timestamp + FRAME) & 0xFFFFFFFF, True
                continue
            with self._lock:
                if event is None and self._digits and pause <= 0:
                    digit, milliseconds = self._digits.pop(0)
                    event = [DIGITS.index(digit), self._timestamp, 0, milliseconds * 8]
                frame = None if event else (self._queue.pop(0) if self._queue else silence)
            if event:
                code, timestamp, _, total = event
                event[2] += FRAME
                over = event[2] >= total
                for repeat in range(3 if over else 1):  # the end three times (RFC 4733, 2.5.1.4)
                    body = struct.pack("!BBH", code, (0x80 if over else 0) | 10, event[2])
                    self._packet(EVENT, event[2] == FRAME and repeat == 0, timestamp, body)
                if over:
                    event, pause, marker = None, 3, True
            else:
                pause -= 1
                if self.first_sound_sent is None and frame is not silence and self._sounds(frame):
                    self.first_sound_sent = time.time()
                self._packet(self.payload_type, marker, self._timestamp, frame)
                marker = False
            self._timestamp = (self._timestamp + FRAME) & 0xFFFFFFFF
            if turn % 100 == 0:
                self._report()

    def _packet(self, payload_type, marker, timestamp, payload):
        header = struct.pack("!BBHII", 0x80, (0x80 if marker else 0) | payload_type, self._sequence, timestamp & 0xFFFFFFFF, self.ssrc)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self.sent += 1
        try:
            self._rtp.sendto(header + payload, self.remote)
        except OSError:
            pass  # an ICMP answer to an earlier packet

    def _report(self):
        now = time.time() + 2208988800  # seconds since 1900
        body = struct.pack("!IIIIII", self.ssrc, int(now), int(now % 1 * 2**32), self._timestamp, self.sent, self.sent * FRAME)
        name = b"caller@test"
        item = struct.pack("!BB", 1, len(name)) + name
        item += b"\0" * (4 - len(item) % 4)
        description = struct.pack("!I", self.ssrc) + item
        try:
            self.send_raw(struct.pack("!BBH", 0x80, 200, len(body) // 4) + body + struct.pack("!BBH", 0x81, 202, len(description) // 4) + description, rtcp=True)
        except OSError:
            pass

    # Hearing

    def _receive(self):
        while not self._ended.is_set():
            readable, _, _ = select.select([self._rtp, self._rtcp], [], [], 0.1)
            for source in readable:
                try:
                    data, ancillary, _, _ = source.recvmsg(2048, 64)
                except OSError:
                    continue
                arrived = time.time()
                for level, kind, value in ancillary:
                    if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                        seconds, nanoseconds = struct.unpack("qq", value[:16])
                        arrived = seconds + nanoseconds / 1e9
                if source is self._rtcp:
                    self.reports.append((arrived, data))
                else:
                    self._take(arrived, data)

    def _take(self, arrived, data):
        if len(data) < 12 or data[0] != 0x80:
            self.unreadable += 1
            return
        sequence, timestamp, ssrc = struct.unpack("!HII", data[2:12])
        self.packets.append(Packet(arrived, sequence, timestamp, bool(data[1] & 0x80), data[1] & 0x7F, ssrc, data[12:]))

    def audio_packets(self):
        return [packet for packet in list(self.packets) if packet.payload_type == self.payload_type]

    def recording(self):
        """What was heard as 16-bit samples on the sender's time axis; what did not come is zero."""
        packets = self.audio_packets()
        if not packets:
            return np.zeros(0, np.int16)
        first = packets[0].timestamp
        # Offsets as signed 32-bit differences, so that a wrap or an early reordering does no harm.
        offsets = [((packet.timestamp - first + 2**31) & 0xFFFFFFFF) - 2**31 for packet in packets]
        origin = min(offsets)
        recorded = np.zeros(max(offset - origin + len(packet.payload) for offset, packet in zip(offsets, packets)), np.int16)
        for offset, packet in zip(offsets, packets):
            samples = g711.decode(packet.payload, self.payload_type)
            recorded[offset - origin : offset - origin + len(samples)] = samples
        return recorded

    def sounding(self, threshold=200):
        """The audio packets in which a sample is louder than the threshold."""
        return [packet for packet in self.audio_packets() if self._sounds(packet.payload, threshold)]

    def _sounds(self, payload, threshold=200):
        return np.abs(g711.decode(payload, self.payload_type).astype(int)).max(initial=0) > threshold

    def wait_heard(self, seconds, limit):
        """Waits until that much audio has come."""
        wait_until(lambda: len(self.audio_packets()) * FRAME_SECONDS >= seconds, limit, lambda: f"{seconds} s of audio; {len(self.packets)} packets came")

    def wait_heard_further(self, seconds, limit):
        """Waits until that much audio has come after what is there already."""
        self.wait_heard(len(self.audio_packets()) * FRAME_SECONDS + seconds, limit)

    def wait_sound(self, limit, after=0.0):
        """The first packet with sound that came after a moment of the system clock."""
        return wait_until(lambda: next((packet for packet in self.sounding() if packet.arrived > after), None), limit, "sound")

    def digits_heard(self):
        """Digits that came as telephone-events, each once."""
        found, last = "", None
        for packet in list(self.packets):
            if packet.payload_type == EVENT and packet.timestamp != last:
                last = packet.timestamp
                found += DIGITS[packet.payload[0]]
        return found

    def lost(self):
        """Sequence numbers missing between the first and the last packet."""
        packets = list(self.packets)
        if not packets:
            return 0
        base = packets[0].sequence
        distances = {((packet.sequence - base + 2**15) & 0xFFFF) - 2**15 for packet in packets}
        return max(distances) - min(distances) + 1 - len(distances)
