"""Which of our files are not HDF5, and how each is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...runtime.file_kinds import file_kind_of
from ...runtime.hdf5 import understood


def foreign_parts(path: str | Path) -> dict[str, Any] | None:
    """The attributes of a sequence that `save` wrote for MATLAB or NumPy; None for any other file.

    Raises
    ------
    FileError : one that is broken.
    """
    path = Path(path)
    if not path.is_file() or path.suffix not in (".mat", ".npz"):
        return None
    kind = file_kind_of(path)
    if kind not in ("matlab5", "npz"):
        return None
    from .archive import read_npz
    from .matlab import read_mat

    with understood(path):
        return read_mat(path) if kind == "matlab5" else read_npz(path)
