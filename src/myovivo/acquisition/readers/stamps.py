"""Time stamps that a container keeps in whole milliseconds, brought back to the clock they were rounded from.

Matroska, and what recorders write into other containers, has whole milliseconds: at 700 frames per second the steps are
then 1 and 2 ms, and a rate from the usual step, or a gap from an unusual one, would be made up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROUNDED_MS = 0.5 + 1e-3

_CUT_MS = 1.0 + 1e-3  # where they were cut off instead

_SURE_MS = 3.0  # steps from which a missing frame shows in the stamps alone


def unrounded(stamps: NDArray[np.float64], announced: float) -> tuple[NDArray[np.float64], str] | None:
    """The times of frames by a steady clock that the stamps can have been rounded from.

    That of the container comes first, then that of the mean step; if neither fits all frames without a gap, the
    container's, then one of the stamps' own, with as few gaps as the stamps allow.

    Parameters
    ----------
    stamps : ms, ascending
    announced : frames per second by the container, 0 if it does not say

    Returns
    -------
    (times, clock) : s, and whose clock it is; None for stamps that are not in whole ms, or fit no steady clock
    """
    if len(stamps) < 2 or np.any(np.abs(stamps - np.rint(stamps)) > 1e-3) or not stamps[-1] > stamps[0]:
        return None
    since, last = stamps - stamps[0], len(stamps) - 1
    own = "time stamps in whole ms"
    clocks = [(1e3 / announced, f"{own}, rate of the container")] if announced > 0 else []
    clocks.append(((stamps[-1] - stamps[0]) / last, f"{own}, mean rate"))
    for step, clock in clocks:
        if np.all(np.abs(since - step * np.arange(last + 1)) <= _CUT_MS):
            return np.asarray(step * 1e-3 * np.arange(last + 1), np.float64), clock
    usual = float(np.median(np.diff(stamps)))
    if usual >= _SURE_MS:
        clocks.append((since[-1] / np.maximum(1, np.rint(np.diff(stamps) / usual)).sum(), f"{own}, usual rate"))
    for step, clock in clocks:
        for tolerance in (_ROUNDED_MS, _CUT_MS):
            if (numbers := _numbers(since, step, tolerance)) is not None:
                return np.asarray(step * 1e-3 * numbers, np.float64), clock
    return None


def _numbers(since: NDArray[np.float64], step: float, tolerance: float) -> NDArray[np.int64] | None:
    """The least ascending numbers whose times are within `tolerance` of the stamps, in ms; None if there are none."""
    numbers = np.zeros(len(since), np.int64)
    for frame in range(1, len(since)):
        numbers[frame] = max(numbers[frame - 1] + 1, int(np.ceil((since[frame] - tolerance) / step)))
    return numbers if np.all(np.abs(numbers * step - since) <= tolerance) else None
