"""From firings to maps: where a unit lies whose firings are known, from EMG recorded at the same time.

    c(t) = Σ_k a_k Σ_j h_k(t - t_kj - τ) + n(t)

The average of what follows the firings of a unit holds what other units do at the same time, and what its own earlier
firings left, so twitches are undone from overlap: all units' templates at once, by least squares. A template that one
unit moves is one map times one twitch, which is its first singular pair. The onsets of the twitches tell by how much
motion is later than the firings, τ: in part it is electromechanical delay, in part two clocks.
"""

from __future__ import annotations

from collections.abc import Sequence as Series
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.fft import irfft, next_fast_len, rfft
from scipy.linalg import cho_factor, cho_solve
from scipy.signal import resample
from threadpoolctl import threadpool_limits

from ..errors import InputError
from ..runtime.arrays import Floats
from ..runtime.settings import check_counts
from ..sequences.header import open_sequence
from ..sequences.sequence import Sequence, require_sequence
from .fitting import component_weights
from .identify import firing_statistics
from .joint import PULSE_RATE
from .moving import Moving
from .repeatability import map_repeatability
from .templates import ONSETS, TwitchFit, firing_pulses, fitted_twitch, modelled_course, template_lags
from .units import Units

LONGEST_EMG_LAG = 0.100  # s, electromechanical delay and a clock that is a little off

FEWEST_GIVEN = 5  # firings of a unit within the sequence

_RIDGE = 1e-2  # of the least squares, over a unit's number of firings


def map_units(
    sequence: Sequence | str | Path,
    trains: Series[ArrayLike],
    *,
    deconvolve: bool = True,
    lag: float | None = None,
    longest_lag: float = LONGEST_EMG_LAG,
    band: tuple[float, float] | None = (5.0, 50.0),
    components: int = 40,
    mask_level: float = 0.9,
) -> Units:
    """Find the map and the twitch of motor units whose firings are known, as from EMG recorded at the same time.

    Parameters
    ----------
    sequence : or its file; labels are not looked at
    trains : firing times of each unit, s from the first frame, as `read_spike_trains` gives them
    deconvolve : twitches of all units freed of overlap, by least squares; else the plain average of what follows
    lag : s, by which motion is later than the firings; estimated if None
    longest_lag : s, the largest looked for, to either side
    band : pass band, Hz, or None
    components : of the singular value decomposition
    mask_level : share of a map's maximum that bounds a territory

    Returns
    -------
    Units : in the order of `trains`, with their firings as given; `quality` has `lag` (s, to the onset of each
        unit's motion), `one_map` (share of the unit's motion that one map explains, 0..1), `contraction_time`,
        `repeatability`

    Raises
    ------
    FileError : the file is missing or no sequence.
    InputError : no trains, one with fewer than five firings in the sequence, or nothing moves.
    WrongTypeError : neither a `Sequence` nor a path.

    References
    ----------
    Spike-triggered averages of ultrasound: Rohlén et al. (2020), IEEE Access 8:50299. To undo the overlap is ours.

    Examples
    --------
    >>> import myovivo as mv
    >>> sequence = mv.simulate(seed=0, **{"grid.frames": 2048, "grid.rows": 32, "grid.columns": 32})
    >>> units = mv.map_units(sequence, sequence.labels.spike_times)
    >>> len(units) == len(sequence.labels)
    True
    """
    check_counts(components=components)
    if not isinstance(sequence, str | Path):
        moving = Moving(require_sequence(sequence))
        return _mapped(moving, trains, deconvolve, lag, longest_lag, band, components, mask_level)
    with open_sequence(sequence) as source:
        return _mapped(Moving(source), trains, deconvolve, lag, longest_lag, band, components, mask_level)


def _mapped(
    moving: Moving,
    trains: Series[ArrayLike],
    deconvolve: bool,
    lag: float | None,
    longest_lag: float,
    band: tuple[float, float] | None,
    components: int,
    mask_level: float,
) -> Units:
    frame_rate, (frames, *size) = moving.frame_rate, moving.shape
    times = _required(trains, frames / frame_rate)
    low_rank = moving.low_rank(band, components)

    # Templates around the firings, moved to where motion follows them; once more, when it is known where that is
    if lag is None:
        rough = rough_lag(low_rank.courses, times, frame_rate, longest_lag)
        onsets = (-longest_lag - rough, longest_lag - rough)
        first = _unit_motions(low_rank.courses, times, rough, frame_rate, band, onsets, deconvolve)
        lag = rough + float(np.median([motion.fit.onset for motion in first]))
    motions = _unit_motions(low_rank.courses, times, lag, frame_rate, band, ONSETS, deconvolve)
    modelled = [motion.course for motion in motions]

    # Maps as that mixture of components in which the units' courses are, of all units together
    sources = np.array([course / max(np.abs(course).max(), 1e-300) for course in modelled])
    if deconvolve:
        weight = component_weights(sources, low_rank.courses) @ low_rank.maps
    else:
        weight = sources @ low_rank.courses.T / (sources**2).sum(1, keepdims=True) @ low_rank.maps
    strength = np.abs(weight)
    quality = firing_statistics(times) | {
        "lag": np.array([lag + motion.fit.onset for motion in motions]),
        "one_map": np.array([motion.share for motion in motions]),
        "contraction_time": np.array([motion.fit.contraction_time for motion in motions]),
        "repeatability": map_repeatability(sources, low_rank, frame_rate),
    }
    return Units(
        tuple(times),
        weight.reshape(-1, *size).astype(np.float32),
        sources.astype(np.float32),
        (strength >= mask_level * strength.max(1, keepdims=True)).reshape(-1, *size),
        quality,
        frame_rate,
        moving.spacing,
        "trains",
    )


class _Motion(NamedTuple):
    """Of one unit: its course (T,), the share of its template that is one map times one twitch, and that twitch."""

    course: Floats
    share: float
    fit: TwitchFit


def _unit_motions(
    courses: Floats,
    times: list[Floats],
    lag: float,
    frame_rate: float,
    band: tuple[float, float] | None,
    onsets: tuple[float, float],
    deconvolve: bool,
) -> list[_Motion]:
    """What each unit moves, with templates around its firings, `lag` s later."""
    moved = [train + lag for train in times]
    templates = unit_templates(courses, moved, frame_rate, deconvolve)
    motions = []
    for pair, train in zip(_first_pairs(templates, courses, moved, frame_rate), moved, strict=True):
        course = modelled_course(pair.twitch, train, frame_rate, courses.shape[1])
        motions.append(_Motion(course, pair.share, fitted_twitch(course, train, frame_rate, band, onsets)))
    return motions


def _required(trains: Series[ArrayLike], duration: float) -> list[Floats]:
    if not len(trains):
        raise InputError("there are no spike trains to map; give the firing times of at least one unit, s")
    times = [np.sort(np.asarray(train, float).ravel()) for train in trains]
    for unit, train in enumerate(times):
        inside = int(np.count_nonzero((train >= 0) & (train < duration)))
        if inside < FEWEST_GIVEN:
            rule = f"a unit needs {FEWEST_GIVEN} firings within the {duration:.6g} s of the sequence to be mapped"
            raise InputError(f"{rule}, unit {unit + 1} has {inside}; leave it out, or give times in s")
    return times


def rough_lag(courses: Floats, trains: Series[Floats], frame_rate: float, longest: float) -> float:
    """By how much later than the firings, s, a fifth of a second follows in which most moves on average.

    Parameters
    ----------
    courses : (k, T)
    trains : firing times, s
    frame_rate : Hz
    longest : s, the largest lag looked for, to either side
    """
    frames = courses.shape[1]
    reach, window = round(longest * frame_rate), round(0.2 * frame_rate)
    size = next_fast_len(frames + reach + window)
    spectrum: Any = rfft(courses, size, axis=1)
    energy = np.zeros(2 * reach + window)
    for train in trains:
        pulses: Any = rfft(firing_pulses(train, frame_rate, frames), size)
        average: Any = irfft(spectrum * pulses.conj(), size, axis=1)
        around = np.concatenate([average[:, -reach:], average[:, : reach + window]], 1) if reach else average
        energy += (around[:, : len(energy)] ** 2).sum(0) / max(len(train), 1)
    moved = np.convolve(energy, np.ones(window), "valid")
    return float((int(moved.argmax()) - reach) / frame_rate)


def unit_templates(courses: Floats, trains: Series[Floats], frame_rate: float, deconvolve: bool = True) -> list[Floats]:
    """What follows a firing of each unit in each course, at `template_lags`: K arrays (k, L).

    Parameters
    ----------
    courses : (k, T)
    trains : firing times of K units, s
    frame_rate : Hz
    deconvolve : all units' templates at once by least squares, so that nothing of other firings is in them
    """
    frames = courses.shape[1]
    count = min(round(frames * PULSE_RATE / frame_rate), frames)
    rate = count * frame_rate / frames
    fewer: Any = resample(courses, count, axis=1)
    lags, full = template_lags(rate), template_lags(frame_rate)
    pulses = np.array([firing_pulses(train, rate, count) for train in trains])
    sums = np.array([_following(unit, fewer, lags) for unit in pulses])  # (K, k, L)
    sums = _undone(pulses, sums, len(lags)) if deconvolve else sums / np.maximum(pulses.sum(1), 1)[:, None, None]
    at, wanted = lags / rate, full / frame_rate
    return [np.array([np.interp(wanted, at, course) for course in unit]) for unit in sums]


def _following(pulses: Floats, courses: Floats, lags: Floats) -> Floats:
    """(k, L): courses summed over the firings, at each lag."""
    size = next_fast_len(2 * courses.shape[1])
    spectrum: Any = rfft(courses, size, axis=1)
    product: Any = irfft(spectrum * rfft(pulses, size).conj(), size, axis=1)  # type: ignore[union-attr]
    return product[:, lags]  # negative lags are at the end


def _undone(pulses: Floats, sums: Floats, length: int) -> Floats:
    """Least squares of all units: the sums freed of what units' firings have to do with each other's and their own."""
    units = len(pulses)
    size = next_fast_len(2 * pulses.shape[1])
    spectrum: Any = rfft(pulses, size, axis=1)
    steps = np.arange(length)[:, None] - np.arange(length)
    normal = np.empty((units, length, units, length))
    for a in range(units):
        together: Any = irfft(spectrum * spectrum[a].conj(), size, axis=1)  # pulses of b after those of a
        for b in range(units):
            normal[a, :, b, :] = together[b][steps]
    normal = normal.reshape(units * length, -1)
    normal[np.diag_indices(len(normal))] += _RIDGE * np.repeat(np.maximum(pulses.sum(1), 1), length)
    right = sums.transpose(0, 2, 1).reshape(units * length, -1)
    with threadpool_limits(1, "blas"):  # the same bytes on any machine
        solved = cho_solve(cho_factor(normal), right)
    return solved.reshape(units, length, -1).transpose(0, 2, 1)


class _Pair(NamedTuple):
    """What a template is but for noise: `twitch` (L,), the same in all courses, and its `share` of the energy."""

    twitch: Floats
    share: float


def _first_pairs(templates: list[Floats], courses: Floats, trains: list[Floats], frame_rate: float) -> list[_Pair]:
    """The first singular pair of each unit's template, where courses count by how little in them is unexplained."""
    frames = courses.shape[1]
    left = courses.copy()
    for template, train in zip(templates, trains, strict=True):
        left -= np.array([modelled_course(course, train, frame_rate, frames) for course in template])
    noise = left @ left.T / frames
    values, vectors = np.linalg.eigh(noise + 1e-6 * np.trace(noise) / len(noise) * np.eye(len(noise)))
    whitening = (vectors / np.sqrt(np.maximum(values, 1e-300))).T
    pairs = []
    for template in templates:
        _, size, twitches = np.linalg.svd(whitening @ template, full_matrices=False)
        pairs.append(_Pair(twitches[0], float(size[0] ** 2 / max((size**2).sum(), 1e-300))))
    return pairs
