"""Sequences and labels from plain arrays and lists: what somebody's own simulator gives."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import FileError, InputError, UnitWarning
from ..runtime.provenance import made_by
from ..runtime.texts import json_of, read_text
from .header import Origin
from .labels import MotorUnits
from .quantities import VELOCITY_UNITS, plausible, positive

UNIT_KEYS = ("spike_times", "mask", "centre", "diameter", "weight", "source", "sync_partner", "twitch")

_BEYOND = 0.5  # share of the firings after the end from which the times are no seconds of this sequence


class FromArray:
    """What is made of an array, for the class that has one."""

    @classmethod
    def from_array(
        cls,
        array: ArrayLike,
        *,
        frame_rate: float,
        spacing: float | tuple[float, float],
        unit: Literal["m/s", "cm/s", "mm/s"] = "m/s",
        sign: Literal[-1, 1] = 1,
        labels: MotorUnits | Mapping[str, Any] | None = None,
        origin: Origin = "silico",
        subject: str = "",
    ) -> Self:
        """A sequence of a velocity array, such as your own simulator gives, with its truth.

        Parameters
        ----------
        array : (T, Z, X): frame, depth, lateral
        frame_rate : Hz
        spacing : pixel size (dz, dx), m, or one number for both
        unit : of the array
        sign : -1 if it is positive away from the probe
        labels : ready `MotorUnits`, or what is known of K units by name: `spike_times` (K lists, s from the first
            frame) and where they are, as `mask` (K, Z, X), or as `centre` (K, 2) in depth and laterally from the
            upper left corner and `diameter` (K,), m. Further, if known: `weight` (K, Z, X), else the mask; `source`
            (K, T), m/s, else the courses that add up to the velocity best, by least squares; `sync_partner`; `twitch`
        origin : where the motion comes from
        subject : who or what was imaged; data sets are split by it

        Returns
        -------
        Sequence

        Raises
        ------
        InputError : another number of axes, values that are not finite or too fast for their unit, or labels that do
            not fit the array, by name.

        Warns
        -----
        UnitWarning : a velocity that is possible, but unusual.
        """
        if unit not in VELOCITY_UNITS:
            raise InputError(f"unit must be one of {', '.join(VELOCITY_UNITS)}, got {unit!r}")
        if sign not in (-1, 1):
            raise InputError(f"sign must be 1, or -1 if the array is positive away from the probe, got {sign!r}")
        if origin not in get_args(Origin):
            raise InputError(f"origin must be one of {', '.join(get_args(Origin))}, got {origin!r}")
        # The velocity, in m/s if its unit is the one that was said
        velocity = _velocity(array) * np.float32(sign * VELOCITY_UNITS[unit])
        if note := _speed_note(velocity):
            warnings.warn(UnitWarning(note), stacklevel=2)
        dz, dx = np.broadcast_to(np.asarray(spacing, float), 2).tolist() if np.size(spacing) in (1, 2) else (0.0, 0.0)
        positive("frame_rate", frame_rate, "Hz")
        positive("spacing", min(dz, dx), "m, one number or (dz, dx)")
        # Its truth
        if isinstance(labels, MotorUnits):
            require_fitting(labels, velocity.shape)
        elif labels is not None:
            units = units_of_lists(labels, velocity.shape, frame_rate, (dz, dx))
            labels = units if "source" in labels else replace(units, source=SourceFit(units.weight)(velocity))
        provenance = made_by("array", unit=unit, sign=sign)
        return cls(velocity, frame_rate, (dz, dx), labels, origin, subject, provenance)  # type: ignore[call-arg]


def _velocity(array: ArrayLike) -> NDArray[np.float32]:
    try:
        velocity = np.asarray(array)
    except ValueError as error:  # lists of several lengths
        raise InputError("the array must be (T, Z, X): frame, depth, lateral; all frames of one size") from error
    if velocity.dtype.kind not in "fiu" or velocity.ndim != 3 or velocity.size == 0:
        got = f"{velocity.dtype} of shape {velocity.shape}"
        raise InputError(f"the array must be numbers (T, Z, X): frame, depth, lateral; got {got}")
    if bad := int(np.count_nonzero(~np.isfinite(velocity))):
        raise InputError(f"velocity must be finite, got {bad} NaN or infinite of {velocity.size} values; fill them")
    return velocity.astype(np.float32)


def _speed_note(velocity: NDArray[np.float32]) -> str:
    rms = math.sqrt(float(np.mean(np.square(velocity, dtype=np.float64))))
    try:
        return plausible("velocity", rms, shown="root-mean-square velocity") if rms else ""
    except InputError as error:
        raise InputError(f"{error} give unit='mm/s' then") from None


class SourceFit:
    """The courses of units of known weights, by least squares, block by block of velocity."""

    def __init__(self, weight: NDArray[Any]):
        self._inverse = np.linalg.pinv(np.asarray(weight, np.float64).reshape(len(weight), -1)).T

    def __call__(self, velocity: NDArray[np.float32]) -> NDArray[np.float32]:
        """(B, Z, X) -> (K, B), m/s."""
        return (self._inverse @ velocity.reshape(len(velocity), -1).T).astype(np.float32)


def read_units(path: str | Path) -> dict[str, Any]:
    """What a JSON file says of motor units, by the names that `Sequence.from_array` takes.

    Raises
    ------
    FileError : missing, no JSON, or no such names.
    """
    path = Path(path)
    try:
        content = json_of(read_text(path))
    except (OSError, ValueError) as error:
        raise FileError(path, f"is no readable JSON file of labels ({str(error)[:80]})") from error
    if not isinstance(content, dict) or "spike_times" not in content:
        raise FileError(path, f"holds no labels: an object with spike_times, of the names {', '.join(UNIT_KEYS)}")
    return content


def units_of_lists(
    labels: Mapping[str, Any], shape: tuple[int, ...], frame_rate: float, spacing: tuple[float, float]
) -> MotorUnits:
    """Motor units from plain lists or arrays; see `Sequence.from_array` for the names.

    Parameters
    ----------
    labels : by name
    shape : (T, Z, X) of their sequence
    frame_rate, spacing : of it, Hz and m

    Returns
    -------
    MotorUnits : with sources of zeros if they are not given

    Raises
    ------
    InputError : a name, a number of units or a shape that does not fit, or times and places in another unit.
    """
    if unknown := sorted(map(str, set(labels) - set(UNIT_KEYS))):
        raise InputError(f"labels know nothing of {unknown[0]!r}; the names are {', '.join(UNIT_KEYS)}")
    frames, rows, columns = shape
    times = _times(labels, frames / frame_rate)
    count = len(times)
    # Where: a mask, or discs; either follows from the other.
    mask, centre, diameter = _territories(labels, (count, rows, columns), spacing)
    # How they move it, and what else is known.
    weight = _numbers(labels, "weight", (count, rows, columns)) if "weight" in labels else mask
    source = _numbers(labels, "source", (count, frames)) if "source" in labels else np.zeros((count, frames))
    twitch = labels.get("twitch") or {}
    if not isinstance(twitch, Mapping):
        raise InputError("labels' twitch must be values by name, such as contraction_time: one number per unit, in s")
    return MotorUnits(
        spike_times=times,
        sync_partner=_partners(labels, times),
        centre=centre,
        diameter=diameter,
        mask=mask,
        weight=weight.astype(np.float32),
        source=source.astype(np.float32),
        twitch={name: _numbers(twitch, name, (count,)) for name in twitch},
    )


def require_fitting(labels: MotorUnits, shape: tuple[int, ...]) -> None:
    """Check that labels are of a sequence of `shape` (T, Z, X).

    Raises
    ------
    InputError : other frames or pixels.
    """
    there = (np.shape(labels.source)[-1], *np.shape(labels.mask)[1:])
    if there != tuple(shape):
        rule = f"the labels are of (T, Z, X) {there} but the velocity has {tuple(shape)}"
        raise InputError(f"{rule}; give both before they are resampled")


def _times(labels: Mapping[str, Any], duration: float) -> tuple[NDArray[np.float64], ...]:
    """Firings, s, ascending."""
    trains = labels.get("spike_times")
    if not isinstance(trains, list | tuple | np.ndarray) or not len(trains):
        raise InputError("labels need spike_times: for each unit a list of its firings, in s from the first frame")
    times = []
    for unit, train in enumerate(trains):
        try:
            firings = np.asarray(train, float)
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(f"spike_times of unit {unit} must be a list of numbers, in s") from error
        if firings.ndim != 1 or not np.isfinite(firings).all():
            raise InputError(f"spike_times of unit {unit} must be a list of finite times, in s")
        times.append(firings)
    every = np.concatenate(times)
    if not every.size:
        raise InputError("spike_times are empty for all units; leave labels out if nothing fires")
    if np.mean(every >= duration) > _BEYOND:
        rule = f"spike_times must be in s from the first frame of a sequence of {duration:.4g} s"
        raise InputError(f"{rule}, but most lie after its end, up to {every.max():.6g}; are they in frames or ms?")
    return tuple(times)


def _partners(labels: Mapping[str, Any], times: tuple[NDArray[np.float64], ...]) -> tuple[NDArray[np.int_], ...]:
    """The unit that each firing coincides with, or -1; firings out of order are put in order with their partners."""
    given = labels.get("sync_partner")
    try:
        partners = [np.full(len(train), -1) for train in times] if given is None else [np.array(p, int) for p in given]
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError("labels' sync_partner must be whole numbers, one list per unit") from error
    if [partner.shape for partner in partners] != [train.shape for train in times]:
        raise InputError("labels' sync_partner must name a unit, or -1, for each firing of spike_times")
    ordered = []
    for train, partner in zip(times, partners, strict=True):
        order = np.argsort(train, kind="stable")
        train[:] = train[order]
        ordered.append(partner[order])
    return tuple(ordered)


def _territories(
    labels: Mapping[str, Any], shape: tuple[int, int, int], spacing: tuple[float, float]
) -> tuple[NDArray[np.bool_], NDArray[Any], NDArray[Any]]:
    """Mask (K, Z, X), and centre (K, 2) and diameter (K,), m, of discs of its area unless they are given."""
    count = shape[0]
    given = {
        name: _numbers(labels, name, size)
        for name, size in (("mask", shape), ("centre", (count, 2)), ("diameter", (count,)))
        if name in labels
    }
    if "mask" not in given and len(given) < 2:
        raise InputError("labels need the place of each unit: mask (K, Z, X), or centre (K, 2) and diameter (K,) in m")
    _, rows, columns = shape
    z, x = (np.arange(rows)[:, None] + 0.5) * spacing[0], (np.arange(columns) + 0.5) * spacing[1]
    if "mask" in given:
        mask = given["mask"] > 0.5
    else:
        distance = np.hypot(z - given["centre"][:, :1, None], x - given["centre"][:, 1:, None])
        mask = distance <= given["diameter"][:, None, None] / 2
    area = mask.sum((1, 2))
    if empty := np.flatnonzero(area == 0).tolist():
        size = f"{1e3 * rows * spacing[0]:.3g} x {1e3 * columns * spacing[1]:.3g} mm"
        rule = f"unit {empty[0]} covers no pixel of the picture of {size}"
        raise InputError(f"{rule}; are centre and diameter in m, depth first? Else leave the unit out")
    if "mask" not in given and (area == mask[0].size).all():
        raise InputError("every unit covers the whole picture; is its diameter in m? If it is, give mask instead")
    middle = np.stack([(mask * z).sum((1, 2)), (mask * x).sum((1, 2))], 1) / area[:, None]
    width = 2 * np.sqrt(area * spacing[0] * spacing[1] / np.pi)
    centre, diameter = given.get("centre"), given.get("diameter")
    return mask, middle if centre is None else centre, width if diameter is None else diameter


def _numbers(values: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    try:
        array = np.asarray(values[name], float)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"labels' {name} must be numbers of shape {shape}") from error
    if array.shape != shape or not np.isfinite(array).all():
        raise InputError(f"labels' {name} must be finite numbers of shape {shape}, got shape {array.shape}")
    return array
