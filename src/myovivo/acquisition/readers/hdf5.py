"""HDF5 files, and MATLAB v7.3 files, which are HDF5 with their axes reversed.

Opened with h5py rather than a MATLAB reader: h5py reads the frames that are asked for, so that a recording
larger than memory passes through.
"""

from __future__ import annotations

import contextlib
import fnmatch
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...sequences.hdf5 import opened
from .store import Source, Store

_CELLS = 64  # elements of a cell or struct array that are looked into


class Hdf5Store(Store):
    """Variables of an HDF5 file by their path, `group/name` or `group.name`.

    What lies in a MATLAB cell or struct array is `name.1`, `name.2`; in one of a single element, `name`.
    Numbers in the field of a struct array are one array, `name`, as MATLAB's `[s.name]`.
    """

    def __init__(self, path: Path, matlab: bool = False):
        self.path, self.matlab = path, matlab
        self.format = "MATLAB v7.3" if matlab else "HDF5"
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._places: dict[str, str] = {}  # where in the file each variable lies
        self._fields: dict[str, list[str]] = {}  # the same of fields of struct arrays, each a number
        with opened(path) as file:
            self._note_all(file, "", 0)

    def _note_all(self, group: Any, prefix: str, depth: int) -> None:
        for name in group:
            if not name.startswith("#"):
                self._note(prefix + name, group.get(name), depth)

    def _note(self, name: str, item: Any, depth: int) -> None:
        """A dataset, or what a group or references hold; links may run in circles, so not deeper than ten."""
        if depth > 10:
            return
        if isinstance(item, h5py.Group):
            self._note_all(item, f"{name}.", depth + 1)
        elif isinstance(item, h5py.Dataset) and item.size and not item.attrs.get("MATLAB_empty"):
            if h5py.check_ref_dtype(item.dtype) is not None:
                held = [item.file[one] for one in item[()].ravel()[:_CELLS] if one]
                if len(held) > 1 and all(isinstance(one, h5py.Dataset) and one.size == 1 for one in held):
                    self.shapes[name] = (len(held),)
                    self._fields[name] = [str(one.name) for one in held]
                    return
                for number, one in enumerate(held, 1):
                    self._note(name if len(held) == 1 else f"{name}.{number}", one, depth + 1)
            else:
                self.shapes[name] = item.shape[::-1] if self.matlab else item.shape
                self._places[name] = str(item.name)

    def has(self, name: str) -> bool:
        name = name.replace("/", ".")
        return name in self.shapes or ("*" in name and bool(fnmatch.filter(self.shapes, name)))

    def value(self, name: str) -> Any:
        with opened(self.path) as file:
            if (places := self._fields.get(name.replace("/", "."))) is not None:
                return np.array([np.squeeze(file[place][()]) for place in places])
            item = file[self._places[name.replace("/", ".")]]
            value = item[()]
            if item.attrs.get("MATLAB_class") == b"char":
                return "".join(map(chr, np.ravel(value)))
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        return np.asarray(value).T if self.matlab else value

    def source(self, name: str) -> Source:
        name = name.replace("/", ".")
        if name in self._fields:
            raise InputError(f"{name} is a field of a struct array, no array of frames")
        names = sorted(fnmatch.filter(self.shapes, name), key=_natural) if "*" in name else [name]
        with opened(self.path) as file:
            item: Any = file[self._places[names[0]]]
            shape, dtype = item.shape, item.dtype
        if self.matlab:
            shape = shape[::-1]
        if "*" not in name:
            return Source(lambda: self._open(name), shape, dtype)
        if len({self.shapes[one] for one in names}) > 1:
            sizes = ", ".join(sorted({str(self.shapes[one]) for one in names}))
            raise InputError(f"the arrays {name} must all be of one shape, got {sizes}")
        leading = _grid(name, names)
        return Source(lambda: self._open_many(names, leading), (*leading, *shape), dtype)

    @contextlib.contextmanager
    def _open(self, name: str) -> Iterator[Any]:
        with opened(self.path) as file:
            item = file[self._places[name]]
            yield _Reversed(item) if self.matlab else item

    @contextlib.contextmanager
    def _open_many(self, names: list[str], leading: tuple[int, ...]) -> Iterator[Any]:
        with opened(self.path) as file:
            items = [file[self._places[name]] for name in names]
            yield _Many([_Reversed(item) if self.matlab else item for item in items], leading)


class _Reversed:
    """A dataset indexed in MATLAB's order of axes."""

    def __init__(self, item: Any):
        self.item = item

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        return self.item[index[::-1]].T


class _Many:
    """Datasets of one shape behind leading axes, as one array."""

    def __init__(self, items: list[Any], leading: tuple[int, ...]):
        self.items, self.leading = items, leading

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        outer, inner = index[: len(self.leading)], index[len(self.leading) :]
        chosen = np.arange(len(self.items)).reshape(self.leading)[outer]
        values = np.stack([self.items[item][inner] for item in chosen.ravel()])
        return values.reshape(*chosen.shape, *values.shape[1:])


def _natural(name: str) -> list[int | str]:
    """`frame_2` before `frame_10`."""
    # Texts and numbers take turns, so that a text is never compared with a number.
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def _grid(pattern: str, names: list[str]) -> tuple[int, ...]:
    """How many values each `*` of a pattern takes."""
    stars = [place for place, part in enumerate(pattern.split(".")) if "*" in part]
    counts = tuple(len({name.split(".")[place] for name in names}) for place in stars)
    return counts if math.prod(counts) == len(names) else (len(names),)
