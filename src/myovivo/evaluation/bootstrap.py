"""95 % intervals by resampling subjects, for means over pairs of sequences and for means of maps.

Pairs share sequences, and sequences of one subject are alike: neither is independent, and an interval
that took them so would be far too narrow. Subjects are, so whole subjects are drawn again, with
replacement. An interval says how far the figure would move with other subjects from where these came
from; with fewer than eight it is rather too narrow itself.
"""

from __future__ import annotations

from collections.abc import Sequence as Series
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from ..runtime.arrays import Floats
from ..runtime.words import counted

RESAMPLES = 2000

LEVEL = 0.95

LEAST = 3  # subjects: of two, half of the samples are one of them twice

_BLOCK_VALUES = 1 << 22  # resampled values held at a time


def pair_interval(
    values: ArrayLike,
    subjects_a: Series[str],
    subjects_b: Series[str],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % interval of the mean of a matrix of pairs, by drawing the subjects of its rows and columns again.

    Parameters
    ----------
    values, subjects_a, subjects_b, resamples, seed : as for `resampled_pair_means`

    Returns
    -------
    low, high : both NaN with fewer than three subjects on either side

    Raises
    ------
    InputError : not one subject per row and column.

    References
    ----------
    Davison, Hinkley 1997, Bootstrap Methods and their Application, section 3.8, doi 10.1017/CBO9780511802843.
    """
    return interval_of(resampled_pair_means(values, subjects_a, subjects_b, resamples, seed))


def resampled_pair_means(
    values: ArrayLike,
    subjects_a: Series[str],
    subjects_b: Series[str],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Floats:
    """Means of a matrix of pairs, the subjects of its rows and columns drawn again with replacement.

    If rows and columns are of the same subjects, as in vivo-vivo, both are drawn together, and a subject
    drawn twice is never paired with its own copy: such pairs would be of equal sequences. Equally many subjects are
    drawn alike with one seed, so that means of two matrices of the same subjects can be subtracted.

    Parameters
    ----------
    values : (N, M), NaN for what is no pair
    subjects_a, subjects_b : N and M names
    resamples : samples drawn
    seed : of the samples

    Returns
    -------
    (resamples,), NaN for samples without pairs; (0,) with fewer than three subjects on either side

    Raises
    ------
    InputError : not one subject per row and column.
    """
    values = np.asarray(values, np.float64)
    if values.shape != (len(subjects_a), len(subjects_b)):
        got = f"{values.shape} values for {len(subjects_a)} and {counted(len(subjects_b), 'subject')}"
        raise InputError(f"values must have a row and a column for each subject named, got {got}")
    member_a, member_b = _membership(subjects_a), _membership(subjects_b)  # (subjects, N), (subjects, M)
    if min(len(member_a), len(member_b)) < LEAST:
        return np.empty(0)
    pair = np.isfinite(values)
    sums = member_a @ np.where(pair, values, 0.0) @ member_b.T  # (A, B), over the pairs of two subjects
    counts = member_a @ pair.astype(np.float64) @ member_b.T
    drawn_b = _draws(len(member_b), resamples, np.random.default_rng((seed, 1)))
    together = sorted(set(subjects_a)) == sorted(set(subjects_b))
    drawn_a = drawn_b if together else _draws(len(member_a), resamples, np.random.default_rng((seed, 0)))
    total = ((drawn_a @ sums) * drawn_b).sum(axis=1)
    count = ((drawn_a @ counts) * drawn_b).sum(axis=1)
    if together:  # w² pairs of a subject with itself were counted, but there are w: each copy with itself
        copies = drawn_a**2 - drawn_a
        total -= copies @ np.diagonal(sums)
        count -= copies @ np.diagonal(counts)
    return np.divide(total, count, out=np.full(resamples, np.nan), where=count > 0.5)


def interval_of(means: Floats) -> tuple[float, float]:
    """The bounds of the 95 % interval of resampled means; NaN without any."""
    means = means[np.isfinite(means)]
    if not means.size:
        return np.nan, np.nan
    low, high = np.quantile(means, tails())
    return float(low), float(high)


def mean_interval(
    values: ArrayLike, subjects: Series[str], resamples: int = RESAMPLES, seed: int = 0
) -> tuple[Floats, Floats, Floats]:
    """Mean over sequences of maps, profiles or numbers, with its pointwise 95 % interval by subject.

    Pointwise: of the pixels of a map, one in twenty may lie outside. To say where two groups differ, use
    `compare_groups`, which corrects for that.

    Parameters
    ----------
    values : (N, …), one map, profile or number per sequence
    subjects : N names
    resamples : samples drawn
    seed : of the samples

    Returns
    -------
    mean, low, high : (…), unit of `values`; every sequence counts alike

    Raises
    ------
    InputError : not one subject per sequence, or fewer than three subjects.

    References
    ----------
    Davison, Hinkley 1997, Bootstrap Methods and their Application, section 3.8, doi 10.1017/CBO9780511802843.
    """
    values = np.asarray(values, np.float64)
    if values.ndim == 0 or len(values) != len(subjects):
        got = f"{values.shape} and {counted(len(subjects), 'subject')}"
        raise InputError(f"values must have one subject per sequence, got {got}")
    if len(set(subjects)) < LEAST:
        raise InputError(
            f"an interval by subject needs at least {LEAST} subjects, got {len(set(subjects))}; add subjects"
        )
    flat = values.reshape(len(values), -1)
    low, high = np.empty((2, flat.shape[1]))
    step = max(1, _BLOCK_VALUES // resamples)
    for start in range(0, flat.shape[1], step):
        block = slice(start, start + step)
        means = resampled_means(flat[:, block], subjects, resamples, seed)  # one seed, one set of samples
        low[block], high[block] = np.quantile(means, tails(), axis=0)
    shape = values.shape[1:]
    return flat.mean(axis=0).reshape(shape), low.reshape(shape), high.reshape(shape)


def resampled_means(values: Floats, subjects: Series[Any], resamples: int = RESAMPLES, seed: int = 0) -> Floats:
    """(resamples, K): means over sequences of values (N, K), the subjects drawn again for each."""
    member = _membership(subjects)
    drawn = _draws(len(member), resamples, np.random.default_rng(seed))
    return (drawn @ (member @ values)) / (drawn @ member.sum(axis=1))[:, None]


def tails() -> tuple[float, float]:
    """The quantiles that bound the interval."""
    return (1 - LEVEL) / 2, (1 + LEVEL) / 2


def _membership(subjects: Series[Any]) -> Floats:
    """(subjects, N): 1 where a sequence is of that subject; the subjects sorted by name."""
    names = np.unique(np.asarray(subjects))
    return (names[:, None] == np.asarray(subjects)[None]).astype(np.float64)


def _draws(subjects: int, resamples: int, rng: np.random.Generator) -> NDArray[Any]:
    """(resamples, subjects): how often each subject is in each sample."""
    return rng.multinomial(subjects, np.full(subjects, 1 / subjects), size=resamples).astype(np.float64)
