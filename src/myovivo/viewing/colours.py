"""The page's colour tables: velocity from blue (away) to orange (towards the probe), maps from dark to bright.

Blue and orange are told apart with any kind of colour vision. Between the anchors colours are mixed in Oklab, where
equal steps look equal.

References
----------
Ottosson (2020), A perceptual color space for image processing: Oklab.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..runtime.arrays import Floats

LEVELS = 255  # odd, so that zero has a colour of its own, the 127th

ANCHORS = {
    "light": ("#08306b", "#2171b5", "#7fb5da", "#f7f6f3", "#f3a469", "#cf5a10", "#6b2300"),
    "dark": ("#a9dcff", "#4ba3e3", "#1d4e7c", "#0e1116", "#7c3d10", "#e8842c", "#ffdca8"),
    "map": ("#0b0d12", "#35215f", "#8a2a74", "#d9523f", "#f7a63c", "#fff6c9"),
}

_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)

_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def colour_table(name: str) -> NDArray[np.uint8]:
    """(255, 3) of red, green and blue; `light` and `dark` diverge from the colour of zero, `map` ascends.

    Parameters
    ----------
    name : of `ANCHORS`
    """
    anchors = np.array([[int(code[at : at + 2], 16) for at in (1, 3, 5)] for code in ANCHORS[name]], float)
    lab = _oklab(anchors / 255)
    place = np.linspace(0, len(lab) - 1, LEVELS)
    mixed = np.stack([np.interp(place, np.arange(len(lab)), lab[:, axis]) for axis in range(3)], 1)
    return np.rint(255 * np.clip(_srgb(mixed), 0, 1)).astype(np.uint8)


def coloured(velocity: ArrayLike, limit: float, name: str) -> NDArray[np.uint8]:
    """Velocities as colours (..., 3): zero in the middle of the table, ±`limit` at its ends, what is beyond too."""
    level = np.floor(0.5 + 127.0 * (1 + np.asarray(velocity, float) / limit))
    return colour_table(name)[np.clip(level, 0, LEVELS - 1).astype(int)]


def _oklab(srgb: Floats) -> Floats:
    linear = np.where(srgb > 0.04045, ((srgb + 0.055) / 1.055) ** 2.4, srgb / 12.92)
    return np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T


def _srgb(lab: Floats) -> Floats:
    linear = (lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_CONES).T
    linear = np.clip(linear, 0, None)
    return np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
