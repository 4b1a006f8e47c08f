"""The tissue-velocity (TVI) sequence, its ground-truth labels, and their file.

One HDF5 file holds one sequence. Its groups carry the names of zea's format where it has them
(`data/`, `scan/`), beside `labels/` and the provenance. Every dataset has a `unit` and a
`description`, so that a file can be read in MATLAB or HDFView without this package.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, UnitWarning, WrongTypeError
from ..runtime.files import whole_file
from ..runtime.hdf5 import created, opened, understood
from ..runtime.introduction import Introduced, Introduction, labelled, maker, named, sampling, spread
from ..runtime.provenance import made_by
from .arrays import FromArray
from .depiction import Depicted
from .exchange.foreign import foreign_parts
from .header import Origin, header_in
from .labels import MotorUnits, crop_labels, read_labels
from .quantities import plausible, positive, require_plausible, two_steps
from .values import as_velocity
from .writing import write_sequence

if TYPE_CHECKING:
    import xarray

    from .resample import Sampled


@dataclass(frozen=True, eq=False, repr=False)
class Sequence(FromArray, Depicted, Introduced):
    """A TVI sequence: what every stage takes and gives.

    `len` is the number of frames, `np.asarray` gives the velocity, and `crop` cuts by time.

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

    def __len__(self) -> int:
        return len(self.velocity)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.velocity, dtype=dtype, copy=copy)

    def __getitem__(self, key: object) -> NoReturn:
        # In brackets NumPy's users read frames and others seconds, so that either meaning would be a trap.
        right = "sequence.crop(start, stop), in s; frames by number are sequence.velocity[first:last]"
        raise WrongTypeError(f"a Sequence is not cut by brackets; use {right}")

    def replace(self, **changes: Any) -> Sequence:
        """A copy with some attributes changed."""
        return replace(self, **changes)

    def crop(self, start: float = 0.0, stop: float | None = None) -> Sequence:
        """The frames from `start` to before `stop`, with their labels; time 0 is the first frame kept.

        Cutting has a name because in brackets a number could be a frame or a second: `sequence[0.5:1.0]` is refused.
        Labels go along: spike times are shifted, and those before the crop stay, as negative times, because their
        twitches reach into it; sources are cut; masks, weights and twitches stay.

        Parameters
        ----------
        start, stop : s from the first frame; to the end if `stop` is None

        Returns
        -------
        Sequence : its velocity is a view of this one's

        Raises
        ------
        InputError : no frame lies between, or not all of it within the sequence.
        """
        stop = self.duration if stop is None else stop
        slack = 1e-6 / self.frame_rate  # of times that were computed from frames
        first, last = 0, 0
        if -slack <= start < stop <= self.duration + slack:
            first, last = (math.ceil((time - slack) * self.frame_rate) for time in (start, stop))
        if first >= last:
            rule = f"a crop must hold a frame and lie within 0 to {self.duration:.6g} s"
            raise InputError(f"{rule}, got {start:g} to {stop:g} s")
        labels = None if self.labels is None else crop_labels(self.labels, first, last, self.frame_rate)
        note = made_by("crop", start=start, stop=stop, frames=[first, last], source=dict(self.provenance))
        return self.replace(velocity=self.velocity[first:last], labels=labels, provenance=note)

    def resample(
        self, frame_rate: float | None = None, size: tuple[int, int] | None = None, like: Sampled | None = None
    ) -> Sequence:
        """The same at another frame rate, on other pixels of the same extent, with its labels.

        In time by cubic convolution, after a zero-phase low-pass at 0.4 of the new rate where that is lower; in space
        bicubic, with anti-aliasing where pixels grow. Frame 0 stays frame 0. The labels' sources keep their whole band.

        Parameters
        ----------
        frame_rate : Hz; the same if None
        size : (Z', X'); the same if None
        like : in place of both: a `Sequence` or `Recording` whose frame rate and pixels to take, or the `Translator`
            that the sequence is meant for

        Raises
        ------
        InputError : a frame rate so low that fewer than two frames are left, too few frames for the low-pass, a size
            without pixels, or an extent that differs from that of `like`; the message names all that does.
        WrongTypeError : `like` has no frame rate and spacing.
        """
        from .resample import resample_labels, resample_velocity, size_like  # torch takes seconds to load

        if (like is None) == (frame_rate is None and size is None):
            raise InputError("resample needs a frame_rate, a size or both, or else like=another sequence alone")
        if like is not None:
            size = size_like(self.shape, self.spacing, like)
            frame_rate = like.frame_rate
        frame_rate = float(self.frame_rate if frame_rate is None else frame_rate)
        _, rows, columns = self.shape
        size = (rows, columns) if size is None else size
        velocity = resample_velocity(self.velocity, self.frame_rate, frame_rate, size)
        labels = self.labels
        if labels is not None:
            labels = resample_labels(labels, self.frame_rate, frame_rate, len(velocity), size)
        dz, dx = self.spacing
        spacing = (dz * rows / size[0], dx * columns / size[1])
        note = made_by("resample", frame_rate=frame_rate, size=list(size), source=dict(self.provenance))
        return self.replace(velocity=velocity, frame_rate=frame_rate, spacing=spacing, labels=labels, provenance=note)

    def _introduction(self) -> Introduction:
        facts = sampling(self.shape, self.frame_rate, self.spacing)
        facts["velocity"] = f"SD {1e3 * spread(self.velocity):.4g} mm/s; in m/s, positive towards the probe"
        facts |= {"labels": labelled(self.labels), "made by": maker(self.provenance)}
        return Introduction(named("Sequence", self.origin, self.subject), facts)

    def save(self, path: str | Path) -> Path:
        """Write to a file, whole or not at all: HDF5, or MATLAB v5 (`.mat`) or NumPy (`.npz`) for other programs.

        In MATLAB `velocity` is depth x lateral x frame, units are counted from 1, and firings are cells.

        Raises
        ------
        InputError : more than the 2 GB that MATLAB v5 can hold.
        FileError : the disk is full or the folder cannot be written.

        Examples
        --------
        >>> import myovivo as mv
        >>> mv.simulate(seed=0, **{"grid.frames": 64}).save("contraction.mat").name
        'contraction.mat'
        """
        path = Path(path)
        if path.suffix == ".mat":
            from .exchange.matlab import write_mat

            return write_mat(self, path)
        if path.suffix == ".npz":
            from .exchange.archive import write_npz

            return write_npz(self, path)
        with whole_file(path) as part, created(part) as file:
            write_sequence(file, self)
        return path

    @classmethod
    def load(cls, path: str | Path, start: int = 0, stop: int | None = None, labels: bool = True) -> Sequence:
        """Read a file of `save`, or only its frames `start` to `stop` (labels then still describe all of it).

        Raises
        ------
        FileError : missing, truncated, or not a sequence file.
        """
        if (parts := foreign_parts(path)) is not None:
            parts["velocity"] = parts["velocity"][start:stop]
            return cls(**{**parts, "labels": parts["labels"] if labels else None})
        with opened(path) as file, understood(path):
            header = header_in(file, path)
            return cls(
                velocity=file["data/velocity"][start:stop],
                labels=read_labels(file["labels"], header.shape) if labels and "labels" in file else None,
                frame_rate=header.frame_rate,
                spacing=header.spacing,
                origin=header.origin,
                subject=header.subject,
                provenance=header.provenance,
            )

    def to_xarray(self) -> xarray.Dataset:
        """Velocity with coordinates `time` (s), `depth` and `lateral` (m), labels beside it; needs the extra `interop`.

        Raises
        ------
        MissingExtraError : xarray is not installed.

        Examples
        --------
        >>> import myovivo as mv
        >>> data = mv.simulate(seed=0, **{"grid.frames": 64}).to_xarray()
        >>> dict(data.velocity.sel(depth=slice(0.01, 0.02)).sizes)
        {'time': 64, 'depth': 32, 'lateral': 128}
        """
        from .exchange.dataset import dataset_of

        return dataset_of(self)

    @classmethod
    def from_xarray(cls, data: xarray.Dataset | xarray.DataArray) -> Sequence:
        """A sequence of what `to_xarray` gave, or of any array with even coordinates `time`, `depth` and `lateral`.

        Raises
        ------
        InputError : other axes, another unit than m/s, or coordinates with uneven steps.
        """
        from .exchange.dataset import parts_of

        return cls(**parts_of(data))


def require_sequence(value: object) -> Sequence:
    """Check that something is a `Sequence`.

    Raises
    ------
    WrongTypeError : something else, with how to make one of it.
    """
    if isinstance(value, Sequence):
        return value
    remedy = "mv.Sequence(array, frame_rate=…, spacing=(dz, dx)), or mv.Sequence.load(file)"
    raise WrongTypeError(f"give a Sequence, got {type(value).__name__}: {remedy}")
