"""Fréchet distances: the closed form of known Gaussians, nothing between halves of one domain."""

import numpy as np
import pytest

from myovivo.errors import InputError
from myovivo.evaluation import frechet
from myovivo.evaluation.halves import SPLITS


def test_gaussians_that_share_axes_have_the_closed_form():
    """Diagonal covariances: Σ (√s₁ − √s₂)²; turning both the same way changes nothing."""
    a, b = np.array([4.0, 1.0, 0.0]), np.array([1.0, 9.0, 4.0])
    expected = np.square(np.sqrt(a) - np.sqrt(b)).sum()
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    assert frechet.gaussian_distance(np.diag(a), np.diag(b)) == pytest.approx(expected)
    turned = [turn @ np.diag(one) @ turn.T for one in (a, b)]
    assert frechet.gaussian_distance(*turned) == pytest.approx(expected)


def test_many_draws_from_known_gaussians_give_their_distance():
    rng = np.random.default_rng(1)
    a = rng.standard_normal((20_000, 4)) * [1, 2, 1, 1]
    b = rng.standard_normal((20_000, 4)) * [1, 1, 1, 3] + [2, 0, 0, 0]
    assert frechet.frechet_distance(a, b) == pytest.approx(4 + 1 + 4, rel=0.03)


def test_it_sees_a_domain_without_variety():
    rng = np.random.default_rng(2)
    varied = rng.standard_normal((40, 6))
    same = np.tile(varied.mean(axis=0), (40, 1))  # the right mean, drawn every time
    assert frechet.frechet_distance(same, varied) > 4
    assert frechet.frechet_distance(varied, varied) == pytest.approx(0, abs=1e-9)


def test_shrinking_brings_few_rows_nearer_to_the_truth_and_leaves_many_alone():
    truth = np.diag(np.linspace(1, 3, 16))
    root = np.sqrt(truth)
    errors = []
    for seed in range(20):
        rows = np.random.default_rng(seed).standard_normal((8, 16)) @ root
        shrunk = frechet.shrunk_covariance(rows)
        assert np.linalg.eigvalsh(shrunk).min() > 0.1  # eight rows alone have rank seven
        errors.append([np.linalg.norm(one - truth) for one in (shrunk, np.cov(rows.T, bias=True))])
    assert np.mean(errors, axis=0)[0] < 0.6 * np.mean(errors, axis=0)[1]
    many = np.random.default_rng(0).standard_normal((50_000, 16)) @ root
    np.testing.assert_allclose(frechet.shrunk_covariance(many), truth, atol=0.1)
    assert not frechet.shrunk_covariance(np.ones((5, 3))).any()


@pytest.mark.parametrize(("rows", "columns"), [(4, 8), (12, 8), (200, 3)])
def test_the_shrinkage_is_that_of_the_formula(rows, columns):
    """(1 − ρ) S + ρ (Tr S / K) I, ρ the chance spread of the rows' own products about S over that of S about I."""
    centred = np.random.default_rng(rows).standard_normal((rows, columns)) * np.arange(1, columns + 1)
    centred -= centred.mean(axis=0)
    covariance = centred.T @ centred / rows
    level = np.trace(covariance) / columns * np.eye(columns)
    chance = np.mean([np.square(np.outer(row, row) - covariance).sum() for row in centred]) / rows
    share = min(chance / np.square(covariance - level).sum(), 1.0)
    expected = (1 - share) * covariance + share * level
    np.testing.assert_allclose(frechet.shrunk_covariance(centred + 3.0), expected, rtol=1e-12, atol=1e-13)


def test_halves_of_one_domain_are_the_zero_that_others_are_measured_by():
    rng = np.random.default_rng(3)
    subjects = np.repeat([f"s{k}" for k in range(10)], 2).tolist()
    vivo = rng.standard_normal((20, 8))
    others, names = rng.standard_normal((20, 8)), [f"o{k}" for k in range(20)]
    within = frechet.split_distances(vivo, vivo, subjects, subjects)
    alike = frechet.split_distances(others, vivo, names, subjects)
    shifted = frechet.split_distances(others + 2, vivo, names, subjects)
    assert len(within) == SPLITS
    assert alike.mean() == pytest.approx(within.mean(), rel=0.5)  # not 0: ten sequences each
    assert shifted.mean() == pytest.approx(within.mean() + 8 * 4, rel=0.2)
    assert frechet.split_distances(vivo[:7], vivo[:7], names[:7], names[:7]).size == 0


@pytest.mark.parametrize("cycles", [(1, 0), (0, 5), (10, 10)])
def test_a_pattern_stands_in_the_band_of_its_frequency(cycles):
    size = 64
    z, x = np.meshgrid(*(np.arange(size) / size,) * 2, indexing="ij")
    pattern = np.cos(2 * np.pi * (cycles[0] * z + cycles[1] * x))
    features = frechet.map_spectrum(pattern + 1e-6 * np.random.default_rng(0).standard_normal((size, size)))
    expected = frechet.BANDS * np.log(np.hypot(*cycles)) / np.log(size / 2)
    assert features.argmax() == int(expected)


def test_empty_bands_lie_between_their_neighbours():
    power = frechet.band_means(np.array([1.0, 100.0]), np.exp([0.0, 7.0]), 1.0, 100.0)
    np.testing.assert_allclose(power, np.arange(8.0))


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (np.ones((1, 3)), np.ones((4, 3)), "at least two sequences"),
        (np.ones((4, 3)), np.ones((4, 2)), "got 3 and 2"),
        (np.full((4, 3), np.nan), np.ones((4, 3)), "finite"),
    ],
)
def test_features_that_are_none_are_refused(a, b, words):
    with pytest.raises(InputError, match=words):
        frechet.frechet_distance(a, b)
