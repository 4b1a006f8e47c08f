"""UFF, the file format of the UltraSound ToolBox: its channel data.

pyuff-ustb reads everything but the samples, which are read with h5py a block at a time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ...errors import FileError, InputError, MissingExtraError
from ...runtime.hdf5 import LinkWalk, last_clause, opened, understood
from ..content import Content, Frames, Parameters, parameter


def channel_data_in(path: Path) -> str | None:
    """Where in an HDF5 file a `uff.channel_data` lies; None if it is no UFF file or has none."""
    with opened(path, "recording") as file, understood(path, "recording"):
        for name in file:
            item = file.get(name)  # None for a link that leads nowhere
            kind = item.attrs.get("class") if item is not None else None
            if kind in ("uff.channel_data", b"uff.channel_data"):
                return name
    return None


def read_uff(path: Path, location: str) -> Content:
    """Channel RF or IQ and its scan.

    Raises
    ------
    MissingExtraError : pyuff-ustb is not installed.
    FileError : something compulsory is missing.
    InputError : waves or a probe that leave the image plane.
    """
    try:
        import pyuff_ustb
    except ImportError as error:
        raise MissingExtraError("pyuff-ustb", "uff") from error
    with opened(path, "recording") as file, understood(path, "recording"):
        data: Any = file[location].get("data")
        if data is None:
            raise FileError(path, f"is a UFF file whose {location} has no samples; write it again")
        is_pair = isinstance(data, h5py.Group)
        item: Any = data["real"] if is_pair else data
        shape, dtype = item.shape, item.dtype
        _require_tree(file[location], LinkWalk(path))
    try:
        channels: Any = pyuff_ustb.Uff(str(path)).read(location)
        parameters = _parameters(channels, len(shape))
    except InputError:
        raise
    except Exception as error:  # pyuff-ustb fails in its own ways on what is not there
        reason = f"{type(error).__name__}: {last_clause(error)}"
        raise FileError(path, f"is a UFF file that pyuff-ustb cannot read ({reason}); write it again") from error
    is_demodulated = float(np.squeeze(channels.modulation_frequency or 0)) > 0
    # Stored as MATLAB does: the last axis varies slowest there, and trailing axes of one are left out.
    axes = ("frame", "wave", "element", "sample")[-len(shape) :]
    frames = Frames(
        lambda: _open(path, location, is_pair, is_demodulated),
        shape,
        np.dtype(np.complex64) if is_pair and is_demodulated else dtype,
        axes,
    )
    return Content("channel_iq" if is_demodulated else "rf", frames, parameters, "UFF", location)


def _require_tree(item: Any, walk: LinkWalk) -> None:
    """Refuse groups within themselves, which pyuff-ustb would follow for ever, and parts too large to be read whole."""
    if isinstance(item, h5py.Group):
        with walk.within(item):
            for name in item:
                if name != "data":
                    _require_tree(item.get(name), walk)
    elif isinstance(item, h5py.Dataset) and item.shape is not None:
        walk.take(item)


def _parameters(channels: Any, axes: int) -> Parameters:
    def of(name: str, value: Any, where: str) -> None:
        if value is not None:
            number = np.squeeze(np.asarray(value, float))
            stated[name] = parameter(name, float(number) if number.ndim == 0 else number, f"file ({where})")

    stated: Parameters = {}
    waves = channels.sequence
    waves = waves if isinstance(waves, list) else [waves]
    of("sampling_frequency", channels.sampling_frequency, "sampling_frequency")
    of("sound_speed", channels.sound_speed, "sound_speed")
    modulation = float(np.squeeze(channels.modulation_frequency or 0))
    if modulation > 0:
        of("centre_frequency", modulation, "modulation_frequency")
    elif channels.pulse is not None:
        of("centre_frequency", channels.pulse.center_frequency, "pulse.center_frequency")
    of("pulse_rate", channels.PRF, "PRF")
    _add_probe(stated, channels.probe)
    delays = np.array([float(np.squeeze(wave.delay or 0.0)) for wave in waves])
    start = float(np.squeeze(channels.initial_time)) + delays
    angles, sources = _waves(waves)
    # UFF counts from when a wave passes the origin of its coordinates, wherever the probe lies.
    x, z = (np.ravel(stated[name].value) for name in ("element_x", "element_z"))
    middle = np.array([(x[0] + x[-1]) / 2, z.max()])
    start = start - _path(middle, angles, sources) / float(np.squeeze(channels.sound_speed))
    of("start_time", start, "initial_time, sequence.delay")
    of("angles", angles, "sequence.source.azimuth")
    if np.isfinite(sources).any():
        stated["sources"] = parameter("sources", sources, "file (sequence.source)")
    return stated


def _add_probe(stated: Parameters, probe: Any) -> None:
    """Positions and directions of the elements."""
    origin = np.zeros(3)
    with contextlib.suppress(Exception):  # none is written by many
        origin = np.nan_to_num(np.asarray(probe.origin.xyz, float).ravel())
    for name, values in (
        ("element_x", probe.x + origin[0]),
        ("element_y", probe.y + origin[1]),
        ("element_z", probe.z + origin[2]),
        ("element_angles", probe.theta),
    ):
        stated[name] = parameter(name, np.ravel(np.asarray(values, float)), "file (probe)")


def _waves(waves: list[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Steering of each plane wave, and the virtual source (x, z) of each other."""
    angles, sources = np.zeros(len(waves)), np.full((len(waves), 2), np.nan)
    for number, wave in enumerate(waves):
        azimuth, elevation, distance = (
            float(np.squeeze(getattr(wave.source, name))) for name in ("azimuth", "elevation", "distance")
        )
        if abs(elevation) > 1e-6:
            raise InputError(f"wave {number} is steered by {elevation:.3g} rad out of the image; leave it out")
        if wave.wavefront.name == "plane" or np.isinf(distance):
            angles[number] = azimuth
        elif wave.wavefront.name == "spherical":
            sources[number] = distance * np.sin(azimuth), distance * np.cos(azimuth)
        else:
            raise InputError(f"wave {number} is {wave.wavefront.name}; only plane and spherical waves are beamformed")
    return angles, sources


def _path(point: NDArray[np.float64], angles: NDArray[np.float64], sources: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much further than the origin a point of the probe is for each wave, m."""
    plane = point[0] * np.sin(angles) + point[1] * np.cos(angles)
    spherical = np.hypot(*(point - sources).T) - np.hypot(*sources.T)
    return np.where(np.isnan(sources[:, 0]), plane, np.where(sources[:, 1] > 0, -spherical, spherical))


@contextlib.contextmanager
def _open(path: Path, location: str, is_pair: bool, is_demodulated: bool) -> Iterator[Any]:
    with opened(path, "recording") as file:
        data = file[f"{location}/data"]
        if not is_pair:
            yield data
        elif is_demodulated:
            yield _Pair(data["real"], data["imag"])
        else:
            yield data["real"]  # an analytic signal; its real part is the RF


class _Pair:
    """Two datasets as one of complex numbers."""

    def __init__(self, real: Any, imaginary: Any):
        self.real, self.imaginary = real, imaginary

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[np.complex64]:
        return (self.real[index] + 1j * self.imaginary[index]).astype(np.complex64)
