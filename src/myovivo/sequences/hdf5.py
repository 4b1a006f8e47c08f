"""HDF5 files opened so that what goes wrong is one clear error."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from ..errors import FileError
from ..runtime.recipe import state_of

FORMAT = "myovivo sequence"

FORMAT_VERSION = 1


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[Any]:
    """Open an HDF5 file for reading; what goes wrong inside becomes one clear `FileError`.

    Read everything of a file within one block: it stays the same file if another takes its place.
    """
    path = Path(path)
    if not path.exists():
        raise FileError(path, "does not exist; check the path")
    before = state_of(path)
    try:
        with h5py.File(path, "r") as file:
            yield file
        _require_unchanged(path, before)
    except (OSError, RuntimeError) as error:
        problem = f"is not a readable HDF5 file, probably truncated ({_last_clause(error)}); make it again"
        raise FileError(path, problem) from error
    except (KeyError, json.JSONDecodeError) as error:
        raise FileError(path, f"is not a complete {FORMAT} file ({_last_clause(error)}); make it again") from error


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
