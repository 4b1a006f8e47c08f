"""Spatio-temporal coherence: how far apart two pixels can be and still move together.

Maps and spectra forget which pixels move at the same time. This curve does not, and as it is made of
correlations over time it is blind to gain: no scaling of pixels, however clever, changes it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InputError
from .metrics import Floats, temporal_variance

_BLOCK_FRAMES = 64  # standardised so many frames at a time, to bound memory


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
    # All pairs of rows at once: their correlations summed over columns are one product of matrices.
    axial, lateral = np.zeros((rows, rows)), np.zeros((columns, columns))
    for start in range(0, frames, _BLOCK_FRAMES):
        unit = (velocity[start : start + _BLOCK_FRAMES] - centre) * scale
        down = unit.transpose(1, 0, 2).reshape(rows, -1)
        across = unit.reshape(-1, columns)
        axial += down @ down.T
        lateral += across.T @ across
    both = moving.astype(np.float64)
    return Coherence(_by_separation(axial, both @ both.T), _by_separation(lateral, both.T @ both))


def cross_rms(a: ArrayLike, b: ArrayLike) -> Floats:
    """Root mean square difference of each row of one set from each of another.

    Parameters
    ----------
    a : (N, K)
    b : (M, K)

    Returns
    -------
    (N, M)
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.sqrt(np.square(a[:, None] - b[None]).mean(axis=-1))


def _by_separation(sums: Floats, pairs: Floats) -> Floats:
    """Mean over each diagonal, from the one next to the main diagonal to half the size."""
    reach = range(1, len(sums) // 2 + 1)
    totals = np.array([[np.trace(sums, d), np.trace(pairs, d)] for d in reach])
    return np.divide(totals[:, 0], totals[:, 1], out=np.zeros(len(totals)), where=totals[:, 1] > 0)
