"""Tables of text: columns aligned for the screen, in blocks no wider than a page, and comma-separated values."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from collections.abc import Sequence as Series
from typing import Any

GAP = "  "  # between two columns


def align(rows: Iterable[Series[str]], numbers: bool = False) -> list[str]:
    """One line of text per row, its columns below each other.

    Parameters
    ----------
    rows : equally many cells each
    numbers : whether all columns but the first are set to the right
    """
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    padded = [
        [cell.rjust(width) if numbers and place else cell.ljust(width) for cell in column]
        for place, (column, width) in enumerate(zip(columns, widths, strict=True))
    ]
    return [GAP.join(cells).rstrip() for cells in zip(*padded, strict=True)]


def align_in_blocks(first: Series[str], columns: Iterable[Series[str]], width: int) -> str:
    """A table of numbers as text, its head ruled off; in blocks of columns, each beside the first, as wide as fits.

    Parameters
    ----------
    first : the first column of every block, its head included
    columns : the others
    width : characters of a line, at most, unless a single column needs more
    """
    blocks: list[list[Series[str]]] = []
    for column in columns:
        if not blocks or len(align(zip(*blocks[-1], column, strict=True), numbers=True)[0]) > width:
            blocks.append([first])
        blocks[-1].append(column)
    texts = []
    for block in blocks:
        head, *rows = align(zip(*block, strict=True), numbers=True)
        texts.append("\n".join([head, "─" * len(head), *rows]))
    return "\n\n".join(texts)


def comma_separated(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as CSV, a line each."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
