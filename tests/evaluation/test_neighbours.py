"""Density, coverage and authenticity: known where the distributions are, and each blind to what the others see."""

import numpy as np
import pytest

from myovivo.errors import InputError
from myovivo.evaluation.neighbours import authenticity, clipped_coverage, clipped_density


@pytest.fixture
def domains():
    rng = np.random.default_rng(0)
    return rng.standard_normal((400, 4)), rng.standard_normal((400, 4))


def test_samples_of_the_reference_distribution_are_dense_covering_and_half_authentic(domains):
    samples, reference = domains
    assert clipped_density(samples, reference) > 0.93
    assert clipped_coverage(samples, reference) == pytest.approx(1.0, abs=0.07)
    assert authenticity(samples, reference) == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_both_fall_as_the_share_of_samples_that_lie_elsewhere(domains, share):
    samples, reference = domains
    samples = samples.copy()
    samples[: int(share * len(samples))] += 100.0
    assert clipped_density(samples, reference) == pytest.approx(1 - share, abs=0.06)
    assert clipped_coverage(samples, reference) == pytest.approx(1 - share, abs=0.08)


def test_coverage_sees_a_mode_that_is_missing_and_density_does_not():
    rng = np.random.default_rng(1)
    modes = np.repeat([[0.0, 0.0], [30.0, 0.0]], 200, axis=0)
    reference = modes + rng.standard_normal((400, 2))
    samples = np.concatenate([modes[:200]] * 2) + rng.standard_normal((400, 2))
    assert clipped_coverage(samples, reference) < 0.6
    assert clipped_density(samples, reference) > 0.9


def test_an_outlier_of_the_reference_makes_no_room_for_others():
    rng = np.random.default_rng(2)
    reference = rng.standard_normal((100, 2))
    reference[0] = 1000.0  # its neighbours are far: unclipped, its ball would hold everything on the way
    assert clipped_density(np.full((50, 2), 500.0), reference) == 0.0


def test_copies_are_not_authentic_however_dense_and_covering(domains):
    _, reference = domains
    copies = reference + 1e-3
    assert authenticity(copies, reference) == 0.0
    assert clipped_density(copies, reference) == pytest.approx(1.0, abs=0.01)
    assert clipped_coverage(copies, reference) == 1.0
    assert authenticity(reference + 50.0, reference) == 1.0


def test_coverage_is_what_so_many_good_samples_would_be_expected_to_cover():
    """Two reference rows, k = 1: m samples of their distribution are expected to reach 1 − 1 / (1 + m) of them."""
    reference = [[0.0], [1.0]]
    assert clipped_coverage([[0.5], [0.5]], reference) == 1.0
    assert clipped_coverage([[-0.5], [100.0]], reference) == pytest.approx(0.5)  # one of two rows: as one sample would
    assert clipped_coverage([[-0.5], [100.0], [100.0], [100.0]], reference) == pytest.approx(0.25)
    assert clipped_coverage([[100.0], [100.0]], reference) == 0.0


def test_features_that_are_none_are_refused():
    with pytest.raises(InputError, match="at least two sequences"):
        clipped_density(np.ones((1, 3)), np.ones((4, 3)))
    with pytest.raises(InputError, match="finite"):
        authenticity(np.full((4, 3), np.nan), np.ones((4, 3)))
