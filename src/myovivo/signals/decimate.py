"""Decimation by a whole factor, behind a symmetric low-pass, the same to the bit on any number of threads."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..runtime.arrays import Floats

_SPAN = 10  # frames on either side that the filter reaches

_BETA = 5.0  # of the Kaiser window: about 50 dB of stop band


def decimate(x: Floats, factor: int) -> Floats:
    """Low-pass `x` along its last axis and keep every `factor`-th sample, from the first; zeros beyond both ends.

    The filter and what comes out are those of `scipy.signal.resample_poly(x, 1, factor, axis=-1)`: a windowed sinc
    that cuts at the new Nyquist frequency, applied tap after tap.

    Parameters
    ----------
    x : (..., T), any unit
    factor : new samples are so many old ones apart

    Returns
    -------
    (..., ceil(T / factor)) float64

    Raises
    ------
    InputError : the factor is under 1.
    """
    if factor < 1:
        raise InputError(f"the factor of a decimation is at least 1, got {factor}")
    x = np.asarray(x, float)
    if factor == 1:
        return x.copy()
    taps = decimation_filter(factor)
    count = -(-x.shape[-1] // factor)
    half = len(taps) // 2
    behind = (count - 1) * factor + half + 1 - x.shape[-1]
    padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(half, max(behind, 0))])
    result = np.zeros((*x.shape[:-1], count))
    # From the oldest sample to the newest: a fixed order of the sums is what keeps the bits.
    for offset, tap in enumerate(taps):
        result += tap * padded[..., offset : offset + (count - 1) * factor + 1 : factor]
    return result


def decimation_filter(factor: int) -> Floats:
    """The taps of the low-pass, (2 * 10 * factor + 1,), of sum 1: a sinc under a Kaiser window of beta 5."""
    half = _SPAN * factor
    taps = np.sinc(np.arange(-half, half + 1) / factor) / factor * np.kaiser(2 * half + 1, _BETA)
    return taps / taps.sum()
