"""One look at a simulated sequence and its translations: all that the table and the figures need of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Sequence as Series
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from ..runtime.arrays import Floats
from ..runtime.hdf5 import opened
from ..sequences.labels import MotorUnits, read_labels
from ..sequences.scale import DomainScale
from ..sequences.sequence import Sequence
from ..sequences.source import Source
from .columns import COLUMNS, ContentColumn, OverPixels
from .content import content_from
from .features import Summary, moments_of, summary_of
from .firings import agreement_of
from .maps import difference_sums
from .moments import Moments


class PixelSums(NamedTuple):
    """Of a translation against its original: count, sum and sum of squares over pixels, by column."""

    sums: Mapping[str, tuple[int, float, float]]
    pixels: int
    undefined: int


class Wanted(NamedTuple):
    """What figures want of a sequence and its translations, by their places: 0 is the sequence.

    Attributes
    ----------
    whole : of which to keep the sequence as it is
    differences : of which translations to sum the difference from the first, and the scales of both
    """

    whole: Collection[int] = ()
    differences: Mapping[int, tuple[DomainScale, DomainScale]] = MappingProxyType({})


class Reading(NamedTuple):
    """What remains of one sequence when it has been looked at.

    Attributes
    ----------
    summary : for the features
    content : of a translation, for the columns over pixels
    differences : of a translation, signed and absolute (Z, X), summed over frames; if wanted
    sequence : the sequence itself, if wanted
    maps : xCorr and lag (Z, X) of a translation that is wanted whole
    """

    summary: Summary
    content: PixelSums | None = None
    differences: tuple[Floats, Floats] | None = None
    sequence: Sequence | None = None
    maps: ContentColumn | None = None


def read_together(
    first: Source,
    translations: Series[Source],
    frames: int,
    max_lag: float,
    full_range: bool,
    wanted: Wanted,
) -> list[Reading]:
    """Summarise a sequence and its translations, and compare each of them with it; all are read once.

    Returns
    -------
    list[Reading] : of the sequence, then of its translations
    """
    before = moments_of(first, frames)
    if not translations:
        for _ in before.rows():
            pass
    labels = labels_of(first) if translations else None
    readings: list[Reading] = []
    for place, source in enumerate(translations, 1):
        after = moments_of(source, frames)
        content, maps = _content(before, after, first.header.frame_rate, labels, max_lag, full_range)
        whole = place in wanted.whole
        readings.append(
            Reading(
                summary_of(source, after),
                content,
                _differences(before.velocity, after.velocity, wanted.differences.get(place)),
                whole_sequence(source, after.velocity) if whole else None,
                maps if whole else None,
            )
        )
    own = Reading(
        summary_of(first, before), sequence=whole_sequence(first, before.velocity) if 0 in wanted.whole else None
    )
    return [own, *readings]


def labels_of(source: Source) -> MotorUnits | None:
    """The labels of a sequence, of which the velocity is not read."""
    if isinstance(source.item, Sequence):
        return source.item.labels
    with opened(source.item) as file:
        return read_labels(file["labels"], source.header.shape) if "labels" in file else None


def whole_sequence(source: Source, velocity: Floats) -> Sequence:
    """A sequence with its labels, of which the velocity has been read already."""
    rest = source.item if isinstance(source.item, Sequence) else Sequence.load(source.item, 0, 1)
    return rest.replace(velocity=velocity)


def _content(
    silico: Moments,
    translated: Moments,
    frame_rate: float,
    labels: MotorUnits | None,
    max_lag: float,
    full_range: bool,
) -> tuple[PixelSums, ContentColumn]:
    """The sums of the columns over pixels, and the maps that those with lags within the range are of."""
    inside = None if labels is None else np.any(labels.mask, axis=0)
    firings = None if labels is None else agreement_of(translated.velocity, labels)
    content = ContentColumn(*content_from(silico, translated, frame_rate, max_lag), inside, firings)
    sums = _column_sums(content, False)
    if full_range:
        sums |= _column_sums(ContentColumn(*content_from(silico, translated, frame_rate, None), inside), True)
    return PixelSums(sums, silico.mean.size, int(np.isnan(content.correlation).sum())), content


def _column_sums(content: ContentColumn, full_range: bool) -> dict[str, tuple[int, float, float]]:
    sums = {}
    for column in COLUMNS:
        if isinstance(column.measure, OverPixels) and column.measure.full_range == full_range:
            values = column.measure.values(content)
            if values is not None:
                values = values[np.isfinite(values)]
                sums[column.name] = (values.size, float(values.sum()), float(np.square(values).sum()))
    return sums


def _differences(
    silico: Floats, translated: Floats, scales: tuple[DomainScale, DomainScale] | None
) -> tuple[Floats, Floats] | None:
    return difference_sums(silico, translated, *((scale.mean, scale.std) for scale in scales)) if scales else None
