"""Motion of a phantom that none of its labelled units causes: units beyond the image, slow drift, an artery."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy.signal import butter, sosfiltfilt

from ..runtime.arrays import Floats
from ..simulation.firing import draw_spike_trains
from ..simulation.simulate import draw_twitches
from .patterns import Patterns, contracted, no_patterns
from .settings import Contraction, PhantomSettings
from .tissue import TissueSlice

_DRIFT_CUTOFF = 2.0  # Hz

_VESSEL_RADIUS = 0.0015  # m

# The arterial pulse as displacement: amplitude and phase of its first harmonics, a fast rise and a slow fall.
_PULSE_HARMONICS = ((1.0, 0.0), (0.5, -0.9), (0.25, -1.8), (0.12, -2.6))


def units_beyond(settings: PhantomSettings, tissue: TissueSlice, units: int, frames: int, rng: Generator) -> Patterns:
    """Units of the muscle beside and below the image, as many per area as the `units` in it.

    Parameters
    ----------
    settings : of the phantom; `contraction.beyond` is how far out they lie
    units : in the image
    frames : at `imaging.frame_rate`
    """
    beyond, grid = settings.contraction.beyond, settings.grid
    low, high = (0.0, -beyond), (grid.depth + beyond, grid.width + beyond)
    around = (high[0] - low[0]) * (high[1] - low[1]) / (grid.depth * grid.width) - 1
    count = round(units * around)
    if count == 0:
        return no_patterns(tissue, frames)

    # Where: discs in muscle; a cell is in or out, so the strain makes up for what its size adds or takes
    centre, inside = np.empty((count, 2)), np.empty((count, *tissue.muscle.shape))
    radius = rng.uniform(*settings.territory.diameter, count) / 2
    area = np.multiply.outer(*tissue.sizes)
    for unit in range(count):
        centre[unit] = _place_beyond(tissue, grid.depth, grid.width, low, high, rng)
        reach = np.hypot(tissue.depth - centre[unit, 0], tissue.position - centre[unit, 1])
        disc = (reach <= radius[unit]) & tissue.muscle
        inside[unit] = disc * min(np.pi * radius[unit] ** 2 / max(np.sum(disc * area), 1e-12), 2.0)

    # When and how strongly
    firing = settings.firing.model_copy(update={"units": (count, count), "measured": None})
    trains = draw_spike_trains(firing, grid.duration, rng)
    twitches = draw_twitches(settings.twitch, count, rng)
    return contracted(settings, tissue, trains, twitches, inside, frames, rng)[0]


def drift(contraction: Contraction, tissue: TissueSlice, frames: int, rate: float, rng: Generator) -> Patterns:
    """All tissue in slow drift whose velocity has the RMS `contraction.drift`."""
    pad = round(rate)  # the filter's ends are cut off
    sos = butter(2, _DRIFT_CUTOFF, fs=rate, output="sos")
    velocity = np.asarray(sosfiltfilt(sos, rng.standard_normal(frames + 2 * pad)))[pad : pad + frames]
    moved = np.cumsum(velocity * contraction.drift / np.sqrt(np.mean(velocity**2))) / rate
    pattern = np.ones((1, *tissue.muscle[tissue.image].shape))
    return Patterns(moved[None], np.gradient(moved, 1 / rate)[None], pattern, np.zeros_like(pattern))


def pulsation(contraction: Contraction, tissue: TissueSlice, frames: int, rate: float, rng: Generator) -> Patterns:
    """Tissue around an artery somewhere in the muscle that widens; at its wall the displacement has the peak
    `contraction.pulsation`."""
    phase = 2 * np.pi * rng.uniform(*contraction.heart_rate) * np.arange(frames) / rate + rng.uniform(0, 2 * np.pi)
    wave = np.sum([a * np.cos((n + 1) * phase + shift) for n, (a, shift) in enumerate(_PULSE_HARMONICS)], 0)
    moved = contraction.pulsation * wave / np.max(np.abs(wave))
    muscle = np.argwhere(tissue.muscle[tissue.image])
    centre = muscle[rng.integers(len(muscle))]
    row, column = np.indices(tissue.muscle[tissue.image].shape)
    inside = np.hypot((row - centre[0]) * tissue.cell[0], (column - centre[1]) * tissue.cell[1]) <= _VESSEL_RADIUS
    axial, lateral = tissue.displacement(inside[None].astype(float))
    largest = np.abs(axial).max()
    return Patterns(moved[None], np.gradient(moved, 1 / rate)[None], axial / largest, lateral / largest)


def _place_beyond(
    tissue: TissueSlice,
    depth: float,
    width: float,
    low: tuple[float, float],
    high: tuple[float, float],
    rng: Generator,
) -> Floats:
    """A place between `low` and `high` outside of the image and in muscle, if there is any: the last of many tries."""
    place = np.asarray(low)
    for _ in range(200):
        place = rng.uniform(low, high)
        in_image = place[0] < depth and 0 < place[1] < width
        row = np.abs(tissue.depth[:, 0] - place[0]).argmin()
        column = np.abs(tissue.position[0] - place[1]).argmin()
        if not in_image and tissue.muscle[row, column]:
            break
    return place
