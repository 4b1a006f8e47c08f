"""The tissue-velocity (TVI) sequence, its ground-truth labels, and their file.

One HDF5 file holds one sequence. Its groups carry the names of zea's format where it has them
(`data/`, `scan/`), beside `labels/` and the provenance. Every dataset has a `unit` and a
`description`, so that a file can be read in MATLAB or HDFView without this package.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from .errors import FileError, InputError
from .runtime.files import plain, whole_file

FORMAT = "myovivo sequence"
FORMAT_VERSION = 1
CHUNK_FRAMES = 32  # a training clip; a chunk is whole frames, so that a clip is one or two reads

Origin = Literal["silico", "phantom", "vivo", "translated"]
Floats = NDArray[Any]


@dataclass(frozen=True, eq=False)
class MotorUnits:
    """Ground truth of K motor units in a sequence of T frames on a Z x X grid.

    The noise-free velocity is ``sum_k weight[k] * source[k]`` plus, in a phantom, the background
    motion ``sum_b background_weight[b] * background_source[b]``.

    Attributes
    ----------
    spike_times : K arrays, s from the first frame, ascending. Negative times lie before the
        sequence and are kept because their twitches reach into it.
    sync_partner : K arrays beside `spike_times`: the unit that the firing coincides with, or -1
    centre : (K, 2), m, depth and lateral position of the territory
    diameter : (K,), m
    mask : (K, Z, X) bool, inside the territory
    weight : (K, Z, X) float32, how strongly each pixel follows the unit, signed
    source : (K, T) float32, m/s, positive towards the probe
    twitch : (K,) arrays by name: contraction_time, half_relaxation_time, delay (s), amplitude (m), sign,
        firing_rate (Hz)
    background_weight, background_source : (B, Z, X) and (B, T), as weight and source
    """

    spike_times: tuple[Floats, ...]
    sync_partner: tuple[NDArray[np.integer[Any]], ...]
    centre: Floats
    diameter: Floats
    mask: NDArray[np.bool_]
    weight: Floats
    source: Floats
    twitch: Mapping[str, Floats] = field(default_factory=dict)
    background_weight: Floats | None = None
    background_source: Floats | None = None

    def __len__(self) -> int:
        return len(self.spike_times)

    def spike_train(self, frames: int, frame_rate: float) -> NDArray[np.bool_]:
        """(K, frames) bool: a firing in the frame nearest to its time; those outside are left out."""
        train = np.zeros((len(self), frames), bool)
        for unit, times in enumerate(self.spike_times):
            index = np.rint(np.asarray(times) * frame_rate).astype(int)
            train[unit, index[(index >= 0) & (index < frames)]] = True
        return train

    def velocity(self) -> NDArray[np.float32]:
        """(T, Z, X), m/s: the noise-free velocity that the sources and weights add up to."""
        total = superpose(self.source, self.weight)
        if self.background_source is not None and self.background_weight is not None:
            total += superpose(self.background_source, self.background_weight)
        return total


def superpose(source: ArrayLike, weight: ArrayLike) -> NDArray[np.float32]:
    """Sum of K moving patterns as one matrix product: (K, T), (K, Z, X) -> (T, Z, X)."""
    source, weight = np.asarray(source, np.float32), np.asarray(weight, np.float32)
    flat = weight.reshape(len(weight), -1)
    # One thread: how a library splits a product over threads shows in its last bit, and the same seed
    # must give the same bytes on any machine and with any number of workers.
    with threadpool_limits(1, "blas"):
        return (source.T @ flat).reshape(source.shape[1], *weight.shape[1:])


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
    InputError : not three-dimensional, empty, not finite, or no positive frame rate and spacing.
    """

    velocity: NDArray[np.float32]
    frame_rate: float
    spacing: tuple[float, float]
    labels: MotorUnits | None = None
    origin: Origin = "vivo"
    subject: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        velocity = np.asarray(self.velocity, np.float32)
        if velocity.ndim != 3 or velocity.size == 0:
            raise InputError(f"velocity must be (T, Z, X) with at least one frame, got shape {velocity.shape}")
        if not np.isfinite(np.sum(velocity)):  # a sum is one fast pass; it is not finite if any value is not
            bad = int(np.count_nonzero(~np.isfinite(velocity)))
            if bad:
                raise InputError(
                    f"velocity must be finite, got {bad} NaN or infinite of {velocity.size} values; mask or fill them"
                )
        positive("frame_rate", self.frame_rate, "Hz")
        spacing = tuple(float(value) for value in self.spacing)
        if len(spacing) != 2:
            raise InputError(f"spacing must be (dz, dx) in m, got {self.spacing}")
        for name, value in zip(("spacing dz", "spacing dx"), spacing, strict=True):
            positive(name, value, "m")
        object.__setattr__(self, "velocity", velocity)
        object.__setattr__(self, "frame_rate", float(self.frame_rate))
        object.__setattr__(self, "spacing", spacing)

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
            header = _header(file, path)
            return cls(
                velocity=file["data/velocity"][start:stop],
                labels=read_labels(file["labels"]) if labels and "labels" in file else None,
                frame_rate=header.frame_rate,
                spacing=header.spacing,
                origin=header.origin,
                subject=header.subject,
                provenance=header.provenance,
            )


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
        return _header(file, path)


def read_velocity(path: str | Path, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
    """Read frames `start` to `stop` of a file's velocity, (T, Z, X), m/s, and nothing else."""
    with opened(path) as file:
        return file["data/velocity"][start:stop]


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


@contextlib.contextmanager
def opened(path: str | Path) -> Iterator[Any]:
    """Open an HDF5 file for reading; what goes wrong inside becomes one clear `FileError`."""
    path = Path(path)
    if not path.exists():
        raise FileError(path, "does not exist; check the path")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError) as error:
        problem = f"is not a readable HDF5 file, probably truncated ({_last_clause(error)}); make it again"
        raise FileError(path, problem) from error
    except (KeyError, json.JSONDecodeError) as error:
        raise FileError(path, f"is not a complete {FORMAT} file ({_last_clause(error)}); make it again") from error


def positive(name: str, value: float, unit: str) -> None:
    """Check a physical quantity.

    Raises
    ------
    InputError : not a positive, finite number.
    """
    if not (np.isfinite(value) and value > 0):
        raise InputError(f"{name} must be positive, in {unit}, got {value}")


def _last_clause(error: BaseException) -> str:
    return " ".join(str(error).strip("'\"").split())[-120:]


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
    _describe(velocity, "m/s", "axial tissue velocity (frame, depth, lateral), positive towards the probe")
    _describe(file.create_dataset("scan/frame_rate", data=sequence.frame_rate), "Hz", "frames per second")
    _describe(file.create_dataset("scan/spacing", data=sequence.spacing), "m", "pixel size in depth and laterally")
    if sequence.labels is not None:
        write_labels(file.create_group("labels"), sequence.labels, duration)


def _describe(dataset: h5py.Dataset, unit: str, description: str) -> None:
    dataset.attrs.update(unit=unit, description=description)


_LABEL_ARRAYS = {
    "centre": ("m", "territory centre per unit: depth, lateral"),
    "diameter": ("m", "territory diameter per unit"),
    "mask": ("1", "inside the territory (unit, depth, lateral)"),
    "weight": ("1", "how strongly a pixel follows the unit, signed (unit, depth, lateral)"),
    "source": ("m/s", "velocity time course per unit (unit, frame)"),
    "background_weight": ("1", "patterns of motion that no unit causes (pattern, depth, lateral)"),
    "background_source": ("m/s", "their velocity time courses (pattern, frame)"),
}


def write_labels(group: h5py.Group, labels: MotorUnits, duration: float) -> None:
    """Write ground truth into an HDF5 group; `duration` (s) flags the spikes outside of the frames."""
    for name, (unit, description) in _LABEL_ARRAYS.items():
        value = getattr(labels, name)
        if value is not None:
            _describe(group.create_dataset(name, data=_plain(value)), unit, description)
    for name, value in labels.twitch.items():
        unit = {"amplitude": "m", "sign": "1", "firing_rate": "Hz", "eigenstrain": "1"}.get(name, "s")
        _describe(group.create_dataset(f"twitch/{name}", data=value), unit, f"twitch {name} per unit")
    count = [len(times) for times in labels.spike_times]
    time = np.concatenate([*labels.spike_times, np.empty(0)])
    spikes = {
        "time": (time, "s", "spike times of all units, from the first frame"),
        "unit": (np.repeat(np.arange(len(labels)), count), "1", "unit of each spike"),
        "sync_partner": (
            np.concatenate([*labels.sync_partner, np.empty(0, int)]).astype(int),
            "1",
            "unit it coincides with, or -1",
        ),
        "in_window": ((time >= 0) & (time < duration), "1", "0 for spikes before or after the frames"),
    }
    for name, (value, unit, description) in spikes.items():
        _describe(group.create_dataset(f"spikes/{name}", data=_plain(value)), unit, description)


def _plain(value: ArrayLike) -> NDArray[Any]:
    """Truth values as 0 and 1: HDF5 has none, and MATLAB would read h5py's stand-in as text."""
    array = np.asarray(value)
    return array.astype(np.uint8) if array.dtype == bool else array


def _header(file: Any, path: str | Path) -> Header:
    if file.attrs.get("format") != FORMAT:
        raise FileError(path, "is HDF5 but not a myovivo sequence; convert it with `myovivo acquire`")
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


def read_labels(group: Any) -> MotorUnits:
    """Read what `write_labels` wrote."""
    unit, time, partner = (group[f"spikes/{name}"][:] for name in ("unit", "time", "sync_partner"))
    count = len(group["centre"])
    return MotorUnits(
        spike_times=tuple(time[unit == k] for k in range(count)),
        sync_partner=tuple(partner[unit == k] for k in range(count)),
        twitch={name: values[:] for name, values in group["twitch"].items()} if "twitch" in group else {},
        **{name: group[name][:] for name in _LABEL_ARRAYS if name in group and name != "mask"},
        mask=group["mask"][:].astype(bool),
    )
