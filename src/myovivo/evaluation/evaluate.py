"""The paper's table: every translated sequence against every recorded one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Sequence as Series
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import InputError, MyovivoError
from ..runtime.arrays import Floats
from ..runtime.parallel import in_parallel
from ..runtime.progress import track
from ..sequences.scale import DomainScale, given_scale
from ..sequences.source import Domain, Source, sources
from . import metrics
from .bootstrap import pair_interval
from .coherence import cross_rms
from .comparison import NONE, NOTHING, VIVO_VIVO, Comparison, DomainSummary, Row, Statistic
from .features import SequenceFeatures, Summary, features_of, scale_of, summarise
from .frechet import split_distances
from .metrics import MAX_LAG

Translated = Domain | Mapping[str, Domain]

Constants = Mapping[str, DomainScale | Mapping[str, Any] | Series[float]]


def evaluate(
    translated: Translated | None,
    vivo: Domain,
    silico: Domain | None = None,
    *,
    standardisation: Constants | None = None,
    frames: int | None = None,
    max_lag: float = MAX_LAG,
    full_range: bool = False,
    workers: int = -1,
    quiet: bool = False,
) -> Comparison:
    """Compare translated sequences with recorded ones, and with the simulated ones they came from.

    Every translated sequence is compared with every vivo one; the mean and SD over all pairs make a
    row. A file is never compared with itself. Each sequence is read once, no more than two per worker
    are in memory, and only their small features are crossed.

    Parameters
    ----------
    translated : a folder, a list of files or sequences, or a mapping of model names to such; None
        for the rows `none` and `vivo-vivo` alone
    vivo : the recordings: a folder, a list of files or sequences; at least two
    silico : the simulated sequences, for the row `none`. Those with the file name of a translated
        sequence (or its place, for sequences in memory) also give xCorr and lag.
    standardisation : `{"silico": (mean, std), "vivo": (mean, std)}` in m/s. None takes what the training
        run stored, if all translated sequences carry the same. A domain without constants is
        standardised by these very files. Translated sequences take the constants of `vivo`, the
        domain they were moved to. `Comparison.domains` says which were used.
    frames : use only the first so many frames of every sequence
    max_lag : s, the largest lag of xCorr either way
    full_range : also give xCorr and lag over all lags (slower)
    workers : threads, −1 for one per core; on a cluster (`on_cluster`) all its workers, best of files,
        since sequences in memory must travel there
    quiet : no progress

    Returns
    -------
    Comparison : printed, it is the table

    Raises
    ------
    FileError : a folder or file is missing, truncated, or holds NaN.
    InputError : fewer than two vivo sequences, sequences of different frame rate or size, or a
        standardisation that is none.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46. Ours are SSI norm, the coherence distance (`coherence`), the
    Fréchet distances (`frechet`; from eight sequences on), the intervals (`bootstrap`), the territories and
    the full range.
    """
    vivo_sources = sources(vivo)
    silico_sources = sources(silico) if silico is not None else []
    model_sources = {name: sources(domain) for name, domain in named_models(translated).items()}
    if len(vivo_sources) < 2:
        raise InputError(f"vivo must hold at least two sequences to compare with each other, got {len(vivo_sources)}")
    everything = [*vivo_sources, *silico_sources, *(s for found in model_sources.values() for s in found)]
    shape = _common_shape(everything, frames)
    constants = _constants(standardisation) if standardisation is not None else _stored_constants(model_sources)

    partners, unmatched = _partners(silico_sources, model_sources)
    jobs = _jobs(silico_sources, vivo_sources, model_sources, partners)
    # Threads: nearly all the time goes to FFTs and sums that release the interpreter lock.
    results = in_parallel(_study, [(*job, shape[0], max_lag, full_range) for job in jobs], workers, threads=True)
    summaries: dict[int, Summary] = {}
    contents: dict[int, _Content] = {}
    for number, outcome in track(results, "evaluate", len(jobs), quiet=quiet):
        if isinstance(outcome, MyovivoError):
            raise outcome
        (first, others), (found, content) = jobs[number], outcome
        summaries |= {id(source): summary for source, summary in zip([first, *others], found, strict=True)}
        contents |= {id(source): one for source, one in zip(others, content, strict=True)}

    domains: dict[str, list[Source]] = {"silico": silico_sources} if silico_sources else {}
    domains |= model_sources | {"vivo": vivo_sources}
    scale = {}
    for name in ("vivo", *(name for name in domains if name != "vivo")):  # the models borrow from vivo
        known = constants.get(name) or (scale["vivo"] if name in model_sources else None)
        scale[name] = known or scale_of([summaries[id(s)] for s in domains[name]])
    features = {name: [features_of(summaries[id(s)], scale[name]) for s in found] for name, found in domains.items()}

    rows = []
    if silico_sources:
        rows.append(Row(NONE, len(silico_sources), *_distances(domains, features, "silico")))
    for name, found in model_sources.items():
        columns, intervals = _distances(domains, features, name)
        content = [contents[id(source)] for source in found if id(source) in contents]
        rows.append(Row(name, len(found), columns | _pooled(content), intervals))
    rows.append(Row(VIVO_VIVO, len(vivo_sources), *_distances(domains, features, "vivo")))

    described = {
        name: DomainSummary(len(found), len({s.header.subject for s in found} - {""}), _counted(found), scale[name])
        for name, found in domains.items()
    }
    first = vivo_sources[0].header
    return Comparison(
        rows=tuple(rows),
        domains=described,
        features=features,
        frame_rate=first.frame_rate,
        size=shape[1:],
        frames=shape[0],
        spacing=first.spacing,
        max_lag=max_lag,
        warnings=tuple(_warnings(described, everything, model_sources if silico_sources else {}, unmatched, contents)),
    )


# --------------------------------------------------------------------------- what is given


def named_models(translated: Translated | None) -> dict[str, Domain]:
    """Translated domains by model name; one without a name is called `translated`.

    Raises
    ------
    InputError : a name that the table uses otherwise.
    """
    if translated is None:
        return {}
    if isinstance(translated, Mapping):
        named: dict[str, Domain] = {str(name): domain for name, domain in translated.items()}
    else:
        named = {"translated": translated}
    taken = sorted(set(named) & {NONE, VIVO_VIVO, "silico", "vivo"})
    if taken:
        raise InputError(f"a model cannot be called {taken[0]!r}, a name the table uses; choose another")
    return named


def _stored_constants(models: Mapping[str, list[Source]]) -> dict[str, DomainScale]:
    """The constants of the training run, if all translated sequences carry the same."""
    stored = [source.header.provenance.get("standardisation") for found in models.values() for source in found]
    if not stored or stored[0] is None or any(one != stored[0] for one in stored):
        return {}
    found = {}
    for name in ("silico", "vivo"):
        mean, std = stored[0][name]
        found[name] = DomainScale(float(mean), float(std), "training run")
    return found


def _constants(standardisation: Constants) -> dict[str, DomainScale]:
    if not isinstance(standardisation, Mapping):
        got = type(standardisation).__name__
        raise InputError(f"standardisation must be {{'silico': (mean, std), 'vivo': (mean, std)}}, got {got}")
    return {name: given_scale(value) for name, value in standardisation.items()}


def _common_shape(found: Iterable[Source], frames: int | None) -> tuple[int, int, int]:
    """(T, Z, X) that all sequences share.

    Raises
    ------
    InputError : they share no frame rate, size or length.
    """
    first, *others = found
    length = first.header.shape[0] if frames is None else frames
    for source in (first, *others):
        names = f"{_where(first)} and {_where(source)}"
        here, there = source.header, first.header
        if not math.isclose(here.frame_rate, there.frame_rate, rel_tol=1e-3):
            got = f"{there.frame_rate:g} and {here.frame_rate:g} Hz"
            raise InputError(f"{names}: sequences must share a frame rate, got {got}; make them again at one rate")
        if here.shape[1:] != there.shape[1:]:
            got = f"{there.shape[1:]} and {here.shape[1:]} pixels"
            raise InputError(f"{names}: sequences must share a size, got {got}; make them again at one size")
        if frames is None and here.shape[0] != length:
            got = f"{there.shape[0]} and {here.shape[0]} frames"
            remedy = f"compare the first frames={min(there.shape[0], here.shape[0])} of each"
            raise InputError(f"{names}: sequences must be equally long, got {got}; {remedy}")
        if here.shape[0] < length:
            raise InputError(f"{_where(source)}: has {here.shape[0]} frames, fewer than frames={frames}; ask for fewer")
    return length, *first.header.shape[1:]


def _where(source: Source) -> str:
    return str(source.item) if isinstance(source.item, Path) else source.name


def _partners(
    silico: list[Source], models: Mapping[str, list[Source]]
) -> tuple[dict[int, list[Source]], dict[str, int]]:
    """For each silico source its translations by name; for each model how many found no partner."""
    partners: dict[int, list[Source]] = {id(source): [] for source in silico}
    by_name = {source.name: source for source in silico}
    if len(by_name) < len(silico):
        twice = next(source for source in silico if by_name[source.name] is not source)
        raise InputError(f"{_where(twice)}: two silico sequences are called {twice.name!r}; rename one")
    unmatched = {}
    for name, found in models.items():
        matched = [source for source in found if source.name in by_name]
        for source in matched:
            partners[id(by_name[source.name])].append(source)
        unmatched[name] = len(found) - len(matched)
    return partners, unmatched


def _jobs(
    silico: list[Source], vivo: list[Source], models: Mapping[str, list[Source]], partners: Mapping[int, list[Source]]
) -> list[tuple[Source, list[Source]]]:
    """(a sequence, its translations): together each sequence once."""
    paired = {id(source) for found in partners.values() for source in found}
    lone = [source for found in models.values() for source in found if id(source) not in paired]
    return [*((source, partners[id(source)]) for source in silico), *((source, []) for source in [*vivo, *lone])]


# --------------------------------------------------------------------------- one reading


class _Content(NamedTuple):
    """Count, sum and sum of squares over pixels, by column."""

    sums: dict[str, tuple[int, float, float]]
    pixels: int
    undefined: int


def _study(
    first: Source, translations: list[Source], frames: int, max_lag: float, full_range: bool
) -> tuple[list[Summary], list[_Content]]:
    """Summarise a sequence and its translations, and correlate it with each of them."""
    velocity = first.velocity(frames)
    summaries, contents = [summarise(first, velocity)], []
    inside = first.territories() if translations else None
    for source in translations:
        translated = source.velocity(frames)
        summaries.append(summarise(source, translated))
        contents.append(_content(velocity, translated, first.header.frame_rate, inside, max_lag, full_range))
    return summaries, contents


def _content(
    silico: Floats, translated: Floats, frame_rate: float, inside: Any, max_lag: float, full_range: bool
) -> _Content:
    sums: dict[str, tuple[int, float, float]] = {}
    undefined = 0
    for suffix, reach in [("", max_lag), (" full range", None)][: 2 if full_range else 1]:
        correlation, lag = metrics.content_correlation(silico, translated, frame_rate, reach)
        undefined = int(np.isnan(correlation).sum())
        sums[f"xCorr{suffix}"], sums[f"lag{suffix}"] = _sums(correlation), _sums(lag)
        if inside is not None and not suffix:
            sums["xCorr territories"], sums["lag territories"] = _sums(correlation[inside]), _sums(lag[inside])
    return _Content(sums, silico[0].size, undefined)


def _sums(values: Floats) -> tuple[int, float, float]:
    values = values[np.isfinite(values)]
    return values.size, float(values.sum()), float(np.square(values).sum())


# --------------------------------------------------------------------------- crossing and pooling


def _distances(
    domains: Mapping[str, list[Source]], features: Mapping[str, list[SequenceFeatures]], name: str
) -> tuple[dict[str, Statistic], dict[str, tuple[float, float]]]:
    """The columns of one domain against vivo that need no pairing, and the intervals of those over pairs.

    Pairs are all of different sequences.
    """
    ours, theirs = ([one.identity() for one in domains[domain]] for domain in (name, "vivo"))
    distinct = np.array([[a != b for b in theirs] for a in ours])
    if name == "vivo":
        distinct = np.triu(distinct, 1)  # each pair once: the columns are symmetric
    subjects, references = _subjects(domains[name], name), _subjects(domains["vivo"], "vivo")
    columns, intervals = {}, {}
    for column, (cross, feature) in PAIRED.items():
        ours, theirs = (np.stack([feature(one) for one in features[domain]]) for domain in (name, "vivo"))
        values = np.where(distinct, cross(ours, theirs), np.nan)
        columns[column] = _statistic(values[np.isfinite(values)])
        low, high = pair_interval(values, subjects, references)
        if math.isfinite(low):
            intervals[column] = (low, high)
    for column, feature in FRECHET.items():
        ours, theirs = (np.stack([feature(one) for one in features[domain]]) for domain in (name, "vivo"))
        columns[column] = _statistic(split_distances(ours, theirs, subjects, references))
    return columns, intervals


PAIRED: Mapping[str, tuple[Callable[[Any, Any], Floats], Callable[[SequenceFeatures], Floats]]] = {
    "DBhat": (metrics.cross_bhattacharyya, lambda one: one.histogram),
    "Corr": (metrics.cross_pearson, lambda one: one.histogram),
    "SSI": (metrics.cross_ssim, lambda one: one.kspace),
    "SSI norm": (metrics.cross_ssim, lambda one: one.kspace_normalised),
    "Corr Psd": (metrics.cross_pearson, lambda one: one.log_psd),
    "Coh dist": (cross_rms, lambda one: one.coherence),
}

FRECHET: Mapping[str, Callable[[SequenceFeatures], Floats]] = {
    "FD maps": lambda one: one.map_bands,
    "FD Psd": lambda one: one.psd_bands,
}


def _statistic(values: Floats) -> Statistic:
    return Statistic(float(values.mean()), float(values.std()), values.size) if values.size else NOTHING


def _subjects(found: Iterable[Source], domain: str) -> list[str]:
    """The subject of each sequence; one without a name is a subject of its own, in no other domain."""
    return [source.header.subject or f"{domain}/{source.name}" for source in found]


def _pooled(contents: list[_Content]) -> dict[str, Statistic]:
    """Mean and SD over the pixels of all pairs, from their sums."""
    totals: dict[str, Floats] = {}
    for content in contents:
        for name, sums in content.sums.items():
            totals[name] = totals.get(name, np.zeros(3)) + np.array(sums)
    return {
        name: Statistic(total / count, math.sqrt(max(squares / count - (total / count) ** 2, 0.0)), int(count))
        if count
        else NOTHING
        for name, (count, total, squares) in totals.items()
    }


def _counted(found: Iterable[Source]) -> dict[str, int]:
    origins = [source.header.origin for source in found]
    return {origin: origins.count(origin) for origin in sorted(set(origins))}


def _warnings(
    domains: Mapping[str, DomainSummary],
    everything: Series[Source],
    paired_models: Iterable[str],
    unmatched: Mapping[str, int],
    contents: Mapping[int, _Content],
) -> Iterable[str]:
    vivo = domains["vivo"]
    if "vivo" not in vivo.origins:
        called = {"phantom": "a tissue phantom", "silico": "simulated", "translated": "translated"}
        yield f"the reference domain is {' and '.join(called[origin] for origin in vivo.origins)}, not measured in vivo"
    elif len(vivo.origins) > 1:
        yield f"the reference domain mixes {' and '.join(vivo.origins)}"
    if vivo.subjects == 0:
        yield "the reference sequences name no subject, so vivo-vivo may be within one subject"
    elif vivo.subjects == 1:
        yield "all reference sequences are of one subject, so vivo-vivo does not show the variation between subjects"
    if vivo.sequences < 8:
        yield f"only {vivo.sequences} reference sequences: the mean and SD over their pairs are uncertain"
    sizes = np.array([source.header.spacing for source in everything])
    if np.any(np.ptp(sizes, axis=0) > 0.01 * sizes.min(axis=0)):
        yield "pixel sizes differ between sequences, so equal K-space indices are not equal spatial frequencies"
    for name in paired_models:
        if unmatched[name] == domains[name].sequences:
            yield f"no sequence of {name} carries the name of a silico one, so xCorr and lag are left out"
        elif unmatched[name]:
            yield f"{unmatched[name]} of {domains[name].sequences} sequences of {name} have no silico one of their name"
    still = sum(content.undefined for content in contents.values())
    if still:
        share = still / sum(content.pixels for content in contents.values())
        yield f"{share:.1%} of the silico pixels never move and are left out of xCorr and lag"
