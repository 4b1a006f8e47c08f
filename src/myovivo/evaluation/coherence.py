"""Spatio-temporal coherence: how far apart two pixels can be and still move together.

Maps and spectra forget which pixels move at the same time. This curve does not, and as it is made of
correlations over time it is blind to gain: no scaling of pixels, however clever, changes it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
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
    axial, lateral = np.zeros((rows, rows)), np.zeros((columns, columns))
    step = max(1, _BLOCK_VALUES // (rows * columns))
    for start in range(0, frames, step):
        unit = velocity[start : start + step] - centre
        unit *= scale
        axial += _products(unit.swapaxes(0, 1).reshape(rows, -1).T)
        lateral += _products(unit.reshape(-1, columns))
    pixels = moving.astype(np.float64)
    return Coherence(
        _mean_by_separation(axial, _products(pixels.T)),
        _mean_by_separation(lateral, _products(pixels)),
    )


def _products(values: Floats) -> Floats:
    """(N, N): the Gram matrix, sums of the products of any two of N columns; BLAS sees that it need work out half."""
    return values.T @ values


def _mean_by_separation(products: Floats, pairs: Floats) -> Floats:
    """(N // 2,): the sum of the products of lines so far apart by the number of pairs, 0 where there are none."""
    separations = range(1, len(products) // 2 + 1)
    totals, counts = (np.array([np.trace(gram, d) for d in separations]) for gram in (products, pairs))
    return np.divide(totals, counts, out=np.zeros(len(totals)), where=counts > 0)
