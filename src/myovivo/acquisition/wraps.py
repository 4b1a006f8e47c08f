"""Velocity that folded over at half a cycle per frame, and single estimates that are noise: both are mended.

Tissue accelerates little from frame to frame, so a phase that jumps by over half a cycle did not follow it. What folded
is unfolded along time (Itoh 1982, Appl Opt 21:2470, doi:10.1364/AO.21.002470), past estimates that jump away and back,
and home is where a pixel's phase is most of the time. What then still stands apart from its neighbours in time for less
than a quarter of the fastest oscillation is noise, and gives way to their median (Hampel's filter). All of it looks at
a window around each frame only, so that the result does not depend on the blocks in which frames come; at the ends of
a recording the window is half as long.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..runtime.arrays import Floats

_APART = math.pi / 2  # rad, a quarter of a cycle per frame: an estimate so far from its neighbours is noise

_ERRATIC = math.pi / 4  # rad, a change of the change from frame to frame that motion hardly has

_MOST_ERRATIC = 0.05  # share of the frames of a window, from which it is noise

_LONGEST = 0.25  # s, of the window on either side, as its frames are kept

_CHUNK = 128  # frames mended at a time

_PIXELS = 512  # of a chunk whose medians are taken at a time

VelocityAndPhase = Iterable[tuple[NDArray[np.float32], NDArray[np.float32]]]


class Wraps:
    """Mends velocity as it passes, and counts where.

    Parameters
    ----------
    frame_rate : Hz
    band : Hz, slowest and fastest oscillation of the tissue; home is told over a period of the slowest
        or half a second
    shape : (Z, X)
    nyquist : m/s, the velocity at which the phase turns by half a cycle per frame, at the nominal frequency

    Attributes
    ----------
    unfolded, replaced : (Z, X), how many estimates of each pixel were; once all blocks have passed
    """

    def __init__(self, frame_rate: float, band: tuple[float, float], shape: tuple[int, int], nyquist: float):
        self.nyquist = nyquist
        self._half = max(1, round(frame_rate * min(1 / (2 * band[0]), _LONGEST)))
        self._short = int(frame_rate / (4 * band[1]))
        self.unfolded, self.replaced = np.zeros(shape, int), np.zeros(shape, int)
        self._frames = 0

    def mended(self, pairs: VelocityAndPhase) -> Iterator[NDArray[np.float32]]:
        """Velocity (B, Z, X), m/s, as it came but for what is mended.

        Parameters
        ----------
        pairs : blocks of velocity and of the phase per frame, rad, that it was computed from, both (B, Z, X)
        """
        halo = self._half + 2 * self._short
        velocity: list[NDArray[np.float32]] = []
        phase: list[NDArray[np.float32]] = []
        before = held = 0  # frames that have passed already, and all that are kept
        for some, turned in pairs:
            velocity.append(some)
            phase.append(turned)
            held += len(some)
            if held - before - halo >= _CHUNK:
                whole, angles = np.concatenate(velocity), np.concatenate(phase)
                yield self._mend(whole, angles, slice(before, held - halo))
                first = max(0, held - 2 * halo)
                velocity, phase = [whole[first:].copy()], [angles[first:].copy()]
                before, held = held - halo - first, held - first
        if held > before:
            yield self._mend(np.concatenate(velocity), np.concatenate(phase), slice(before, held))

    def notes(self, spacing: tuple[float, float]) -> list[str]:
        """What was mended, as a share, and where most; pixel size in m."""
        count = self.unfolded + self.replaced
        if not count.any():
            return []
        row, column = np.unravel_index(int(count.argmax()), count.shape)
        place = (
            f"{1e3 * (row + 0.5) * spacing[0]:.3g} mm deep, {1e3 * (column + 0.5) * spacing[1]:.3g} mm from the left"
        )
        kinds = {
            f"had folded over at the Nyquist velocity, {1e3 * self.nyquist:.3g} mm/s, and were unfolded": self.unfolded,
            "were outliers and replaced by their neighbours in time": self.replaced,
        }
        parts = [
            f"{_percent(part.sum(), self._frames * count.size)} of the velocities {what}"
            for what, part in kinds.items()
            if part.any()
        ]
        return [
            f"{'; '.join(parts)}; most of them {place} ({_percent(int(count.max()), self._frames)} there): where that "
            "is much, do not trust it; record at a higher frame rate or with less noise"
        ]

    def _mend(self, velocity: NDArray[np.float32], phase: NDArray[np.float32], kept: slice) -> NDArray[np.float32]:
        """The kept frames of a window of frames, whose others only tell what is around them."""
        out = velocity[kept]
        self._frames += len(out)
        rows, columns = np.nonzero(np.ptp(phase, axis=0) > _APART)  # elsewhere there is nothing to mend
        for start in range(0, len(rows), _PIXELS):
            place = rows[start : start + _PIXELS], columns[start : start + _PIXELS]
            angle = phase[:, place[0], place[1]].astype(float)
            folds = _folds(angle, self._half, self._short)
            whole = angle + 2 * np.pi * folds
            usual = _running_median(whole, self._short)
            is_noise = np.abs(whole - usual) > _APART
            new = np.where(is_noise, usual, whole)[kept]
            is_noise, is_folded = is_noise[kept], (folds != 0)[kept] & ~is_noise[kept]
            # By what the phase was multiplied, which differs with the local centre frequency
            old, old_phase = out[:, place[0], place[1]], angle[kept]
            steady = np.abs(old_phase) > 1e-6
            factor = np.where(steady, old / np.where(steady, old_phase, 1), self.nyquist / np.pi)
            if (is_noise | is_folded).any():
                out = out.copy() if out.base is not None else out
                out[:, place[0], place[1]] = np.where(is_noise | is_folded, new * factor, old)
                self.replaced[place] += is_noise.sum(0)
                self.unfolded[place] += is_folded.sum(0)
        return out


def _bridged(phase: Floats, short: int) -> Floats:
    """(T, P): the phase, held where it jumps away and back within `short` frames, as noise would lead it astray."""
    step = np.diff(phase, axis=0, prepend=phase[:1])
    is_jump = np.abs(step - 2 * np.pi * np.rint(step / (2 * np.pi))) > _APART
    frame, never = np.arange(len(phase))[:, None], 2 * len(phase)
    last = np.maximum.accumulate(np.where(is_jump, frame, -never), axis=0)
    coming = np.minimum.accumulate(np.where(is_jump, frame, never)[::-1], axis=0)[::-1]
    coming = np.concatenate([coming[1:], np.full_like(coming[:1], never)])
    good = np.maximum.accumulate(np.where(coming - last <= short, 0, frame), axis=0)
    return np.take_along_axis(phase, good, axis=0)


def _folds(phase: Floats, half: int, short: int) -> NDArray[np.int64]:
    """(T, P): by how many cycles each phase (T, P) is to be raised, -1, 0 or 1.

    The jumps of a pixel are added up; where the sum is its median over `half` frames on either side, the pixel is at
    home. Where the phase is erratic in that window it is noise, which unfolding would only make larger.
    """
    bridged = _bridged(phase, short)
    jumps = -np.rint(np.diff(bridged, axis=0, prepend=bridged[:1]) / (2 * np.pi)).astype(int)
    turns = np.cumsum(jumps, axis=0)
    bend = np.diff(phase, n=2, axis=0, prepend=phase[:1], append=phase[-1:])
    is_erratic = np.abs(bend - 2 * np.pi * np.rint(bend / (2 * np.pi))) > _ERRATIC
    frame = np.arange(len(phase))
    first, last = np.maximum(frame - half, 0), np.minimum(frame + half + 1, len(phase))

    def counted(values: NDArray[np.bool_]) -> NDArray[np.int64]:
        total = np.concatenate([np.zeros((1, values.shape[1]), int), np.cumsum(values, axis=0)])
        return total[last] - total[first]

    home = np.full(phase.shape, turns.max(initial=0))
    for level in range(int(turns.max(initial=0)) - 1, int(turns.min(initial=0)) - 1, -1):
        home = np.where(2 * counted(turns <= level) >= (last - first)[:, None], level, home)
    folds = turns - home
    is_noise = counted(is_erratic) > _MOST_ERRATIC * (last - first)[:, None]
    return np.where((np.abs(folds) > 1) | is_noise, 0, folds)


def _running_median(values: Floats, half: int) -> Floats:
    """(T, P): median over `half` frames on either side; beyond the ends stands the last value."""
    padded = np.pad(values, ((half, half), (0, 0)), mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=0), axis=-1)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2g} %"
