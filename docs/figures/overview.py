"""Draw overview.png from what `make demo` made.

    python docs/figures/overview.py demo

Top: variance over time of each pixel in dB relative to that map's median, on one colour scale. Bottom:
velocity over time at the pixel marked above, the busiest of the simulated map. The sequences are the first
translated one, its simulation and the first recording: chosen by name, not by looks.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from myovivo import Sequence, plot, variance_map
from myovivo.sequences.header import sequence_files

OUT = Path(__file__).with_name("overview.png")
NAMES = {
    "silico": "simulated (in silico)",
    "translated": "translated",
    "phantom": "tissue phantom (not in vivo)",
    "vivo": "recorded (in vivo)",
}
COLOURS = {"silico": plot.SILICO, "translated": plot.TRANSLATED, "phantom": plot.VIVO, "vivo": plot.VIVO}
SHOWN = 0.5  # s of the signals


def main(demo: Path) -> None:
    translated = sequence_files(demo / "translated")[0]
    files = (demo / "silico" / translated.name, translated, sequence_files(demo / "vivo")[0])
    sequences = [Sequence.load(path) for path in files]
    maps = [variance_map(sequence) for sequence in sequences]
    relative = [variance / np.median(variance) for variance in maps]
    limits = plot.common_limits([plot.decibel(one) for one in relative], low=2)

    plt.rcParams.update({"font.size": 9, "axes.titlesize": 10, "axes.titleweight": "bold"})
    fig = plt.figure(figsize=(10, 5.7), layout="constrained")
    axes = fig.subplots(2, 3, height_ratios=(3, 1.25))
    for ax, sequence, variance in zip(axes[0], sequences, relative, strict=True):
        # A map without a unit: "SD" draws the numbers as they are.
        plot.variance_map(variance, sequence.spacing, ax, unit="SD", limits=limits, colourbar=False)
        ax.set_title(NAMES[sequence.origin])
        ax.tick_params(labelleft=ax is axes[0, 0])
    for ax in axes[0, 1:]:
        ax.set_ylabel("")
    bar = fig.colorbar(axes[0, 0].images[0], ax=axes[0], fraction=0.03, pad=0.01, shrink=0.86)
    bar.set_label("variance (dB re the map's median)")
    bar.outline.set_visible(False)

    pixel = busiest(maps[0])
    pixels = (pixel, pixel, busiest(maps[2]))
    for column, (sequence, (row, across)) in enumerate(zip(sequences, pixels, strict=True)):
        above, below, colour = axes[0, column], axes[1, column], COLOURS[sequence.origin]
        dz, dx = sequence.spacing
        place = 1e3 * (across + 0.5) * dx, 1e3 * (row + 0.5) * dz
        above.plot(*place, "o", markersize=9, fillstyle="none", color="white", markeredgewidth=1.5)
        frames = min(sequence.shape[0], round(SHOWN * sequence.frame_rate))
        time = 1e3 * np.arange(frames) / sequence.frame_rate
        velocity = 1e3 * sequence.velocity[:frames, row, across]
        if sequence.origin == "translated":
            before = 1e3 * sequences[0].velocity[:frames, row, across]
            below.plot(time, before, color=plot.SILICO, linewidth=0.9, alpha=0.7, label="simulated")
        below.plot(time, velocity, color=colour, linewidth=1.2, label=NAMES[sequence.origin].split(" (")[0])
        below.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0, fontsize=8)
        below.set(xlim=(0, time[-1]), xlabel="time (ms)")
        below.axhline(0, color="0.85", linewidth=0.6, zorder=0)
        below.spines[["top", "right"]].set_visible(False)
    axes[1, 0].set_ylabel("velocity (mm/s)")
    fig.savefig(OUT, dpi=160, metadata={"Software": None})  # the same data, the same bytes
    print(OUT)


def busiest(variance: np.ndarray) -> tuple[int, int]:
    """Row and column of the largest variance, an eighth of the image away from its edges."""
    margin_z, margin_x = (size // 8 for size in variance.shape)
    inner = variance[margin_z:-margin_z, margin_x:-margin_x]
    row, column = np.unravel_index(np.argmax(inner), inner.shape)
    return int(row) + margin_z, int(column) + margin_x


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/figures/overview.py DEMO_FOLDER (the output of `make demo`)")
    main(Path(sys.argv[1]))
