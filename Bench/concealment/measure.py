"""How lost packets are concealed: python measure.py COMMAND

COMMAND CODEC METHOD MILLISECONDS LOST reads raw 16-bit samples (8 kHz for G711, else 16 kHz) and writes what is heard of them when the
packets with a 1 in LOST do not come. PESQ, narrow-band for G711 and wide-band for the others, is the mean of eight clips; the losses
are seeded and the same for each method. At the end: what the clip gains that gains least by ours beside spandsp's."""

import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from pesq import pesq

SECONDS = 8
LEVEL = -22  # dBFS
PROMPTS = ("demo-congrats", "conf-adminmenu-162", "vm-options", "queue-periodic-announce auth-thankyou pbx-invalid")
VOICES = ("en-us+m1", "en-gb+m7", "en-us+f4")
TEXT = "I would like to change my booking to Thursday, for five is too late for us. Can you repeat that please? She sells the house by the sea."
CODECS = {"G711": (8000, "nb"), "L16": (16000, "wb"), "G722": (16000, "wb")}
METHODS = ("silence", "spandsp", "tandem")
# Name: share of packets lost, packets lost at a time, milliseconds of a packet.
LOSSES = {
    "1 %, one by one": (0.01, 1, 20), "3 %": (0.03, 1, 20), "5 %": (0.05, 1, 20), "10 %": (0.1, 1, 20), "5 % in packets of 10 ms": (0.05, 1, 10),
    "5 % in bursts of 40 ms": (0.05, 2, 20), "10 % in bursts of 40 ms": (0.1, 2, 20), "5 % in bursts of 60 ms": (0.05, 3, 20),
    "10 % in bursts of 60 ms": (0.1, 3, 20),
}  # fmt: skip


def sound(command, rate):
    """Eight seconds of it, all equally loud."""
    done = subprocess.run(f"{command} | sox -t wav - -t raw -r {rate} -b 16 -e signed -c 1 -", shell=True, check=True, capture_output=True)
    samples = np.resize(np.frombuffer(done.stdout, np.int16).astype(float), SECONDS * rate)
    return np.round(samples * 32768 * 10 ** (LEVEL / 20) / np.sqrt(np.mean(samples**2))).clip(-32768, 32767).astype(np.int16)


def clips(rate):
    alsa = " ".join(f"/usr/share/sounds/alsa/{name}.wav" for name in ("Front_Center", "Side_Left", "Rear_Right", "Front_Left", "Rear_Center"))
    commands = [f"sox {alsa} -t wav -"]
    for names in PROMPTS:
        files = " ".join(f"/usr/share/asterisk/sounds/en_US_f_Allison/{name}.wav" for name in names.split())
        commands.append(f"sox {files} -t wav -")
    commands += [f"espeak-ng -v {voice} -s 150 --stdout {shlex.quote(TEXT)}" for voice in VOICES]
    return [sound(command, rate) for command in commands]


def losses(share, burst, milliseconds, number):
    """One character for each packet; the first half second comes whole."""
    random = np.random.default_rng([number, int(1000 * share), burst, milliseconds])
    count, first = SECONDS * 1000 // milliseconds, 500 // milliseconds
    lost = np.zeros(count, int)
    while lost.sum() < share * count:
        start = random.integers(first, count - burst)
        # Bursts that touch would be longer ones.
        if not lost[start - 1 : start + burst + 1].any():
            lost[start : start + burst] = 1
    return "".join(map(str, lost))


def heard(command, codec, method, milliseconds, lost, clip):
    rate, scale = CODECS[codec]
    words = [*shlex.split(command), codec, method, str(milliseconds), lost]
    done = subprocess.run(words, check=True, input=clip.tobytes(), capture_output=True)
    return pesq(rate, clip, np.frombuffer(done.stdout, np.int16), scale)


def main(command):
    spoken = {codec: clips(rate) for codec, (rate, _) in CODECS.items()}
    gains = {codec: [[] for _ in spoken[codec]] for codec in CODECS}
    print("| lost | " + " | ".join(f"{codec}: silence | spandsp | here" for codec in CODECS) + " |")
    print("|---" * (1 + 3 * len(CODECS)) + "|")
    with ThreadPoolExecutor() as pool:
        for name, (share, burst, milliseconds) in LOSSES.items():
            row = [name]
            for codec in CODECS:
                marks = {
                    method: list(pool.map(
                        lambda item: heard(command, codec, method, milliseconds, losses(share, burst, milliseconds, item[0]), item[1]),
                        enumerate(spoken[codec])))
                    for method in METHODS
                }  # fmt: skip
                row += [f"{np.mean(marks[method]):.2f}" for method in METHODS]
                for gain, ours, theirs in zip(gains[codec], marks["tandem"], marks["spandsp"]):
                    gain.append(ours - theirs)
            print("| " + " | ".join(row) + " |", flush=True)
    print("\nBeside spandsp's, mean of all losses: the clip that gains least, and the mean of the clips")
    for codec, each in gains.items():
        means = [np.mean(gain) for gain in each]
        print(f"{codec}: {min(means):+.3f}, {np.mean(means):+.3f}")


main(sys.argv[1])
