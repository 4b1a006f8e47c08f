"""HDF5 files, and MATLAB v7.3 files, which are HDF5 with their axes reversed.

Opened with h5py rather than a MATLAB reader: h5py reads the frames that are asked for, so that a recording
larger than memory passes through.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ...runtime.hdf5 import LinkWalk, opened, referred
from ...runtime.matlab import elements_of_struct, is_opaque, matlab_class, of_dataset
from .store import Store

_DEEPEST = 10  # of groups


class Hdf5Store(Store):
    """Variables of an HDF5 file by their path, `group/name` or `group.name`."""

    def __init__(self, path: Path, matlab: bool = False):
        super().__init__()
        self.path, self.matlab = path, matlab
        self.format = "MATLAB v7.3" if matlab else "HDF5"
        self._places: dict[str, str] = {}  # where in the file each variable lies
        self._dtypes: dict[str, np.dtype[Any]] = {}
        self._walk = LinkWalk(path)
        with opened(path, "recording") as file:
            self._note_all(file, "", 0)

    def _note_all(self, group: Any, prefix: str, depth: int) -> None:
        with self._walk.within(group):
            for name in group:
                if not name.startswith("#"):
                    self._note(prefix + name, group.get(name), depth)

    def _note(self, name: str, item: Any, depth: int) -> None:
        """A dataset, or what a group or references hold."""
        if depth > _DEEPEST:
            return
        if isinstance(item, h5py.Group):
            if (count := elements_of_struct(item.get(field) for field in item)) is not None:
                with self._walk.within(item):
                    self._note_structs(name, item, count, depth)
            else:
                self._note_all(item, f"{name}.", depth + 1)
        elif not isinstance(item, h5py.Dataset) or not item.size or item.attrs.get("MATLAB_empty"):
            return
        elif h5py.check_ref_dtype(item.dtype) is not None:
            self._note_cells(name, item, depth)
        elif is_opaque(item):
            self.unreadable[name] = matlab_class(item)
        else:
            self._walk.count()
            self.shapes[name] = () if self._is_text(item) else item.shape[::-1] if self.matlab else item.shape
            self._places[name], self._dtypes[name] = str(item.name), self._type_of(item)

    def _note_cells(self, name: str, item: Any, depth: int) -> None:
        """A cell array: references to what each cell holds."""
        with self._walk.within(item):
            held = [referred(item, one) for one in item[()].ravel() if one]
            members = [name if len(held) == 1 else f"{name}.{number}" for number in range(1, len(held) + 1)]
            for member, inner in zip(members, held, strict=True):
                self._note(member, inner, depth + 1)
        self._note_series(name, members)

    def _note_structs(self, name: str, group: Any, count: int, depth: int) -> None:
        """A struct array: fields of references to what each struct holds."""
        for field in group:
            held = [referred(group, one) for one in group[field][()].ravel()]
            members = [f"{name}.{number}.{field}" if count > 1 else f"{name}.{field}" for number in range(1, count + 1)]
            for number, (member, inner) in enumerate(zip(members, held, strict=True), 1):
                self._note(member, inner, depth + 1)
                self._same[f"{name}.{field}.{number}"] = member
            self._note_series(f"{name}.{field}", members)

    def _value(self, name: str) -> Any:
        with opened(self.path, "recording") as file:
            item = file[self._places[name]]
            if self.matlab or self._is_text(item):
                return of_dataset(item)
            value = item[()]
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value

    def _dtype(self, name: str) -> np.dtype[Any]:
        return self._dtypes[name]

    @contextlib.contextmanager
    def _open(self, names: list[str]) -> Iterator[list[Any]]:
        with opened(self.path, "recording") as file:
            items = [file[self._places[name]] for name in names]
            yield [_Reversed(item) for item in items] if self.matlab else items

    def _is_text(self, item: Any) -> bool:
        return matlab_class(item) == "char" or (h5py.check_string_dtype(item.dtype) is not None and item.size == 1)

    def _type_of(self, item: Any) -> np.dtype[Any]:
        return np.dtype(str) if self._is_text(item) else item.dtype


class _Reversed:
    """A dataset indexed in MATLAB's order of axes."""

    def __init__(self, item: Any):
        self.item = item

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        return self.item[index[::-1]].T
