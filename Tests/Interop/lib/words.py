"""Words of recorded speech, by pocketsphinx with a closed grammar. Its model of English comes within its package."""

import threading

import numpy as np
from pocketsphinx import Decoder
from scipy.signal import resample_poly

RATE = 16000  # what the model was made for
# Digital silence is like nothing the model was made of, and makes it deaf: 12 of 12 sentences with this, 5 of 12 without.
NOISE = 60


class Recogniser:
    """Knows the sentences of one grammar, and can recognise nothing else."""

    def __init__(self, *sentences):
        """Each in small letters; words in [brackets] may be left out (JSGF)."""
        self._decoder = Decoder(lm=None, samprate=RATE, loglevel="FATAL", beam=1e-80, pbeam=1e-80, wbeam=1e-60)
        self._decoder.add_jsgf_string("said", f"#JSGF V1.0; grammar said; public <said> = {' | '.join(sentences)};")
        self._decoder.activate_search("said")
        self._lock = threading.Lock()

    def words(self, samples, rate):
        """What was said; "" where it was none of the sentences."""
        samples = np.asarray(samples, np.float64)
        if rate != RATE:
            samples = resample_poly(samples, RATE, rate)
        noise = np.random.default_rng(1).normal(0, NOISE, len(samples))
        sound = np.clip(np.round(samples + noise), -32768, 32767).astype("<i2").tobytes()
        with self._lock:
            self._decoder.start_utt()
            self._decoder.process_raw(sound, full_utt=True)
            self._decoder.end_utt()
            found = self._decoder.hyp()
        return found.hypstr if found else ""


def beginnings(sentence):
    """A grammar of all the sentence's beginnings, one word and more."""
    words = sentence.split()
    return " [ ".join(words) + " ]" * (len(words) - 1)
