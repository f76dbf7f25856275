"""What a browser heard, compared with what was said. A browser stretches and squeezes sound by some milliseconds to keep its
own jitter buffer short, so a sentence is compared in pieces, each with a delay of its own."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import resample_poly

RATE = 8000  # compared below 4 kHz: what both kinds of call carry
PIECE = RATE // 2
DTMF_ROWS, DTMF_COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
DTMF = {digit: (row, column) for row, digits in zip(DTMF_ROWS, ("123A", "456B", "789C", "*0#D")) for column, digit in zip(DTMF_COLUMNS, digits)}


@dataclass
class Speech:
    """How a sentence came back."""

    correlation: float  # the median over its pieces
    worst: float
    delay: float  # seconds from the beginning of the recording to the sentence, the median over its pieces
    spread: float  # seconds between the least and the greatest delay of a piece


def _narrow(samples, rate):
    return resample_poly(np.asarray(samples, np.float64), RATE, rate)


def speech(recording, reference, rate):
    """Finds `reference` (samples at `rate`) in a recording."""
    heard, said = _narrow(recording.samples, recording.rate), _narrow(reference, rate)
    loud = np.sqrt(np.mean(said**2)) / 4
    found = []
    for start in range(0, len(said) - PIECE + 1, PIECE):
        piece = said[start : start + PIECE]
        if np.sqrt(np.mean(piece**2)) > loud:  # a pause between words proves nothing
            correlation, at = _best(heard, piece)
            found.append((correlation, (at - start) / RATE))
    assert found, "nothing was said"
    correlations, delays = (np.array(values) for values in zip(*found))
    return Speech(float(np.median(correlations)), float(correlations.min()), float(np.median(delays)), float(np.ptp(delays)))


def _best(heard, piece):
    """The normalised correlation of `piece` where it fits best, and that place."""
    if len(heard) < len(piece):
        return 0.0, 0
    size = 1 << (len(heard) + len(piece)).bit_length()
    products = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(piece, size)), size)[: len(heard) - len(piece) + 1]
    sums = np.concatenate([[0.0], np.cumsum(heard**2)])
    energies = np.maximum(sums[len(piece) :] - sums[: -len(piece)], 1.0)  # below one step of a 16-bit sample there is nothing
    values = products / np.sqrt(energies * np.sum(piece**2))
    at = int(values.argmax())
    return float(values[at]), at


def tone(recording, start=0.5):
    """(frequency in Hz, its share of the whole power) of the loudest tone after the first `start` seconds."""
    samples = recording.samples[int(start * recording.rate) :].astype(np.float64)
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / recording.rate)
    peak = int(power[1:].argmax()) + 1
    around = np.abs(frequencies - frequencies[peak]) < 15
    return float(frequencies[peak]), float(power[around].sum() / power[1:].sum())


def loudness(recording, start=0.0):
    """The recording's level after `start` seconds in dBFS."""
    samples = recording.samples[int(start * recording.rate) :].astype(np.float64)
    return float(10 * np.log10(max(np.mean(samples**2), 1e-3) / 32768**2))


def digits(recording):
    """The DTMF digits in a recording, in order: both frequencies of a digit for at least 60 ms, and little else."""
    samples = _narrow(recording.samples, recording.rate)
    window = RATE // 25  # 40 ms
    step = RATE // 100
    times = np.arange(window) / RATE
    shape = np.hanning(window)
    found, run, last = [], 0, None
    for start in range(0, len(samples) - window + 1, step):
        digit = _digit(samples[start : start + window] * shape, times, shape)
        run = run + 1 if digit == last else 1
        last = digit
        if digit and run == 6:
            found.append(digit)
    return "".join(found)


def _digit(samples, times, shape):
    total = np.sum(samples**2)
    if total / len(samples) < 50**2:
        return None

    def share(frequency):
        # 1 for a sine of just this frequency, seen through the window.
        return 2 * abs(np.sum(samples * np.exp(-2j * np.pi * frequency * times))) ** 2 / (total * np.sum(shape**2)) * 0.75

    row, column = max(DTMF_ROWS, key=share), max(DTMF_COLUMNS, key=share)
    if share(row) + share(column) < 0.7 or min(share(row), share(column)) < 0.15:
        return None
    return next(digit for digit, pair in DTMF.items() if pair == (row, column))
