"""What figures show beside the features: example sequences, and how each translation differs from its original."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import MyovivoError
from ..runtime.arrays import Floats
from ..runtime.parallel import in_parallel
from ..runtime.progress import track
from ..sequences.scale import DomainScale
from ..sequences.sequence import Sequence
from ..sequences.source import Domain, Source, sources
from .columns import ContentColumn
from .comparison import Comparison
from .content import content_correlation
from .domains import Translated, named_models
from .maps import MapStack, difference_sums, pairs_by_name
from .reading import whole_sequence

Pairs = list[tuple[Source, Source]]

Scales = tuple[DomainScale, DomainScale]

Sums = tuple[Floats, Floats]  # signed and absolute, (Z, X), over frames


@dataclass(frozen=True)
class PairExample:
    """A silico sequence, its translation, and where the one moves as the other."""

    silico: Sequence
    translated: Sequence
    content: ContentColumn


@dataclass(frozen=True)
class Illustrations:
    """What figures show of the sequences themselves; examples are the first of their domain.

    Attributes
    ----------
    reference : the first sequence of vivo
    examples : model -> its first translation and that one's original
    similarity : model -> similarity maps of all its pairs, signed and absolute, in SDs
    """

    reference: Sequence
    examples: Mapping[str, PairExample]
    similarity: Mapping[str, tuple[MapStack, MapStack]]


def stacks_of(pairs: Pairs, differences: Iterable[Sums], spacing: tuple[float, float]) -> tuple[MapStack, MapStack]:
    """The similarity maps of pairs, signed and absolute, from the sums of their differences over frames."""
    names = tuple(silico.name for silico, _ in pairs)
    subjects = tuple(silico.header.subject or silico.name for silico, _ in pairs)
    signed, absolute = (MapStack(np.stack(maps), names, subjects, spacing) for maps in zip(*differences, strict=True))
    return signed, absolute


def differences_of(pairs: Pairs, scales: Scales, frames: int, workers: int, quiet: bool) -> list[Sums]:
    """The sums of the differences of pairs over frames; each pair is read for it.

    Raises
    ------
    FileError : a sequence cannot be read.
    """
    results = in_parallel(_pair_differences, [(*pair, scales, frames) for pair in pairs], workers, threads=True)
    sums: dict[int, Sums] = {}
    for number, outcome in track(results, "differences", len(pairs), quiet=quiet):
        if isinstance(outcome, MyovivoError):
            raise outcome
        sums[number] = outcome
    return [sums[number] for number in range(len(pairs))]


def illustrate(
    comparison: Comparison, silico: Domain, translated: Translated, vivo: Domain, workers: int = -1, quiet: bool = False
) -> Illustrations:
    """Read again what figures show of the sequences that a comparison was made of.

    Parameters
    ----------
    comparison : made with silico
    silico, translated, vivo : as given to `evaluate`; of several models only those that are to be shown
    workers : threads, −1 for one per core
    quiet : no progress

    Raises
    ------
    FileError : a sequence cannot be read.
    InputError : no translated sequence of a model carries the name of a silico one.
    """
    frames, spacing = comparison.frames, comparison.spacing
    pairs = {name: pairs_by_name(silico, domain) for name, domain in named_models(translated).items()}
    examples, similarity = {}, {}
    for name, sequences in pairs.items():
        scales = comparison.domains["silico"].standardisation, comparison.domains[name].standardisation
        before, after = (whole_sequence(source, source.velocity(frames)) for source in sequences[0])
        content = content_correlation(before.velocity, after.velocity, before.frame_rate, comparison.max_lag)
        examples[name] = PairExample(before, after, ContentColumn(*content, None))
        first = difference_sums(before.velocity, after.velocity, *((scale.mean, scale.std) for scale in scales))
        others = differences_of(sequences[1:], scales, frames, workers, quiet)
        similarity[name] = stacks_of(sequences, [first, *others], spacing)
    reference = sources(vivo)[0]
    return Illustrations(whole_sequence(reference, reference.velocity(frames)), examples, similarity)


def _pair_differences(silico: Source, translated: Source, scales: Scales, frames: int) -> Sums:
    numbers = ((scale.mean, scale.std) for scale in scales)
    return difference_sums(silico.velocity(frames), translated.velocity(frames), *numbers)
