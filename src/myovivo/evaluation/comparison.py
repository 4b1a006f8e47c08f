"""The table that `evaluate` gives: its rows, what was compared, and how it is printed and written."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import InputError
from ..runtime.files import write_text
from ..sequences.scale import DomainScale
from .features import SequenceFeatures


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


class Column(NamedTuple):
    """A column of the table: how it is headed and how it is printed."""

    name: str
    head: str
    decimals: int = 2
    scale: float = 1.0


COLUMNS = (
    Column("DBhat", "DBhat"),
    Column("Corr", "Corr"),
    Column("SSI", "SSI"),
    Column("SSI norm", "SSI norm"),
    Column("Corr Psd", "Corr Psd"),
    Column("Coh dist", "Coh dist"),
    Column("FD maps", "FD maps"),
    Column("FD Psd", "FD Psd"),
    Column("xCorr", "xCorr"),
    Column("lag", "lag (ms)", 1, 1e3),
    Column("xCorr territories", "xCorr terr."),
    Column("lag territories", "lag terr. (ms)", 1, 1e3),
    Column("xCorr full range", "xCorr full"),
    Column("lag full range", "lag full (ms)", 1, 1e3),
)


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
    """

    name: str
    sequences: int
    columns: Mapping[str, Statistic]
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class DomainSummary:
    """What a domain of the comparison was.

    Attributes
    ----------
    origins : sequences by origin: `silico`, `phantom`, `vivo` (measured) or `translated`
    subjects : number of different subjects named; 0 if none is
    standardisation : the mean and SD (m/s) it was standardised with
    """

    sequences: int
    subjects: int
    origins: Mapping[str, int]
    standardisation: DomainScale


@dataclass(frozen=True)
class Comparison:
    """The table, what was compared, and the features it was worked out from.

    Attributes
    ----------
    rows : none (if silico was given), one per model, vivo-vivo
    domains : `silico`, each model's name, `vivo` -> what it was
    features : the same keys -> features of each standardised sequence
    frame_rate, size, frames, spacing : Hz, (Z, X), T, (dz, dx) in m; the same for all
    max_lag : s, the range of lags behind xCorr and lag
    warnings : what a reader of the table must know, one line each
    """

    rows: tuple[Row, ...]
    domains: Mapping[str, DomainSummary]
    features: Mapping[str, list[SequenceFeatures]] = field(repr=False)
    frame_rate: float
    size: tuple[int, int]
    frames: int
    spacing: tuple[float, float]
    max_lag: float
    warnings: tuple[str, ...]

    def row(self, name: str) -> Row:
        """The row called `name`.

        Raises
        ------
        InputError : there is none.
        """
        for row in self.rows:
            if row.name == name:
                return row
        raise InputError(f"there is no row {name!r}; rows: {', '.join(row.name for row in self.rows)}")

    def columns(self) -> list[Column]:
        """The columns that at least one row fills, in order."""
        return [column for column in COLUMNS if any(row.columns.get(column.name, NOTHING).n for row in self.rows)]

    def label(self, row: Row) -> str:
        """The row's name as printed: a reference that is no measured recording says what it is."""
        origins = sorted(self.domains["vivo"].origins)
        return row.name if row.name != VIVO_VIVO or origins == ["vivo"] else f"{row.name} ({' + '.join(origins)})"

    def table(self) -> str:
        """The table as text, mean ± SD, in blocks of columns no wider than a page."""
        names = ["", *(self.label(row) for row in self.rows)]
        first = max(map(len, names))
        blocks: list[list[str]] = []
        for column in self.columns():
            values = (row.columns.get(column.name, NOTHING).text(column.decimals, column.scale) for row in self.rows)
            cells = [column.head, *values]
            width = max(map(len, cells))
            if not blocks or len(blocks[-1][0]) + 2 + width > WIDTH:
                blocks.append([name.ljust(first) for name in names])
            blocks[-1] = [f"{line}  {cell.rjust(width)}" for line, cell in zip(blocks[-1], cells, strict=True)]
        return "\n\n".join("\n".join([head, "─" * len(head), *rest]) for head, *rest in blocks)

    def intervals(self) -> str:
        """95 % intervals by subject of the means over pairs, as text: `mean (low to high)`."""
        lines = []
        for row in self.rows:
            found = (
                f"{column.head} {row.columns[column.name].mean:.2f} ({low:.2f} to {high:.2f})"
                for column in COLUMNS
                if column.name in row.intervals
                for low, high in [row.intervals[column.name]]
            )
            lines.append(f"{self.label(row)}: {', '.join(found) or 'too few subjects'}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return "\n".join([self.table(), *(f"Note: {warning}." for warning in self.warnings)])

    def to_dict(self) -> dict[str, Any]:
        """Everything but the features, as plain numbers and text; what is undefined is None."""
        return {
            "rows": [
                {
                    "name": row.name,
                    "sequences": row.sequences,
                    "columns": {
                        name: {
                            "mean": plain_number(value.mean),
                            "sd": plain_number(value.sd),
                            "n": value.n,
                            **({"interval": list(row.intervals[name])} if name in row.intervals else {}),
                        }
                        for name, value in row.columns.items()
                    },
                }
                for row in self.rows
            ],
            "domains": {
                name: {
                    "sequences": domain.sequences,
                    "subjects": domain.subjects,
                    "origins": dict(domain.origins),
                    "mean_m_per_s": domain.standardisation.mean,
                    "sd_m_per_s": domain.standardisation.std,
                    "standardised_by": domain.standardisation.source,
                }
                for name, domain in self.domains.items()
            },
            "frame_rate_hz": self.frame_rate,
            "frames": self.frames,
            "size": list(self.size),
            "spacing_m": list(self.spacing),
            "max_lag_s": self.max_lag,
            "units": {"lag": "s", "other columns": "1"},
            "warnings": list(self.warnings),
        }

    def to_csv(self, path: str | Path | None = None) -> str:
        """The table as CSV, mean, SD, n and 95 % interval of each column (lag in s); written to `path` if given.

        Raises
        ------
        FileError : the file cannot be written.
        """
        columns = self.columns()
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        parts = ("mean", "SD", "n", "low", "high")
        writer.writerow(["row", "sequences", *(f"{column.name} {part}" for column in columns for part in parts)])
        for row in self.rows:
            values = (
                part
                for column in columns
                for part in (*row.columns.get(column.name, NOTHING), *row.intervals.get(column.name, (math.nan,) * 2))
            )
            writer.writerow([row.name, row.sequences, *("" if v != v else v for v in values)])
        if path is not None:
            write_text(path, text.getvalue())
        return text.getvalue()


NONE = "none"

VIVO_VIVO = "vivo-vivo"

WIDTH = 120  # characters of a printed table


def rounded(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text  # no -0.0


def plain_number(value: float) -> float | None:
    return value if math.isfinite(value) else None
