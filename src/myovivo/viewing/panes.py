"""What a page shows: sequences on one grid and one clock, maps over them, and spike trains with their territories."""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Sequence as Series
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError, WrongTypeError
from ..runtime.arrays import Floats

MOST_PANES = 4

_SAME = 0.01  # by how much frame rates and pixels may differ and still be the same


class Viewable(Protocol):
    """What can be shown, as `Sequence` has it: velocity (T, Z, X), m/s, frame rate, Hz, spacing (dz, dx), m."""

    @property
    def velocity(self) -> NDArray[np.float32]: ...

    @property
    def frame_rate(self) -> float: ...

    @property
    def spacing(self) -> tuple[float, float]: ...

    @property
    def origin(self) -> str: ...

    @property
    def subject(self) -> str: ...

    @property
    def labels(self) -> Any: ...


class Span(NamedTuple):
    """Which frames are shown: every `every`-th from `first` to before `last`, of `frames` recorded ones."""

    first: int
    last: int
    every: int
    frames: int

    @property
    def shown(self) -> int:
        """How many."""
        return len(range(self.first, self.last, self.every))


class PaneMap(NamedTuple):
    """A map (Z, X) that can be laid over a pane: its title, the unit as printed, and the values in it."""

    title: str
    unit: str
    values: Floats
    signed: bool


class Pane(NamedTuple):
    """A sequence as shown: its name, where its motion comes from, the frames shown (T, Z, X), m/s, and maps."""

    name: str
    origin: str
    subject: str
    velocity: NDArray[np.float32]
    frame_rate: float
    spacing: tuple[float, float]
    maps: Mapping[str, PaneMap]
    span: Span


class UnitList(NamedTuple):
    """Motor units to be shown: what they are called, the panes they move in, spike times of K units (s), and masks
    (K, Z, X) if they are known.
    """

    title: str
    panes: tuple[int, ...]
    spike_times: Series[ArrayLike]
    mask: NDArray[np.bool_] | None = None


def span_of(frames: int, frame_rate: float, start: float, stop: float | None, every: int) -> Span:
    """The frames from `start` to before `stop`, s, every `every`-th.

    Raises
    ------
    InputError : none lies between, or `every` is less than 1.
    """
    if every < 1 or every != int(every):
        raise InputError(f"every must be a whole number of frames from 1, got {every}; 2 shows every second frame")
    duration = frames / frame_rate
    end = duration if stop is None else stop
    first, last = (math.ceil((time - 1e-6 / frame_rate) * frame_rate) for time in (max(start, 0.0), min(end, duration)))
    if not first < last:
        rule = f"what is shown must hold a frame of the {duration:.4g} s there are"
        raise InputError(f"{rule}, got {start:g} to {end:g} s; give start and stop within them, in s")
    return Span(first, last, int(every), frames)


def pane_of(name: str, sequence: Viewable, start: float = 0.0, stop: float | None = None, every: int = 1) -> Pane:
    """A sequence in memory as a pane.

    Raises
    ------
    InputError : as `span_of`.
    """
    span = span_of(len(sequence.velocity), sequence.frame_rate, start, stop, every)
    shown = sequence.velocity[span.first : span.last : span.every]
    return Pane(name, sequence.origin, sequence.subject, shown, sequence.frame_rate, sequence.spacing, {}, span)


def require_alike(panes: Series[Pane]) -> None:
    """Check that panes can stand side by side on one clock.

    Raises
    ------
    InputError : none, more than four, or another frame rate, size or spacing; all that differs is named.
    """
    if not 1 <= len(panes) <= MOST_PANES:
        raise InputError(f"a page shows 1 to {MOST_PANES} sequences, got {len(panes)}; give fewer, or make two pages")
    first = panes[0]
    for pane in panes[1:]:
        here, there = [], []
        if abs(pane.frame_rate / first.frame_rate - 1) > _SAME:
            here.append(f"{pane.frame_rate:g} frames/s")
            there.append(f"{first.frame_rate:g}")
        if pane.velocity.shape[1:] != first.velocity.shape[1:]:
            here.append("{} x {} pixels".format(*pane.velocity.shape[1:]))
            there.append("{} x {}".format(*first.velocity.shape[1:]))
        if any(abs(a / b - 1) > _SAME for a, b in zip(pane.spacing, first.spacing, strict=True)):
            mine, its = (" x ".join(f"{1e3 * step:.4g}" for step in one.spacing) for one in (pane, first))
            here.append(f"pixels of {mine} mm")
            there.append(f"{its} mm")
        if here:
            rule = f"{pane.name} has {' and '.join(here)} but {first.name} has {' and '.join(there)}"
            raise InputError(f"{rule}; make them alike: Sequence.resample(like=…)")


def trains_of(title: str, units: Any, panes: tuple[int, ...], size: tuple[int, int]) -> UnitList:
    """Spike trains of anything that has them: labels, found units, or K arrays of times, s.

    Raises
    ------
    InputError : masks on another grid than (Z, X).
    WrongTypeError : something else.
    """
    mask = getattr(units, "mask", None)
    times = getattr(units, "spike_times", units)
    try:
        spike_times = [np.asarray(train, float).ravel() for train in times]
    except (TypeError, ValueError):
        kind = type(units).__name__
        raise WrongTypeError(f"units must be Units, MotorUnits or spike times per unit, s, got {kind}") from None
    if not all(np.isfinite(train).all() for train in spike_times):
        raise InputError("spike times must be finite, in s, got NaN or infinite ones; drop them")
    if mask is not None and np.shape(mask)[1:] != size:
        grid = " x ".join(map(str, np.shape(mask)[1:]))
        raise InputError(
            f"units must lie on the {size[0]} x {size[1]} pixels shown, got {grid}; give those of the sequence"
        )
    return UnitList(title, panes, spike_times, mask)


def true_trains(labels: Series[Any], size: tuple[int, int]) -> list[UnitList]:
    """The true units of panes, a list for each contraction: a translated sequence moves as the one it was made of.

    Parameters
    ----------
    labels : of each pane, None where there are none
    size : (Z, X)
    """
    lists: list[UnitList] = []
    done: set[int] = set()
    for first, own in enumerate(labels):
        if own is None or first in done or not len(own.spike_times):
            continue
        panes = tuple(k for k, other in enumerate(labels) if other is not None and same_firings(own, other))
        done |= {*panes}
        lists.append(trains_of(titled("true units", panes), own, panes, size))
    return lists


def same_firings(labels: Any, others: Any) -> bool:
    """Whether two sequences are labelled with the same contraction."""
    pairs = zip(labels.spike_times, others.spike_times, strict=False)
    return len(labels.spike_times) == len(others.spike_times) and all(np.array_equal(a, b) for a, b in pairs)


def titled(what: str, panes: Series[int]) -> str:
    """`true units of A, B`."""
    return f"{what} of {', '.join('ABCD'[pane] for pane in panes)}"
