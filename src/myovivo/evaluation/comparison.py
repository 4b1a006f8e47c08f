"""The table that `evaluate` gives: its rows, what was compared, and how it is printed and written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..runtime.files import write_text
from ..runtime.templates import render
from ..runtime.text_tables import align, align_in_blocks, comma_separated
from ..sequences.scale import DomainScale
from .columns import COLUMNS, Column
from .features import SequenceFeatures
from .rows import NONE, NOTHING, VIVO_VIVO, Row, rounded


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


@dataclass(frozen=True, repr=False)
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
        columns = [[column.head, *map(column.cell, self.rows)] for column in self.columns()]
        return align_in_blocks(names, columns, WIDTH)

    def intervals(self) -> str:
        """95 % intervals by subject of the means over pairs, as text: `mean (low to high)`."""
        lines = []
        for row in self.rows:
            texts = (
                f"{column.head} {row.columns[column.name].mean:.2f} ({low:.2f} to {high:.2f})"
                for column in COLUMNS
                if column.name in row.intervals
                for low, high in [row.intervals[column.name]]
            )
            lines.append(f"{self.label(row)}: {', '.join(texts) or 'too few subjects'}")
        return "\n".join(lines)

    def told(self, model: str) -> list[tuple[Column, str]]:
        """Did translation move a model's columns towards vivo-vivo? A sentence for each that compares domains."""
        row = self.row(model)
        sentences = []
        for column in self.columns():
            if (verdict := row.verdicts.get(column.name)) is not None:
                change = "too few subjects to decide"
                if math.isfinite(verdict.low):
                    low, high = (
                        rounded(bound * column.scale, column.decimals, True) for bound in (verdict.low, verdict.high)
                    )
                    change = f"distance changed by {low} to {high}"
                sentences.append((column, f"{verdict}: {self._means(row, column)}; {change}"))
        return sentences

    def verdicts(self) -> str:
        """The sentences of all models as text; empty without `none`."""
        lines = []
        for row in self.rows:
            told = [f"  {column.head}: {sentence}." for column, sentence in self.told(row.name)]
            lines += [f"From none to {row.name} (95 % by subject of the distance to vivo-vivo):", *told] if told else []
        return "\n".join(lines)

    def _means(self, row: Row, column: Column) -> str:
        """`0.33 to 0.25, vivo-vivo 0.26`."""
        none, reference = (self.row(name).columns[column.name] for name in (NONE, VIVO_VIVO))
        means = [
            value.text(column.decimals, column.scale).partition(" ± ")[0]
            for value in (none, row.columns[column.name], reference)
        ]
        return f"{means[0]} to {means[1]}, vivo-vivo {means[2]}"

    def __repr__(self) -> str:
        vivo, (depth, width) = self.domains["vivo"], extent_of(self)
        subjects = f"{vivo.subjects} subject{'' if vivo.subjects == 1 else 's'}" if vivo.subjects else "none named"
        size = f"{self.size[0]} × {self.size[1]} pixels, {1e3 * depth:.1f} × {1e3 * width:.1f} mm"
        lines = [
            ("rows", ", ".join(map(self.label, self.rows))),
            ("sequences", ", ".join(f"{domain.sequences} {name}" for name, domain in self.domains.items())),
            ("reference", " + ".join(vivo.origins)),
            ("subjects", f"{subjects} in the reference"),
            ("each", f"{self.frames} frames at {self.frame_rate:g} Hz, {size}"),
        ]
        return "\n".join(["Comparison (print it for the table)", *(f"  {line}" for line in align(lines))])

    def _repr_html_(self) -> str:
        cells = [(self.label(row), *(column.cell(row) for column in self.columns())) for row in self.rows]
        heads = ["", *(f"{column.head} {column.arrow}" for column in self.columns())]
        return render(_TEMPLATE, heads=heads, rows=cells, notes=self.warnings)

    def __str__(self) -> str:
        parts = [self.table(), self.verdicts(), "\n".join(f"Note: {warning}." for warning in self.warnings)]
        return "\n\n".join(filter(None, parts))

    def to_dict(self) -> dict[str, Any]:
        """Everything but the features, as plain numbers and text; what is undefined is None."""
        return {
            # The table
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
                            **({"verdict": row.verdicts[name].to_dict()} if name in row.verdicts else {}),
                        }
                        for name, value in row.columns.items()
                    },
                }
                for row in self.rows
            ],
            # What was compared
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
            # On which frames and pixels
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
        parts = ("mean", "SD", "n", "low", "high")
        lines: list[list[Any]] = [
            ["row", "sequences", *(f"{column.name} {part}" for column in columns for part in parts)]
        ]
        for row in self.rows:
            values = (
                part
                for column in columns
                for part in (*row.columns.get(column.name, NOTHING), *row.intervals.get(column.name, (math.nan,) * 2))
            )
            lines.append([row.name, row.sequences, *("" if value != value else value for value in values)])
        text = comma_separated(lines)
        if path is not None:
            write_text(path, text)
        return text


WIDTH = 120  # characters of a printed table

_TEMPLATE = Path(__file__).parent / "comparison.html"


def models_of(comparison: Comparison) -> list[str]:
    """Names of the translated domains."""
    return [name for name in comparison.domains if name not in ("silico", "vivo")]


def extent_of(comparison: Comparison) -> tuple[float, float]:
    """Depth and width of the image, m."""
    return comparison.size[0] * comparison.spacing[0], comparison.size[1] * comparison.spacing[1]


def plain_number(value: float) -> float | None:
    return value if math.isfinite(value) else None
