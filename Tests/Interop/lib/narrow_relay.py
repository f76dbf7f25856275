"""A UDP relay between one peer and the gateway that is a narrow link: each way a rate, a queue in front of it and a delay, with
losses, single or in bursts, and jitter by a seed."""

import random
import time
from dataclasses import dataclass, field

from udp_relay import Relay

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


class NarrowRelay(Relay):
    """`up` leads to the gateway, `down` to the peer."""

    def __init__(self, target, rate=None, seed=1, host="127.0.0.1", **way):
        self.up, self.down = Way(rate, **way), Way(rate, **way)
        self._random = random.Random(seed)
        self._free = {id(self.up): 0.0, id(self.down): 0.0}  # when the line has sent what it has
        self._last = {id(self.up): 0.0, id(self.down): 0.0}  # when the last packet arrives
        self._losing = {id(self.up): False, id(self.down): False}
        super().__init__(target, host)

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

    def _arrival(self, toward_gateway, size, now):
        way = self.up if toward_gateway else self.down
        size += HEADERS
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
