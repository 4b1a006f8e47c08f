"""A recording before velocity: beamformed IQ frames, streamed in blocks, and what was scanned.

Frames come in blocks, from memory, from a file or from the phantom as it renders them, so that a
recording larger than memory passes through the acquisition chain.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError, InputError
from ..runtime.files import whole_file
from ..runtime.hdf5 import created, is_whole, opened, understood
from ..runtime.introduction import Introduced, Introduction, labelled, maker, named, sampling
from .header import Origin, about_in
from .labels import MotorUnits, read_labels, write_labels
from .quantities import plausible, positive, require_plausible, two_steps

RECORDING_FORMAT = "myovivo recording"

_BLOCK = 64  # frames read at a time

Blocks = Callable[[], Iterator[NDArray[np.complex64]]]


@dataclass(frozen=True, eq=False, repr=False)
class Recording(Introduced):
    """Beamformed IQ frames and the scan that made them.

    Attributes
    ----------
    blocks : call it to iterate over the frames, (B, Z, X) complex64 at a time; every call starts anew
    shape : (T, Z, X)
    frame_rate : Hz
    spacing : (dz, dx), m
    centre_frequency : the frequency the echoes were demodulated at, Hz
    sound_speed : m/s
    labels : ground truth at the recording's frame rate and grid, or None
    origin, subject, provenance : as in `Sequence`

    Notes
    -----
    The phase of IQ grows when tissue moves towards the probe.
    """

    blocks: Blocks
    shape: tuple[int, int, int]
    frame_rate: float
    spacing: tuple[float, float]
    centre_frequency: float
    sound_speed: float = 1540.0
    labels: MotorUnits | None = None
    origin: Origin = "vivo"
    subject: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("frame_rate", "centre_frequency", "sound_speed"):
            positive(name, getattr(self, name), "Hz" if name != "sound_speed" else "m/s")
            require_plausible(name, getattr(self, name))
        for name, value in zip(("spacing dz", "spacing dx"), two_steps(self.spacing), strict=True):
            positive(name, value, "m")
            plausible("spacing", value, shown=name)
        if self.shape[0] < 2:
            raise InputError(f"a velocity needs at least two frames, got {self.shape[0]}")

    @classmethod
    def of_array(cls, iq: NDArray[np.complexfloating[Any]], **scan: Any) -> Recording:
        """A recording of IQ frames (T, Z, X) in memory; `scan` holds the other attributes.

        Raises
        ------
        InputError : not three-dimensional, not complex, or not finite.
        """
        iq = np.asarray(iq)
        if iq.ndim != 3 or not np.iscomplexobj(iq):
            raise InputError(f"IQ must be a complex array (T, Z, X), got {iq.dtype} of shape {iq.shape}")
        if not np.isfinite(np.sum(iq)):
            raise InputError("IQ must be finite, got NaN or infinite values; mask or fill them")

        def blocks() -> Iterator[NDArray[np.complex64]]:
            for start in range(0, len(iq), _BLOCK):
                yield iq[start : start + _BLOCK].astype(np.complex64, copy=False)

        return cls(blocks, (iq.shape[0], iq.shape[1], iq.shape[2]), **scan)

    @property
    def iq(self) -> NDArray[np.complex64]:
        """(T, Z, X): all frames at once; 2 s at 2 kHz take about 1 GB."""
        return np.concatenate(list(self.blocks()))

    def save(self, path: str | Path) -> Path:
        """Write to an HDF5 file, whole or not at all, a block at a time.

        Raises
        ------
        FileError : the disk is full or the folder cannot be written.
        """
        path = Path(path)
        frames, rows, columns = self.shape
        with whole_file(path) as part, created(part) as file:
            file.attrs.update(
                format=RECORDING_FORMAT,
                format_version=1,
                origin=self.origin,
                subject=self.subject,
                provenance=json.dumps(dict(self.provenance), default=str, sort_keys=True),
            )
            shape, chunk = (frames, rows, columns, 2), (min(frames, 8), rows, columns, 2)
            data = file.create_dataset("data/beamformed_data", shape, np.float32, chunks=chunk)
            data.attrs.update(unit="1", description="IQ frames (frame, depth, lateral, in-phase and quadrature)")
            start = 0
            for block in self.blocks():
                data[start : start + len(block)] = np.ascontiguousarray(block).view(np.float32).reshape(*block.shape, 2)
                start += len(block)
                file.flush()
            scan = {
                "frame_rate": (self.frame_rate, "Hz"),
                "spacing": (self.spacing, "m"),
                "center_frequency": (self.centre_frequency, "Hz"),
                "sound_speed": (self.sound_speed, "m/s"),
            }
            for name, (value, unit) in scan.items():
                file.create_dataset(f"scan/{name}", data=value).attrs.update(unit=unit)
            if self.labels is not None:
                write_labels(file.create_group("labels"), self.labels, frames / self.frame_rate)
        return path

    @classmethod
    def load(cls, path: str | Path) -> Recording:
        """Open a file of `save`; frames are read when `blocks` is called.

        Raises
        ------
        FileError : missing, truncated, or not a recording.
        """
        with opened(path, "recording") as file, understood(path, "recording"):
            if file.attrs.get("format") != RECORDING_FORMAT:
                raise FileError(path, f"is not a {RECORDING_FORMAT}; convert it with `myovivo acquire`")
            data = file["data/beamformed_data"]
            frames, rows, columns, parts = data.shape
            if parts != 2 or data.dtype != np.float32 or not is_whole(data):
                raise FileError(path, "holds frames that were never written, or are no IQ; make it again")
            scan = {name: file[f"scan/{name}"][()] for name in ("frame_rate", "center_frequency", "sound_speed")}
            dz, dx = file["scan/spacing"][:]
            return cls(
                blocks=lambda: _blocks_of(path),
                shape=(frames, rows, columns),
                frame_rate=float(scan["frame_rate"]),
                spacing=(float(dz), float(dx)),
                centre_frequency=float(scan["center_frequency"]),
                sound_speed=float(scan["sound_speed"]),
                labels=read_labels(file["labels"], (frames, rows, columns)) if "labels" in file else None,
                **about_in(file.attrs),
            )

    def _introduction(self) -> Introduction:
        facts = sampling(self.shape, self.frame_rate, self.spacing)
        facts["echo"] = f"IQ at {self.centre_frequency / 1e6:.4g} MHz, sound at {self.sound_speed:.6g} m/s"
        facts |= {"labels": labelled(self.labels), "made by": maker(self.provenance)}
        return Introduction(named("Recording", self.origin, self.subject), facts)


def _blocks_of(path: str | Path) -> Iterator[NDArray[np.complex64]]:
    with opened(path, "recording") as file:
        data: Any = file["data/beamformed_data"]
        for start in range(0, len(data), _BLOCK):
            yield np.ascontiguousarray(data[start : start + _BLOCK]).view(np.complex64)[..., 0]
