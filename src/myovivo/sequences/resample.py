"""A sequence on other pixels and at another frame rate, its labels with it."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from ..errors import InputError
from ..runtime.provenance import made_by
from ..signals.resample import resample_space, resample_time
from .domain import good_sequence, make_domain
from .labels import MotorUnits
from .sequence import Sequence

_PASSED = 0.4  # of the new frame rate: what is above is filtered off before frames are left out

_ORDER = 8


def resample(sequence: Sequence, frame_rate: float, size: tuple[int, int] | None = None) -> Sequence:
    """A sequence at another frame rate, on other pixels of the same extent.

    In time by cubic convolution, after a zero-phase low-pass at 0.4 of the new rate where that is lower; in space
    bicubic, with anti-aliasing where pixels grow. Frame 0 stays frame 0.

    Parameters
    ----------
    sequence : velocity (T, Z, X), m/s
    frame_rate : Hz
    size : (Z', X'); the same if None

    Raises
    ------
    InputError : a frame rate so low that fewer than two frames are left, or a size without pixels.
    """
    frames, rows, columns = sequence.shape
    size = size or (rows, columns)
    if frames * frame_rate < 2 * sequence.frame_rate or min(size) < 1:
        got = f"{frame_rate:g} Hz and {size} pixels"
        raise InputError(f"a sequence of {sequence.duration:.3g} s cannot be resampled to {got}; ask for more")
    velocity = sequence.velocity
    if frame_rate < sequence.frame_rate:
        low_pass = butter(_ORDER, _PASSED * frame_rate, fs=sequence.frame_rate, output="sos")
        settling = min(3 * (_ORDER + 1), frames - 1)  # mirrored frames that the filter starts on
        velocity = sosfiltfilt(low_pass, velocity, axis=0, padlen=settling).astype(np.float32)
    velocity = resample_space(resample_time(velocity, sequence.frame_rate, frame_rate), size)
    labels = sequence.labels
    if labels is not None:
        labels = resample_labels(labels, sequence.frame_rate, frame_rate, len(velocity), size)
    dz, dx = sequence.spacing
    note = made_by("resample", frame_rate=frame_rate, size=list(size), source=dict(sequence.provenance))
    spacing = (dz * rows / size[0], dx * columns / size[1])
    return sequence.replace(velocity=velocity, frame_rate=frame_rate, spacing=spacing, labels=labels, provenance=note)


def resample_labels(
    labels: MotorUnits, frame_rate: float, target: float, frames: int, shape: tuple[int, int]
) -> MotorUnits:
    """Ground truth on the pixels and frames that the velocity was resampled to.

    The sources keep their whole band: what the conditioning removes is part of the truth.
    """

    def in_time(source: NDArray[Any] | None) -> NDArray[np.float32] | None:
        return None if source is None else resample_time(source.T, frame_rate, target)[:frames].T.copy()

    def in_space(weight: NDArray[Any] | None) -> NDArray[np.float32] | None:
        return None if weight is None else resample_space(weight, shape)

    return MotorUnits(
        **{
            **vars(labels),
            "mask": resample_space(labels.mask.astype(np.float32), shape) >= 0.5,
            "weight": in_space(labels.weight),
            "source": in_time(labels.source),
            "background_weight": in_space(labels.background_weight),
            "background_source": in_time(labels.background_source),
        }
    )


def resample_domain(
    files: Iterable[Path],
    out: Path,
    frame_rate: float,
    size: tuple[int, int] | None = None,
    *,
    workers: int = -1,
    quiet: bool = False,
) -> list[Path]:
    """`resample` for files, into a folder of files of the same names; the same call goes on where it was.

    Raises
    ------
    FileError : a file cannot be read or written.
    RunFolderError : `out` holds something else.
    """
    files = list(files)
    recipe = {"stage": "resample", "frame_rate": frame_rate, "size": size}
    makers = {path.name: functools.partial(_resample_to, path, frame_rate, size) for path in files}
    sources = {path.name: path for path in files}
    return make_domain(out, makers, recipe, good_sequence, "resample", workers, quiet, sources=sources)


def _resample_to(source: Path, frame_rate: float, size: tuple[int, int] | None, path: Path) -> None:
    resample(Sequence.load(source), frame_rate, size).save(path)
