"""The participation ratio of motion whose patterns are known."""

import numpy as np
import pytest

from myovivo.evaluation.participation import participation_ratio, sampled_ratio


@pytest.mark.parametrize("frames", [300, 3000])  # fewer frames than pixels, and more
def test_independent_patterns_of_equal_strength_are_counted(frames):
    patterns = np.repeat(np.eye(5), 100, axis=1).reshape(5, 25, 20)
    courses = np.linalg.qr(np.random.default_rng(0).standard_normal((frames, 6)) - 0.0)[0]
    courses = np.linalg.qr(courses[:, :5] - courses[:, :5].mean(axis=0))[0]
    velocity = (1e-4 * np.tensordot(courses, patterns, 1) + 0.3).astype(np.float64)
    assert participation_ratio(velocity) == pytest.approx(5.0, rel=1e-6)
    assert participation_ratio(velocity[:, :5]) == pytest.approx(1.0, rel=1e-6)


def test_it_is_that_of_the_eigenvalues_whatever_the_gain():
    velocity = np.random.default_rng(1).standard_normal((40, 6, 5)) * np.geomspace(1, 30, 30).reshape(6, 5)
    values = np.linalg.eigvalsh(np.cov(velocity.reshape(40, -1).T))
    expected = values.sum() ** 2 / np.square(values).sum()
    assert participation_ratio(velocity) == pytest.approx(expected, rel=1e-9)
    assert participation_ratio((1e-6 * velocity).astype(np.float32)) == pytest.approx(expected, rel=1e-4)
    assert np.isnan(participation_ratio(np.ones((5, 2, 2))))


def test_every_eighth_pixel_of_smooth_motion_is_enough():
    rng = np.random.default_rng(2)
    z, x = np.mgrid[0:128, 0:128]
    centres = rng.uniform(0, 128, (6, 2))
    maps = [np.exp(-np.hypot(z - a, x - b) / 20) for a, b in centres]
    velocity = np.tensordot(rng.standard_normal((200, 6)), maps, 1).astype(np.float32)
    assert sampled_ratio(velocity, velocity.mean(axis=0)) == pytest.approx(participation_ratio(velocity), rel=0.05)
