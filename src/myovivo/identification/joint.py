"""Joint separation of all components: units are fixed mixtures of them, told apart by how sparsely they fire.

    c(t) = Σ_k a_k (h_k * s_k)(t) + n(t)      s_k(t) ≈ w_k · (h⁻¹ * c)(t)

Tissue answers a unit everywhere at once, so the components c are a mixture without delays of the units' courses, and a
filter in time changes no mixture. Surface EMG is undone by extending the signals by their past and whitening, which is
to learn a filter of so many taps for every component; in the thousand independent moments of ten seconds that fits
single frames instead of units. A twitch is known well enough beforehand: the components are first undone by a usual one
(three are tried), which leaves pulses of 20 ms at the firings of whoever has a twitch like it. Then as in surface EMG:
whitening, a fixed point with a contrast of skewness, deflation, and the mean at the firings as the new direction while
spikes stand out better. Where the noise is strong or the recording short, fewer components do better, and where units
are weak, those of a region of the image: all are looked at, in turns, and what was found before is passed by. At the
end, units are taken off, and what is left is looked at once more.

Negro et al. (2016), doi:10.1088/1741-2560/13/2/026027; Klotz, Rohlén (2025), arXiv 2502.04065: contrast by the spikes'
amplitude, and the silhouette rather than the pulse-to-noise ratio; regions: Rohlén et al. (2023),
doi:10.1186/s12938-023-01076-0. To undo a usual twitch in place of an extension is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.fft import irfft, rfft, rfftfreq
from scipy.signal import resample
from threadpoolctl import threadpool_limits

from ..runtime.arrays import Floats
from ..simulation.twitch import twitch_velocity
from .decompose import LowRank
from .fitting import component_weights
from .pulse_trains import CandidateTrain, searched
from .settings import Joint
from .templates import fitted_twitch, modelled_course, twitch_template

PULSE_RATE = 128.0  # Hz, at least twice what is left of a twitch that was undone

PULSE_SD = 25.0  # Hz, of the Gaussian in frequency that a spike becomes

INVERSE_FLOOR = 1e-2  # of the twitch's largest power, where its inverse stops to grow

MOMENTS = 12  # for each dimension that is searched; with fewer, single frames stand out of some direction


class JointSource(NamedTuple):
    """A separated unit.

    Attributes
    ----------
    times : of the firings, s, at the onset of a twitch of the simulator's form that fits best
    silhouette : how far spikes stand out, by amplitude, up to 1
    course : (T,) what its firings and its own twitch, of whatever form, explain of the course
    contraction_time : s, of the fitted form
    """

    times: Floats
    silhouette: float
    course: Floats
    contraction_time: float


def separate_jointly(
    components: LowRank,
    size: tuple[int, int],
    spacing: tuple[float, float],
    frame_rate: float,
    band: tuple[float, float] | None,
    settings: Joint,
) -> list[JointSource]:
    """All units that can be told apart, the clearest first.

    Parameters
    ----------
    components : of the velocity in its pass band
    size : (Z, X) of the maps
    spacing : (dz, dx), m
    frame_rate : Hz
    band : that the courses were filtered by, Hz
    settings : see `Joint`
    """
    strength = np.linalg.norm(components.courses, axis=1, keepdims=True)
    courses = components.courses / strength
    moments = courses.shape[1] / frame_rate * min(PULSE_RATE, frame_rate)
    most = max(min(len(courses), int(moments / MOMENTS)), 1)
    leading = list(_leading(len(courses), most, settings))
    regions = list(_regional(components.maps * strength, size, spacing, min(settings.regional, most), settings.region))
    units: list[JointSource] = []
    with threadpool_limits(1, "blas"):  # many small problems, and the same bytes on any machine
        trains: list[CandidateTrain] = []
        left = courses
        for _ in range(settings.peelings + 1):
            known, trains = trains, _searched_in(left, leading, regions, frame_rate, trains, settings)
            units = _sources(courses, trains, frame_rate, band, settings)
            if len(trains) == len(known):
                break
            sources = np.array([unit.course for unit in units])
            left = courses - component_weights(sources, courses).T @ sources
    return sorted(units, key=lambda unit: -unit.silhouette)


def _searched_in(
    courses: Floats,
    leading: list[Floats],
    regions: list[Floats],
    frame_rate: float,
    trains: list[CandidateTrain],
    settings: Joint,
) -> list[CandidateTrain]:
    """Known trains and those found beside them in subspaces, with one usual twitch after another undone."""
    for turn, contraction_time in enumerate(settings.twitches):
        pulses, rate = undone(courses, frame_rate, contraction_time)
        # Regions are many, and other twitches find no more in them than the first.
        for space in leading + (regions if turn == 0 else []):
            trains = searched(space @ pulses, rate, trains, settings)
    return trains


def undone(courses: Floats, frame_rate: float, contraction_time: float, ratio: float = 1.9) -> tuple[Floats, float]:
    """Courses (k, T) with a twitch undone, so that firings are pulses (k, N), and their rate, Hz.

    Parameters
    ----------
    courses : (k, T)
    frame_rate : Hz
    contraction_time, ratio : s, and half relaxation over it, of the twitch that is assumed
    """
    frames = courses.shape[1]
    size = 2 * frames
    lasts = min(frames, round(8 * contraction_time * frame_rate))
    kernel = np.zeros(size)
    after = (np.arange(lasts) + 0.5) / frame_rate
    kernel[:lasts] = twitch_velocity(after, contraction_time, contraction_time * ratio)
    spectrum: Any = rfft(kernel)
    power = np.abs(spectrum) ** 2
    low_pass = np.exp(-((rfftfreq(size, 1 / frame_rate) / PULSE_SD) ** 2) / 2)
    inverse = spectrum.conj() / (power + INVERSE_FLOOR * power.max()) * low_pass
    pulses: Any = irfft(rfft(courses, size, axis=1) * inverse, size, axis=1)
    count = min(round(frames * PULSE_RATE / frame_rate), frames)
    fewer: Any = resample(pulses[:, :frames], count, axis=1)
    return fewer, count * frame_rate / frames


def _leading(count: int, most: int, settings: Joint) -> Iterator[Floats]:
    """(n, k): the first components, as many as the settings say."""
    for n in sorted({min(n, most) for n in settings.leading}, reverse=True):
        yield np.eye(count)[:n]


def _regional(
    maps: Floats, size: tuple[int, int], spacing: tuple[float, float], count: int, side_length: float
) -> Iterator[Floats]:
    """(n, k): for regions that overlap by half, the mixtures of components that move most in them."""
    shape = [max(round(side_length / step), 1) for step in spacing]
    whole = maps.reshape(-1, *size)
    if not count or any(2 * side > full for side, full in zip(shape, size, strict=True)):
        return
    starts = [range(0, full - side + 1, max(side // 2, 1)) for side, full in zip(shape, size, strict=True)]
    for row in starts[0]:
        for column in starts[1]:
            part = whole[:, row : row + shape[0], column : column + shape[1]].reshape(len(whole), -1)
            vectors = np.linalg.eigh(part @ part.T)[1][:, ::-1]
            # The mixture is of components of length 1, so each is given back how strong it is in the region.
            yield vectors[:, :count].T * np.linalg.norm(part, axis=1)


def _sources(
    courses: Floats, trains: list[CandidateTrain], frame_rate: float, band: tuple[float, float] | None, settings: Joint
) -> list[JointSource]:
    """Trains as units: each with its own course, twitch and onset."""
    units = []
    for train in trains:
        times, silhouette = train.times, train.silhouette
        course = _unmixed(courses, frame_rate, times, settings)
        template = twitch_template(course, times, frame_rate)
        fit = fitted_twitch(course, times, frame_rate, band)
        units.append(
            JointSource(
                times + fit.onset,
                silhouette,
                modelled_course(template, times, frame_rate, len(course)),
                fit.contraction_time,
            )
        )
    return units


def _unmixed(courses: Floats, frame_rate: float, times: Floats, settings: Joint) -> Floats:
    """(T,): the mixture of courses that shows the firings of one unit best, with the twitch as it is."""
    best, mixture = -1.0, np.zeros(len(courses))
    for contraction_time in settings.twitches:
        pulses, rate = undone(courses, frame_rate, contraction_time)
        pulses = pulses - pulses.mean(1, keepdims=True)
        power = pulses @ pulses.T / pulses.shape[1]
        ridge = settings.ridge * np.trace(power) / len(power)
        for shift in np.arange(-0.016, 0.017, 0.004):
            at = np.clip(np.rint((times + shift) * rate).astype(int), 0, pulses.shape[1] - 1)
            mean = pulses[:, at].mean(1)
            filtered = np.linalg.solve(power + ridge * np.eye(len(power)), mean)
            if filtered @ mean > best:
                best, mixture = float(filtered @ mean), filtered
    return mixture @ courses
