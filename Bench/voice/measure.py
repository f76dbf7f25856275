"""How well voice activity detectors find where speech begins, in noise: python measure.py NAME=COMMAND...

Each COMMAND reads raw 16-bit samples of 8 kHz and writes one byte, 0 or 1, for every 10 ms. Utterances of a dozen voices stand in
noise of four kinds, at four ratios of speech to noise, with pauses longer than any hangover between them. The same rule makes
turns of every detector's bytes: speech begins where 3 of 4 steps of 10 ms are 1 and ends after 600 ms of 0. A command whose name
begins with "turns-" has that rule in it. An onset is counted twice: from where the voice begins, whatever noise there is, and from
where it is audible, the first step in which one octave of it is louder than the noise usually is there. Then minutes of
noise alone: how many turns begin. Then clicks of ten kinds, in silence and in noise: how many of them begin a turn."""

import subprocess
import sys

import numpy as np
from scipy.signal import butter, sosfilt

RATE = 8000
STEP = RATE // 100
PAUSE = 2.5
HANGOVER = 60
RATIOS = (30, 20, 10, 5)
SPEECH_LEVEL = -24  # dBFS while it sounds
SENTENCES = (
    "Hello, who is there?", "I would like to change my booking.", "No, wait.", "Can you repeat that please?", "Yes.",
    "My number is four one five, nine two.", "Stop talking for a moment.", "Five is too late for us.", "Okay, go on.",
    "Perhaps we should meet on Thursday.", "What does it cost?", "She sells the house.",
)
VOICES = ("en-us+m1", "en-gb+f2", "en+m3", "en-us+f4", "en-gb+m7", "en-us+f1", "en+m5", "en-gb+f5")
CLIPS = "Front_Center Front_Left Front_Right Rear_Center Side_Left Side_Right".split()


def raw(command):
    return np.frombuffer(subprocess.run(command, shell=True, check=True, capture_output=True).stdout, np.int16).astype(float)


def level(samples):
    return 20 * np.log10(max(np.sqrt(np.mean(samples**2)), 1e-3) / 32768)


def steps(samples):
    return samples[: len(samples) // STEP * STEP].reshape(-1, STEP)


def utterances():
    to_raw = f"-t raw -r {RATE} -b 16 -e signed -c 1 -"
    found = [raw(f"sox /usr/share/sounds/alsa/{name}.wav {to_raw}") for name in CLIPS]
    prompts = "vm-goodbye vm-sorry conf-invalid agent-pass auth-thankyou invalid transfer pbx-invalid vm-rec-name queue-thankyou"
    for name in prompts.split():
        found.append(raw(f"sox /usr/share/asterisk/sounds/en_US_f_Allison/{name}.wav {to_raw}"))
    for number, sentence in enumerate(SENTENCES * 2):
        voice = VOICES[number % len(VOICES)]
        found.append(raw(f'espeak-ng -v {voice} -s 150 -p {30 + 5 * (number % 9)} --stdout "{sentence}" | sox -t wav - {to_raw}'))
    for samples in found:
        loud = [level(step) for step in steps(samples)]
        active = 10 * np.log10(np.mean([10 ** (x / 10) for x in loud if x > max(loud) - 25]))
        audible = [index for index, x in enumerate(loud) if x > active - 20]
        # From the first step that is less than 20 dB below the voice to the last one.
        cut = samples[audible[0] * STEP : (audible[-1] + 1) * STEP]
        yield cut * 10 ** ((SPEECH_LEVEL - active) / 20)


def noises(count, random):
    white = random.standard_normal(count)
    spectrum = np.fft.rfft(random.standard_normal(count))
    frequency = np.maximum(np.fft.rfftfreq(count, 1 / RATE), 20)
    pink = np.fft.irfft(spectrum / np.sqrt(frequency), count)
    text = "The north wind and the sun were arguing about who was the stronger of the two when a traveller came along. " * 6
    talkers = [raw(f'espeak-ng -v {voice} -s {140 + 5 * number} --stdout "{text}" | sox -t wav - -t raw -r {RATE} -b 16 -e signed -c 1 -')
               for number, voice in enumerate(VOICES)]
    babble = np.zeros(count)
    for number, talker in enumerate(talkers * 2):
        babble += np.resize(np.roll(talker, 7919 * number), count) * (0.6 + 0.4 * random.random())
    # Rumble, tyres, and cars that pass, each for some seconds.
    rumble = sosfilt(butter(2, 300, "low", fs=RATE, output="sos"), random.standard_normal(count))
    tyres = sosfilt(butter(1, [300, 1500], "band", fs=RATE, output="sos"), random.standard_normal(count))
    passing = np.zeros(count)
    for _ in range(count // (6 * RATE)):
        at, width = random.integers(count), (0.7 + random.random()) * RATE
        passing += np.exp(-(((np.arange(count) - at) / width) ** 2))
    street = rumble * 2 + tyres * (0.4 + 1.2 * passing) + 0.1 * random.standard_normal(count)
    return {"white": white, "pink": pink, "babble": babble, "street": street}


def turns(flags, has_rule):
    """The steps at which a turn begins, and for every step whether one lasts."""
    if has_rule:
        lasting = flags.astype(bool)
        return [i for i in range(len(flags)) if lasting[i] and (i == 0 or not lasting[i - 1])], lasting
    lasting, begins, silent, speaking = np.zeros(len(flags), bool), [], 0, False
    for index, flag in enumerate(flags):
        silent = 0 if flag else silent + 1
        if not speaking and flags[max(0, index - 3) : index + 1].sum() >= 3:
            speaking = True
            begins.append(index)
        elif speaking and silent >= HANGOVER:
            speaking = False
        lasting[index] = speaking
    return begins, lasting


def judge(flags, spoken, audible, has_rule):
    """The delays from each utterance's beginning, the same from where it is audible, the share of those missed, false starts a
    minute, and the share of the noise taken for speech."""
    begins, lasting = turns(flags, has_rule)
    delays, later, missed = [], [], 0
    quiet = np.ones(len(flags), bool)
    quiet[:200] = False  # the first two seconds are for learning
    for (start, end), first in zip(spoken, audible):
        quiet[start : end + HANGOVER + 20] = False
        heard = np.flatnonzero(lasting[start : min(end, start + 50)])
        if len(heard):
            # The step is known at its end.
            delays.append(10 * (heard[0] + 1) if not lasting[start - 1] else 0)
            later.append(max(0, delays[-1] - 10 * (first - start)))
        else:
            missed += 1
    minutes = quiet.sum() / 6000
    false = sum(1 for begin in begins if quiet[begin])
    return delays, later, missed / len(spoken), false / minutes, lasting[quiet].mean()


def octaves(samples):
    """Of each step the energy above 2 kHz, above 1 kHz, above 500 Hz and below, by sums and differences."""
    energies, sums = [], samples[: len(samples) // STEP * STEP]
    for level_number in range(3):
        first, second = sums[::2], sums[1::2]
        energies.append(((first - second) ** 2).reshape(-1, STEP >> level_number + 1).sum(axis=1) / 2**level_number)
        sums = first + second
    energies.append((sums**2).reshape(-1, STEP >> 3).sum(axis=1) / 4)
    return np.array(energies)


def knowable(speech, noise, spoken):
    """What whoever knows voice and noise apart finds: the step in which each utterance is audible, the first one in which one octave of
    the voice alone is louder than the noise's was in it in the last half second on average; and the delays, from its beginning and
    from there, of three such steps of four."""
    voice = octaves(speech)
    usual = np.array([np.convolve(band, np.ones(50) / 50)[: len(band)] for band in octaves(noise)])
    loud = (voice > usual).any(axis=0)
    audible, delays = [], []
    for start, end in spoken:
        window = range(start, min(end, start + 50))
        audible.append(next((step for step in window if loud[step]), start))
        delays.append(next((10 * (step - start + 1) for step in window if loud[step - 3 : step + 1].sum() >= 3), 500))
    later = [delay - 10 * (first - start) for delay, first, (start, _) in zip(delays, audible, spoken)]
    return audible, delays, later


CLICKS = ("spike", "key", "knock", "gap") + tuple(f"burst of {length} ms" for length in (5, 10, 15, 20, 30, 40))


def click(kind, random):
    """One of them, its loudest sample 1."""
    if kind == "spike":
        return np.array([1, -0.6, 0.2])
    if kind == "key":
        # Two edges, down and up.
        edge = random.standard_normal(RATE // 250) * np.exp(-np.arange(RATE // 250) / (0.0015 * RATE))
        found = np.concatenate([edge, np.zeros(int((0.06 + 0.02 * random.random()) * RATE)), 0.7 * edge])
    elif kind == "knock":
        # A handset that is laid down: a low tone that rings off.
        time = np.arange(RATE // 5) / RATE
        found = np.exp(-time / (0.006 + 0.008 * random.random())) * np.sin(2 * np.pi * (150 + 250 * random.random()) * time)
        found += 0.3 * np.exp(-time / 0.002) * random.standard_normal(len(time))
    else:
        found = random.standard_normal(int(kind.split()[2]) * RATE // 1000)
    return found / np.abs(found).max()


def clicks(kind, noise, random):
    """Two minutes of them in noise, and the steps in which they begin."""
    sound, begins, at = noise.copy(), [], 4 * RATE
    while at < len(sound) - 2 * RATE:
        if kind == "gap":
            # Packets that were lost: nothing in the noise's place.
            sound[at : at + random.choice([160, 320])] = 0
        else:
            samples = click(kind, random) * 32768 * 10 ** (-(6 + 24 * random.random()) / 20)
            sound[at : at + len(samples)] += samples
        begins.append(at // STEP)
        at += int((1.2 + 0.8 * random.random()) * RATE)
    return np.clip(np.round(sound), -32768, 32767).astype(np.int16), begins


def flags_of(command, samples):
    return np.frombuffer(subprocess.run(command, shell=True, check=True, input=samples.tobytes(), capture_output=True).stdout, np.uint8)


def judge_clicks(commands):
    random, count = np.random.default_rng(11), 120 * RATE
    found = noises(count, np.random.default_rng(3))
    backgrounds = [np.random.default_rng(1).standard_normal(count) * 2]
    backgrounds += [found[name] * 10 ** ((-48 - level(found[name])) / 20) for name in ("white", "pink", "babble")]
    shares = {name: [] for name, _ in commands}
    for kind in CLICKS:
        sums = {name: [0, 0] for name, _ in commands}
        for number, noise in enumerate(backgrounds):
            # In silence a gap is none.
            if kind == "gap" and number == 0:
                continue
            sound, places = clicks(kind, noise, random)
            for name, command in commands:
                begins, _ = turns(flags_of(command, sound), name.startswith("turns-"))
                sums[name][0] += sum(1 for place in places if any(place <= begin < place + HANGOVER for begin in begins))
                sums[name][1] += len(places)
        for name, (taken, total) in sums.items():
            shares[name].append(taken / total)
    print("\n| clicks taken for speech | " + " | ".join(CLICKS) + " |")
    print("|---|" + "---|" * len(CLICKS))
    for name, row in shares.items():
        print(f"| {name.removeprefix('turns-')} | " + " | ".join(f"{share:.0%}" for share in row) + " |")


def judge_noise(commands, minutes=5):
    """Noise in which nobody speaks, as loud as it stands below the voice elsewhere: the turns that begin, and the share that they last."""
    ratios = [ratio for ratio in RATIOS if ratio <= 20]
    found = noises(minutes * 60 * RATE, np.random.default_rng(5))
    below = ", ".join(str(ratio) for ratio in ratios)
    print(f"\n| false starts a minute in noise alone, {below} dB below a voice (noise taken for speech) | " + " | ".join(found) + " |")
    print("|---|" + "---|" * len(found))
    for name, command in commands:
        shown = []
        for noise in found.values():
            counts, shares = [], []
            for ratio in ratios:
                sound = np.clip(np.round(noise * 10 ** ((SPEECH_LEVEL - ratio - level(noise)) / 20)), -32768, 32767).astype(np.int16)
                begins, lasting = turns(flags_of(command, sound), name.startswith("turns-"))
                # The first two seconds are for learning.
                counts.append(f"{sum(1 for begin in begins if begin >= 200) / minutes:.1f}")
                shares.append(f"{lasting[200:].mean():.0%}")
            shown.append(f"{', '.join(counts)} ({', '.join(shares)})")
        print(f"| {name.removeprefix('turns-')} | " + " | ".join(shown) + " |", flush=True)


def figures(delays, later):
    return [np.median(delays), np.percentile(delays, 95), np.percentile(later, 95)] if delays else [np.nan] * 3


def cells(row):
    median, late, later, missed, false, share = row
    return f"{median:.0f} ms | {late:.0f} ms | {later:.0f} ms | {missed:.0%} | {false:.1f} | {share:.0%}"


def main(commands):
    random = np.random.default_rng(7)
    parts, spoken, at = [np.zeros(4 * RATE)], [], 4 * RATE
    for samples in utterances():
        spoken.append((at // STEP, (at + len(samples)) // STEP))
        pause = np.zeros(int((PAUSE + random.random()) * RATE) // STEP * STEP)
        parts += [samples, pause]
        at += len(samples) + len(pause)
    speech = np.concatenate(parts)
    print(f"{len(spoken)} utterances in {len(speech) / RATE / 60:.1f} minutes\n")
    columns = "onset median | onset p95 | of what is audible | missed | false starts a minute | noise taken for speech |"
    print(f"| noise | SNR | detector | {columns}")
    print("|---|---|---|---|---|---|---|---|---|")
    conditions = [("none", 60, np.random.default_rng(1).standard_normal(len(speech)))]
    conditions += [(name, ratio, noise) for name, noise in noises(len(speech), random).items() for ratio in RATIOS]
    rows, known = {name: [] for name, _ in commands}, []
    for noise_name, ratio, noise in conditions:
        noise = noise * 10 ** ((SPEECH_LEVEL - ratio - level(noise)) / 20)
        audible, delays, later = knowable(speech, noise, spoken)
        known.append(figures(delays, later))
        mixed = np.clip(np.round(speech + noise), -32768, 32767).astype(np.int16)
        for name, command in commands:
            delays, later, *others = judge(flags_of(command, mixed), spoken, audible, name.startswith("turns-"))
            rows[name].append(figures(delays, later) + others)
            shown = "" if noise_name == "none" else f"{ratio} dB"
            print(f"| {noise_name} | {shown} | {name.removeprefix('turns-')} | {cells(rows[name][-1])} |", flush=True)
    print(f"\n| detector, over all noises | {columns}")
    print("|---|---|---|---|---|---|---|")
    for name, found in rows.items():
        print(f"| {name.removeprefix('turns-')} | {cells(np.nanmean(np.array(found), axis=0))} |")
    print("| voice and noise known apart | {:.0f} ms | {:.0f} ms | {:.0f} ms | | | |".format(*np.mean(known, axis=0)))
    print("\n| onset p95, of what is audible | no noise | " + " | ".join(f"{ratio} dB" for ratio in RATIOS) + " | 20 dB and more |")
    print("|---|" + "---|" * (len(RATIOS) + 2))
    ratios = np.array([ratio for _, ratio, _ in conditions])
    groups = [ratios == 60] + [ratios == ratio for ratio in RATIOS] + [ratios >= 20]
    for name, found in list(rows.items()) + [("voice and noise known apart", known)]:
        both = np.array([row[1:3] for row in found])
        shown = ["{:.0f}, {:.0f} ms".format(*np.nanmean(both[group], axis=0)) for group in groups]
        print(f"| {name.removeprefix('turns-')} | " + " | ".join(shown) + " |")
    judge_noise(commands)
    judge_clicks(commands)


main([argument.split("=", 1) for argument in sys.argv[1:]])
