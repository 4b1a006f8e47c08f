"""What the columns compare of a log-variance map: its histogram and its K-space.

L = ln(V + 1e-6), V the temporal variance of each pixel of a *standardised* sequence (Ali et al. 2022, BioMed Eng
OnLine 21:46).
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike

from ..errors import InputError
from ..runtime.arrays import Floats
from .crossing import SSIM_WINDOW
from .moments import temporal_variance

VARIANCE_OFFSET = 1e-6  # keeps the logarithm of a motionless pixel finite; in squared SD units

BINS = 256

KSPACE_CROP = 64


def log_variance(variance: ArrayLike, offset: float = VARIANCE_OFFSET) -> Floats:
    """L = ln(V + 1e-6) of the temporal variance V of a standardised sequence (the paper, metrics)."""
    return np.log(np.asarray(variance, np.float64) + offset)


def log_variance_map(velocity: ArrayLike) -> Floats:
    """L = ln(V + 1e-6), V the temporal variance of each pixel.

    Parameters
    ----------
    velocity : (T, Z, X), standardised to the mean and SD of its domain

    Returns
    -------
    (Z, X) float64, natural logarithm

    Raises
    ------
    InputError : not three-dimensional, empty, or not finite.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46.
    """
    return log_variance(temporal_variance(velocity))


def histogram(log_variance_map: ArrayLike, bins: int = BINS) -> Floats:
    """Histogram of a map scaled from its own minimum and maximum to 8 bit, rounded.

    Parameters
    ----------
    log_variance_map : (Z, X); no pixel is masked
    bins : levels that the map is scaled to; the paper's 8 bit are 256

    Returns
    -------
    (bins,) float64, counts. A constant map has all its pixels in bin 0.

    Raises
    ------
    InputError : not two-dimensional, empty, or not finite.
    """
    values = checked_map(log_variance_map)
    low, high = values.min(), values.max()
    scale = (bins - 1) / (high - low) if high > low else 0.0
    level = np.rint((values - low) * scale).astype(np.intp)
    return np.bincount(level.ravel(), minlength=bins).astype(np.float64)


def kspace(log_variance_map: ArrayLike) -> Floats:
    """K-space of a map, |fft2(L)|[1:64, 1:64], linear: the positive frequencies of a map of 128 × 128.

    The crop is the paper's and is not adapted to the size: in a map of fewer than 128 pixels it runs
    beyond the Nyquist frequency, where the indices stand for negative frequencies, and in one of fewer
    than 64 it ends early, at [1:min(64, Z), 1:min(64, X)].

    Parameters
    ----------
    log_variance_map : (Z, X), at least 8 × 8

    Returns
    -------
    (min(64, Z) − 1, min(64, X) − 1) float64, rows are frequencies in depth. Up to the Nyquist
    frequency, element [i, j] is (i + 1) / (Z dz) and (j + 1) / (X dx) cycles per metre.

    Raises
    ------
    InputError : not two-dimensional, not finite, or smaller than the 7 × 7 window of the SSIM.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46.
    """
    values = checked_map(log_variance_map)
    if min(values.shape) <= SSIM_WINDOW:
        raise InputError(
            f"a map must have at least {SSIM_WINDOW + 1} pixels a side for its K-space, got {values.shape}; "
            "use larger sequences"
        )
    return np.abs(scipy.fft.fft2(values))[1:KSPACE_CROP, 1:KSPACE_CROP]  # type: ignore[no-any-return]


def kspace_normalised(log_variance_map: ArrayLike) -> Floats:
    """K-space of the map scaled to unit SD, so that maps of different contrast can be compared (ours).

    Multiplying a sequence by a gain only adds a constant to L, which the crop leaves out. What
    `kspace` still depends on is the contrast of L, its SD over the pixels; dividing by it leaves only
    how that contrast is spread over spatial frequencies. A constant map has a K-space of zeros.

    Parameters
    ----------
    log_variance_map : (Z, X), at least 8 × 8

    Returns
    -------
    as `kspace`
    """
    values = checked_map(log_variance_map)
    contrast = values.std()
    magnitude = kspace(values)
    return magnitude / contrast if contrast > 0 else np.zeros_like(magnitude)


def checked_map(values: ArrayLike) -> Floats:
    array = np.asarray(values, np.float64)
    if array.ndim != 2 or array.size == 0:
        raise InputError(f"a map must be (Z, X) with at least one pixel, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError("a map must be finite, got NaN or infinite values; mask or fill them")
    return array
