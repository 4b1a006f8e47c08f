"""A sequence while motor units are looked for in it: in memory, or in a file that is read bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..runtime.arrays import Floats
from ..runtime.hdf5 import understood
from ..sequences.header import OpenSequence
from ..sequences.sequence import Sequence
from ..signals.band_pass import Band, filtered
from .decompose import LowRank, independent_courses, low_rank
from .settings import IdentifySettings
from .streamed import streamed_low_rank

Kept = TypeVar("Kept")

WHOLE = 2048  # frames up to which a sequence is decomposed at once; longer ones block by block


class Moving:
    """A sequence, and what is computed of it once, however many settings are tried on it.

    Parameters
    ----------
    source : in memory, or an open file; of a long one only some frames at a time are read from it

    Raises
    ------
    InputError : nothing moves.
    """

    def __init__(self, source: Sequence | OpenSequence):
        about = source if isinstance(source, Sequence) else source.header
        self.source = source
        self.shape, self.frame_rate, self.spacing = about.shape, about.frame_rate, about.spacing
        self._kept: dict[Any, Any] = {}
        if isinstance(source, Sequence) and not np.ptp(source.velocity, axis=0).any():
            raise InputError("nothing moves in the sequence, so there are no motor units to find")

    @property
    def sequence(self) -> Sequence:
        """All of it, in memory."""
        return self.source if isinstance(self.source, Sequence) else self._part(self.source, 0, self.shape[0])

    def frames(self, start: int, stop: int) -> NDArray[np.float32]:
        """Frames `start` to before `stop`, (T, Z, X), m/s.

        Raises
        ------
        InputError : not finite.
        """
        if isinstance(self.source, Sequence):
            return self.source.velocity[start:stop]
        return self._part(self.source, start, stop).velocity

    def once(self, name: Any, compute: Callable[[], Kept]) -> Kept:
        """What `compute` gave when this name was first asked for."""
        if name not in self._kept:
            self._kept[name] = compute()
        return self._kept[name]

    def band(self, band: tuple[float, float] | None) -> Band:
        """The filter for its length and frame rate."""
        return Band(band, self.shape[0], self.frame_rate)

    def low_rank(self, band: tuple[float, float] | None, components: int | None) -> LowRank:
        """Its strongest components in a pass band; see `low_rank`, and for long sequences `streamed_low_rank`."""
        name = ("low rank", band, components)
        if self.shape[0] > WHOLE:
            read, frames, rate = self.frames, self.shape[0], self.frame_rate
            return self.once(name, lambda: streamed_low_rank(read, frames, rate, band, components))
        velocity = self.once(("filtered", band), lambda: filtered(self.frames(0, self.shape[0]), self.band(band)))
        return self.once(name, lambda: low_rank(velocity, components))

    def independent_courses(self, options: IdentifySettings) -> Floats:
        """Courses of as many components whose maps are independent; see `independent_courses`."""
        name = ("independent", options.band, options.components, options.seed)
        return self.once(
            name, lambda: independent_courses(self.low_rank(options.band, options.components), options.seed)
        )

    @staticmethod
    def _part(source: OpenSequence, start: int, stop: int) -> Sequence:
        """Some frames of a file, with the checks of a sequence."""
        header = source.header
        with understood(source.file.filename):
            velocity = source.velocity(start, stop)
        return Sequence(velocity, header.frame_rate, header.spacing, origin=header.origin)
