"""Where motor units lie: territories in the cross-section and how motion fades around them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..runtime.arrays import Floats
from ..sequences.grid import Grid
from .settings import Territory

_AREA_MEAN, _AREA_SD = 26.7e-6, 11.2e-6  # m^2, Birkbeck et al. 2020, for shapes beyond the paper's

_AREA_LEAST = 5e-6

_CRESCENT_RADIUS = 1.2812  # radius of a disc that, less its copy one radius away, has the area of a unit disc


class Territories(NamedTuple):
    """K territories: centre (K, 2) and diameter (K,) in m, mask (K, Z, X), weight (K, Z, X) in 0..1."""

    centre: Floats
    diameter: Floats
    mask: NDArray[np.bool_]
    weight: NDArray[np.float32]


def pixel_centres(grid: Grid) -> tuple[Floats, Floats]:
    """Depth (Z, 1) and lateral position (1, X) of the pixel centres, m from the image's corner."""
    dz, dx = grid.spacing
    return (np.arange(grid.rows) + 0.5)[:, None] * dz, (np.arange(grid.columns) + 0.5)[None, :] * dx


def draw_territories(territory: Territory, grid: Grid, units: int, rng: Generator) -> Territories:
    """Territories with centres uniform in the whole cross-section.

    Circles have a uniform diameter; ellipses and crescents draw their area from Birkbeck et al. 2020
    and `diameter` is that of the circle of equal area.
    """
    centre = rng.uniform((0, 0), (grid.depth, grid.width), (units, 2))
    if territory.shape == "circle":
        diameter = rng.uniform(*territory.diameter, units)
    else:
        area = np.maximum(rng.normal(_AREA_MEAN, _AREA_SD, units), _AREA_LEAST)
        diameter = 2 * np.sqrt(area / np.pi)
    angle = rng.uniform(0, np.pi, units)
    aspect = rng.uniform(1.5, 3.0, units)
    radii = [_radius(territory.shape, grid, centre[k], diameter[k] / 2, angle[k], aspect[k]) for k in range(units)]
    mask = np.array([r <= d / 2 for r, d in zip(radii, diameter, strict=True)])
    weight = [profile(r, d / 2, territory) for r, d in zip(radii, diameter, strict=True)]
    return Territories(centre, diameter, mask, np.array(weight, np.float32))


def profile(r: Floats, radius: float, territory: Territory) -> Floats:
    """Weight in 0..1 at distance `r` (m) from the centre of a territory of `radius` R (m).

    disc: 1 inside, 0 outside. gauss: 2^(-(r/R)^2). exp-tail: 1 inside, exp(-(r - R)/tail) outside.
    lorentz: 1 / (1 + (r/R)^2). The two middle-less ones are at one half where r = R.
    """
    if territory.profile == "disc":
        return (r <= radius).astype(float)
    if territory.profile == "gauss":
        return 2.0 ** -((r / radius) ** 2)
    if territory.profile == "exp-tail":
        return np.exp(-np.maximum(r - radius, 0) / territory.tail)
    return 1 / (1 + (r / radius) ** 2)


def _radius(shape: str, grid: Grid, centre: Floats, radius: float, angle: float, aspect: float) -> Floats:
    """(Z, X): distance from the centre, bent so that the outline of the shape lies at `radius`."""
    z, x = pixel_centres(grid)
    along = (z - centre[0]) * np.sin(angle) + (x - centre[1]) * np.cos(angle)
    across = (z - centre[0]) * np.cos(angle) - (x - centre[1]) * np.sin(angle)
    if shape == "circle":
        return np.hypot(along, across)
    if shape == "ellipse":
        return np.hypot(along / np.sqrt(aspect), across * np.sqrt(aspect))
    a = _CRESCENT_RADIUS * radius
    # The disc less its copy; moved by a quarter so that `centre` lies near its middle.
    inside = (np.hypot(along + a / 4, across) <= a) & (np.hypot(along - 3 * a / 4, across) > a)
    if not inside.any():  # smaller than a pixel, or outside of the image
        return np.hypot(along, across)
    from scipy.ndimage import distance_transform_edt  # which the usual circle does without

    spacing = grid.spacing
    outward = np.asarray(distance_transform_edt(~inside, sampling=spacing))
    inward = np.asarray(distance_transform_edt(inside, sampling=spacing))
    return np.where(inside, radius * (1 - inward / inward.max()), radius + outward)
