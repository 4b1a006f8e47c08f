"""The rows of the comparison table, and what stands in a cell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .verdicts import Verdict

NONE = "none"

VIVO_VIVO = "vivo-vivo"


class Statistic(NamedTuple):
    """Mean and population SD over `n` values; both NaN where there are none."""

    mean: float
    sd: float
    n: int

    def __str__(self) -> str:
        return self.text()

    def text(self, decimals: int = 2, scale: float = 1.0) -> str:
        """`0.33 ± 0.05`, or a dash."""
        if not math.isfinite(self.mean):
            return "–"
        return f"{rounded(self.mean * scale, decimals)} ± {rounded(self.sd * scale, decimals)}"


NOTHING = Statistic(math.nan, math.nan, 0)


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes
    ----------
    name : `none` (silico against vivo), a model's name, or `vivo-vivo`
    sequences : number of sequences compared with the vivo ones
    columns : column name -> mean, SD and n. Over pairs of sequences for the first six columns, over
        random halves for the Fréchet distances, over pixels for xCorr and lag (s).
    intervals : column name -> 95 % interval of the mean by subject; of the columns over pairs, with at
        least three subjects
    verdicts : of a model, column name -> whether it moved towards vivo-vivo, for the columns that compare domains
    """

    name: str
    sequences: int
    columns: Mapping[str, Statistic]
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)


def rounded(value: float, decimals: int, sign: bool = False) -> str:
    """As printed, with its plus if `sign`, and without the minus of -0.0."""
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        return text.removeprefix("-")
    return f"+{text}" if sign and value > 0 else text
