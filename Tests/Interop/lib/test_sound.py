"""The judges are judged first: each must see what is wrong with a sound, and nothing in a good one."""

import numpy as np
import pytest
import sound


def _tone(hertz, seconds, rate, amplitude=8000.0):
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def _speech(seconds, rate, seed):
    """Syllables of gliding harmonics with pauses: enough like speech for PESQ to find utterances in it."""
    random = np.random.default_rng(seed)
    out = np.zeros(int(seconds * rate))
    at = 0.2
    while at < seconds - 0.4:
        for _ in range(random.integers(2, 6)):
            length = random.uniform(0.12, 0.25)
            time = np.arange(int(length * rate)) / rate
            phase = 2 * np.pi * (random.uniform(90, 170) * time + random.uniform(-60, 60) * time**2)
            formant = random.uniform(300, 800)
            syllable = sum(np.exp(-(((130 * n - formant) / 400) ** 2)) * np.sin(n * phase) for n in range(1, 20))
            start = int(at * rate)
            piece = (3000 * syllable * np.sin(np.pi * time / length))[: max(0, len(out) - start)]
            out[start : start + len(piece)] += piece
            at += length
        at += random.uniform(0.1, 0.3)
    return out


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_correlation_finds_the_place_and_only_the_right_speech(rate):
    said = _speech(4, rate, 1)
    heard = np.concatenate([np.zeros(rate // 3), said / 3, np.zeros(rate // 2)])
    lag, correlation = sound.best_correlation(said, heard, rate)
    assert lag == pytest.approx((rate // 3) / rate, abs=1e-9) and correlation > 0.999
    lag, correlation = sound.best_correlation(said, said[rate // 2 :], rate)
    assert lag == pytest.approx(-0.5) and 0.8 < correlation < 0.9999
    assert sound.best_correlation(said, _speech(4, rate, 2), rate)[1] < 0.5
    assert sound.best_correlation(said, np.random.default_rng(1).normal(0, 3000, len(said)), rate)[1] < 0.2
    assert sound.best_correlation(said, -said, rate)[1] < 0.9
    assert sound.best_correlation(said, np.zeros(rate), rate) == (0.0, 0.0)
    assert sound.best_correlation(said, [], rate) == (0.0, 0.0)


def test_correlation_counts_what_is_missing():
    said = _speech(4, 8000, 1)
    assert sound.best_correlation(said, said[:16000], 8000)[1] < 0.85
    holed = said.copy()
    holed[10000:18000] = 0
    assert sound.best_correlation(said, holed, 8000)[1] < 0.95


@pytest.mark.parametrize("length", [10, 20, 60, 500])
def test_gaps_have_their_place_and_length(length):
    samples = np.concatenate([np.zeros(800), _tone(300, 2, 8000), np.zeros(4000)])
    assert sound.longest_gap_ms(samples, 8000) == 0
    samples[8000 : 8000 + 8 * length] = 0
    ((start, found),) = sound.gaps_ms(samples, 8000)
    assert start == pytest.approx(1000, abs=3) and found == pytest.approx(length, abs=4)
    assert sound.longest_gap_ms(samples, 8000) == found
    assert sound.longest_gap_ms(np.zeros(8000), 8000) == 0


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 48000])
def test_a_clean_tone_is_reported_as_it_is(rate):
    report = sound.tone_report(np.concatenate([np.zeros(rate // 4), _tone(443, 2, rate)]), rate, 440)
    assert report.frequency == pytest.approx(443, abs=0.05)
    assert report.level_dbfs == pytest.approx(20 * np.log10(8000 / 32768) - 3.01, abs=0.1)
    assert report.snr_db > 60 and report.clicks == 0 and report.gaps_ms == []
    assert report.first_sound_ms == pytest.approx(250, abs=1) and report.last_sound_ms == pytest.approx(2250, abs=1)


def test_a_bad_tone_is_reported_as_bad():
    tone = _tone(440, 2, 16000)
    noisy = tone + np.random.default_rng(1).normal(0, 8000 / np.sqrt(2) / 10, len(tone))
    assert sound.tone_report(noisy, 16000, 440).snr_db == pytest.approx(20, abs=0.5)
    assert sound.tone_report(np.delete(tone, slice(9000, 9018)), 16000, 440).clicks == 1
    spike = tone.copy()
    spike[12345] = 32767
    assert sound.tone_report(spike, 16000, 440).clicks == 1
    holed = tone.copy()
    holed[8005:8325] = 0
    report = sound.tone_report(holed, 16000, 440)
    assert len(report.gaps_ms) == 1 and report.longest_gap_ms == pytest.approx(20, abs=2) and report.clicks == 0
    assert sound.tone_report(tone, 16000, 1000).snr_db < 0
    assert sound.tone_report(np.zeros(16000), 16000, 440) == sound.ToneReport()
    assert sound.tone_report([], 16000, 440).first_sound_ms is None


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_pesq_falls_with_noise_and_refuses_other_speech(rate):
    said = _speech(6, rate, 1)
    late = np.concatenate([np.zeros(rate // 3), said])
    noise = np.random.default_rng(1).normal(0, 300, len(late))
    clean, noisy = sound.pesq_score(said, late, rate), sound.pesq_score(said, late + noise, rate)
    assert clean > 4.2
    assert noisy < clean - 0.5
    with pytest.raises(ValueError):
        sound.pesq_score(said, np.random.default_rng(2).normal(0, 3000, len(late)), rate)


def test_a_wav_file_comes_back(tmp_path):
    samples = np.round(_tone(440, 0.1, 8000)).astype(np.int16)
    sound.write_wav(tmp_path / "tone.wav", samples, 8000)
    again, rate = sound.read_wav(tmp_path / "tone.wav")
    assert rate == 8000 and np.array_equal(samples, again)
