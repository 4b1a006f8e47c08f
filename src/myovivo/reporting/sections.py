"""What each section of a page is made of: plain data, which the templates put into HTML."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from ..evaluation.columns import PUBLISHED, Column
from ..evaluation.comparison import Comparison, extent_of, models_of
from ..evaluation.rows import VIVO_VIVO, Row
from ..runtime.templates import render
from ..version import __version__
from .drawing import called

TEMPLATES = Path(__file__).parent / "templates"

ABREAST = 8  # columns of metrics beside each other: as many as the page is wide, on a screen and on paper

ORIGIN = {
    "silico": "simulated (in silico)",
    "phantom": "tissue phantom: simulated tissue and ultrasound, not measured",
    "vivo": "measured in vivo",
    "translated": "translated from simulation",
}


class ComparedDomain(NamedTuple):
    """What was compared: a sentence about every sequence, and a row of text for each domain."""

    sequences: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class TableCell(NamedTuple):
    """A mean as printed, its SD and its interval, which may be empty; and whether it moved towards vivo-vivo."""

    mean: str
    sd: str
    interval: str
    decision: str


class MetricsRow(NamedTuple):
    """A row of the table of metrics; those of models stand out."""

    label: str
    is_model: bool
    cells: tuple[TableCell, ...]


class MetricsBlock(NamedTuple):
    """As many columns of the table of metrics as a page is wide: its columns, its rows, and the paper's."""

    columns: list[Column]
    rows: tuple[MetricsRow, ...]
    paper: tuple[tuple[str, ...], ...]


class Told(NamedTuple):
    """What is decided of a model: a sentence for each column."""

    model: str
    sentences: tuple[tuple[str, str], ...]  # head of the column, sentence


class Metrics(NamedTuple):
    """The table of metrics, in blocks, and whether translation moved towards vivo-vivo."""

    blocks: tuple[MetricsBlock, ...]
    told: tuple[Told, ...]


class Key(NamedTuple):
    """What the legend of the metrics names: the kind of the reference, the pairs within it, the columns."""

    kind: str
    pairs: str
    columns: list[Column]


class Picture(NamedTuple):
    """A figure on a page: its heading, the PNG file as base64, and what to see in it."""

    title: str
    png: str
    caption: str | Markup


def render_page(template: str, title: str, lead: str, comparison: Comparison, numbers: str, **more: Any) -> str:
    """A whole page, one file that needs nothing else.

    Parameters
    ----------
    template : of this room
    title, lead : its heading, and what it is about
    comparison : that it tells of
    numbers : name of the file with the numbers
    more : what else the template takes
    """
    return render(
        TEMPLATES / template,
        title=title,
        lead=lead,
        version=__version__,
        numbers=numbers,
        warnings=[f"{warning[0].upper()}{warning[1:]}." for warning in comparison.warnings],
        compared=compared_of(comparison),
        metrics=metrics_of(comparison),
        key=Key(called(comparison, "vivo"), count_of(_reference_pairs(comparison), "pair"), comparison.columns()),
        **more,
    )


def compared_of(comparison: Comparison) -> ComparedDomain:
    """The section on what was compared."""
    depth, width = (1e3 * extent for extent in extent_of(comparison))
    sequences = (
        f"Every sequence: {comparison.frames} frames at {comparison.frame_rate:g} Hz "
        f"({comparison.frames / comparison.frame_rate:.2f} s), {comparison.size[0]} × {comparison.size[1]} pixels, "
        f"{depth:.1f} mm deep and {width:.1f} mm wide."
    )
    head = ("domain", "where it comes from", "sequences", "subjects", "SD (mm/s)", "standardised by")
    return ComparedDomain(sequences, head, tuple(_domain_row(comparison, name) for name in comparison.domains))


def _domain_row(comparison: Comparison, name: str) -> tuple[str, ...]:
    domain = comparison.domains[name]
    origins = "; ".join(
        ORIGIN.get(origin, origin) + (f" ({count})" if len(domain.origins) > 1 else "")
        for origin, count in domain.origins.items()
    )
    role = "reference, in the role of vivo" if name == "vivo" and "vivo" not in domain.origins else name
    subjects = "–" if name != "vivo" else str(domain.subjects or "not named")
    scale = domain.standardisation
    told = {"these files": "the mean and SD of these files", "given": "given constants"}
    by = told.get(scale.source, f"constants of the {scale.source}") + (
        ", as vivo" if name in models_of(comparison) else ""
    )
    return role, origins, str(domain.sequences), subjects, f"{1e3 * scale.std:.3g}", by


def metrics_of(comparison: Comparison) -> Metrics:
    """The section on how alike the domains are."""
    columns, models = comparison.columns(), models_of(comparison)
    told = ((name, comparison.told(name)) for name in models)
    return Metrics(
        tuple(_block(comparison, columns[at : at + ABREAST]) for at in range(0, len(columns), ABREAST)),
        tuple(Told(name, tuple((column.head, text) for column, text in sentences)) for name, sentences in told),
    )


def _block(comparison: Comparison, columns: list[Column]) -> MetricsBlock:
    models = models_of(comparison)
    rows = (
        MetricsRow(comparison.label(row), row.name in models, tuple(_cell(row, column) for column in columns))
        for row in comparison.rows
    )
    paper = [(name, *(column.paper(name) for column in columns)) for name in PUBLISHED]
    return MetricsBlock(columns, tuple(rows), tuple(paper if any(column.published for column in columns) else ()))


def _cell(row: Row, column: Column) -> TableCell:
    mean, _, sd = column.cell(row).partition(" ± ")
    bounds = row.intervals.get(column.name, ())
    decision = row.verdicts[column.name].decision if column.name in row.verdicts else ""
    return TableCell(mean, sd, " to ".join(f"{bound:.{column.decimals}f}" for bound in bounds), decision)


def _reference_pairs(comparison: Comparison) -> int:
    return comparison.row(VIVO_VIVO).columns["DBhat"].n


def pictures_of(titles: Iterable[str], pngs: Iterable[bytes], captions: Iterable[str]) -> list[Picture]:
    """Figures for a page."""
    return [
        Picture(title, base64.b64encode(png).decode("ascii"), caption)
        for title, png, caption in zip(titles, pngs, captions, strict=True)
    ]


def count_of(count: int, word: str) -> str:
    """`1 pair`, `3 pairs`."""
    return f"{count} {word}{'' if count == 1 else 's'}"
