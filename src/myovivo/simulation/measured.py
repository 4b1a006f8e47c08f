"""Measured spike trains as the drive: decomposed EMG from files, cut to a window of steady firing."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..errors import FileError
from .firing import SpikeTrains, Times
from .settings import Firing

_STEP = 0.1  # s between the windows tried

_STEADY = 4.0  # firings per second, the least


def draw_measured_trains(path: str | Path, firing: Firing, duration: float, rng: Generator) -> SpikeTrains:
    """Choose units and a window of steady firing at random from a file of measured spike trains.

    Windows are `burn_in + duration` long; among them, one in which nearly as many units fire as ever
    do. Of a file with several recordings, one of those that have such windows is drawn. Synchronisation is left as
    measured, so no partners are known.

    Raises
    ------
    FileError : unreadable, shorter than the window, or without a unit that fires steadily for that long.
    """
    from .spike_trains.reading import read_decomposition  # its libraries take a second to load

    recordings = read_decomposition(path).recordings
    length = firing.burn_in + duration
    last = max(train[-1] for units in recordings for train in units)
    windows = [_windows_of(units, length) for units in recordings]
    if not any(len(window.starts) for window in windows):
        raise FileError(
            path, f"lasts {last:.2f} s, too short for {length:.2f} s; shorten grid.frames or firing.burn_in"
        )
    steady = [window for window in windows if window.fires.any()]
    if not steady:
        raise FileError(
            path,
            f"no unit fires steadily, at least {_STEADY:g} times a second, for {length:.2f} s; shorten grid.frames or "
            "firing.burn_in, or give another recording",
        )
    trains, starts, fires = steady[int(rng.integers(len(steady))) if len(steady) > 1 else 0]
    active = fires.sum(0)
    at = rng.choice(np.flatnonzero(active >= 0.9 * active.max()))
    candidates = np.flatnonzero(fires[:, at])
    wanted = int(rng.integers(firing.units[0], firing.units[1], endpoint=True))
    chosen = np.sort(rng.permutation(candidates)[:wanted])
    origin = starts[at] + firing.burn_in
    times = tuple(_window(trains[unit] - origin, firing.burn_in, duration) for unit in chosen)
    rate = np.array([1 / np.mean(np.diff(train)) if len(train) > 1 else 0.0 for train in times])
    return SpikeTrains(times, tuple(np.full(len(train), -1, np.int64) for train in times), rate)


class _Windows(NamedTuple):
    """The trains of a recording, where windows may start (s), and which unit fires steadily in which (K, starts)."""

    trains: list[Times]
    starts: Times
    fires: NDArray[np.bool_]


def _windows_of(trains: list[Times], length: float) -> _Windows:
    starts = np.arange(0, max(train[-1] for train in trains) - length, _STEP)
    firings = [np.searchsorted(train, starts + length) - np.searchsorted(train, starts) for train in trains]
    return _Windows(trains, starts, np.array(firings).reshape(len(trains), -1) >= _STEADY * length)


def _window(train: Times, before: float, after: float) -> Times:
    return train[(train >= -before) & (train < after)]
