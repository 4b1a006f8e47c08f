"""Is the motion of each pixel still the simulated one? Content correlation and its lag."""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike

from ..errors import InputError
from ..runtime.arrays import Floats
from .moments import Moments, Rows, checked_rate

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
    before, after = Moments(silico, "silico"), Moments(translated, "translated")
    if before.velocity.shape != after.velocity.shape:
        got = f"{before.velocity.shape} and {after.velocity.shape}"
        raise InputError(f"silico and translated must have the same shape, got {got}; compare a sequence with its own")
    return content_from(before, after, frame_rate, max_lag)


def content_from(
    silico: Moments, translated: Moments, frame_rate: float, max_lag: float | None
) -> tuple[Floats, Floats]:
    """As `content_correlation`; the moments of both, of one shape, are known afterwards.

    Raises
    ------
    InputError : no positive frame rate, or a negative lag.
    """
    frame_rate = checked_rate(frame_rate)
    if max_lag is not None and not max_lag >= 0:
        raise InputError(f"max_lag must be 0 or more, in s, got {max_lag}; None is the full range")
    frames, *size = silico.velocity.shape
    reach = frames - 1 if max_lag is None else min(int(max_lag * frame_rate + 1e-9), frames - 1)
    lags = np.arange(-reach, reach + 1)
    peak, lag = np.empty(size), np.empty(size)
    for rows_a, rows_b in zip(silico.rows(), translated.rows(), strict=True):
        r = _products(rows_a, rows_b, reach)
        best = r.argmax(axis=0)
        peak[rows_a.at] = np.take_along_axis(r, best[None], axis=0)[0]
        lag[rows_a.at] = lags[best] / frame_rate
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.clip(peak / (frames * np.sqrt(silico.variance * translated.variance)), -1.0, 1.0)
    still_a, still_b = silico.variance == 0, translated.variance == 0
    correlation[still_b] = 0.0
    correlation[still_a] = np.nan
    lag[still_a | still_b] = np.nan
    return correlation, lag


def _products(a: Rows, b: Rows, reach: int) -> Floats:
    """(2 reach + 1, R, X): Σ_t a(t) b(t + τ) at the lags −reach to reach, zeros beyond the ends."""
    frames = len(a.centred)
    cross = a.spectrum.conj()
    cross *= b.spectrum
    circular = np.asarray(scipy.fft.irfft(cross, frames, axis=0))
    r = np.concatenate([circular[frames - reach :], circular[: reach + 1]])
    if reach:  # take away what wrapped around: the start of one against the end of the other
        starts = np.concatenate([a.centred[:reach], b.centred[:reach]], axis=1)
        ends = np.concatenate([b.centred[-reach:], a.centred[-reach:]], axis=1)
        length: int = scipy.fft.next_fast_len(2 * reach, real=True)  # type: ignore[assignment]
        seam = np.asarray(scipy.fft.rfft(starts, length, axis=0)).conj()
        seam *= scipy.fft.rfft(ends, length, axis=0)
        wrapped = np.asarray(scipy.fft.irfft(seam, length, axis=0))[:reach]
        r[:reach] -= wrapped[:, : a.centred.shape[1]]
        r[reach + 1 :] -= wrapped[::-1, a.centred.shape[1] :]
    return r
