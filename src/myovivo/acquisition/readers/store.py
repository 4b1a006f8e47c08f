"""A file of named arrays, whatever its format: what a layout is looked up in."""

from __future__ import annotations

import contextlib
import fnmatch
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError

LISTED = 64  # elements of a cell or struct array that are listed by themselves


class StoredArray(NamedTuple):
    """An array that is opened when it is read: how, its shape and type."""

    open: Callable[[], contextlib.AbstractContextManager[Any]]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Store(ABC):
    """Named variables; names of nested ones are joined by dots.

    What lies in a cell or struct array is `name.1`, `name.2`, a field of the second struct `name.2.field`; a cell or
    struct array of a single element goes by the array's own name. Elements of one shape are one array besides, by the
    name of the cell array, or of the field as MATLAB's `[s.field]`: frames with the elements along the last axis, as
    `cat(3, c{:})`, a parameter with a row per element. `*` in a name stacks all that match along leading axes.

    Attributes
    ----------
    path : the file
    format : for people
    shapes : of every variable of numbers or text, by name
    series : name of a cell array or field -> the variables that it is made of
    unreadable : name -> what it is, of variables that only the program that wrote them can read
    """

    path: Path
    format: str

    def __init__(self) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.series: dict[str, list[str]] = {}
        self.unreadable: dict[str, str] = {}
        self._same: dict[str, str] = {}  # other names of variables

    @abstractmethod
    def _value(self, name: str) -> Any:
        """A small variable, read whole; numbers in the order of axes that is counted in."""

    @abstractmethod
    def _open(self, names: list[str]) -> contextlib.AbstractContextManager[list[Any]]:
        """Variables that can be indexed as arrays while the file is open."""

    @abstractmethod
    def _dtype(self, name: str) -> np.dtype[Any]:
        """The type of a variable's values."""

    def value(self, name: str) -> Any:
        """A small variable, read whole.

        Raises
        ------
        InputError : only the program that wrote it can read it, or several do not fit together.
        """
        name = self._known(name)
        if name in self.unreadable:
            kind = self.unreadable[name]
            remedy = "text must be saved as char" if kind == "string" else "save it as numbers or char"
            raise InputError(f"{name} is an object of class {kind}, which only MATLAB can read; {remedy}")
        if name not in self.series and "*" not in name:
            return self._value(name)
        members, leading = self._members(name)
        values = [np.squeeze(np.asarray(self._value(member))) for member in members]
        if len({value.shape for value in values}) > 1:
            raise InputError(f"the parts of {name} must all be of one shape; check what was exported")
        return np.stack(values).reshape(*leading, *values[0].shape)

    def source(self, name: str) -> StoredArray:
        """A large variable, to be read in parts.

        Raises
        ------
        InputError : it is text, or arrays of different shapes.
        """
        name = self._known(name)
        members, leading = self._members(name)
        if not members or any(member not in self.shapes for member in members):
            raise InputError(f"{name} is no array of numbers; {self._instead(name)}")
        shape, dtype = self.shapes[members[0]], self._dtype(members[0])
        if dtype.kind in "OSU":
            raise InputError(f"{name} is text, no array of numbers; check the name")
        if name not in self.series and "*" not in name:
            return StoredArray(lambda: self._opened(members, (), stack_last=False), shape, dtype)
        if len({self.shapes[member] for member in members}) > 1:
            sizes = ", ".join(sorted({str(self.shapes[member]) for member in members}))
            raise InputError(f"the arrays {name} must all be of one shape, got {sizes}")
        if name in self.series:
            whole = (*shape, len(members))
            return StoredArray(lambda: self._opened(members, (), stack_last=True), whole, dtype)
        return StoredArray(lambda: self._opened(members, leading, stack_last=False), (*leading, *shape), dtype)

    def has(self, name: str) -> bool:
        """Whether a variable of this name, or any of this pattern, exists."""
        name = self._known(name)
        if "*" in name:
            return bool(self._members(name)[0])
        return name in self.unreadable or name in self.series or name in self.shapes

    def is_array(self, name: str) -> bool:
        """Whether a name or pattern stands for an array whose axes a ready layout can know: cells may be anything."""
        name = self._known(name)
        members, _ = self._members(name)
        return name not in self.series and all(
            member in self.shapes and self._dtype(member).kind not in "OSU" for member in members
        )

    def is_series(self, name: str) -> bool:
        """Whether a name stands for the elements of a cell array, or of a field, in one array."""
        return self._known(name) in self.series

    def arrays(self) -> dict[str, tuple[int, ...]]:
        """Variables that could be frames: those of at least two axes longer than one; cells of one shape as one."""
        inner = {member for members in self.series.values() for member in members}
        listed = {name: shape for name, shape in self.shapes.items() if name not in inner}
        for name, members in self.series.items():
            listed[name] = (*self.shapes[members[0]], len(members))
        return {name: shape for name, shape in listed.items() if sum(size > 1 for size in shape) >= 2}

    def small(self) -> dict[str, Any]:
        """Scalars, short lists of numbers and short texts, by name: what a parameter could be."""
        inner = {member for members in self.series.values() for member in members}
        few = [name for name, shape in self.shapes.items() if name not in inner and math.prod(shape) <= 8]
        values = {name: self._value(name) for name in few[: 4 * LISTED]}
        return {name: value for name, value in values.items() if not isinstance(value, str) or len(value) <= 80}

    def _known(self, name: str) -> str:
        if name in self.shapes:  # names of other programs may hold a slash
            return name
        name = name.replace("/", ".")
        return self._same.get(name, name)

    def _members(self, name: str) -> tuple[list[str], tuple[int, ...]]:
        """The variables that a name stands for, and how they are stacked."""
        if name in self.series:
            return self.series[name], (len(self.series[name]),)
        if "*" not in name:
            return [name], ()
        names = {*self.shapes, *self._same}
        matching = sorted(fnmatch.filter(names, name), key=_natural)
        return [self._known(match) for match in matching], _stars(name, matching)

    @contextlib.contextmanager
    def _opened(self, members: list[str], leading: tuple[int, ...], stack_last: bool) -> Iterator[Any]:
        with self._open(members) as items:
            yield _Series(items) if stack_last else _Many(items, leading) if leading else items[0]

    def _instead(self, name: str) -> str:
        parts = [other for other in self.shapes if other.startswith(f"{name}.")]
        return f"give one of {', '.join(parts[:4])}, or save it as one array" if parts else "check the name"

    def _note_series(self, name: str, members: list[str]) -> None:
        """Elements of one shape are one array, too; text is none."""
        shapes = {self.shapes.get(member) for member in members}
        alike = len(members) > 1 and len(shapes) == 1 and None not in shapes
        if alike and all(self._dtype(member).kind not in "OSU" for member in members):
            self.series[name] = members


class _Many:
    """Arrays of one shape behind leading axes, as one array."""

    def __init__(self, items: list[Any], leading: tuple[int, ...]):
        self.items, self.leading = items, leading

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        outer, inner = index[: len(self.leading)], index[len(self.leading) :]
        chosen = np.arange(len(self.items)).reshape(self.leading)[outer]
        values = np.stack([self.items[item][inner] for item in chosen.ravel()])
        return values.reshape(*chosen.shape, *values.shape[1:])


class _Series:
    """Arrays of one shape before a last axis, as one array."""

    def __init__(self, items: list[Any]):
        self.items = items

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        return np.stack([item[index[:-1]] for item in self.items[index[-1]]], axis=-1)


def _natural(name: str) -> list[int | str]:
    """`frame_2` before `frame_10`."""
    # Texts and numbers take turns, so that a text is never compared with a number.
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def _stars(pattern: str, names: list[str]) -> tuple[int, ...]:
    """How many values each `*` of a pattern takes."""
    stars = [place for place, part in enumerate(pattern.split(".")) if "*" in part]
    # A star may take in dots, so that names have other parts than the pattern.
    if any(len(name.split(".")) != len(pattern.split(".")) for name in names):
        return (len(names),)
    counts = tuple(len({name.split(".")[place] for name in names}) for place in stars)
    return counts if math.prod(counts) == len(names) else (len(names),)
