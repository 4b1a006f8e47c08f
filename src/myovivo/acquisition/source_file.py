"""The file that a recording comes from: which one it is, whom its name tells, and errors that say it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ..errors import FileError, InputError
from ..sequences.recording import Recording
from .channel_data import ChannelData
from .given_labels import labels_beside
from .readers.layout import sidecar_of
from .readers.scan_notes import notes_files
from .readers.ultrasonix import channel_files
from .recordings import unread

RecordingSource = Recording | ChannelData | str | Path

# What a file can make libraries complain of; a bug of ours would be told the same way, with its cause.
_RAW = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def fingerprint(path: Path) -> str:
    """Tells a recording, with what stands beside it, from another or a newer one of the same name."""
    own = channel_files(path) if path.is_dir() else [path]
    beside = [*own, *filter(None, (sidecar_of(path), labels_beside(path))), *notes_files(path)]
    return "; ".join(f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in beside)


def subject_of_name(file: Path) -> str:
    """Who a file's name says was recorded: what stands before its first underscore, without `sub-`, or all of it."""
    label, _, rest = file.stem.partition("_")
    return (label if rest else "").removeprefix("sub-") or file.stem


@contextlib.contextmanager
def file_named(source: RecordingSource) -> Iterator[None]:
    """What is wrong with a file's content is said with its name."""
    try:
        yield
    except InputError as error:
        if isinstance(source, str | Path):
            raise FileError(source, str(error)) from error
        raise
    except _RAW as error:
        if not isinstance(source, str | Path):
            raise
        raise FileError(source, unread(error)) from error
