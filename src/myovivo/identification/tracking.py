"""The same motor unit in two recordings of a subject: by its map and its twitch, which are the muscle's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, rfft2
from scipy.optimize import linear_sum_assignment

from ..errors import InputError
from ..runtime.arrays import Floats
from ..runtime.words import counted
from .templates import twitch_template
from .units import Units

ALIKE = 0.6  # similarity from which two units are the same (ours)

FARTHEST = 0.003  # m that the probe may have moved between the recordings (ours)

_LATE = 0.015  # s by which the firings of one method may be later than those of another


@dataclass(frozen=True)
class TrackedUnit:
    """One unit in two recordings.

    Attributes
    ----------
    a, b : its number in either
    map : correlation of the maps, signed
    twitch : correlation of the twitches, signed as the map's
    """

    a: int
    b: int
    map: float
    twitch: float

    @property
    def similarity(self) -> float:
        """Of map and twitch, multiplied, up to 1."""
        return self.map * self.twitch


@dataclass(frozen=True)
class Tracking:
    """Result of `track_units`.

    Attributes
    ----------
    units : those in both recordings, the surest first
    shift : (dz, dx), m, by which the second recording's maps lie deeper, and further along the probe
    chance : mean of the largest similarities that each unit of the first has with a unit that is not its partner
    """

    units: tuple[TrackedUnit, ...]
    shift: tuple[float, float]
    chance: float

    def __len__(self) -> int:
        return len(self.units)

    def __str__(self) -> str:
        dz, dx = (1e3 * side for side in self.shift)
        similar = f", similarity {np.mean([unit.similarity for unit in self.units]):.2f}" if self.units else ""
        unlike = f"with other units {self.chance:.2f}"
        return f"{counted(len(self.units), 'unit')} in both{similar}, {unlike}; shift {dz:.1f}, {dx:.1f} mm"


def track_units(a: Units, b: Units, *, alike: float = ALIKE, farthest: float = FARTHEST) -> Tracking:
    """Find the motor units that are in two recordings of one subject.

    A unit's fibres and twitch stay what they are while it fires anew, so maps and twitches are compared, each by
    correlation, and the two multiplied. All maps are moved together first, as the probe may lie elsewhere.

    Parameters
    ----------
    a, b : what `identify` or `map_units` found in either; of the same frame rate and pixels
    alike : similarity from which two units are the same
    farthest : m, the largest shift of the probe that is looked for

    Returns
    -------
    Tracking : printed, one line

    Raises
    ------
    InputError : other frame rates or pixels.

    References
    ----------
    Tracking of units by their maps: Rohlén, Carbonaro et al. (2023). The twitch beside it is ours.

    Examples
    --------
    >>> import myovivo as mv
    >>> sequence = mv.simulate(seed=0, **{"grid.frames": 2048, "grid.rows": 32, "grid.columns": 32})
    >>> units = mv.map_units(sequence, sequence.labels.spike_times)
    >>> len(mv.track_units(units, units)) == len(units)
    True
    """
    _require_alike(a, b)
    if not len(a) or not len(b):
        return Tracking((), (0.0, 0.0), 0.0)
    rows, columns = (round(farthest / step) for step in a.spacing)
    overlaps = _overlaps(a.weight, b.weight, rows, columns)  # (A, B, shifts, shifts)
    best = np.abs(overlaps).max(1).sum(0)  # each unit with whatever it is most like, at this shift
    row, column = np.unravel_index(best.argmax(), best.shape)
    maps = overlaps[:, :, row, column]
    twitches = _twitch_correlations(a, b)
    similarity = maps * twitches
    places = [(int(i), int(j)) for i, j in zip(*linear_sum_assignment(-similarity), strict=True)]
    same = [TrackedUnit(i, j, float(maps[i, j]), float(twitches[i, j])) for i, j in places if similarity[i, j] >= alike]
    others = similarity.copy()
    others[tuple(zip(*places, strict=True))] = -np.inf
    chance = others.max(1)[np.isfinite(others.max(1))]
    shift = (float((row - rows) * a.spacing[0]), float((column - columns) * a.spacing[1]))
    return Tracking(
        tuple(sorted(same, key=lambda unit: -unit.similarity)), shift, float(chance.mean()) if len(chance) else 0.0
    )


def _require_alike(a: Units, b: Units) -> None:
    here = (a.frame_rate, *a.spacing, *a.weight.shape[1:])
    there = (b.frame_rate, *b.spacing, *b.weight.shape[1:])
    if not np.allclose(here, there, rtol=0.01):
        said = [
            f"{rate:g} frames/s, {rows} x {columns} pixels of {1e3 * dz:.4g} x {1e3 * dx:.4g} mm"
            for rate, dz, dx, rows, columns in (here, there)
        ]
        raise InputError(
            f"units can be tracked between recordings that are alike, got {said[0]} and {said[1]}; resample"
        )


def _overlaps(a: Floats, b: Floats, rows: int, columns: int) -> Floats:
    """(A, B, 2 rows + 1, 2 columns + 1): correlation of maps, those of `b` moved back by up to so many pixels.

    Each is taken over the pixels that both show then, or what moves in at the edge would draw the shift towards 0; the
    sums over them are correlations with a frame of ones (Padfield 2012, masked normalised cross-correlation).
    """
    size = [full + 2 * reach for full, reach in zip(a.shape[1:], (rows, columns), strict=True)]
    full = np.asarray(rfft2(np.ones(a.shape[1:]), size))
    first, first_square, second, second_square = (np.asarray(rfft2(maps, size)) for maps in (a, a**2, b, b**2))

    def summed(left: NDArray[Any], right: NDArray[Any]) -> Floats:
        moved = np.roll(np.asarray(irfft2(left.conj() * right, size)), (rows, columns), (-2, -1))
        return moved[..., : 2 * rows + 1, : 2 * columns + 1]

    count = summed(full, full)
    own, other = summed(first, full)[:, None], summed(full, second)[None]
    products = summed(first[:, None], second[None]) - own * other / count
    spread = (summed(first_square, full)[:, None] - own**2 / count) * (
        summed(full, second_square)[None] - other**2 / count
    )
    return products / np.sqrt(np.maximum(spread, 1e-12 * spread.max()))


def _twitch_correlations(a: Units, b: Units) -> Floats:
    """(A, B): correlation of the twitches, at the lag within 15 ms where it is largest."""
    twitches = [
        np.array(
            [
                twitch_template(np.asarray(course, float), np.asarray(times, float), units.frame_rate)
                for course, times in zip(units.source, units.spike_times, strict=True)
            ]
        )
        for units in (a, b)
    ]
    late = round(_LATE * a.frame_rate)
    inner = [rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300) for rows in twitches]
    moved = np.array([inner[0] @ np.roll(inner[1], step, 1).T for step in range(-late, late + 1)])
    largest = np.abs(moved).argmax(0)
    return np.take_along_axis(moved, largest[None], 0)[0]
