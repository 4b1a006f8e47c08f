"""Is the motion of each pixel still the simulated one? Content correlation and its lag."""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike

from ..errors import InputError
from ..runtime.arrays import Floats
from .moments import checked_rate, checked_velocity, mean_and_variance, row_blocks

MAX_LAG = 0.1  # s


def content_correlation(
    silico: ArrayLike, translated: ArrayLike, frame_rate: float, max_lag: float | None = MAX_LAG
) -> tuple[Floats, Floats]:
    """Columns xCorr and lag: is the motion of each pixel still the simulated one?

    The cross-correlation of the two zero-mean signals of a pixel,
    r(τ) = Σ_t a(t) b(t + τ) / (‖a‖ ‖b‖), at its maximum over the lags within ±`max_lag`. Frames beyond
    the ends count as zero. A positive gain leaves r as it is: the amplitude is not judged.

    Parameters
    ----------
    silico, translated : (T, Z, X)
    frame_rate : Hz
    max_lag : s, the largest lag tried either way; None for the full range ±(T − 1) frames

    Returns
    -------
    correlation : (Z, X), −1 to 1, at the best lag. NaN where the silico signal is constant and
        there is nothing to compare; 0 where only the translated one is.
    lag : (Z, X), s, positive where the translated signal comes later; NaN where either is constant

    Raises
    ------
    InputError : not three-dimensional, not finite, of different shape, or no positive frame rate.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46.
    """
    silico, translated = checked_velocity(silico, "silico"), checked_velocity(translated, "translated")
    if silico.shape != translated.shape:
        got = f"{silico.shape} and {translated.shape}"
        raise InputError(f"silico and translated must have the same shape, got {got}; compare a sequence with its own")
    moments_a, moments_b = mean_and_variance(silico), mean_and_variance(translated)
    return content_from(silico, translated, frame_rate, max_lag, moments_a, moments_b)


def content_from(
    silico: Floats,
    translated: Floats,
    frame_rate: float,
    max_lag: float | None,
    moments_a: tuple[Floats, Floats],
    moments_b: tuple[Floats, Floats],
) -> tuple[Floats, Floats]:
    """As `content_correlation`, where the temporal mean and variance (Z, X) of each pixel of both are known already.

    Raises
    ------
    InputError : no positive frame rate, or a negative lag.
    """
    frame_rate = checked_rate(frame_rate)
    if max_lag is not None and not max_lag >= 0:
        raise InputError(f"max_lag must be 0 or more, in s, got {max_lag}; None is the full range")
    (mean_a, variance_a), (mean_b, variance_b) = moments_a, moments_b
    frames = len(silico)
    reach = frames - 1 if max_lag is None else min(int(max_lag * frame_rate + 1e-9), frames - 1)
    # Zeros behind the frames, so that lags do not wrap around.
    length: int = scipy.fft.next_fast_len(frames + reach, real=True)  # type: ignore[assignment]
    lags = np.arange(-reach, reach + 1)
    centre_a, centre_b = mean_a.astype(silico.dtype), mean_b.astype(translated.dtype)
    peak, lag = np.empty(silico.shape[1:]), np.empty(silico.shape[1:])
    for rows in row_blocks(silico):
        product = np.asarray(scipy.fft.rfft(silico[:, rows] - centre_a[rows], length, axis=0)).conj()
        product *= scipy.fft.rfft(translated[:, rows] - centre_b[rows], length, axis=0)
        circular = np.asarray(scipy.fft.irfft(product, length, axis=0))
        r = np.concatenate([circular[length - reach :], circular[: reach + 1]])  # (2 reach + 1, rows, X)
        best = r.argmax(axis=0)
        peak[rows] = np.take_along_axis(r, best[None], axis=0)[0]
        lag[rows] = lags[best] / frame_rate
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.clip(peak / (frames * np.sqrt(variance_a * variance_b)), -1.0, 1.0)
    still_a, still_b = variance_a == 0, variance_b == 0
    correlation[still_b] = 0.0
    correlation[still_a] = np.nan
    lag[still_a | still_b] = np.nan
    return correlation, lag
