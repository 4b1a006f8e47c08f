"""Velocity and its labels on other pixels and at another frame rate."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from ..errors import InputError, WrongTypeError
from ..signals.resample import resample_space, resample_time
from .labels import MotorUnits

_PASSED = 0.4  # of the new frame rate: what is above is filtered off before frames are left out

_ORDER = 8

_EDGE = 3 * (_ORDER + 1)  # frames that the low-pass reflects at either end

_ALIKE = 0.01  # by how much scales may differ and still be the same, here as for a translator


class Sampled(Protocol):
    """What has a frame rate (Hz) and pixels (dz, dx, m): a sequence, a recording, a translator."""

    @property
    def frame_rate(self) -> float: ...

    @property
    def spacing(self) -> tuple[float, float]: ...


def resample_velocity(
    velocity: NDArray[np.float32], frame_rate: float, target: float, size: tuple[int, int]
) -> NDArray[np.float32]:
    """(T, Z, X) at `frame_rate` -> (T', Z', X') of `size` at `target` Hz, of the same extent; frame 0 stays frame 0.

    In time by cubic convolution, after a zero-phase low-pass at 0.4 of the new rate where that is lower; in space
    bicubic, with anti-aliasing where pixels grow.

    Raises
    ------
    InputError : a frame rate so low that fewer than two frames are left, or a size without pixels.
    """
    if not 2 * frame_rate <= len(velocity) * target < np.inf or min(size) < 1:
        got = f"{target:g} Hz and {size} pixels"
        length = f"a sequence of {len(velocity) / frame_rate:.3g} s"
        raise InputError(f"{length} cannot be resampled to {got}; ask for more")
    if target < frame_rate:
        low_pass = butter(_ORDER, _PASSED * target, fs=frame_rate, output="sos")
        velocity = sosfiltfilt(low_pass, velocity, axis=0, padlen=min(_EDGE, len(velocity) - 1)).astype(np.float32)
    return resample_space(resample_time(velocity, frame_rate, target), size)


def size_like(shape: tuple[int, int, int], spacing: tuple[float, float], like: Sampled) -> tuple[int, int]:
    """The rows and columns that give frames of `shape` the pixels of another thing.

    Parameters
    ----------
    shape, spacing : (T, Z, X) and (dz, dx), m, of what is resampled
    like : the other; with a `shape`, or `rows` and `columns`, those too

    Raises
    ------
    WrongTypeError : `like` has no frame rate and spacing.
    InputError : the two differ in extent by more than 1 %; all that differs is named.
    """
    if not (hasattr(like, "frame_rate") and hasattr(like, "spacing")):
        raise WrongTypeError(f"like must be a Sequence or a Translator, got {type(like).__name__}; or give frame_rate")
    there = getattr(like, "shape", None)
    wanted = there[1:] if there is not None else (getattr(like, "rows", None), getattr(like, "columns", None))
    size, differing = [], []
    axes = zip(("depth", "width"), shape[1:], spacing, like.spacing, wanted, strict=True)
    for name, count, step, other, number in axes:
        reach = count * step
        pixels = number or max(round(reach / other), 1)
        if abs(reach / (pixels * other) - 1) > _ALIKE:
            grid = f"{pixels} pixels of {1e3 * other:.4g} mm"
            differing.append(f"the {name} is {1e3 * reach:.4g} mm here, {1e3 * pixels * other:.4g} mm ({grid}) there")
        size.append(pixels)
    if differing:
        rule = f"resampling keeps the extent, but {' and '.join(differing)}"
        raise InputError(f"{rule}; scan or simulate the same extent, or cut rows and columns off first")
    return size[0], size[1]


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
