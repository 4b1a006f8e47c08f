"""Imposed motion measured back through the whole chain: oscillating speckle simulated by pymust, then `acquire`.

Three motions along the beam, positive towards the probe: the whole tissue alike (rigid), by an amount linear
across the image from -A to A (lateral shear), or linear along depth from -A to A around the middle (axial
strain). Every frame is a simulation of its own. A cosine of 5 Hz at 500 frames per second has 51 different
places, and the higher frequencies use some of those, so 51 simulations per motion and amplitude do for all four.

The band-pass of 5-50 Hz passes half of its corner frequencies. The table is to show the measurement, not the
filter, so the true velocity passes the same band-pass before the two are compared: their complex amplitudes at
the frequency of the motion, over whole periods away from the ends, and the measured projected onto the true
over the pixels away from the edges. What remains at 50 Hz is known, too: an estimate averages the frame pairs
before and after its frame, which passes sin(a)/a, a = 2 pi f / frame rate: 99 % of 20 Hz, 94 % of 50 Hz.
Where neighbours move differently the speckle decides whose motion a pixel shows, so that one tissue of this
size comes out up to 3 % off; each row is the mean of four.

    python benchmarks/motion_table.py            # print the table
    python benchmarks/motion_table.py --docs     # and write docs/figures/motion.csv

Needs pymust.
"""

from __future__ import annotations

import argparse
import csv
import itertools
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pymust
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from myovivo.acquisition.acquire import acquire
from myovivo.acquisition.channel_data import ChannelData
from myovivo.signals.band_pass import band_pass

DOCS = Path(__file__).parents[1] / "docs" / "figures" / "motion.csv"

MOTIONS = ("rigid", "lateral shear", "axial strain")
FREQUENCIES = (5, 10, 20, 50)  # Hz; the first divides the others
AMPLITUDES = (1, 5, 20, 50)  # um
SNR_DB = 10.0  # of the channels

SOUND_SPEED, CENTRE, SAMPLING = 1540.0, 5e6, 20e6
ELEMENTS, PITCH = 32, 0.3e-3
TISSUES, SCATTERERS = 4, 800  # seeds, and in each
FRAME_RATE, FRAMES = 500.0, 600
KEPT = slice(100, 500)  # frames compared: whole periods of every frequency
TOP, BOTTOM, SIDE = 10e-3, 18e-3, 4e-3  # of the image, m
ROWS, COLUMNS = 24, 32
INTERIOR = (slice(3, -3), slice(4, -4))  # pixels whose windows are whole
SETTINGS = {
    "beamforming.depth": (TOP, BOTTOM),
    "beamforming.width": (-SIDE, SIDE),
    "beamforming.rows": 4 * ROWS,
    "beamforming.columns": COLUMNS,
    "velocity.axial_window": 1e-3,
    "velocity.lateral_window": 1e-3,
    "velocity.ensemble_window": 0.004,
    "output.rows": ROWS,
    "output.columns": COLUMNS,
    "output.frame_rate": None,
}
COLUMNS_OUT = (
    "motion",
    "frequency (Hz)",
    "amplitude (um)",
    "measured (%)",
    "delay (ms)",
    f"measured at {SNR_DB:g} dB (%)",
    f"delay at {SNR_DB:g} dB (ms)",
)


def pattern(motion: str, z: NDArray[Any], x: NDArray[Any]) -> NDArray[Any]:
    """Displacement towards the probe where the motion is 1 at most, on the image."""
    if motion == "lateral shear":
        return x / SIDE + 0 * z
    if motion == "axial strain":
        return (z - (TOP + BOTTOM) / 2) / ((BOTTOM - TOP) / 2) + 0 * x
    return np.ones(np.broadcast_shapes(z.shape, x.shape))


def simulated(z: NDArray[Any], x: NDArray[Any], strength: NDArray[Any]) -> NDArray[np.float32]:
    """RF (S, E) of one plane wave; the first sample is at the moment it leaves the probe."""
    param = pymust.utils.Param(
        fc=CENTRE, fs=SAMPLING, c=SOUND_SPEED, pitch=PITCH, kerf=PITCH / 10, Nelements=ELEMENTS, radius=np.inf
    )
    param.update(bandwidth=60, TXnow=2)
    # A silent scatterer in the far corner: the length of a record depends on the farthest one.
    x, z, strength = np.append(x, 5.5e-3), np.append(z, 20e-3), np.append(strength, 0.0)
    return pymust.simus(x, z, strength, np.zeros((1, ELEMENTS)), param)[0]


def measure(motion: str, amplitude: float, seed: int) -> NDArray[np.complex128]:
    """Measured over true complex amplitude in one tissue: (frequency, without and with noise); `amplitude` in um."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-5e-3, 5e-3, SCATTERERS)
    z = rng.uniform(TOP - 1e-3, BOTTOM + 1e-3, SCATTERERS)
    strength = rng.standard_normal(SCATTERERS)
    period = round(FRAME_RATE / FREQUENCIES[0])
    shift = amplitude * 1e-6 * pattern(motion, z, x)
    places = np.arange(period // 2 + 1)
    rf = np.stack([simulated(z - shift * np.cos(2 * np.pi * k / period), x, strength) for k in places])
    noise = np.sqrt(np.mean(np.square(rf))) * 10 ** (-SNR_DB / 20)

    pixel_z = (TOP + (np.arange(ROWS) + 0.5) * (BOTTOM - TOP) / ROWS)[:, None]
    pixel_x = (np.arange(COLUMNS) + 0.5) * 2 * SIDE / COLUMNS - SIDE
    where = pattern(motion, pixel_z, pixel_x)
    ratios = np.empty((len(FREQUENCIES), 2), complex)
    for row, frequency in enumerate(FREQUENCIES):
        k = np.arange(FRAMES) * (frequency // FREQUENCIES[0]) % period
        data = rf[np.minimum(k, period - k)]
        omega = 2 * np.pi * frequency
        course = -amplitude * 1e-6 * omega * np.sin(omega * np.arange(FRAMES) / FRAME_RATE)
        course = band_pass(course[:, None, None].astype(np.float32), FRAME_RATE, (5.0, 50.0))
        true = (complex_amplitude(course, frequency) * where)[INTERIOR]
        # Without noise there is a trace of it, as two equal frames in a row would count as a dropped one.
        for column, added in enumerate((1e-4 * noise, noise)):
            received = data + np.float32(added) * rng.standard_normal(data.shape, np.float32)
            sequence = acquire(channels(received), quiet=True, **SETTINGS)
            found = complex_amplitude(sequence.velocity, frequency)[INTERIOR]
            ratios[row, column] = np.vdot(true, found) / np.vdot(true, true)
    return ratios


def channels(rf: NDArray[np.float32]) -> ChannelData:
    """What the simulated probe received."""
    return ChannelData.of_array(
        rf,
        pitch=PITCH,
        frame_rate=FRAME_RATE,
        sampling_frequency=SAMPLING,
        centre_frequency=CENTRE,
        sound_speed=SOUND_SPEED,
    )


def complex_amplitude(velocity: NDArray[Any], frequency: float) -> NDArray[np.complexfloating[Any]]:
    """(T, Z, X) -> (Z, X), at the frequency of the motion."""
    t = np.arange(len(velocity))[KEPT] / FRAME_RATE
    carrier = np.exp(-2j * np.pi * frequency * t)
    return 2 * np.tensordot(carrier, velocity[KEPT], 1) / len(t)


def run() -> list[dict[str, Any]]:
    """All rows: by motion, then frequency, then amplitude."""
    conditions = list(itertools.product(MOTIONS, AMPLITUDES))
    jobs = [joblib.delayed(measure)(*condition, seed) for condition in conditions for seed in range(TISSUES)]
    found = np.reshape(joblib.Parallel(n_jobs=-1)(jobs), (len(MOTIONS), len(AMPLITUDES), TISSUES, -1, 2)).mean(2)
    rows = []
    for m, f, a in np.ndindex(len(MOTIONS), len(FREQUENCIES), len(AMPLITUDES)):
        values = [MOTIONS[m], FREQUENCIES[f], AMPLITUDES[a]]
        for ratio in found[m, a, f]:
            values += [100 * abs(ratio), -np.angle(ratio) / (2 * np.pi * FREQUENCIES[f]) * 1e3]
        rows.append(dict(zip(COLUMNS_OUT, values, strict=True)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", action="store_true", help="write docs/figures/motion.csv")
    arguments = parser.parse_args()

    rows = run()
    table = Table(*COLUMNS_OUT, title="imposed motion measured back through the whole chain")
    for row in rows:
        table.add_row(*written(row))
    Console().print(table)
    for measured in (COLUMNS_OUT[3], COLUMNS_OUT[5]):
        worst = max(rows, key=lambda row: abs(row[measured] - 100))
        print(f"worst {measured}: " + ", ".join(f"{name} {v}" for name, v in zip(worst, written(worst), strict=True)))
    if arguments.docs:
        with DOCS.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS_OUT)
            writer.writerows(written(row) for row in rows)


def written(row: dict[str, Any]) -> list[str]:
    """The cells of a row."""
    kinds = ("", "", "g", ".1f", ".2f", ".1f", ".2f")
    return [f"{value:{kind}}" for value, kind in zip(row.values(), kinds, strict=True)]


if __name__ == "__main__":
    main()
