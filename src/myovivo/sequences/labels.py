"""Ground truth of motor units: when each fired, where it lies, how it moves the pixels; and its part of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from ..runtime.arrays import Floats
from ..runtime.introduction import Introduced, Introduction, between
from ..runtime.words import counted
from .hdf5 import describe


@dataclass(frozen=True, eq=False, repr=False)
class MotorUnits(Introduced):
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

    def _introduction(self) -> Introduction:
        units, rows, columns = np.shape(self.mask)
        times = np.concatenate([*self.spike_times, np.empty(0)])
        rates = self.twitch.get("firing_rate")
        diameters = 1e3 * np.asarray(self.diameter, float)
        peaks = 1e3 * np.abs(np.asarray(self.source, float)).max(1, initial=0.0)
        background = 0 if self.background_weight is None else len(self.background_weight)
        facts = {
            "grid": f"{np.shape(self.source)[1]} frames of {rows} x {columns} pixels (depth x lateral)",
            "firings": f"{len(times)}, {np.count_nonzero(times < 0)} of them before the first frame"
            + (f"; {between(rates)} Hz" if rates is not None and len(rates) else ""),
        }
        if units:
            facts["territories"] = f"diameter {between(diameters)} mm"
            facts["sources"] = f"peak {between(peaks)} mm/s, positive towards the probe"
        if background:
            facts["background"] = counted(background, "pattern") + " of motion that no unit causes"
        return Introduction(f"MotorUnits: {counted(units, 'motor unit')}", facts)


def crop_labels(labels: MotorUnits, first: int, last: int, frame_rate: float) -> MotorUnits:
    """Ground truth of frames `first` to `last` (exclusive): times count from the first of them.

    Spikes before it stay, as negative times; those after the last cannot have moved anything and go.
    """
    times, partners = [], []
    for train, partner in zip(labels.spike_times, labels.sync_partner, strict=True):
        shifted = np.asarray(train) - first / frame_rate
        kept = shifted < (last - first) / frame_rate
        times.append(shifted[kept])
        partners.append(np.asarray(partner)[kept])
    background = labels.background_source
    return replace(
        labels,
        spike_times=tuple(times),
        sync_partner=tuple(partners),
        source=labels.source[:, first:last],
        background_source=None if background is None else background[:, first:last],
    )


def superpose(source: ArrayLike, weight: ArrayLike) -> NDArray[np.float32]:
    """Sum of K moving patterns as one matrix product: (K, T), (K, Z, X) -> (T, Z, X)."""
    source, weight = np.asarray(source, np.float32), np.asarray(weight, np.float32)
    flat = weight.reshape(len(weight), -1)
    # One thread: how a library splits a product over threads shows in its last bit, and the same seed
    # must give the same bytes on any machine and with any number of workers.
    with threadpool_limits(1, "blas"):
        return (source.T @ flat).reshape(source.shape[1], *weight.shape[1:])


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
            describe(group.create_dataset(name, data=_plain(value)), unit, description)
    for name, value in labels.twitch.items():
        unit = {"amplitude": "m", "sign": "1", "firing_rate": "Hz", "eigenstrain": "1"}.get(name, "s")
        describe(group.create_dataset(f"twitch/{name}", data=value), unit, f"twitch {name} per unit")
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
        describe(group.create_dataset(f"spikes/{name}", data=_plain(value)), unit, description)


def _plain(value: ArrayLike) -> NDArray[Any]:
    """Truth values as 0 and 1: HDF5 has none, and MATLAB would read h5py's stand-in as text."""
    array = np.asarray(value)
    return array.astype(np.uint8) if array.dtype == bool else array


def read_labels(group: Any, shape: tuple[int, int, int]) -> MotorUnits:
    """Read what `write_labels` wrote.

    Parameters
    ----------
    group : of the HDF5 file
    shape : (T, Z, X) of the sequence

    Raises
    ------
    ValueError : the parts fit neither each other nor the sequence.
    """
    count = len(group["centre"])
    _require_fit(group, count, shape)
    unit, time, partner = (group[f"spikes/{name}"][:] for name in ("unit", "time", "sync_partner"))
    return MotorUnits(
        spike_times=tuple(time[unit == k] for k in range(count)),
        sync_partner=tuple(partner[unit == k] for k in range(count)),
        twitch={name: values[:] for name, values in group["twitch"].items()} if "twitch" in group else {},
        **{name: group[name][:] for name in _LABEL_ARRAYS if name in group and name != "mask"},
        mask=group["mask"][:].astype(bool),
    )


def _require_fit(group: Any, count: int, shape: tuple[int, int, int]) -> None:
    """Refuse arrays of another size than the units and the sequence have, before they are read."""
    frames, rows, columns = shape
    patterns = len(group["background_source"]) if "background_source" in group else 0
    sizes = {"centre": (count, 2), "diameter": (count,), "mask": (count, rows, columns)}
    sizes |= {"weight": sizes["mask"], "source": (count, frames)}
    sizes |= {"background_weight": (patterns, rows, columns), "background_source": (patterns, frames)}
    for name, size in sizes.items():
        if name in group and group[name].shape != size:
            raise ValueError(f"labels/{name} is {group[name].shape} where {size} are wanted")
    spikes = {group[f"spikes/{name}"].shape for name in ("unit", "time", "sync_partner")}
    twitches = {values.shape for values in group["twitch"].values()} if "twitch" in group else set()
    if len(spikes) != 1 or twitches - {(count,)}:
        raise ValueError("labels of spikes or twitches are of different lengths")
