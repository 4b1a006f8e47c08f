"""What a recording file holds: frames that are read some at a time, and each parameter with its origin."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..runtime.unfolding import LARGEST_FRAME, LARGEST_PICTURE
from ..runtime.words import counted
from .settings import Scan

Kind = Literal["rf", "channel_iq", "iq", "bmode", "velocity"]

CHANNEL_AXES = ("frame", "wave", "sample", "element")

IMAGE_AXES = ("frame", "depth", "lateral")

AXES: dict[Kind, tuple[str, ...]] = {
    "rf": CHANNEL_AXES,
    "channel_iq": CHANNEL_AXES,
    "iq": IMAGE_AXES,
    "bmode": IMAGE_AXES,
    "velocity": IMAGE_AXES,
}

PARTS = "parts"  # an axis of two: in-phase and quadrature

TITLES: dict[Kind, str] = {
    "rf": "channel RF",
    "channel_iq": "channel IQ",
    "iq": "beamformed IQ",
    "bmode": "B-mode frames",
    "velocity": "velocity",
}

UNITS = {
    "frame_rate": "Hz",
    "pulse_rate": "Hz",
    "sampling_frequency": "Hz",
    "centre_frequency": "Hz",
    "sound_speed": "m/s",
    "pitch": "m",
    "element_x": "m",
    "element_y": "m",
    "element_z": "m",
    "element_angles": "rad",
    "element_rows": "1",
    "radius": "m",
    "probe": "",
    "sources": "m",
    "apertures": "m",
    "half_band": "Hz",
    "angles": "rad",
    "start_time": "s",
    "transmit_delays": "s",
    "transmit_intervals": "s",
    "frame_times": "s",
    "spacing": "m",
    "depth_axis": "m",
    "lateral_axis": "m",
    "depth_step": "m",
    "lateral_step": "m",
    "sign": "1",
    "baseband": "1",
    "elements": "1",
    "subject": "",
    "crop": "pixels",
    "unit": "",
    "scale": "1",
}


class Parameter(NamedTuple):
    """A value, its unit, and where it came from: the file, a mapping, a sidecar, an argument or a default."""

    value: Any
    unit: str
    origin: str


Parameters = dict[str, Parameter]


def parameter(name: str, value: Any, origin: str) -> Parameter:
    """A parameter of `UNITS`."""
    return Parameter(value, UNITS[name], origin)


@dataclass(frozen=True)
class Frames:
    """An array in a file (or in memory), in the order of its axes there, to be read in ours.

    Attributes
    ----------
    open : context manager of something that can be indexed as an array
    shape : as stored
    dtype : as stored
    axes : a word per stored axis: those of `CHANNEL_AXES` or `IMAGE_AXES`, and `parts` for one that holds
        in-phase and quadrature
    """

    open: Callable[[], contextlib.AbstractContextManager[Any]]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    axes: tuple[str, ...]

    def ordered_shape(self, order: tuple[str, ...]) -> tuple[int, ...]:
        """Sizes in `order`; an axis that is not stored counts one."""
        sizes = dict(zip(self.axes, self.shape, strict=True))
        return tuple(sizes.get(axis, 1) for axis in order)

    @property
    def is_complex(self) -> bool:
        """Whether frames come out complex."""
        pair = self.dtype.names is not None and {"real", "imag"} <= set(self.dtype.names)
        return pair or self.dtype.kind == "c" or dict(zip(self.axes, self.shape, strict=True)).get(PARTS) == 2

    def blocks(self, order: tuple[str, ...], count: int) -> Iterator[NDArray[Any]]:
        """Yield `count` frames at a time, with axes in `order`."""
        frames = self.ordered_shape(order)[0]
        with self.open() as stored:
            for start in range(0, frames, count):
                index = tuple(slice(start, start + count) if axis == "frame" else slice(None) for axis in self.axes)
                yield self._ordered(_plain(stored[index]), order)

    def _ordered(self, values: NDArray[Any], order: tuple[str, ...]) -> NDArray[Any]:
        axes = list(self.axes)
        if PARTS in axes:
            values = np.moveaxis(values, axes.index(PARTS), -1)
            axes.remove(PARTS)
            values = values[..., 0] if values.shape[-1] == 1 else values[..., 0] + 1j * values[..., 1]
        values = values.transpose([axes.index(axis) for axis in order if axis in axes])
        present = iter(values.shape)
        return values.reshape([next(present) if axis in axes else 1 for axis in order])


@dataclass(frozen=True)
class Content:
    """A recording as a reader found it.

    Attributes
    ----------
    kind : what the frames are
    frames : the array
    parameters : what was found, by the names of `UNITS`
    format : for people: `MATLAB v5, layout must`
    name : of the array in the file
    sought : parameters that a layout looks for in vain, and where
    axes_origin : who named the axes
    asked : parameters that a mapping of the user's, or a sidecar, speaks of
    """

    kind: Kind
    frames: Frames
    parameters: Parameters
    format: str
    name: str = ""
    sought: Mapping[str, str] = field(default_factory=dict)
    axes_origin: str = "file"
    asked: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        frames, *axes = self.shape
        most = LARGEST_PICTURE if self.kind == "bmode" else LARGEST_FRAME
        if min(frames, *axes) < 1 or math.prod(axes) > most:
            sizes = " x ".join(map(str, self.shape))
            raise InputError(f"{TITLES[self.kind]} of {sizes}: no frames, or one of over {most} values; check the axes")

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, W, S, E) of channels, else (T, Z, X)."""
        return self.frames.ordered_shape(AXES[self.kind])

    def with_arguments(self, scan: Scan) -> Content:
        """The same with what the user said in place of what the file says.

        Raises
        ------
        InputError : something was said that means nothing for this kind of frames.
        """
        given = said(scan, self.kind)
        parameters = without_rivals(self.parameters, given)
        parameters |= {name: parameter(name, value, "argument") for name, value in given.items()}
        return replace(self, parameters=parameters)


_CHANNELS = (
    "frame_rate",
    "pulse_rate",
    "sampling_frequency",
    "centre_frequency",
    "sound_speed",
    "pitch",
    "angles",
    "start_time",
)

_MEANT: dict[Kind, tuple[str, ...]] = {
    "rf": _CHANNELS,
    "channel_iq": (*_CHANNELS, "sign"),
    "iq": ("frame_rate", "centre_frequency", "sound_speed", "spacing", "sign", "baseband"),
    "bmode": ("frame_rate", "spacing"),
    "velocity": ("frame_rate", "spacing", "sign", "unit"),
}


_T = TypeVar("_T")


def without_rivals(parameters: Mapping[str, _T], given: Iterable[str]) -> dict[str, _T]:
    """One way to say something replaces the others: what is left where `given` is said elsewhere."""
    rivals = {rival for name in given for rival in _RIVALS.get(name, ())}
    return {name: value for name, value in parameters.items() if name not in rivals}


def said(scan: Scan, kind: Kind) -> dict[str, Any]:
    """What the user said of a scan, by the names of `UNITS`.

    Raises
    ------
    InputError : it means nothing for this kind of frames.
    """
    given = {name: value for name, value in scan.model_dump().items() if value is not None and name in UNITS}
    if foreign := [name for name in given if name not in _MEANT[kind]]:
        raise InputError(f"scan.{foreign[0]} means nothing for {TITLES[kind]}; leave it out")
    return given


_RIVALS = {
    "frame_rate": ("pulse_rate", "transmit_intervals", "frame_times"),
    "pulse_rate": ("frame_rate", "transmit_intervals", "frame_times"),
    "pitch": ("element_x",),
    "spacing": ("depth_axis", "lateral_axis", "depth_step", "lateral_step"),
    "unit": ("scale",),
}


def axes_of(text: str, shape: tuple[int, ...], kind: Kind | None = None) -> tuple[str, ...]:
    """The axes that a text names, checked against a shape.

    Raises
    ------
    InputError : unknown or repeated words, another number of axes than the array has, or axes that do not
        belong to the kind of frames.
    """
    if 0 in shape:
        raise InputError(f"the array is empty, of shape {shape}; check what was exported")
    words = tuple(text.replace(",", " ").split())
    known = {*CHANNEL_AXES, *IMAGE_AXES, PARTS}
    if unknown := [word for word in words if word not in known]:
        raise InputError(f"axes are words of {', '.join(sorted(known))}, got {unknown[0]!r} in {text!r}")
    if len(set(words)) != len(words):
        raise InputError(f"axes must not repeat, got {text!r}")
    if len(words) != len(shape):
        raise InputError(f"axes {text!r} name {counted(len(words), 'axis', 'axes')} but the array has shape {shape}")
    if kind is not None and (foreign := [word for word in words if word not in (*AXES[kind], PARTS)]):
        raise InputError(f"{TITLES[kind]} has axes {' '.join(AXES[kind])}, got {foreign[0]!r} in {text!r}")
    if PARTS in words and shape[words.index(PARTS)] not in (1, 2):
        raise InputError(f"the axis {PARTS!r} must hold 1 or 2 values, got {shape[words.index(PARTS)]}")
    return words


def _plain(values: Any) -> NDArray[Any]:
    """Numbers as NumPy knows them; MATLAB's complex numbers lie in HDF5 as pairs of named fields."""
    values = np.asarray(values)
    if values.dtype.names is not None and {"real", "imag"} <= set(values.dtype.names):
        return values["real"] + 1j * values["imag"]
    if values.dtype in (np.longdouble, np.clongdouble):  # which torch does not know, and no scanner writes
        values = values.astype(np.complex128 if np.iscomplexobj(values) else np.float64)
    # torch wants the machine's order of bytes, and memory that it may write to.
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    return values if values.flags.writeable else values.copy()


def shown(value: Any) -> str:
    """A parameter's value for people: long arrays by their ends."""
    if isinstance(value, str):
        return value
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {shown(one)}" for name, one in value.items())
    values = np.asarray(value)
    if values.dtype.kind not in "fiub":
        return str(value)
    flat = values.ravel()
    if flat.size == 1:
        return f"{flat[0]:.6g}"
    if flat.size <= 4:
        return "[" + ", ".join(f"{one:.6g}" for one in flat) + "]"
    return f"{values.shape[0] if values.ndim == 1 else values.shape} values, {flat[0]:.6g} to {flat[-1]:.6g}"
