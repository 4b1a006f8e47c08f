"""How well found motor units agree with the true ones: spikes and units matched one to one, maps by their overlap."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Series
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from ..errors import InputError
from ..runtime.arrays import Floats
from ..runtime.words import counted

TOLERANCE = 0.010  # s, the field's

LONGEST_LAG = 0.050  # s

LAG_STEP = 0.001  # s

SHUFFLES = 5


class Match(NamedTuple):
    """A true unit and what was found of it.

    `found` is the number of the found unit, or -1; `rate` the rate of agreement; `overlap` the Jaccard index of the
    masks, NaN where one is unknown.
    """

    true: int
    found: int
    rate: float
    overlap: float


@dataclass(frozen=True)
class Agreement:
    """Result of `compare_units`.

    Attributes
    ----------
    matches : one per true unit
    found : number of units found
    lag : s, by which all found spikes were late
    tolerance : s
    chance : mean rate of agreement of the same trains with the found ones turned in time at random, matched alike
    threshold : a unit counts as identified from this rate on
    """

    matches: tuple[Match, ...]
    found: int
    lag: float
    tolerance: float
    chance: float
    threshold: float = 0.5

    @property
    def rate(self) -> float:
        """Mean rate of agreement over the true units; one that was not found counts 0."""
        return float(np.mean([match.rate for match in self.matches]))

    @property
    def overlap(self) -> float:
        """Mean Jaccard index of the masks of matched units, NaN if none has one."""
        known = [match.overlap for match in self.matches if np.isfinite(match.overlap)]
        return float(np.mean(known)) if known else float("nan")

    @property
    def identified(self) -> int:
        """True units whose rate of agreement reaches `threshold`."""
        return sum(match.rate >= self.threshold for match in self.matches)

    def __str__(self) -> str:
        return (
            f"{self.identified} of {counted(len(self.matches), 'unit')} identified (rate of agreement at least "
            f"{self.threshold:g}); mean rate {self.rate:.2f}, by chance {self.chance:.2f}; Jaccard {self.overlap:.2f}; "
            f"{self.found} found; lag {1e3 * self.lag:.0f} ms, tolerance {1e3 * self.tolerance:g} ms"
        )

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Agreement:
        """What `to_dict` gave."""
        return cls(
            tuple(Match(**match) for match in content["matches"]),
            content["found"],
            content["lag_s"],
            content["tolerance_s"],
            content["chance"],
            content["threshold"],
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain numbers."""
        return {
            "matches": [match._asdict() for match in self.matches],
            "found": self.found,
            "lag_s": self.lag,
            "tolerance_s": self.tolerance,
            "rate": self.rate,
            "chance": self.chance,
            "overlap": self.overlap,
            "identified": self.identified,
            "threshold": self.threshold,
        }


def rate_of_agreement(found: ArrayLike, true: ArrayLike, tolerance: float = TOLERANCE) -> float:
    """C / (C + A + B): common spikes over all, A and B those of one train only. 0 where both are empty.

    Parameters
    ----------
    found, true : spike times, s, ascending
    tolerance : s, how far apart two spikes may be and still be one; each is matched once at most

    References
    ----------
    Holobar et al. (2010), Clin Neurophysiol 121:1617; the toolbox `motor-unit-toolbox` agrees to within 0.01.
    """
    found, true = np.asarray(found, float), np.asarray(true, float)
    common = _common(found, true, tolerance)
    either = len(found) + len(true) - common
    return common / either if either else 0.0


def _common(found: Floats, true: Floats, tolerance: float) -> int:
    """How many spikes of two ascending trains can be paired one to one within `tolerance`, s."""
    # In ascending trains, pairing the earliest that fit is the largest matching.
    i = j = common = 0
    while i < len(found) and j < len(true):
        apart = found[i] - true[j]
        if abs(apart) <= tolerance + 1e-9:
            common, i, j = common + 1, i + 1, j + 1
        elif apart < 0:
            i += 1
        else:
            j += 1
    return common


def compare_units(
    found: Series[ArrayLike],
    true: Series[ArrayLike],
    duration: float,
    found_masks: ArrayLike | None = None,
    true_masks: ArrayLike | None = None,
    *,
    tolerance: float = TOLERANCE,
    seed: int = 0,
) -> Agreement:
    """Match found units to true ones, one to one, so that the sum of their rates of agreement is the largest.

    All found trains are shifted by one lag, the same for the sequence, since a detector may fire at the onset or at the
    peak of a twitch. A lag of each unit's own, or a wide tolerance, would make unrelated trains agree.

    Parameters
    ----------
    found, true : spike times per unit, s, ascending; those outside 0..duration are left out
    duration : of the sequence, s
    found_masks, true_masks : (units, Z, X) bool, if known
    tolerance : s
    seed : of the random turns that give the chance level

    Returns
    -------
    Agreement : printed, one line

    Raises
    ------
    InputError : no true units, or a duration that is not positive.
    """
    if not len(true):
        raise InputError("there are no true motor units to compare with; give a sequence with labels")
    if not duration > 0:
        raise InputError(f"duration must be positive, got {duration} s")
    truth = [_within(train, duration) for train in true]
    units = [np.asarray(train, float) for train in found]
    lag, rates = _aligned(units, truth, duration, tolerance)
    rng = np.random.default_rng(seed)
    chance = [_chance(units, truth, duration, tolerance, rng) for _ in range(SHUFFLES)] if units else [0.0]
    rows, columns = linear_sum_assignment(-rates)
    partner = {int(row): int(column) for row, column in zip(rows, columns, strict=True) if rates[row, column] > 0}
    matches = []
    for unit in range(len(truth)):
        at = partner.get(unit, -1)
        overlap = float("nan")
        if at >= 0 and found_masks is not None and true_masks is not None:
            overlap = jaccard(np.asarray(found_masks)[at], np.asarray(true_masks)[unit])
        matches.append(Match(unit, at, float(rates[unit, at]) if at >= 0 else 0.0, overlap))
    return Agreement(tuple(matches), len(units), lag, tolerance, float(np.mean(chance)))


def jaccard(a: ArrayLike, b: ArrayLike) -> float:
    """|A ∩ B| / |A ∪ B| of two masks; NaN where both are empty."""
    a, b = np.asarray(a, bool), np.asarray(b, bool)
    either = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / either if either else float("nan")


def _within(train: ArrayLike, duration: float) -> Floats:
    times = np.asarray(train, float)
    return times[(times >= 0) & (times < duration)]


def _aligned(units: list[Floats], truth: list[Floats], duration: float, tolerance: float) -> tuple[float, Floats]:
    """The lag at which most agrees, s, and the rates of agreement there, (true, found).

    To find the lag, spikes are counted in bins of `LAG_STEP`; the rates at it are exact. Neighbouring lags often do
    equally well, as there is a tolerance: then it is the middle one.
    """
    if not units:
        return 0.0, np.zeros((len(truth), 0))
    count = round(LONGEST_LAG / LAG_STEP)
    steps = np.arange(-count, count + 1)
    near = _near_spikes(truth, duration, tolerance)
    common = np.zeros((len(steps), len(truth), len(units)))
    for column, unit in enumerate(units):
        bins = np.floor(unit / LAG_STEP).astype(int)[:, None] - steps  # (spikes, lags)
        common[:, :, column] = near[:, np.clip(bins, -1, near.shape[1] - 1)].sum(1).T
    either = np.add.outer([len(train) for train in truth], [len(unit) for unit in units])
    totals = np.array([_total(both / np.maximum(either - both, 1)) for both in common])
    best = steps[totals >= totals.max() - 1e-9]
    lag = float(best[np.abs(best - best.mean()).argmin()] * LAG_STEP)
    return lag, _rates(units, truth, lag, duration, tolerance)


def _near_spikes(trains: list[Floats], duration: float, tolerance: float) -> Floats:
    """(units, bins + 1), 1 where a spike is within the tolerance; the last bin, or number -1, is beyond the ends: 0."""
    reach = round(tolerance / LAG_STEP)
    bins = int(np.ceil(duration / LAG_STEP))
    result = np.zeros((len(trains), bins + 1))
    for row, train in zip(result, trains, strict=True):
        around = np.floor(train / LAG_STEP).astype(int)[:, None] + np.arange(-reach, reach + 1)
        row[around[(around >= 0) & (around < bins)]] = 1
    return result


def _rates(units: list[Floats], truth: list[Floats], lag: float, duration: float, tolerance: float) -> Floats:
    shifted = [_within(unit - lag, duration) for unit in units]
    rates = [[rate_of_agreement(unit, train, tolerance) for unit in shifted] for train in truth]
    return np.array(rates).reshape(len(truth), len(units))


def _total(rates: Floats) -> float:
    rows, columns = linear_sum_assignment(-rates)
    return float(rates[rows, columns].sum())


def _chance(
    units: list[Floats], truth: list[Floats], duration: float, tolerance: float, rng: np.random.Generator
) -> float:
    """Mean rate after each found train was turned in time by an amount of its own: same firing, nothing shared."""
    turned = [np.sort((_within(unit, duration) + rng.uniform(0, duration)) % duration) for unit in units]
    return _total(_aligned(turned, truth, duration, tolerance)[1]) / len(truth)
