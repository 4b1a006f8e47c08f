"""MATLAB files of any version as a tree that keeps what MATLAB means.

A struct is a dict, a struct array a list of dicts, a cell array a list (in MATLAB's linear order), text a str (several
rows of it a list), numbers an array in MATLAB's order of axes. Nothing is squeezed: a cell array of one cell is a list
of one, so that one motor unit, one firing and one frame are read as several are.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat, savemat
from scipy.io.matlab import MatlabFunction, MatlabOpaque
from scipy.sparse import csc_array, issparse

from ..errors import FileError
from .files import whole_file

_DEEPEST = 20  # of nested structs and cells; links in HDF5 may run in circles

_TITLE = b"MATLAB 5.0 MAT-file, written by myovivo"  # not the date, so that the same is the same bytes

_HDF5 = b"\x89HDF\r\n\x1a\n"


class Opaque(NamedTuple):
    """What only MATLAB can read, such as a table, a function or text of class `string`."""

    kind: str


def save_matlab(path: str | Path, content: dict[str, Any]) -> Path:
    """Write variables to a MATLAB file (v5), whole or not at all; the same content is the same bytes.

    Parameters
    ----------
    path : the file
    content : name -> array, number, text, struct (dict), or cell array (array of objects)

    Raises
    ------
    FileError : the disk is full, the folder cannot be written, or a variable is larger than MATLAB's v5 takes.
    """
    path = Path(path)
    largest = max((np.asarray(value).nbytes for value in content.values() if not isinstance(value, dict)), default=0)
    if largest >= 2**31:
        raise FileError(
            path, f"a variable of a MATLAB v5 file must be under 2 GB, got {largest / 1e9:.3g} GB; save less"
        )
    with whole_file(path) as part:
        with open(part, "wb") as file:
            savemat(file, content, do_compression=True)
        with open(part, "r+b") as file:
            file.write(_TITLE.ljust(116))
    return path


def read_matlab(path: str | Path, without: Collection[str] = ()) -> dict[str, Any]:
    """Read the variables of a MATLAB file, v4 to v7.3.

    Parameters
    ----------
    path : the file
    without : names of variables and fields of structs that are left out; in v7.3 they are not even read

    Returns
    -------
    dict : name -> value, nested as MATLAB nests it

    Raises
    ------
    FileError : missing, broken or no MATLAB file.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(520)
        if head.startswith((b"MATLAB 7.3", _HDF5)) or head[512:] == _HDF5:
            with h5py.File(path, "r") as file:
                return {name: of_hdf5(file[name], without) for name in _names(file) if name not in without}
        content = loadmat(path, squeeze_me=False, struct_as_record=True)
        return {name: of_scipy(value, without) for name, value in content.items() if not _is_inner(name, without)}
    except Exception as error:  # scipy and h5py fail in many ways on a broken file
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise FileError(path, f"is not a readable MATLAB file ({reason}), perhaps cut short; save it again") from error


def of_scipy(value: Any, without: Collection[str] = ()) -> Any:
    """A value of `scipy.io.loadmat`, unsqueezed, as part of the tree."""
    if isinstance(value, MatlabOpaque | MatlabFunction):
        return Opaque(_opaque_class(value))
    if issparse(value):
        return value.toarray()
    value = np.asarray(value)
    if value.dtype.names is not None:
        fields = [name for name in value.dtype.names if name not in without]
        structs = [{name: of_scipy(item[name], without) for name in fields} for item in value.ravel(order="F")]
        return structs[0] if value.size == 1 else structs
    if value.dtype == object:
        return [of_scipy(item, without) for item in value.ravel(order="F")]
    if value.dtype.kind in "US":
        return _text([str(row) for row in value.ravel()])
    return value


def of_hdf5(item: Any, without: Collection[str] = (), depth: int = 0) -> Any:
    """An object of a v7.3 file as part of the tree."""
    if depth > _DEEPEST:
        return Opaque("nested too deep")
    if isinstance(item, h5py.Group):
        if "MATLAB_sparse" in item.attrs:
            return _sparse(item)
        fields = [name for name in _names(item) if name not in without]
        parts: dict[str, Any] = {name: item[name] for name in fields}
        if (count := elements_of_struct(parts.values())) is not None:
            held = {name: [item.file[ref] for ref in part[()].ravel()] for name, part in parts.items()}
            return [{name: of_hdf5(held[name][place], without, depth + 1) for name in fields} for place in range(count)]
        return {name: of_hdf5(part, without, depth + 1) for name, part in parts.items()}
    kind = matlab_class(item)
    if item.attrs.get("MATLAB_empty"):
        shape = tuple(int(size) for size in np.ravel(item[()]))
        return {"char": "", "cell": [], "struct": []}.get(kind, np.zeros(shape))
    if h5py.check_ref_dtype(item.dtype) is not None:
        return [of_hdf5(item.file[ref], without, depth + 1) if ref else np.zeros((0, 0)) for ref in item[()].ravel()]
    return of_dataset(item)


def of_dataset(item: Any) -> Any:
    """A dataset of a v7.3 file that holds text, numbers, or what only MATLAB can read."""
    kind = matlab_class(item)
    if is_opaque(item):
        return Opaque(kind)
    value = item[()]
    if kind == "char":
        return _text(["".join(map(chr, row)) for row in np.atleast_2d(np.asarray(value).T)])
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value
    value = np.asarray(value).T
    if value.dtype.names is not None and {"real", "imag"} <= set(value.dtype.names):
        return value["real"] + 1j * value["imag"]
    return value.astype(bool) if kind == "logical" else value


def matlab_class(item: Any) -> str:
    """What MATLAB calls a dataset's or group's class; empty where nobody says."""
    kind = item.attrs.get("MATLAB_class", b"")
    return kind.decode() if isinstance(kind, bytes) else str(kind)


def is_opaque(item: Any) -> bool:
    """Whether a dataset holds the number of an object that only MATLAB can follow."""
    decode = item.attrs.get("MATLAB_object_decode")
    return (decode is not None and int(decode) != 0) or matlab_class(item) in ("string", "table", "datetime")


def elements_of_struct(parts: Any) -> int | None:
    """How many structs a group's fields belong to: references that are no cells, as many in each; None for one."""
    parts = list(parts)
    references = [
        isinstance(part, h5py.Dataset)
        and h5py.check_ref_dtype(part.dtype) is not None
        and not matlab_class(part)
        and not part.attrs.get("MATLAB_empty")
        for part in parts
    ]
    sizes = {part.size for part in parts} if all(references) else set()
    return sizes.pop() if len(sizes) == 1 else None


def _names(group: Any) -> list[str]:
    return [name for name in group if not name.startswith("#")]


def _is_inner(name: str, without: Collection[str]) -> bool:
    return name.startswith("__") or name in without


def _text(rows: list[str]) -> str | list[str]:
    return rows[0] if len(rows) == 1 else rows if rows else ""


def _opaque_class(value: Any) -> str:
    names = value.dtype.names or ()
    text = value["s2"].ravel()[0] if "s2" in names and value.size else b"function"
    return text.decode() if isinstance(text, bytes) else str(text)


def _sparse(group: Any) -> NDArray[Any]:
    columns = group["jc"][()] if "jc" in group else np.zeros(1, int)
    values, rows = (group[name][()] if name in group else np.zeros(0, int) for name in ("data", "ir"))
    shape = (int(group.attrs["MATLAB_sparse"]), len(columns) - 1)
    return csc_array((values, rows.astype(int), columns.astype(int)), shape=shape).toarray()
