"""A network that delays datagrams in bunches and keeps their order."""

import random

from udp_relay import Relay


class BunchingRelay(Relay):
    """Each datagram takes up to `jitter` seconds longer, and none overtakes another: they come in order, in bunches."""

    def __init__(self, jitter, target=None, seed=1, host="127.0.0.1"):
        self._jitter, self._random = jitter, random.Random(seed)
        self._last = {True: 0.0, False: 0.0}
        super().__init__(target, host)

    def _arrival(self, toward_gateway, size, now):
        self._last[toward_gateway] = max(self._last[toward_gateway], now + self._jitter * self._random.random())
        return self._last[toward_gateway]
