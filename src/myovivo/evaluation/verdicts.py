"""Did a translation move towards vivo-vivo? Decided column by column, by resampling subjects."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ..runtime.arrays import Floats
from .bootstrap import interval_of

_NOTHING = 1e-9  # a change that is but rounding

Decision = Literal["towards", "away", "cannot be told"]


@dataclass(frozen=True)
class Verdict:
    """Whether a translation moved a column towards vivo-vivo.

    Attributes
    ----------
    decision : `towards` or `away` if all of the interval is on that side of 0, else `cannot be told`
    change : distance of the translation's mean from that of vivo-vivo, less that of no translation's: negative is
        towards
    low, high : 95 % interval of `change` by subject; NaN with too few
    """

    decision: Decision
    change: float
    low: float
    high: float

    def to_dict(self) -> dict[str, Any]:
        """As plain numbers and text; what is undefined is None."""
        numbers = {"change": self.change, "low": self.low, "high": self.high}
        return {"decision": self.decision} | {k: v if math.isfinite(v) else None for k, v in numbers.items()}

    def __str__(self) -> str:
        moved = "cannot be told" if self.decision == "cannot be told" else f"moved {self.decision}"
        return moved + {"towards": " vivo-vivo", "away": " from vivo-vivo"}.get(self.decision, "")


def decide(
    none: tuple[float, ArrayLike], translated: tuple[float, ArrayLike], reference: tuple[float, ArrayLike]
) -> Verdict:
    """Decide from a mean and its resampled means, of the same draws of subjects in all three.

    Of the same draws: what one subject more or less does to all three rows then cancels, as it should. The interval
    is of one column; of twenty columns in which nothing moved one is decided by chance.

    Parameters
    ----------
    none, translated, reference : mean, and (R,) resampled means; fewer than two are too few to decide
    """
    change = float(_change(none[0], translated[0], reference[0]))
    samples = [np.asarray(resampled, np.float64) for _, resampled in (none, translated, reference)]
    if len({len(each) for each in samples}) > 1 or len(samples[0]) < 2:
        return Verdict("cannot be told", change, math.nan, math.nan)
    changes = _change(*samples)
    low, high = interval_of(changes)
    decision: Decision = "towards" if high < -_NOTHING else "away" if low > _NOTHING else "cannot be told"
    return Verdict(decision, change, low, high)


def _change(none: ArrayLike, translated: ArrayLike, reference: ArrayLike) -> Floats:
    return np.abs(np.subtract(translated, reference)) - np.abs(np.subtract(none, reference))
