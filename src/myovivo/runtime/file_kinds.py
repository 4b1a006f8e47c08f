"""What a file is by its first bytes, whatever it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

FileKind = Literal["hdf5", "matlab73", "matlab5", "npy", "npz", "dicom", "video"]

FILE_TITLES: dict[str, str] = {
    "hdf5": "an HDF5 file",
    "matlab73": "a MATLAB v7.3 file",
    "matlab5": "a MATLAB v5 file",
    "npy": "a NumPy file",
    "npz": "a zip or NumPy archive",
    "dicom": "a DICOM file",
    "video": "a video",
}

_HEAD = 1024  # bytes that are enough to tell

_HDF5 = b"\x89HDF\r\n\x1a\n"

_VIDEO = (b"\x1a\x45\xdf\xa3", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"\x30\x26\xb2\x75", b"FLV\x01", b"OggS")

_QUICKTIME = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")


def file_kind_of(path: str | Path) -> FileKind | None:
    """What a file is; None for any other kind.

    Raises
    ------
    OSError : it cannot be opened.
    """
    with Path(path).open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"MATLAB 7.3"):
        return "matlab73"
    if head.startswith(b"MATLAB 5.0"):
        return "matlab5"
    if head.startswith(_HDF5) or head[512:].startswith(_HDF5):
        return "hdf5"
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head.startswith(b"PK\x03\x04"):
        return "npz"
    if head[128:132] == b"DICM":
        return "dicom"
    if head[4:8] in _QUICKTIME or head.startswith(_VIDEO) or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        return "video"
    return None
