"""From a field of firings to motor units: a unit is a place that does not change times a train of firings.

    p(t, x) ≈ Σ_k m_k(x) s_k(t),   m, s ≥ 0

Territories overlap, so a cell shows the firings of several units, and no single cell need belong to one unit alone; a
non-negative factorisation tells them apart all the same, since each fires everywhere in its territory at once.
Ours; Lee, Seung (1999), doi:10.1038/44565, as in scikit-learn.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from scipy.ndimage import zoom
from scipy.signal import find_peaks
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from ..runtime.arrays import Floats
from .spikes import REFRACTORY

_ITERATIONS = 200  # of the factorisation

CORE = 3  # cells of a unit's map that hold 1 on average, which makes its train a chance

STRONG = 0.98  # quantile of a train that a peak's height is measured by

TWITCH = (-0.020, 0.150)  # s around a firing that its motion is averaged over


class Factors(NamedTuple):
    """Units in a field: `trains` (K, T/s), about the chance of a firing, and `maps` (K, Z/a, X/b), about 1 inside."""

    trains: Floats
    maps: Floats


def factorised(firing: Floats, units: int) -> Factors:
    """At most `units` places with their trains, for a field (T/s, Z/a, X/b) of chances of a firing."""
    flat = firing.reshape(len(firing), -1).astype(np.float64)
    count = min(units, *flat.shape)
    size: Any = count  # its stub knows words only
    model = NMF(size, init="nndsvd", max_iter=_ITERATIONS)
    with warnings.catch_warnings(), threadpool_limits(1, "blas"):  # the same bytes on any machine
        warnings.simplefilter("ignore", ConvergenceWarning)
        trains, maps = model.fit_transform(flat).T, model.components_
    scale = np.sort(maps, 1)[:, -CORE:].mean(1, keepdims=True) + 1e-12
    return Factors(trains * scale, (maps / scale).reshape(count, *firing.shape[1:]))


def firing_times(train: Floats, rate: float, height: float) -> tuple[Floats, float]:
    """Times of the peaks of a train (T/s,), s, and their mean height.

    Parameters
    ----------
    train : about the chance of a firing, `rate` times a second
    height : least height of a peak, over the train's 98th percentile
    """
    least = height * np.quantile(train, STRONG)
    peaks, properties = find_peaks(train, height=max(least, 1e-9), distance=max(round(REFRACTORY * rate), 1))
    return peaks / rate, float(properties["peak_heights"].mean()) if len(peaks) else 0.0


def averaged_course(times: Floats, courses: Floats, frame_rate: float) -> Floats:
    """(T,): the motion that follows the firings, the same after each, in that mixture of courses that it is in most.

    Parameters
    ----------
    times : of the firings, s
    courses : (k, T), of the components of the velocity
    frame_rate : Hz
    """
    frames = courses.shape[1]
    lags = np.arange(round(TWITCH[0] * frame_rate), round(TWITCH[1] * frame_rate) + 1)
    at = np.rint(times * frame_rate).astype(int)[:, None] + lags  # (firings, lags)
    inside = (at >= 0) & (at < frames)
    around = np.where(inside, courses[:, np.clip(at, 0, frames - 1)], 0.0)  # (k, firings, lags)
    average = around.sum(1) / np.maximum(inside.sum(0), 1)
    twitch = np.linalg.svd(average, full_matrices=False)[2][0]
    course = np.zeros(frames)
    np.add.at(course, at[inside], np.broadcast_to(twitch, at.shape)[inside])
    return course


def refined(coarse: Floats, cell: tuple[int, int], size: tuple[int, int]) -> Floats:
    """(K, Z/a, X/b) -> (K, Z, X): maps of cells, interpolated linearly to pixels."""
    fine: Floats = np.asarray(zoom(coarse, (1, *cell), order=1, mode="nearest", grid_mode=True))
    return fine[:, : size[0], : size[1]]
