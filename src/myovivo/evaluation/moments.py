"""Mean, variance and power spectrum over time of each pixel of one sequence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike

from ..errors import InputError
from ..runtime.arrays import Floats

BLOCK_VALUES = 1 << 17  # values worked on at a time: they stay in the cache, and memory stays bounded


def temporal_variance(velocity: ArrayLike) -> Floats:
    """Variance over time of each pixel, V = mean_t (v − mean_t v)².

    Parameters
    ----------
    velocity : (T, Z, X), m/s or standardised

    Returns
    -------
    (Z, X) float64, in the square of the unit of `velocity`

    Raises
    ------
    InputError : not three-dimensional, empty, or not finite.
    """
    return mean_and_variance(checked_velocity(velocity))[1]


def mean_psd(velocity: ArrayLike, frame_rate: float) -> tuple[Floats, Floats]:
    """Power spectral density, averaged over all pixels, without its DC bin.

    The one-sided periodogram of each pixel with its mean removed and no window. A float32
    sequence is transformed in float32, the average is taken in float64.

    Parameters
    ----------
    velocity : (T, Z, X), T at least 4
    frame_rate : Hz

    Returns
    -------
    frequency : (T // 2,) Hz
    psd : (T // 2,) float64, squared unit of `velocity` per Hz

    Raises
    ------
    InputError : not three-dimensional, too short, not finite, or no positive frame rate.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46.
    """
    return moments(velocity, frame_rate)[2:]


def moments(velocity: ArrayLike, frame_rate: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Temporal mean, temporal variance and mean PSD of a sequence.

    Parameters
    ----------
    velocity : (T, Z, X), T at least 4
    frame_rate : Hz

    Returns
    -------
    mean : (Z, X) float64
    variance : (Z, X) float64, as `temporal_variance`
    frequency, psd : (T // 2,) Hz and squared unit per Hz, as `mean_psd`

    Raises
    ------
    InputError : not three-dimensional, too short, not finite, or no positive frame rate.
    """
    velocity = checked_velocity(velocity)
    frames = len(velocity)
    if frames < 4:
        raise InputError(f"a spectrum needs at least 4 frames, got {frames}; use longer sequences")
    frame_rate = checked_rate(frame_rate)
    mean, variance = mean_and_variance(velocity)
    centre = mean.astype(velocity.dtype)
    power = np.zeros(frames // 2)
    for rows in row_blocks(velocity):
        spectrum = np.asarray(scipy.fft.rfft(velocity[:, rows] - centre[rows], axis=0))[1:]  # (T // 2, rows, X)
        parts = spectrum.reshape(len(spectrum), -1).view(velocity.dtype)  # real and imaginary ones in turn
        power += np.vecdot(parts, parts)
    psd = power * (2.0 / (frame_rate * frames * mean.size))
    if frames % 2 == 0:
        psd[-1] /= 2  # the Nyquist frequency has no negative twin
    return mean, variance, scipy.fft.rfftfreq(frames, 1 / frame_rate)[1:], psd


def log_psd(psd: ArrayLike) -> Floats:
    """Natural logarithm of a PSD; a bin without any power takes the smallest positive float."""
    return np.log(np.maximum(psd, np.finfo(np.float64).tiny))


def row_blocks(velocity: Floats) -> Iterator[slice]:
    frames, rows, columns = velocity.shape
    step = max(1, BLOCK_VALUES // (frames * columns))
    return (slice(row, row + step) for row in range(0, rows, step))


def mean_and_variance(velocity: Floats) -> tuple[Floats, Floats]:
    """(Z, X) float64 each, over time; the variance of a pixel is 0 if and only if it never changes.

    Both are of the difference from the first frame: however large the mean, the sums stay as small as the motion.
    """
    frames, rows, columns = velocity.shape
    first = velocity[0].astype(np.float64)
    total, squares = np.zeros((rows, columns)), np.zeros((rows, columns))
    step = max(1, BLOCK_VALUES // (rows * columns))
    for start in range(0, frames, step):
        moved = velocity[start : start + step] - first
        total += moved.sum(axis=0)
        squares += np.einsum("tzx,tzx->zx", moved, moved)
    shift = total / frames
    return first + shift, squares / frames - shift**2


def checked_velocity(velocity: ArrayLike, name: str = "velocity") -> Floats:
    array = np.asarray(velocity)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    if array.ndim != 3 or array.size == 0:
        raise InputError(f"{name} must be (T, Z, X) with at least one frame, got shape {array.shape}")
    if not np.isfinite(np.sum(array)) and not np.isfinite(array).all():
        raise InputError(f"{name} must be finite, got NaN or infinite values; mask or fill them")
    return array


def checked_rate(frame_rate: float) -> float:
    if not (np.isfinite(frame_rate) and frame_rate > 0):
        raise InputError(f"frame_rate must be positive, in Hz, got {frame_rate}")
    return float(frame_rate)
