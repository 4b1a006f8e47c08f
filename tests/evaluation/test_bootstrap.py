"""Intervals by subject: as wide as theory says, never narrowed by copies, and no pair with itself."""

import numpy as np
import pytest

from myovivo.errors import InputError
from myovivo.evaluation.bootstrap import mean_interval, pair_interval


def test_the_interval_of_a_mean_is_the_one_of_theory():
    values = np.random.default_rng(0).standard_normal((200, 3))
    mean, low, high = mean_interval(values, [f"s{k}" for k in range(200)])
    expected = 1.96 * values.std(axis=0) / np.sqrt(200)
    np.testing.assert_allclose(mean, values.mean(axis=0))
    np.testing.assert_allclose(high - mean, expected, rtol=0.1)
    np.testing.assert_allclose(mean - low, expected, rtol=0.1)


def test_it_covers_the_truth_as_often_as_it_says():
    covered = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        values = np.repeat(rng.standard_normal(20), 3) + 0.1 * rng.standard_normal(60)  # 20 subjects, thrice each
        _, low, high = mean_interval(values, np.repeat(np.arange(20), 3).tolist(), resamples=400, seed=seed)
        covered += low < 0 < high
    assert 0.88 < covered / 300 < 0.98  # percentile intervals of 20 are a little narrow


def test_maps_keep_their_shape_and_copies_of_a_sequence_add_nothing():
    maps = np.random.default_rng(1).standard_normal((6, 5, 4))
    subjects = [f"s{k}" for k in range(6)]
    once = mean_interval(maps, subjects)
    often = mean_interval(np.repeat(maps, 10, axis=0), np.repeat(subjects, 10).tolist())
    for one, other in zip(once, often, strict=True):
        assert one.shape == (5, 4)
        np.testing.assert_allclose(one, other)


def test_pairs_of_two_domains_move_with_the_subjects_of_both():
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal(100), rng.standard_normal(150)
    low, high = pair_interval(a[:, None] + b[None], [f"a{k}" for k in range(100)], [f"b{k}" for k in range(150)])
    expected = 1.96 * np.sqrt(a.var() / 100 + b.var() / 150)  # not over 15000 pairs
    assert high - low == pytest.approx(2 * expected, rel=0.1)
    assert low < a.mean() + b.mean() < high


def test_a_subject_drawn_twice_is_not_paired_with_its_copy():
    """Within a domain every pair of different sequences is 1 apart, and a copy would be 0 apart."""
    values = np.triu(np.ones((8, 8)), 1)
    values[values == 0] = np.nan
    subjects = [f"s{k // 2}" for k in range(8)]  # two sequences each
    assert pair_interval(values, subjects, subjects) == (1.0, 1.0)
    near = np.where(np.equal.outer(np.arange(8) // 2, np.arange(8) // 2), 0.0, 1.0)  # a subject is near itself
    near[np.tril_indices(8)] = np.nan
    low, high = pair_interval(near, subjects, subjects)
    brute = []
    for seed in range(2000):
        drawn = np.random.default_rng(seed).integers(4, size=4)
        pairs = [1.0] * 4 * sum(x != y for i, x in enumerate(drawn) for y in drawn[:i]) + [0.0] * 4
        brute.append(np.mean(pairs))
    np.testing.assert_allclose((low, high), np.quantile(brute, (0.025, 0.975)), atol=0.02)


def test_the_same_seed_gives_the_same_interval():
    values, names = np.random.default_rng(3).random((5, 6)), list("abcdef")
    assert pair_interval(values, names[:5], names) == pair_interval(values, names[:5], names)
    assert pair_interval(values, names[:5], names) != pair_interval(values, names[:5], names, seed=1)


def test_too_few_subjects_have_no_interval():
    assert np.isnan(pair_interval(np.ones((4, 4)), list("aabb"), list("cdef"))).all()
    with pytest.raises(InputError, match="at least 3 subjects, got 2"):
        mean_interval(np.ones(4), list("aabb"))
    with pytest.raises(InputError, match="one subject per sequence"):
        mean_interval(np.ones(4), list("abc"))
    with pytest.raises(InputError, match="for 2 and 3 subjects"):
        pair_interval(np.ones((4, 4)), list("ab"), list("abc"))
