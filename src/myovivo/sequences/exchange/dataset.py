"""A sequence as an xarray dataset, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ...errors import InputError, MissingExtraError
from ..labels import MotorUnits
from .parts import SequenceParts, flat_labels, labels_of_flat, provenance_text

if TYPE_CHECKING:
    import xarray

_FRAME = ("depth", "lateral")

_AXES = {
    "mask": ("unit", *_FRAME),
    "weight": ("unit", *_FRAME),
    "source": ("unit", "time"),
    "centre": ("unit", "place"),
    "diameter": ("unit",),
    "background_weight": ("pattern", *_FRAME),
    "background_source": ("pattern", "time"),
    "spike_time": ("spike",),
    "spike_unit": ("spike",),
    "sync_partner": ("spike",),
}

_EVEN = 1e-3  # by how much steps of a coordinate may differ, over the mean step


def dataset_of(sequence: SequenceParts) -> xarray.Dataset:
    """Velocity over `time` (s), `depth` and `lateral` (m), and the labels as variables beside it."""
    try:
        import xarray
    except ImportError as error:
        raise MissingExtraError("xarray", "interop") from error
    frames, rows, columns = sequence.shape
    dz, dx = sequence.spacing
    coordinates = {
        "time": ("time", np.arange(frames) / sequence.frame_rate, {"units": "s"}),
        "depth": ("depth", (np.arange(rows) + 0.5) * dz, {"units": "m"}),
        "lateral": ("lateral", (np.arange(columns) + 0.5) * dx, {"units": "m"}),
    }
    about = {"units": "m/s", "long_name": "axial tissue velocity, positive towards the probe"}
    variables: dict[str, Any] = {"velocity": (("time", *_FRAME), sequence.velocity, about)}
    if sequence.labels is not None:
        for name, value in flat_labels(sequence.labels).items():
            variables[name] = (_AXES.get(name, ("unit",)), value)
        coordinates["place"] = ("place", list(_FRAME), {})
    attributes = {"origin": sequence.origin, "subject": sequence.subject}
    attributes["provenance"] = provenance_text(sequence.provenance)
    return xarray.Dataset(variables, coordinates, attributes)


def parts_of(data: xarray.Dataset | xarray.DataArray) -> dict[str, Any]:
    """The attributes of a sequence that a dataset of `dataset_of`, or an array with the same three axes, holds."""
    velocity = data["velocity"] if "velocity" in getattr(data, "data_vars", ()) else data
    if set(getattr(velocity, "dims", ())) != {"time", *_FRAME}:
        got = getattr(velocity, "dims", type(data).__name__)
        raise InputError(f"the velocity must have the axes time, depth and lateral, got {got}; rename them")
    velocity = velocity.transpose("time", *_FRAME)
    if (unit := velocity.attrs.get("units", "m/s")) != "m/s":
        raise InputError(f"the velocity must be in m/s, got {unit!r}; scale it, and say so in its attribute units")
    steps = {name: _step(name, velocity) for name in ("time", *_FRAME)}
    labels: MotorUnits | None = None
    if "spike_time" in data:
        labels = labels_of_flat({str(name): data[name].values for name in data.data_vars if name != "velocity"})
    return {
        "velocity": velocity.values,
        "frame_rate": 1 / steps["time"],
        "spacing": (steps["depth"], steps["lateral"]),
        "origin": data.attrs.get("origin", "vivo"),
        "subject": data.attrs.get("subject", ""),
        "provenance": json.loads(data.attrs.get("provenance", "{}")),
        "labels": labels,
    }


def _step(name: str, velocity: Any) -> float:
    """The step of an even coordinate, s or m."""
    if name not in velocity.coords:
        raise InputError(f"the axis {name} has no coordinate; give it one, in {'s' if name == 'time' else 'm'}")
    values: ArrayLike = velocity.coords[name].values
    steps = np.diff(np.asarray(values, float))
    if not len(steps) or not (steps > 0).all() or np.ptp(steps) > _EVEN * steps.mean():
        raise InputError(f"the coordinate {name} must grow by even steps, at least one; interpolate to such a grid")
    return float(round(steps.mean(), 12))
