"""The twitch: how a motor unit's fibres move after one discharge.

Raikova's form of the displacement D and its velocity dD/dt. The tissue comes back to where it was,
so the velocity has zero net area; it is zero at the contraction time Tc, where D peaks with 1.

    D(t) = (t / Tc)^m  exp(m (1 - t / Tc)),   m = ln 2 / (Thr/Tc - 1 - ln(Thr/Tc))

Raikova et al. 2007, J Electromyogr Kinesiol 17:121-130, doi:10.1016/j.jelekin.2006.01.005.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InputError
from ..runtime.arrays import Floats


def steepness(contraction_time: ArrayLike, half_relaxation_time: ArrayLike) -> Floats:
    """Exponent m for which D is back at one half at `half_relaxation_time`, s from onset.

    Raises
    ------
    InputError : half relaxation is not later than the peak.
    """
    ratio = np.asarray(half_relaxation_time, float) / np.asarray(contraction_time, float)
    if np.any(ratio <= 1):
        raise InputError(f"half relaxation must come after the contraction time, got a ratio of {ratio.min():.3g}")
    return np.log(2) / (ratio - 1 - np.log(ratio))


def twitch_displacement(t: ArrayLike, contraction_time: ArrayLike, half_relaxation_time: ArrayLike) -> Floats:
    """Displacement of a twitch, peak 1, at `t` s from its onset; 0 before it."""
    m = steepness(contraction_time, half_relaxation_time)
    s = np.maximum(np.asarray(t, float) / contraction_time, 0)  # t in contraction times
    return s**m * np.exp(m * (1 - s))


def twitch_velocity(t: ArrayLike, contraction_time: ArrayLike, half_relaxation_time: ArrayLike) -> Floats:
    """Velocity dD/dt of a twitch of peak displacement 1, in 1/s, at `t` s from its onset; 0 before it."""
    m = steepness(contraction_time, half_relaxation_time)
    s = np.maximum(np.asarray(t, float) / contraction_time, 0)
    # dD/dt = m / Tc (1/s - 1) D, and s^m / s = s^(m - 1) needs no division at the onset (m > 1).
    return m / contraction_time * (1 - s) * s ** (m - 1) * np.exp(m * (1 - s)) * (s > 0)


def twitch_end(contraction_time: float, half_relaxation_time: float, level: float = 1e-4) -> float:
    """Time in s from onset after which the displacement stays below `level` of its peak."""
    m = float(steepness(contraction_time, half_relaxation_time))
    s = np.arange(1.0, 60.0, 0.05)
    log_displacement = m * (np.log(s) + 1 - s)
    return float(contraction_time * s[np.argmax(log_displacement < np.log(level))])
