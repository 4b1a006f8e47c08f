"""NumPy files: `.npy`, read in parts through a memory map, and `.npz`, whose arrays are read whole."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import FileError
from .store import Store

ONLY = "data"  # what the one array of a `.npy` is called


class NumpyStore(Store):
    """The array of a `.npy`, called `data`, or those of a `.npz`."""

    def __init__(self, path: Path, zipped: bool):
        super().__init__()
        self.path, self.zipped = path, zipped
        self.format = "NPZ" if zipped else "NPY"
        try:
            if zipped:
                with np.load(path, allow_pickle=False) as archive:
                    self._values = {name: archive[name] for name in archive.files}
            else:
                self._values = {ONLY: np.load(path, mmap_mode="r", allow_pickle=False)}
            self.shapes = {name: value.shape for name, value in self._values.items()}
        except Exception as error:  # zip, pickle and mapping errors of a broken file
            reason = " ".join(str(error).split())[:100]
            raise FileError(path, f"is not a readable {self.format} file ({reason}); save it again") from error

    def _value(self, name: str) -> Any:
        return np.asarray(self._values[name])

    def _dtype(self, name: str) -> np.dtype[Any]:
        return self._values[name].dtype

    def _open(self, names: list[str]) -> contextlib.AbstractContextManager[list[Any]]:
        return contextlib.nullcontext([self._values[name] if self.zipped else _Mapped(self.path) for name in names])


class _Mapped:
    """A `.npy` that is mapped anew for each part: what was read does not stay in memory."""

    def __init__(self, path: Path):
        self.path = path

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        return np.array(np.load(self.path, mmap_mode="r", allow_pickle=False)[index])
