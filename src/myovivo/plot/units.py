"""Motor units: maps, time courses, rasters. Found units are blue, true ones vermilion."""

from __future__ import annotations

from collections.abc import Sequence as Series
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from .maps import territories
from .style import SILICO, TRANSLATED, axes_or_new, image, unframed

FOUND, TRUE = TRANSLATED, SILICO

OUTLINE = "#F0E442"  # seen on the dark ends of the map's colours

SHARE = "velocity over its peak"

SPACE = 2.3  # from one course, of peak 1, to the next


class Pairing(Protocol):
    """A true unit and the found one that was matched to it, or -1, with their rate of agreement."""

    @property
    def true(self) -> int: ...

    @property
    def found(self) -> int: ...

    @property
    def rate(self) -> float: ...


class Pairings(Protocol):
    """Who was matched to whom, as an `Agreement` says, and by which lag the found firings are late, s."""

    @property
    def matches(self) -> Series[Pairing]: ...

    @property
    def lag(self) -> float: ...


def unit_map(
    weight: ArrayLike,
    spacing: tuple[float, float],
    ax: Axes | None = None,
    mask: ArrayLike | None = None,
    true_mask: ArrayLike | None = None,
    colourbar: bool = True,
) -> Axes:
    """How fast a unit moves each pixel, over its fastest, its mask in yellow, the true territory dashed.

    Parameters
    ----------
    weight : (Z, X), of any unit; signed
    spacing : (dz, dx), m
    mask, true_mask : (Z, X) bool, if known
    """
    weight = np.asarray(weight, float)
    share = weight / (np.abs(weight).max() or 1.0)
    ax = image(share, spacing, ax, "coolwarm", (-1.0, 1.0), SHARE if colourbar else None)
    for outline, colour, style in ((mask, OUTLINE, "solid"), (true_mask, "black", "dashed")):
        if outline is not None:
            territories(np.asarray(outline)[None], spacing, ax, colour, style)
    return ax


def unit_courses(
    source: ArrayLike,
    spike_times: Series[ArrayLike],
    frame_rate: float,
    ax: Axes | None = None,
    names: Series[str] = (),
) -> Axes:
    """Time courses one above the other, each of peak 1, with a tick at each firing.

    Parameters
    ----------
    source : (K, T)
    spike_times : K arrays, s; those outside of the frames are left out
    frame_rate : Hz
    names : K texts; the numbers from 1 on if empty
    """
    ax = axes_or_new(ax)
    courses = np.atleast_2d(np.asarray(source, float))
    time, end = 1e3 * np.arange(courses.shape[1]) / frame_rate, 1e3 * courses.shape[1] / frame_rate
    for row, (course, times) in enumerate(zip(courses, spike_times, strict=True)):
        base = -SPACE * row
        ax.plot(time, base + course / (np.abs(course).max() or 1.0), color="0.35", linewidth=0.9)
        within = _within(times, end)
        ax.plot(within, np.full(len(within), base + 1.15), "|", color=FOUND, markersize=6, markeredgewidth=1.4)
    middles = [-SPACE * row for row in range(len(courses))]
    labels = names or [str(row + 1) for row in range(len(courses))]
    ax.set(xlabel="time (ms)", ylabel="found unit", xlim=(0, end), yticks=middles, yticklabels=labels)
    ax.set_ylim(-SPACE * (len(courses) - 1) - 1.3, 1.5)
    return unframed(ax)


def raster(
    found: Series[ArrayLike],
    duration: float,
    ax: Axes | None = None,
    true: Series[ArrayLike] = (),
    agreement: Pairings | None = None,
) -> Axes:
    """Firings, a row per unit: the true ones above those of the found unit that was matched to them.

    Parameters
    ----------
    found, true : spike times per unit, s; without `true`, a row per found unit
    duration : s
    agreement : who was matched to whom, and by which lag the found ones are late; needed with `true`
    """
    ax = axes_or_new(ax)
    if agreement is None:
        rows = [(str(unit + 1), None, unit) for unit in range(len(found))]
    else:
        rows = [(f"{match.rate:.2f}", match.true, match.found) for match in agreement.matches]
        matched = {match.found for match in agreement.matches}
        rows += [("–", None, unit) for unit in range(len(found)) if unit not in matched]
    lag = agreement.lag if agreement else 0.0
    ticks: dict[str, Any] = {"linestyle": "none", "marker": "|", "markersize": 7, "markeredgewidth": 1.3}
    for row, (_, true_unit, found_unit) in enumerate(rows):
        if true_unit is not None:
            times = _within(true[true_unit], 1e3 * duration)
            ax.plot(times, np.full(len(times), row - 0.17), color=TRUE, **ticks)
        if found_unit >= 0:
            times = _within(np.asarray(found[found_unit], float) - lag, 1e3 * duration)
            ax.plot(times, np.full(len(times), row + 0.17), color=FOUND, **ticks)
    ax.set(xlabel="time (ms)", xlim=(0, 1e3 * duration), ylim=(max(len(rows), 1) - 0.4, -0.6))
    ax.set(yticks=range(len(rows)), yticklabels=[name for name, _, _ in rows])
    ax.set_ylabel("found unit" if agreement is None else "rate of agreement")
    if agreement is not None:
        for name, colour in (("true", TRUE), ("found", FOUND)):
            ax.plot([], [], color=colour, label=name, **ticks)
        ax.legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.1)
    return unframed(ax)


def _within(times: ArrayLike, last: float) -> Any:
    """Times in ms, those from 0 to `last` ms."""
    times = 1e3 * np.asarray(times, float)
    return times[(times >= 0) & (times <= last)]
