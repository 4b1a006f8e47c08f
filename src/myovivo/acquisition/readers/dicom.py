"""DICOM cine loops of ultrasound: grey frames, their rate, pixel size and image region.

Who was recorded is not taken from the header: it may be a name, or the same word for everybody.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import FileError, InputError, MissingExtraError
from ...runtime.unfolding import allowed, require_allowed, unfolded_size
from ..content import Content, Frames, Parameters, parameter
from .dicom_grey import Grey

_PREAMBLE = 144  # bytes before what FileMetaInformationGroupLength counts

_CENTIMETRES = 3  # Physical Units X/Y Direction, DICOM PS3.3 C.8.5.5

_TWO_D = 1  # Region Spatial Format; others are M-mode, spectra, waveforms

_TISSUE = 1  # Region Data Type


def read_dicom(path: Path) -> Content:
    """B-mode frames of a multi-frame ultrasound object.

    Raises
    ------
    MissingExtraError : pydicom is not installed.
    FileError : unreadable, of one frame only, or with pixels whose grey level nobody can tell.
    """
    try:
        import pydicom
    except ImportError as error:
        raise MissingExtraError("pydicom", "dicom") from error
    try:
        _require_unfolds(path)
        head = pydicom.dcmread(path, stop_before_pixels=True)
        count = int(head.get("NumberOfFrames", 1))
        rows, columns = int(head.Rows), int(head.Columns)
        parameters = _parameters(head)
        Grey(head)  # whose checks are of the header alone
    except FileError:
        raise
    except InputError as error:
        raise FileError(path, str(error)) from error
    except Exception as error:  # pydicom has many words for a broken file
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        raise FileError(path, f"is not a readable DICOM image ({reason})") from error
    if count > path.stat().st_size:  # whatever the coding, a picture takes a byte
        raise FileError(path, f"says {count} frames in {path.stat().st_size} bytes; copy it again")
    if count < 3:
        raise FileError(path, f"is a DICOM of {count} frame; motion needs a cine loop of at least three")
    frames = Frames(lambda: _open(path), (count, rows, columns), np.dtype(np.uint8), ("frame", "depth", "lateral"))
    return Content("bmode", frames, parameters, "DICOM")


def _require_unfolds(path: Path) -> None:
    """Refuse a deflated data set that unfolds too far; pydicom inflates it whole."""
    from pydicom.filereader import read_file_meta_info
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    about = read_file_meta_info(path)
    if about.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(_PREAMBLE + int(about.FileMetaInformationGroupLength))
        unfolded = unfolded_size(iter(lambda: file.read(1 << 20), b""), allowed(size) + 1, -zlib.MAX_WBITS)
    require_allowed(path, unfolded, size, "the data set")


def _parameters(head: Any) -> Parameters:
    timing = _timing(head)

    def of(name: str, value: Any, where: str) -> None:
        timing[name] = parameter(name, value, f"file ({where})")

    if regions := [region for region in head.get("SequenceOfUltrasoundRegions") or [] if _is_tissue(region)]:
        region = max(regions, key=_pixels_of)  # the first of equal ones
        more = f", the largest of {len(regions)}" if len(regions) > 1 else ""
        where = f"SequenceOfUltrasoundRegions{more}"
        of("spacing", (abs(float(region.PhysicalDeltaY)) * 1e-2, abs(float(region.PhysicalDeltaX)) * 1e-2), where)
        z0, z1, x0, x1 = _corners(region)
        # The last row and column belong to the region; some writers name those after them.
        of("crop", (z0, min(z1 + 1, int(head.Rows)), x0, min(x1 + 1, int(head.Columns))), where)
    elif head.get("PixelSpacing"):
        dz, dx = (float(step) * 1e-3 for step in head.PixelSpacing)
        of("spacing", (dz, dx), "PixelSpacing")
    return timing


def _timing(head: Any) -> Parameters:
    """The frame rate or the times of frames, by the tag that says it most exactly.

    Frame times in whole ms are rounded, as is the cine rate in whole Hz. Where they are of one rate, the one counts
    that is less changed by it: at 700 frames/s a frame time says 1 ms, which would be 1000.
    """

    def rate(value: float, where: str) -> Parameters:
        return {"frame_rate": parameter("frame_rate", value, f"file ({where})")}

    cine = _number(head.get("CineRate"))
    time = _number(head.get("FrameTime"))
    steps = np.asarray(head.get("FrameTimeVector") or [], float).ravel()
    if time <= 0 and len(steps) > 1:
        if steps[1:].min() != steps[1:].max():
            times = np.cumsum(steps) * 1e-3
            return {"frame_times": parameter("frame_times", times, "file (FrameTimeVector)")}
        time = float(steps[1])
    where = "FrameTime" if _number(head.get("FrameTime")) > 0 else "FrameTimeVector"
    if time > 0:
        is_rounded = time == np.rint(time) and cine > 0 and abs(1e3 / cine - time) <= 0.5 + 500 / cine**2
        return rate(cine, "CineRate") if is_rounded and cine > time else rate(1e3 / time, where)
    return rate(cine, "CineRate") if cine > 0 else {}


def _is_tissue(region: Any) -> bool:
    """Whether a region is a picture of tissue whose pixels have a size in cm."""
    units = (region.get("PhysicalUnitsXDirection", 0), region.get("PhysicalUnitsYDirection", 0))
    return (
        int(region.get("RegionSpatialFormat", _TWO_D)) == _TWO_D
        and int(region.get("RegionDataType", _TISSUE)) == _TISSUE
        and all(int(unit) == _CENTIMETRES for unit in units)
    )


def _corners(region: Any) -> tuple[int, int, int, int]:
    corners = ("RegionLocationMinY0", "RegionLocationMaxY1", "RegionLocationMinX0", "RegionLocationMaxX1")
    z0, z1, x0, x1 = (int(region[corner].value) for corner in corners)
    return z0, z1, x0, x1


def _pixels_of(region: Any) -> int:
    z0, z1, x0, x1 = _corners(region)
    return (z1 - z0) * (x1 - x0)


def _number(value: Any) -> float:
    """A header's number; 0 if it is missing, empty or none."""
    number = float(value or 0)
    return number if np.isfinite(number) else 0.0


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
            grey = Grey(head)
            pictures = [
                grey(picture) for picture in self.pydicom.pixels.iter_pixels(self.path, indices=range(start, stop))
            ]
        except Exception as error:  # of a decoder that is missing, or of a file cut short
            reason = " ".join(str(error).split())[:120]
            raise FileError(self.path, f"its pixels cannot be decoded ({reason}); save it uncompressed") from error
        return np.stack(pictures)
