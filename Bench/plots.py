"""Plots of what `Bench curves` wrote: python plots.py FOLDER TARGET makes TARGET/cpu.png and TARGET/delay.png."""

import csv
import pathlib
import sys
from collections import defaultdict

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

COLOURS = {"bare": "tab:gray", "Tandem": "tab:blue", "rtpengine": "tab:red"}


def colour(gateway):
    return COLOURS[gateway.split()[0]]


def read(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def cpu(rows, path):
    ways = list(dict.fromkeys(row["ends"] for row in rows))
    figure, plots = pyplot.subplots(1, len(ways), figsize=(10, 4), dpi=110)
    for axes, ends in zip(plots, ways):
        lines = defaultdict(list)
        for row in rows:
            if row["ends"] == ends:
                lines[row["gateway"]].append((int(row["calls"]), float(row["cpu_ms_per_call_second"])))
        for gateway, points in lines.items():
            axes.plot(*zip(*points), marker="o", label=gateway, color=colour(gateway))
        axes.set(title=ends, xlabel="calls at once", ylabel="CPU-ms per call-second")
        axes.set_xscale("log")
        ticks = sorted({count for points in lines.values() for count, _ in points})
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend()
    figure.tight_layout()
    figure.savefig(path)


def delay(rows, path):
    ways = list(dict.fromkeys((row["ends"], row["to"]) for row in rows))
    figure, plots = pyplot.subplots(1, len(ways), figsize=(13, 3.6), dpi=110)
    for axes, (ends, to) in zip(plots, ways):
        lines = defaultdict(list)
        for row in rows:
            if (row["ends"], row["to"]) == (ends, to):
                lines[row["gateway"]].append(float(row["delay_ms"]))
        for gateway, delays in lines.items():
            delays.sort()
            shares = [100 * (place + 1) / len(delays) for place in range(len(delays))]
            axes.step(delays, shares, where="post", label=gateway, color=colour(gateway))
        there = "there and back" if "agent" in ends else f"to the {to}"
        axes.set(title=f"{ends}, {there}", xlabel="added delay (ms)", ylabel="percentile", ylim=(0, 101))
        axes.set_xlim(left=0)
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right")
    figure.tight_layout()
    figure.savefig(path)


def main(folder, target):
    folder, target = pathlib.Path(folder), pathlib.Path(target)
    cpu(read(folder / "cpu.csv"), target / "cpu.png")
    delay(read(folder / "delay.csv"), target / "delay.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
