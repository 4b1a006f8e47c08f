"""Fidelity, coverage and originality of a domain, by which sequences are whose nearest neighbours.

A Fréchet distance sees mean and covariance; these see single sequences: one that is like no recording, a recording that
nothing is like, a copy.
"""

from __future__ import annotations

import numpy as np
import scipy.special
from numpy.typing import ArrayLike

from ..errors import InputError
from ..runtime.arrays import Floats

NEIGHBOURS = 5  # the k of the paper; fewer where there are not twice as many sequences


def clipped_density(samples: ArrayLike, reference: ArrayLike, neighbours: int = NEIGHBOURS) -> float:
    """Column Density: how many of the samples lie where the reference is dense.

    Each reference row has a ball as far as its k-th nearest neighbour, but no farther than the median of those radii,
    so that an outlier among them has no large one. A sample counts as the number of balls it is in over k, at most 1;
    the mean is divided by that of the reference's own rows.

    Parameters
    ----------
    samples : (N, K), one row per sequence
    reference : (M, K)
    neighbours : k, at most half of M

    Returns
    -------
    float, 0 (all far from the reference) to 1 (as near as its own rows)

    Raises
    ------
    InputError : fewer than two rows, different numbers of features, or not finite.

    References
    ----------
    Salvy, Talbot, Thirion 2025, Enhanced Generative Model Evaluation with Clipped Density and Coverage,
    arXiv:2507.01761.
    """
    samples, reference = _checked_pair(samples, reference)
    k = min(neighbours, len(reference) // 2)
    own = _apart(reference)
    radius = np.sort(own, axis=1)[:, k - 1]
    radius = np.minimum(radius, np.median(radius))
    inside = (distances_between(reference, samples) <= radius[:, None]).sum(axis=0)
    expected = (own <= radius[:, None]).sum(axis=0)
    return min(float(np.minimum(inside / k, 1).mean() / np.minimum(expected / k, 1).mean()), 1.0)


def clipped_coverage(samples: ArrayLike, reference: ArrayLike, neighbours: int = NEIGHBOURS) -> float:
    """Column Coverage: how much of the reference has samples near it.

    A reference row counts as the number of samples nearer than its k-th nearest neighbour over k, at most 1. What the
    mean comes to is compared with what it would be if m of the samples were drawn as the reference was and the others
    lay elsewhere; m / N is the coverage. Between two m it is interpolated (ours).

    Parameters
    ----------
    samples : (N, K), one row per sequence
    reference : (M, K)
    neighbours : k, at most half of M

    Returns
    -------
    float, 0 (nothing covered) to 1 (as much as by as many samples of the same distribution)

    Raises
    ------
    InputError : fewer than two rows, different numbers of features, or not finite.

    References
    ----------
    Salvy, Talbot, Thirion 2025, Enhanced Generative Model Evaluation with Clipped Density and Coverage,
    arXiv:2507.01761.
    """
    samples, reference = _checked_pair(samples, reference)
    k = min(neighbours, len(reference) // 2)
    radius = np.sort(_apart(reference), axis=1)[:, k - 1]
    near = (distances_between(reference, samples) < radius[:, None]).sum(axis=1)
    covered = np.minimum(near / k, 1).mean()
    expected = _expected_coverage(len(samples), len(reference), k)
    return float(np.interp(covered, expected, np.arange(len(expected)) / len(samples)))


def authenticity(samples: ArrayLike, reference: ArrayLike) -> float:
    """Column Authentic: the share of samples that are no copies of a reference row.

    A sample is taken for a copy if it is nearer to its nearest reference row than any other reference row is to that.

    Parameters
    ----------
    samples : (N, K), one row per sequence
    reference : (M, K); the training set, to see whether a model repeats it

    Returns
    -------
    float, 0 (all copies) to 1. New samples of the same distribution are about a half, which nothing but
        samples far from the reference exceeds.

    Raises
    ------
    InputError : fewer than two rows, different numbers of features, or not finite.

    References
    ----------
    Alaa, van Breugel, Saveliev, van der Schaar 2022, ICML, arXiv:2102.08921.
    """
    samples, reference = _checked_pair(samples, reference)
    distance = distances_between(samples, reference)
    nearest = distance.argmin(axis=1)
    return float(np.mean(distance.min(axis=1) > _apart(reference).min(axis=1)[nearest]))


def distances_between(a: Floats, b: Floats) -> Floats:
    """(N, M): Euclidean distance of each row of one set from each of another."""
    return np.sqrt(np.square(a[:, None] - b[None]).sum(axis=-1))


def _apart(rows: Floats) -> Floats:
    """(N, N): distances between rows, infinite from a row to itself."""
    distance = distances_between(rows, rows)
    np.fill_diagonal(distance, np.inf)
    return distance


def _expected_coverage(samples: int, reference: int, k: int) -> Floats:
    """(samples + 1,): the expected mean for m = 0 … samples drawn as the reference was.

    The share of a distribution within the k-th nearest of M − 1 neighbours is Beta(k, M − k), and so the number of m
    samples within is Beta-binomial.
    """
    m, j = np.arange(samples + 1)[:, None], np.arange(k)[None]
    possible = np.maximum(m - j, 0)
    log_choices = scipy.special.gammaln(m + 1) - scipy.special.gammaln(j + 1) - scipy.special.gammaln(possible + 1)
    log_share = scipy.special.betaln(j + k, possible + reference - k) - scipy.special.betaln(k, reference - k)
    chance = np.where(j <= m, np.exp(log_choices + log_share), 0.0)
    return 1 - ((1 - j / k) * chance).sum(axis=1)


def _checked_pair(samples: ArrayLike, reference: ArrayLike) -> tuple[Floats, Floats]:
    a, b = np.asarray(samples, np.float64), np.asarray(reference, np.float64)
    if a.ndim != 2 or b.ndim != 2 or min(len(a), len(b)) < 2 or a.shape[1] != b.shape[1]:
        raise InputError(f"both domains must be (N, K) of at least two sequences, got {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("features must be finite, got NaN or infinite values")
    return a, b
