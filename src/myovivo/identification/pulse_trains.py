"""Spike trains in signals in which firings are pulses: whitening, a fixed point, deflation, refinement.

Negro et al. (2016), doi:10.1088/1741-2560/13/2/026027; Klotz, Rohlén (2025), arXiv 2502.04065.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.signal import find_peaks

from ..runtime.arrays import Floats
from .agreement import rate_of_agreement
from .settings import Joint
from .spikes import two_means

APART = 0.030  # s between firings of a unit

EDGE = 0.150  # s at both ends in which the pass band rings

FEWEST_FIRINGS = 8

CLEAR_MEAN = 4.0  # of the mean at so many firings, over its power by chance: less is left of a unit that was taken off

ANEW = 0.3  # rate of agreement under which a train is another unit's

LONGEST_SHIFT = 0.060  # s between trains of one unit that were found by different twitches

_ITERATIONS, _CONVERGED = 100, 1e-6


class CandidateTrain(NamedTuple):
    """A spike train: times, s, and silhouette; `direction` in which the whitened signals were projected."""

    times: Floats
    silhouette: float
    direction: Floats


def searched(pulses: Floats, rate: float, known: list[CandidateTrain], settings: Joint) -> list[CandidateTrain]:
    """Known trains, and what the fixed point finds beside them.

    Parameters
    ----------
    pulses : (D, N), signals in which firings are pulses
    rate : of their samples, Hz
    known : trains that were found before, in whatever signals
    settings : see `Joint`
    """
    white = _whitened(pulses)
    trains = list(known)
    edge = round(EDGE * rate)
    inner = white[:, edge : white.shape[1] - edge]
    if inner.shape[1] <= len(white):
        return trains
    means = [_mean_at(white, rate, train.times) for train in trains]
    clear = [CLEAR_MEAN * len(white) / max(len(train.times), 1) for train in trains]
    directions = [mean for mean, least in zip(means, clear, strict=True) if mean @ mean > least]
    aside = _orthonormal(directions, len(white))
    activity = _activity(inner, aside)
    misses = 0
    while misses < settings.misses and activity.max() > 0:
        start = int(activity.argmax())
        activity[max(start - 1, 0) : start + 2] = 0
        train = _improved(white, rate, _fixed_point(inner, inner[:, start], aside))
        misses += 1
        if len(train.times) < FEWEST_FIRINGS or train.silhouette < settings.silhouette:
            continue
        same = [n for n, other in enumerate(trains) if shifted_agreement(train.times, other.times) >= ANEW]
        if not same:
            trains.append(train)
            misses = 0
        elif len(same) == 1 and train.silhouette > trains[same[0]].silhouette:
            trains[same[0]] = train
        directions.append(train.direction)
        aside = _orthonormal(directions, len(white))
        activity = np.minimum(activity, _activity(inner, aside))
    return trains


def _whitened(x: Floats) -> Floats:
    """Of unit variance in all directions but those that hold next to nothing."""
    x = x - x.mean(1, keepdims=True)
    values, vectors = np.linalg.eigh(x @ x.T / x.shape[1])
    kept = values > 1e-6 * values[-1]
    return (vectors[:, kept] / np.sqrt(values[kept])).T @ x


def _activity(white: Floats, aside: Floats) -> Floats:
    """(N,): power in the directions that are not set aside."""
    return (white**2).sum(0) - ((aside @ white) ** 2).sum(0)


def _orthonormal(directions: list[Floats], dimensions: int) -> Floats:
    """(n, D): rows that span the directions; the latest fall away when there are as many as dimensions."""
    rows = np.array(directions).reshape(-1, dimensions)[: dimensions - 1]
    return np.linalg.qr(rows.T)[0].T


def _fixed_point(white: Floats, start: Floats, aside: Floats) -> Floats:
    """The direction in which the signals are most skewed, from `start` on, at right angles to those set aside."""
    w = start - aside.T @ (aside @ start)
    w = w / (np.linalg.norm(w) + 1e-300)
    for _ in range(_ITERATIONS):
        source = w @ white
        new = white @ source**2 / white.shape[1] - 2 * source.mean() * w
        new -= aside.T @ (aside @ new)
        new /= np.linalg.norm(new) + 1e-300
        converged = abs(new @ w) > 1 - _CONVERGED
        w = new
        if converged:
            break
    return w


def _improved(white: Floats, rate: float, w: Floats) -> CandidateTrain:
    """The mean at the firings as the new direction, as long as they stand out better by it."""
    best = _train(white, rate, w)
    for _ in range(_ITERATIONS):
        if len(best.times) < FEWEST_FIRINGS // 2:
            break
        mean = _mean_at(white, rate, best.times)
        new = _train(white, rate, mean / (np.linalg.norm(mean) + 1e-300))
        if new.silhouette <= best.silhouette:
            break
        best = new
    return best


def _mean_at(white: Floats, rate: float, times: Floats) -> Floats:
    """(D,): mean of the signals at these times, interpolated linearly."""
    at = np.clip(times * rate, 0, white.shape[1] - 1.001)
    frame = at.astype(int)
    share = at - frame
    return (white[:, frame] * (1 - share) + white[:, frame + 1] * share).mean(1)


def _train(white: Floats, rate: float, w: Floats) -> CandidateTrain:
    """Firings in one direction: the higher of two clusters of peaks."""
    source = w @ white
    peaks, _ = find_peaks(source, distance=max(round(APART * rate), 1))
    if len(peaks) < 4:
        return CandidateTrain(np.zeros(0), 0.0, w)
    # A parabola through a peak and its neighbours
    before, height, after = (source[peaks + step] for step in (-1, 0, 1))
    bend = before - 2 * height + after
    shift = 0.5 * (before - after) / bend
    height = height - 0.25 * (before - after) * shift
    upper = height > two_means(height)
    silhouette = amplitude_silhouette(height, upper)
    return CandidateTrain((peaks + shift)[upper] / rate, silhouette, w)


def amplitude_silhouette(heights: Floats, upper: Any) -> float:
    """(b - a) / max(a, b): a the squared distances of the spikes' heights to their own mean, b to that of the others.

    Parameters
    ----------
    heights : (N,) of peaks, not squared
    upper : (N,) bool, which are spikes

    References
    ----------
    Klotz, Rohlén (2025), arXiv 2502.04065.
    """
    if upper.all() or not upper.any():
        return 0.0
    own = float(((heights[upper] - heights[upper].mean()) ** 2).sum())
    other = float(((heights[upper] - heights[~upper].mean()) ** 2).sum())
    return (other - own) / max(own, other, 1e-300)


def shifted_agreement(a: Floats, b: Floats) -> float:
    """Rate of agreement of two trains at the lag, up to 60 ms, at which most of their firings meet."""
    gaps = (a[:, None] - b).ravel()
    gaps = np.sort(gaps[np.abs(gaps) <= LONGEST_SHIFT])
    if not len(gaps):
        return 0.0
    within = np.searchsorted(gaps, gaps + 0.010) - np.arange(len(gaps))
    first = int(within.argmax())
    lag = float(np.median(gaps[first : first + within[first]]))
    return rate_of_agreement(a - lag, b)
