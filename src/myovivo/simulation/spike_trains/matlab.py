"""Spike trains in MATLAB files: DEMUSE and what is saved like it, MUedit, OTBioLab+."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, RecordingWarning
from ...runtime.matlab import read_matlab
from ..firing import Times
from .trains import MATLAB_FIRST, Decomposition, pulse_times, rows_of, sampling_rate

_ASSUMED = 2048.0  # Hz, of amplifiers for high-density EMG

_EDITED = (("edition", "Distimeclean"), ("edition", "Dischargetimes"), ("signal", "Dischargetimes"))

_UNREAD = ("SIG", "signalprocess", "Pulsetrain", "Pulsetrainclean")  # large and of no use here


def read_matlab_trains(path: Path) -> Decomposition:
    """The trains of a `.mat`.

    Raises
    ------
    FileError : not readable.
    InputError : of no known layout, or with numbers that cannot be.
    """
    content = read_matlab(path, without=_UNREAD)
    if "MUPulses" in content:
        return Decomposition("MUPulses, as DEMUSE saves them", [_of_demuse(content)])
    if (edited := _edited(content)) is not None:
        return edited
    if "Data" in content and "Description" in content:
        return Decomposition("OTBioLab+ export", _of_otb(content))
    listed = ", ".join(content) or "nothing"
    raise InputError(
        f"needs MUPulses, signal.Dischargetimes of MUedit, or Data with Description of OTBioLab+; it holds {listed}"
    )


def _of_demuse(content: dict[str, Any]) -> list[Times]:
    if "fsamp" in content:
        rate = sampling_rate(content["fsamp"], "fsamp")
    else:
        rate = _ASSUMED
        note = f"MUPulses without fsamp: {rate:g} samples per second were assumed; save fsamp beside them"
        warnings.warn(RecordingWarning(note), stacklevel=2)
    pulses = content["MUPulses"]
    units = pulses if isinstance(pulses, list) else rows_of(np.asarray(pulses), "MUPulses")
    return [pulse_times(unit, rate, "MUPulses", MATLAB_FIRST) for unit in _leaves(units)]


def _edited(content: dict[str, Any]) -> Decomposition | None:
    """MUedit: cells {grid, unit}, or a cell of cells per grid; the last edition that is there."""
    for struct, field in _EDITED:
        group = content.get(struct)
        if not isinstance(group, dict) or not (units := _leaves(group.get(field))):
            continue
        signal = content.get("signal")
        rates = [signal[name] for name in ("fsamp", "fs") if isinstance(signal, dict) and name in signal]
        if not rates:
            raise InputError(f"{struct}.{field} needs signal.fsamp, samples per second; save the whole MUedit file")
        rate = sampling_rate(rates[0], "signal.fsamp")
        name = f"{struct}.{field}"
        return Decomposition(f"MUedit, {name}", [[pulse_times(unit, rate, name, MATLAB_FIRST) for unit in units]])
    return None


def _of_otb(content: dict[str, Any]) -> list[list[Times]]:
    """A recording per cell of `Data` (samples, columns); the columns of decomposed units are described as such."""
    data = content["Data"] if isinstance(content["Data"], list) else [content["Data"]]
    blocks = [np.atleast_2d(np.asarray(block)) for block in data]
    if any(block.dtype.kind not in "fiub" for block in blocks):
        raise InputError("Data must be numbers, or a cell of them per recording; export it again")
    rates = _rates(content.get("SamplingFrequency"), len(blocks))
    recordings = []
    for block, words, rate in zip(blocks, _described(content["Description"], blocks), rates, strict=True):
        columns = block if block.shape[1] == len(words) else block.T
        units = [
            place
            for place, text in enumerate(words)
            if "decomposition of" in text.lower() and "source for" not in text.lower()
        ]
        recordings.append([np.flatnonzero(columns[:, place] > 0.5) / rate for place in units])
    return recordings


def _described(said: Any, blocks: list[NDArray[Any]]) -> list[list[str]]:
    """What each column is: a list per recording, one list for all, or those of all one after the other."""
    said = said if isinstance(said, list) else [said]
    if len(said) == len(blocks) and all(isinstance(words, list) for words in said):
        lists = [[str(text) for text in words] for words in said]
    else:
        words = [str(text[0] if isinstance(text, list) and len(text) == 1 else text) for text in said]
        ends = np.cumsum([0, *(block.shape[1] for block in blocks)])
        consecutive = len(blocks) > 1 and len(words) == ends[-1]
        spans = itertools.pairwise(ends)
        lists = [words[start:end] for start, end in spans] if consecutive else [words] * len(blocks)
    for words, block in zip(lists, blocks, strict=True):
        if len(words) not in block.shape:
            raise InputError(f"Description names {len(words)} columns but Data is {block.shape}; export it again")
    return lists


def _rates(said: Any, recordings: int) -> list[float]:
    """Samples per second of each recording."""
    values = said if isinstance(said, list) else list(np.ravel(said)) if said is not None else []
    if len(values) not in (1, recordings):
        raise InputError(f"SamplingFrequency must be one number, or one per recording ({recordings}), got {values}")
    rates = [sampling_rate(value, "SamplingFrequency") for value in values]
    return rates if len(rates) == recordings else rates * recordings


def _leaves(value: Any) -> list[Any]:
    """The units in cells within cells; empty cells fill up grids of fewer units."""
    if isinstance(value, list):
        return [leaf for part in value for leaf in _leaves(part)]
    return [] if value is None or np.size(value) == 0 else [value]
