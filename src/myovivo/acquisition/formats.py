"""Tell what a recording file is from its content, whatever it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ..errors import FileError
from ..runtime.file_kinds import file_kind_of
from ..sequences.hdf5 import FORMAT as SEQUENCE
from ..sequences.hdf5 import opened
from ..sequences.recording import RECORDING_FORMAT as RECORDING
from .readers.scan_notes import is_notes
from .readers.uff import channel_data_in

Format = Literal["recording", "sequence", "uff", "hdf5", "matlab73", "matlab5", "npy", "npz", "dicom", "video"]

FORMATS = "MATLAB, HDF5, UFF, NPY, NPZ, DICOM or video"

_NO_RECORDINGS = (".yaml", ".yml", ".json", ".txt", ".csv", ".tsv", ".md", ".xml", ".png", ".jpg", ".pdf")


def format_of(path: Path) -> Format | None:
    """What a file is by its first bytes; None for what is no recording.

    Raises
    ------
    FileError : it cannot be opened, or is HDF5 cut short.
    """
    try:
        kind = file_kind_of(path)
    except OSError as error:
        raise FileError(path, f"cannot be opened ({error.strerror})") from error
    if kind != "hdf5":
        return kind
    with opened(path) as file:
        ours = {RECORDING: "recording", SEQUENCE: "sequence"}.get(str(file.attrs.get("format")))
    return ours or ("uff" if channel_data_in(path) else "hdf5")  # type: ignore[return-value]


def recordings_in(source: str | Path) -> list[Path]:
    """The recordings of a folder, or the one given, sorted by name; notes, sidecars and sequences are none.

    Raises
    ------
    FileError : none there.
    """
    source = Path(source)
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise FileError(source, "does not exist; check the path")
    files = [
        file for file in sorted(source.iterdir()) if file.is_file() and file.name[0] != "." and _is_recording(file)
    ]
    if not files:
        raise FileError(source, f"holds no recordings ({FORMATS}); check the path")
    return files


def passed_over(folder: Path) -> list[Path]:
    """Files of a folder that are neither recordings nor known to be none, such as formats that are not read."""
    return [
        file
        for file in sorted(folder.iterdir())
        if file.is_file()
        and file.name[0] != "."
        and file.suffix.lower() not in _NO_RECORDINGS
        and not is_notes(file)
        and not _is_recording(file)
        and format_of(file) != "sequence"
    ]


def _is_recording(file: Path) -> bool:
    if is_notes(file):
        return False
    try:
        return format_of(file) not in (None, "sequence") or file.stat().st_size == 0
    except FileError:  # a broken one: its error is told when it is read
        return True
