"""What a sequence file says of itself without its frames, and the frames alone."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError, InputError
from .hdf5 import FORMAT, FORMAT_VERSION, opened, title_of
from .labels import MotorUnits, read_labels

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

    def labels(self) -> MotorUnits | None:
        """Ground truth, if the file has it."""
        return read_labels(self.file["labels"]) if "labels" in self.file else None


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
    if int(file.attrs["format_version"]) > FORMAT_VERSION:
        raise FileError(
            path, f"has format version {file.attrs['format_version']}, newer than {FORMAT_VERSION}; upgrade myovivo"
        )
    frames, rows, columns = file["data/velocity"].shape
    dz, dx = file["scan/spacing"][:]
    return Header(
        shape=(frames, rows, columns),
        frame_rate=float(file["scan/frame_rate"][()]),
        spacing=(float(dz), float(dx)),
        origin=file.attrs["origin"],
        subject=file.attrs["subject"],
        provenance=json.loads(file.attrs["provenance"]),
    )


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


def require_same_scale(header: Header, wanted: Header, name: str, wanted_name: str) -> None:
    """Refuse `header` if its frame rate or spacing is more than 1 % off.

    A network learns twitches in frames and territories in pixels, so other scales mean other muscle.

    Raises
    ------
    InputError : naming both, with the remedy.
    """
    if abs(header.frame_rate / wanted.frame_rate - 1) > 0.01:
        rule = f"{name} has {header.frame_rate:g} frames/s but {wanted_name} has {wanted.frame_rate:g}"
        remedy = "make them alike (simulate: grid.frame_rate, acquire: output.frame_rate, or Sequence.resample)"
        raise InputError(f"{rule}; {remedy}")
    if any(abs(a / b - 1) > 0.01 for a, b in zip(header.spacing, wanted.spacing, strict=True)):
        here, there = (" x ".join(f"{value * 1e3:.4g}" for value in h.spacing) for h in (header, wanted))
        rule = f"{name} has pixels of {here} mm but {wanted_name} has {there} mm"
        remedy = "make them alike (simulate: grid.depth and grid.width, acquire: output.rows and output.columns"
        raise InputError(f"{rule}; {remedy}, or Sequence.resample)")
