"""A folder of sequences on other pixels and at another frame rate."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

from .domain import good_sequence, make_domain
from .sequence import Sequence


def resample_domain(
    files: Iterable[Path],
    out: Path,
    frame_rate: float,
    size: tuple[int, int] | None = None,
    *,
    workers: int = -1,
    quiet: bool = False,
) -> list[Path]:
    """`Sequence.resample` for files, into a folder of files of the same names; the same call goes on where it was.

    Raises
    ------
    FileError : a file cannot be read or written.
    RunFolderError : `out` holds something else.
    """
    files = list(files)
    recipe = {"stage": "resample", "frame_rate": frame_rate, "size": size}
    makers = {path.name: functools.partial(_resample_to, path, frame_rate, size) for path in files}
    sources = {path.name: path for path in files}
    return make_domain(out, makers, recipe, good_sequence, "resample", workers, quiet, sources=sources)


def _resample_to(source: Path, frame_rate: float, size: tuple[int, int] | None, path: Path) -> None:
    Sequence.load(source).resample(frame_rate, size).save(path)
