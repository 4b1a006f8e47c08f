"""Does a unit's map come again in every epoch? A quality that needs no truth, so it serves recordings of people, too.

A unit's fibres stay where they are, so the map of what follows its firings is the same in each two seconds; of a train
that is no unit's, it is another mixture of noise and other units each time. Rohlén, Carbonaro et al. (2023), who call a
unit repeated from a Jaccard index of 0.38 on.
"""

from __future__ import annotations

import itertools

import numpy as np

from ..runtime.arrays import Floats
from .agreement import jaccard
from .decompose import LowRank
from .fitting import component_weights

EPOCH = 2.0  # s

FEWEST_EPOCHS = 2

MAP_LEVEL = 0.5  # share of a map's largest value that bounds its mask (ours)


def map_repeatability(sources: Floats, components: LowRank, frame_rate: float) -> Floats:
    """(K,): mean Jaccard index of a unit's masks over all pairs of epochs; NaN for recordings under two epochs.

    In each epoch anew, maps are found by least squares of all units together.

    Parameters
    ----------
    sources : (K, T), courses of the units
    components : of the sequence
    frame_rate : Hz
    """
    frames = round(EPOCH * frame_rate)
    epochs = sources.shape[1] // frames
    if epochs < FEWEST_EPOCHS or not len(sources):
        return np.full(len(sources), np.nan)
    masks = []
    for epoch in range(epochs):
        part = slice(epoch * frames, (epoch + 1) * frames)
        maps = np.abs(component_weights(sources[:, part], components.courses[:, part]) @ components.maps)
        masks.append(maps >= MAP_LEVEL * maps.max(1, keepdims=True))
    pairs = list(itertools.combinations(masks, 2))
    return np.array([np.mean([jaccard(a[unit], b[unit]) for a, b in pairs]) for unit in range(len(sources))])
