"""Motor units as twitches in maps, refined in turns: firings and twitch from each course, then maps, courses again.

    v(t, x) ≈ Σ_k w_k(x) Σ_j h_k(t - t_kj)

Ours. Independent maps alone leave each course with something of its neighbours', as territories overlap. What no set of
firings of one twitch can explain cannot be of one unit, so modelled courses give cleaner maps than the courses
themselves, and those maps cleaner courses. Units that have become clear are then peeled off, and what is left is
decomposed anew: two units that share a course, while a third has two, come apart that way.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import null_space
from threadpoolctl import threadpool_limits

from ..runtime.arrays import Floats
from ..signals.band_pass import Band
from .agreement import rate_of_agreement
from .decompose import LowRank, independent_courses
from .spikes import Fit, fit_twitches

RIDGE = 1e-3  # of the least squares, over the mean power of a course

PEELINGS = 3

CLEAR = 0.12  # residual up to which a unit is peeled off

SAME = 0.5  # rate of agreement from which two trains are one unit


def fit_units(components: LowRank, band: Band, frame_rate: float, rounds: int, seed: int = 0) -> list[Fit]:
    """One fit per component, in no order; see above.

    Parameters
    ----------
    components : decomposed velocity, filtered by `band`
    frame_rate : Hz
    rounds : turns between two peelings
    seed : of the independent component analysis
    """
    clear: list[Fit] = []
    fits: list[Fit] = []
    with threadpool_limits(1, "blas"):  # thousands of small problems, which threads only slow down
        for _ in range(PEELINGS):
            courses = independent_courses(_left(components, clear), seed)
            fits = clear + [fit_twitches(course, frame_rate, band) for course in courses]
            fits = _in_turns(components, fits, band, frame_rate, rounds)
            clear, before = _clear(fits), clear
            if not len(before) < len(clear) < len(fits):
                break
    return fits


def component_weights(sources: Floats, courses: Floats) -> Floats:
    """(K, k): what each source (K, T) has of each component, by regularised least squares on the courses (k, T).

    A source's map is its row times the components' maps.
    """
    power = sources @ sources.T
    ridge = RIDGE * np.trace(power) / len(power)
    return np.linalg.solve(power + ridge * np.eye(len(power)), sources @ courses.T)


def _in_turns(components: LowRank, fits: list[Fit], band: Band, frame_rate: float, rounds: int) -> list[Fit]:
    for _ in range(rounds - 1):
        weights = component_weights(np.array([fit.course for fit in fits]), components.courses)
        courses = np.linalg.lstsq(weights.T, components.courses, rcond=None)[0]
        fits = [
            fit_twitches(course, frame_rate, band, (fit.contraction_time, fit.ratio))
            for course, fit in zip(courses, fits, strict=True)
        ]
    return fits


def _clear(fits: list[Fit]) -> list[Fit]:
    """Those with a small residual, each unit once."""
    kept: list[Fit] = []
    for fit in sorted(fits, key=lambda fit: fit.residual):
        if fit.residual <= CLEAR and all(rate_of_agreement(fit.times, other.times) < SAME for other in kept):
            kept.append(fit)
    return kept


def _left(components: LowRank, clear: list[Fit]) -> LowRank:
    """What moves in no map of the clear units, in as many components fewer."""
    if not clear:
        return components
    aside = null_space(component_weights(np.array([fit.course for fit in clear]), components.courses)).T
    return LowRank(aside @ components.courses, aside @ components.maps)
