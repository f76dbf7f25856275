"""A phone's stream of G.722 at 64 kbit/s, encoded by spandsp as the phone's own."""

import ctypes

import numpy as np
from rtp_stream import RTPStream

PAYLOAD_TYPE = 9  # its RTP clock is 8000 Hz though it has 16,000 samples a second (RFC 3551, 4.5.2)
RATE = 16000


class G722Stream(RTPStream):
    silence = 0xFA

    def __init__(self, host="127.0.0.1"):
        self._library = ctypes.CDLL("libspandsp.so.2")
        self._library.g722_encode_init.restype = ctypes.c_void_p
        super().__init__(host, PAYLOAD_TYPE)

    def play(self, samples):
        """Queues half a second of silence, in which encoder and decoder find together, and 16-bit samples at 16 kHz."""
        said = np.concatenate([np.zeros(RATE // 2, np.int16), np.asarray(samples, np.int16)])
        encoded = ctypes.create_string_buffer(len(said) // 2 + 1)
        state = ctypes.c_void_p(self._library.g722_encode_init(None, 64000, 0))
        length = self._library.g722_encode(state, encoded, said.ctypes.data_as(ctypes.c_void_p), len(said) // 2 * 2)
        self._library.g722_encode_free(state)
        self.play_encoded(encoded.raw[:length])

    def _sounds(self, payload, threshold=200):
        return payload != bytes([self.silence]) * len(payload)
