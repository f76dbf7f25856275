"""How well a line's echo is taken out: python measure.py COMMAND

COMMAND reads pairs of raw 16-bit samples of 8 kHz, what is played to the line and what comes from it, and writes what it leaves of
the latter. Recorded prompts of Asterisk's are played at -20 dBFS over a hybrid (one for each of eight recordings, seeded; 6 to 15 ms long), mu-law both
ways, line noise at -72 dBFS. Two tables: what is left while only the far end speaks, and what a voice at the line loses (PESQ)."""

import subprocess
import sys

import numpy as np
from pesq import pesq

RATE = 8000
FAR_LEVEL, NOISE_LEVEL = -20, -72  # dBFS
DELAYS = (0, 20, 60, 120, 200)
LOSSES = (6, 12, 20, 30)
SECONDS = 12
# Each played in turn until SECONDS are full.
RECORDINGS = (
    "conf-adminmenu-162", "demo-congrats", "conf-usermenu-162", "demo-instruct", "vm-intro vm-goodbye vm-sorry conf-invalid agent-pass",
    "queue-periodic-announce auth-thankyou pbx-invalid", "vm-options", "demo-abouttotry vm-rec-unv",
)
VOICES = ("Front_Center Front_Left Side_Right Rear_Left", "Side_Left Rear_Center Rear_Right Front_Right")
TALK = slice(4 * RATE, SECONDS * RATE)  # while both speak: 8 s
TALK_DELAYS = (20, 120, 200)


def raw(path):
    command = f"sox -D {path} -t raw -r {RATE} -b 16 -e signed -c 1 -"
    return np.frombuffer(subprocess.run(command, shell=True, check=True, capture_output=True).stdout, np.int16).astype(float)


def power(samples):
    return np.mean(samples.astype(float) ** 2)


def level(samples):
    return 10 * np.log10(max(power(samples), 1e-3) / 32768**2)


def spoken(names, count, loud):
    found = [raw(name) for name in names]
    sound = np.resize(np.concatenate(found), count)
    return sound * 10 ** ((loud - level(sound)) / 20)


def mu_law(samples):
    """There and back through G.711's mu-law, with its segments."""
    clipped = np.clip(np.abs(np.round(samples)), 0, 32635) + 132
    segment = np.floor(np.log2(clipped)).astype(int) - 7
    step = (clipped / 2.0 ** (segment + 3)).astype(int) & 15
    return (np.sign(samples) * (((2 * step + 33) * 2.0 ** (segment + 2)) - 132)).astype(np.int16)


def hybrid(number):
    random = np.random.default_rng(40 + number)
    taps = np.arange(48 + 10 * number)
    ringing = np.exp(-taps / (8 + 2 * number)) * (np.cos(taps * (0.5 + 0.25 * number)) + 0.4 * random.standard_normal(len(taps)))
    ringing[0] *= 0.4
    return ringing


def echo_of(far, delay, loss, response):
    echo = np.concatenate([np.zeros(delay * RATE // 1000), np.convolve(far, response)])[: len(far)]
    return echo * np.sqrt(power(far) / power(echo)) * 10 ** (-loss / 20)


def cancelled(command, far, near):
    pairs = np.stack([far, near], axis=1).astype(np.int16)
    left = subprocess.run(command, shell=True, check=True, input=pairs.tobytes(), capture_output=True).stdout
    return np.frombuffer(left, np.int16)


def below(left, far, start, end):
    span = slice(int(start * RATE), int(end * RATE))
    return 10 * np.log10(max(power(left[span]), 1e-3) / power(far[span]))


def mean_and_worst(values):
    return f"{np.mean(values):.0f} ({max(values):.0f})"


def far_end_alone(command, played, noise):
    print("What is left, in dB against what is played; the mean and, in brackets, the worst recording")
    print("\n| delay | return loss | 0 to 1 s | 1 to 2 s | 2 to 3 s | 3 to 12 s | ERLE, 3 to 12 s |\n|---|---|---|---|---|---|---|")
    misses = 0
    for delay in DELAYS:
        for loss in LOSSES:
            spans = {(0, 1): [], (1, 2): [], (2, 3): [], (3, SECONDS): []}
            for number, far in enumerate(played):
                near = mu_law(echo_of(far, delay, loss, hybrid(number)) + noise)
                left = cancelled(command, far, near)
                for span, values in spans.items():
                    values.append(below(left, far, *span))
            figures = " | ".join(mean_and_worst(values) for values in spans.values())
            later = spans[(3, SECONDS)]
            misses += sum(1 for value in later if value > -30)
            print(f"| {delay} ms | {loss} dB | {figures} | {-np.mean(later) - loss:.0f} |", flush=True)
    print(f"\n{misses} of {len(DELAYS) * len(LOSSES) * len(played)} leave more than -30 dB after 3 s\n")


def both_ends(command, played, noise):
    print("A voice at the line for 8 s over the far end, equally loud: PESQ-NB, mean and worst run")
    print("\n| return loss | as it comes | canceller | echo subtracted exactly | lost, mean | lost, worst | voice alone, canceller on | echo after it |")
    print("|---|---|---|---|---|---|---|---|")
    for loss in LOSSES:
        came, left, exact, alone, after = [], [], [], [], []
        for delay in TALK_DELAYS:
            for number, far in enumerate(played):
                clips = [f"/usr/share/sounds/alsa/{name}.wav" for name in VOICES[number % 2].split()]
                voice = np.zeros(len(far))
                voice[TALK] = spoken(clips, TALK.stop - TALK.start, FAR_LEVEL)
                longer = np.concatenate([far, far[: 2 * RATE]])
                rustle = np.resize(noise, len(longer))
                voice = np.concatenate([voice, np.zeros(2 * RATE)])
                echo = echo_of(longer, delay, loss, hybrid(number))
                near = mu_law(echo + voice + rustle)
                silent = longer.copy()
                silent[TALK] = 0
                quiet = mu_law(echo_of(silent, delay, loss, hybrid(number)) + voice + rustle)
                result = cancelled(command, longer, near)
                lone = cancelled(command, silent, quiet)

                def score(sound):
                    return pesq(RATE, voice[TALK].astype(np.int16), np.clip(sound[TALK], -32768, 32767).astype(np.int16), "nb")

                came.append(score(near))
                left.append(score(result))
                exact.append(score(near - echo))
                alone.append(score(lone))
                after.append(below(result, longer, SECONDS + 0.3, SECONDS + 2))
        lost = np.array(exact) - np.array(left)
        means = " | ".join(f"{np.mean(values):.2f}" for values in (came, left, exact))
        print(f"| {loss} dB | {means} | {np.mean(lost):.2f} | {max(lost):.2f} | {np.mean(alone):.2f} | {mean_and_worst(after)} |", flush=True)


def main(command):
    count = SECONDS * RATE
    folder = "/usr/share/asterisk/sounds/en_US_f_Allison"
    played = [mu_law(spoken([f"{folder}/{name}.wav" for name in names.split()], count, FAR_LEVEL)) for names in RECORDINGS]
    noise = np.random.default_rng(3).standard_normal(count) * 32768 * 10 ** (NOISE_LEVEL / 20)
    far_end_alone(command, played, noise)
    both_ends(command, played, noise)


main(sys.argv[1])
