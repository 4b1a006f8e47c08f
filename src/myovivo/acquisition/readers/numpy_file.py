"""NumPy files: `.npy`, read in parts through a memory map, and `.npz`, whose arrays are read whole."""

from __future__ import annotations

import contextlib
import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import FileError
from ...runtime.unfolding import require_allowed
from .store import Store

ONLY = "data"  # what the one array of a `.npy` is called


class NumpyStore(Store):
    """The array of a `.npy`, called `data`, or those of a `.npz`."""

    def __init__(self, path: Path, zipped: bool):
        super().__init__()
        self.path, self.zipped = path, zipped
        self.format = "NPZ" if zipped else "NPY"
        try:
            self._values = _unzipped(path) if zipped else {ONLY: np.load(path, mmap_mode="r", allow_pickle=False)}
            self.shapes = {name: value.shape for name, value in self._values.items()}
        except FileError:
            raise
        except Exception as error:  # zip, pickle and mapping errors of a broken file
            reason = " ".join(str(error).split())[:100]
            raise FileError(path, f"is not a readable {self.format} file ({reason}); save it again") from error

    def _value(self, name: str) -> Any:
        return np.asarray(self._values[name])

    def _dtype(self, name: str) -> np.dtype[Any]:
        return self._values[name].dtype

    def _open(self, names: list[str]) -> contextlib.AbstractContextManager[list[Any]]:
        return contextlib.nullcontext([self._values[name] if self.zipped else _Mapped(self.path) for name in names])


def _unzipped(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a `.npz`, none of which is made before it is known to be there."""
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
        require_allowed(path, sum(member.file_size for member in members), path.stat().st_size)
        for member in members:
            with archive.open(member) as file:
                _require_there(path, file, member)
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files if name + ".npy" in {m.filename for m in members}}


def _require_there(path: Path, file: IO[bytes], member: zipfile.ZipInfo) -> None:
    """Refuse an array that promises more than its member of the archive has."""
    version = np.lib.format.read_magic(file)
    read = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}.get(version[0])
    if read is None:
        raise ValueError(f"an array of format {version}")
    shape, _, dtype = read(file)
    if (promised := math.prod(shape) * dtype.itemsize) > member.file_size:
        rule = f"promises {promised} bytes and has {member.file_size}"
        raise FileError(path, f"holds {member.filename}, which {rule}; save it again")


class _Mapped:
    """A `.npy` that is mapped anew for each part: what was read does not stay in memory."""

    def __init__(self, path: Path):
        self.path = path

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        return np.array(np.load(self.path, mmap_mode="r", allow_pickle=False)[index])
