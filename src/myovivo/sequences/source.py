"""What a domain can be given as, and its sequences, not yet read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..runtime.arrays import Floats
from ..runtime.hdf5 import opened
from .header import Header, read_header, read_velocity, sequence_files
from .sequence import Sequence

Domain = str | Path | Sequence | Iterable[str | Path | Sequence]
"""What a domain can be given as: a folder, a file, a sequence, or a list of files or sequences."""


class Source(NamedTuple):
    """A sequence of a domain, not yet read: its name, its header, and the file or object itself."""

    name: str
    header: Header
    item: Path | Sequence

    def velocity(self, frames: int | None = None) -> Floats:
        """(T, Z, X) float32, m/s; only the first `frames` if given."""
        if isinstance(self.item, Sequence):
            return self.item.velocity[:frames]
        return read_velocity(self.item, 0, frames)

    def territories(self) -> NDArray[np.bool_] | None:
        """(Z, X) bool, inside any labelled territory; None without labels."""
        if isinstance(self.item, Sequence):
            return None if self.item.labels is None else np.any(self.item.labels.mask, axis=0)
        with opened(self.item) as file:
            return np.any(file["labels/mask"][:], axis=0) if "labels" in file else None  # type: ignore[index]

    def identity(self) -> str | int:
        """The same for two sources if and only if both are the one file, or the one object."""
        return str(self.item.resolve()) if isinstance(self.item, Path) else id(self.item)


def sources(domain: Domain) -> list[Source]:
    """List the sequences of a domain; of files only the headers are read.

    A file is named by its stem, a sequence in memory by its place in the list (`sequence-0000`).

    Raises
    ------
    FileError : a folder or file is missing, empty, truncated or not a sequence file.
    InputError : the domain holds something else than files and sequences, or nothing.
    """
    if isinstance(domain, str | Path):
        items: list[Any] = list(sequence_files(domain))
    elif isinstance(domain, Sequence):
        items = [domain]
    else:
        items = list(domain)
    if not items:
        raise InputError("a domain must hold at least one sequence, got an empty list")
    listed = []
    for index, item in enumerate(items):
        if isinstance(item, Sequence):
            header = Header(item.shape, item.frame_rate, item.spacing, item.origin, item.subject, dict(item.provenance))
            listed.append(Source(f"sequence-{index:04d}", header, item))
        elif isinstance(item, str | Path):
            listed.append(Source(Path(item).stem, read_header(item), Path(item)))
        else:
            raise InputError(f"a domain holds files and sequences, got {type(item).__name__}")
    return listed
