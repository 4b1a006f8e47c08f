"""One self-contained page about a translation: what was compared, the table, the figures.

The figures follow figures 1, 2, 3 and 5 of Ali et al. 2022, BioMed Eng OnLine 21:46, for the data at
hand. Examples are the first of their domain, never chosen by how good they look.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

from ..errors import InputError
from ..evaluation.comparison import Comparison, models_of
from ..evaluation.domains import Translated, named_models
from ..evaluation.evaluate import evaluate_illustrated
from ..evaluation.illustrations import Illustrations, illustrate
from ..evaluation.maps import Constants
from ..runtime.files import write_json, write_text
from ..sequences.source import Domain
from ..version import __version__
from .domain_figures import kspaces, map_gallery, spectra
from .drawing import STYLE, Drawing, called
from .example_figures import pair_figures
from .loss_figure import training_losses
from .sections import count_of, pictures_of, render_page

PAGE, METRICS = "report.html", "metrics.json"


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
    illustrations = None
    if comparison is None:
        comparison, illustrations = evaluate_illustrated(
            translated, vivo, silico, standardisation=standardisation, frames=frames, workers=workers, quiet=quiet
        )
    if "silico" not in comparison.domains:
        raise InputError("a report needs a comparison made with silico, got one without; give silico to evaluate")
    if unknown := sorted(set(named_models(translated)) - set(comparison.domains)):
        raise InputError(f"the comparison was made without {unknown[0]!r}; give the report what evaluate was given")
    if illustrations is None:
        illustrations = illustrate(comparison, silico, translated, vivo, workers, quiet)
    return write_report(out, comparison, illustrations, run, title)


def write_report(
    out: str | Path,
    comparison: Comparison,
    illustrations: Illustrations,
    run: str | Path | None = None,
    title: str | None = None,
) -> Path:
    """Write the page and `metrics.json` about a comparison whose sequences have been looked at already.

    Parameters
    ----------
    out, run, title : as for `report`
    comparison, illustrations : of `evaluate_illustrated`

    Returns
    -------
    Path : the page

    Raises
    ------
    FileError : the page cannot be written.
    """
    with mpl.rc_context(STYLE):
        drawings: list[Drawing] = [map_gallery(comparison), kspaces(comparison), spectra(comparison)]
        for name in illustrations.examples:
            several = f" ({name})" if len(illustrations.examples) > 1 else ""
            drawings += pair_figures(name, comparison, illustrations, several)
        if run is not None:
            drawings += training_losses(Path(run))
    titles = [f"{number}. {drawing.title}" for number, drawing in enumerate(drawings, 1)]
    pictures = pictures_of(titles, (drawing.png() for drawing in drawings), (drawing.caption for drawing in drawings))
    heading = title or f"From in silico to {called(comparison, 'vivo')}"
    page = render_page("report.html", heading, _lead(comparison), comparison, METRICS, pictures=pictures)
    out = Path(out)
    write_json(out / METRICS, {"software": "myovivo", "version": __version__, **comparison.to_dict()})
    write_text(out / PAGE, page)
    return out / PAGE


def _lead(comparison: Comparison) -> str:
    models = models_of(comparison)
    count = sum(comparison.domains[name].sequences for name in models)
    by = f" by {len(models)} models" if len(models) > 1 else ""
    reference = count_of(comparison.domains["vivo"].sequences, "reference sequence")
    return (
        f"{count_of(count, 'translated sequence')}{by}, compared with {reference} ({called(comparison, 'vivo')}) "
        "and with the silico sequences they were made from."
    )
