"""One subject of the phantom: fascicles and their walls, aponeurosis, fat, bone, as stiffness and echo."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d
from scipy.spatial import KDTree

from ..runtime.arrays import Floats
from ..sequences.grid import Grid
from .elasticity import ElasticSlice
from .settings import Tissue

_CELL = 0.0003125  # m, the paper's pixel: fine enough for a fascicle wall

_GROWTH = 1.2  # of cells beyond the image, from one to the next

_APONEUROSIS = 0.0006  # m, thickness

_BONE_STIFFNESS = 300.0  # over muscle: rigid next to everything else

_ROUGHNESS = 0.001  # m, SD of a layer's depth along its course

_STIFFNESS_CORRELATION = 0.002  # m, of the slow variation of stiffness


@dataclass(frozen=True, eq=False)
class TissueSlice:
    """The cross-section of one subject on (Z, X) cells that go on around the image, ever larger.

    Attributes
    ----------
    stiffness : (Z, X) over that of muscle
    echo : (Z, X) amplitude of backscatter over that of muscle
    muscle : (Z, X) bool, where motor units can be
    image : rows and columns that the image shows
    cell : (dz, dx) of those, m
    sizes : heights (Z,) and widths (X,) of all cells, m
    depth, position : (Z, 1) and (1, X), m from the image's corner, centres of the cells
    poisson : Poisson's ratio
    """

    stiffness: Floats
    echo: Floats
    muscle: NDArray[np.bool_]
    image: tuple[slice, slice]
    cell: tuple[float, float]
    sizes: tuple[Floats, Floats]
    depth: Floats
    position: Floats
    poisson: float

    @functools.cached_property
    def elastic(self) -> ElasticSlice:
        """The mechanics, factorised when they are first asked for."""
        return ElasticSlice(self.stiffness, self.sizes, self.poisson)

    def displacement(self, eigenstrain: Floats) -> tuple[Floats, Floats]:
        """Motion of the cells that the image shows (Z', X') when each cell by itself would swell by `eigenstrain`.

        Parameters
        ----------
        eigenstrain : (K, Z, X), or (K, Z', X') for swelling within the image only

        Returns
        -------
        towards the probe, lateral : (K, Z', X') each, m, the second positive with growing x
        """
        everywhere = eigenstrain
        if eigenstrain.shape[1:] != self.stiffness.shape:
            everywhere = np.zeros((len(eigenstrain), *self.stiffness.shape))
            everywhere[:, self.image[0], self.image[1]] = eigenstrain
        downward, lateral = self.elastic.displacement(everywhere)
        return -downward[:, self.image[0], self.image[1]], lateral[:, self.image[0], self.image[1]]


def tissue_grid(grid: Grid) -> Grid:
    """The cells of the tissue that cover the image of `grid`."""
    return grid.model_copy(update={"rows": round(grid.depth / _CELL), "columns": round(grid.width / _CELL)})


def draw_tissue(tissue: Tissue, grid: Grid, rng: Generator) -> TissueSlice:
    """Draw the tissue of one subject.

    Fascicles are Voronoi cells; their walls, the perimysium, are stiffer and brighter. Above them lie
    an aponeurosis and fat, in part of the subjects a bone below them; between skin and probe is gel. Tissue goes on
    beside and below the image.
    """
    cells = tissue_grid(grid)
    dz, dx = cells.spacing
    beyond_z, beyond_x = _growing(dz, tissue.margin), _growing(dx, tissue.margin)
    gel = _growing(dz, tissue.gel)
    heights = np.concatenate([gel[::-1], np.full(cells.rows, dz), beyond_z])
    widths = np.concatenate([beyond_x[::-1], np.full(cells.columns, dx), beyond_x])
    z = (np.cumsum(heights) - heights / 2 - gel.sum())[:, None]
    x = (np.cumsum(widths) - widths / 2 - beyond_x.sum())[None, :]
    shape = (len(heights), len(widths))

    # Muscle: fascicles, their walls, and stiffness that varies slowly
    wall = np.exp(-((_wall_distance(tissue, z, x, rng) / tissue.wall_thickness) ** 2))
    slow = _unit(gaussian_filter(rng.standard_normal(shape), _STIFFNESS_CORRELATION / dz))
    stiffness = (1 + (tissue.wall_contrast - 1) * wall) * np.exp(tissue.heterogeneity * slow)
    echo = 0.7 + 1.3 * wall

    # Layers above, and bone
    fat_depth = rng.uniform(*tissue.fat) + _course(shape[1], dx, rng)
    surface = _bone(tissue, grid, z, x, rng) + _course(shape[1], dx, rng)
    fat, bone = z < fat_depth, surface > 0
    aponeurosis = np.abs(z - fat_depth) < _APONEUROSIS / 2
    layers = (
        (fat, tissue.fat_stiffness, 0.4),
        (aponeurosis, tissue.aponeurosis_stiffness, 3.0),
        (bone, _BONE_STIFFNESS, 0.4),
        (np.abs(surface) < _APONEUROSIS / 2, _BONE_STIFFNESS, 4.0),
        (z < 0, np.exp(rng.uniform(*np.log(tissue.gel_stiffness))), 0.0),
    )
    for where, stiff, bright in layers:
        stiffness, echo = np.where(where, stiff, stiffness), np.where(where, bright, echo)
    return TissueSlice(
        stiffness=stiffness,
        echo=echo,
        muscle=~(fat | bone | aponeurosis | (z < 0)),
        image=(slice(len(gel), len(gel) + cells.rows), slice(len(beyond_x), len(beyond_x) + cells.columns)),
        cell=(dz, dx),
        sizes=(heights, widths),
        depth=z,
        position=x,
        poisson=tissue.poisson,
    )


def _growing(first: float, length: float) -> Floats:
    """Sizes of cells, m, that grow from `first` on and together are about `length` long."""
    count = round(np.log1p(length / first * (_GROWTH - 1) / _GROWTH) / np.log(_GROWTH))
    return first * _GROWTH ** np.arange(1, count + 1)


def _wall_distance(tissue: Tissue, z: Floats, x: Floats, rng: Generator) -> Floats:
    """(Z, X): difference of the distances to the two nearest fascicle centres, m; zero on a wall."""
    size = rng.uniform(*tissue.fascicle)
    low, high = (z[0, 0], x[0, 0]), (z[-1, 0], x[0, -1])
    count = max(round((high[0] - low[0]) * (high[1] - low[1]) / size**2), 2)
    centres = rng.uniform(low, high, (count, 2))
    points = np.stack(np.broadcast_arrays(z, x), -1).reshape(-1, 2)
    distance, _ = KDTree(centres).query(points, 2)
    return (distance[:, 1] - distance[:, 0]).reshape(len(z), x.shape[1])


def _bone(tissue: Tissue, grid: Grid, z: Floats, x: Floats, rng: Generator) -> Floats:
    """(Z, X): how deep in bone, m, under 0 outside of it; a round bone somewhere below the image's width, or none."""
    depth, middle = rng.uniform(*tissue.bone_depth), rng.uniform(0, grid.width)
    radius = rng.uniform(*tissue.bone_radius)
    if rng.uniform() >= tissue.bone_probability:
        return np.full((len(z), x.shape[1]), -np.inf)
    return radius - np.hypot(z - depth - radius, x - middle)


def _course(columns: int, dx: float, rng: Generator) -> Floats:
    """(1, X): how the depth of a layer wanders laterally, m."""
    return _ROUGHNESS * _unit(gaussian_filter1d(rng.standard_normal(columns), 0.005 / dx))[None, :]


def _unit(values: Floats) -> Floats:
    return (values - values.mean()) / values.std()
