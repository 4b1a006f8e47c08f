"""MATLAB files up to v7 (`save` without `-v7.3`): read whole, as the format cannot be read in parts.

No variable of theirs is larger than 2 GB; larger recordings are saved as v7.3, which `hdf5` reads.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np

from ...runtime.matlab import Opaque, read_matlab
from .store import Store


class MatlabStore(Store):
    """Variables of a MATLAB v5-v7 file; fields of structs are joined by dots."""

    format = "MATLAB v5"

    def __init__(self, path: Path):
        super().__init__()
        self.path = path
        self._values: dict[str, Any] = {}
        for name, value in read_matlab(path).items():
            self._note(name, value)

    def _note(self, name: str, value: Any) -> None:
        """A variable, or what a struct or a cell array holds."""
        if isinstance(value, Opaque):
            self.unreadable[name] = value.kind
        elif isinstance(value, dict):
            for field, inner in value.items():
                self._note(f"{name}.{field}", inner)
        elif isinstance(value, list):
            members = [name if len(value) == 1 else f"{name}.{number}" for number in range(1, len(value) + 1)]
            for member, inner in zip(members, value, strict=True):
                self._note(member, inner)
            self._note_series(name, members)
            self._note_fields(name, value)
        elif np.size(value):
            self._values[name], self.shapes[name] = value, np.shape(value)

    def _note_fields(self, name: str, value: list[Any]) -> None:
        """The fields of a struct array, each as MATLAB's `[s.field]`."""
        if len(value) < 2 or not all(isinstance(struct, dict) for struct in value):
            return
        for field in value[0]:
            members = [f"{name}.{number}.{field}" for number in range(1, len(value) + 1)]
            self._same |= {f"{name}.{field}.{number}": member for number, member in enumerate(members, 1)}
            self._note_series(f"{name}.{field}", members)

    def _value(self, name: str) -> Any:
        return self._values[name]

    def _dtype(self, name: str) -> np.dtype[Any]:
        return np.asarray(self._values[name]).dtype

    def _open(self, names: list[str]) -> contextlib.AbstractContextManager[list[Any]]:
        return contextlib.nullcontext([np.asarray(self._values[name]) for name in names])
