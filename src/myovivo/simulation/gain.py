"""How strong each discharge is: twitches of one unit are not all alike, and do not simply add up.

Each factor is 1 when its setting is 0, which is the linear model of Ali et al. 2022. That twitches shrink as more units
are active: Lubel et al. 2023, doi:10.1109/TNSRE.2023.3315146. The forms of the factors are ours.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from ..runtime.arrays import Floats
from .firing import SpikeTrains, Times
from .settings import Twitch

_ACTIVE = 0.1  # s: a unit is active if it has fired within so long, about an interval between its firings

_LEAST_INTERVAL = 0.1  # of the mean: two firings at the same time would have no rate


def discharge_gains(trains: SpikeTrains, twitch: Twitch, rng: Generator) -> tuple[Floats, ...]:
    """Amplitude of each discharge over that of its unit's twitch.

    Parameters
    ----------
    trains : firings of K units
    twitch : its `rate_exponent`, `saturation` and `discharge_jitter`
    rng : of the jitter

    Returns
    -------
    K arrays beside `trains.times`, positive or zero
    """
    gains = []
    for unit, times in enumerate(trains.times):
        gain = np.ones(len(times))
        if twitch.rate_exponent:
            gain *= rate_gain(times, float(trains.rate[unit]), twitch.rate_exponent)
        if twitch.saturation:
            others = [train for k, train in enumerate(trains.times) if k != unit]
            gain *= saturation_gain(times, others, twitch.saturation)
        if twitch.discharge_jitter:
            gain *= np.maximum(rng.normal(1, twitch.discharge_jitter, len(times)), 0)
        gains.append(gain)
    return tuple(gains)


def rate_gain(times: Times, rate: float, exponent: float) -> Floats:
    """(instantaneous rate / mean rate) ** exponent at each firing; 1 at the first, which has no interval.

    A negative exponent is fusion: a twitch that starts while the last one lasts adds less. A positive one is
    potentiation.

    Parameters
    ----------
    times : ascending, s
    rate : mean, Hz
    exponent : 0 for no dependence
    """
    interval = np.diff(times) * rate
    return np.concatenate([np.ones(min(len(times), 1)), np.maximum(interval, _LEAST_INTERVAL) ** -exponent])


def saturation_gain(times: Times, others: list[Times], saturation: float) -> Floats:
    """1 / (1 + saturation * n) at each firing, with n the other units that fired within the last 100 ms.

    Parameters
    ----------
    times : s; others : the firings of every other unit, ascending, s
    saturation : 0 for twitches that add up

    Source
    ------
    Lubel et al. 2023, doi:10.1109/TNSRE.2023.3315146, found smaller twitches with more active units; this form is ours.
    """
    active = np.zeros(len(times))
    for train in others:
        active += np.searchsorted(train, times, "right") > np.searchsorted(train, times - _ACTIVE, "left")
    return 1 / (1 + saturation * active)
