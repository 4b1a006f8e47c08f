"""When motor units fire: renewal trains, partly synchronised.

Ali et al. 2022 after Rohlén et al. 2020, IEEE Access 8:50299: inter-pulse intervals (IPI) are
N(1/FR, (0.2/FR)^2), and 10 % of each unit's firings coincide with one of another unit, partners counted.
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
    """Let `share` of each unit's firings coincide with a firing of another unit, partners counted.

    Firings go in pairs: of two units that both still lack some, one firing is moved onto the nearest of the
    other and both are flagged, so about half as many are moved as coincide. A move that would bring two firings of
    one unit closer than `shortest` is not made (another firing is tried), so no firing is doubled.

    Parameters
    ----------
    trains : K arrays of firing times, s
    share : fraction of each unit's firings that coincide; a single unit has none
    jitter : SD of the moved firing around its partner, s

    Returns
    -------
    times, partner : K arrays each; partner is the unit that a firing coincides with, else -1, for both of a pair

    Source
    ------
    Ali et al. 2022, BioMed Eng OnLine 21:46 (the share); how firings are paired is ours.
    """
    times = [train.copy() for train in trains]
    partner = [np.full(len(train), -1, np.int64) for train in trains]
    lacking = np.array([round(share * len(train)) for train in trains], np.int64)
    while np.count_nonzero(lacking) > 1:
        # The unit that lacks most comes first, so that none is left without another to pair with.
        unit = int(rng.choice(np.flatnonzero(lacking == lacking.max())))
        other = _pair(unit, times, partner, lacking, jitter, shortest, rng)
        if other < 0:
            lacking[unit] = 0
        else:
            lacking[[unit, other]] -= 1
    order = [np.argsort(train) for train in times]
    return (
        tuple(train[o] for train, o in zip(times, order, strict=True)),
        tuple(mate[o] for mate, o in zip(partner, order, strict=True)),
    )


def _pair(
    unit: int,
    times: list[Times],
    partner: list[NDArray[np.int64]],
    lacking: NDArray[np.int64],
    jitter: float,
    shortest: float,
    rng: Generator,
) -> int:
    """Move a random free firing of `unit` onto the nearest free one of a unit that lacks some; that unit, or -1."""
    free = [(mates < 0) & (lack > 0) for mates, lack in zip(partner, lacking, strict=True)]
    for firing in rng.permutation(np.flatnonzero(free[unit])):
        other, index = _nearest(times, free, unit, float(times[unit][firing]))
        if other < 0:
            break
        moved = times[other][index] + (rng.normal(0, jitter) if jitter else 0.0)
        rest = np.delete(times[unit], firing)
        if len(rest) and np.min(np.abs(rest - moved)) < shortest:
            continue
        times[unit][firing] = moved
        partner[unit][firing], partner[other][index] = other, unit
        return other
    return -1


def _nearest(times: list[Times], free: list[NDArray[np.bool_]], unit: int, time: float) -> tuple[int, int]:
    """Unit and index of the free firing nearest to `time` among all units but `unit`; (-1, -1) if there is none."""
    best, nearest = np.inf, (-1, -1)
    for other, (train, open_) in enumerate(zip(times, free, strict=True)):
        if other == unit or not open_.any():
            continue
        distance = np.where(open_, np.abs(train - time), np.inf)
        index = int(np.argmin(distance))
        if distance[index] < best:
            best, nearest = distance[index], (other, index)
    return nearest
