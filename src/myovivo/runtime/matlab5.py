"""MATLAB files of v5 to v7 (`save` without `-v7.3`), as a tree of what MATLAB means.

Read here rather than by SciPy, whose reader in C trusts the sizes in a file: of files with a few bytes changed, some
two in a hundred ended the whole process by a signal, which no `except` can catch. Reading in a process of its own
would cost half a second and a copy of the data for every file; checking all tags before SciPy reads them again is as
much work as reading them. Every size is held against the bytes that are there before anything is made of it.

The layout is that of MathWorks, "MAT-File Format" (R2023b): elements of a tag (type, bytes) and data.
"""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from .unfolding import MOST_PARTS, inflated, require_allowed

_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}

_MATRIX, _COMPRESSED = 14, 15

_CELL, _STRUCT, _OBJECT, _CHAR, _SPARSE, _NUMBERS, _FUNCTION, _OPAQUE = 1, 2, 3, 4, 5, range(6, 16), 16, 17

_TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}

_LOGICAL, _COMPLEX = 0x200, 0x800

_DEEPEST = 20  # of nested structs and cells

_HEAD = 512  # bytes that hold the name of a variable

_FIELDLESS = 1024  # structs without a field take no room in a file

_PIECE = 1 << 20


class Opaque(NamedTuple):
    """What only MATLAB can read, such as a table, a function or text of class `string`."""

    kind: str


class _Head(NamedTuple):
    """What stands before the content of an array."""

    kind: int
    flags: int
    dims: tuple[int, ...]
    name: str


def read_matlab5(path: Path, without: Collection[str] = ()) -> dict[str, Any]:
    """Read the variables of a MATLAB file of v5 to v7.

    Parameters
    ----------
    path : the file
    without : names of variables and fields of structs that are left out

    Raises
    ------
    FileError : it unfolds to more than its size allows.
    ValueError, struct.error, zlib.error : it is broken.
    """
    values: dict[str, Any] = {}
    size, unfolded, parts = path.stat().st_size, 0, [MOST_PARTS]
    for name, order, whole, content in _variables(path):
        if name not in without:
            unfolded += whole
            require_allowed(path, unfolded, size, name)
            values[name] = _Element(content(), order, path, parts, without).array()
    return values


def names_in_matlab5(path: Path) -> set[str]:
    """The names of the variables, of which no more is read.

    Raises
    ------
    ValueError, struct.error, zlib.error : it is broken.
    """
    return {name for name, *_ in _variables(path)}


def _variables(path: Path) -> Iterator[tuple[str, str, int, Callable[[], bytearray]]]:
    """Of each variable its name, order of bytes, size when unfolded, and what reads it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        order = {b"IM": "<", b"MI": ">"}.get(file.read(128)[126:])
        if order is None:
            raise ValueError("no mark of the order of bytes")
        while len(tag := file.read(8)) == 8:
            kind, length = struct.unpack(f"{order}II", tag)
            start = file.tell()
            if length > size - start:
                raise ValueError(f"{length} bytes are told where {size - start} are left")
            head = _content(file, kind, length, order, _HEAD, False)
            name = _Element(head, order, path, [], ()).name()
            whole = struct.unpack_from(f"{order}I", head, 4)[0] + 8 if kind == _COMPRESSED else length + 8
            if name and not name.startswith("__"):
                file.seek(start)
                yield name, order, whole, functools.partial(_content, file, kind, length, order, whole)
            file.seek(start + length)


def _content(file: Any, kind: int, length: int, order: str, size: int, whole: bool = True) -> bytearray:
    """The first `size` bytes of an element of a file, unfolded, its tag before them."""
    if kind == _COMPRESSED:
        pieces = (file.read(min(_PIECE, length - done)) for done in range(0, length, _PIECE))
        return inflated(pieces, size, whole)
    if kind != _MATRIX:
        raise ValueError(f"a variable of type {kind}")
    return bytearray(struct.pack(f"{order}II", kind, length)) + file.read(min(length, size - 8))


class _Element:
    """Bytes of one variable, read tag by tag."""

    def __init__(self, content: bytearray, order: str, path: Path, parts: list[int], without: Collection[str]):
        self.content, self.order, self.path, self.parts, self.without = memoryview(content), order, path, parts, without
        self.pair = struct.Struct(f"{order}II")
        self.types = {number: np.dtype(order + kind) for number, kind in _TYPES.items()}
        self.at, self.small = 0, False

    def name(self) -> str:
        """The name of a variable, which stands near its beginning; of one that is cut off there, it is told whole."""
        kind, _ = self.pair.unpack_from(self.content, self.at)
        if kind != _MATRIX:
            raise ValueError("no array where one should be")
        self.at += 8
        return self._head().name

    def array(self, depth: int = 0) -> Any:
        """The value of the array that begins here."""
        kind, size = self._tag()
        end = self.at + size
        self.parts[0] -= 1
        if self.parts[0] < 0:
            raise FileError(self.path, f"has over {MOST_PARTS} parts, too many for one recording; save fewer of them")
        if kind != _MATRIX or depth > _DEEPEST:
            raise ValueError(f"type {kind} in place of an array, {depth} levels deep")
        value = self._value(self._head(), end, depth) if size else np.zeros((0, 0))
        self.at = end
        return value

    def _value(self, head: _Head, end: int, depth: int) -> Any:
        if head.kind in _NUMBERS:
            return self._numbers(head)
        if head.kind == _CHAR:
            return self._text(head)
        if head.kind == _CELL:
            return [self.array(depth + 1) for _ in range(self._count(head, end))]
        if head.kind in (_STRUCT, _OBJECT):
            return self._structs(head, end, depth)
        if head.kind == _SPARSE:
            return self._sparse(head)
        if head.kind == _FUNCTION:
            return Opaque("function")
        if head.kind == _OPAQUE:
            self._data()  # of which system of classes
            return Opaque(bytes(self._data()[1]).decode("latin-1"))
        raise ValueError(f"class {head.kind}")

    def _numbers(self, head: _Head) -> NDArray[Any]:
        """In MATLAB's order of axes and as they are stored: doubles that are small whole numbers are small."""
        values = self._row().reshape(head.dims, order="F")
        if head.flags & _COMPLEX:
            values = values + 1j * self._row().reshape(head.dims, order="F")
        return values.astype(bool) if head.flags & _LOGICAL else values

    def _row(self) -> NDArray[Any]:
        kind, content = self._data()
        if kind not in self.types:
            raise ValueError(f"type {kind} in place of numbers")
        dtype = self.types[kind]
        if not content:
            return np.zeros(0, dtype.newbyteorder("="))
        values = np.frombuffer(content, dtype)
        return values if dtype.isnative else values.astype(dtype.newbyteorder("="))

    def _text(self, head: _Head) -> str | list[str]:
        kind, content = self._data()
        if kind not in _TEXTS:
            raise ValueError(f"type {kind} in place of text")
        coding = _TEXTS[kind]
        if coding in ("utf-16", "utf-32"):
            coding += "-le" if self.order == "<" else "-be"
        text, rows = bytes(content).decode(coding, "replace"), math.prod(head.dims[:-1])
        if not text or not rows or not head.dims[-1]:
            return ""
        if rows > 1 and len(text) != rows * head.dims[-1]:
            raise ValueError(f"{len(text)} characters in {rows} rows")
        return text if rows == 1 else [text[row::rows] for row in range(rows)]

    def _structs(self, head: _Head, end: int, depth: int) -> Any:
        if head.kind == _OBJECT:
            self._data()  # the name of its class
        longest, names = int(self._row()[0]), bytes(self._data()[1])
        if longest < 1 or len(names) % longest:
            raise ValueError(f"{len(names)} bytes of names of {longest} each")
        places = range(0, len(names), longest)
        fields = [names[place : place + longest].split(b"\0")[0].decode("latin-1") for place in places]
        count = self._count(head, end, len(fields))
        structs = [self._fields(fields, depth) for _ in range(count)]
        return structs[0] if count == 1 else structs

    def _fields(self, names: list[str], depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in names:
            if name in self.without:
                size = self._tag()[1]
                self.at += size
            else:
                values[name] = self.array(depth + 1)
        return values

    def _sparse(self, head: _Head) -> NDArray[Any]:
        rows, starts = self._row(), self._row()
        at = self.at
        _, content = self._data()
        if head.flags & _LOGICAL and len(starts) and len(content) == starts[-1]:  # bytes, under the tag of doubles
            values = np.frombuffer(content, np.uint8) if len(content) else np.zeros(0, np.uint8)
        else:
            self.at = at
            values = self._row()
        if head.flags & _COMPLEX:
            values = values + 1j * self._row()
        require_allowed(self.path, math.prod(head.dims) * 16, len(self.content), f"sparse {head.name or 'array'}")
        whole = dense(rows, starts, values, head.dims)
        return whole.astype(bool) if head.flags & _LOGICAL else whole

    def _count(self, head: _Head, end: int, fields: int = 1) -> int:
        """How many parts follow, if there is room for them."""
        count = math.prod(head.dims)
        if count * max(fields, 1) > ((end - self.at) // 8 if fields else _FIELDLESS):
            raise ValueError(f"{count} x {fields} parts in {end - self.at} bytes")
        return count

    def _head(self) -> _Head:
        flags = self._whole_numbers("I")
        kind, dims = flags[0] & 0xFF, (1, 1)
        if kind != _OPAQUE:
            dims = self._whole_numbers("i")
            if len(dims) < 2 or min(dims) < 0:
                raise ValueError(f"dimensions {dims[:8]}")
        return _Head(kind, flags[0], dims, bytes(self._data()[1]).decode("latin-1"))

    def _whole_numbers(self, kind: str) -> tuple[int, ...]:
        content = self._data()[1]
        return struct.unpack(f"{self.order}{len(content) // 4}{kind}", content)

    def _data(self) -> tuple[int, memoryview]:
        """Type and bytes of the element that begins here; the next begins at a multiple of eight bytes from it."""
        kind, size = self._tag()
        start = self.at
        self.at = start + (4 if self.small else -(-size // 8) * 8)
        return kind, self.content[start : start + size]

    def _tag(self) -> tuple[int, int]:
        """Type and bytes of the element that begins here; the reading place moves on to its data."""
        kind, size = self.pair.unpack_from(self.content, self.at)
        self.small = kind >> 16 != 0  # up to four bytes, within the tag itself
        self.at += 4 if self.small else 8
        if self.small:
            kind, size = kind & 0xFFFF, kind >> 16
        if size > (4 if self.small else len(self.content) - self.at):
            raise ValueError(f"{size} bytes are told where {len(self.content) - self.at} are left")
        return kind, size


def dense(rows: NDArray[Any], starts: NDArray[Any], values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """A sparse array as a whole one.

    Parameters
    ----------
    rows, values : of what is not zero, column after column
    starts : where in them each column begins, and the last ends
    shape : (rows, columns)

    Raises
    ------
    ValueError : they do not fit each other.
    """
    rows, starts = rows.astype(int), starts.astype(int)
    held, steps = int(starts[-1]) if len(starts) else 0, np.diff(starts)
    if len(shape) != 2 or len(steps) != shape[1] or np.any(steps < 0) or not 0 <= held <= min(len(rows), len(values)):
        raise ValueError("a sparse array whose parts do not fit")
    if held and not (starts[0] == 0 and rows[:held].min() >= 0 and rows[:held].max() < shape[0]):
        raise ValueError("a sparse array with rows outside of it")
    whole = np.zeros(shape, values.dtype)
    whole[rows[:held], np.repeat(np.arange(shape[1]), steps)] = values[:held]
    return whole
