"""What a sequence file says of itself without its frames, and the frames alone."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError, InputError
from ..runtime.hdf5 import is_whole, opened, title_of, understood
from ..runtime.introduction import shortened
from ..runtime.texts import json_of
from .hdf5 import FORMAT, FORMAT_VERSION
from .labels import MotorUnits, read_labels

_SAME = 0.01  # by how much frame rates and pixels may differ and still be the same

CHUNK_FRAMES = 32  # a training clip; a chunk is whole frames, so that a clip is one or two reads

Origin = Literal["silico", "phantom", "vivo", "translated"]


class Header(NamedTuple):
    """What a sequence file says of itself without reading its velocity."""

    shape: tuple[int, int, int]
    frame_rate: float
    spacing: tuple[float, float]
    origin: Origin
    subject: str
    provenance: dict[str, Any]


def read_header(path: str | Path) -> Header:
    """Read shape, frame rate, spacing, origin, subject and provenance of a sequence file.

    Raises
    ------
    FileError : missing, truncated, or not a sequence file.
    """
    with opened(path) as file:
        return header_in(file, path)


def read_velocity(path: str | Path, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
    """Read frames `start` to `stop` of a file's velocity, (T, Z, X), m/s, and nothing else."""
    with opened(path) as file:
        return file["data/velocity"][start:stop]


class OpenSequence(NamedTuple):
    """A sequence file that stays the one that was opened, whatever takes its place meanwhile.

    Attributes
    ----------
    header : what it says of itself
    file : the open HDF5 file
    """

    header: Header
    file: Any

    def velocity(self, start: int, stop: int) -> NDArray[np.float32]:
        """Frames `start` to `stop`, (T, Z, X), m/s."""
        return self.file["data/velocity"][start:stop]

    def units(self) -> int | None:
        """How many motor units the ground truth has, without reading it; None if the file has none."""
        return len(self.file["labels/centre"]) if "labels" in self.file else None

    def labels(self) -> MotorUnits | None:
        """Ground truth, if the file has it."""
        return read_labels(self.file["labels"], self.header.shape) if "labels" in self.file else None


@contextlib.contextmanager
def open_sequence(path: str | Path) -> Iterator[OpenSequence]:
    """Open a sequence file to read it bit by bit.

    Raises
    ------
    FileError : missing, truncated, not a sequence file, or changed before the block ends.
    """
    with opened(path) as file:
        yield OpenSequence(header_in(file, path), file)


def sequence_files(folder: str | Path) -> list[Path]:
    """The sequence files of a folder (or the one file given), sorted by name.

    Raises
    ------
    FileError : the folder is missing or holds none.
    """
    folder = Path(folder)
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise FileError(folder, "does not exist; check the path")
    files = sorted(path for path in folder.glob("*.h5") if not path.name.startswith("."))
    if not files:
        raise FileError(
            folder, "holds no sequence files (*.h5); make some with `myovivo simulate` or `myovivo acquire`"
        )
    return files


def header_in(file: Any, path: str | Path) -> Header:
    if (there := file.attrs.get("format")) != FORMAT:
        title = "a myovivo recording" if there == "myovivo recording" else title_of(path) or "HDF5"
        raise FileError(path, f"is {title} but not a myovivo sequence; read it with `myovivo acquire`")
    with understood(path):
        version = int(file.attrs["format_version"])
    if version > FORMAT_VERSION:
        raise FileError(path, f"has format version {version}, newer than {FORMAT_VERSION}; upgrade myovivo")
    with understood(path):
        velocity = file["data/velocity"]
        frames, rows, columns = velocity.shape
        if velocity.dtype.kind not in "fiu" or not is_whole(velocity):
            raise FileError(path, "holds frames that were never written, or are no numbers; make it again")
        dz, dx = map(float, file["scan/spacing"][:])
        rate = float(file["scan/frame_rate"][()])
        if min(frames, rows, columns) < 1 or not all(0 < value < math.inf for value in (rate, dz, dx)):
            raise ValueError(f"{frames} frames of {rows} x {columns} at {rate:g} Hz, pixels of {dz:g} x {dx:g} m")
        return Header((frames, rows, columns), rate, (dz, dx), **about_in(file.attrs))


def about_in(attributes: Any) -> dict[str, Any]:
    """Origin, subject and provenance.

    Raises
    ------
    ValueError : one of them is of another kind.
    """
    origin, subject, provenance = (attributes[name] for name in ("origin", "subject", "provenance"))
    provenance = json_of(provenance)
    if origin not in get_args(Origin) or not isinstance(subject, str) or not isinstance(provenance, dict):
        raise ValueError(f"origin {shortened(origin)}, subject {shortened(subject)}")
    return {"origin": origin, "subject": subject, "provenance": provenance}


def common_header(files: Iterable[str | Path]) -> Header:
    """The header of the first file, after checking that all files share frame rate and spacing.

    Raises
    ------
    InputError : two files differ by more than 1 % in frame rate or spacing.
    """
    files = list(files)
    first = read_header(files[0])
    for path in files[1:]:
        require_same_scale(read_header(path), first, str(path), str(files[0]))
    return first


def require_same_scale(
    header: Header,
    wanted: Header,
    name: str,
    wanted_name: str,
    rows: int | None = None,
    origins: Sequence[str] = (),
) -> None:
    """Refuse `header` if its frame rate or spacing is more than 1 % off; all that differs is named at once.

    A network learns twitches in frames and territories in pixels, so other scales mean other muscle.

    Parameters
    ----------
    header, wanted : what is there, and what it must be like
    name, wanted_name : of both, for the message
    rows : that it must have, if that matters
    origins : that are expected; another one is named beside what is refused, but is no reason to refuse

    Raises
    ------
    InputError : naming both, with what mends it.
    """
    here, there = [], []
    if abs(header.frame_rate / wanted.frame_rate - 1) > _SAME:
        here.append(f"{header.frame_rate:g} frames/s")
        there.append(f"{wanted.frame_rate:g}")
    if any(abs(a / b - 1) > _SAME for a, b in zip(header.spacing, wanted.spacing, strict=True)):
        mine, its = (" x ".join(f"{value * 1e3:.4g}" for value in h.spacing) for h in (header, wanted))
        here.append(f"pixels of {mine} mm")
        there.append(f"{its} mm")
    wrong_rows = rows is not None and header.shape[1] != rows
    if not here and not wrong_rows:
        return
    if origins and header.origin not in origins:
        here.append(f"the origin {header.origin}")
        there.append(" or ".join(origins))
    if wrong_rows:
        here.append(f"{header.shape[1]} rows")
        there.append(f"{rows} rows, as it knows depth")
    rule = f"{name} has {_listed(here)} but {wanted_name} has {_listed(there)}"
    raise InputError(f"{rule}; make them alike: {_remedy(header, wanted, rows)}")


def _listed(items: Sequence[str]) -> str:
    *others, last = items
    return f"{', '.join(others)} and {last}" if others else last


def _remedy(header: Header, wanted: Header, rows: int | None) -> str:
    """What brings a sequence to another frame rate and pixels, as it can be typed."""
    rate = wanted.frame_rate
    pixels = [pixels * step for pixels, step in zip(header.shape[1:], header.spacing, strict=True)]
    sides = [max(round(side / step), 1) for side, step in zip(pixels, wanted.spacing, strict=True)]
    whole = all(abs(n * s / side - 1) <= _SAME for n, s, side in zip(sides, wanted.spacing, pixels, strict=True))
    depth, width = ((rows or sides[0]) * wanted.spacing[0], sides[1] * wanted.spacing[1])
    grid = f"--grid.frame_rate {rate:g} --grid.rows {rows or sides[0]} --grid.columns {sides[1]}"
    simulate = f"myovivo simulate OUT {grid} --grid.depth {depth:.4g} --grid.width {width:.4g}"
    if not whole or rows not in (None, sides[0]):
        extent = " x ".join(f"{1e3 * side:.4g}" for side in pixels)
        needed = f"image or cut to {1e3 * depth:.4g} mm of depth"
        return f"its extent of {extent} mm does not become that; {needed}, or {simulate}"
    output = f"--output.frame_rate {rate:g} --output.rows {sides[0]} --output.columns {sides[1]}"
    resample = f"Sequence.resample({rate:g}, ({sides[0]}, {sides[1]}))"
    return f"{resample}, or myovivo acquire SOURCE OUT {output}, or {simulate}"
