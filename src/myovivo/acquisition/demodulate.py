"""Demodulation of RF to IQ, at a rate that later interpolation is content with.

    iq(t) = 2 sum_n h(t - n/fs) exp(-2 pi i f0 n/fs) rf(n)

h is a low-pass (Kaiser-windowed sinc) with the half-band b as its cut-off. Down-mixing moves the band at
f0 to 0 whether or not the RF was sampled fast enough to show it there: sampled at 4/3 f0 the band appears
at -f0/3 and its mirror image at f0/3, and both are moved by the same f0. The mirror image ends up at -2 f0
modulo fs, so b may reach half-way to it and no further.

The sum is a banded matrix times the samples. Blocks of its rows are dense enough for matrix products that
run at the processor's full speed, many times faster than a Fourier transform of each channel.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import InputError
from ..signals.banded import Banded
from .settings import Demodulation

_ATTENUATION = 50.0  # dB, of the stop band

_TRANSITION = 0.5  # of the half-band: pass to stop

_WIDEST = 0.6  # of the centre frequency


class Demodulator:
    """Demodulates records of one length.

    Parameters
    ----------
    samples : of a record
    sampling_frequency, centre_frequency : Hz
    settings : band and oversampling
    device : where the samples will be
    is_iq : whether they are IQ already, to be filtered only
    limit : of the half-band, Hz, where the sampling holds less than its frequency tells

    Attributes
    ----------
    rate : IQ samples per second; the first IQ sample is at the time of the first RF sample
    count : IQ samples per record
    half_band : Hz

    Raises
    ------
    InputError : the band reaches the mirror image, as the sampling frequency is too low for it.
    """

    def __init__(
        self,
        samples: int,
        sampling_frequency: float,
        centre_frequency: float,
        settings: Demodulation,
        device: torch.device | str = "cpu",
        is_iq: bool = False,
        limit: float | None = None,
    ):
        self.half_band = _half_band(sampling_frequency, centre_frequency, settings, is_iq, limit)
        self.rate = settings.oversampling * 2 * self.half_band
        self.count = math.floor((samples - 1) / sampling_frequency * self.rate + 1e-6) + 1
        shift = 0.0 if is_iq else centre_frequency
        weights = _weights(samples, sampling_frequency, self.count, self.rate, shift, self.half_band)
        self._real, self._imaginary = Banded(weights.real, device), Banded(weights.imag, device)

    def __call__(self, samples: torch.Tensor) -> torch.Tensor:
        """Real RF (S, C), or IQ as (2, S, C) in-phase and quadrature -> IQ (2, M, C), float32."""
        iq = samples.new_empty((2, self.count, samples.shape[-1]))
        if samples.dim() == 3:  # IQ is filtered only: each of its parts keeps to itself
            self._real.left(samples[0], out=iq[0])
            self._real.left(samples[1], out=iq[1])
        else:
            self._real.left(samples, out=iq[0])
            self._imaginary.left(samples, out=iq[1])
        return iq


def demodulate(
    rf: NDArray[np.floating], sampling_frequency: float, centre_frequency: float, settings: Demodulation | None = None
) -> tuple[NDArray[np.complex64], float]:
    """IQ of RF records.

    Parameters
    ----------
    rf : (S, ...) real, samples first
    sampling_frequency, centre_frequency : Hz; the former may be below twice the latter
    settings : `Demodulation`; None for the defaults

    Returns
    -------
    iq : (M, ...) complex64; its magnitude is the envelope, its phase that of the echo against
        exp(2 pi i f0 t) with t from the first sample
    rate : IQ samples per second, Hz

    Raises
    ------
    InputError : the sampling frequency is too low for the band.
    """
    rf = np.asarray(rf, np.float32)
    plan = Demodulator(len(rf), sampling_frequency, centre_frequency, settings or Demodulation())
    iq = plan(torch.from_numpy(np.ascontiguousarray(rf.reshape(len(rf), -1)))).numpy()
    return (iq[0] + 1j * iq[1]).astype(np.complex64).reshape(-1, *rf.shape[1:]), plan.rate


def _half_band(fs: float, f0: float, settings: Demodulation, is_iq: bool, limit: float | None) -> float:
    if limit is not None:
        if settings.half_band is not None and settings.half_band > limit * (1 + 1e-6):
            raise InputError(
                f"demodulation.half_band must lie within what the samples hold, {limit:g} Hz, got "
                f"{settings.half_band:g}"
            )
        return settings.half_band or min(limit, _WIDEST * f0)
    if is_iq:
        if settings.half_band is not None and settings.half_band > fs / 2:
            raise InputError(
                f"demodulation.half_band must lie under half the sampling frequency, {fs / 2:g} Hz, got "
                f"{settings.half_band:g}"
            )
        # What IQ was sampled at is all that is in it, short of the filter's own transition.
        return settings.half_band or min(fs / 2 / (1 + _TRANSITION / 2), _WIDEST * f0)
    image = abs((2 * f0 + fs / 2) % fs - fs / 2)  # how far from 0 the mirror image of the band ends up
    if image < 0.1 * f0:
        raise InputError(
            f"RF of {f0 / 1e6:g} MHz sampled at {fs / 1e6:g} MHz folds onto its own mirror image; "
            f"check scan.sampling_frequency and scan.centre_frequency (4/3 of the latter is the lowest usual one)"
        )
    if settings.half_band is None:
        return min(image / 2, _WIDEST * f0)
    if settings.half_band > image / 2 * (1 + 1e-6):
        raise InputError(
            f"demodulation.half_band must end half-way to the mirror image, at {image / 2:g} Hz, got "
            f"{settings.half_band:g}"
        )
    return settings.half_band


def _weights(
    samples: int, fs: float, count: int, rate: float, shift: float, cutoff: float
) -> NDArray[np.complexfloating[Any]]:
    """(count, samples): the filter around the time of each IQ sample, mixed down; 0 beyond its reach."""
    beta = 0.5842 * (_ATTENUATION - 21) ** 0.4 + 0.07886 * (_ATTENUATION - 21)  # Kaiser's rule for 21-50 dB
    reach = (_ATTENUATION - 7.95) / (2.285 * 2 * math.pi * _TRANSITION * cutoff) / 2  # s, half the filter's length
    # Only the samples within reach: as offsets from the one nearest to each IQ sample.
    nearest = np.rint(np.arange(count) / rate * fs).astype(int)[:, None]
    n = nearest + np.arange(-math.ceil(reach * fs) - 1, math.ceil(reach * fs) + 2)
    lag = np.arange(count)[:, None] / rate - n / fs
    taper = np.i0(beta * np.sqrt(np.maximum(1 - (lag / reach) ** 2, 0))) / np.i0(beta)
    near = 2 * cutoff / fs * np.sinc(2 * cutoff * lag) * taper * (np.abs(lag) <= reach)
    mixed = near * (2 * np.exp(-2j * np.pi * shift * n / fs) if shift else 1)
    weights = np.zeros((count, samples), np.complex64)
    inside = (n >= 0) & (n < samples)
    weights[np.broadcast_to(np.arange(count)[:, None], n.shape)[inside], n[inside]] = mixed[inside]
    return weights
