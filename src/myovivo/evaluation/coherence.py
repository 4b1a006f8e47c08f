"""Spatio-temporal coherence: how far apart two pixels can be and still move together.

Maps and spectra forget which pixels move at the same time. This curve does not, and as it is made of
correlations over time it is blind to gain: no scaling of pixels, however clever, changes it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike

from ..errors import InputError
from ..runtime.arrays import Floats
from .moments import temporal_variance

_BLOCK_VALUES = 1 << 17  # standardised so many at a time: they stay in the cache


class Coherence(NamedTuple):
    """Mean correlation over time of two pixels, by their separation.

    `axial[d]` is over all pairs of pixels d + 1 rows apart in one column, `lateral[d]` over those
    d + 1 columns apart in one row; up to half the image, beyond which few pairs are left.
    """

    axial: Floats
    lateral: Floats

    def curve(self) -> Floats:
        """Both, one after the other: what the column `Coh dist` compares."""
        return np.concatenate(self)


def coherence(velocity: ArrayLike) -> Coherence:
    """Spatio-temporal coherence of a sequence, C(d) = mean over pairs of r(v(p), v(p + d)).

    r is Pearson's correlation over time of the velocities of two pixels, with its sign: tissue that is
    pushed apart counts against tissue that moves together. Pixels that never move belong to no pair.

    Parameters
    ----------
    velocity : (T, Z, X), Z and X at least 2; m/s or standardised, which makes no difference

    Returns
    -------
    Coherence : (Z // 2,) and (X // 2,), −1 to 1; 0 for separations at which no two pixels move

    Raises
    ------
    InputError : not three-dimensional, too small, or not finite.
    """
    variance = temporal_variance(velocity)
    velocity = np.asarray(velocity, np.result_type(velocity, np.float32))
    return coherence_from(velocity, velocity.mean(axis=0, dtype=np.float64), variance)


def coherence_from(velocity: Floats, mean: Floats, variance: Floats) -> Coherence:
    """As `coherence`, where the temporal mean and variance (Z, X) of each pixel are known already.

    Raises
    ------
    InputError : fewer than 2 pixels a side.
    """
    frames, rows, columns = velocity.shape
    if min(rows, columns) < 2:
        raise InputError(f"coherence needs at least 2 pixels a side, got ({rows}, {columns}); use larger sequences")
    moving = variance > 1e-12 * mean**2  # less is the rounding of a pixel that stands still
    gain = np.divide(1.0, np.sqrt(frames * variance), out=np.zeros_like(variance), where=moving)
    centre, scale = (one.astype(velocity.dtype) for one in (mean, gain))
    axial, lateral = np.zeros(_padded(rows) // 2 + 1), np.zeros(_padded(columns) // 2 + 1)
    step = max(1, _BLOCK_VALUES // (rows * columns))
    for start in range(0, frames, step):
        unit = velocity[start : start + step] - centre
        unit *= scale
        axial += _power(unit)
        lateral += _power(unit.swapaxes(1, 2))
    pixels = moving[None].astype(np.float64)
    return Coherence(
        _mean_by_separation(axial, _power(pixels), rows),
        _mean_by_separation(lateral, _power(pixels.swapaxes(1, 2)), columns),
    )


def _power(values: Floats) -> Floats:
    """(K,): power spectrum along the middle axis of (T, N, M), summed over the others.

    Its inverse is the sum over all pairs by their separation (Wiener, Khinchin), for a fraction of the products. A
    product of matrices would do too, but the threads that BLAS starts for it hinder those of `evaluate`.
    Zeros behind the N values keep separations of up to half of them from wrapping around.
    """
    spectrum = np.asarray(scipy.fft.rfft(values, _padded(values.shape[1]), axis=1))  # (T, K, M)
    parts = spectrum.view(values.dtype)  # real and imaginary ones in turn
    return np.vecdot(parts, parts).sum(axis=0, dtype=np.float64)


def _mean_by_separation(power: Floats, power_of_pixels: Floats, size: int) -> Floats:
    """(size // 2,): the sum over pairs by their number, 0 where there are none."""
    separated = (scipy.fft.irfft(spectrum, _padded(size)) for spectrum in (power, power_of_pixels))
    totals, pairs = (np.asarray(sums)[1 : size // 2 + 1] for sums in separated)
    return np.divide(totals, pairs, out=np.zeros(len(totals)), where=pairs > 0.5)  # a number, but for rounding


def _padded(size: int) -> int:
    return scipy.fft.next_fast_len(size + size // 2, real=True)  # type: ignore[return-value]
