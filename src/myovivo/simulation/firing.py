"""When motor units fire: renewal trains, partly synchronised.

Ali et al. 2022 after Rohlén et al. 2020, IEEE Access 8:50299: inter-pulse intervals (IPI) are
N(1/FR, (0.2/FR)^2), and 10 % of each unit's firings coincide with one of another unit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..errors import InputError
from .settings import Firing

Times = NDArray[Any]


class SpikeTrains(NamedTuple):
    """Firings of K units: times in s (ascending), the unit each coincides with (-1: none), rates in Hz."""

    times: tuple[Times, ...]
    partner: tuple[NDArray[Any], ...]
    rate: Times


def draw_spike_trains(firing: Firing, duration: float, rng: Generator) -> SpikeTrains:
    """Spike trains of a random number of units from `-burn_in` to `duration` s.

    Raises
    ------
    InputError : the shortest interval leaves no room for the firing rate.
    """
    if firing.shortest_ipi >= 1 / firing.rate[1]:
        longest = 1 / firing.rate[1]
        raise InputError(f"firing.shortest_ipi must be under 1/rate = {longest:.3g} s, got {firing.shortest_ipi} s")
    units = rng.integers(firing.units[0], firing.units[1], endpoint=True)
    rate = rng.uniform(*firing.rate, units)
    trains = [renewal_train(r, firing.ipi_cv, firing.shortest_ipi, -firing.burn_in, duration, rng) for r in rate]
    times, partner = synchronise(
        trains, firing.synchronisation, firing.synchronisation_jitter, firing.shortest_ipi, rng
    )
    return SpikeTrains(times, partner, rate)


def renewal_train(rate: float, cv: float, shortest: float, start: float, stop: float, rng: Generator) -> Times:
    """Firing times in [start, stop) s with IPI ~ N(1/rate, (cv/rate)^2), truncated at `shortest` s.

    The first firing comes after a uniform share of an interval, so that phase is random.
    """
    count = int((stop - start) * rate * 1.5) + 20
    ipi = rng.normal(1 / rate, cv / rate, count)
    while np.any(short := ipi < shortest):  # truncated, not clipped: no pile-up at the bound
        ipi[short] = rng.normal(1 / rate, cv / rate, int(short.sum()))
    ipi[0] *= rng.uniform()
    times = start + np.cumsum(ipi)
    return times[times < stop]


def synchronise(
    trains: list[Times], share: float, jitter: float, shortest: float, rng: Generator
) -> tuple[tuple[Times, ...], tuple[NDArray[np.int64], ...]]:
    """Move `share` of each unit's firings onto the nearest firing of another unit.

    A firing that serves as a partner stays where it is, and a move that would bring two firings of
    one unit closer than `shortest` is not made (another firing is tried), so no firing is doubled.

    Parameters
    ----------
    trains : K arrays of firing times, s
    share : fraction of each unit's firings to move
    jitter : SD of the moved firing around its partner, s

    Returns
    -------
    times, partner : K arrays each; partner is the unit that a moved firing coincides with, else -1
    """
    times = [train.copy() for train in trains]
    partner = [np.full(len(train), -1, np.int64) for train in trains]
    fixed = [np.zeros(len(train), bool) for train in trains]
    for unit in rng.permutation(len(times)):
        wanted = round(share * len(times[unit]))
        for firing in rng.permutation(len(times[unit])):
            if wanted == 0:
                break
            if fixed[unit][firing]:
                continue
            other, index = _nearest(times, unit, times[unit][firing])
            if other < 0:
                break
            moved = times[other][index] + (rng.normal(0, jitter) if jitter else 0.0)
            rest = np.delete(times[unit], firing)
            if len(rest) and np.min(np.abs(rest - moved)) < shortest:
                continue
            times[unit][firing], partner[unit][firing] = moved, other
            fixed[unit][firing] = fixed[other][index] = True
            wanted -= 1
    order = [np.argsort(train) for train in times]
    return (
        tuple(train[o] for train, o in zip(times, order, strict=True)),
        tuple(mate[o] for mate, o in zip(partner, order, strict=True)),
    )


def _nearest(times: list[Times], unit: int, time: float) -> tuple[int, int]:
    """Unit and index of the firing nearest to `time` among all units but `unit`; (-1, -1) if there is none."""
    best, nearest = np.inf, (-1, -1)
    for other, train in enumerate(times):
        if other == unit or not len(train):
            continue
        index = int(np.argmin(np.abs(train - time)))
        if abs(train[index] - time) < best:
            best, nearest = abs(train[index] - time), (other, index)
    return nearest
