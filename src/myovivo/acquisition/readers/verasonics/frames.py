"""Reads acquisitions out of a Verasonics receive buffer: those of a frame lie one behind the other along its rows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..store import StoredArray


class Place(NamedTuple):
    """Where an acquisition begins: frame of the buffer, row, from 0."""

    frame: int
    row: int


class Sampling(NamedTuple):
    """How stored samples lie on an even grid.

    Attributes
    ----------
    together : acquisitions whose samples take turns
    kept, every : of `every` points of the grid the first `kept` are stored
    """

    together: int = 1
    kept: int = 1
    every: int = 1

    @property
    def up(self) -> float:
        """Points of the grid for each sample of an acquisition."""
        return self.together * self.every / self.kept

    @property
    def has_gaps(self) -> bool:
        """Whether zeros stand for samples that were not stored."""
        return self.every > self.kept


def sampling_of(mode: str) -> Sampling:
    """The grid of a sample mode.

    Bandwidth sampling stores pairs a quarter of a wave apart: every other pair of BS100BW, every fourth of BS50BW.
    With zeros for what is left out, the band around the centre frequency is that of the signal within a quarter of the
    stored rate, and its mirror image cancels out of it. BS67BW stores every third sample, which is an even grid.
    """
    modes = {"NS200BWI": Sampling(2), "BS100BW": Sampling(1, 2, 4), "BS50BW": Sampling(1, 2, 8)}
    return modes.get(mode, Sampling())


class Acquisitions:
    """Channel data (frame, wave, sample, element) in a receive buffer.

    Parameters
    ----------
    source : the buffer: sample, channel (and frame)
    places : of each frame, of each wave, the acquisition; two where they are interleaved, in the order of their samples
    samples : of an acquisition
    channels : (E,) the column of each element
    sampling : see `sampling_of`
    """

    def __init__(
        self,
        source: StoredArray,
        places: list[list[list[Place]]],
        samples: int,
        channels: NDArray[np.int_],
        sampling: Sampling,
    ):
        self.source, self.places, self.samples, self.channels = source, places, samples, channels
        self.sampling = sampling
        length = samples * sampling.together
        if sampling.has_gaps:  # the last grid point is that of the last stored sample
            length = (length // sampling.kept - 1) * sampling.every + sampling.kept
        self.shape = (len(places), len(places[0]), length, len(channels))
        self.dtype = np.dtype(np.float32) if sampling.has_gaps else np.dtype(source.dtype)

    @contextlib.contextmanager
    def open(self) -> Iterator[Any]:
        """Something that is indexed with slices, as `Frames` asks for."""
        with self.source.open() as stored:
            yield _Opened(self, stored)

    def read(self, stored: Any, frames: slice) -> NDArray[Any]:
        """(B, W, S, E) of some frames."""
        chosen = self.places[frames]
        values = np.zeros((len(chosen), *self.shape[1:]), self.dtype)
        held, rows, begin = -1, np.zeros((0, 0)), 0  # one frame of the buffer is in memory at a time
        for number, row in enumerate(chosen):
            for wave, pair in enumerate(row):
                for part, place in enumerate(pair):
                    if place.frame != held:
                        rows, begin = self._rows(stored, chosen, place.frame)
                        held = place.frame
                    record = rows[place.row - begin : place.row - begin + self.samples]
                    self._put(values[number, wave], record, part)
        return values

    def _rows(self, stored: Any, chosen: list[list[list[Place]]], frame: int) -> tuple[NDArray[Any], int]:
        """The rows of a frame of the buffer that some frames need, elements in order, and the number of the first."""
        begins = [place.row for row in chosen for pair in row for place in pair if place.frame == frame]
        rows = slice(min(begins), max(begins) + self.samples)
        if len(self.source.shape) > 2:
            block = stored[rows, slice(None), slice(frame, frame + 1)][..., 0]
        else:
            block = stored[rows, slice(None)]
        return np.asarray(block)[:, self.channels], rows.start

    def _put(self, values: NDArray[Any], record: NDArray[Any], part: int) -> None:
        together, kept, every = self.sampling
        if not self.sampling.has_gaps:
            values[part::together] = record
            return
        for offset in range(kept):
            values[offset::every] = record[offset::kept]


class _Opened:
    def __init__(self, acquisitions: Acquisitions, stored: Any):
        self.acquisitions, self.stored = acquisitions, stored

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        values = self.acquisitions.read(self.stored, index[0])
        return values[(slice(None), *index[1:])]
