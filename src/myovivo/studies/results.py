"""The last step of a study: the paper's tables and figures, as files and as one page."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

from ..evaluation.columns import PAPERS, PUBLISHED
from ..evaluation.comparison import Comparison, models_of
from ..evaluation.evaluate import evaluate_illustrated
from ..evaluation.illustrations import Illustrations
from ..evaluation.rows import NONE, VIVO_VIVO, Row
from ..models.presets import TRAIN_PRESETS
from ..models.settings import TrainSettings
from ..models.sizes import parameter_counts
from ..reporting.domain_figures import kspaces, map_gallery, spectra
from ..reporting.drawing import STYLE, Drawing
from ..reporting.example_figures import Example, differences, example_frames, example_signals
from ..reporting.sections import pictures_of, render_page
from ..reporting.tables import Table
from ..runs.folder import LOG
from ..runtime.files import read_json, whole_file, write_json, write_text
from ..runtime.parallel import on_cluster
from ..runtime.settings import settings_from
from ..sequences.header import read_header
from ..version import __version__
from .settings import StudySettings
from .work import SILICO_DATA, VIVO_DATA, Inputs, Runtime, files_of

STUDY_PAGE, _METRICS = "index.html", "metrics.json"

IDENTIFICATION = "identification"


def draw_results(out: Path, inputs: Inputs, runtime: Runtime, settings: dict[str, Any]) -> None:
    """Compare, tabulate, draw and write everything."""
    study = StudySettings.model_validate(settings)
    workers = runtime["workers"]
    shown = study.shown or list(study.models)[-1]
    with on_cluster(runtime["scheduler"]):
        runs = {name: f"models/{name}" for name in study.models}
        family, illustrations = _compared(inputs, runs, "", [shown], workers)
        beside = {
            name: _compared(inputs, {name: f"models/{name}"}, suffix, [], workers)[0]
            for name, suffix in (("simplified", "-simplified"), ("slow", "-slow"))
            if getattr(study.experiments, name)
        }
    tables = [first_table(family), second_table(study, inputs)]
    if beside:
        tables.append(experiments_table(study, family, beside))
    if study.experiments.two_sample:
        tables.append(_two_sample_table(study, inputs))
    if study.experiments.identification:
        tables += _identification_tables(inputs[IDENTIFICATION])
    assert illustrations is not None  # one model is shown
    drawings = _drawings(shown, family, illustrations)
    pictures = {name: drawing.png() for name, drawing in drawings.items()}

    for table in tables:
        table.save(out)
    for name, drawing in drawings.items():
        _write(out / f"{name}.png", pictures[name])
        _write(out / f"{name}.svg", drawing.svg())
    family.to_csv(out / "comparison.csv")
    everything = {"family": family.to_dict(), **{name: one.to_dict() for name, one in beside.items()}}
    write_json(out / _METRICS, {"software": "myovivo", "version": __version__, "settings": settings, **everything})
    write_text(out / STUDY_PAGE, _page(family, tables, drawings, pictures))


def _compared(
    inputs: Inputs, runs: Mapping[str, str], suffix: str, shown: list[str], workers: int
) -> tuple[Comparison, Illustrations | None]:
    """The models of one pair of domains on what was held out."""
    run = inputs[next(iter(runs.values()))]
    vivo_folder = inputs[VIVO_DATA + ("-slow" if suffix == "-slow" else "")]
    silico = files_of(run, "silico", "test", inputs[SILICO_DATA + suffix])
    vivo = files_of(run, "vivo", "test", vivo_folder)
    translated = {name: inputs[f"translated/{name}"] for name in runs}
    frames = min(read_header(path).shape[0] for path in (*silico, *vivo))
    return evaluate_illustrated(translated, vivo, silico, shown, frames=frames, workers=workers)


# ------------------------------------------------------------------------------------------ tables


def first_table(comparison: Comparison) -> Table:
    """Table 1: every row against vivo, mean ± SD, and the paper's own figures."""
    ours = [(comparison.label(row), *_cells(row)) for row in comparison.rows]
    paper = [(f"paper: {name}", *(column.paper(name) for column in PAPERS)) for name in PUBLISHED]
    reference = comparison.label(comparison.row(VIVO_VIVO))
    caption = (
        f"Likeness to the reference sequences, mean ± SD over pairs; {NONE}: no translation, {reference}: the aim."
    )
    return Table("table1", caption, ("row", *_heads()), (*ours, *paper), (len(ours),))


def _heads() -> tuple[str, ...]:
    return tuple(column.head for column in PAPERS)


def _cells(row: Row) -> tuple[str, ...]:
    return tuple(column.cell(row) for column in PAPERS)


def second_table(study: StudySettings, inputs: Inputs) -> Table:
    """Table 2: what each model is and took."""
    rows = []
    for name in study.models:
        trained = study.training(name)
        preset = study.models[name].get("preset", name)
        counts = parameter_counts(trained)
        full = "–"
        if str(preset) in TRAIN_PRESETS:
            full = f"{parameter_counts(settings_from(TrainSettings, preset))['silico_to_vivo']:,}"
        last = _last_line(inputs[f"models/{name}"] / LOG)
        rows.append(
            (
                name,
                f"{trained.dimensions}-D",
                " × ".join(map(str, trained.data.clip)),
                f"{counts['silico_to_vivo']:,}",
                full,
                f"{sum(counts.values()):,}",
                f"{last['step']:,}",
                str(trained.optimiser.batch),
            )
        )
    head = (
        "model", "networks", "clip", "translator, parameters", "the preset's", "all networks", "steps", "batch",
    )  # fmt: skip
    caption = "The models: clips in frames × rows × columns; parameters as trained here, and of the preset as it is."
    return Table("table2", caption, head, tuple(rows))


def _last_line(log: Path) -> dict[str, Any]:
    return json.loads(log.read_text(encoding="utf-8").strip().splitlines()[-1])


def experiments_table(study: StudySettings, family: Comparison, beside: Mapping[str, Comparison]) -> Table:
    """The simplified simulation and the lower frame rate, beside the same model as it is."""
    rows: list[tuple[str, ...]] = []
    groups = []
    rate = f"{study.experiments.slow_frame_rate:g} Hz"
    for name, comparison in beside.items():
        model = getattr(study.experiments, name)
        data = {"simplified": "simplified simulation", "slow": rate}[name]
        groups.append(len(rows))
        rows.append((f"full simulation, {family.frame_rate:g} Hz: {model}", *_cells(family.row(model))))
        rows.append((f"{data}: {NONE}", *_cells(comparison.row(NONE))))
        rows.append((f"{data}: {model}", *_cells(comparison.row(name))))
        if name == "slow":
            rows.append((f"{data}: {comparison.label(comparison.row(VIVO_VIVO))}", *_cells(comparison.row(VIVO_VIVO))))
    caption = "Trained on the simplified simulation, and at a lower frame rate; columns as in Table 1."
    return Table("experiments", caption, ("row", *_heads()), tuple(rows), tuple(groups[1:]))


def _two_sample_table(study: StudySettings, inputs: Inputs) -> Table:
    rows = []
    for name in study.experiments.two_sample:
        judged = read_json(inputs[f"two-sample/{name}"] / "two_sample.json")
        low, high = judged["interval"]
        rows.append((name, f"{judged['accuracy']:.2f}", f"{low:.2f} to {high:.2f}", f"{judged['auc']:.2f}"))
    caption = "Can a classifier tell translated from recorded? Accuracy on subjects it never saw; 0.5: it cannot."
    return Table("two_sample", caption, ("model", "accuracy", "95 %", "AUC"), tuple(rows))


def _identification_tables(folder: Path) -> list[Table]:
    """How well each method does on held-out recordings, and what another training set changes."""
    head, *rows = csv.reader((folder / "identification.csv").read_text(encoding="utf-8").splitlines())
    compared = read_json(folder / "identification.json")
    caption = (
        f"Motor units found in recordings of {compared['subjects']} held-out subjects, by what the method was tuned or "
        "trained on: rate of agreement with the true firings, with 95 % intervals by subject."
    )
    changed = tuple(
        (
            difference["method"],
            f"{difference['a']} − {difference['b']}",
            *(_with_interval(difference, name) for name in ("rate", "above")),
        )
        for difference in compared["differences"]
    )
    below = "The same, one training set less another, sequence by sequence; an interval without 0 is a difference."
    return [
        Table("identification", caption, tuple(head), tuple(map(tuple, rows))),
        Table("identification_differences", below, ("method", "trained on", "rate", "above chance"), changed),
    ]


def _with_interval(difference: Mapping[str, Any], name: str) -> str:
    mean, low, high = (difference[key] for key in (name, f"{name}_low", f"{name}_high"))
    return f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"


# ------------------------------------------------------------------------------------------ figures


def _drawings(shown: str, family: Comparison, illustrations: Illustrations) -> dict[str, Drawing]:
    """Figures 1, 2, 3 and 5 for the model that is shown, and the maps of all."""
    alone = only(family, shown)
    with mpl.rc_context(STYLE):
        example = Example(shown, illustrations.examples[shown], family)
        return {
            "figure1": example_frames(example, illustrations.reference, ""),
            "figure2": kspaces(alone),
            "figure3": spectra(alone),
            "figure5": differences(example, illustrations.similarity[shown], ""),
            "maps": map_gallery(family),
            "signals": example_signals(example, ""),
        }


def only(comparison: Comparison, model: str) -> Comparison:
    """A comparison without the other models."""
    kept = ("silico", model, "vivo")
    return dataclasses.replace(
        comparison,
        rows=tuple(row for row in comparison.rows if row.name in (NONE, model, VIVO_VIVO)),
        domains={name: comparison.domains[name] for name in kept},
        features={name: comparison.features[name] for name in kept},
    )


def _write(path: Path, content: bytes) -> None:
    with whole_file(path) as part:
        part.write_bytes(content)


# ------------------------------------------------------------------------------------------ page

_NUMBERS = {"figure1": "Figure 1", "figure2": "Figure 2", "figure3": "Figure 3", "figure5": "Figure 5"}

_TITLES = {
    "table2": "Table 2. The models",
    "experiments": "Simplified simulation and lower frame rate",
    "two_sample": "Can a classifier tell?",
    "identification": "Does translated data help to identify motor units?",
}


def _page(
    family: Comparison, tables: list[Table], drawings: Mapping[str, Drawing], pictures: Mapping[str, bytes]
) -> str:
    titles = (
        f"{_NUMBERS[name]}. {drawing.title}" if name in _NUMBERS else drawing.title
        for name, drawing in drawings.items()
    )
    captions = (drawing.caption for drawing in drawings.values())
    return render_page(
        "study.html",
        "In silico to in vivo domain translation: the study",
        _lead(family),
        family,
        _METRICS,
        tables=[(_TITLES.get(table.name, ""), table) for table in tables[1:]],
        pictures=pictures_of(titles, pictures.values(), captions),
    )


def _lead(family: Comparison) -> str:
    many = f"{len(models_of(family))} translators" if len(models_of(family)) > 1 else "One translator"
    return (
        f"The experiment of Ali et al. 2022 on the data at hand: {many} trained between the same two domains, judged "
        "on subjects that none has seen. Figures carry the numbers of the paper's."
    )
