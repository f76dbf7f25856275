"""A UDP relay between one peer and the gateway that loses, delays and reorders by a seed, both ways."""

import heapq
import random
import select
import socket
import threading
import time


class Relay:
    """The peer sends to `inner`; the gateway sees everything come from `outer` and sends there. Which datagram arrives, and when, a
    subclass says in `_arrival`."""

    def __init__(self, target, host, peer=None):
        self.target = target
        self._peer = peer
        self._inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._outer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for end in (self._inner, self._outer):
            end.bind((host, 0))
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.inner, self.outer = self._inner.getsockname(), self._outer.getsockname()
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

    def _arrival(self, toward_gateway, size, now):
        """When a datagram of `size` bytes that came at `now` goes on; None where it does not."""
        raise NotImplementedError

    def _sent(self):
        """A datagram went on."""

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
                toward_gateway = end is self._inner
                if toward_gateway:
                    self._peer = source
                arrival = self._arrival(toward_gateway, len(data), time.monotonic())
                if arrival is not None:
                    count += 1
                    heapq.heappush(held, (arrival, count, toward_gateway, data))
            while held and held[0][0] <= time.monotonic():
                _, _, toward_gateway, data = heapq.heappop(held)
                end, to = (self._outer, self.target) if toward_gateway else (self._inner, self._peer)
                if to:
                    try:
                        end.sendto(data, to)
                        self._sent()
                    except OSError:
                        pass


class UDPRelay(Relay):
    """`loss` and `late` are shares of datagrams; a late one is held back `late_seconds`. `spare_first` datagrams each way pass.
    `peer` is where the peer listens, if the gateway speaks first."""

    def __init__(self, target=None, loss=0.0, late=0.0, late_seconds=0.05, seed=1, spare_first=0, host="127.0.0.1", peer=None):
        self.loss = loss  # may be changed while it runs
        self._late, self._late_seconds = late, late_seconds
        self._random = {True: random.Random(seed), False: random.Random(seed + 1)}
        self._spare = {True: spare_first, False: spare_first}
        self.passed, self.dropped, self.delayed = 0, 0, 0
        super().__init__(target, host, peer)

    def _arrival(self, toward_gateway, size, now):
        chance = self._random[toward_gateway]
        lose, delay = chance.random() < self.loss, chance.random() < self._late
        if self._spare[toward_gateway] > 0:
            self._spare[toward_gateway] -= 1
            lose = delay = False
        if lose:
            self.dropped += 1
            return None
        self.delayed += delay
        return now + (self._late_seconds if delay else 0)

    def _sent(self):
        self.passed += 1
