"""MATLAB files of any version as a tree that keeps what MATLAB means.

A struct is a dict, a struct array a list of dicts, a cell array a list (in MATLAB's linear order), text a str (several
rows of it a list), numbers an array in MATLAB's order of axes. Nothing is squeezed: a cell array of one cell is a list
of one, so that one motor unit, one firing and one frame are read as several are.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat

from ..errors import FileError, MyovivoError
from .files import whole_file
from .hdf5 import LinkWalk, opened, referred
from .matlab4 import read_matlab4
from .matlab5 import Opaque, dense, names_in_matlab5, read_matlab5

_DEEPEST = 20  # of nested structs and cells

_TITLE = b"MATLAB 5.0 MAT-file, written by myovivo"  # not the date, so that the same is the same bytes

_HDF5 = b"\x89HDF\r\n\x1a\n"


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
            with opened(path, "recording") as file:
                walk = LinkWalk(path)
                return {name: of_hdf5(file[name], walk, without) for name in _names(file) if name not in without}
        is_v5 = head[126:128] in (b"IM", b"MI") and 0 not in head[:4]
        return (read_matlab5 if is_v5 else read_matlab4)(path, without)
    except MyovivoError:
        raise
    except Exception as error:  # in many ways on a broken file
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise FileError(path, f"is not a readable MATLAB file ({reason}), perhaps cut short; save it again") from error


def names_in_matlab(path: str | Path, is_hdf5: bool) -> set[str]:
    """The names of the variables of a MATLAB file, without reading them; none of a broken one."""
    if is_hdf5:
        with opened(path, "recording") as file:
            return set(file)
    try:
        return names_in_matlab5(Path(path))
    except Exception:  # whoever reads it says so
        return set()


def of_hdf5(item: Any, walk: LinkWalk, without: Collection[str] = (), depth: int = 0) -> Any:
    """An object of a v7.3 file as part of the tree."""
    if depth > _DEEPEST:
        return Opaque("nested too deep")
    if isinstance(item, h5py.Group):
        with walk.within(item):
            return _of_group(item, walk, without, depth)
    if not isinstance(item, h5py.Dataset) or item.shape is None:
        return np.zeros((0, 0))
    kind = matlab_class(item)
    walk.take(item)
    if item.attrs.get("MATLAB_empty"):
        shape = tuple(int(size) for size in np.ravel(item[()]))
        return {"char": "", "cell": [], "struct": []}.get(kind, np.zeros(shape if 0 in shape else (0, 0)))
    if h5py.check_ref_dtype(item.dtype) is not None:
        with walk.within(item):
            return [_of_reference(item, reference, walk, without, depth) for reference in item[()].ravel()]
    return of_dataset(item)


def _of_group(item: Any, walk: LinkWalk, without: Collection[str], depth: int) -> Any:
    if "MATLAB_sparse" in item.attrs:
        return _sparse(item, walk)
    parts = {name: item.get(name) for name in _names(item) if name not in without}
    if (count := elements_of_struct(parts.values())) is not None:
        columns = {
            name: [_of_reference(part, reference, walk, without, depth) for reference in part[()].ravel()]
            for name, part in parts.items()
        }
        return [{name: column[place] for name, column in columns.items()} for place in range(count)]
    return {name: of_hdf5(part, walk, without, depth + 1) for name, part in parts.items()}


def _of_reference(item: Any, reference: Any, walk: LinkWalk, without: Collection[str], depth: int) -> Any:
    held = referred(item, reference)
    return np.zeros((0, 0)) if held is None else of_hdf5(held, walk, without, depth + 1)


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


def _text(rows: list[str]) -> str | list[str]:
    return rows[0] if len(rows) == 1 else rows if rows else ""


def _sparse(group: Any, walk: LinkWalk) -> NDArray[Any]:
    parts = {name: group[name] for name in ("jc", "ir", "data") if name in group}
    for part in parts.values():
        walk.take(part)
    starts = parts["jc"][()] if "jc" in parts else np.zeros(1, int)
    values, rows = (parts[name][()] if name in parts else np.zeros(0, int) for name in ("data", "ir"))
    shape = (int(group.attrs["MATLAB_sparse"]), len(starts) - 1)
    walk.require(16 * shape[0] * shape[1])
    return dense(rows, starts, values, shape)
