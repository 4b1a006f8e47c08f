"""MATLAB files up to v7 (`save` without `-v7.3`): read whole, as the format cannot be read in parts.

No variable of theirs is larger than 2 GB; larger recordings are saved as v7.3, which `hdf5` reads.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pymatreader import read_mat
from scipy.io import whosmat

from ...errors import FileError, InputError
from .store import Source, Store

_CELLS = 64  # elements of a cell or struct array that are looked into


class MatlabStore(Store):
    """Variables of a MATLAB v5-v7 file; fields of structs are joined by dots.

    What lies in a cell or struct array is `name.1`, `name.2`; in one of a single element, `name`.
    """

    format = "MATLAB v5"

    def __init__(self, path: Path):
        self.path = path
        try:
            content = read_mat(str(path))
        except Exception as error:  # scipy fails in many ways on a broken file
            raise FileError(
                path, f"is not a readable MATLAB file ({type(error).__name__}), perhaps cut short; save it again"
            ) from error
        self.values = dict(_flat(content))
        for name, shape, _ in whosmat(str(path)):  # pymatreader drops axes of one
            if _is_number(self.values.get(name)) and np.size(self.values[name]) == np.prod(shape):
                self.values[name] = np.asarray(self.values[name]).reshape(shape)
        self.shapes = {name: np.shape(value) for name, value in self.values.items() if _is_number(value)}

    def value(self, name: str) -> Any:
        return self.values[name]

    def source(self, name: str) -> Source:
        if name not in self.shapes:
            raise InputError(f"{name} is no array of numbers; a cell array must be saved as one array")
        array = np.asarray(self.values[name])
        return Source(lambda: contextlib.nullcontext(array), array.shape, array.dtype)

    def has(self, name: str) -> bool:
        return name in self.values and 0 not in self.shapes.get(name, (1,))


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        if name.startswith("__"):
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list) and any(isinstance(one, np.ndarray | Mapping | list) for one in value):
            # Cell and struct arrays; as in v7.3, a single element goes by the array's own name.
            yield prefix + name, value
            inner = {str(number): one for number, one in enumerate(value[:_CELLS], 1)}
            yield from _flat(inner if len(value) > 1 else {}, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _is_number(value: Any) -> bool:
    try:
        return np.asarray(value).dtype.kind in "fiubc"
    except ValueError:  # a ragged cell array
        return False
