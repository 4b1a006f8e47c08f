"""The paper's table: every translated sequence against every recorded one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from threadpoolctl import threadpool_limits

from ..errors import InputError, MyovivoError
from ..runtime.parallel import in_parallel
from ..runtime.progress import track
from ..sequences.scale import DomainScale
from ..sequences.source import Domain, Source, sources
from .cautions import warnings_of
from .comparison import Comparison, DomainSummary
from .content import MAX_LAG
from .distances import distances, pooled
from .domains import Translated, common_shape, given_constants, named_models, pairs_of, stored_constants
from .features import SequenceFeatures, features_of, scale_of
from .illustrations import Illustrations, PairExample, Pairs, differences_of, stacks_of
from .maps import NO_PAIRS, Constants
from .reading import Reading, Wanted, read_together
from .rows import NONE, VIVO_VIVO, Row
from .verdicts import decide

Domains = Mapping[str, list[Source]]  # silico if given, each model, vivo


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
    options: Any = {"standardisation": standardisation, "frames": frames, "max_lag": max_lag, "full_range": full_range}
    comparison, _ = evaluate_illustrated(translated, vivo, silico, (), **options, workers=workers, quiet=quiet)
    return comparison


def evaluate_illustrated(
    translated: Translated | None,
    vivo: Domain,
    silico: Domain | None,
    shown: Collection[str] | None = None,
    *,
    standardisation: Constants | None = None,
    frames: int | None = None,
    max_lag: float = MAX_LAG,
    full_range: bool = False,
    workers: int = -1,
    quiet: bool = False,
) -> tuple[Comparison, Illustrations | None]:
    """As `evaluate`, and keep what figures show of the sequences while each is read.

    Only where the constants of standardisation are not known before are pairs read a second time, for their
    differences.

    Parameters
    ----------
    shown : models that figures show; None for all, empty for no figures
    translated, vivo, silico, standardisation, frames, max_lag, full_range, workers, quiet : as for `evaluate`

    Returns
    -------
    comparison : the table
    illustrations : None if no figures are asked for

    Raises
    ------
    FileError, InputError : as `evaluate`; or a model that is shown has no sequence of a silico one's name.
    """
    # What is given, and which sequences belong together.
    domains = _listed(translated, vivo, silico)
    models = [name for name in domains if name not in ("silico", "vivo")]
    everything = [source for name in ("vivo", "silico", *models) for source in domains.get(name, ())]
    shape = common_shape(everything, frames)
    given = {name: domains[name] for name in models}
    constants = given_constants(standardisation) if standardisation is not None else stored_constants(given)
    pairs = pairs_of(domains.get("silico", []), given)
    pictured = {name: pairs[name] for name in (models if shown is None else shown)}
    if not all(pictured.values()):
        raise InputError(NO_PAIRS)

    # One look at each.
    jobs = _jobs(domains, pairs)
    known = {name: _known_scales(name, constants) for name in pictured}
    wanted = [_wanted(job, pictured, known, domains["vivo"] if shown is None or shown else []) for job in jobs]
    readings = _read(jobs, wanted, (shape[0], max_lag, full_range), workers, quiet)

    # Features of the standardised sequences, and the rows.
    scales = _scales(domains, constants, readings)
    features = {
        name: [features_of(readings[id(source)].summary, scales[name]) for source in domain]
        for name, domain in domains.items()
    }
    described = {name: _described(domain, scales[name]) for name, domain in domains.items()}
    contents = [reading.content for reading in readings.values() if reading.content is not None]
    unmatched = {name: len(domains[name]) - len(pairs[name]) for name in models}
    first = domains["vivo"][0].header
    comparison = Comparison(
        rows=tuple(_rows(domains, features, readings)),
        domains=described,
        features=features,
        frame_rate=first.frame_rate,
        size=shape[1:],
        frames=shape[0],
        spacing=first.spacing,
        max_lag=max_lag,
        warnings=tuple(warnings_of(described, everything, models if "silico" in domains else [], unmatched, contents)),
    )
    if shown is not None and not shown:
        return comparison, None
    return comparison, _illustrations(comparison, pictured, readings, domains["vivo"][0], workers, quiet)


def _listed(translated: Translated | None, vivo: Domain, silico: Domain | None) -> dict[str, list[Source]]:
    """The sequences of silico (if given), each model and vivo."""
    recorded = sources(vivo)
    simulated = {"silico": sources(silico)} if silico is not None else {}
    models = {name: sources(domain) for name, domain in named_models(translated).items()}
    if len(recorded) < 2:
        raise InputError(f"vivo must hold at least two sequences to compare with each other, got {len(recorded)}")
    return simulated | models | {"vivo": recorded}


# --------------------------------------------------------------------------- one look at each sequence

Job = tuple[Source, list[Source]]  # a sequence and its translations


def _jobs(domains: Domains, pairs: Mapping[str, Pairs]) -> list[Job]:
    """Together each sequence once."""
    translations: dict[int, list[Source]] = {id(source): [] for source in domains.get("silico", ())}
    for pair in (pair for found in pairs.values() for pair in found):
        translations[id(pair[0])].append(pair[1])
    paired = {id(source) for found in translations.values() for source in found}
    models = [source for name in pairs for source in domains[name]]
    lone = [source for source in (*domains["vivo"], *models) if id(source) not in paired]
    return [*((source, translations[id(source)]) for source in domains.get("silico", ())), *((s, []) for s in lone)]


def _known_scales(model: str, constants: Mapping[str, DomainScale]) -> tuple[DomainScale, DomainScale] | None:
    """Of silico and of a model, if both are known before anything is read."""
    silico, vivo = constants.get("silico"), constants.get(model) or constants.get("vivo")
    return (silico, vivo) if silico and vivo else None


def _wanted(
    job: Job,
    pictured: Mapping[str, Pairs],
    known: Mapping[str, tuple[DomainScale, DomainScale] | None],
    vivo: list[Source],
) -> Wanted:
    """What figures want of a job: the first pair of each model and the first of vivo whole, and the differences."""
    places = {id(source): place for place, source in enumerate([job[0], *job[1]])}
    examples = [*(source for pairs in pictured.values() for source in pairs[0]), *vivo[:1]]
    differences = {
        places[id(translated)]: scales
        for name, pairs in pictured.items()
        for _, translated in pairs
        if (scales := known[name]) and id(translated) in places
    }
    return Wanted({places[id(source)] for source in examples if id(source) in places}, differences)


def _read(
    jobs: list[Job], wanted: list[Wanted], options: tuple[int, float, bool], workers: int, quiet: bool
) -> dict[int, Reading]:
    """What remains of each sequence, by its source's id."""
    # Threads: nearly all the time goes to FFTs and sums that release the interpreter lock.
    calls = [(*job, *options, more) for job, more in zip(jobs, wanted, strict=True)]
    results = in_parallel(read_together, calls, workers, threads=True)
    readings: dict[int, Reading] = {}
    with threadpool_limits(1, "blas"):  # threads of its own would only stand in the way of these
        for number, outcome in track(results, "evaluate", len(jobs), quiet=quiet):
            if isinstance(outcome, MyovivoError):
                raise outcome
            first, others = jobs[number]
            readings |= {id(source): reading for source, reading in zip([first, *others], outcome, strict=True)}
    return readings


# --------------------------------------------------------------------------- what becomes of it


def _scales(
    domains: Domains, constants: Mapping[str, DomainScale], readings: Mapping[int, Reading]
) -> dict[str, DomainScale]:
    """The mean and SD of each domain: those known, or those of its very sequences; models borrow from vivo."""
    scales: dict[str, DomainScale] = {}
    for name in ("vivo", *(name for name in domains if name != "vivo")):
        known = constants.get(name) or (scales["vivo"] if name not in ("silico", "vivo") else None)
        scales[name] = known or scale_of([readings[id(source)].summary for source in domains[name]])
    return scales


def _rows(
    domains: Domains, features: Mapping[str, list[SequenceFeatures]], readings: Mapping[int, Reading]
) -> Iterable[Row]:
    compared = {name: distances(domains, features, name) for name in domains}
    for name, domain in domains.items():
        cells, intervals, _ = compared[name]
        contents = [readings[id(source)].content for source in domain]
        pixels = pooled(content.sums for content in contents if content is not None)
        judged = {}
        if "silico" in domains and name not in ("silico", "vivo"):
            for column in cells:
                rows = [(compared[row][0][column].mean, compared[row][2][column]) for row in ("silico", name, "vivo")]
                judged[column] = decide(*rows)
        label = {"silico": NONE, "vivo": VIVO_VIVO}.get(name, name)
        yield Row(label, len(domain), cells | pixels, intervals, judged)


def _described(domain: list[Source], scale: DomainScale) -> DomainSummary:
    origins = [source.header.origin for source in domain]
    counts: dict[str, int] = {origin: origins.count(origin) for origin in sorted(set(origins))}
    return DomainSummary(len(domain), len({source.header.subject for source in domain} - {""}), counts, scale)


def _illustrations(
    comparison: Comparison,
    pictured: Mapping[str, Pairs],
    readings: Mapping[int, Reading],
    reference: Source,
    workers: int,
    quiet: bool,
) -> Illustrations:
    examples, similarity = {}, {}
    for name, pairs in pictured.items():
        silico, translated = (readings[id(source)] for source in pairs[0])
        assert silico.sequence is not None
        assert translated.sequence is not None
        assert translated.maps is not None  # all were wanted
        examples[name] = PairExample(silico.sequence, translated.sequence, translated.maps)
        sums = [differences for _, one in pairs if (differences := readings[id(one)].differences) is not None]
        if len(sums) < len(pairs):  # the constants were not known before
            scales = (comparison.domains["silico"].standardisation, comparison.domains[name].standardisation)
            sums = differences_of(pairs, scales, comparison.frames, workers, quiet)
        similarity[name] = stacks_of(pairs, sums, comparison.spacing)
    whole = readings[id(reference)].sequence
    assert whole is not None
    return Illustrations(whole, examples, similarity)
