"""A phone on a two-wire line: its hybrid sends back what is played to it."""

import g711
import numpy as np
from rtp_stream import FRAME, RTPStream


class HybridStream(RTPStream):
    """Adds to what it sends what it heard `delay_ms` ago, `loss_db` weaker and with a hybrid's short ringing."""

    def __init__(self, host="127.0.0.1", payload_type=0, seed=1, delay_ms=100, loss_db=12):
        super().__init__(host, payload_type, seed)
        self._delay = delay_ms * 8
        response = np.array([0.2, 0.9, 0.5, -0.4, -0.25, 0.15, 0.1, -0.05])
        self._response = response / np.sqrt(np.sum(response**2)) * 10 ** (-loss_db / 20)
        self._heard, self._first, self._at = np.zeros(8000 * 120), None, None
        self._end = 0

    def _take(self, arrived, data):
        super()._take(arrived, data)
        packet = self.packets[-1]
        if packet.payload_type != self.payload_type:
            return
        if self._first is None:
            self._first = packet.timestamp
        at = (packet.timestamp - self._first) & 0xFFFFFFFF
        if at + FRAME <= len(self._heard):
            self._heard[at : at + FRAME] = g711.decode(packet.payload, self.payload_type)[:FRAME]
            self._end = at + FRAME

    def _packet(self, payload_type, marker, timestamp, payload):
        if payload_type == self.payload_type and self._first is not None:
            self._at = self._end - self._delay if self._at is None else self._at + FRAME
            span = np.arange(self._at - len(self._response) + 1, self._at + FRAME)
            line = np.where(span >= 0, self._heard[np.clip(span, 0, None)], 0)
            echo = np.convolve(line, self._response, "valid")
            payload = g711.encode(np.clip(np.round(g711.decode(payload, payload_type) + echo), -32768, 32767).astype(np.int16), payload_type)
        super()._packet(payload_type, marker, timestamp, payload)
