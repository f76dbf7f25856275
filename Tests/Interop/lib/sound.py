"""Judges recorded sound: is this what was said, whole and clean? Samples are mono, 16-bit numbers; times as the names say."""

import wave
from dataclasses import dataclass, field

import numpy as np
from pesq import pesq
from scipy.signal import fftconvolve, resample_poly

SILENCE = 64.0  # RMS of 16-bit samples (-54 dBFS) below which nothing is heard
SHORTEST_GAP_MS = 5


def read_wav(path):
    """(samples, rate) of a mono 16-bit WAV file. Of a file whose recorder was killed, what is there."""
    with wave.open(str(path), "rb") as file:
        if (file.getnchannels(), file.getsampwidth()) != (1, 2):
            raise ValueError(f"{path} is not mono 16-bit")
        data = file.readframes(file.getnframes())
        return np.frombuffer(data[: len(data) // 2 * 2], "<i2"), file.getframerate()


def write_wav(path, samples, rate):
    """Writes samples as a mono 16-bit WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", "not compressed"))
        file.writeframes(np.clip(np.round(samples), -32768, 32767).astype("<i2").tobytes())


def best_correlation(reference, recording, rate):
    """(lag in seconds, normalised correlation) where `reference` fits `recording` best.

    A positive lag: the reference begins so much after the recording does. The correlation is 1 only when the whole
    reference is there, at any loudness: what the recording does not reach counts as silence in it."""
    said, heard = np.asarray(reference, np.float64), np.asarray(recording, np.float64)
    if not said.any() or not heard.any():
        return 0.0, 0.0
    # Entry i belongs to the lag i - (len(said) - 1).
    products = fftconvolve(heard, said[::-1])
    sums = np.concatenate([[0.0], np.cumsum(heard**2)])
    lags = np.arange(len(products)) - (len(said) - 1)
    energies = sums[np.minimum(lags + len(said), len(heard))] - sums[np.maximum(lags, 0)]
    # Next to nothing in the recording would be divided by next to nothing.
    values = np.where(energies > sums[-1] * 1e-6, products / np.sqrt(np.maximum(energies, 1e-9) * np.sum(said**2)), 0.0)
    best = int(values.argmax())
    return float(lags[best] / rate), float(values[best])


def longest_gap_ms(samples, rate):
    """The longest silence between the first and the last sound in milliseconds: quieter than 30 dB under the loud parts."""
    return max((length for _, length in gaps_ms(samples, rate)), default=0.0)


def gaps_ms(samples, rate):
    """[(start, length)] in milliseconds of the silences of 5 ms and more between the first and the last sound."""
    spans = _sounding_spans(samples, rate, 30)
    scale = 1000 / rate
    return [(end * scale, (start - end) * scale) for (_, end), (start, _) in zip(spans, spans[1:])]


@dataclass
class ToneReport:
    """What a recording that should hold one steady tone really holds; the fields without sound are as they stand here."""

    frequency: float = 0.0  # Hz, from the phase
    snr_db: float = -np.inf  # the tone against everything else while it sounds
    level_dbfs: float = -np.inf  # RMS while it sounds; 0 is a full-scale square wave
    first_sound_ms: float | None = None
    last_sound_ms: float | None = None
    gaps_ms: list = field(default_factory=list)  # (start, length)
    clicks: int = 0  # cuts, repeats, spikes; edges of gaps do not count

    @property
    def longest_gap_ms(self):
        return max((length for _, length in self.gaps_ms), default=0.0)


def tone_report(samples, rate, expected_hz):
    """Judges a tone of `expected_hz`, which may be off by 20 Hz."""
    samples = np.asarray(samples, np.float64)
    spans = _sounding_spans(samples, rate, 20, shortest_ms=max(SHORTEST_GAP_MS, 1000 / expected_hz))
    if not spans:
        return ToneReport()
    scale = 1000 / rate
    gaps = [(end * scale, (start - end) * scale) for (_, end), (start, _) in zip(spans, spans[1:])]
    frequency = _frequency(samples, spans, rate, expected_hz)
    # A gap's edges and their ramps belong to the gap.
    margin, block = rate // 200, rate // 50
    total = residual = count = clicks = 0
    for start, end in spans:
        was_click = False
        for at in range(start + margin, end - margin - block + 1, block):
            piece = samples[at : at + block]
            angles = 2 * np.pi * frequency / rate * np.arange(block)
            waves = np.stack([np.cos(angles), np.sin(angles)], axis=1)
            weights = np.linalg.lstsq(waves, piece, rcond=None)[0]
            left = piece - waves @ weights
            total, residual, count = total + np.sum(piece**2), residual + np.sum(left**2), count + block
            # A codec's noise is spread out and small; a jump stands out of the amplitude.
            is_click = np.abs(left).max() > 0.25 * max(np.hypot(*weights), SILENCE)
            clicks += is_click and not was_click
            was_click = is_click
    report = ToneReport(frequency=frequency, first_sound_ms=spans[0][0] * scale, last_sound_ms=spans[-1][1] * scale, gaps_ms=gaps)
    if count:
        report.level_dbfs = float(10 * np.log10(total / count / 32768**2))
        report.snr_db = float(10 * np.log10(max(total - residual, 1e-9) / max(residual, 1e-9)))
        report.clicks = int(clicks)
    return report


def pesq_score(reference, recording, rate):
    """PESQ (about 1 to 4.6) of the recording against the reference, found in it first: narrow band at 8000 Hz, else wide band.

    Raises ValueError when the reference is not in the recording: a score of other speech would mean nothing."""
    lag, correlation = best_correlation(reference, recording, rate)
    if correlation < 0.3:
        raise ValueError(f"the recording is not of the reference (correlation {correlation:.2f})")
    said, heard = np.asarray(reference, np.float64), np.asarray(recording, np.float64)
    shift = round(lag * rate)
    heard = heard[shift:] if shift >= 0 else np.concatenate([np.zeros(-shift), heard])
    heard = np.pad(heard[: len(said)], (0, max(0, len(said) - len(heard))))
    scored, mode = (8000, "nb") if rate < 16000 else (16000, "wb")
    if rate != scored:
        said, heard = resample_poly(said, scored, rate), resample_poly(heard, scored, rate)
    as_samples = (np.clip(np.round(values), -32768, 32767).astype(np.int16) for values in (said, heard))
    return float(pesq(scored, *as_samples, mode))


def _sounding_spans(samples, rate, depth_db, shortest_ms=SHORTEST_GAP_MS):
    """[(start, end)] in samples of what is louder than `depth_db` under the loud parts, over silences shorter than a gap."""
    samples = np.asarray(samples, np.float64)
    # Peaks of half a millisecond.
    hop = max(1, rate // 2000)
    count = len(samples) // hop
    if count == 0:
        return []
    peaks = np.abs(samples[: count * hop]).reshape(count, hop).max(axis=1)
    audible = peaks[peaks > SILENCE]
    if not len(audible):
        return []
    loud = np.flatnonzero(peaks > max(SILENCE, np.percentile(audible, 75) * 10 ** (-depth_db / 20)))
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) - 1 >= shortest_ms / 1000 * rate / hop)
    starts = np.concatenate([[loud[0]], loud[breaks + 1]])
    ends = np.concatenate([loud[breaks], [loud[-1]]]) + 1
    return [(int(start * hop), int(end * hop)) for start, end in zip(starts, ends)]


def _frequency(samples, spans, rate, near):
    """The mean advance of the phase against `near` from one 10 ms to the next, as a frequency."""
    hop = rate // 100
    # Two hops long and tapered, so that the tone's mirror at the negative frequency does not bend the phase.
    shape = np.hanning(2 * hop + 1)[:-1]
    advance = 0j
    for start, end in spans:
        phasors = [
            np.sum(samples[at : at + 2 * hop] * shape * np.exp(-2j * np.pi * near / rate * np.arange(at, at + 2 * hop)))
            for at in range(start, end - 2 * hop + 1, hop)
        ]
        advance += sum(later * np.conj(earlier) for earlier, later in zip(phasors, phasors[1:]))
    return float(near + np.angle(advance) / (2 * np.pi) * rate / hop) if advance else 0.0
