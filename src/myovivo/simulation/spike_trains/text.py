"""Spike trains in tables of text: BIDS events, and the firings that Delsys NeuroMap exports."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from ...errors import InputError
from ...runtime.texts import LONGEST_TABLE, read_text
from ..firing import Times
from .trains import Decomposition

_MISSING = {"", "n/a", "na", "nan", "null", "none", "inf", "+inf", "-inf", "infinity", "-infinity"}

_UNIT_COLUMNS = ("motor_unit", "unit", "unit_id", "trial_type", "value")


def read_bids_trains(path: Path) -> Decomposition:
    """The trains of an `events.tsv`: `onset` in s and a column that names the unit; rows that lack either are left out.

    Raises
    ------
    InputError : a column is missing, or an onset is neither a number nor missing.
    """
    rows = list(csv.DictReader(_text(path), delimiter="\t"))
    names = [name.strip() for name in rows[0] if name is not None] if rows else []
    unit_column = next((name for name in _UNIT_COLUMNS if name in names), None)
    if "onset" not in names or unit_column is None:
        raise InputError(f"needs the columns onset and motor_unit, got {', '.join(names) or 'none'}")
    trains: dict[str, list[float]] = {}
    for number, row in enumerate(rows, 2):
        cells = {name.strip(): (cell or "").strip() for name, cell in row.items() if isinstance(name, str)}
        onset, unit = _number(cells["onset"], f"onset in line {number}"), cells[unit_column]
        if onset is not None and unit.lower() not in _MISSING:
            trains.setdefault(unit, []).append(onset)
    return Decomposition("BIDS events", [[np.array(times) for times in trains.values()]])


def read_delsys_trains(path: Path) -> Decomposition:
    """The trains of a table of firings of Delsys NeuroMap: a column per unit with times in s, under a line of titles.

    Raises
    ------
    InputError : no such table.
    """
    rows = list(csv.reader(_text(path), delimiter="\t"))
    if len(rows) < 2 or not rows[0] or all(_is_number(cell) for cell in rows[0]):
        raise InputError("needs a line of titles over columns of firing times in s, parted by tabs; export it again")
    trains: list[list[float]] = [[] for _ in rows[0]]
    for number, row in enumerate(rows[1:], 2):
        if len(row) > len(trains):
            raise InputError(f"line {number} has {len(row)} cells under {len(trains)} titles; export it again")
        for train, cell in zip(trains, row, strict=False):
            if (time := _number(cell.strip(), f"a time in line {number}")) is not None:
                train.append(time)
    units: list[Times] = [np.array(train) for train in trains]
    if any(np.any(np.diff(unit) <= 0) for unit in units):
        raise InputError("firing times must ascend down each column; give the table of firings, not of MUAPs or rates")
    return Decomposition("Delsys NeuroMap firings", [units])


def _text(path: Path) -> io.StringIO:
    return io.StringIO(read_text(path, LONGEST_TABLE), newline="")


def _number(cell: str, what: str) -> float | None:
    """A number; None for all the ways in which one is said to be missing."""
    if cell.lower() in _MISSING:
        return None
    if not _is_number(cell):
        raise InputError(f"{what} must be a number in s, got {cell[:40]!r}; write it with a point, or n/a")
    number = float(cell)
    return number if np.isfinite(number) else None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
