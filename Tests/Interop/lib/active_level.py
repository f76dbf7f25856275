"""How loud speech is while it sounds."""

import numpy as np


def active_level(samples, rate=8000):
    """dBFS of what is no pause: steps of 10 ms at most 16 dB below the result, and the 200 ms after them (as in ITU-T P.56)."""
    steps = samples[: len(samples) // (rate // 100) * (rate // 100)].astype(float).reshape(-1, rate // 100)
    powers = (steps**2).mean(axis=1) / 32768**2 + 1e-12
    level = 10 * np.log10(powers.mean())
    for _ in range(20):
        loud = 10 * np.log10(powers) > level - 15.9
        active = np.convolve(loud, np.ones(20))[: len(loud)] > 0
        level = (level + 10 * np.log10(powers[active].mean())) / 2
    return level
