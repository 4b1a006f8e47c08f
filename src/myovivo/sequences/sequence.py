"""The tissue-velocity (TVI) sequence, its ground-truth labels, and their file.

One HDF5 file holds one sequence. Its groups carry the names of zea's format where it has them
(`data/`, `scan/`), beside `labels/` and the provenance. Every dataset has a `unit` and a
`description`, so that a file can be read in MATLAB or HDFView without this package.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, UnitWarning
from ..runtime.files import plain, whole_file
from .hdf5 import FORMAT, FORMAT_VERSION, describe, opened
from .header import CHUNK_FRAMES, Origin, header_in
from .labels import MotorUnits, read_labels, write_labels
from .quantities import plausible, positive, require_plausible, two_steps


@dataclass(frozen=True, eq=False)
class Sequence:
    """A TVI sequence: what every stage takes and gives.

    Attributes
    ----------
    velocity : (T, Z, X) float32, m/s, axial, positive towards the probe
    frame_rate : Hz
    spacing : (dz, dx), m
    labels : ground truth, or None for a measured sequence
    origin : where the motion comes from: `silico`, `phantom`, `vivo` (measured) or `translated`
    subject : who or what was imaged; data sets are split by it
    provenance : how it was made: software, version, stage, seed, settings, source

    Raises
    ------
    InputError : not three-dimensional, empty, not finite, no positive frame rate and spacing, or numbers that are
        probably in another unit (mm, mm/s).
    """

    velocity: NDArray[np.float32]
    frame_rate: float
    spacing: tuple[float, float]
    labels: MotorUnits | None = None
    origin: Origin = "vivo"
    subject: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        velocity = as_velocity(self.velocity)
        if velocity.ndim != 3 or velocity.size == 0:
            raise InputError(f"velocity must be (T, Z, X) with at least one frame, got shape {velocity.shape}")
        if not np.isfinite(np.sum(velocity)):  # a sum is one fast pass; it is not finite if any value is not
            bad = int(np.count_nonzero(~np.isfinite(velocity)))
            if bad:
                raise InputError(
                    f"velocity must be finite, got {bad} NaN or infinite of {velocity.size} values; mask or fill them"
                )
        positive("frame_rate", self.frame_rate, "Hz")
        spacing = two_steps(self.spacing)
        for name, value in zip(("spacing dz", "spacing dx"), spacing, strict=True):
            positive(name, value, "m")
        self._require_sense(velocity, spacing)
        object.__setattr__(self, "velocity", velocity)
        object.__setattr__(self, "frame_rate", float(self.frame_rate))
        object.__setattr__(self, "spacing", spacing)

    def _require_sense(self, velocity: NDArray[np.float32], spacing: tuple[float, ...]) -> None:
        """Refuse numbers that are probably in another unit; of measured motion, warn of those that may be."""
        require_plausible("frame_rate", self.frame_rate)
        for name, step, pixels in zip(("dz", "dx"), spacing, velocity.shape[1:], strict=True):
            plausible("spacing", step, shown=f"spacing {name}")
            plausible("extent", step * pixels, shown=f"extent of {pixels} pixels")
        rms = math.sqrt(float(np.vdot(velocity, velocity)) / velocity.size)
        note = plausible("sequence velocity", rms, shown="root-mean-square velocity")
        if note and self.origin == "vivo":
            warnings.warn(UnitWarning(note), stacklevel=4)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(T, Z, X)."""
        frames, rows, columns = self.velocity.shape
        return frames, rows, columns

    @property
    def duration(self) -> float:
        """Length in s."""
        return self.shape[0] / self.frame_rate

    def replace(self, **changes: Any) -> Sequence:
        """A copy with some attributes changed."""
        return replace(self, **changes)

    def save(self, path: str | Path) -> Path:
        """Write to an HDF5 file, whole or not at all.

        Raises
        ------
        FileError : the disk is full or the folder cannot be written.
        """
        path = Path(path)
        with whole_file(path) as part, h5py.File(part, "w") as file:
            _write(file, self)
        return path

    @classmethod
    def load(cls, path: str | Path, start: int = 0, stop: int | None = None, labels: bool = True) -> Sequence:
        """Read a file, or only its frames `start` to `stop` (labels then still describe all of it).

        Raises
        ------
        FileError : missing, truncated, or not a sequence file.
        """
        with opened(path) as file:
            header = header_in(file, path)
            return cls(
                velocity=file["data/velocity"][start:stop],
                labels=read_labels(file["labels"]) if labels and "labels" in file else None,
                frame_rate=header.frame_rate,
                spacing=header.spacing,
                origin=header.origin,
                subject=header.subject,
                provenance=header.provenance,
            )


def as_velocity(values: Any) -> NDArray[np.float32]:
    """Values as an array of velocities.

    Raises
    ------
    InputError : complex numbers or no numbers.
    """
    try:
        array = np.asarray(values)
        if array.dtype.kind == "c":
            raise InputError("velocity must be real, got complex numbers; acquire IQ with Recording.of_array")
        return np.asarray(array, np.float32)
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"velocity must be an array of numbers (T, Z, X), got {type(values).__name__}") from None


def save_blocks(
    path: str | Path,
    blocks: Iterable[NDArray[np.float32]],
    size: tuple[int, int],
    frame_rate: float,
    spacing: tuple[float, float],
    about: Callable[[], Mapping[str, Any]],
) -> Path:
    """Write a sequence that is never whole in memory, whole or not at all.

    Parameters
    ----------
    path : the file
    blocks : velocity (B, Z, X), m/s, frame after frame
    size : (Z, X)
    frame_rate, spacing : Hz, m
    about : called after the last block; the other attributes of a `Sequence`

    Raises
    ------
    InputError : velocity that is not finite.
    FileError : the disk is full or the folder cannot be written.
    """
    path = Path(path)
    with whole_file(path) as part, h5py.File(part, "w") as file:
        velocity = file.create_dataset(
            "data/velocity", (0, *size), np.float32, maxshape=(None, *size), chunks=(CHUNK_FRAMES, *size)
        )
        for block in _whole_chunks(blocks):
            if not np.isfinite(np.sum(block)) and not np.isfinite(block).all():
                raise InputError("velocity must be finite, got NaN or infinite values; mask or fill them")
            velocity.resize(len(velocity) + len(block), 0)
            velocity[-len(block) :] = block
        # The checks of a sequence on all but its frames.
        head = Sequence(np.zeros((1, 1, 1), np.float32), frame_rate, spacing, **about())
        _write_about(file, velocity, head, len(velocity) / frame_rate)
    return path


def _whole_chunks(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """The same frames in blocks of whole chunks, as HDF5 would otherwise read back what it wrote."""
    waiting: list[NDArray[np.float32]] = []
    for block in blocks:
        waiting.append(block)
        if sum(map(len, waiting)) >= CHUNK_FRAMES:
            frames = np.concatenate(waiting)
            whole = len(frames) // CHUNK_FRAMES * CHUNK_FRAMES
            yield frames[:whole]
            waiting = [frames[whole:]]
    if sum(map(len, waiting)):
        yield np.concatenate(waiting)


def _write(file: h5py.File, sequence: Sequence) -> None:
    frames, rows, columns = sequence.shape
    velocity = file.create_dataset(
        "data/velocity", data=sequence.velocity, chunks=(min(CHUNK_FRAMES, frames), rows, columns)
    )
    _write_about(file, velocity, sequence, sequence.duration)


def _write_about(file: h5py.File, velocity: h5py.Dataset, sequence: Sequence, duration: float) -> None:
    """Everything but the velocity itself."""
    file.attrs.update(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        origin=sequence.origin,
        subject=sequence.subject,
        provenance=json.dumps(dict(sequence.provenance), default=plain, sort_keys=True),
    )
    describe(velocity, "m/s", "axial tissue velocity (frame, depth, lateral), positive towards the probe")
    describe(file.create_dataset("scan/frame_rate", data=sequence.frame_rate), "Hz", "frames per second")
    describe(file.create_dataset("scan/spacing", data=sequence.spacing), "m", "pixel size in depth and laterally")
    if sequence.labels is not None:
        write_labels(file.create_group("labels"), sequence.labels, duration)
