"""The strongest components of a long sequence, read block by block, so that memory does not grow with its length.

Twice through the frames: once for the maps, once for the courses. A block, in the pass band and at no more frames than
that needs, is put below the maps found so far, each as strong as it is, and the strongest of both together are kept. A
pass band and a product with maps can change places, so the second time only the few courses are filtered, all of each
at once. The merging of decompositions is that of Levy, Lindenbaum (2000), doi:10.1109/83.855432, here without mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ..errors import InputError
from ..runtime.arrays import Floats
from ..signals.band_pass import Band
from .decompose import LowRank, how_many

ReadFrames = Callable[[int, int], NDArray[np.float32]]
"""Frames from the first number to before the second, (T, Z, X), m/s."""

BLOCK = 1024  # frames

OVERLAP = 128  # frames on either side of a block that take up the filter's ends

KEPT = 128  # maps between blocks: many more than are looked at in the end, so that little is lost in between

PER_OSCILLATION = 2.5  # frames of the band's highest frequency


def streamed_low_rank(
    read: ReadFrames, frames: int, frame_rate: float, band: tuple[float, float] | None, components: int | None
) -> LowRank:
    """`low_rank` of a sequence in a pass band, with each pixel's mean taken off, in bounded memory.

    Parameters
    ----------
    read : gives frames
    frames : of the whole sequence
    frame_rate : Hz
    band : Hz, or None
    components : how many; as for `low_rank` if None

    Raises
    ------
    InputError : nothing moves, or the band does not lie under half the frame rate.
    """
    with threadpool_limits(1, "blas"):  # the same bytes on any machine
        maps, energy = _strongest_maps(read, frames, frame_rate, band)
        courses = np.empty((len(maps), frames))
        for start, block in _blocks(read, frames):
            courses[:, start : start + len(block)] = maps @ block.T
        courses -= courses.mean(1, keepdims=True)
        courses = Band(band, frames, frame_rate)(courses.T).T
        values, turn = np.linalg.eigh(courses @ courses.T)
        values, turn = np.maximum(values[::-1], 0), turn[:, ::-1]
        k = min(components or how_many(values, energy), int(np.count_nonzero(values > 1e-12 * values[0])))
        return LowRank(turn[:, :k].T @ courses, (turn[:, :k].T @ maps).astype(np.float64))


def _blocks(read: ReadFrames, frames: int) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Number of the first frame, and frames (T, P)."""
    for start in range(0, frames, BLOCK):
        block = read(start, min(start + BLOCK, frames))
        yield start, block.reshape(len(block), -1)


def _strongest_maps(
    read: ReadFrames, frames: int, frame_rate: float, band: tuple[float, float] | None
) -> tuple[Floats, float]:
    """Orthonormal rows (K, P), and the energy in the band of all there is, at the full frame rate."""
    step = max(int(frame_rate / (PER_OSCILLATION * band[1])), 1) if band else 1
    total = 0.0
    strongest = np.zeros((0, 0), np.float32)
    for start in range(0, frames, BLOCK):
        stop = min(start + BLOCK, frames)
        before, after = min(OVERLAP, start), min(OVERLAP, frames - stop)
        block = read(start - before, stop + after)
        block = block.reshape(len(block), -1)
        block = _filter_rows(band, len(block), frame_rate, before, len(block) - after, step) @ (block - block.mean(0))
        total += step * float(np.vdot(block, block))
        rows = np.concatenate([strongest, block]) if len(strongest) else block
        vectors = np.linalg.eigh((rows @ rows.T).astype(np.float64))[1]
        strongest = vectors[:, ::-1][:, :KEPT].T.astype(np.float32) @ rows
    size = np.linalg.norm(strongest, axis=1)
    if not size[0] > 0:
        raise InputError("nothing moves in the band: there are no motor units to find")
    kept = size > 1e-6 * size[0]
    return strongest[kept] / size[kept, None], total


def _filter_rows(
    band: tuple[float, float] | None, frames: int, frame_rate: float, first: int, last: int, step: int
) -> NDArray[np.float32]:
    """(M, frames): every `step`-th row, from `first` to before `last`, of the pass band as a matrix."""
    identity = np.eye(frames)
    matrix = identity if band is None else Band(band, frames, frame_rate)(identity)
    return np.ascontiguousarray(matrix[first:last:step], np.float32)
