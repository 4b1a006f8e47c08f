"""Spikes from the time course of a motor unit: by a wavelet, and by undoing the twitch."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.fft import irfft, rfft, rfftfreq
from scipy.optimize import least_squares
from scipy.signal import find_peaks

from ..runtime.arrays import Floats
from ..signals.band_pass import Band
from ..simulation.twitch import twitch_velocity

REFRACTORY = 0.020  # s; the simulator truncates inter-pulse intervals there too

BEFORE = 0.150  # s before the first frame in which a firing still reaches into the sequence

REGULARISATION = 1e-3  # of the deconvolution, over the twitch's largest power

PULSE_BAND = 25.0  # Hz, SD of the Gaussian in frequency that a spike becomes

USUAL_TWITCH = (0.052, 1.9)  # contraction time, s, and half relaxation over it, where nothing is known yet

CONTRACTION_TIMES = (0.025, 0.100)  # s, bounds of the fit

RATIOS = (1.4, 2.6)


class Fit(NamedTuple):
    """A unit's course as one twitch, the same at each firing.

    `times`, s; `contraction_time`, s; `ratio` of half relaxation to it; `sign`, +1 if the first motion is upwards in
    the course; `course` (T,), the modelled one; `residual`, norm of what is left over norm of the course.
    """

    times: Floats
    contraction_time: float
    ratio: float
    sign: int
    course: Floats
    residual: float


def wavelet_spikes(course: Floats, frame_rate: float, scale: float, threshold: float, apart: float) -> Floats:
    """Spike times, s: peaks of the Haar wavelet transform at one scale above `threshold` SDs, at least `apart` s apart.

    The Haar wavelet at scale s is the mean of the s/2 that follow less the mean of the s/2 before: it peaks where the
    motion sets in. The sign of the course is chosen so that its transform is skewed upwards.

    References
    ----------
    Rohlén et al. (2020), IEEE Access 8:50299: one scale, z > 0.9, 50 ms apart.
    """
    half = max(round(scale * frame_rate / 2), 1)
    haar = np.concatenate([np.ones(half), -np.ones(half)]) / half
    transform = _upwards(np.convolve(course, haar, "same"))
    z = (transform - transform.mean()) / (transform.std() + 1e-300)
    peaks, _ = find_peaks(z, height=threshold, distance=max(round(apart * frame_rate), 1))
    return peaks / frame_rate


def fit_twitches(course: Floats, frame_rate: float, band: Band, twitch: tuple[float, float] = USUAL_TWITCH) -> Fit:
    """Find the firings, and the one twitch, that explain a course best.

    A deconvolution by the twitch that is assumed so far gives the firings, those shortly before the first frame
    too; times and twitch are then refined together by least squares, the amplitude being whatever is best for each.

    Parameters
    ----------
    course : (T,), filtered by `band`
    frame_rate : Hz
    band : what the course was filtered by; the twitches are, too
    twitch : contraction time, s, and ratio to start from
    """
    course = course / (np.linalg.norm(course) + 1e-300)
    sign, pulses = _deconvolved(course, frame_rate, band, twitch)
    times = peak_times(pulses, frame_rate) - round(BEFORE * frame_rate) / frame_rate
    return _refined(sign * course, times, frame_rate, band, twitch, sign)


def peak_times(pulses: Floats, frame_rate: float) -> Floats:
    """Times of the high peaks, s; two-means tells them from the low ones."""
    peaks, _ = find_peaks(pulses, distance=max(round(REFRACTORY * frame_rate), 1))
    heights = pulses[peaks]
    if len(peaks) < 2:
        return peaks / frame_rate
    return peaks[heights > two_means(heights)] / frame_rate


def two_means(values: Floats) -> float:
    """The border between the two clusters of k-means in one dimension."""
    low, high = np.percentile(values, 20), values.max()
    for _ in range(50):
        upper = values > (low + high) / 2
        if upper.all() or not upper.any():
            break
        new = values[~upper].mean(), values[upper].mean()
        if new == (low, high):
            break
        low, high = new
    return (low + high) / 2


def _deconvolved(course: Floats, frame_rate: float, band: Band, twitch: tuple[float, float]) -> tuple[int, Floats]:
    """Sign, and pulses from `BEFORE` the first frame on: Wiener's inverse of the twitch, and a Gaussian low-pass."""
    early, frames = round(BEFORE * frame_rate), len(course)
    size = 2 * (frames + early)
    kernel = np.zeros(size)
    lasts = min(frames, round(8 * twitch[0] * frame_rate))
    kernel[:lasts] = twitch_velocity((np.arange(lasts) + 0.5) / frame_rate, twitch[0], twitch[0] * twitch[1])
    padded = np.zeros(size)
    padded[early : early + frames] = course
    spectrum: Any = rfft(kernel)
    power = np.abs(spectrum) ** 2
    low_pass = np.exp(-((rfftfreq(size, 1 / frame_rate) / PULSE_BAND) ** 2) / 2)
    inverse = spectrum.conj() / (power + REGULARISATION * power.max()) * low_pass
    pulses: Any = irfft(rfft(padded) * inverse, size)
    pulses = pulses[: early + frames]
    upwards = _upwards(pulses)
    return (1 if upwards is pulses else -1), upwards


def _upwards(x: Floats) -> Floats:
    """x or -x, whichever is skewed upwards."""
    centred = x - x.mean()
    return x if (centred**3).sum() >= 0 else -x


def _refined(
    course: Floats, times: Floats, frame_rate: float, band: Band, twitch: tuple[float, float], sign: int
) -> Fit:
    frames = np.arange(len(course)) / frame_rate
    scale = np.concatenate([np.full(len(times), 0.005), [0.005, 0.1]])
    lowest, highest = zip(CONTRACTION_TIMES, RATIOS, strict=True)
    nudge = 1e-4 * np.concatenate([np.ones(len(times)), [1.0, 10.0]])

    def twitches(parameters: Floats) -> Floats:
        return _twitches(frames, parameters[:-2], *parameters[-2:])

    def modelled(parameters: Floats) -> Floats:
        return band(twitches(parameters).sum(1))

    def left(parameters: Floats) -> Floats:
        model = modelled(parameters)
        return course - model * ((model @ course) / (model @ model + 1e-300))

    def slope(parameters: Floats) -> Floats:  # (T, N); Kaufman's: what the amplitude would take up is taken off
        ahead, behind = (_twitches(frames, parameters[:-2] + d, *parameters[-2:]) for d in (1e-4, -1e-4))
        columns = [(ahead - behind) / 2e-4]
        for k in (-2, -1):
            step = np.zeros(len(parameters))
            step[k] = nudge[k]
            change = twitches(parameters + step).sum(1) - twitches(parameters - step).sum(1)
            columns.append(change[:, None] / (2 * nudge[k]))
        slopes = band(np.concatenate(columns, 1))
        model = modelled(parameters)
        unit = model / (np.linalg.norm(model) + 1e-300)
        amplitude = (model @ course) / (model @ model + 1e-300)
        return -amplitude * (slopes - np.outer(unit, unit @ slopes))

    parameters = np.concatenate([times, np.clip(twitch, lowest, highest)])
    if len(times):
        # Times are free: a firing that explains nothing has to drift out of the sequence.
        low = np.concatenate([np.full(len(times), -np.inf), lowest])
        high = np.concatenate([np.full(len(times), np.inf), highest])
        bounds: Any = (low, high)
        jacobian: Any = slope
        parameters = least_squares(left, parameters, jacobian, bounds, x_scale=scale, max_nfev=12).x
    model = modelled(parameters)
    residual = float(np.linalg.norm(left(parameters)))
    contraction_time, ratio = (float(value) for value in parameters[-2:])
    times = np.sort(parameters[:-2])
    times = times[(times >= -BEFORE) & (times <= frames[-1])]
    return Fit(times, contraction_time, ratio, sign, sign * model, residual)


def _twitches(frames: Floats, times: Floats, contraction_time: float, ratio: float) -> Floats:
    """(T, N): the twitch of each firing, peak displacement 1."""
    return twitch_velocity(frames[:, None] - times, contraction_time, contraction_time * ratio)
