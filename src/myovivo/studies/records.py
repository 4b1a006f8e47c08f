"""The record that stands beside each step of a study: its recipe, and every file that it made."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import FileError
from ..runtime.files import read_json
from ..runtime.recipe import as_now, digest

RECORDS = "steps"


def importable(work: Callable[..., None]) -> str:
    """A function as `module:name`, by which another process finds it."""
    return f"{work.__module__}:{work.__qualname__}"


def record_path(root: Path, name: str) -> Path:
    return root / RECORDS / f"{name.replace('/', '--')}.json"


def read_record(root: Path, name: str, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """What was noted of a step, in the words of this version."""
    path = record_path(root, name)
    with contextlib.suppress(FileError):
        record = read_json(path)
        if isinstance(record, dict) and "recipe" in record:
            recipe = as_now(record["recipe"], wanted)
            return record | {"recipe": recipe | {"work": recipe["work"].rpartition(":")[2]}}  # once `module:name`
    return None


def files_with_states(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of each file of a step; hidden ones are nobody's result."""
    stats = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            stat = path.stat()
            stats[name.as_posix()] = (stat.st_size, stat.st_mtime_ns)
    return stats


def is_as_it_was(path: Path, stat: tuple[int, int] | None, known: list[Any]) -> bool:
    """Whether a file is as it was: by size and time, and where only the time differs by its bytes."""
    if stat is None or stat[0] != known[0]:
        return False
    return stat[1] == known[1] or digest(path) == known[2]


def last_line(log: Path) -> str:
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(max(log.stat().st_size - 2000, 0))
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
        return " ".join(lines[-1].split()).removeprefix("error: ") if lines else ""
    return ""
