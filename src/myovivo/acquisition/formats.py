"""Tell what a recording file is from its content, whatever it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ..errors import FileError
from ..runtime.file_kinds import file_kind_of
from ..runtime.hdf5 import opened
from ..sequences.hdf5 import FORMAT as SEQUENCE
from ..sequences.recording import RECORDING_FORMAT as RECORDING
from .readers.scan_notes import is_notes
from .readers.uff import channel_data_in
from .readers.ultrasonix import is_daq_folder, rf_header

Format = Literal[
    "recording", "sequence", "uff", "hdf5", "matlab73", "matlab5", "npy", "npz", "dicom", "video", "ultrasonix"
]

FORMATS = "MATLAB, HDF5, UFF, NPY, NPZ, DICOM, Ultrasonix or video"

_NO_RECORDINGS = (".yaml", ".yml", ".json", ".txt", ".csv", ".tsv", ".md", ".xml", ".png", ".jpg", ".pdf")


def format_of(path: Path) -> Format | None:
    """What a file is by its first bytes, or a folder by what is in it; None for what is no recording.

    Raises
    ------
    FileError : it cannot be opened, or is HDF5 cut short.
    """
    if path.is_dir():
        return "ultrasonix" if is_daq_folder(path) else None
    try:
        kind = file_kind_of(path)
    except OSError as error:
        raise FileError(path, f"cannot be opened ({error.strerror})") from error
    if kind is None and rf_header(path) is not None:
        return "ultrasonix"
    if kind != "hdf5":
        return kind
    with opened(path, "recording") as file:
        ours = {RECORDING: "recording", SEQUENCE: "sequence"}.get(str(file.attrs.get("format")))
    return ours or ("uff" if channel_data_in(path) else "hdf5")  # type: ignore[return-value]


def recordings_in(source: str | Path) -> list[Path]:
    """The recordings of a folder, or the one given, sorted by name; notes, sidecars and sequences are none.

    A folder of the channels of one recording (Ultrasonix DAQ) is one recording.

    Raises
    ------
    FileError : none there.
    """
    source = Path(source)
    if source.is_file() or is_daq_folder(source):
        return [source]
    if not source.is_dir():
        raise FileError(source, "does not exist; check the path")
    files = [file for file in sorted(source.iterdir()) if file.name[0] != "." and _is_recording(file)]
    if not files:
        raise FileError(source, f"holds no recordings ({FORMATS}); check the path")
    return files


def passed_over(folder: Path) -> list[Path]:
    """Files of a folder that are neither recordings nor known to be none, such as formats that are not read."""
    if is_daq_folder(folder):
        return []
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
    if file.is_dir():
        return is_daq_folder(file)
    if is_notes(file):
        return False
    try:
        return format_of(file) not in (None, "sequence") or file.stat().st_size == 0
    except FileError:  # a broken one: its error is told when it is read
        return True
