"""What is wrong with a recording that can still be computed with: said in one line each, never silently."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..sequences.quantities import plausible
from .content import Parameters
from .geometry import frame_steps
from .timing import ascend, frame_increments

_FLAT = 3  # equal extreme samples in a row: the converter was at its end

_SATURATED = 1e-4  # share of samples from which that is worth a word

_NAMED = 5

_ALIASED = 0.01  # share of the echo

_SHIFTED = 0.3  # of the centre frequency

_OVERLAID = 1e-3  # share of the pixels of a video's image region

_WILD = 30  # SDs of the velocity; of 16 clips of contracting muscle the most was 26

_LEVELS = 16  # between the extremes, from which samples at them can be saturated


class Watch:
    """Looks at frames as they pass: silent and saturated channels, repeated and empty frames.

    Parameters
    ----------
    blocks : of channel frames (B, W, S, E), or of pictures (B, Z, X)
    has_channels : which of the two
    """

    def __init__(self, blocks: Callable[[], Iterator[NDArray[Any]]], has_channels: bool):
        self._blocks, self._has_channels = blocks, has_channels
        self._reset()

    def __call__(self) -> Iterator[NDArray[Any]]:
        """The blocks, unchanged.

        Raises
        ------
        InputError : values that are not finite, or nothing but zeros.
        """
        self._reset()
        for block in self._blocks():
            self._look(block)
            yield block
        if self._frames and len(self._empty) == self._frames:
            raise InputError("all frames are zero throughout; check what was exported")

    def notes(self) -> list[str]:
        """What was seen, a line each, with the remedy."""
        notes = []
        silent = np.flatnonzero(~self._sounding)
        if self._has_channels and len(silent):
            notes.append(
                f"{_count(silent, 'channel')} constant throughout (element {_some(silent)}) and add nothing; "
                "check the probe and its connector"
            )
        if self._has_channels and self._clipped > _SATURATED * self._samples:
            share = 100 * self._clipped / self._samples
            elements = np.flatnonzero(self._clipping)
            notes.append(
                f"{share:.2g} % of the samples are saturated (element {_some(elements)}); "
                "lower the gain, as the phase there is wrong"
            )
        if len(self._repeated):
            notes.append(
                f"{_count(self._repeated, 'frame')} an exact repetition of the one before (frame "
                f"{_some(self._repeated)}): frames were dropped and filled in, and the velocity is wrong there"
            )
        if len(self._empty):
            notes.append(
                f"{_count(self._empty, 'frame')} zero (frame {_some(self._empty)}): dropped frames; cut them off"
            )
        return notes

    def _reset(self) -> None:
        self._frames = self._samples = self._clipped = 0
        self._sounding = self._clipping = np.zeros(0, bool)
        self._repeated: list[int] = []
        self._empty: list[int] = []
        self._last: NDArray[Any] | None = None

    def _look(self, block: NDArray[Any]) -> None:
        if block.dtype.kind in "fc" and not np.isfinite(np.sum(block)) and not np.isfinite(block).all():
            raise InputError("the frames must be finite, got NaN or infinite values; mask or fill them")
        # A few samples of each frame tell most frames apart; only those that agree are compared whole.
        every = max(1, block[0].size // 1000)
        for number, frame in enumerate(block, self._frames):
            before = self._last
            few = frame.ravel()[::every]
            if not few.any() and not frame.any():
                self._empty.append(number)
            elif before is not None and np.array_equal(before.ravel()[::every], few) and np.array_equal(before, frame):
                self._repeated.append(number)
            self._last = frame
        self._frames += len(block)
        if self._has_channels:
            self._look_at_channels(block)

    def _look_at_channels(self, block: NDArray[Any]) -> None:
        if not len(self._sounding):
            self._sounding = np.zeros(block.shape[-1], bool)
            self._clipping = np.zeros(block.shape[-1], bool)
        if not self._sounding.all():
            self._sounding = self._sounding | (block != block[:, :, :1]).any((0, 1, 2))
        if block.dtype.kind == "c":
            return  # no converter gave these numbers
        self._samples += block.size
        low, high = block.min(), block.max()
        if (block.dtype.kind != "f" and int(high) - int(low) < _LEVELS) or low == high:
            return
        at_end = (block == low) | (block == high)
        run = at_end[:, :, : 1 - _FLAT]
        for lag in range(1, _FLAT):
            run = run & at_end[:, :, lag : at_end.shape[2] + lag - _FLAT + 1]
        if run.any():
            self._clipped += int(np.count_nonzero(at_end))
            self._clipping = self._clipping | run.any((0, 1, 2))


class Speed:
    """Looks at velocity as it passes: whether it is one that muscle has.

    Parameters
    ----------
    name : the row of the table of plausible quantities
    shown : what a note calls it
    """

    def __init__(self, name: str, shown: str):
        self._name, self._shown = name, shown
        self._squares, self._count = 0.0, 0

    def watched(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """The blocks, unchanged."""
        for block in blocks:
            self._squares += float(np.sum(np.square(block, dtype=np.float64)))
            self._count += block.size
            yield block

    def notes(self) -> list[str]:
        """A line if the velocity is unusual."""
        rms = (self._squares / max(self._count, 1)) ** 0.5
        note = plausible(self._name, rms, shown=self._shown) if rms > 0 else ""
        return [note] if note else []


class Peaks:
    """Looks at velocity (B, Z, X) as it passes: single places far beyond all the rest."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._squares, self._count = 0.0, 0
        self._peaks: list[tuple[float, int, int]] = []  # of each frame: value, row, column

    def __call__(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """The blocks, unchanged."""
        self._reset()
        for block in blocks:
            self._squares += float(np.sum(np.square(block), dtype=np.float64))
            self._count += block.size
            for frame in block:
                row, column = divmod(int(np.argmax(np.abs(frame))), frame.shape[1])
                self._peaks.append((float(frame[row, column]), row, column))
            yield block

    def notes(self, frame_rate: float, spacing: tuple[float, float]) -> list[str]:
        """A line with the worst place, in ms and mm, if any is beyond what tissue does; Hz, m."""
        if not self._squares:
            return []
        sd = (self._squares / self._count) ** 0.5
        values = np.abs([value for value, _, _ in self._peaks])
        wild = np.flatnonzero(values > _WILD * sd)
        if not len(wild):
            return []
        frame = int(np.argmax(values))
        value, row, column = self._peaks[frame]
        (dz, dx), several = spacing, len(wild) > 1
        return [
            f"the velocity has outliers in {len(wild)} frame{'s' if several else ''}, up to {1e3 * value:.3g} mm/s, "
            f"{values[frame] / sd:.0f} times its SD: frame {frame} at {1e3 * frame / frame_rate:.4g} ms, "
            f"{1e3 * (row + 0.5) * dz:.3g} mm deep, {1e3 * (column + 0.5) * dx:.3g} mm from the left edge; look there "
            "at the recording, and cut it or mask it if it is an error"
        ]


def timing_notes(parameters: Parameters, waves: int) -> list[str]:
    """Gaps in the time stamps of frames or transmits."""
    if "frame_times" in parameters:
        times = np.atleast_1d(np.asarray(parameters["frame_times"].value, float))
        gaps = frame_increments(times) - 1 if ascend(times) and len(times) > 2 else np.zeros(0, int)
    elif "transmit_intervals" in parameters:
        steps = frame_steps(np.asarray(parameters["transmit_intervals"].value, float), waves)
        usual = np.median(steps) if len(steps) > 1 else 0.0
        gaps = np.rint(steps / usual).astype(int) - 1 if usual > 0 else np.zeros(0, int)
    else:
        return []
    late = np.flatnonzero(gaps > 0)
    if not len(late):
        return []
    missing = int(gaps[late].sum())
    return [
        f"{missing} frame{'s are' if missing > 1 else ' is'} missing by the time stamps (after frame {_some(late)}): "
        "the velocity is wrong there; cut the recording"
    ]


def aliasing_note(share: float, nyquist: float) -> list[str]:
    """Whether velocities probably fold over; `nyquist` in m/s."""
    if share < _ALIASED:
        return []
    return [
        f"{100 * share:.0f} % of the echo moves at over 90 % of the Nyquist velocity, {1e3 * nyquist:.3g} mm/s "
        "(c x frame rate / 4 f0): it is probably aliased; record at a higher frame rate"
    ]


def frequency_note(measured: float, nominal: float) -> list[str]:
    """Whether the local centre frequency, Hz, is one that echoes of the nominal one can have."""
    if abs(measured / nominal - 1) < _SHIFTED:
        return []
    return [
        f"the echo has {measured / 1e6:.3g} MHz where {nominal / 1e6:.3g} MHz was expected: check "
        "scan.centre_frequency, and scan.baseband if this is IQ of another beamformer"
    ]


def overlay_note(share: float) -> list[str]:
    """Whether colour lies over the grey levels of a B-mode video; `share` of the pixels of its region."""
    if share < _OVERLAID:
        return []
    return [
        f"{100 * share:.2g} % of the image region is in colour (Doppler, callipers or text): what stands still there "
        "is measured as no motion; cut it off with video.crop, or export without overlay"
    ]


def axes_note(axes: str, shape: tuple[int, ...]) -> list[str]:
    """Whether axes that nobody named look wrong."""
    if shape[0] >= max(shape[-2:]):
        return []
    return [
        f"nobody named the axes; {axes} was assumed, which makes {shape[0]} frames: give scan.axes if that is wrong"
    ]


def _count(items: Any, word: str) -> str:
    return f"{len(items)} {word} is" if len(items) == 1 else f"{len(items)} {word}s are"


def _some(items: Any) -> str:
    listed = ", ".join(str(int(item)) for item in items[:_NAMED])
    return f"{listed}, …" if len(items) > _NAMED else listed
