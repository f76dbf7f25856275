"""A UDP relay between one peer and the gateway that is a narrow link: each way a rate, a queue in front of it and a delay, with
losses, single or in bursts, and jitter by a seed."""

import heapq
import random
import select
import socket
import threading
import time
from dataclasses import dataclass, field

HEADERS = 28  # IP and UDP, bytes: the rate is that of the line


@dataclass
class Way:
    """One direction. All but the counters may be changed while it runs."""

    rate: float | None  # bits per second, headers of IP and UDP included; None: as fast as it comes
    queue: float = 0.3  # seconds of traffic that wait at most; what comes then is dropped
    delay: float = 0.02  # seconds, for every packet
    loss: float = 0.0  # share of packets
    burst: float = 1.0  # packets lost at a time, on average
    jitter: float = 0.0  # seconds, at most, evenly spread; packets stay in order
    passed: int = 0
    lost: int = 0
    overflowed: int = 0
    log: list = field(default_factory=list, repr=False)  # (when it came, seconds in the queue, bytes on the line), of what passed

    def waits(self, since):
        """Seconds in the queue of what came after `since`, of time.monotonic()."""
        return [waited for at, waited, _ in list(self.log) if at >= since]

    def rate_since(self, since):
        """Bits per second that came through after `since`."""
        return sum(size for at, _, size in list(self.log) if at >= since) * 8 / (time.monotonic() - since)


class NarrowRelay:
    """The peer sends to `inner`; the gateway sees everything come from `outer`. `up` leads to the gateway, `down` to the peer."""

    def __init__(self, target, rate=None, seed=1, host="127.0.0.1", **way):
        self.target = target
        self.up, self.down = Way(rate, **way), Way(rate, **way)
        self._random = random.Random(seed)
        self._free = {id(self.up): 0.0, id(self.down): 0.0}  # when the line has sent what it has
        self._last = {id(self.up): 0.0, id(self.down): 0.0}  # when the last packet arrives
        self._losing = {id(self.up): False, id(self.down): False}
        self._inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._outer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for end in (self._inner, self._outer):
            end.bind((host, 0))
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.inner, self.outer = self._inner.getsockname(), self._outer.getsockname()
        self._peer = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._ended.set()
        self._thread.join(5)
        self._inner.close()
        self._outer.close()

    def set(self, **values):
        """Changes both ways."""
        for way in (self.up, self.down):
            for name, value in values.items():
                setattr(way, name, value)

    def _is_lost(self, way):
        """Gilbert's model: `loss` of all packets, `burst` of them in a row on average."""
        if not way.loss:
            return False
        ends = 1 / max(way.burst, 1.0)
        if self._losing[id(way)]:
            self._losing[id(way)] = self._random.random() >= ends
        elif way.burst <= 1:
            return self._random.random() < way.loss
        else:
            self._losing[id(way)] = self._random.random() < way.loss * ends / (1 - way.loss)
        return self._losing[id(way)]

    def _arrival(self, way, size, now):
        """When a packet that comes now is through; None where it is not."""
        if self._is_lost(way):
            way.lost += 1
            return None
        through = now
        if way.rate:
            begins = max(now, self._free[id(way)])
            if begins - now > way.queue:
                way.overflowed += 1
                return None
            through = self._free[id(way)] = begins + size * 8 / way.rate
        way.passed += 1
        way.log.append((now, through - now, size))
        through += way.delay + self._random.uniform(0, way.jitter)
        self._last[id(way)] = max(through, self._last[id(way)])
        return self._last[id(way)]

    def _run(self):
        held, count = [], 0
        while not self._ended.is_set():
            wait = min(0.1, max(0.0, held[0][0] - time.monotonic())) if held else 0.1
            readable, _, _ = select.select([self._inner, self._outer], [], [], wait)
            for end in readable:
                try:
                    data, source = end.recvfrom(65536)
                except OSError:
                    continue
                if end is self._inner:
                    self._peer = source
                way = self.up if end is self._inner else self.down
                arrival = self._arrival(way, len(data) + HEADERS, time.monotonic())
                if arrival is not None:
                    count += 1
                    heapq.heappush(held, (arrival, count, end is self._inner, data))
            while held and held[0][0] <= time.monotonic():
                _, _, toward_gateway, data = heapq.heappop(held)
                end, to = (self._outer, self.target) if toward_gateway else (self._inner, self._peer)
                if to:
                    try:
                        end.sendto(data, to)
                    except OSError:
                        pass
