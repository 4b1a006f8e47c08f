"""Maximum mean discrepancy: without bias, right about chance, and by subject."""

import numpy as np
import pytest

from myovivo.errors import InputError
from myovivo.evaluation.mmd import mmd_test, squared_mmd


def names(prefix, count, times=1):
    return np.repeat([f"{prefix}{k}" for k in range(count)], times).tolist()


def test_it_is_the_sum_of_kernels_over_pairs():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((5, 3)), rng.standard_normal((7, 3)) + 1
    rows = np.concatenate([a, b])
    distances = [np.linalg.norm(x - y) for i, x in enumerate(rows) for y in rows[:i]]

    def k(x, y):
        return np.exp(-(np.linalg.norm(x - y) ** 2) / (2 * np.median(distances) ** 2))

    within_a = np.mean([k(x, y) for i, x in enumerate(a) for j, y in enumerate(a) if i != j])
    within_b = np.mean([k(x, y) for i, x in enumerate(b) for j, y in enumerate(b) if i != j])
    expected = within_a + within_b - 2 * np.mean([k(x, y) for x in a for y in b])
    assert squared_mmd(a, b) == pytest.approx(expected, rel=1e-12)


def test_it_is_zero_on_average_for_one_distribution_and_sees_what_mean_and_covariance_do_not():
    rng = np.random.default_rng(1)
    alike = [squared_mmd(rng.standard_normal((20, 4)), rng.standard_normal((15, 4))) for _ in range(200)]
    assert abs(np.mean(alike)) < 3 * np.std(alike) / np.sqrt(200)
    signs = rng.choice([-1.0, 1.0], (200, 1))  # mean 0 and variance 1 as well, but of two modes
    assert squared_mmd(signs, rng.standard_normal((200, 1))) > 0.04
    assert abs(squared_mmd(*rng.standard_normal((2, 200, 1)))) < 0.01


def test_the_p_value_is_as_often_small_as_it_says_and_small_where_domains_differ():
    rng = np.random.default_rng(2)

    def p(shift):
        subjects = rng.standard_normal((2, 10, 1, 3))  # 10 subjects of 3 sequences each, alike within
        a, b = (subjects + 0.1 * rng.standard_normal((2, 10, 3, 3))).reshape(2, 30, 3)
        return mmd_test(a + shift, b, names("s", 10, 3), names("s", 10, 3), permutations=99).p

    chance = np.array([p(0.0) for _ in range(200)])
    assert np.mean(chance <= 0.05) < 0.1  # sequences shuffled one by one would make it .5
    assert np.mean(chance) == pytest.approx(0.5, abs=0.08)
    assert p(3.0) <= 0.02


def test_what_is_no_domain_is_refused():
    with pytest.raises(InputError, match="at least two sequences"):
        squared_mmd(np.ones((1, 2)), np.ones((3, 2)))
    with pytest.raises(InputError, match="one subject per row"):
        mmd_test(np.ones((3, 2)), np.ones((3, 2)), ["a"], ["b"] * 3)
