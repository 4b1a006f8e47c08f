"""What files of decomposed EMG say, as spike times: sample numbers checked, padding and missing values dropped."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, UnitWarning
from ...sequences.quantities import plausible
from ..firing import Times

MATLAB_FIRST = 1  # MATLAB counts samples from 1


class Decomposition(NamedTuple):
    """Spike times (s) of the units of each recording in a file, and what wrote the file."""

    title: str
    recordings: list[list[Times]]


def sampling_rate(value: Any, name: str) -> float:
    """Samples per second out of whatever a file holds under that name.

    Raises
    ------
    InputError : not one positive, finite number.
    """
    try:
        numbers = np.unique(np.asarray(value, float))
    except (TypeError, ValueError):
        numbers = np.zeros(0)
    if len(numbers) != 1 or not np.isfinite(numbers[0]):
        raise InputError(f"{name} must be one number, samples per second in Hz, got {_short(value)}; mend the file")
    if numbers[0] <= 0:
        raise InputError(f"{name} must be positive, samples per second in Hz, got {numbers[0]:g}; mend the file")
    return float(numbers[0])


def pulse_times(pulses: Any, rate: float, name: str, first: int) -> Times:
    """Spike times, s, of the sample numbers of one unit; missing ones and padding are dropped.

    Parameters
    ----------
    pulses : sample numbers, in any shape
    rate : samples per second, Hz
    name : what the file calls them
    first : number of the first sample, 0 or 1

    Raises
    ------
    InputError : no sample numbers, but texts, fractions, negative numbers, or a binary train.
    """
    numbers = missing_dropped(pulses, name)
    if np.asarray(pulses).dtype.kind == "b" or (len(numbers) > 2 and np.isin(numbers, (0, 1)).all()):
        raise InputError(f"{name} must be sample numbers, got a train of 0 and 1; save the places of the ones")
    if first == 1:  # 0 is no sample: at the end it is padding
        numbers = np.trim_zeros(numbers, "b")
    if len(numbers) and (numbers.min() < first or np.any(numbers != np.rint(numbers))):
        wrong = numbers[(numbers < first) | (numbers != np.rint(numbers))][0]
        raise InputError(
            f"{name} must be whole sample numbers from {first}, got {wrong:g}; if they are times in s, save them as "
            "BIDS events.tsv"
        )
    return (numbers - first) / rate


def missing_dropped(values: Any, name: str) -> NDArray[np.float64]:
    """The finite numbers among values, flat.

    Raises
    ------
    InputError : texts or what else is no number.
    """
    if isinstance(values, list):
        values = [np.nan if value is None else value for value in values]
    try:
        numbers = np.atleast_1d(np.asarray(values, float)).ravel() if values is not None else np.zeros(0)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be numbers, got {_short(values)}; mend the file") from None
    return numbers[np.isfinite(numbers)]


def rows_of(matrix: NDArray[Any], name: str) -> list[NDArray[Any]]:
    """The units of a matrix of sample numbers, a row each, padded at the end; a vector is one unit.

    Raises
    ------
    InputError : neither rows nor columns ascend.
    """
    if matrix.size == 0:
        return []
    if matrix.dtype.kind == "b" or 1 in matrix.shape or matrix.ndim < 2:
        return [matrix.ravel()]
    for units in (matrix, matrix.T):
        if all(_ascends(unit) for unit in units):
            return list(units)
    raise InputError(f"{name} must be sample numbers, a row per unit, that ascend; got a matrix {matrix.shape}")


def cleaned(decomposition: Decomposition) -> Decomposition:
    """The same with each train in ascending order, each firing once, and neither silent units nor recordings of none.

    Raises
    ------
    InputError : the rates are none that motor units have, so that the unit of time must be another.
    """
    recordings = [[np.unique(train) for train in units if len(train)] for units in decomposition.recordings]
    recordings = [units for units in recordings if units]
    intervals = [np.median(np.diff(train)) for units in recordings for train in units if len(train) > 1]
    if intervals and (note := plausible("firing_rate", 1 / float(np.median(intervals)), shown="the usual firing rate")):
        warnings.warn(UnitWarning(note), stacklevel=2)
    return decomposition._replace(recordings=recordings)


def _ascends(unit: Iterable[float]) -> bool:
    numbers = np.asarray(unit, float)
    return bool(np.all(np.diff(np.trim_zeros(numbers[np.isfinite(numbers)], "b")) > 0))


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 40 else f"{text[:40]}…"
