"""Ultrasonix: `.rf` files, and folders of the parallel receiver SonixDAQ with a file for each channel, `CH000.daq`, ….

A `.rf` file has a header of 19 integers and then line after line of 16-bit samples; before version 6 each frame begins
with its number. A `.daq` file has a header of 3 integers (of 19 in some versions), of which the second and third are
the number of frames and of samples, then the frames of one channel. Both tell less than is needed;
the rest is asked for.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import FileError, InputError
from ..content import CHANNEL_AXES, Content, Frames, Parameters, parameter

_RF = 16  # the type of a `.rf` file

_HEADER = 76  # bytes

_FIELDS = ("type", "frames", "lines", "samples", "bits", *(f"corner{k}" for k in range(8)), "probe", "txf", "sf", "dr")

_DAQ_HEADERS = (12, 19, _HEADER)  # bytes

_CHANNEL = re.compile(r"CH(\d{3})\.daq", re.IGNORECASE)

_LAG = 8  # samples by which the echoes of neighbours may lie apart

_CLEARLY = 1.15  # as alike, from which one order of channels is taken for that of the elements


class RfHeader(NamedTuple):
    """What a `.rf` file says of itself: sizes, bytes between frames, and frequencies in Hz (0 where unknown)."""

    frames: int
    lines: int
    samples: int
    tag: int
    transmit: float
    sampling: float
    rate: float


class DaqFolder(NamedTuple):
    """Files of a DAQ folder by channel, and what their headers say."""

    files: list[Path]
    frames: int
    samples: int
    header: int


def rf_header(path: Path) -> RfHeader | None:
    """The header of a `.rf` file; None for any other file."""
    try:
        with path.open("rb") as file:
            head = np.frombuffer(file.read(_HEADER), "<i4")
    except (OSError, ValueError):
        return None
    if len(head) < _HEADER // 4:
        return None
    told = dict(zip(_FIELDS, map(int, head), strict=False))
    if told["type"] != _RF or told["bits"] != 16 or min(told["frames"], told["lines"], told["samples"]) < 1:
        return None
    size, whole = path.stat().st_size - _HEADER, told["lines"] * told["samples"] * 2
    for tag in (0, 4):
        if size == told["frames"] * (whole + tag):
            return RfHeader(told["frames"], told["lines"], told["samples"], tag, told["txf"], told["sf"], told["dr"])
    return None


def is_daq_folder(path: Path) -> bool:
    """Whether a folder holds the channels of one recording."""
    return path.is_dir() and any(_CHANNEL.fullmatch(file.name) for file in path.iterdir())


def read_rf(path: Path, content: str | None) -> Content:
    """Lines of a `.rf` file as channel RF, if it is said that they are.

    Raises
    ------
    InputError : nobody says that the lines are of single elements.
    """
    header = rf_header(path)
    if header is None:
        raise FileError(path, "is no whole .rf file; copy it again")
    if content != "rf":
        raise InputError(
            f"holds {header.lines} lines of RF and does not say whether they are of a beamformer or of single "
            "elements; give scan.content rf if each is one element's (beamformed lines are not read)"
        )
    frames = Frames(
        lambda: contextlib.nullcontext(_Lines(path, header)),
        (header.frames, header.lines, header.samples),
        np.dtype("<i2"),
        ("frame", "element", "sample"),
    )
    told = {
        "sampling_frequency": (header.sampling, "sf"),
        "centre_frequency": (header.transmit, "txf"),
        "frame_rate": (header.rate, "dr"),
    }
    stated: Parameters = {
        name: parameter(name, float(value), f"file (header.{field})") for name, (value, field) in told.items() if value
    }
    return Content("rf", frames, stated, "Ultrasonix .rf", "", axes_origin="file")


def read_daq(folder: Path, waves: int = 1, order: str | None = None) -> Content:
    """The channels of a DAQ folder as channel RF.

    Parameters
    ----------
    folder : with a file for each channel
    waves : per frame
    order : `channels` as the files are numbered, `elements` as the wires of a probe of 128 elements run; if None, the
        order in which neighbours are more alike

    Raises
    ------
    FileError : channels that are missing, cut short or of different sizes.
    InputError : as many frames as waves do not divide, or neighbours that are alike in neither order.
    """
    daq = _daq_folder(folder)
    if daq.frames % waves:
        raise InputError(
            f"{daq.frames} frames are no multiple of {waves} waves; give scan.angles for each wave of a frame"
        )
    if order not in (None, "channels", "elements"):
        raise InputError(f"scan.variable must be channels or elements for a DAQ folder, got {order!r}")
    wires, why = _order(daq, order)
    shape = (daq.frames // waves, waves, daq.samples, len(daq.files))
    files = [daq.files[wire] for wire in wires]
    frames = Frames(lambda: contextlib.nullcontext(_Channels(files, daq, waves)), shape, np.dtype("<i2"), CHANNEL_AXES)
    return Content("rf", frames, {}, "Ultrasonix DAQ", f"{len(files)} channels", axes_origin=why)


def channel_files(folder: Path) -> list[Path]:
    """The files of a DAQ folder, by channel."""
    return sorted(
        (file for file in folder.iterdir() if _CHANNEL.fullmatch(file.name)), key=lambda file: file.name.lower()
    )


def routed(channels: int = 128) -> NDArray[np.int_]:
    """(E,) which channel of the DAQ each element of a probe of 128 is wired to: the first 16 to 0, 8, 16, …, 120."""
    element = np.arange(channels)
    return 8 * (element % 16) + element // 16


def _daq_folder(folder: Path) -> DaqFolder:
    files = channel_files(folder)
    missing = sorted(set(range(len(files))) - {int(file.stem[2:]) for file in files})
    if missing:
        raise FileError(folder, f"has no CH{missing[0]:03d}.daq, but {len(files)} channels; copy the whole folder")
    heads = {file: _daq_header(file) for file in files}
    first = heads[files[0]]
    if different := [file.name for file, head in heads.items() if head != first]:
        raise FileError(
            folder, f"{different[0]} has other frames or samples than {files[0].name}; copy the whole folder again"
        )
    return DaqFolder(files, *first)


def _daq_header(file: Path) -> tuple[int, int, int]:
    """Frames, samples and the length of the header in bytes."""
    try:
        with file.open("rb") as opened_file:
            head = np.frombuffer(opened_file.read(12), "<i4")
    except (OSError, ValueError) as error:
        raise FileError(file, f"cannot be read ({error})") from error
    frames, samples = (int(number) for number in head[1:3]) if len(head) == 3 else (0, 0)
    header = file.stat().st_size - frames * samples * 2
    if frames < 1 or samples < 1 or header not in _DAQ_HEADERS:
        raise FileError(
            file, f"is of {file.stat().st_size} bytes, not of {frames} frames of {samples} samples; copy it again"
        )
    return frames, samples, header


def _order(daq: DaqFolder, order: str | None) -> tuple[NDArray[np.int_], str]:
    """Which file each element is in, and who says so."""
    plain = np.arange(len(daq.files))
    if len(daq.files) != len(routed()):
        if order == "elements":
            raise InputError(f"the wires of a probe of 128 elements are known, not of {len(daq.files)}")
        return plain, "file"
    if order is not None:
        return (routed() if order == "elements" else plain), f"argument ({order})"
    records = _Channels(daq.files, daq, 1)[slice(0, min(daq.frames, 4)), slice(None)][:, 0].astype(np.float32)
    as_wired, as_numbered = (_likeness(records[:, :, wires]) for wires in (routed(), plain))
    if max(as_wired, as_numbered) < _CLEARLY * min(as_wired, as_numbered):
        raise InputError(
            f"neighbouring channels are as alike in the order of the files ({as_numbered:.2g}) as in that of a probe's "
            f"wires ({as_wired:.2g}); give scan.variable channels or elements"
        )
    taken = f"wired as 128 elements: neighbours are alike by {as_wired:.2g}, as numbered by {as_numbered:.2g}"
    if as_wired > as_numbered:
        return routed(), f"data ({taken})"
    return plain, f"data (as numbered: neighbours are alike by {as_numbered:.2g}, as wired by {as_wired:.2g})"


def _likeness(records: NDArray[np.float32]) -> float:
    """The largest correlation of neighbours within a few samples' lag, on average."""
    records = records - records.mean(1, keepdims=True)
    spectrum = np.fft.rfft(records, 2 * records.shape[1], axis=1)
    cross = np.fft.irfft(spectrum[:, :, 1:] * spectrum[:, :, :-1].conj(), axis=1)
    near = np.concatenate([cross[:, :_LAG], cross[:, -_LAG:]], 1).max(1)
    power = np.sqrt((records**2).sum(1))
    return float(np.mean(near / np.maximum(power[:, 1:] * power[:, :-1], 1e-30)))


class _Lines:
    """Frames of a `.rf` file: (frame, line, sample)."""

    def __init__(self, path: Path, header: RfHeader):
        self.path, self.header = path, header

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        _, lines, samples, tag, *_ = self.header
        row = tag // 2 + lines * samples
        stored = np.memmap(self.path, "<i2", "r", _HEADER, (self.header.frames, row))
        frames = np.array(stored[index[0], tag // 2 :]).reshape(-1, lines, samples)
        return frames[(slice(None), *index[1:])]


class _Channels:
    """Frames of a DAQ folder: (frame, wave, sample, channel)."""

    def __init__(self, files: list[Path], daq: DaqFolder, waves: int):
        self.files, self.daq, self.waves = files, daq, waves

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        start, stop, _ = index[0].indices(self.daq.frames // self.waves)
        rows = slice(start * self.waves, stop * self.waves)
        shape = (self.daq.frames, self.daq.samples)
        parts = [np.array(np.memmap(file, "<i2", "r", self.daq.header, shape)[rows]) for file in self.files]
        values = np.stack(parts, -1).reshape(-1, self.waves, self.daq.samples, len(self.files))
        return values[(slice(None), *index[1:])]
