"""A sequence as a MATLAB file, version 5, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import FileError, InputError
from ..labels import MotorUnits
from .parts import PER_UNIT, TITLE, SequenceParts, provenance_text

LIMIT = 2**31 - 1  # bytes of a variable


def write_mat(sequence: SequenceParts, path: Path) -> Path:
    """Write a MATLAB v5 file, which any MATLAB loads; axes are depth x lateral x frame, as MATLAB likes them."""
    if sequence.velocity.nbytes > LIMIT:
        limit = LIMIT / sequence.velocity[0].nbytes / sequence.frame_rate
        raise InputError(
            f"{path.name}: a variable in a MATLAB v5 file holds 2 GB, the velocity takes "
            f"{sequence.velocity.nbytes / 1e9:.1f} GB; crop it to {limit:.0f} s, or read the HDF5 file with h5read"
        )
    content: dict[str, Any] = {
        "format": TITLE,
        "velocity": np.moveaxis(sequence.velocity, 0, -1),
        "frame_rate": float(sequence.frame_rate),
        "spacing": np.asarray(sequence.spacing, float),
        "origin": sequence.origin,
        "subject": sequence.subject,
        "provenance": provenance_text(sequence.provenance),
    }
    if sequence.labels is not None:
        content["labels"] = _struct(sequence.labels)
    from ...runtime.matlab import save_matlab

    return save_matlab(path, content)


def _struct(labels: MotorUnits) -> dict[str, Any]:
    """Labels as a MATLAB struct: cells of firings, units counted from 1, the units' axis last."""
    arrays = {name: getattr(labels, name) for name in PER_UNIT if getattr(labels, name) is not None}
    for name in ("mask", "weight", "background_weight"):
        if name in arrays:
            arrays[name] = np.moveaxis(np.asarray(arrays[name]), 0, -1)
    twitch = {name: np.asarray(values) for name, values in labels.twitch.items()}
    return {
        **arrays,
        "spike_times": _cells(labels.spike_times),
        "sync_partner": _cells([np.asarray(partners, float) + 1 for partners in labels.sync_partner]),  # 0: none
        **({"twitch": twitch} if twitch else {}),
    }


def _cells(rows: Any) -> NDArray[np.object_]:
    cells = np.empty((1, len(rows)), object)
    for place, row in enumerate(rows):
        cells[0, place] = np.asarray(row, float).reshape(1, -1)
    return cells


def read_mat(path: Path) -> dict[str, Any] | None:
    """The attributes of a sequence that `write_mat` wrote; None if it did not."""
    from ...runtime.matlab import read_matlab

    try:
        content = read_matlab(path)
    except FileError:
        return None
    if content.get("format") != TITLE:
        return None
    labels = content.get("labels")
    return {
        "velocity": np.ascontiguousarray(np.moveaxis(_three(content["velocity"]), -1, 0)),
        "frame_rate": float(np.ravel(content["frame_rate"])[0]),
        "spacing": tuple(float(step) for step in np.ravel(content["spacing"])),
        "origin": content["origin"],
        "subject": content["subject"],
        "provenance": json.loads(content["provenance"]),
        "labels": None if labels is None else _units(labels, np.shape(content["velocity"])[:2]),
    }


def _three(array: Any) -> NDArray[Any]:
    """With a last axis of one where MATLAB dropped it."""
    array = np.asarray(array)
    return array[..., None] if array.ndim == 2 else array


def _units(struct: Mapping[str, Any], size: tuple[int, ...]) -> MotorUnits:
    arrays = {name: np.asarray(struct[name]) for name in PER_UNIT if name in struct}
    for name in ("mask", "weight", "background_weight"):
        if name in arrays:
            arrays[name] = np.moveaxis(arrays[name].reshape(*size, -1), -1, 0)
    count = len(struct["spike_times"])
    return MotorUnits(
        spike_times=tuple(np.ravel(times) for times in struct["spike_times"]),
        sync_partner=tuple(np.ravel(partners).astype(int) - 1 for partners in struct["sync_partner"]),
        twitch={name: np.ravel(values) for name, values in (struct.get("twitch") or {}).items()},
        centre=arrays.pop("centre").reshape(count, 2),
        diameter=np.ravel(arrays.pop("diameter")),
        mask=arrays.pop("mask").astype(bool),
        **arrays,
    )
