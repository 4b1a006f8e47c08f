"""From features and sums of sequences to the cells of a row: crossed, halved or pooled."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from ..runtime.arrays import Floats
from ..sequences.source import Source
from .bootstrap import interval_of, resampled_pair_means
from .columns import COLUMNS, OverHalves, OverPairs
from .features import SequenceFeatures
from .frechet import split_distances
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
    # Which pairs count: no file with itself, and in vivo-vivo each pair once, since the columns are symmetric.
    ours, theirs = ([source.identity() for source in domains[domain]] for domain in (name, "vivo"))
    distinct = np.array([[a != b for b in theirs] for a in ours])
    if name == "vivo":
        distinct = np.triu(distinct, 1)
    subjects, references = _subjects(domains[name], name), _subjects(domains["vivo"], "vivo")

    cells, intervals, resampled = {}, {}, {}
    for column in COLUMNS:
        if not isinstance(column.measure, OverPairs | OverHalves):
            continue
        feature = column.measure.feature
        a, b = (np.stack([feature(sequence) for sequence in features[domain]]) for domain in (name, "vivo"))
        if isinstance(column.measure, OverHalves):
            resampled[column.name] = split_distances(a, b, subjects, references)
            cells[column.name] = _statistic(resampled[column.name])
            continue
        values = np.where(distinct, column.measure.cross(a, b), np.nan)
        cells[column.name] = _statistic(values[np.isfinite(values)])
        resampled[column.name] = resampled_pair_means(values, subjects, references)
        low, high = interval_of(resampled[column.name])
        if math.isfinite(low):
            intervals[column.name] = (low, high)
    return cells, intervals, resampled


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
