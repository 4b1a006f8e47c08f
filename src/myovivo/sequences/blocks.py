"""Sequences that are never whole in memory: written frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..runtime.files import whole_file
from ..runtime.hdf5 import created
from .header import CHUNK_FRAMES
from .sequence import Sequence
from .writing import write_about


def save_blocks(
    path: str | Path,
    blocks: Iterable[NDArray[np.float32]],
    size: tuple[int, int],
    frame_rate: float,
    spacing: tuple[float, float],
    about: Callable[[], Mapping[str, Any]],
) -> Path:
    """Write a sequence that is never whole in memory, whole or not at all.

    Parameters
    ----------
    path : the file
    blocks : velocity (B, Z, X), m/s, frame after frame
    size : (Z, X)
    frame_rate, spacing : Hz, m
    about : called after the last block; the other attributes of a `Sequence`

    Raises
    ------
    InputError : velocity that is not finite.
    FileError : the disk is full or the folder cannot be written.
    """
    path = Path(path)
    with whole_file(path) as part, created(part) as file:
        velocity = file.create_dataset(
            "data/velocity", (0, *size), np.float32, maxshape=(None, *size), chunks=(CHUNK_FRAMES, *size)
        )
        for block in _whole_chunks(blocks):
            if not np.isfinite(np.sum(block)) and not np.isfinite(block).all():
                raise InputError("velocity must be finite, got NaN or infinite values; mask or fill them")
            velocity.resize(len(velocity) + len(block), 0)
            velocity[-len(block) :] = block
            file.flush()
        # The checks of a sequence on all but its frames.
        head = Sequence(np.zeros((1, 1, 1), np.float32), frame_rate, spacing, **about())
        write_about(file, velocity, head, len(velocity) / frame_rate)
    return path


def _whole_chunks(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """The same frames in blocks of whole chunks, as HDF5 would otherwise read back what it wrote."""
    waiting: list[NDArray[np.float32]] = []
    for block in blocks:
        waiting.append(block)
        if sum(map(len, waiting)) >= CHUNK_FRAMES:
            frames = np.concatenate(waiting)
            whole = len(frames) // CHUNK_FRAMES * CHUNK_FRAMES
            yield frames[:whole]
            waiting = [frames[whole:]]
    if sum(map(len, waiting)):
        yield np.concatenate(waiting)
