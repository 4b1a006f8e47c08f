"""A MATLAB workspace: its structs, struct arrays and cells, alike for files of v5 and v7.3."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ....errors import InputError
from ....runtime.hdf5 import opened, referred
from ....runtime.matlab import names_in_matlab, of_dataset, read_matlab
from ..store import StoredArray


class Workspace(ABC):
    """Variables of a MATLAB file.

    Attributes
    ----------
    path : the file
    format : for people
    names : of the variables
    """

    path: Path
    format: str
    names: set[str]

    @abstractmethod
    def column(self, struct: str, field: str) -> list[Any]:
        """A field of each element of a struct (array), `Resource.RcvBuffer`; None where it is empty or not there.

        Numbers that stand alone come as float, texts as str, others as arrays (of MATLAB's shape).
        """

    @abstractmethod
    def cells(self, name: str) -> list[StoredArray]:
        """The arrays in a cell array, each to be read in parts; of an array that is in no cell, itself."""

    def first(self, struct: str, field: str) -> Any:
        """A field of a struct, or of the first element of a struct array; None if it is empty or not there."""
        return next(iter(self.column(struct, field)), None)

    def scalars(self, struct: str, field: str) -> list[float | None]:
        """A field of each element, one finite number each; None where it is empty or not there.

        Raises
        ------
        InputError : a text, several numbers, or none that is finite.
        """
        return [self._scalar(struct, field, value) for value in self.column(struct, field)]

    def counts(self, struct: str, field: str, default: int) -> NDArray[np.int_]:
        """A field of each element, a whole number each; `default` where it is empty or not there.

        Raises
        ------
        InputError : anything else.
        """
        values = self.scalars(struct, field)
        if broken := [value for value in values if value is not None and (value % 1 or abs(value) > 2**31)]:
            raise InputError(f"{struct}.{field} must be whole numbers, got {broken[0]:g}")
        return np.array([default if value is None else value for value in values], int)

    def vectors(self, struct: str, field: str) -> list[NDArray[np.float64] | None]:
        """A field of each element, finite numbers in a row; None where it is empty or not there.

        Raises
        ------
        InputError : texts, or values that are not finite.
        """
        return [None if value is None else self._vector(struct, field, value) for value in self.column(struct, field)]

    def vector(self, struct: str, field: str) -> NDArray[np.float64] | None:
        """A field of a struct (or of the first element of a struct array), finite numbers in a row."""
        return next(iter(self.vectors(struct, field)), None)

    def number(self, struct: str, field: str) -> float | None:
        """A field of a struct (or of the first element of a struct array), one finite number."""
        return self._scalar(struct, field, self.first(struct, field))

    def positive(self, struct: str, field: str) -> float:
        """A number that has to be there.

        Raises
        ------
        InputError : it is not, or is not positive.
        """
        value = self.number(struct, field)
        if value is None or value <= 0:
            raise InputError(f"{struct}.{field} must be a positive number, got {value}; save {struct}, too")
        return value

    def common(self, struct: str, field: str, numbers: NDArray[np.int_]) -> Any:
        """The number or text that a field holds for all of some elements (from 0); None if it is not there.

        Raises
        ------
        InputError : it differs between them, or is neither.
        """
        column = self.column(struct, field)
        values = {
            value if isinstance(value, str) else self._scalar(struct, field, value)
            for value in (column[number] for number in numbers if number < len(column))
        }
        if len(values) > 1:
            listed = ", ".join(map(str, sorted(values, key=str)[:4]))
            raise InputError(f"{struct}.{field} differs between acquisitions ({listed}); save each to its own buffer")
        return values.pop() if values else None

    def common_number(self, struct: str, field: str, numbers: NDArray[np.int_]) -> float | None:
        """`common`, a number.

        Raises
        ------
        InputError : it is a text.
        """
        value = self.common(struct, field, numbers)
        return self._scalar(struct, field, value)

    @staticmethod
    def _vector(struct: str, field: str, value: Any) -> NDArray[np.float64]:
        if not isinstance(value, str) and np.asarray(value).dtype.kind in "fiub":
            numbers = np.ravel(np.asarray(value, float))
            if np.isfinite(numbers).all():
                return numbers
        raise InputError(f"{struct}.{field} must be finite numbers, got {' '.join(str(value).split())[:40]!r}")

    def _scalar(self, struct: str, field: str, value: Any) -> float | None:
        if value is None:
            return None
        if isinstance(value, str) or np.size(value) != 1:
            raise InputError(f"{struct}.{field} must be one finite number, got {' '.join(str(value).split())[:40]!r}")
        number = float(np.ravel(value)[0])
        if not np.isfinite(number):
            raise InputError(f"{struct}.{field} must be a finite number, got {number}")
        return number


def workspace_of(path: Path, is_hdf5: bool) -> Workspace:
    """Open a MATLAB file; `is_hdf5` if it is of v7.3.

    Raises
    ------
    FileError : it is broken.
    """
    return Hdf5Workspace(path) if is_hdf5 else MatlabWorkspace(path)


class MatlabWorkspace(Workspace):
    """A file of v5 to v7, read whole."""

    format = "MATLAB v5"

    def __init__(self, path: Path):
        self.path, self._values = path, read_matlab(path)
        self.names = set(self._values)

    def column(self, struct: str, field: str) -> list[Any]:
        first, *inner = struct.split(".")
        held: Any = self._values.get(first)
        for name in inner:
            held = next(iter(_structs(held)), {}).get(name)
        return [_simple(element.get(field)) for element in _structs(held)]

    def cells(self, name: str) -> list[StoredArray]:
        held = self._values[name]
        return [_source(array) for array in (held if isinstance(held, list) else [held])]


class Hdf5Workspace(Workspace):
    """A file of v7.3, of which only what is asked for is read."""

    format = "MATLAB v7.3"

    def __init__(self, path: Path):
        self.path = path
        self.names = names_in_matlab(path, True)

    def column(self, struct: str, field: str) -> list[Any]:
        with opened(self.path, "recording") as file:
            group: Any = file
            for name in struct.split("."):
                group = group.get(name) if isinstance(group, h5py.Group) else None
            if not isinstance(group, h5py.Group):
                return []
            item = group.get(field)
            if not isinstance(item, h5py.Dataset):
                others = [one for one in group.values() if isinstance(one, h5py.Dataset) and _is_array_of_structs(one)]
                return [None] * max((int(one.size or 0) for one in others), default=1)
            if not _is_array_of_structs(item):
                return [_read(item)]
            return [_read(referred(file, reference)) for reference in item[()].ravel()]

    def cells(self, name: str) -> list[StoredArray]:
        with opened(self.path, "recording") as file:
            item: Any = file[name]
            if not isinstance(item, h5py.Dataset):
                return [_source(np.zeros((0, 0)))]
            if h5py.check_ref_dtype(item.dtype) is None:
                items = [item]
            else:
                items = [referred(file, reference) for reference in item[()].ravel()]
            return [self._stored(held) for held in items]

    def _stored(self, held: Any) -> StoredArray:
        if not isinstance(held, h5py.Dataset) or held.attrs.get("MATLAB_empty") or held.dtype.kind not in "fiub":
            return _source(np.zeros((0, 0)))
        place = str(held.name)

        @contextlib.contextmanager
        def read() -> Iterator[Any]:
            with opened(self.path, "recording") as file:
                yield _Transposed(file[place])

        return StoredArray(read, held.shape[::-1], held.dtype)


class _Transposed:
    """A dataset indexed in MATLAB's order of axes."""

    def __init__(self, item: Any):
        self.item = item

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        return self.item[index[::-1]].T


def _structs(held: Any) -> list[dict[str, Any]]:
    """A struct, or the structs of an array of them."""
    structs = held if isinstance(held, list) else [held]
    return structs if all(isinstance(struct, dict) for struct in structs) else []


def _is_array_of_structs(item: h5py.Dataset) -> bool:
    """Whether a field holds references to its values in each element; a cell array is told by its class."""
    return h5py.check_ref_dtype(item.dtype) is not None and item.attrs.get("MATLAB_class") != b"cell"


def _read(item: Any) -> Any:
    """A dataset as `column` gives it; None for a cell array in a struct, which is of no use to any reader."""
    if not isinstance(item, h5py.Dataset) or not item.size or item.attrs.get("MATLAB_empty"):
        return None
    return None if h5py.check_ref_dtype(item.dtype) is not None else _simple(of_dataset(item))


def _simple(value: Any) -> Any:
    if isinstance(value, list):  # rows of text
        value = next(iter(value), None)
    if isinstance(value, str):
        return value or None
    if not isinstance(value, np.ndarray) or value.size == 0 or value.dtype.kind not in "fiub":
        return None
    return float(value.ravel()[0]) if value.size == 1 else value


def _source(array: Any) -> StoredArray:
    array = array if isinstance(array, np.ndarray) and array.dtype.kind in "fiub" else np.zeros((0, 0))
    return StoredArray(lambda: contextlib.nullcontext(array), array.shape, array.dtype)
