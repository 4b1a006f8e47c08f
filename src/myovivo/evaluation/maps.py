"""Maps of one sequence or of a pair: variance, difference, similarity, and their profile over depth.

Maps are (Z, X). A difference is *translated − silico*, so it is positive where translation added
velocity towards the probe. The paper (Ali et al. 2022, BioMed Eng OnLine 21:46, figure 5) uses the
signed and the absolute word for it; here `absolute` chooses.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Series
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InputError
from ..runtime.arrays import Floats
from ..sequences.scale import DomainScale, given_scale
from ..sequences.sequence import Sequence
from ..sequences.source import Domain, Source, sources
from .moments import temporal_variance

AnySequence = Sequence | str | Path

Constants = Mapping[str, DomainScale | Mapping[str, Any] | Series[float]]
"""The mean and SD, m/s, of the domains `silico` and `vivo`."""

NO_PAIRS = "no translated sequence carries the name of a silico one; keep file names in translation"

_BLOCK_FRAMES = 8  # differences are taken so many frames at a time: they stay in the cache, and memory stays bounded


def variance_map(sequence: AnySequence) -> Floats:
    """Temporal variance V of the velocity of each pixel.

    Parameters
    ----------
    sequence : or its file

    Returns
    -------
    (Z, X) float64, (m/s)²

    Raises
    ------
    FileError : the file is missing, truncated or no sequence.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46, figure 1.
    """
    return temporal_variance(_sequence(sequence).velocity)


def difference_map(
    silico: AnySequence,
    translated: AnySequence,
    absolute: bool = False,
    standardisation: Constants | None = None,
) -> Floats:
    """Translated − silico of each frame, averaged over the frames.

    A band-passed velocity has no mean, so the signed map is near zero wherever both are; the absolute
    one shows how much each pixel was changed.

    Parameters
    ----------
    silico, translated : the two sequences, or their files
    absolute : average |translated − silico| instead
    standardisation : `{"silico": (mean, std), "vivo": (mean, std)}` in m/s; given, silico and
        translated are standardised by the constants of silico and of vivo first, as in the paper

    Returns
    -------
    (Z, X) float64, m/s; in SDs if standardised. Signed: positive where translation added velocity
    towards the probe.

    Raises
    ------
    FileError : a file is missing, truncated or no sequence.
    InputError : the two differ in shape or frame rate, or a constant is missing.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46, figure 5.
    """
    before, after = _pair(silico, translated)
    signed, size = difference_sums(before.velocity, after.velocity, *_two_constants(standardisation))
    return (size if absolute else signed) / before.shape[0]


def difference_sums(
    silico: Floats, translated: Floats, scale_a: tuple[float, float], scale_b: tuple[float, float]
) -> tuple[Floats, Floats]:
    """Translated − silico, and its absolute value, summed over the frames, both standardised first.

    Parameters
    ----------
    silico, translated : (T, Z, X), m/s
    scale_a, scale_b : mean and SD of silico, and of what translated is in the role of

    Returns
    -------
    signed, absolute : (Z, X) float64
    """
    (mean_a, std_a), (mean_b, std_b) = scale_a, scale_b
    signed, absolute = np.zeros(silico.shape[1:]), np.zeros(silico.shape[1:])
    for start in range(0, len(silico), _BLOCK_FRAMES):
        frames = slice(start, start + _BLOCK_FRAMES)
        difference = (translated[frames].astype(np.float64) - mean_b) / std_b
        difference -= (silico[frames].astype(np.float64) - mean_a) / std_a
        signed += difference.sum(axis=0)
        absolute += np.abs(difference, out=difference).sum(axis=0)
    return signed, absolute


def similarity_map(
    silico: AnySequence,
    translated: AnySequence,
    absolute: bool = False,
    standardisation: Constants | None = None,
) -> Floats:
    """The sum of the difference maps of all frames of a sequence: T times `difference_map`.

    Parameters
    ----------
    silico, translated, absolute, standardisation : as in `difference_map`

    Returns
    -------
    (Z, X) float64, m/s summed over the frames; in SDs if standardised

    Raises
    ------
    FileError, InputError : as `difference_map`.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46, figure 5.
    """
    before, after = _pair(silico, translated)
    return difference_map(before, after, absolute, standardisation) * before.shape[0]


class MapStack(NamedTuple):
    """One map per test sequence, and whose it is.

    Attributes
    ----------
    maps : (N, Z, X)
    names, subjects : N each, of the simulated sequences; one without a subject is a subject of its own
    spacing : (dz, dx), m
    """

    maps: Floats
    names: tuple[str, ...]
    subjects: tuple[str, ...]
    spacing: tuple[float, float]

    def profiles(self) -> Floats:
        """(N, Z): the lateral mean of each map, against depth."""
        return self.maps.mean(axis=2)


def difference_maps(
    silico: Domain, translated: Domain, absolute: bool = False, standardisation: Constants | None = None
) -> MapStack:
    """The difference map of every translated test sequence, with one pair in memory at a time.

    Multiplied by the number of frames they are similarity maps. Their interval over test sequences is
    `evaluate.bootstrap.mean_interval(stack.maps, stack.subjects)`, that of the depth profile
    `mean_interval(stack.profiles(), stack.subjects)`; two translators are compared by `compare_groups`.

    Parameters
    ----------
    silico, translated : folders, lists of files, or sequences; partners share a file name (or their
        place, for sequences in memory)
    absolute, standardisation : as in `difference_map`

    Returns
    -------
    MapStack : unit as `difference_map`

    Raises
    ------
    FileError, InputError : as `difference_map`; or no sequences share a name, or their sizes differ.
    """
    pairs = pairs_by_name(silico, translated)
    differences = [difference_map(before.item, after.item, absolute, standardisation) for before, after in pairs]
    sizes = sorted({one.shape for one in differences})
    if len(sizes) > 1:
        raise InputError(f"difference maps must share a size, got {sizes[0]} and {sizes[1]}; translate equal sequences")
    originals = [before for before, _ in pairs]
    return MapStack(
        maps=np.stack(differences),
        names=tuple(one.name for one in originals),
        subjects=tuple(one.header.subject or one.name for one in originals),
        spacing=originals[0].header.spacing,
    )


def pairs_by_name(silico: Domain, translated: Domain) -> list[tuple[Source, Source]]:
    """(simulated, translated) for each translated sequence that carries the name of a simulated one.

    Raises
    ------
    FileError : a file is missing, truncated or no sequence.
    InputError : none does.
    """
    originals = {source.name: source for source in sources(silico)}
    pairs = [(originals[source.name], source) for source in sources(translated) if source.name in originals]
    if not pairs:
        raise InputError(NO_PAIRS)
    return pairs


def depth_profile(map: ArrayLike, spacing: tuple[float, float]) -> tuple[Floats, Floats, Floats]:
    """Mean and SD of a map over the lateral direction, against depth.

    Parameters
    ----------
    map : (Z, X)
    spacing : (dz, dx), m

    Returns
    -------
    depth : (Z,) m, of the pixel centres
    mean, sd : (Z,), unit of the map; the population SD

    Raises
    ------
    InputError : the map is not two-dimensional or the spacing not positive.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46, figure 5.
    """
    values = np.asarray(map, np.float64)
    if values.ndim != 2 or values.size == 0:
        raise InputError(f"a map must be (Z, X) with at least one pixel, got shape {values.shape}")
    if not spacing[0] > 0:
        raise InputError(f"spacing must be positive (dz, dx) in m, got {spacing}")
    return (np.arange(len(values)) + 0.5) * spacing[0], values.mean(axis=1), values.std(axis=1)


def _sequence(sequence: AnySequence) -> Sequence:
    return sequence if isinstance(sequence, Sequence) else Sequence.load(sequence, labels=False)


def _pair(silico: AnySequence, translated: AnySequence) -> tuple[Sequence, Sequence]:
    before, after = _sequence(silico), _sequence(translated)
    if before.shape != after.shape:
        got = f"{before.shape} and {after.shape}"
        raise InputError(f"silico and translated must have the same shape, got {got}; compare a sequence with its own")
    if not np.isclose(before.frame_rate, after.frame_rate, rtol=1e-3):
        got = f"{before.frame_rate:g} and {after.frame_rate:g} Hz"
        raise InputError(f"silico and translated must share a frame rate, got {got}; compare a sequence with its own")
    return before, after


def _two_constants(standardisation: Constants | None) -> tuple[tuple[float, float], tuple[float, float]]:
    if standardisation is None:
        return (0.0, 1.0), (0.0, 1.0)
    missing = [name for name in ("silico", "vivo") if name not in standardisation]
    if missing:
        raise InputError(f"standardisation must name silico and vivo, got no {missing[0]}; give (mean, std) of both")
    silico, vivo = (given_scale(standardisation[name]) for name in ("silico", "vivo"))
    return (silico.mean, silico.std), (vivo.mean, vivo.std)
