"""Maximum mean discrepancy of two domains, and the chance that two alike would differ so much."""

from __future__ import annotations

from collections.abc import Sequence as Series
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InputError
from ..runtime.arrays import Floats
from ..runtime.words import counted
from .neighbours import distances_between

MMD_PERMUTATIONS = 999


class Discrepancy(NamedTuple):
    """Squared maximum mean discrepancy and its p value."""

    value: float
    p: float


def squared_mmd(a: ArrayLike, b: ArrayLike) -> float:
    """Column MMD: squared maximum mean discrepancy of two sets of features, without bias.

    MMD² = mean k(x, x') + mean k(y, y') − 2 mean k(x, y), no x with itself, k Gaussian of the distance, its width the
    median distance of all rows of both (ours).

    Parameters
    ----------
    a : (N, K), one row per sequence
    b : (M, K)

    Returns
    -------
    float, about 0, and as often below as above, if both are of one distribution; 2 at most. Copies of `b` as `a`
        are below 0 too.

    Raises
    ------
    InputError : fewer than two rows, different numbers of features, or not finite.

    References
    ----------
    Gretton et al. 2012, J Mach Learn Res 13:723-773.
    """
    kernel, count = _kernel(a, b)
    first = np.arange(len(kernel)) < count
    return float(_statistics(kernel, first[None].astype(np.float64))[0])


def mmd_test(
    a: ArrayLike,
    b: ArrayLike,
    subjects_a: Series[str],
    subjects_b: Series[str],
    permutations: int = MMD_PERMUTATIONS,
    seed: int = 0,
) -> Discrepancy:
    """Are two domains of one distribution? `squared_mmd`, and its p value by permuting subjects.

    Parameters
    ----------
    a, b : as for `squared_mmd`
    subjects_a, subjects_b : N and M names; all sequences of a subject stay together, and a name in both domains
        stands for two subjects
    permutations : of the labels of subjects, besides the observed one
    seed : of the permutations

    Returns
    -------
    Discrepancy : p is how often permuted labels reach the value, at least 1 / (permutations + 1)

    Raises
    ------
    InputError : as `squared_mmd`, or not one subject per row.

    References
    ----------
    Gretton et al. 2012, J Mach Learn Res 13:723-773.
    """
    kernel, count = _kernel(a, b)
    if (count, len(kernel) - count) != (len(subjects_a), len(subjects_b)):
        got = f"{len(kernel)} rows for {len(subjects_a)} and {counted(len(subjects_b), 'subject')}"
        raise InputError(f"a test by subject needs one subject per row, got {got}")
    owners = np.array([*(f"a/{name}" for name in subjects_a), *(f"b/{name}" for name in subjects_b)])
    names, member = np.unique(owners, return_inverse=True)
    observed = np.char.startswith(names, "a/").astype(np.float64)
    rng = np.random.default_rng(seed)
    labels = np.stack([observed, *(rng.permutation(observed) for _ in range(permutations))])[:, member]
    values = _statistics(kernel, labels)
    reached = np.count_nonzero(values >= values[0] - 1e-12)  # the observed one among them
    return Discrepancy(float(values[0]), reached / len(values))


def _kernel(a: ArrayLike, b: ArrayLike) -> tuple[Floats, int]:
    """(N + M, N + M) kernel of all rows, and N."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.ndim != 2 or b.ndim != 2 or min(len(a), len(b)) < 2 or a.shape[1] != b.shape[1]:
        raise InputError(f"both domains must be (N, K) of at least two sequences, got {a.shape} and {b.shape}")
    rows = np.concatenate([a, b])
    if not np.isfinite(rows).all():
        raise InputError("features must be finite, got NaN or infinite values")
    distance = distances_between(rows, rows)
    width = np.median(distance[np.triu_indices(len(rows), 1)])
    return np.exp(-np.square(distance / (width or 1.0)) / 2), len(a)


def _statistics(kernel: Floats, labels: Floats) -> Floats:
    """(P,) squared discrepancies for (P, N) labels, 1 for the first domain and 0 for the second."""
    others = 1 - labels
    alone = kernel - np.diag(np.diagonal(kernel))
    count, rest = labels.sum(axis=1), others.sum(axis=1)
    pairs = np.maximum(count * (count - 1), 1), np.maximum(rest * (rest - 1), 1)
    within = ((labels @ alone) * labels).sum(axis=1) / pairs[0] + ((others @ alone) * others).sum(axis=1) / pairs[1]
    return within - 2 * ((labels @ kernel) * others).sum(axis=1) / (count * rest)
