"""A sequence's parts as every other format takes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...runtime.files import plain
from ..labels import MotorUnits

TITLE = "myovivo sequence"

PER_UNIT = ("centre", "diameter", "mask", "weight", "source", "background_weight", "background_source")


class SequenceParts(Protocol):
    """What is written of a sequence, by whatever holds it."""

    @property
    def velocity(self) -> NDArray[np.float32]: ...

    @property
    def shape(self) -> tuple[int, int, int]: ...

    @property
    def duration(self) -> float: ...

    @property
    def frame_rate(self) -> float: ...

    @property
    def spacing(self) -> tuple[float, float]: ...

    @property
    def labels(self) -> MotorUnits | None: ...

    @property
    def origin(self) -> str: ...

    @property
    def subject(self) -> str: ...

    @property
    def provenance(self) -> Mapping[str, Any]: ...


def provenance_text(provenance: Mapping[str, Any]) -> str:
    """Provenance as JSON."""
    return json.dumps(dict(provenance), default=plain, sort_keys=True)


def flat_labels(labels: MotorUnits) -> dict[str, NDArray[Any]]:
    """Labels as arrays of equal rows: the firings of all units in one list, with the unit of each."""
    arrays = {name: np.asarray(getattr(labels, name)) for name in PER_UNIT if getattr(labels, name) is not None}
    counts = [len(times) for times in labels.spike_times]
    return {
        **arrays,
        "spike_time": np.concatenate([*labels.spike_times, np.empty(0)]),
        "spike_unit": np.repeat(np.arange(len(labels)), counts),
        "sync_partner": np.concatenate([*labels.sync_partner, np.empty(0, int)]).astype(int),
        **{f"twitch.{name}": np.asarray(values) for name, values in labels.twitch.items()},
    }


def labels_of_flat(arrays: Mapping[str, NDArray[Any]]) -> MotorUnits:
    """What `flat_labels` was made of."""
    unit, count = arrays["spike_unit"], len(arrays["diameter"])
    return MotorUnits(
        spike_times=tuple(arrays["spike_time"][unit == k] for k in range(count)),
        sync_partner=tuple(arrays["sync_partner"][unit == k] for k in range(count)),
        twitch={name.removeprefix("twitch."): value for name, value in arrays.items() if name.startswith("twitch.")},
        **{name: arrays[name] for name in PER_UNIT if name in arrays},
    )
