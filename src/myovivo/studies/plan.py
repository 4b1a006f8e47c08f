"""The steps of a study, from its settings."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ..errors import FileError, InputError
from ..evaluation.bootstrap import LEAST
from ..identification.settings import LearnSettings
from ..models.settings import TrainSettings
from ..phantoms.settings import PhantomSettings
from ..runtime.settings import settings_from
from ..sequences.grid import Grid
from ..sequences.header import read_header, require_same_scale, sequence_files
from ..sequences.sequence import Sequence
from ..sequences.split import split_by_subject
from ..simulation.settings import SimulateSettings
from . import work
from .results import IDENTIFICATION, draw_results
from .settings import StudySettings
from .steps import Step
from .work import SILICO_DATA, VIVO_DATA

SIMPLIFIED, SLOW = "simplified", "slow"

RESULTS = "results"

_DOMAIN = ("*.h5", "*_tvi.json")  # files of a domain that are made again one by one

_RUN = ("weights.safetensors", "run.json")  # of a training, what the steps after it depend on


def steps_of(settings: StudySettings) -> list[Step]:
    """Every step of a study; nothing is made, but the user's own files are looked at.

    Raises
    ------
    InputError : fewer than two subjects, domains of different frame rate or pixels, labels missing where identification
        is scored, or a setting of a model that breaks a rule.
    FileError : a folder is missing or a file in it is no sequence.
    """
    grid = _grid(settings)
    _require_depth(settings, grid)
    _require_comparison(settings)
    steps = [_silico(settings, grid), _vivo(settings, grid)]
    chosen, seed = settings.experiments, settings.seed
    for model in settings.models:
        steps += _translator(settings, model, model, SILICO_DATA, VIVO_DATA)
    if chosen.simplified:
        steps.append(_silico(settings, grid, simplified=True))
        steps += _translator(settings, chosen.simplified, SIMPLIFIED, f"{SILICO_DATA}-simplified", VIVO_DATA)
    if chosen.slow:
        for domain in (SILICO_DATA, VIVO_DATA):
            arguments = {"frame_rate": chosen.slow_frame_rate}
            steps.append(_made(f"{domain}-slow", work.slow_down, arguments, (domain,), cost=10))
        silico, vivo = f"{SILICO_DATA}-slow", f"{VIVO_DATA}-slow"
        steps += _translator(settings, chosen.slow, SLOW, silico, vivo, chosen.slow_settings)
    for model in chosen.two_sample:
        run, translated = f"models/{model}", f"translated/{model}"
        arguments = {"run": run, "translated": translated, "vivo": VIVO_DATA, "seed": seed}
        steps.append(Step(f"two-sample/{model}", work.look, arguments, (run, translated, VIVO_DATA), cost=200))
    if chosen.identification:
        steps += _identification(settings, chosen.identification)
    names = tuple(step.name for step in steps)
    steps.append(Step(RESULTS, draw_results, {"settings": settings}, names, spreads=True, cost=60))
    return steps


def _translator(
    settings: StudySettings, model: str, name: str, silico: str, vivo: str, changes: dict[str, Any] | None = None
) -> list[Step]:
    """Its training, and its translation of what was held out."""
    trained = settings.training(model, changes)
    run, seed = f"models/{name}", settings.seed
    arguments = {"settings": trained, "silico": silico, "vivo": vivo, "seed": seed}
    train = Step(run, work.train_model, arguments, (silico, vivo), passes_on=_RUN, cost=_training_cost(trained))
    arguments = {"run": run, "silico": silico, "side": "test", "seed": seed}
    return [
        train,
        _made(f"translated/{name}", work.translate_held_out, arguments, (run, silico), cost=20, spreads=False),
    ]


def _identification(settings: StudySettings, model: str) -> list[Step]:
    """The translations of the training simulations, and what can be learnt from them."""
    run, translated, seed = f"models/{model}", f"translated/{model}-training", settings.seed
    learn = settings_from(LearnSettings, settings.learn)
    arguments = {"run": run, "silico": SILICO_DATA, "side": "train", "seed": seed}
    made = _made(translated, work.translate_held_out, arguments, (run, SILICO_DATA), cost=60, spreads=False)
    arguments = {
        "run": run,
        "translated": translated,
        "silico": SILICO_DATA,
        "vivo": VIVO_DATA,
        "learn": learn,
        "seed": seed,
    }
    needs = (run, translated, SILICO_DATA, VIVO_DATA)
    return [made, Step(IDENTIFICATION, work.compare_identifiers, arguments, needs, cost=900)]


def _training_cost(trained: TrainSettings) -> float:
    """Core seconds, roughly, from what was measured at 64 x 64 pixels; only the time left depends on it."""
    voxels = math.prod(trained.data.clip) * trained.optimiser.batch * (trained.optimiser.steps or 5000)
    if trained.method == "one-sided":
        return 3e-6 * voxels
    narrow = 8 if trained.dimensions == 3 else 16
    return 2e-5 * voxels * (trained.generator.features / narrow) ** 1.5


def _made(name: str, function: Any, arguments: dict[str, Any], needs: tuple[str, ...] = (), **options: Any) -> Step:
    """A step that makes a domain."""
    return Step(
        name, function, arguments, needs, **{"passes_on": ("*.h5",), "remakes": _DOMAIN, "spreads": True, **options}
    )


def _silico(settings: StudySettings, grid: Grid, simplified: bool = False) -> Step:
    given = settings.silico
    if given.folder is not None and not simplified:
        return _taken(SILICO_DATA, given.folder, None)
    changes = {**given.settings, "grid": grid, **({"model": "simplified"} if simplified else {})}
    made = settings_from(SimulateSettings, changes)
    arguments = {"settings": made, "sequences": given.sequences, "seed": settings.seed}
    return _made(
        f"{SILICO_DATA}-simplified" if simplified else SILICO_DATA, work.simulate, arguments, cost=given.sequences
    )


def _vivo(settings: StudySettings, grid: Grid) -> Step:
    given = settings.vivo
    if given.folder is not None:
        return _taken(VIVO_DATA, given.folder, grid if settings.resample else None)
    made = settings_from(PhantomSettings, {**given.settings, "grid": grid})
    arguments = {"settings": made, "subjects": given.subjects, "runs": given.runs, "seed": settings.seed}
    return _made(VIVO_DATA, work.record, arguments, cost=8 * given.subjects * given.runs)


def _taken(name: str, folder: Path, grid: Grid | None) -> Step:
    files = {path.name: [path.stat().st_size, path.stat().st_mtime_ns] for path in sequence_files(folder)}
    shown = grid
    return _made(name, work.take, {"folder": str(folder.resolve()), "files": files, "grid": shown}, cost=len(files))


# --------------------------------------------------------------------------- what the user gives


def _grid(settings: StudySettings) -> Grid:
    """The grid that both domains are on; checks the user's own sequences against it and each other."""
    vivo, silico = settings.vivo.folder, settings.silico.folder
    if vivo is not None:
        _require_subjects(vivo)
    if settings.experiments.identification:
        _require_test_subjects(settings)
        for folder in (silico, vivo):
            if folder is not None:
                _require_labels(folder)
    if silico is not None:
        grid = _grid_of(silico)
    elif vivo is not None and not settings.resample:
        grid = _grid_of(vivo)
    else:
        grid = settings.grid
    if (vivo is not None and silico is not None) or settings.resample:
        _require_fit(settings, grid)
    return grid


def _require_subjects(folder: Path) -> None:
    subjects = {read_header(path).subject for path in sequence_files(folder)} - {""}
    if len(subjects) < 2:
        got = f"got {len(subjects)}: {', '.join(subjects) or 'none is named'}"
        raise InputError(f"{folder}: a study needs recordings of at least two subjects, to test on others, {got}")


def _require_comparison(settings: StudySettings) -> None:
    """At least two sequences held out: the recorded ones are compared with each other, too, after all training."""
    folder, subjects, runs = settings.vivo.folder, settings.vivo.subjects, settings.vivo.runs
    if folder is None:
        tested = min(max(round(settings.held_out * subjects), 1), subjects - 1) * runs
    else:
        tested = len(split_by_subject(sequence_files(folder), settings.held_out, settings.seed)[1])
    if tested < 2:
        rule = f"a study compares at least two recordings of held-out subjects, got {tested}"
        raise InputError(f"{rule}; take more subjects, more runs of each, or a larger held_out")


def _require_test_subjects(settings: StudySettings) -> None:
    """Enough of them held out for an interval by subject, which the last steps would otherwise ask for."""
    folder, subjects = settings.vivo.folder, settings.vivo.subjects
    if folder is not None:
        subjects = len({read_header(path).subject for path in sequence_files(folder)})
    tested = round(settings.held_out * subjects)
    if tested < LEAST:
        rule = f"identification is tested on at least {LEAST} held-out subjects, got {tested} of {subjects}"
        raise InputError(f"{rule}; take more subjects, a larger held_out, or set experiments.identification to none")


def _require_labels(folder: Path) -> None:
    for path in sequence_files(folder):
        labels = Sequence.load(path, 0, 1).labels
        if labels is None or not len(labels):
            remedy = "set experiments.identification to none, or give sequences whose spike trains are known"
            raise FileError(path, f"has no labels, so identification cannot be scored on it; {remedy}")


def _require_fit(settings: StudySettings, grid: Grid) -> None:
    """The recordings against the grid: the same, or, if resampling was asked for, of the same extent."""
    folder = settings.vivo.folder
    if folder is None:
        return
    header = read_header(sequence_files(folder)[0])
    shape = (header.shape[0], grid.rows, grid.columns)
    wanted = header._replace(shape=shape, frame_rate=grid.frame_rate, spacing=grid.spacing)
    silico = str(settings.silico.folder or "the simulation")
    if settings.resample:
        extents = [(count * step * 1e3) for count, step in zip(header.shape[1:], header.spacing, strict=True)]
        there = [1e3 * grid.depth, 1e3 * grid.width]
        if any(abs(a / b - 1) > 0.01 for a, b in zip(extents, there, strict=True)):
            got = f"{extents[0]:.4g} x {extents[1]:.4g} mm and {silico} {there[0]:.4g} x {there[1]:.4g} mm"
            raise InputError(
                f"{folder} shows {got}; resampling keeps the extent, so crop one or set grid.depth and .width"
            )
        return
    try:
        require_same_scale(header, wanted, str(folder), silico)
    except InputError as error:
        raise InputError(f"{error}; or set resample to yes, which brings the recordings to the simulation's") from None
    if header.shape[1:] != wanted.shape[1:]:
        got = f"{header.shape[1:]} and {wanted.shape[1:]}"
        raise InputError(f"{folder} and {silico} must share a size, got {got} pixels; set resample to yes, or crop one")


def _require_depth(settings: StudySettings, grid: Grid) -> None:
    """A model that knows the depth is for one number of rows: better said now than after an hour of other steps."""
    slow = settings.experiments.slow
    trainings = [(model, settings.training(model)) for model in settings.models]
    trainings += [(slow, settings.training(slow, settings.experiments.slow_settings))] if slow else []
    for model, trained in trainings:
        if trained.knows_depth and trained.data.clip[1] != grid.rows:
            rule = (
                f"model {model!r} needs clips of all {grid.rows} rows, but its data.clip takes {trained.data.clip[1]}"
            )
            raise InputError(f"{rule}; set models.{model}.data.clip to {grid.rows} rows")


def _grid_of(folder: Path) -> Grid:
    """The grid of a folder of sequences; as long as the shortest."""
    headers = [read_header(path) for path in sequence_files(folder)]
    _, rows, columns = headers[0].shape
    dz, dx = headers[0].spacing
    frames = min(header.shape[0] for header in headers)
    return Grid(
        frames=frames, frame_rate=headers[0].frame_rate, rows=rows, columns=columns, depth=rows * dz, width=columns * dx
    )
