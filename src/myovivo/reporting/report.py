"""One self-contained page about a translation: what was compared, the table, the figures.

The figures follow figures 1, 2, 3 and 5 of Ali et al. 2022, BioMed Eng OnLine 21:46, for the data at
hand. Examples are the first of their domain, never chosen by how good they look.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from pathlib import Path

import matplotlib as mpl

from ..errors import InputError
from ..evaluation import maps
from ..evaluation.comparison import NONE, NOTHING, VIVO_VIVO, Column, Comparison, Row
from ..evaluation.evaluate import Constants, Translated, evaluate, named_models
from ..runtime.files import write_json, write_text
from ..sequences.source import Domain, sources
from ..version import __version__
from .figures import (
    STYLE,
    Drawing,
    Example,
    called,
    differences,
    example_content,
    example_frames,
    example_signals,
    kspaces,
    loaded,
    map_gallery,
    similarity_stacks,
    spectra,
    training_losses,
)
from .page import figure_block, whole_page

PAGE, METRICS = "report.html", "metrics.json"

# Table 1 of Ali et al. 2022, on their own in vivo recordings: no translation, best model, vivo-vivo.
PAPER = {
    "none": {"DBhat": ".33", "Corr": ".54", "SSI": ".32", "Corr Psd": ".96"},
    "best model": {"DBhat": ".25", "Corr": ".69", "SSI": ".65", "Corr Psd": ".97", "xCorr": ".93", "lag": "≈ 0"},
    "vivo-vivo": {"DBhat": ".26", "Corr": ".66", "SSI": ".74", "Corr Psd": ".98"},
}

ORIGIN = {
    "silico": "simulated (in silico)",
    "phantom": "tissue phantom: simulated tissue and ultrasound, not measured",
    "vivo": "measured in vivo",
    "translated": "translated from simulation",
}

MEANING = {
    "DBhat": ("↓", "Bhattacharyya distance between histograms of the log-variance maps"),
    "Corr": ("↑", "correlation of the same histograms"),
    "SSI": ("↑", "structural similarity of the maps' K-space, linear scale: depends on the contrast of the maps"),
    "SSI norm": ("↑", "the same with every map scaled to unit SD (not in the paper)"),
    "Corr Psd": ("↑", "correlation of the log mean power spectra"),
    "Coh dist": ("↓", "how differently motion stays correlated with growing distance (not in the paper)"),
    "FD maps": ("↓", "Fréchet distance of the maps' spectra, which sees variety (not in the paper)"),
    "FD Psd": ("↓", "Fréchet distance of the power spectra (not in the paper)"),
    "xCorr": ("↑", "correlation of each pixel's motion with its silico original at the best lag"),
    "lag": ("→\u00a00", "that lag; positive: the translated motion comes later"),
    "xCorr territories": ("↑", "xCorr inside the labelled motor-unit territories"),
    "lag territories": ("→\u00a00", "lag inside the labelled motor-unit territories"),
    "xCorr full range": ("↑", "xCorr with any lag allowed"),
    "lag full range": ("→\u00a00", "lag with any lag allowed"),
}


def report(
    out: str | Path,
    silico: Domain,
    translated: Translated,
    vivo: Domain,
    comparison: Comparison | None = None,
    run: str | Path | None = None,
    *,
    standardisation: Constants | None = None,
    frames: int | None = None,
    title: str | None = None,
    workers: int = -1,
    quiet: bool = False,
) -> Path:
    """Write `report.html`, one page that needs nothing else, and `metrics.json` beside it.

    Parameters
    ----------
    out : the folder
    silico, translated, vivo : as for `evaluate`; the same that `comparison` was made of
    comparison : from `evaluate`; made here if None
    run : a training run; its losses are drawn from `log.jsonl`
    standardisation, frames : as for `evaluate`, used if `comparison` is None
    title : heading of the page; made from the domains if None
    workers : threads, −1 for one per core
    quiet : no progress

    Returns
    -------
    Path : the page

    Raises
    ------
    FileError : a sequence cannot be read, or the page not written.
    InputError : as `evaluate`; or no translated sequence has a silico one of its name.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46, figures 1, 2, 3 and 5.
    """
    if comparison is None:
        comparison = evaluate(
            translated, vivo, silico, standardisation=standardisation, frames=frames, workers=workers, quiet=quiet
        )
    if "silico" not in comparison.domains:
        raise InputError("a report needs a comparison made with silico, got one without; give silico to evaluate")
    models = named_models(translated)
    if unknown := sorted(set(models) - set(comparison.domains)):
        raise InputError(f"the comparison was made without {unknown[0]!r}; give the report what evaluate was given")
    pairs = {name: maps.pairs_by_name(silico, domain) for name, domain in models.items()}
    reference = loaded(sources(vivo)[0], comparison.frames)

    figures: list[Drawing] = []
    with mpl.rc_context(STYLE):
        figures += [map_gallery(comparison), kspaces(comparison), spectra(comparison)]
        for name, found in pairs.items():
            example = Example(
                name, loaded(found[0][0], comparison.frames), loaded(found[0][1], comparison.frames), comparison
            )
            several = f" ({name})" if len(models) > 1 else ""
            figures.append(example_frames(example, reference, several))
            figures.append(example_signals(example, several))
            figures.append(example_content(example, several))
            similarity = similarity_stacks(found, comparison, workers, quiet, name)
            figures.append(differences(example, similarity, several))
        if run is not None:
            figures += training_losses(Path(run))
    out = Path(out)
    write_json(out / METRICS, {"software": "myovivo", "version": __version__, **comparison.to_dict()})
    write_text(out / PAGE, _page(title or f"From in silico to {called(comparison, 'vivo')}", comparison, figures))
    return out / PAGE


# --------------------------------------------------------------------------------------------- page


def _page(title: str, comparison: Comparison, drawings: Iterable[Drawing]) -> str:
    body = [
        f'<p class="lead">{_lead(comparison)}</p>',
        *warning_box(comparison),
        "<h2>What was compared</h2>",
        *data_table(comparison),
        "<h2>How alike the domains are</h2>",
        *metrics_table(comparison),
        *legend(comparison),
        "<h2>Figures</h2>",
        *(figure_block(f"{number}. {one.title}", one.png(), one.caption) for number, one in enumerate(drawings, 1)),
    ]
    return whole_page(title, body, f"The numbers are in <code>{METRICS}</code>.")


def _lead(comparison: Comparison) -> str:
    models = [name for name in comparison.domains if name not in ("silico", "vivo")]
    count = sum(comparison.domains[name].sequences for name in models)
    kind = called(comparison, "vivo")
    by = f" by {len(models)} models" if len(models) > 1 else ""
    reference = comparison.domains["vivo"].sequences
    return html.escape(
        f"{_many(count, 'translated sequence')}{by}, compared with {_many(reference, 'reference sequence')} ({kind}) "
        "and with the silico sequences they were made from."
    )


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def warning_box(comparison: Comparison) -> Iterator[str]:
    """What a reader of the table must know first, if anything."""
    if comparison.warnings:
        items = "".join(f"<li>{html.escape(one[0].upper() + one[1:])}.</li>" for one in comparison.warnings)
        yield f'<div class="warning"><strong>Read this first</strong><ul>{items}</ul></div>'


def data_table(comparison: Comparison) -> Iterator[str]:
    depth, width = (1e3 * count * step for count, step in zip(comparison.size, comparison.spacing, strict=True))
    yield (
        f"<p>Every sequence: {comparison.frames} frames at {comparison.frame_rate:g} Hz "
        f"({comparison.frames / comparison.frame_rate:.2f} s), {comparison.size[0]} × {comparison.size[1]} pixels, "
        f"{depth:.1f} mm deep and {width:.1f} mm wide.</p>"
    )
    yield '<div class="scroll"><table><thead><tr><th>domain</th><th>where it comes from</th><th>sequences</th>'
    yield "<th>subjects</th><th>SD (mm/s)</th><th>standardised by</th></tr></thead><tbody>"
    for name, domain in comparison.domains.items():
        origins = "; ".join(
            ORIGIN.get(origin, origin) + (f" ({count})" if len(domain.origins) > 1 else "")
            for origin, count in domain.origins.items()
        )
        role = "reference, in the role of vivo" if name == "vivo" and "vivo" not in domain.origins else name
        subjects = "–" if name != "vivo" else str(domain.subjects or "not named")
        scale = domain.standardisation
        by = {"these files": "the mean and SD of these files"}.get(scale.source, f"constants of the {scale.source}")
        by = {"given": "given constants"}.get(scale.source, by)
        if name not in ("silico", "vivo"):
            by = f"{by}, as vivo"
        cells = [role, origins, str(domain.sequences), subjects, f"{1e3 * scale.std:.3g}", by]
        yield "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
    yield "</tbody></table></div>"


def metrics_table(comparison: Comparison) -> Iterator[str]:
    columns = comparison.columns()
    heads = "".join(f"<th>{html.escape(c.head)}&nbsp;<span>{MEANING[c.name][0]}</span></th>" for c in columns)
    yield f'<div class="scroll"><table class="metrics"><thead><tr><th>row</th>{heads}</tr></thead><tbody>'
    for row in comparison.rows:
        kind = "model" if row.name not in (NONE, VIVO_VIVO) else ""
        yield f'<tr class="{kind}"><th>{html.escape(comparison.label(row))}</th>{_cells(row, columns)}</tr>'
    yield '</tbody><tbody class="paper">'
    yield f'<tr><th colspan="{len(columns) + 1}">paper, other data</th></tr>'
    for name, published in PAPER.items():
        cells = "".join(f"<td>{html.escape(published.get(column.name, '–'))}</td>" for column in columns)
        yield f"<tr><th>{name}</th>{cells}</tr>"
    yield "</tbody></table></div>"


def _cells(row: Row, columns: Iterable[Column]) -> str:
    cells = []
    for column in columns:
        mean, *sd = row.columns.get(column.name, NOTHING).text(column.decimals, column.scale).split(" ± ")
        interval = row.intervals.get(column.name)
        below = f"<br><span>{' to '.join(f'{one:.{column.decimals}f}' for one in interval)}</span>" if interval else ""
        cells.append(f"<td>{mean}" + "".join(f" <span>± {value}</span>" for value in sd) + below + "</td>")
    return "".join(cells)


def legend(comparison: Comparison) -> Iterator[str]:
    kind = html.escape(called(comparison, "vivo"))
    pairs = comparison.row(VIVO_VIVO).columns["DBhat"].n
    yield (
        "<p>Mean ± SD over pairs of sequences, below it the 95 % interval of that mean if other subjects had been "
        "recorded; for FD over random halves, for xCorr and lag over pixels. <b>none</b>: silico against the "
        f"reference sequences ({kind}), the starting point. <b>Shaded</b>: translated against reference. "
        f"<b>vivo-vivo</b>: the reference sequences against each other ({_many(pairs, 'pair')}, none with itself), the "
        "aim. The best model comes near this row, not past it: translated sequences that are more like the reference "
        "than its own sequences are like each other lack their variety. The paper’s figures are of its own recordings "
        "and cannot be compared directly.</p>"
    )
    items = "".join(
        f"<dt>{html.escape(c.head)} {MEANING[c.name][0]}</dt><dd>{html.escape(MEANING[c.name][1])}</dd>"
        for c in comparison.columns()
    )
    yield f'<dl class="legend">{items}</dl>'
