"""Speech by espeak-ng, made once per sentence and rate and kept under out/."""

import hashlib
import os
import pathlib
import subprocess

import numpy as np

_KEPT = pathlib.Path(__file__).parent.parent / "out" / "speech"

# Long enough for a correlation to mean something, and unlike each other.
PHONE_SENTENCE = "Good morning. This is the telephone speaking, and I would like to know when the library opens on Saturday."
BROWSER_SENTENCE = "Hello from the browser. Please tell me how many apples we sold in the market yesterday afternoon."
AGENT_SENTENCE = "Thank you for calling. The opening hours are from nine in the morning until half past six in the evening."


def wav_file(sentence, rate, silence_before=0.0, silence_after=0.0, voice="en-us"):
    """A mono 16-bit WAV file of the sentence at `rate` Hz, with silence around it in seconds."""
    name = hashlib.sha256(repr((sentence, rate, silence_before, silence_after, voice)).encode()).hexdigest()[:16]
    path = _KEPT / f"{name}.wav"
    if not path.exists():
        _KEPT.mkdir(parents=True, exist_ok=True)
        spoken = subprocess.run(["espeak-ng", "-v", voice, "-s", "160", "--stdout", sentence], check=True, capture_output=True, timeout=30).stdout
        finished = path.with_suffix(f".{os.getpid()}.wav")
        subprocess.run(
            ["sox", "-q", "-D", "-t", "wav", "-", "-b", "16", "-c", "1", "-r", str(rate), str(finished),
             "gain", "-n", "-6", "pad", str(silence_before), str(silence_after)],
            input=spoken, check=True, timeout=30)  # fmt: skip
        finished.rename(path)
    return path


def samples(sentence, rate=8000, **options):
    """The sentence as 16-bit samples."""
    # 44 bytes: the header sox writes for 16-bit PCM.
    return np.frombuffer(wav_file(sentence, rate, **options).read_bytes()[44:], np.int16)


def tone(frequency, seconds, rate=8000, amplitude=8000):
    """A sine as 16-bit samples."""
    return np.round(amplitude * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)).astype(np.int16)
