"""What PESQ (ITU-T P.862) says of recorded calls: python sound.py SPEECH.wav FOLDER [PLOT.png]

FOLDER holds GATEWAY.CONDITION.DIRECTION.CALL.wav as `Bench sound` writes them. Each is cut to where the speech begins and
compared in pieces of about 8 s; a figure is the mean over calls and pieces. Narrow band, for one end is a G.711 phone."""

import pathlib
import sys
from collections import defaultdict

import numpy as np
from pesq import pesq
from scipy.signal import resample_poly

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Tests" / "Interop" / "lib"))
from sound import best_correlation, read_wav  # noqa: E402

RATE = 8000
PIECE = 8 * RATE
LOSSES = {"clean": 0, "loss-2": 2, "loss-5": 5, "loss-10": 10, "loss-15": 15}


def narrow(samples, rate):
    return samples if rate == RATE else np.clip(resample_poly(samples.astype(np.float64), 1, rate // RATE), -32768, 32767).astype(np.int16)


def scores(said, path):
    heard = narrow(*read_wav(path))
    # The beginning finds the place; what shifts later on, by holes that a gateway closes, PESQ aligns.
    lag, correlation = best_correlation(said[: 2 * RATE], heard[: 4 * RATE], RATE)
    if correlation < (0.9 if ".clean." in path.name else 0.2):
        raise SystemExit(f"{path.name}: this is not what was said (correlation {correlation:.2f})")
    start = round(lag * RATE)
    heard = heard[start:] if start >= 0 else np.concatenate([np.zeros(-start, np.int16), heard])
    for at in range(0, len(said) - PIECE // 2, PIECE):
        piece = slice(at, min(at + PIECE, len(said)))
        yield pesq(RATE, said[piece], heard[piece], "nb")


def main(speech, folder, plot=None):
    said = narrow(*read_wav(speech))
    found = defaultdict(list)
    for path in sorted(pathlib.Path(folder).glob("*.wav")):
        gateway, condition, direction, _ = path.name.split(".", 3)
        found[gateway, condition, direction].extend(scores(said, path))
    means = {key: float(np.mean(values)) for key, values in found.items()}
    gateways = [name for name in ("codecs", "tandem", "rtpengine") if any(key[0] == name for key in means)]
    print(f"\n{'PESQ-NB':50}" + "".join(f"{name:>12}" for name in gateways))
    for direction, condition in [("phone", name) for name in LOSSES] + [("browser", "clean")]:
        way = "browser → phone" if direction == "phone" else "phone → browser"
        network = "no loss" if condition == "clean" else f"{LOSSES[condition]} % in bursts, 40 ms jitter"
        cells = (means.get((name, condition, direction)) for name in gateways)
        print(f"  {way}, {network:31}"[:50].ljust(50) + "".join("           -" if cell is None else f"{cell:12.2f}" for cell in cells))
    if plot:
        draw({name: [(LOSSES[c], means[name, c, "phone"]) for c in LOSSES if (name, c, "phone") in means] for name in gateways}, plot)


def draw(lines, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), dpi=110)
    for name, points in lines.items():
        axes.plot(*zip(*points), marker="o", label={"codecs": "the codecs alone"}.get(name, name))
    axes.set(xlabel="packets lost between browser and gateway, in bursts, with 40 ms jitter (%)", ylabel="PESQ-NB at the phone", ylim=(1, 4.5))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
