"""Decimation: the library's own, what passes and what does not, and the same bits always."""

import numpy as np
import pytest
from scipy.signal import firwin, resample_poly

from myovivo.errors import InputError
from myovivo.signals.decimate import decimate, decimation_filter


@pytest.mark.parametrize("factor", [2, 3, 4, 5, 16, 103])
def test_it_is_the_resampling_of_scipy(factor):
    for seed in range(20):
        rng = np.random.default_rng((factor, seed))
        x = rng.standard_normal((3, int(rng.integers(1, 4000))))
        expected, got = resample_poly(x, 1, factor, axis=1), decimate(x, factor)
        assert got.shape == expected.shape
        np.testing.assert_allclose(got, expected, rtol=0, atol=4e-15)
        assert np.array_equal(got.astype(np.float32), expected.astype(np.float32))


def test_the_filter_is_the_windowed_sinc():
    expected = firwin(81, 0.25, window=("kaiser", 5.0))
    np.testing.assert_allclose(decimation_filter(4), expected, rtol=0, atol=1e-16)


def test_slow_motion_passes_and_what_would_fold_back_does_not():
    t = np.arange(8192) / 2048
    slow, fast = np.sin(2 * np.pi * 20 * t), np.sin(2 * np.pi * 400 * t)  # the new Nyquist frequency is 256 Hz
    inside = slice(50, -50)
    np.testing.assert_allclose(decimate(slow, 4)[inside], slow[::4][inside], atol=2e-3)
    assert np.abs(decimate(fast, 4)[inside]).max() < 5e-3


def test_one_row_alone_has_the_bits_it_has_among_others():
    x = np.random.default_rng(0).standard_normal((7, 1000))
    together = decimate(x, 4)
    assert all(decimate(row, 4).tobytes() == together[k].tobytes() for k, row in enumerate(x))


def test_a_factor_of_one_changes_nothing_and_none_is_refused():
    x = np.arange(5.0)
    assert np.array_equal(decimate(x, 1), x)
    with pytest.raises(InputError, match="at least 1, got 0"):
        decimate(x, 0)
