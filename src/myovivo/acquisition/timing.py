"""Time stamps of frames: how many steps lie between them, whatever they are rounded to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_QUANTA = (1e-3, 1e-4)  # s, to which programs round

_COARSE = 0.25  # of a step, from which rounding hides what a single step is

_WINDOW = 6  # frames on either side, over which rounding averages out

_FEW = 2  # longer steps; more would come at even distances, if rounding made them

_MOST = 200  # gaps looked for one by one


def frame_increments(times: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many frame intervals lie between successive time stamps: 1, or more where frames are missing.

    Where stamps are finer than the frames are apart, each step is compared with the usual one. Where they are rounded
    to about that (ms at 700 frames/s), no step says anything by itself: as long as all stamps lie within their rounding
    of a straight line, no frame is missing; else one is put where the line breaks most, until they do.

    Parameters
    ----------
    times : (T,), s, not descending

    Returns
    -------
    (T - 1,) int; the frame interval is the whole time over their sum
    """
    steps = np.diff(times)
    usual = float(np.median(steps))
    quantum = rounding_of(times)
    multiples = np.maximum(1, np.rint(steps / usual)) if usual > 0 else np.zeros(0)
    if quantum <= _COARSE * usual or (len(multiples) and _few_gaps(steps / usual, multiples)):
        return multiples.astype(np.int64)
    increments = np.ones(len(steps), np.int64)
    for _ in range(_MOST):
        rest, step = _rest(times, increments)
        if np.ptp(rest) <= 1.2 * quantum or step <= 0:
            break
        jump = _jumps(rest)
        at = int(np.argmax(jump))
        if jump[at] < 0.5 * step:
            break  # stamps that jitter, but lack nothing
        increments[at] += max(1, round(jump[at] / step))
    return increments


def ascend(times: NDArray[np.float64]) -> bool:
    """Whether stamps ascend; those of frames within one unit of rounding may be equal."""
    steps = np.diff(times)
    if not len(steps) or not np.all(np.isfinite(times)) or times[-1] <= times[0]:
        return False
    return bool(np.all(steps > 0) or (np.all(steps >= 0) and np.mean(steps) < rounding_of(times)))


def rounding_of(times: NDArray[np.float64]) -> float:
    """What time stamps are multiples of, s; 0 if of nothing coarse."""
    relative = times - times[0]
    for quantum in _QUANTA:
        if np.all(np.abs(relative / quantum - np.rint(relative / quantum)) < 1e-4):
            return quantum
    return 0.0


def _few_gaps(steps: NDArray[np.float64], multiples: NDArray[np.float64]) -> bool:
    """Whether steps are exact multiples of the usual one but for so few that no rounding can have made them."""
    return bool(np.all(np.abs(steps - multiples) < 1e-3) and np.count_nonzero(multiples > 1) <= _FEW)


def _rest(times: NDArray[np.float64], increments: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
    """How far stamps lie from the straight line through them, and its slope: the frame interval."""
    number = np.concatenate([[0], np.cumsum(increments)])
    step, start = np.polyfit(number, times, 1)
    return times - start - step * number, float(step)


def _jumps(rest: NDArray[np.float64]) -> NDArray[np.float64]:
    """By how much the rest rises from the frames before each interval to those after."""
    sums = np.concatenate([[0.0], np.cumsum(rest)])
    middle = np.arange(1, len(rest))
    before, after = np.maximum(0, middle - _WINDOW), np.minimum(len(rest), middle + _WINDOW)
    return (sums[after] - sums[middle]) / (after - middle) - (sums[middle] - sums[before]) / (middle - before)
