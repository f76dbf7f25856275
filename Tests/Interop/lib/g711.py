"""G.711 mu-law and A-law by the formulas of ITU-T G.711, as tables: independent of the gateway's own code."""

import numpy as np

SILENCE = {0: 0xFF, 8: 0xD5}  # by RTP payload type (RFC 3551)


def _mu_law_to_linear(code):
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return 0x84 - magnitude if code & 0x80 else magnitude - 0x84


def _a_law_to_linear(code):
    code ^= 0x55
    magnitude = (code & 0x0F) << 4
    segment = (code & 0x70) >> 4
    magnitude += 8 if segment == 0 else 0x108
    if segment > 1:
        magnitude <<= segment - 1
    return magnitude if code & 0x80 else -magnitude


_DECODE = {
    0: np.array([_mu_law_to_linear(code) for code in range(256)], np.int16),
    8: np.array([_a_law_to_linear(code) for code in range(256)], np.int16),
}


def _encoder(decode):
    """For each 16-bit sample the code whose value is nearest."""
    order = np.argsort(decode, kind="stable")
    values = decode[order].astype(np.int32)
    samples = np.arange(-32768, 32768)
    borders = (values[:-1] + values[1:]) / 2
    return order[np.searchsorted(borders, samples)].astype(np.uint8)


_ENCODE = {payload_type: _encoder(table) for payload_type, table in _DECODE.items()}


def decode(payload, payload_type=0):
    """Bytes to 16-bit samples; payload type 0 is mu-law, 8 A-law."""
    return _DECODE[payload_type][np.frombuffer(payload, np.uint8)]


def encode(samples, payload_type=0):
    """16-bit samples to bytes."""
    return _ENCODE[payload_type][np.asarray(samples, np.int16).astype(np.int32) + 32768].tobytes()
