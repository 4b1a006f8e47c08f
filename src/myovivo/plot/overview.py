"""One figure that shows what a sequence is: where it moves, how fast at each depth, over time, at which frequencies."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .curves import depth_profile
from .maps import territories, variance_map
from .style import SILICO, TRANSLATED, SequenceLike, unframed
from .units import raster


def overview(sequence: SequenceLike, title: str = "") -> Figure:
    """Draw a sequence on one figure: its variance map with the territories, the speed by depth, the pixel that moves
    most over time, the power spectrum, and the firings if they are known.

    Parameters
    ----------
    sequence : a `Sequence`; velocity (T, Z, X), m/s
    title : heading of the figure

    Returns
    -------
    Figure : in mm, mm/s and ms; `figure.savefig("fig.pdf")` writes it

    Examples
    --------
    >>> import myovivo as mv
    >>> figure = mv.plot.overview(mv.simulate(seed=0, **{"grid.frames": 256}))
    >>> len(figure.axes) >= 5
    True
    """
    from matplotlib import pyplot  # only here: drawing on given axes needs no window system

    labels = getattr(sequence, "labels", None)
    rows = [["map", "depth", "spectrum"], ["course"] * 3] + ([["firings"] * 3] if labels is not None else [])
    width = float(pyplot.rcParams["figure.figsize"][0])
    width = width if width < 6 else max(width, 9.0)  # a journal's width is kept, the default is too narrow
    figure = pyplot.figure(figsize=(width, width * (0.75 if labels is not None else 0.6)), layout="constrained")
    axes = figure.subplot_mosaic(rows, height_ratios=[2.2] + [1] * (len(rows) - 1))  # type: ignore[arg-type]

    variance_map(sequence, ax=axes["map"])
    if labels is not None:
        territories(sequence, ax=axes["map"])
        raster(labels.spike_times, len(sequence.velocity) / sequence.frame_rate, ax=axes["firings"])
        axes["firings"].set_ylabel("motor unit")
    _speed_by_depth(sequence, axes["depth"])
    _spectrum(sequence, axes["spectrum"])
    _course(sequence, axes["course"])
    if title:
        figure.suptitle(title)
    return figure


def _speed_by_depth(sequence: SequenceLike, ax: Axes) -> None:
    """RMS over the frames, mean and SD over the lateral direction."""
    speed = np.sqrt(np.mean(np.square(sequence.velocity, dtype=np.float64), axis=0))  # (Z, X)
    depth = (np.arange(len(speed)) + 0.5) * sequence.spacing[0]
    depth_profile(depth, speed.mean(axis=1), speed.std(axis=1), ax)
    ax.set_xlabel("RMS velocity (mm/s)")
    ax.set_xlim(left=0)


def _spectrum(sequence: SequenceLike, ax: Axes) -> None:
    power = _mean_power(1e3 * sequence.velocity, sequence.frame_rate)
    frequency = np.fft.rfftfreq(len(sequence.velocity), 1 / sequence.frame_rate)
    level = 10 * np.log10(np.maximum(power, np.finfo(float).tiny))
    ax.plot(frequency[1:], level[1:], color=TRANSLATED)
    ax.set(xlabel="frequency (Hz)", ylabel="power (dB re mm²/s²/Hz)", xlim=(0, frequency[-1]))
    ax.set_ylim(bottom=max(level[1:].min(), level[1:].max() - 80))
    unframed(ax)


def _mean_power(velocity: NDArray[Any], frame_rate: float) -> NDArray[np.float64]:
    """One-sided periodogram averaged over all pixels, (mm/s)²/Hz; row by row, in little memory."""
    frames, rows = velocity.shape[:2]
    power = np.zeros(frames // 2 + 1)
    for row in range(rows):
        course = velocity[:, row] - velocity[:, row].mean(axis=0)
        power += np.mean(np.abs(np.fft.rfft(course, axis=0)) ** 2, axis=1)
    power *= 2 / (frames * frame_rate * rows)
    return power


def _course(sequence: SequenceLike, ax: Axes) -> None:
    """The pixel of the largest variance."""
    busiest = np.unravel_index(int(np.var(sequence.velocity, axis=0).argmax()), sequence.velocity.shape[1:])
    course = 1e3 * sequence.velocity[:, busiest[0], busiest[1]]
    time = 1e3 * np.arange(len(course)) / sequence.frame_rate
    depth, lateral = (1e3 * (index + 0.5) * step for index, step in zip(busiest, sequence.spacing, strict=True))
    ax.axhline(0, color="0.85", linewidth=0.6)
    ax.plot(time, course, color=SILICO, linewidth=0.9)
    ax.set(xlabel="time (ms)", ylabel="velocity (mm/s)", xlim=(0, time[-1]))
    ax.set_title(f"the pixel that moves most, {depth:.1f} mm deep, {lateral:.1f} mm from the left", fontsize="small")
    unframed(ax)
