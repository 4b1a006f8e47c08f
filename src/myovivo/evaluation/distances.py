"""From features and sums of sequences to the cells of a row: crossed, halved or pooled."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from ..runtime.arrays import Floats
from ..sequences.source import Source
from .bootstrap import LEAST, interval_of, resampled_means, resampled_pair_means
from .columns import COLUMNS, OverHalves, OverPairs, OverPixels, OverSequences
from .features import SequenceFeatures
from .halves import over_halves
from .rows import NOTHING, Statistic


def distances(
    domains: Mapping[str, list[Source]], features: Mapping[str, list[SequenceFeatures]], name: str
) -> tuple[dict[str, Statistic], dict[str, tuple[float, float]], dict[str, Floats]]:
    """The columns of one domain against vivo that need no pairing, and what they are with other subjects.

    Pairs are all of different sequences.

    Returns
    -------
    cells : column name -> mean, SD and n
    intervals : of the columns over pairs, with at least three subjects
    resampled : column name -> its mean for other draws of subjects, the same draws for every domain
    """
    subjects, references = _subjects(domains[name], name), _subjects(domains["vivo"], "vivo")
    distinct = _distinct(domains[name], domains["vivo"], name == "vivo")
    cells, intervals, resampled = {}, {}, {}
    for column in COLUMNS:
        measure = column.measure
        if isinstance(measure, OverPixels):
            continue
        a, b = (np.stack([measure.feature(sequence) for sequence in features[domain]]) for domain in (name, "vivo"))
        if isinstance(measure, OverPairs):
            values = np.where(distinct, measure.cross(a, b), np.nan)
            means = resampled_pair_means(values, subjects, references)
            cells[column.name] = _statistic(values[np.isfinite(values)])
        elif isinstance(measure, OverSequences):
            means = _resampled_means(a, subjects, name)
            cells[column.name] = _statistic(a[np.isfinite(a)])
        elif isinstance(measure, OverHalves):
            values = over_halves(measure.measure, a, b, subjects, references)
            # Two halves of one domain differ by more than two draws of it would: there the mean is the aim.
            resampled[column.name] = np.full_like(values, values.mean()) if name == "vivo" and values.size else values
            cells[column.name] = _statistic(values)
            continue
        else:
            cells[column.name] = NOTHING
            if name != "vivo" and min(len(set(subjects)), len(set(references))) >= LEAST:
                cells[column.name] = Statistic(measure.measure(a, b, subjects, references), math.nan, 1)
            continue
        resampled[column.name] = means
        if math.isfinite(interval_of(means)[0]):
            intervals[column.name] = interval_of(means)
    return cells, intervals, resampled


def _distinct(ours: list[Source], theirs: list[Source], same: bool) -> NDArray[np.bool_]:
    """Which pairs count: no file with itself, and in vivo-vivo each pair once, since the columns are symmetric."""
    own, others = ([source.identity() for source in domain] for domain in (ours, theirs))
    distinct = np.array([[a != b for b in others] for a in own])
    return np.triu(distinct, 1) if same else distinct


def _resampled_means(values: Floats, subjects: list[str], name: str) -> Floats:
    """Means over sequences for other draws of their subjects; those of vivo are drawn apart from all others."""
    known = np.isfinite(values)
    owners = [subject for subject, is_known in zip(subjects, known, strict=True) if is_known]
    if len(set(owners)) < LEAST:
        return np.empty(0)
    return resampled_means(values[known][:, None], owners, seed=int(name == "vivo"))[:, 0]


def pooled(several: Iterable[Mapping[str, tuple[int, float, float]]]) -> dict[str, Statistic]:
    """Mean and SD of each column over the pixels of all pairs, from each pair's count, sum and sum of squares."""
    totals: dict[str, Floats] = {}
    for sums in several:
        for name, numbers in sums.items():
            totals[name] = totals.get(name, np.zeros(3)) + np.array(numbers)
    return {
        name: Statistic(total / count, math.sqrt(max(squares / count - (total / count) ** 2, 0.0)), int(count))
        if count
        else NOTHING
        for name, (count, total, squares) in totals.items()
    }


def _statistic(values: Floats) -> Statistic:
    return Statistic(float(values.mean()), float(values.std()), values.size) if values.size else NOTHING


def _subjects(domain: Iterable[Source], name: str) -> list[str]:
    """The subject of each sequence; one without a name is a subject of its own, in no other domain."""
    return [source.header.subject or f"{name}/{source.name}" for source in domain]
