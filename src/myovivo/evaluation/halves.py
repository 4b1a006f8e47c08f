"""A measure of two domains over random halves of both, whole subjects at a time."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Series

import numpy as np
from numpy.typing import ArrayLike

from ..runtime.arrays import Floats

SPLITS = 100

_LEAST = 4  # sequences in the half of a domain


def over_halves(
    measure: Callable[[Floats, Floats], float],
    a: ArrayLike,
    b: ArrayLike,
    subjects_a: Series[str],
    subjects_b: Series[str],
    seed: int = 0,
) -> Floats:
    """A measure of half of one domain against half of another, over random halves by subject.

    Halves have equally many sequences whatever is compared with `b`, `b` itself included, so that the
    bias of few sequences is the same in all rows (unless `a` has fewer). No subject is in both halves. The halves of
    `b` are the same whatever `a` is, and so are those of equally many subjects of `a`: measures of two domains against
    `b` can be subtracted. Random halves spread as means over other subjects would (McCarthy 1969).

    Parameters
    ----------
    measure : of features (n, K) of half of `a` and (n, K) of half of `b`
    a : (N, K); b : (M, K)
    subjects_a, subjects_b : N and M names; the same name in both is the same subject
    seed : of the halves

    Returns
    -------
    (SPLITS,), or (0,) where a half would have fewer than 4 sequences

    References
    ----------
    McCarthy 1969, Rev Int Stat Inst 37(3):239-264, doi 10.2307/1402116.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    names_a, names_b = np.asarray(subjects_a), np.asarray(subjects_b)
    rng_a, rng_b = (np.random.default_rng((seed, domain)) for domain in (0, 1))
    values = []
    for _ in range(SPLITS):
        half = rng_b.permutation(np.unique(names_b))[: len(set(subjects_b)) // 2]
        mine = b[np.isin(names_b, half)]
        # Whole subjects too: as many sequences of more subjects would have less of a bias.
        order = [name for name in rng_a.permutation(np.unique(names_a)) if name not in half]
        others = [np.flatnonzero(names_a == name) for name in order]
        count = min(len(mine), len(b) - len(mine), sum(map(len, others)))
        if count < _LEAST:
            return np.empty(0)
        values.append(measure(a[np.concatenate(others)[:count]], mine[:count]))
    return np.array(values)
