"""Mean, variance and power spectrum over time of each pixel of one sequence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

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
    taken = Moments(velocity)
    for _ in taken.rows():
        pass
    return taken.mean, taken.variance, *taken.psd(frame_rate)


class Rows(NamedTuple):
    """All frames of some rows of a sequence.

    Attributes
    ----------
    at : which rows
    centred : (T, R, X), without its mean over time
    spectrum : (T // 2 + 1, R, X), Fourier transform of that over time
    """

    at: slice
    centred: Floats
    spectrum: NDArray[Any]


class Moments:
    """The moments of a sequence; its power is known once its rows have been gone through.

    Attributes
    ----------
    mean, variance : (Z, X) float64, over time; the variance of a pixel is 0 if and only if it never changes
    power : (T // 2,) float64, of the spectrum without its DC bin, summed over pixels

    Raises
    ------
    InputError : not three-dimensional, empty, or not finite.
    """

    def __init__(self, velocity: ArrayLike, name: str = "velocity"):
        self.velocity = checked_velocity(velocity, name)
        self.mean, self.variance = mean_and_variance(self.velocity)
        self.power = np.zeros(len(self.velocity) // 2)

    def rows(self) -> Iterator[Rows]:
        """Go through the sequence, a few rows at a time; what uses them need not transform them again.

        What is yielded lasts until the next rows are asked for.
        """
        frames, depth, width = self.velocity.shape
        centre = self.mean.astype(self.velocity.dtype)
        step = max(1, BLOCK_VALUES // (frames * width))
        kept = np.empty((frames, step, width), self.velocity.dtype)  # new memory would take longer than the sums
        power = np.zeros(frames // 2)
        for start in range(0, depth, step):
            at = slice(start, min(start + step, depth))
            centred = np.subtract(self.velocity[:, at], centre[at], out=kept[:, : at.stop - start])
            spectrum = np.asarray(scipy.fft.rfft(centred, axis=0))
            parts = spectrum[1:].reshape(len(power), -1).view(centred.dtype)  # real and imaginary ones in turn
            power += np.vecdot(parts, parts)
            yield Rows(at, centred, spectrum)
        self.power = power

    def psd(self, frame_rate: float) -> tuple[Floats, Floats]:
        """Frequency and mean PSD, (T // 2,) each, as `mean_psd`.

        Raises
        ------
        InputError : fewer than 4 frames, or no positive frame rate.
        """
        frames = len(self.velocity)
        if frames < 4:
            raise InputError(f"a spectrum needs at least 4 frames, got {frames}; use longer sequences")
        frame_rate = checked_rate(frame_rate)
        psd = self.power * (2.0 / (frame_rate * frames * self.mean.size))
        if frames % 2 == 0:
            psd[-1] /= 2  # the Nyquist frequency has no negative twin
        return scipy.fft.rfftfreq(frames, 1 / frame_rate)[1:], psd


def log_psd(psd: ArrayLike) -> Floats:
    """Natural logarithm of a PSD; a bin without any power takes the smallest positive float."""
    return np.log(np.maximum(psd, np.finfo(np.float64).tiny))


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
