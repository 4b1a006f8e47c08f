"""Do territories still move when their units fire? And which pixels follow each unit after translation?"""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..runtime.arrays import Floats
from ..sequences.labels import MotorUnits
from ..sequences.sequence import Sequence


def firing_agreement(sequence: Sequence) -> Floats:
    """Column firings: how well the motion inside each unit's territory agrees with the unit's true firings.

    The mean velocity inside the territory, against the velocity that the unit's own twitches give at its true firings
    (the labels' `source`): their correlation over time, when what the other units' twitches and the background explain
    has been taken out of both (partial correlation). Territories overlap and motion spreads, so that without taking it
    out each unit would agree with its neighbours' firings too.

    Parameters
    ----------
    sequence : with labels, which a translation carries along

    Returns
    -------
    (K,), −1 to 1, without regard to the sign of the unit's weight: 1 where the unit moves its territory as it did in
        a simulation without noise, about 0 by chance. NaN for a unit without a pixel, or that does not move in these
        frames.

    Raises
    ------
    InputError : no labels, or labels of another number of frames.
    """
    return agreement_of(sequence.velocity, _labels(sequence))


def agreement_of(velocity: Floats, labels: MotorUnits) -> Floats:
    """As `firing_agreement`, of (T, Z, X); labels may be of more frames."""
    frames = len(velocity)
    sources, flat = _courses(labels, frames), velocity.reshape(frames, -1)
    agreement = np.full(len(labels), np.nan)
    for unit, mask in enumerate(labels.mask):
        own = sources[unit]
        if not mask.any() or not own.any():
            continue
        course = flat[:, mask.ravel()].mean(axis=1, dtype=np.float64)
        rest = np.delete(sources, unit, axis=0)
        left_own, left = (_without(rest, each) for each in (own, course - course.mean()))
        size = np.linalg.norm(left_own) * np.linalg.norm(left)
        if np.linalg.norm(left_own) > 1e-6 * np.linalg.norm(own):  # else others fire just as it does
            sign = np.sign(labels.weight[unit][mask].sum()) or 1.0
            agreement[unit] = sign * (left_own @ left) / size if size > 0 else 0.0
    return agreement


def refit_weights(sequence: Sequence) -> Floats:
    """Weight maps of the units, fitted anew to what a sequence shows.

    The `weight` and `source` of labels that were carried along describe the simulation, not what a translator made of
    it. These are the weights with which the labels' `source` (and the background's, where there is one) add up to the
    sequence, as nearly as they can: least squares over the frames, pixel by pixel.

    Parameters
    ----------
    sequence : with labels, such as a translation

    Returns
    -------
    (K, Z, X) float32, as `MotorUnits.weight`: how strongly each pixel follows the unit, in this sequence's m/s per m/s
        of the simulation. 0 for a unit that does not move in these frames; units that fire alike share their motion.

    Raises
    ------
    InputError : no labels, or labels of another number of frames.

    Examples
    --------
    >>> import dataclasses, myovivo as mv
    >>> sequence = mv.simulate(seed=0, **{"grid.rows": 32, "grid.columns": 32, "grid.frames": 256})
    >>> labels = dataclasses.replace(sequence.labels, weight=mv.refit_weights(sequence))
    >>> refitted = sequence.replace(labels=labels)
    """
    labels = _labels(sequence)
    sources = _courses(labels, len(sequence.velocity))
    fit = np.linalg.pinv(sources.T, rcond=1e-6)[: len(labels)].astype(
        np.float32
    )  # (K, T), the mean over time taken out
    return np.tensordot(fit, sequence.velocity, 1)


def _labels(sequence: Sequence) -> MotorUnits:
    if sequence.labels is None:
        raise InputError("the true firings of a sequence are in its labels, got a sequence without; keep them")
    frames, labelled = len(sequence.velocity), np.shape(sequence.labels.source)[1]
    if frames != labelled:
        raise InputError(f"labels must be of the sequence's frames, got {labelled} for {frames}; cut both alike")
    return sequence.labels


def _courses(labels: MotorUnits, frames: int) -> Floats:
    """(K + B, T): velocity of each unit, then of the background, without its mean over these frames."""
    background = [] if labels.background_source is None else [labels.background_source]
    sources = np.concatenate([labels.source, *background])[:, :frames].astype(np.float64)
    return sources - sources.mean(axis=1, keepdims=True)


def _without(explained: Floats, course: Floats) -> Floats:
    """What is left of a course (T,) when a sum of others (N, T) is taken away that comes nearest to it."""
    if not len(explained):
        return course
    weights = np.linalg.lstsq(explained.T, course, rcond=1e-9)[0]
    return course - weights @ explained
