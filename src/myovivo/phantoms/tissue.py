"""One subject of the phantom: fascicles and their walls, aponeurosis, fat, bone, as stiffness and echo."""

from __future__ import annotations

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

_APONEUROSIS = 0.0006  # m, thickness

_BONE_STIFFNESS = 300.0  # over muscle: rigid next to everything else

_ROUGHNESS = 0.001  # m, SD of a layer's depth along its course

_STIFFNESS_CORRELATION = 0.002  # m, of the slow variation of stiffness


@dataclass(frozen=True, eq=False)
class TissueSlice:
    """The cross-section of one subject on (Z, X) cells that extend beyond the image on both sides.

    Attributes
    ----------
    stiffness : (Z, X) over that of muscle
    echo : (Z, X) amplitude of backscatter over that of muscle
    muscle : (Z, X) bool, where motor units can be
    cell : (dz, dx), m
    margin : cells on either side that the image does not show
    elastic : the factorised mechanics of `stiffness`
    """

    stiffness: Floats
    echo: Floats
    muscle: NDArray[np.bool_]
    cell: tuple[float, float]
    margin: int
    elastic: ElasticSlice

    def axial_displacement(self, eigenstrain: Floats) -> Floats:
        """(K, Z, X') image maps of displacement towards the probe, m, for eigenstrains (K, Z, X')."""
        padded = np.pad(eigenstrain, ((0, 0), (0, 0), (self.margin, self.margin)))
        downward, _ = self.elastic.displacement(padded)
        return -downward[:, :, self.image]

    @property
    def image(self) -> slice:
        """The columns that the image shows."""
        return slice(self.margin, self.stiffness.shape[1] - self.margin)


def tissue_grid(grid: Grid) -> Grid:
    """The cells of the tissue that cover the image of `grid`."""
    return grid.model_copy(update={"rows": round(grid.depth / _CELL), "columns": round(grid.width / _CELL)})


def draw_tissue(tissue: Tissue, grid: Grid, rng: Generator) -> TissueSlice:
    """Draw the tissue of one subject.

    Fascicles are Voronoi cells; their walls, the perimysium, are stiffer and brighter. Above them lie
    an aponeurosis and fat, below them bone.
    """
    cells = tissue_grid(grid)
    dz, dx = cells.spacing
    margin = round(tissue.margin / dx)
    rows, columns = cells.rows, cells.columns + 2 * margin
    z = ((np.arange(rows) + 0.5) * dz)[:, None]
    x = ((np.arange(columns) + 0.5) * dx)[None, :]

    wall = np.exp(-((_wall_distance(tissue, rows * dz, columns * dx, z, x, rng) / tissue.wall_thickness) ** 2))
    slow = _unit(gaussian_filter(rng.standard_normal((rows, columns)), _STIFFNESS_CORRELATION / dz))
    stiffness = (1 + (tissue.wall_contrast - 1) * wall) * np.exp(tissue.heterogeneity * slow)
    echo = 0.7 + 1.3 * wall

    fat_depth = rng.uniform(*tissue.fat) + _course(columns, dx, rng)
    bone_depth = grid.depth - rng.uniform(*tissue.bone) + _course(columns, dx, rng)
    fat, bone = z < fat_depth, z > bone_depth
    aponeurosis = np.abs(z - fat_depth) < _APONEUROSIS / 2
    layers = (
        (fat, tissue.fat_stiffness, 0.4),
        (aponeurosis, tissue.aponeurosis_stiffness, 3.0),
        (bone, _BONE_STIFFNESS, 0.4),
    )
    for where, stiff, bright in layers:
        stiffness, echo = np.where(where, stiff, stiffness), np.where(where, bright, echo)
    echo = np.where(np.abs(z - bone_depth) < _APONEUROSIS / 2, 4.0, echo)  # the bone's surface
    return TissueSlice(
        stiffness=stiffness,
        echo=echo,
        muscle=~(fat | bone | aponeurosis),
        cell=(dz, dx),
        margin=margin,
        elastic=ElasticSlice(stiffness, (dz, dx), tissue.poisson),
    )


def _wall_distance(tissue: Tissue, depth: float, width: float, z: Floats, x: Floats, rng: Generator) -> Floats:
    """(Z, X): difference of the distances to the two nearest fascicle centres, m; zero on a wall."""
    size = rng.uniform(*tissue.fascicle)
    count = max(round(depth * width / size**2), 2)
    centres = rng.uniform((0, 0), (depth, width), (count, 2))
    points = np.stack(np.broadcast_arrays(z, x), -1).reshape(-1, 2)
    distance, _ = KDTree(centres).query(points, 2)
    return (distance[:, 1] - distance[:, 0]).reshape(len(z), x.shape[1])


def _course(columns: int, dx: float, rng: Generator) -> Floats:
    """(1, X): how the depth of a layer wanders laterally, m."""
    return _ROUGHNESS * _unit(gaussian_filter1d(rng.standard_normal(columns), 0.005 / dx))[None, :]


def _unit(values: Floats) -> Floats:
    return (values - values.mean()) / values.std()
