"""Dense displacement between pictures: iterative Lucas-Kanade over a pyramid, dense and in batches.

Around each pixel the displacement d is the least-squares solution, over a square window, of

    grad(b)(p + d) . (d' - d) = a(p) - b(p + d)

solved for d' and repeated, from coarse pictures to fine ones. Three things differ from the textbook. Pixels whose match
lies beyond the picture's edge do not count. The second picture is refined to half pixels first, as linear interpolation
smooths where d is between pixels, which draws d to whole ones. And the system is damped by the gradient that one grey
level of rounding could make, towards the displacement known so far: a window without echoes, whose system would be
singular, keeps that of the coarser picture instead of any number at all.

Lucas and Kanade 1981, IJCAI 674; Le Besnerais and Champagnat 2005, IEEE ICIP, doi:10.1109/ICIP.2005.1529706.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_LEAST = 16  # pixels along the shorter side of the coarsest picture

_COARSE, _FINE = 5, 2  # iterations on the coarse pictures, which find large displacements, and on the finest

_MIDDLE = (3 / 256, -25 / 256, 150 / 256, 150 / 256, -25 / 256, 3 / 256)  # of six: Lagrange's polynomial half-way

_SLOPE = ((1, 8 / 12), (2, -1 / 12))  # of the differences over two and four pixels: right up to the fourth power

_DAMPING = 1 / 255**2  # per pixel of the window, squared grey levels


def displacement(before: Tensor, after: Tensor, radius: int) -> Tensor:
    """How far each pixel moved from one picture to the other: after(p + d) = before(p).

    Parameters
    ----------
    before, after : (B, Z, X) float32, grey levels from 0 to 1
    radius : the window is 2 radius + 1 pixels wide

    Returns
    -------
    (B, 2, Z, X), pixels, downwards and to the right; the same bits for any number of threads
    """
    pyramid = [(before, after)]
    while min(pyramid[-1][0].shape[1:]) >= 2 * _LEAST:
        coarser = [_halved(picture) for picture in pyramid[-1]]
        pyramid.append((coarser[0], coarser[1]))
    moved = before.new_zeros((len(before), 2, *pyramid[-1][0].shape[1:]))
    for level in reversed(range(len(pyramid))):
        a, b = pyramid[level]
        if moved.shape[2:] != a.shape[1:]:
            moved = _doubled(moved, a.shape[1], a.shape[2])
        fine = _refined(_refined(b, 1), 2)
        for _ in range(_COARSE if level else _FINE):
            moved = _improved(a, fine, moved, radius)
    return moved


def _improved(before: Tensor, fine: Tensor, moved: Tensor, radius: int) -> Tensor:
    """One iteration for all pixels; `fine` is the second picture on half pixels."""
    down, right = moved[:, 0], moved[:, 1]
    # where each pixel is sought in the second picture, and whether that has it
    _, rows, columns = before.shape
    z = torch.arange(rows, dtype=torch.float32)[:, None] + down
    x = torch.arange(columns, dtype=torch.float32) + right
    inside = (z >= 0) & (z <= rows - 1) & (x >= 0) & (x <= columns - 1)
    # its gradient and what differs there
    place = torch.stack([x * (2 / (columns - 1)) - 1, z * (2 / (rows - 1)) - 1], -1)
    warped = F.grid_sample(fine[:, None], place, "bilinear", "border", align_corners=True)[:, 0]
    gz, gx = _gradient(warped)
    gz *= inside
    gx *= inside
    rest = before - warped + gz * down + gx * right
    # the sums of the window, and its system of two equations
    zz, zx, xx, zr, xr = box_sum(torch.stack([gz * gz, gz * gx, gx * gx, gz * rest, gx * rest]), radius)
    damping = _DAMPING * (2 * radius + 1) ** 2
    zz, xx = zz + damping, xx + damping
    zr, xr = zr + damping * down, xr + damping * right
    determinant = zz * xx - zx * zx
    return torch.stack([(xx * zr - zx * xr) / determinant, (zz * xr - zx * zr) / determinant], 1)


def _gradient(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences (B, Z, X) in depth and laterally."""
    z, x = F.pad(picture, (0, 0, 2, 2), "replicate"), F.pad(picture, (2, 2), "replicate")
    gz, gx = torch.zeros_like(picture), torch.zeros_like(picture)
    _, rows, columns = picture.shape
    for lag, weight in _SLOPE:
        gz.add_(z[:, 2 + lag : 2 + lag + rows] - z[:, 2 - lag : 2 - lag + rows], alpha=weight)
        gx.add_(x[:, :, 2 + lag : 2 + lag + columns] - x[:, :, 2 - lag : 2 - lag + columns], alpha=weight)
    return gz, gx


def _refined(picture: Tensor, axis: int) -> Tensor:
    """The picture (B, Z, X) with values half-way between its pixels along an axis: N become 2 N - 1."""
    size, reach = picture.shape[axis], len(_MIDDLE) // 2
    around = (reach - 1, reach - 1)
    padded = F.pad(picture, around if axis == 2 else (0, 0, *around), "replicate")
    middle = torch.zeros_like(picture.narrow(axis, 1, size - 1))
    for tap, weight in enumerate(_MIDDLE):
        middle.add_(padded.narrow(axis, tap, size - 1), alpha=weight)
    shape = list(picture.shape)
    shape[axis] = 2 * size - 1
    refined = picture.new_empty(shape)
    if axis == 1:
        refined[:, ::2], refined[:, 1::2] = picture, middle
    else:
        refined[:, :, ::2], refined[:, :, 1::2] = picture, middle
    return refined


def box_sum(values: Tensor, radius: int) -> Tensor:
    """Sums over the square window around each pixel, cut off at the edges: (..., Z, X), the same shape.

    By doubling: sums of 2, 4, 8, ... neighbours, of which those that the width is made of are added. That is a few
    additions per pixel for any width, always in the same order, and no differences of long running sums.
    """
    return _line_sum(_line_sum(values, radius, -2), radius, -1)


def _line_sum(values: Tensor, radius: int, axis: int) -> Tensor:
    size, left = values.shape[axis], 2 * radius + 1
    sums = F.pad(values, (radius, radius) if axis == -1 else (0, 0, radius, radius))
    total, start, length = torch.zeros_like(values), 0, 1
    while left:
        if left & 1:
            total += sums.narrow(axis, start, size)
            start += length
        left >>= 1
        if left:
            count = sums.shape[axis] - length
            sums = sums.narrow(axis, 0, count) + sums.narrow(axis, length, count)
            length *= 2
    return total


def _halved(picture: Tensor) -> Tensor:
    """The mean of each 2 x 2 pixels; a last odd row or column counts twice."""
    rows, columns = picture.shape[1:]
    return F.avg_pool2d(F.pad(picture[:, None], (0, columns % 2, 0, rows % 2), mode="replicate"), 2)[:, 0]


def _doubled(moved: Tensor, rows: int, columns: int) -> Tensor:
    """Displacement on a picture of half the size, on the pixels of the whole one."""
    twice = F.interpolate(moved, scale_factor=2, mode="bilinear", align_corners=False)
    return 2 * twice[:, :, :rows, :columns]
