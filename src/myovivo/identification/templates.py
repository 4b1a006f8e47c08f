"""The motion that follows each firing of a unit, freed of overlap with itself, and when a twitch of it sets in."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_toeplitz
from scipy.signal import fftconvolve

from ..runtime.arrays import Floats
from ..signals.band_pass import Band
from ..simulation.twitch import twitch_velocity

AROUND = (-0.060, 0.340)  # s around a firing that its motion is looked at in, as the pass band rings

TWITCH_TIMES = np.arange(0.025, 0.1001, 0.0025)  # contraction times tried, s

TWITCH_RATIOS = (1.7, 1.9, 2.1)  # half relaxation over it

ONSETS = (-0.050, 0.030)  # s from the pulse of a unit to the onset of its twitch

RIDGE_OF_TEMPLATE = 1e-2  # of the least squares, over the number of firings


class TwitchFit(NamedTuple):
    """The twitch of the simulator's form that, at every firing, explains a course best.

    Attributes
    ----------
    onset : s after the firings
    contraction_time : s
    correlation : of the modelled course with the course, -1..1; negative where the first motion is downwards
    """

    onset: float
    contraction_time: float
    correlation: float


def template_lags(frame_rate: float) -> Floats:
    """Frames of a template, counted from the firing."""
    return np.arange(round(AROUND[0] * frame_rate), round(AROUND[1] * frame_rate) + 1)


def firing_pulses(times: Floats, frame_rate: float, frames: int) -> Floats:
    """(T,): a 1 for each firing, shared between the two frames that it lies between."""
    at = times * frame_rate
    before = np.floor(at).astype(int)
    pulses = np.zeros(frames)
    for frame, share in ((before, 1 - (at - before)), (before + 1, at - before)):
        inside = (frame >= 0) & (frame < frames)
        np.add.at(pulses, frame[inside], share[inside])
    return pulses


def twitch_template(course: Floats, times: Floats, frame_rate: float) -> Floats:
    """(L,): the course that follows a firing at `template_lags`, by least squares, so that firings may overlap.

    Parameters
    ----------
    course : (T,)
    times : of the firings, s
    frame_rate : Hz
    """
    lags = template_lags(frame_rate)
    pulses = firing_pulses(times, frame_rate, len(course))
    own = fftconvolve(pulses, pulses[::-1])[len(course) - 1 :][: len(lags)]
    own[0] += RIDGE_OF_TEMPLATE * max(own[0], 1e-300)
    along = fftconvolve(course, pulses[::-1])
    first = len(course) - 1 + lags[0]
    return solve_toeplitz(own, along[first : first + len(lags)])


def modelled_course(template: Floats, times: Floats, frame_rate: float, frames: int) -> Floats:
    """(T,): the template at each firing."""
    lags = template_lags(frame_rate)
    # Pulses are laid out from one template before the first frame on, so that a twitch that began earlier reaches in.
    early = len(lags)
    pulses = firing_pulses(times + (lags[0] + early) / frame_rate, frame_rate, frames + early)
    return fftconvolve(pulses, template)[early : early + frames]


def fitted_twitch(
    course: Floats,
    times: Floats,
    frame_rate: float,
    band: tuple[float, float] | None,
    onsets: tuple[float, float] = ONSETS,
) -> TwitchFit:
    """Which twitch in a pass band, and which onset, explain a course best at given firings.

    Parameters
    ----------
    course : (T,)
    times : of the firings, s
    frame_rate : Hz
    band : that the course was filtered by, Hz
    onsets : earliest and latest that are tried, s after the firings
    """
    shapes, powers, contraction_times = _twitches_in(band, frame_rate)
    half, frames = shapes.shape[1] // 2, len(course)
    pulses = firing_pulses(times, frame_rate, frames)
    shifts = np.arange(round(onsets[0] * frame_rate), round(onsets[1] * frame_rate) + 1)
    # What follows the firings, summed, from half a window and the earliest shift before to as much after
    along = np.pad(fftconvolve(course, pulses[::-1]), 2 * half)
    reach = along[frames - 1 + 2 * half - half + shifts[0] :][: 2 * half + len(shifts) - 1]
    along_shapes = np.array([np.correlate(reach, shape, "valid") for shape in shapes])  # (S, shifts)
    # The power of a train of a shape is its own correlation times that of the firings.
    own = np.pad(fftconvolve(pulses, pulses[::-1]), 2 * half)[frames - 1 : frames - 1 + 4 * half + 1][1:-1]
    power = powers @ own
    correlation = along_shapes / np.sqrt(np.maximum(power, 1e-300) * (course @ course + 1e-300))[:, None]
    shape, shift = np.unravel_index(np.abs(correlation).argmax(), correlation.shape)
    return TwitchFit(float(shifts[shift] / frame_rate), contraction_times[shape], float(correlation[shape, shift]))


@functools.lru_cache(maxsize=4)
def _twitches_in(band: tuple[float, float] | None, frame_rate: float) -> tuple[Floats, Floats, list[float]]:
    """(S, 2 W) filtered twitches that set in in the middle, (S, 4 W - 1) their own correlation, contraction times."""
    half = round(0.6 * frame_rate)
    time = (np.arange(2 * half) - half) / frame_rate
    filtering = Band(band, 2 * half, frame_rate)
    pairs = [(float(tc), ratio) for tc in TWITCH_TIMES for ratio in TWITCH_RATIOS]
    shapes = [filtering(twitch_velocity(time, tc, tc * ratio)) for tc, ratio in pairs]
    own = [fftconvolve(shape, shape[::-1]) for shape in shapes]
    return np.array(shapes), np.array(own), [tc for tc, _ in pairs]
