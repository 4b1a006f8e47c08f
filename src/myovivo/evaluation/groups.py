"""Do two trained translators do different things, and where? A permutation test on their difference maps.

The paper's idea: a translator trained on recordings of young people and one trained on old people turn the
same simulations into two kinds of muscle, and what differs between the two is what age does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from ..errors import InputError
from ..runtime.arrays import Floats
from .bootstrap import resampled_means, tails
from .maps import MapStack, depth_profile

PERMUTATIONS = 2000

ALPHA = 0.05

_BLOCK_VALUES = 1 << 22  # permuted statistics held at a time


@dataclass(frozen=True, eq=False)
class GroupDifference:
    """Result of `compare_groups`, a − b, every subject counted once.

    Attributes
    ----------
    difference : (Z, X), unit of the maps
    p : (Z, X), corrected for all pixels: p ≤ 0.05 anywhere, without a difference, in one of 20 comparisons
    depth : (Z,) m
    profile : (Z,), lateral mean of `difference`
    low, high : (Z,), pointwise 95 % interval of the profile by subject
    profile_p : (Z,), corrected for all depths
    paired : whether both groups are of the same simulations
    subjects : in a, and in b
    permutations : drawn
    spacing : (dz, dx), m
    """

    difference: Floats = field(repr=False)
    p: Floats = field(repr=False)
    depth: Floats = field(repr=False)
    profile: Floats = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)
    profile_p: Floats = field(repr=False)
    paired: bool
    subjects: tuple[int, int]
    permutations: int
    spacing: tuple[float, float]

    def __str__(self) -> str:
        who = f"{self.subjects[0]} pairs" if self.paired else f"{self.subjects[0]} and {self.subjects[1]} subjects"
        return (
            f"a − b over {who}: {np.mean(self.p <= ALPHA):.1%} of the pixels and "
            f"{np.sum(self.profile_p <= ALPHA)} of {len(self.depth)} depths differ (p ≤ {ALPHA}, corrected); "
            f"least p {self.p.min():.4f} in the map, {self.profile_p.min():.4f} over depth"
        )


def compare_groups(a: MapStack, b: MapStack, permutations: int = PERMUTATIONS, seed: int = 0) -> GroupDifference:
    """Test in which pixels and at which depths the maps of two translators differ.

    Two translations of the same simulations are paired: under no difference each subject's a − b could as
    well be b − a, so signs are flipped. Otherwise the groups' labels are permuted. The statistic is
    Student's t, or Welch's, of each pixel, and p counts how often the largest |t| *anywhere* in a permuted
    map reaches that of the pixel, which keeps the chance of a single false find anywhere at alpha.

    Parameters
    ----------
    a, b : maps of either translator, by `maps.difference_maps`. Sequences of one subject are averaged first.
        The same names and subjects in both make them paired
    permutations : drawn, the observed one among them; the least possible p is one over it
    seed : of the permutations

    Returns
    -------
    GroupDifference : printed, one line

    Raises
    ------
    InputError : maps of different size, groups that share only some of their simulations, or too few
        subjects to ever reach p = 0.05.

    References
    ----------
    Nichols, Holmes 2002, Hum Brain Mapp 15(1):1-25, doi 10.1002/hbm.1058.
    """
    if a.maps.shape[1:] != b.maps.shape[1:]:
        got = f"{a.maps.shape[1:]} and {b.maps.shape[1:]} pixels"
        raise InputError(f"the maps of both groups must share a size, got {got}; translate equal sequences")
    mine, theirs = set(zip(a.names, a.subjects, strict=True)), set(zip(b.names, b.subjects, strict=True))
    paired = mine == theirs
    shared = set(a.subjects) & set(b.subjects)
    if shared and not paired:
        rule = "both groups must be of the same simulations or have none in common"
        raise InputError(f"{rule}, got {len(shared)} common subjects of {len(a.subjects)} and {len(b.subjects)}")
    per_a, per_b = _by_subject(a), _by_subject(b)
    counts = len(per_a), len(per_b)
    # Swapping the groups leaves |t|: it counts twice, if it can be had.
    twice = 2 if paired or counts[0] == counts[1] else 1
    arrangements = 2 ** counts[0] if paired else math.comb(sum(counts), counts[0])
    if twice / arrangements > ALPHA:
        rule = f"so few subjects cannot differ at p = {ALPHA} whatever their maps are"
        raise InputError(f"{rule}, got {counts[0]} and {counts[1]}; take 6 pairs, or 4 subjects in each group, or more")
    rng = np.random.default_rng(seed)
    drawn = _flips(counts[0], permutations, rng) if paired else _labels(counts, permutations, rng)

    def tested(x: Floats, y: Floats) -> Floats:
        flat_x, flat_y = x.reshape(len(x), -1), y.reshape(len(y), -1)
        return _corrected(_paired(flat_x - flat_y) if paired else _unpaired(flat_x, flat_y), drawn).reshape(x.shape[1:])

    difference = per_a.mean(axis=0) - per_b.mean(axis=0)
    depth, profile, _ = depth_profile(difference, a.spacing)
    low, high = _interval(per_a.mean(axis=2), per_b.mean(axis=2), paired, seed)
    return GroupDifference(
        difference=difference,
        p=tested(per_a, per_b),
        depth=depth,
        profile=profile,
        low=low,
        high=high,
        profile_p=tested(per_a.mean(axis=2), per_b.mean(axis=2)),
        paired=paired,
        subjects=counts,
        permutations=permutations,
        spacing=a.spacing,
    )


def _by_subject(stack: MapStack) -> Floats:
    """(subjects, Z, X): the mean map of each subject, sorted by name."""
    names = np.asarray(stack.subjects)
    return np.stack([stack.maps[names == name].mean(axis=0) for name in np.unique(names)])


def _interval(a: Floats, b: Floats, paired: bool, seed: int) -> tuple[Floats, Floats]:
    """Pointwise 95 % interval of mean a − mean b, for (subjects, Z) each."""
    if paired:
        means = resampled_means(a - b, range(len(a)), seed=seed)
    else:
        means = resampled_means(a, range(len(a)), seed=seed) - resampled_means(b, range(len(b)), seed=seed + 1)
    low, high = np.quantile(means, tails(), axis=0)
    return low, high


def _flips(pairs: int, permutations: int, rng: Generator) -> Floats:
    """(permutations, pairs) of ±1; the first row is what was observed."""
    drawn = rng.choice([-1.0, 1.0], (permutations, pairs))
    drawn[0] = 1.0
    return drawn


def _labels(counts: tuple[int, int], permutations: int, rng: Generator) -> Floats:
    """(permutations, subjects) of 1 for group a and 0 for b; the first row is what was observed."""
    observed = np.repeat([1.0, 0.0], counts)
    return np.stack([observed, *(rng.permutation(observed) for _ in range(permutations - 1))])


def _paired(difference: Floats) -> Callable[[Floats], Floats]:
    """|t| of the mean difference (pairs, P) under flips of sign, which leave the mean square as it is."""
    square = np.square(difference).mean(axis=0)

    def statistic(flips: Floats) -> Floats:
        mean = flips @ difference / len(difference)
        return _ratio(mean, (square - np.square(mean)) / (len(difference) - 1), square)

    return statistic


def _unpaired(a: Floats, b: Floats) -> Callable[[Floats], Floats]:
    """Welch's |t| of (subjects, P) each under other labels."""
    both = np.concatenate([a, b])
    both = both - both.mean(axis=0)  # changes no t, and keeps the variances below from cancelling
    squares = np.square(both)

    def statistic(labels: Floats) -> Floats:
        means, errors = [], []
        for group in (labels, 1 - labels):
            count = group[0].sum()
            mean = group @ both / count
            means.append(mean)
            errors.append((group @ squares / count - np.square(mean)) / (count - 1))
        return _ratio(means[0] - means[1], errors[0] + errors[1], squares.mean(axis=0))

    return statistic


def _ratio(mean: Floats, error: Floats, square: Floats) -> Floats:
    """|t| from a mean difference and the square of its error; 0 where nothing differs at all."""
    least = 1e-12 * square  # of exactly equal differences only rounding is left
    return np.abs(mean) / np.sqrt(np.where(square > 0, np.maximum(error, least), 1.0))


def _corrected(statistic: Callable[[Floats], Floats], drawn: Floats) -> Floats:
    """(P,) p values, corrected by the largest statistic of each permutation."""
    observed = statistic(drawn[:1])[0]
    step = max(1, _BLOCK_VALUES // len(observed))
    largest = [statistic(drawn[start : start + step]).max(axis=1) for start in range(0, len(drawn), step)]
    ranked = np.sort(np.concatenate(largest))
    # A permutation that is the observed one up to rounding counts as it.
    reached = len(ranked) - np.searchsorted(ranked, observed * (1 - 1e-9), side="left")
    return np.maximum(reached, 1) / len(ranked)
