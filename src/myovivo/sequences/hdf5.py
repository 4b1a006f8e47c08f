"""HDF5 files opened so that what goes wrong is one clear error."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from ..errors import FileError
from ..runtime.file_kinds import FILE_TITLES, file_kind_of
from ..runtime.recipe import state_of

FORMAT = "myovivo sequence"

FORMAT_VERSION = 1


@contextlib.contextmanager
def opened(path: str | Path, kind: str = "sequence") -> Iterator[Any]:
    """Open an HDF5 file for reading; what goes wrong inside becomes one clear `FileError`.

    Read everything of a file within one block: it stays the same file if another takes its place.

    Parameters
    ----------
    path : the file
    kind : what it should be, `sequence` or `recording`
    """
    path = Path(path)
    if not path.exists():
        raise FileError(path, "does not exist; check the path")
    if path.is_dir():
        raise FileError(path, f"is a folder; give one of the {kind}s in it")
    before = state_of(path)
    try:
        with h5py.File(path, "r") as file:
            yield file
        _require_unchanged(path, before)
    except (OSError, RuntimeError) as error:
        if (title := title_of(path)) not in ("", FILE_TITLES["hdf5"], FILE_TITLES["matlab73"]):
            raise FileError(path, f"is {title}; read it with `myovivo acquire`") from error
        problem = f"is not a readable HDF5 file, probably truncated ({_last_clause(error)}); make it again"
        raise FileError(path, problem) from error
    except (KeyError, json.JSONDecodeError) as error:
        raise FileError(
            path, f"is not a complete myovivo {kind} file ({_last_clause(error)}); make it again"
        ) from error


def title_of(path: str | Path) -> str:
    """What a file is by its first bytes, as `a MATLAB v7.3 file`; empty if it is of no kind known."""
    with contextlib.suppress(OSError):
        kind = file_kind_of(path)
        return FILE_TITLES[kind] if kind is not None else ""
    return ""


def _require_unchanged(path: Path, before: tuple[int, int, int]) -> None:
    """Refuse what was read of a file that was written to meanwhile; one that another took the place of stays whole."""
    with contextlib.suppress(FileError):  # gone: what was read of it is whole, too
        after = state_of(path)
        if after[0] == before[0] and after != before:
            raise OSError("it was changed while it was read")


def _last_clause(error: BaseException) -> str:
    return " ".join(str(error).strip("'\"").split())[-120:]


def describe(dataset: h5py.Dataset, unit: str, description: str) -> None:
    dataset.attrs.update(unit=unit, description=description)
