"""MATLAB files of v4 (`save -v4`): matrices of numbers and text, one after the other.

The layout is that of MathWorks, "MAT-File Format" (R2023b), chapter 2: five whole numbers, a name, the values.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .matlab5 import dense
from .unfolding import require_allowed

_TYPES = ("f8", "f4", "i4", "i2", "u2", "u1")

_NUMBERS, _SPARSE = 0, 2


def read_matlab4(path: Path, without: Collection[str] = ()) -> dict[str, Any]:
    """Read the variables of a MATLAB file of v4.

    Parameters
    ----------
    path : the file
    without : names of variables that are left out

    Raises
    ------
    FileError : a sparse matrix in it unfolds to more than its size allows.
    ValueError, struct.error : it is broken, or none.
    """
    values: dict[str, Any] = {}
    size = path.stat().st_size
    with path.open("rb") as file:
        while head := file.read(20):
            order = "<" if struct.unpack("<i", head[:4])[0] in range(1000) else ">"
            mark, rows, columns, is_complex, letters = struct.unpack(f"{order}5i", head)
            kind, meaning = mark // 10 % 10, mark % 10
            if mark // 100 != 10 * "<>".index(order) or kind >= len(_TYPES) or meaning > _SPARSE:
                raise ValueError(f"no matrix of MATLAB v4 begins with {mark}")
            dtype = np.dtype(order + _TYPES[kind])
            length = rows * columns * dtype.itemsize * (2 if is_complex else 1)
            if min(rows, columns, letters) < 0 or is_complex not in (0, 1) or length + letters > size - file.tell():
                raise ValueError(f"a matrix of {rows} x {columns} in {size - file.tell()} bytes")
            name = file.read(letters).split(b"\0")[0].decode("latin-1")
            numbers = np.frombuffer(file.read(length), dtype).astype(dtype.newbyteorder("="))
            if name not in without:
                values[name] = _value(path, numbers, (rows, columns), meaning, bool(is_complex))
    return values


def _value(path: Path, numbers: NDArray[Any], shape: tuple[int, int], meaning: int, is_complex: bool) -> Any:
    if is_complex:
        numbers = numbers[: len(numbers) // 2] + 1j * numbers[len(numbers) // 2 :]
    matrix = numbers.reshape(shape, order="F")
    if meaning == _SPARSE:
        return _of_triples(path, matrix)
    if meaning == _NUMBERS:
        return matrix
    rows = ["".join(chr(int(letter) & 0xFFFF) for letter in row) for row in np.real(matrix)]
    return rows[0] if len(rows) == 1 else rows if rows else ""


def _of_triples(path: Path, table: NDArray[Any]) -> NDArray[Any]:
    """A sparse matrix of rows (row, column, value) from 1, or four with an imaginary part; the last says the size."""
    if table.shape[0] < 1 or table.shape[1] not in (3, 4) or np.abs(table[:, :2]).max() > 1 << 31:
        raise ValueError("no sparse matrix")
    shape = (int(table[-1, 0]), int(table[-1, 1]))
    require_allowed(path, 16 * shape[0] * shape[1], table.nbytes, "a sparse matrix")
    table = table[:-1][np.argsort(table[:-1, 1], kind="stable")]
    values = table[:, 2] if table.shape[1] == 3 else table[:, 2] + 1j * table[:, 3]
    starts = np.searchsorted(table[:, 1], np.arange(1, shape[1] + 2))
    return dense(table[:, 0] - 1, starts, values, shape)
