"""One self-contained page about a translation: what was compared, the table, the figures.

The figures follow figures 1, 2, 3 and 5 of Ali et al. 2022, BioMed Eng OnLine 21:46, for the data at
hand. Examples are the first of their domain, never chosen by how good they look.
"""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Sequence as Series
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from . import __version__, maps, plot
from ._callable import make_callable
from .errors import InputError
from .evaluate import bootstrap
from .evaluate.comparison import (
    NONE,
    NOTHING,
    VIVO_VIVO,
    Column,
    Comparison,
    Constants,
    Row,
    Translated,
    evaluate,
    named_models,
)
from .evaluate.features import Domain, DomainScale, Source, sources
from .evaluate.metrics import Floats, content_correlation
from .progress import track
from .sequence import Sequence
from .storage import write_json, write_text

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

SIGNALS, SIGNAL_SECONDS = 4, 1.0
GALLERY = 5
FRAMES = 3


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
    reference = _load(sources(vivo)[0], comparison.frames)

    figures: list[_Figure] = []
    with mpl.rc_context(STYLE):
        figures += [_map_gallery(comparison), _kspaces(comparison), _spectra(comparison)]
        for name, found in pairs.items():
            example = _Example(
                name, _load(found[0][0], comparison.frames), _load(found[0][1], comparison.frames), comparison
            )
            several = f" ({name})" if len(models) > 1 else ""
            figures.append(_frames(example, reference, several))
            figures.append(_signals(example, several))
            figures.append(_content(example, several))
            similarity = _similarity(found, comparison, workers, quiet, name)
            figures.append(_differences(example, similarity, several))
        if run is not None:
            figures += _training(Path(run))
    out = Path(out)
    write_json(out / METRICS, {"software": "myovivo", "version": __version__, **comparison.to_dict()})
    write_text(out / PAGE, _page(title or f"From in silico to {_called(comparison, 'vivo')}", comparison, figures))
    return out / PAGE


# ------------------------------------------------------------------------------------- what is shown


class _Figure(NamedTuple):
    title: str
    png: bytes
    caption: str


class _Example:
    """A silico sequence, its translation, and both standardised."""

    def __init__(self, name: str, silico: Sequence, translated: Sequence, comparison: Comparison):
        self.name, self.silico, self.translated = name, silico, translated
        self.scales = {
            "silico": comparison.domains["silico"].standardisation,
            "vivo": comparison.domains[name].standardisation,
        }
        self.before = _standard(silico.velocity, self.scales["silico"])
        self.after = _standard(translated.velocity, self.scales["vivo"])
        self.spacing, self.frame_rate = silico.spacing, silico.frame_rate
        self.correlation, self.lag = content_correlation(
            silico.velocity, translated.velocity, silico.frame_rate, comparison.max_lag
        )
        self.max_lag = comparison.max_lag


def _standard(velocity: Floats, scale: DomainScale) -> Floats:
    return (velocity - np.float32(scale.mean)) / np.float32(scale.std)


def _load(source: Source, frames: int) -> Sequence:
    whole = source.item if isinstance(source.item, Sequence) else Sequence.load(source.item, 0, frames)
    return whole.replace(velocity=whole.velocity[:frames])


def _called(comparison: Comparison, name: str) -> str:
    """What the sequences of a domain are called in a figure: by where they come from."""
    if name == "vivo":
        words = {"vivo": "in vivo", "phantom": "phantom"}
        return " + ".join(words.get(origin, origin) for origin in comparison.domains["vivo"].origins)
    return {"silico": "silico"}.get(name, name)


def _colours(comparison: Comparison) -> dict[str, str]:
    models = [name for name in comparison.domains if name not in ("silico", "vivo")]
    chosen = dict(zip(models, (plot.TRANSLATED, *plot.OTHERS * len(models)), strict=False))
    return {"silico": plot.SILICO, **chosen, "vivo": plot.VIVO}


# ------------------------------------------------------------------------------------------- figures

STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.7,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8.5,
    "figure.dpi": 150,
    "savefig.dpi": 150,
}


def _drawn(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})  # the same figure, the same bytes
    return buffer.getvalue()


def _panels(rows: int, columns: int, height: float, **options: Any) -> tuple[Figure, Any]:
    figure = Figure(figsize=(10, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def _tall(size: Series[int], spacing: tuple[float, float]) -> float:
    """Height over width of a map as drawn."""
    return size[0] * spacing[0] / (size[1] * spacing[1])


def _map_gallery(comparison: Comparison) -> _Figure:
    count = min(GALLERY, max(len(found) for found in comparison.features.values()))
    shown = {name: found[:count] for name, found in comparison.features.items()}
    levels = {name: [np.exp(one.log_variance) for one in found] for name, found in shown.items()}
    limits = plot.common_limits([plot.decibel(one) for found in levels.values() for one in found])
    height = (8.0 / count * _tall(comparison.size, comparison.spacing) + 0.25) * len(shown) + 0.4
    figure, axes = _panels(len(shown), count, height, sharex=True, sharey=True)
    for row, (name, found) in zip(axes, levels.items(), strict=True):
        for ax in row[len(found) :]:
            ax.axis("off")
        for index, (ax, variance) in enumerate(zip(row, found, strict=False)):
            plot.variance_map(variance, comparison.spacing, ax, "SD", limits, colourbar=False)
            ax.set_title(f"{_called(comparison, name)} {index + 1}")
            ax.label_outer()
    bar = figure.colorbar(axes[0, 0].images[0], ax=axes, fraction=0.02, pad=0.01, aspect=40)
    bar.set_label("variance (dB re SD²)")
    return _Figure(
        "Log-variance maps",
        _drawn(figure),
        f"Temporal variance of each pixel of the first {count} sequences of each domain, standardised, on one colour "
        "scale. A texture at the same place in every translated map would be a habit of the translator, not anatomy; "
        "translated maps should differ from each other as much as the reference maps do.",
    )


def _frames(example: _Example, reference: Sequence, several: str) -> _Figure:
    step = max(1, round(0.010 * example.frame_rate))
    vivo = _standard(reference.velocity, example.scales["vivo"])
    named = {"vivo": "in vivo"}.get(reference.origin, reference.origin)
    chosen, vivo_chosen = _busy_frames(example.before, step), _busy_frames(vivo, step)
    rows = [("silico", example.before, chosen), (example.name, example.after, chosen), (named, vivo, vivo_chosen)]
    # One limit for all, that of the middle row in strength: a noisy corner of one must not bleach the others.
    limit = float(np.median([np.percentile(np.abs(velocity[at]), 99.5) for _, velocity, at in rows]))
    variances = [velocity.var(axis=0) for _, velocity, _ in rows]
    levels = plot.common_limits([plot.decibel(one) for one in variances])
    tall = _tall(vivo.shape[1:], example.spacing)
    figure, axes = _panels(3, FRAMES + 1, 6.6 * tall + 1.9, sharex=True, sharey=True)
    for row, (name, velocity, at), variance in zip(axes, rows, variances, strict=True):
        for ax, index in zip(row, at, strict=False):
            plot.frame(velocity[index], example.spacing, ax, "SD", limit, colourbar=False)
            ax.set_title(f"{name}, {1e3 * index / example.frame_rate:.0f} ms")
        plot.variance_map(variance, example.spacing, row[-1], "SD", levels, colourbar=False)
        row[-1].set_title(f"{name}, variance")
        for ax in row:
            ax.label_outer()
    labels = example.silico.labels
    if labels is not None:
        for ax in axes[:2, -1]:
            plot.territories(labels.mask, example.spacing, ax)
    below: Any = {"location": "bottom", "pad": 0.01}
    figure.colorbar(axes[0, 0].images[0], ax=axes[:, :-1], fraction=0.02, aspect=50, **below).set_label(
        "velocity towards the probe (SD)"
    )
    figure.colorbar(axes[0, -1].images[0], ax=axes[:, -1], fraction=0.02, aspect=16, **below).set_label(
        "variance (dB re SD²)"
    )
    outlines = " White outlines: labelled motor-unit territories." if labels is not None else ""
    return _Figure(
        f"Frames and variance map of one sequence{several}",
        _drawn(figure),
        f"Three frames {1e3 * step / example.frame_rate:.0f} ms apart around the busiest moment of the first silico "
        "sequence, the same frames after translation, and three around the busiest moment of the first reference "
        f"sequence ({named}), which shows another contraction. Standardised velocity, red towards the probe, one "
        f"colour scale; right: temporal variance over all {len(vivo)} frames.{outlines}",
    )


def _busy_frames(velocity: Floats, step: int) -> list[int]:
    """Frames around the one in which a quarter of the pixels moves fastest: robust against a noisy corner."""
    middle = int(np.percentile(np.abs(velocity), 75, axis=(1, 2)).argmax())
    reach = FRAMES // 2 * step
    middle = int(np.clip(middle, reach, max(reach, len(velocity) - 1 - reach)))
    return [min(middle - reach + index * step, len(velocity) - 1) for index in range(FRAMES)]


def _kspaces(comparison: Comparison) -> _Figure:
    means = {
        name: np.mean([one.kspace_normalised for one in found], axis=0) for name, found in comparison.features.items()
    }
    limits = plot.common_limits([2 * plot.decibel(one) for one in means.values()], 1, 100)
    figure, axes = _panels(1, len(means), 10 / max(len(means), 3) + 0.2, sharex=True, sharey=True)
    for ax, (name, magnitude) in zip(axes[0], means.items(), strict=True):
        plot.kspace(magnitude, comparison.size, comparison.spacing, ax, limits, colourbar=False)
        ax.set_title(f"{_called(comparison, name)}, n = {len(comparison.features[name])}")
        ax.label_outer()
    figure.colorbar(axes[0, 0].images[0], ax=axes, fraction=0.03, pad=0.01).set_label("magnitude (dB)")
    return _Figure(
        "K-space of the log-variance maps",
        _drawn(figure),
        "|FFT| of the log-variance maps scaled to unit SD, mean over the sequences, on one colour scale: what SSI norm "
        "compares (SSI without the scaling). Low spatial frequencies are territories and layers, high ones "
        "texture. A bright line or dot away from the axes would be the ripple of a network's grid.",
    )


def _spectra(comparison: Comparison) -> _Figure:
    curves = {
        _called(comparison, name): np.stack([one.log_psd for one in found])
        for name, found in comparison.features.items()
    }
    colours = {_called(comparison, name): colour for name, colour in _colours(comparison).items()}
    frequency = next(iter(comparison.features.values()))[0].frequency
    figure, axes = _panels(1, 2, 3.4)
    plot.psd(frequency, curves, axes[0, 0], colours)
    plot.psd(frequency, curves, axes[0, 1], colours, highest=min(60.0, float(frequency.max())))
    axes[0, 0].set_title("up to the Nyquist frequency")
    axes[0, 1].set_title("the band of muscle motion")
    axes[0, 1].get_legend().remove()
    inside = frequency <= axes[0, 1].get_xlim()[1]
    shown = np.concatenate([one[:, inside].ravel() for one in curves.values()]) * 10 / np.log(10)
    axes[0, 1].set_ylim(np.percentile(shown, 1) - 3, shown.max() + 3)
    return _Figure(
        "Power spectral densities",
        _drawn(figure),
        "Periodogram averaged over all pixels: mean and SD (band) over the sequences of each domain. Corr Psd "
        "correlates the logarithm of these curves over all bins, those outside the pass band included.",
    )


def _pixels(example: _Example) -> tuple[list[tuple[int, int]], list[str], str]:
    """Pixels whose signals are drawn, a name for each, and how they were chosen."""
    labels, (_, rows, columns) = example.silico.labels, example.before.shape
    if labels is not None and len(labels):
        at = np.floor(np.asarray(labels.centre)[:SIGNALS] / example.spacing).astype(int)
        at = np.clip(at, 0, (rows - 1, columns - 1))
        chosen = f"the territory centres of the first {len(at)} of {len(labels)} motor units"
        return [(int(z), int(x)) for z, x in at], [f"unit {index + 1}" for index in range(len(at))], chosen
    variance = example.before.var(axis=0)
    order = np.argsort(variance, axis=None)
    at = [np.unravel_index(order[int(share * (variance.size - 1))], variance.shape) for share in (1.0, 0.9, 0.75, 0.5)]
    chosen = "the pixels at the 100th, 90th, 75th and 50th percentile of the silico variance (it has no labels)"
    return [(int(z), int(x)) for z, x in at], [f"z {z}, x {x}" for z, x in at], chosen


def _signals(example: _Example, several: str) -> _Figure:
    at, names, chosen = _pixels(example)
    z, x = np.array(at).T
    length = min(len(example.before), round(SIGNAL_SECONDS * example.frame_rate))
    labels = [
        f"{name}\nxCorr {example.correlation[place]:.2f}\nlag {1e3 * example.lag[place]:+.1f} ms"
        for name, place in zip(names, at, strict=True)
    ]
    figure = Figure(figsize=(10, 0.9 * len(at) + 1.1), layout="constrained")
    plot.time_signals(
        example.before[:length, z, x], example.after[:length, z, x], example.frame_rate, figure.subplots(), labels,
        "SD", ("silico", example.name),
    )  # fmt: skip
    return _Figure(
        f"Time signals before and after translation{several}",
        _drawn(figure),
        f"Standardised velocity at {chosen} of the first silico sequence; the first "
        f"{1e3 * length / example.frame_rate:.0f} ms. xCorr and lag of each pixel are over the whole sequence, "
        f"lags within ±{1e3 * example.max_lag:.0f} ms. "
        "xCorr ignores a positive gain, so amplitudes may differ where it is high.",
    )


def _content(example: _Example, several: str) -> _Figure:
    figure, axes = _panels(1, 3, 2.1 * _tall(example.lag.shape, example.spacing) + 0.8)
    plot.correlation_map(example.correlation, example.spacing, axes[0, 0]).set_title("xCorr")
    limit = float(np.nanpercentile(np.abs(example.lag), 99)) or 1 / example.frame_rate
    plot.lag_map(example.lag, example.spacing, axes[0, 1], limit).set_title("lag")
    if example.silico.labels is not None:
        plot.territories(example.silico.labels.mask, example.spacing, axes[0, 0])
        plot.territories(example.silico.labels.mask, example.spacing, axes[0, 1], "0.3")
    values = example.correlation[np.isfinite(example.correlation)]
    ax = axes[0, 2]
    ax.hist(values, bins=np.linspace(min(0.0, float(values.min())), 1, 41), color=plot.TRANSLATED)
    ax.set(xlabel="xCorr", ylabel="pixels", title=f"{values.mean():.2f} ± {values.std():.2f}")
    ax.set_box_aspect(1)
    ax.spines[["top", "right"]].set_visible(False)
    return _Figure(
        f"Where the motion is still the simulated one{several}",
        _drawn(figure),
        "Content correlation of each pixel of the first sequence with its silico original, and its lag (positive: "
        "translated later). Outlines: labelled territories. Where nothing moves in silico, there is little content to "
        "keep, and a low xCorr says that the translator added motion of its own.",
    )


def _similarity(
    found: list[tuple[Source, Source]], comparison: Comparison, workers: int, quiet: bool, name: str
) -> dict[bool, maps.MapStack]:
    """The similarity map of each pair; signed (False) and absolute (True)."""
    scales: Constants = {
        "silico": comparison.domains["silico"].standardisation,
        "vivo": comparison.domains[name].standardisation,
    }

    def one(silico: Source, translated: Source) -> tuple[Floats, Floats]:
        before, after = _load(silico, comparison.frames), _load(translated, comparison.frames)
        return maps.similarity_map(before, after, False, scales), maps.similarity_map(before, after, True, scales)

    calls = (joblib.delayed(one)(*pair) for pair in found)
    results = joblib.Parallel(n_jobs=workers, prefer="threads", return_as="generator")(calls)
    both: list[tuple[Floats, Floats]] = list(track(results, "differences", len(found), quiet=quiet))  # type: ignore[arg-type]
    names = tuple(silico.name for silico, _ in found)
    subjects = tuple(silico.header.subject or silico.name for silico, _ in found)
    return {
        absolute: maps.MapStack(np.stack([pair[absolute] for pair in both]), names, subjects, comparison.spacing)
        for absolute in (False, True)
    }


def _differences(example: _Example, similarity: Mapping[bool, maps.MapStack], several: str) -> _Figure:
    count = len(similarity[False].names)
    frames, *size = example.before.shape
    tall = _tall(size, example.spacing)
    figure, axes = _panels(2, 4, 3.2 * tall + 1.7)
    scales: Constants = example.scales
    for row, absolute in zip(axes, (False, True), strict=True):
        word = "|translated − silico|" if absolute else "translated − silico"
        one = maps.difference_map(example.silico, example.translated, absolute, scales)
        plot.difference_map(one, example.spacing, row[0], "SD", label=word)
        row[0].set_title(f"difference map, {'absolute' if absolute else 'signed'}")
        stack = similarity[absolute]
        mean, sd = stack.maps.mean(axis=0), stack.maps.std(axis=0)
        plot.difference_map(mean, example.spacing, row[1], "SD", label=f"Σ {word}")
        row[1].set_title(f"similarity map, mean of {count}")
        plot.difference_map(sd, example.spacing, row[2], "SD", label="SD over sequences")
        row[2].set_title(f"its SD over {count} sequences")
        depth, profile, spread = maps.depth_profile(mean, example.spacing)
        plot.depth_profile(depth, profile, spread, row[3], "SD", label="similarity")
        if len(set(stack.subjects)) >= bootstrap.LEAST:
            plot.depth_band(depth, *bootstrap.mean_interval(stack.profiles(), stack.subjects), row[3], "SD")
        row[3].set_title("mean over depth")
        row[3].set_box_aspect(tall)
        for ax in row[1:]:
            ax.set_ylabel("")
    return _Figure(
        f"Difference and similarity maps{several}",
        _drawn(figure),
        "Difference map: translated − silico of each frame of the first sequence, averaged over the frames. Similarity "
        f"map: the difference maps of all {frames} frames of a sequence summed, mean and SD over {count} sequences; "
        "right: its mean and lateral SD against depth, and, darker, the 95 % interval of that mean by subject. "
        "Standardised units. The signed maps of band-passed motion are "
        "near zero by construction (each pixel's mean is); the absolute ones show how much was changed, and where.",
    )


def _training(run: Path) -> list[_Figure]:
    log = run / "log.jsonl"
    if not log.exists():
        return []
    lines = []
    for text in log.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:  # the last line of an interrupted run
            continue
    lines = [line for line in lines if isinstance(line, dict) and "step" in line]
    if len(lines) < 2:
        return []
    by_step = {line["step"]: line for line in lines}  # a resumed run logs some steps twice; the later counts
    steps = sorted(by_step)
    last = by_step[steps[-1]]
    names = [
        name
        for name, value in last.items()
        if name not in ("step", "seconds", "data_wait") and isinstance(value, float)
    ]
    curves = {name: [by_step[step].get(name, np.nan) for step in steps] for name in names}
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    plot.losses(steps, curves, figure.subplots())
    return [
        _Figure(
            "Training losses",
            _drawn(figure),
            f"Losses of the run <code>{html.escape(run.resolve().name)}</code> over {steps[-1]} steps, smoothed over a "
            "fiftieth of the run. Adversarial losses do not fall as the translation improves: judge by the table.",
        )
    ]


# --------------------------------------------------------------------------------------------- page


def _page(title: str, comparison: Comparison, figures: Iterable[_Figure]) -> str:
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{html.escape(title)}</title><style>{CSS}</style></head><body><main>",
            f"<h1>{html.escape(title)}</h1>",
            f'<p class="lead">{_lead(comparison)}</p>',
            *_warnings(comparison),
            "<h2>What was compared</h2>",
            *_data_table(comparison),
            "<h2>How alike the domains are</h2>",
            *_metrics_table(comparison),
            *_legend(comparison),
            "<h2>Figures</h2>",
            *(part for number, figure in enumerate(figures, 1) for part in _figure(number, figure)),
            f"<footer><p>Made by myovivo {__version__}. The numbers are in <code>{METRICS}</code>. Paper: Ali, "
            "Umander, Rohlén, Röhrle, Grönlund 2022, “Modelling intra-muscular contraction dynamics using in silico to "
            "in vivo domain translation”, BioMed Eng OnLine 21:46.</p></footer>",
            "</main></body></html>",
            "",
        ]
    )


def _lead(comparison: Comparison) -> str:
    models = [name for name in comparison.domains if name not in ("silico", "vivo")]
    count = sum(comparison.domains[name].sequences for name in models)
    kind = _called(comparison, "vivo")
    by = f" by {len(models)} models" if len(models) > 1 else ""
    reference = comparison.domains["vivo"].sequences
    return html.escape(
        f"{_many(count, 'translated sequence')}{by}, compared with {_many(reference, 'reference sequence')} ({kind}) "
        "and with the silico sequences they were made from."
    )


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _warnings(comparison: Comparison) -> Iterator[str]:
    if comparison.warnings:
        items = "".join(f"<li>{html.escape(one[0].upper() + one[1:])}.</li>" for one in comparison.warnings)
        yield f'<div class="warning"><strong>Read this first</strong><ul>{items}</ul></div>'


def _data_table(comparison: Comparison) -> Iterator[str]:
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


def _metrics_table(comparison: Comparison) -> Iterator[str]:
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


def _legend(comparison: Comparison) -> Iterator[str]:
    kind = html.escape(_called(comparison, "vivo"))
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


def _figure(number: int, figure: _Figure) -> Iterator[str]:
    data = base64.b64encode(figure.png).decode("ascii")
    yield "<figure>"
    yield f"<h3>{number}. {html.escape(figure.title)}</h3>"
    yield f'<img alt="{html.escape(figure.title)}" src="data:image/png;base64,{data}">'
    yield f"<figcaption>{figure.caption}</figcaption></figure>"


CSS = """
:root { color-scheme: light; }
body { margin: 0; background: #fff; color: #1a1a1a; font: 16px/1.5 system-ui, Helvetica, Arial, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 32px 24px 48px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 8px; }
h2 { font-size: 20px; margin: 40px 0 8px; padding-top: 16px; border-top: 1px solid #d5d9de; }
h3 { font-size: 16px; margin: 0 0 8px; }
.lead { font-size: 18px; color: #3d4650; margin: 0 0 16px; max-width: 46em; }
p, dd, figcaption { max-width: 56em; }
.warning { border-left: 4px solid #d55e00; background: #fdf3ec; padding: 12px 16px; margin: 16px 0; }
.warning ul { margin: 4px 0 0; padding-left: 20px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; margin: 8px 0; }
th, td { padding: 6px 12px 6px 0; text-align: left; border-bottom: 1px solid #e4e7eb; vertical-align: top; }
thead th { border-bottom: 2px solid #1a1a1a; font-weight: 600; white-space: nowrap; }
thead th span { color: #6b7580; font-weight: 400; }
.metrics td, .metrics thead th:not(:first-child) { text-align: right; padding: 6px 6px 6px 10px; }
.metrics thead th { white-space: normal; vertical-align: bottom; }
.metrics td { white-space: nowrap; }
.metrics td span { color: #5d6670; font-size: 12px; font-weight: 400; }
.metrics tr > :first-child { padding-left: 6px; }
.metrics tbody th { font-weight: 500; white-space: nowrap; }
.metrics .model th, .metrics .model td { background: #eaf2f8; font-weight: 600; }
.metrics .paper td, .metrics .paper th { color: #5d6670; font-weight: 400; border-bottom-color: #f0f2f4; }
.metrics .paper tr:first-child th { padding-top: 14px; font-style: italic; }
.legend { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; font-size: 14px; color: #3d4650; }
.legend dt { font-weight: 600; } .legend dd { margin: 0; }
figure { margin: 28px 0 40px; break-inside: avoid; }
figure img { width: 100%; height: auto; display: block; }
figcaption { font-size: 14px; color: #3d4650; margin-top: 8px; }
footer { border-top: 1px solid #d5d9de; margin-top: 40px; font-size: 13px; color: #5d6670; }
"""

make_callable(__name__, report)
