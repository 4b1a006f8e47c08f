"""Static, plane-strain, heterogeneous elasticity on a rectangular grid, driven by eigenstrain.

Bilinear quadrilaterals; the volumetric part is integrated at one point, so that nearly
incompressible tissue does not lock (Hughes, The Finite Element Method, 1987, section 4.4).
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import scipy.sparse.linalg
from numpy.typing import NDArray

from ..errors import InputError
from ..runtime.arrays import Floats

Side = Literal["fixed", "roller", "free"]


class Boundary(NamedTuple):
    """What holds each side: `fixed` (no motion), `roller` (none across the side), `free` (no traction)."""

    top: Side = "roller"
    bottom: Side = "fixed"
    left: Side = "free"
    right: Side = "free"


class ElasticSlice:
    """A factorised elastic cross-section: solve for any number of eigenstrains.

    Parameters
    ----------
    young : (Z, X) Young's modulus per cell, in any unit: displacements depend on its ratios only
    spacing : (dz, dx) cell size, m; an array gives the size of each row or column
    poisson : Poisson's ratio, under 0.5
    boundary : what holds the sides

    Raises
    ------
    InputError : stiffness not positive.
    """

    def __init__(
        self,
        young: Floats,
        spacing: tuple[float | Floats, float | Floats],
        poisson: float,
        boundary: Boundary | None = None,
    ):
        if not np.all(young > 0):
            raise InputError(f"stiffness must be positive everywhere, got a least value of {young.min():g}")
        boundary = boundary or Boundary()
        self.shape = young.shape
        self._lame = young * poisson / ((1 + poisson) * (1 - 2 * poisson))
        self._shear = young / (2 * (1 + poisson))
        dz, dx = (np.broadcast_to(side, count) for side, count in zip(spacing, young.shape, strict=True))
        shear_matrix, volume_matrix, self._divergence = _elements(dz, dx)
        self._dofs = _degrees_of_freedom(young.shape)  # (cells, 8)
        values = self._shear.reshape(-1, 1, 1) * shear_matrix + self._lame.reshape(-1, 1, 1) * volume_matrix
        size = 2 * (young.shape[0] + 1) * (young.shape[1] + 1)
        row, column = np.repeat(self._dofs, 8, axis=1).ravel(), np.tile(self._dofs, (1, 8)).ravel()
        matrix = scipy.sparse.coo_matrix((values.ravel(), (row, column)), shape=(size, size)).tocsc()
        self._free = np.setdiff1d(np.arange(size), _held(young.shape, boundary))
        inner = matrix[self._free][:, self._free]
        # Symmetric positive definite: no pivoting, and an ordering for symmetric matrices.
        self._factor = scipy.sparse.linalg.splu(
            inner, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )

    def displacement(self, eigenstrain: Floats) -> tuple[Floats, Floats]:
        """Displacement of the cell centres when each cell would by itself swell by `eigenstrain`.

        Parameters
        ----------
        eigenstrain : (K, Z, X), equal strain in depth and laterally, positive for expansion

        Returns
        -------
        downward, lateral : (K, Z, X) each, m, positive with growing depth and growing x
        """
        size = 2 * (self.shape[0] + 1) * (self.shape[1] + 1)
        stress = 2 * (self._lame + self._shear) * eigenstrain  # in-plane stress of blocked expansion
        loads = [(cells.reshape(-1, 1) * self._divergence).ravel() for cells in stress]
        load = np.array([np.bincount(self._dofs.ravel(), values, size) for values in loads]).reshape(-1, size)
        moved = np.zeros_like(load)
        moved[:, self._free] = self._factor.solve(np.ascontiguousarray(load[:, self._free].T)).T
        nodes = moved.reshape(len(load), self.shape[0] + 1, self.shape[1] + 1, 2)
        centres = (nodes[:, :-1, :-1] + nodes[:, 1:, :-1] + nodes[:, :-1, 1:] + nodes[:, 1:, 1:]) / 4
        return centres[..., 0], centres[..., 1]


def _elements(dz: Floats, dx: Floats) -> tuple[Floats, Floats, Floats]:
    """Of each cell of Z rows and X columns: stiffness for unit shear and for unit Lamé modulus (Z X, 8, 8), and
    integral of the divergence (Z X, 8).

    Nodes run (0,0), (0,1), (1,1), (1,0) in (z, x); each has its depth and lateral degree of freedom.
    """

    def slopes(a: float, b: float) -> tuple[Floats, Floats]:  # (4,): of the nodes' functions, at (a, b) in [-1, 1]^2
        return np.array([-(1 - b), -(1 + b), 1 + b, 1 - b]) / 2, np.array([-(1 - a), 1 - a, 1 + a, -(1 + a)]) / 2

    # The shear energy of a cell is a sum of squares over its sides: one part goes with dx / dz, one with dz / dx.
    gauss = 1 / np.sqrt(3)
    tall, wide, square = np.zeros((3, 8, 8))
    for a in (-gauss, gauss):
        for b in (-gauss, gauss):
            along_z, along_x = slopes(a, b)
            e_zz, e_xx, e_zx, e_xz = np.zeros((4, 8))
            e_zz[0::2], e_xx[1::2], e_zx[0::2], e_xz[1::2] = along_z, along_x, along_x, along_z
            tall += (2 * np.outer(e_zz, e_zz) + np.outer(e_xz, e_xz)) / 4
            wide += (2 * np.outer(e_xx, e_xx) + np.outer(e_zx, e_zx)) / 4
            square += (np.outer(e_zx, e_xz) + np.outer(e_xz, e_zx)) / 4
    ratio = (dx[None, :] / dz[:, None]).reshape(-1, 1, 1)
    shear = ratio * tall + wide / ratio + square
    middle_z, middle_x = slopes(0.0, 0.0)
    divergence = np.zeros((len(dz), len(dx), 8))
    divergence[..., 0::2], divergence[..., 1::2] = dx[None, :, None] * middle_z, dz[:, None, None] * middle_x
    divergence = divergence.reshape(-1, 8)
    area = np.multiply.outer(dz, dx).reshape(-1, 1, 1)
    return shear, divergence[:, :, None] * divergence[:, None, :] / area, divergence


def _degrees_of_freedom(shape: tuple[int, ...]) -> NDArray[Any]:
    """(cells, 8): the degrees of freedom of each cell's four nodes."""
    node = np.arange((shape[0] + 1) * (shape[1] + 1)).reshape(shape[0] + 1, shape[1] + 1)
    corners = np.stack([node[:-1, :-1], node[:-1, 1:], node[1:, 1:], node[1:, :-1]], -1).reshape(-1, 4)
    return np.stack([2 * corners, 2 * corners + 1], -1).reshape(-1, 8)


def _held(shape: tuple[int, ...], boundary: Boundary) -> NDArray[Any]:
    """Degrees of freedom that the sides hold still."""
    node = np.arange((shape[0] + 1) * (shape[1] + 1)).reshape(shape[0] + 1, shape[1] + 1)
    sides = {"top": (node[0], 0), "bottom": (node[-1], 0), "left": (node[:, 0], 1), "right": (node[:, -1], 1)}
    held = [np.empty(0, int)]
    for name, (nodes, across) in sides.items():
        kind = getattr(boundary, name)
        if kind in ("fixed", "roller"):
            held.append(2 * nodes + across)
        if kind == "fixed":
            held.append(2 * nodes + 1 - across)
    return np.unique(np.concatenate(held))
