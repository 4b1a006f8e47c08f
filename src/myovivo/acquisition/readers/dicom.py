"""DICOM cine loops of ultrasound: grey frames, their rate, pixel size and image region.

Who was recorded is not taken from the header: it may be a name, or the same word for everybody.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import FileError, MissingExtraError
from ..content import Content, Frames, Parameters, parameter

_CENTIMETRES = 3  # Physical Units X/Y Direction, DICOM PS3.3 C.8.5.5


def read_dicom(path: Path) -> Content:
    """B-mode frames of a multi-frame ultrasound object.

    Raises
    ------
    MissingExtraError : pydicom is not installed.
    FileError : unreadable, or of one frame only.
    """
    try:
        import pydicom
    except ImportError as error:
        raise MissingExtraError("pydicom", "dicom") from error
    try:
        head = pydicom.dcmread(path, stop_before_pixels=True)
        count = int(head.get("NumberOfFrames", 1))
        rows, columns = int(head.Rows), int(head.Columns)
        parameters = _parameters(head)
    except Exception as error:  # pydicom has many words for a broken file
        raise FileError(path, f"is not a readable DICOM image ({type(error).__name__}: {error})") from error
    if count < 3:
        raise FileError(path, f"is a DICOM of {count} frame; motion needs a cine loop of at least three")
    frames = Frames(lambda: _open(path), (count, rows, columns), np.dtype(np.uint8), ("frame", "depth", "lateral"))
    return Content("bmode", frames, parameters, "DICOM")


def _parameters(head: Any) -> Parameters:
    found: Parameters = {}

    def of(name: str, value: Any, where: str) -> None:
        found[name] = parameter(name, value, f"file ({where})")

    if float(head.get("FrameTime", 0) or 0) > 0:
        of("frame_rate", 1e3 / float(head.FrameTime), "FrameTime")
    elif times := head.get("FrameTimeVector"):
        of("frame_times", np.cumsum(np.asarray(times, float)) * 1e-3, "FrameTimeVector")
    elif float(head.get("CineRate", 0) or 0) > 0:
        of("frame_rate", float(head.CineRate), "CineRate")
    for region in head.get("SequenceOfUltrasoundRegions", []):
        is_tissue = int(region.get("RegionDataType", 1)) == 1
        in_cm = (
            int(region.get("PhysicalUnitsXDirection", 0))
            == _CENTIMETRES
            == int(region.get("PhysicalUnitsYDirection", 0))
        )
        if is_tissue and in_cm:
            where = "SequenceOfUltrasoundRegions"
            of("spacing", (abs(float(region.PhysicalDeltaY)) * 1e-2, abs(float(region.PhysicalDeltaX)) * 1e-2), where)
            corners = ("RegionLocationMinY0", "RegionLocationMaxY1", "RegionLocationMinX0", "RegionLocationMaxX1")
            z0, z1, x0, x1 = (int(region[corner].value) for corner in corners)
            # The last row and column belong to the region; some writers name those after them.
            of("crop", (z0, min(z1 + 1, int(head.Rows)), x0, min(x1 + 1, int(head.Columns))), where)
            break
    return found


@contextlib.contextmanager
def _open(path: Path) -> Iterator[Any]:
    import pydicom

    yield _Pixels(path, pydicom)


class _Pixels:
    """Frames decoded when they are asked for."""

    def __init__(self, path: Path, pydicom: Any):
        self.path, self.pydicom = path, pydicom

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[np.uint8]:
        start, stop = index[0].start or 0, index[0].stop
        try:
            head = self.pydicom.dcmread(self.path, stop_before_pixels=True)
            stop = min(stop, int(head.NumberOfFrames))
            pictures = list(self.pydicom.pixels.iter_pixels(self.path, indices=range(start, stop)))
        except Exception as error:  # of a decoder that is missing, or of a file cut short
            reason = " ".join(str(error).split())[:120]
            raise FileError(self.path, f"its pixels cannot be decoded ({reason}); save it uncompressed") from error
        return np.stack([_grey(picture, int(head.BitsStored)) for picture in pictures])


def _grey(picture: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """Luminance of a colour picture; grey levels of more than 8 bits scaled to 8."""
    if picture.ndim == 3:
        picture = picture @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    if bits > 8:
        picture = picture * (255 / (2**bits - 1))
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
