"""Curves over time, frequency, depth and steps."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Series
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from ..errors import InputError
from .style import (
    OTHERS,
    SILICO,
    TRANSLATED,
    VIVO,
    SequenceLike,
    Unit,
    axes_or_new,
    factor,
    require_velocity,
    round_down,
    unframed,
)


def psd(
    frequency: ArrayLike,
    log_psd: Mapping[str, ArrayLike],
    ax: Axes | None = None,
    colours: Mapping[str, str] | None = None,
    highest: float | None = None,
) -> Axes:
    """Mean power spectral density of each domain, with its SD over the sequences as a band.

    Parameters
    ----------
    frequency : (F,) Hz
    log_psd : name -> (N, F), ln of the mean PSD of each sequence, standardised
    colours : name -> colour
    highest : Hz, where the axis ends; at the Nyquist frequency if None
    """
    ax = axes_or_new(ax)
    frequency = np.asarray(frequency)
    for index, (name, curves) in enumerate(log_psd.items()):
        level = np.atleast_2d(np.asarray(curves)) * (10 / np.log(10))
        colour = (colours or {}).get(name, OTHERS[index % len(OTHERS)])
        mean, sd = level.mean(axis=0), level.std(axis=0)
        ax.fill_between(frequency, mean - sd, mean + sd, color=colour, alpha=0.18, linewidth=0)
        ax.plot(frequency, mean, color=colour, linewidth=1.5, label=name)
    ax.set(xlabel="frequency (Hz)", ylabel="power (dB re SD²/Hz)", xlim=(0, highest or float(frequency.max())))
    ax.legend(frameon=False)
    return unframed(ax)


def time_signals(
    silico: ArrayLike | SequenceLike,
    translated: ArrayLike | SequenceLike,
    frame_rate: float | None = None,
    ax: Axes | None = None,
    labels: Series[str] = (),
    unit: Unit = "mm/s",
    names: tuple[str, str] = ("silico", "translated"),
    pixels: Series[tuple[int, int]] | None = None,
) -> Axes:
    """Velocity over time at some pixels, before and after translation, one above the other.

    Parameters
    ----------
    silico, translated : (T, N), m/s, SDs if `unit` is `SD`; or two `Sequence`
    frame_rate : Hz; not with sequences, which have their own
    labels : N texts, one beside each pair of signals
    pixels : N pairs (row, column) of the sequences; the one that moves most in `silico` if None

    Raises
    ------
    InputError : no frame rate, pixels outside, or two that do not belong together.
    """
    if isinstance(silico, SequenceLike) and isinstance(translated, SequenceLike):
        require_velocity(unit)
        silico, translated, frame_rate = _signals(silico, translated, frame_rate, pixels)
    elif isinstance(silico, SequenceLike) or isinstance(translated, SequenceLike):
        raise InputError("signals must be two sequences or two arrays (T, N), got one of each; give sequence.velocity")
    elif pixels is not None or frame_rate is None:
        raise InputError("signals given as arrays (T, N) need frame_rate, in Hz, and no pixels; or give two sequences")
    before, after = (np.asarray(value, float) * factor(unit) for value in (silico, translated))
    if before.shape != after.shape or before.ndim != 2:
        raise InputError(f"signals must both be (T, N), got {before.shape} and {after.shape}")
    ax = axes_or_new(ax)
    time = 1e3 * np.arange(len(before)) / frame_rate
    # One scale for all: each signal is moved down just far enough not to touch the one above.
    top, bottom = np.maximum(before.max(axis=0), after.max(axis=0)), np.minimum(before.min(axis=0), after.min(axis=0))
    gap = 0.15 * float(np.max(top - bottom)) or 1.0
    bases = -np.concatenate([[0.0], np.cumsum(np.maximum(top[1:] - bottom[:-1] + gap, 2 * gap))])
    for index, base in enumerate(bases):
        ax.axhline(base, color="0.85", linewidth=0.6, zorder=0)
        ax.plot(time, base + before[:, index], color=SILICO, linewidth=1.2, label=names[0] if index == 0 else None)
        ax.plot(time, base + after[:, index], color=TRANSLATED, linewidth=1.0, label=names[1] if index == 0 else None)
        if index < len(labels):
            beside = (1.01, base)
            ax.annotate(labels[index], beside, xycoords=("axes fraction", "data"), va="center", fontsize="small")
    foot = bases[-1] + bottom[-1] - gap
    bar = round_down(2 * gap)
    ax.plot([time[0]] * 2, [foot, foot + bar], color="black", linewidth=3, clip_on=False, solid_capstyle="butt")
    beside_bar: Any = {"textcoords": "offset points", "va": "center", "ha": "right", "fontsize": "small"}
    ax.annotate(f"{bar:g} {unit}", (time[0], foot + bar / 2), (-5, 0), **beside_bar)
    ax.set(xlabel="time (ms)", xlim=(time[0], time[-1]), yticks=[], ylim=(foot - 0.2 * gap, top[0] + gap))
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.1)
    unframed(ax)
    ax.spines["left"].set_visible(False)
    return ax


def _signals(
    before: SequenceLike, after: SequenceLike, frame_rate: float | None, pixels: Series[tuple[int, int]] | None
) -> tuple[ArrayLike, ArrayLike, float]:
    """(T, N) of both at some pixels, and their frame rate."""
    if frame_rate is not None:
        raise InputError(f"sequences have their own frame rate, got {frame_rate} beside them; leave it out")
    if before.velocity.shape != after.velocity.shape or before.frame_rate != after.frame_rate:
        shapes = (
            f"{before.velocity.shape} at {before.frame_rate:g} Hz and {after.velocity.shape} at {after.frame_rate:g} Hz"
        )
        raise InputError(f"the two sequences must be alike, got {shapes}; draw a sequence with its own translation")
    size = before.velocity.shape[1:]
    busiest = np.unravel_index(int(np.var(before.velocity, axis=0).argmax()), size)
    chosen = np.atleast_2d([busiest] if pixels is None else pixels)  # (N, 2)
    if chosen.ndim != 2 or chosen.shape[1:] != (2,) or np.any(chosen < 0) or np.any(chosen >= size):
        raise InputError(f"pixels are (row, column) within {size}, got {chosen.tolist()}")
    rows, columns = chosen.T
    return before.velocity[:, rows, columns], after.velocity[:, rows, columns], before.frame_rate


def depth_profile(
    depth: ArrayLike,
    mean: ArrayLike,
    sd: ArrayLike,
    ax: Axes | None = None,
    unit: Unit = "mm/s",
    colour: str = TRANSLATED,
    label: str = "",
) -> Axes:
    """Mean ± SD of a map over the lateral direction; depth runs downwards.

    Parameters
    ----------
    depth : (Z,) m
    mean, sd : (Z,), m/s; SDs if `unit` is `SD`
    """
    centre, spread = np.asarray(mean, float), np.asarray(sd, float)
    return depth_band(depth, centre, centre - spread, centre + spread, ax, unit, colour, label)


def depth_band(
    depth: ArrayLike,
    mean: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    ax: Axes | None = None,
    unit: Unit = "mm/s",
    colour: str = TRANSLATED,
    label: str = "",
    p: ArrayLike | None = None,
    alpha: float = 0.05,
) -> Axes:
    """A mean within a band from `low` to `high`, such as its 95 % interval; depth runs downwards.

    Parameters
    ----------
    depth : (Z,) m
    mean, low, high : (Z,), m/s; SDs if `unit` is `SD`
    p : (Z,); depths at which it is at most `alpha` are marked at the left edge
    """
    ax = axes_or_new(ax)
    depth_mm = 1e3 * np.asarray(depth)
    centre, low, high = (np.asarray(value, float) * factor(unit) for value in (mean, low, high))
    ax.fill_betweenx(depth_mm, low, high, color=colour, alpha=0.2, linewidth=0)
    ax.plot(centre, depth_mm, color=colour, linewidth=1.5)
    ax.axvline(0, color="0.6", linewidth=0.6)
    if p is not None:
        marked = depth_mm[np.asarray(p) <= alpha]
        edge = ax.get_yaxis_transform()
        ax.plot(np.full(len(marked), 0.02), marked, "s", color=colour, markersize=3, transform=edge, clip_on=False)
    step = depth_mm[1] - depth_mm[0] if len(depth_mm) > 1 else 1.0
    ax.set(ylabel="depth (mm)", ylim=(depth_mm[-1] + step / 2, depth_mm[0] - step / 2))
    if label or not ax.get_xlabel():
        ax.set_xlabel(f"{label} ({unit})".strip())
    return unframed(ax)


def losses(steps: ArrayLike, curves: Mapping[str, ArrayLike], ax: Axes | None = None) -> Axes:
    """Training losses over steps, each smoothed over a fiftieth of the run.

    Parameters
    ----------
    steps : (S,)
    curves : name -> (S,) loss
    """
    ax = axes_or_new(ax)
    steps = np.asarray(steps)
    window = max(1, len(steps) // 50)
    colours = (TRANSLATED, SILICO, *OTHERS, VIVO)
    for index, (name, values) in enumerate(curves.items()):
        values = np.asarray(values, float)
        smooth = np.convolve(values, np.ones(window) / window, "valid")
        style = "-" if index < len(colours) else "--"
        ax.plot(steps[window - 1 :], smooth, style, color=colours[index % len(colours)], linewidth=1.2, label=name)
    ax.set(xlabel="step", ylabel="loss")
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return unframed(ax)
