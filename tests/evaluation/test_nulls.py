"""Baselines without a network: what each keeps and what it changes."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from myovivo.errors import InputError
from myovivo.evaluation import content, moments, nulls
from myovivo.sequences.sequence import Sequence


@pytest.fixture
def sequence():
    rng = np.random.default_rng(2)
    velocity = gaussian_filter(rng.standard_normal((101, 10, 9)), (1, 1, 1)) * np.linspace(0.5, 2, 9)
    velocity[:, 0, 0] = 0
    return Sequence(1e-3 * velocity, 200.0, (0.001, 0.001), origin="silico", subject="s1")


def test_matched_gain_gives_the_reference_map_and_keeps_every_correlation(sequence):
    wanted = np.random.default_rng(3).uniform(1e-7, 1e-5, (10, 9))
    found = nulls.gain_matched(sequence, wanted)
    variance = moments.temporal_variance(found.velocity)
    np.testing.assert_allclose(variance.ravel()[1:], wanted.ravel()[1:], rtol=1e-5)
    assert variance[0, 0] == 0
    correlation, lag = content.content_correlation(sequence.velocity, found.velocity, 200.0)
    np.testing.assert_allclose(correlation.ravel()[1:], 1.0, atol=1e-5)
    assert not lag.ravel()[1:].any()
    assert (found.origin, found.subject, found.provenance["null"]) == ("translated", "s1", "gain_matched")


def test_added_noise_has_the_requested_power_and_seed(sequence):
    found = nulls.noise_added(sequence, 10.0, seed=4)
    noise = found.velocity.astype(float) - sequence.velocity
    ratio = np.mean(np.square(sequence.velocity, dtype=float)) / np.mean(noise**2)
    assert 10 * np.log10(ratio) == pytest.approx(10.0, abs=0.2)
    np.testing.assert_array_equal(nulls.noise_added(sequence, 10.0, seed=4).velocity, found.velocity)
    assert (nulls.noise_added(sequence, 10.0, seed=5).velocity != found.velocity).any()


@pytest.mark.parametrize("frames", [100, 101])
def test_random_phases_keep_spectra_and_space_but_not_the_motion(sequence, frames):
    vivo = sequence.replace(velocity=sequence.velocity[:frames], origin="vivo")
    found = nulls.phase_randomised(vivo, seed=1)
    before, after = np.fft.rfft(vivo.velocity, axis=0), np.fft.rfft(found.velocity, axis=0)
    np.testing.assert_allclose(np.abs(after), np.abs(before), atol=1e-5 * np.abs(before).max())
    cross_before, cross_after = (one[:, 4, 4] * np.conj(one[:, 6, 2]) for one in (before, after))
    np.testing.assert_allclose(cross_after, cross_before, atol=1e-5 * np.abs(cross_before).max())
    correlation, _ = content.content_correlation(vivo.velocity, found.velocity, 200.0)
    assert np.nanmean(correlation) < 0.7
    assert found.labels is None


@pytest.mark.parametrize(
    ("variance", "words"), [(np.ones((3, 3)), r"\(10, 9\) pixels"), (np.full((10, 9), -1.0), "not negative")]
)
def test_a_map_that_is_no_variance_is_refused(sequence, variance, words):
    with pytest.raises(InputError, match=words):
        nulls.gain_matched(sequence, variance)
