"""How a phantom's tissue moves: time courses, and the maps that tell how each place follows them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from ..runtime.arrays import Floats
from ..simulation.firing import SpikeTrains
from ..simulation.gain import discharge_gains
from ..simulation.simulate import Twitches, twitch_sources
from .settings import PhantomSettings
from .tissue import TissueSlice


class Patterns(NamedTuple):
    """K patterns of motion: displacement and velocity (K, T) in m and m/s; how cells follow them towards the probe
    and laterally (K, Z, X)."""

    displacement: Floats
    velocity: Floats
    weight: Floats
    lateral: Floats

    def softened(self, factor: float) -> Patterns:
        """The same motion, weaker."""
        return self._replace(displacement=factor * self.displacement, velocity=factor * self.velocity)


def joined(parts: list[Patterns]) -> Patterns:
    """All patterns of several."""
    return Patterns(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def no_patterns(tissue: TissueSlice, frames: int) -> Patterns:
    """No motion: K is 0."""
    shape = tissue.muscle[tissue.image].shape
    return Patterns(np.zeros((0, frames)), np.zeros((0, frames)), np.zeros((0, *shape)), np.zeros((0, *shape)))


def strengths(settings: PhantomSettings, twitches: Twitches) -> Floats:
    """(K,): strain of each unit's territory at the peak of its twitch."""
    return settings.contraction.eigenstrain * twitches.amplitude / (settings.twitch.amplitude or 1.0)


def contracted(
    settings: PhantomSettings,
    tissue: TissueSlice,
    trains: SpikeTrains,
    twitches: Twitches,
    territory: Floats,
    frames: int,
    rng: Generator,
) -> tuple[Patterns, Floats]:
    """How units that fire move the image.

    Parameters
    ----------
    territory : (K, Z, X), of all cells or those of the image, where each unit swells, 0 to 1
    frames : at `imaging.frame_rate`
    rng : of the jitter of single discharges

    Returns
    -------
    patterns : with weights of at most 1
    amplitude : (K,), m, the largest displacement that a twitch of each unit gives any cell of the image
    """
    axial, lateral = tissue.displacement(territory * strengths(settings, twitches)[:, None, None])
    largest = np.maximum(np.abs(axial).max((1, 2)), np.finfo(float).tiny)
    scaled = twitches._replace(amplitude=largest, sign=np.ones(len(largest)))
    gains, rate = discharge_gains(trains, settings.twitch, rng), settings.imaging.frame_rate
    displacement, velocity = (twitch_sources(trains, scaled, frames, rate, gains, kind) for kind in (True, False))
    return Patterns(displacement, velocity, axial / largest[:, None, None], lateral / largest[:, None, None]), largest
