"""Convolutive blind source separation of one component's course, as in the decomposition of surface EMG.

    z(t) = V [x(t); x(t-1); … x(t-R)],   s(t) = w·z(t),   w <- E[z s²] - 2 E[s] w

The course x is extended by its own past so that a twitch can be undone; V whitens; s is a spike train if w makes it as
skewed as it can be. Negro et al. (2016), doi:10.1088/1741-2560/13/2/026027, on single courses as in Rohlén et al.
(2023), doi:10.1186/s12938-023-01076-0. All courses together would have hundreds of dimensions and a sequence of 2 s a
thousand frames: there the most skewed direction is one that a single frame stands out of.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.signal import find_peaks

from ..runtime.arrays import Floats
from .spikes import REFRACTORY, peak_times, two_means

STARTS = 4  # frames of the highest activity that the fixed point is started from

_ITERATIONS = 60

REFINEMENTS = 10

FEWEST = 4  # spikes in a train

FLOOR = 1e-2  # of the largest eigenvalue; what lies below is noise out of the pass band and is not whitened


class SeparatedSource(NamedTuple):
    """A separated spike train: `times`, s, and its silhouette, how far spikes stand out of the rest (0..1)."""

    times: Floats
    silhouette: float


def separate(course: Floats, frame_rate: float, extension: float) -> SeparatedSource:
    """The spike train in a course (T,) that stands out most.

    Parameters
    ----------
    course : (T,)
    frame_rate : Hz
    extension : how much of the past is looked at, s
    """
    white = _whitened(_extended(course, max(round(extension * frame_rate), 1)))  # (D, T)
    activity = (white**2).sum(0)
    reach = max(round(REFRACTORY * frame_rate), 1)
    best = SeparatedSource(np.zeros(0), 0.0)
    for _ in range(STARTS):
        start = int(activity.argmax())
        activity[max(start - reach, 0) : start + reach] = 0
        direction, times = _regular(white, _most_skewed(white, white[:, start]), frame_rate)
        source = SeparatedSource(times, _silhouette((direction @ white) ** 2, frame_rate))
        if len(times) >= FEWEST and source.silhouette > best.silhouette:
            best = source
    return best


def _extended(course: Floats, past: int) -> Floats:
    """(T,) -> (past + 1, T), the course above its delayed copies."""
    padded = np.pad(course / (course.std() + 1e-300), (past, 0))
    return np.array([padded[past - delay : past - delay + len(course)] for delay in range(past + 1)])


def _whitened(x: Floats) -> Floats:
    x = x - x.mean(1, keepdims=True)
    values, vectors = np.linalg.eigh(x @ x.T / x.shape[1])
    kept = values > FLOOR * values[-1]
    return (vectors[:, kept] / np.sqrt(values[kept])).T @ x


def _most_skewed(white: Floats, start: Floats) -> Floats:
    """The fixed point from `start`, of length 1."""
    w = start / (np.linalg.norm(start) + 1e-300)
    for _ in range(_ITERATIONS):
        source = w @ white
        new = white @ source**2 / white.shape[1] - 2 * source.mean() * w
        new /= np.linalg.norm(new) + 1e-300
        converged = abs(new @ w) > 1 - 1e-6
        w = new
        if converged:
            break
    return w


def _regular(white: Floats, w: Floats, frame_rate: float) -> tuple[Floats, Floats]:
    """Take the mean at the spikes as the new direction, as long as that makes the firing more regular."""
    times = peak_times((w @ white) ** 2, frame_rate)
    best = _irregularity(times)
    for _ in range(REFINEMENTS):
        if len(times) < 3:
            break
        new = white[:, np.rint(times * frame_rate).astype(int)].mean(1)
        new_times = peak_times((new @ white) ** 2, frame_rate)
        if _irregularity(new_times) >= best:
            break
        w, times, best = new, new_times, _irregularity(new_times)
    return w, times


def _irregularity(times: Floats) -> float:
    intervals = np.diff(times)
    return float(intervals.std() / intervals.mean()) if len(intervals) > 1 else float("inf")


def _silhouette(pulses: Floats, frame_rate: float) -> float:
    """(b - a) / max(a, b): a the distances of the high peaks to their own centre, b to that of the low ones."""
    peaks, _ = find_peaks(pulses, distance=max(round(REFRACTORY * frame_rate), 1))
    heights = pulses[peaks]
    if len(heights) < 4:
        return 0.0
    upper = heights > two_means(heights)
    if upper.all() or not upper.any():
        return 0.0
    own = float(((heights[upper] - heights[upper].mean()) ** 2).sum())
    other = float(((heights[upper] - heights[~upper].mean()) ** 2).sum())
    return (other - own) / max(other, own, 1e-300)
