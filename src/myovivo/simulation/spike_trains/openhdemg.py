"""Spike trains in openhdemg's JSON, plain or gzipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import FileError, InputError
from ...runtime.texts import json_of, read_text
from .trains import Decomposition, pulse_times, sampling_rate


def read_openhdemg_trains(path: Path) -> Decomposition:
    """The trains of a `.json`: `MUPULSES` counted from sample 0, and `FSAMP`.

    Raises
    ------
    FileError : no JSON, or too large.
    InputError : entries are missing, or hold numbers that cannot be.
    """
    try:
        content = json_of(read_text(path))
    except (ValueError, OSError) as error:
        reason = " ".join(str(error).split())[:80]
        raise FileError(path, f"cannot be read as spike trains: it is no JSON ({reason}); save it again") from error
    rate = sampling_rate(_entry(content, "FSAMP"), "FSAMP")
    units = _entry(content, "MUPULSES")
    if not isinstance(units, list):
        units = [] if units is None else [units]
    if units and not any(isinstance(unit, list) for unit in units):  # one unit, written without its own brackets
        units = [units]
    trains = [pulse_times(unit, rate, "MUPULSES", 0) for unit in units if unit is not None]
    return Decomposition("openhdemg JSON", [trains])


def _entry(content: Any, name: str) -> Any:
    """An entry; openhdemg stores each as JSON within JSON."""
    if not isinstance(content, dict) or name not in content:
        held = ", ".join(list(content)[:8]) if isinstance(content, dict) and content else "nothing by name"
        raise InputError(f"cannot be read as spike trains: there is no {name}; it holds {held}")
    entry = content[name]
    if not isinstance(entry, str):
        return entry
    try:
        return json_of(entry)
    except ValueError:
        raise InputError(f"cannot be read as spike trains: {name} is no JSON, got {entry[:40]!r}") from None
