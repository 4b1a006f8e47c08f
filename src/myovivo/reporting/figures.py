"""The figures of a comparison: figures 1, 2, 3 and 5 of Ali et al. 2022, BioMed Eng OnLine 21:46, for the data at hand.

Each function draws one and says in its caption what it shows. Examples are the first of their domain, never chosen by
how good they look. Draw within `matplotlib.rc_context(STYLE)`.
"""

from __future__ import annotations

import html
import io
import json
from collections.abc import Mapping
from collections.abc import Sequence as Series
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from .. import plot
from ..evaluation import bootstrap, maps
from ..evaluation.comparison import Comparison
from ..evaluation.evaluate import Constants
from ..evaluation.metrics import content_correlation
from ..runtime.arrays import Floats
from ..runtime.progress import track
from ..runtime.words import counted
from ..sequences.scale import DomainScale
from ..sequences.sequence import Sequence
from ..sequences.source import Source

SIGNALS, SIGNAL_SECONDS = 4, 1.0

GALLERY = 5

FRAMES = 3


class Drawing(NamedTuple):
    """A figure, what it is called and what to see in it (HTML)."""

    title: str
    figure: Figure
    caption: str

    def png(self) -> bytes:
        """The figure as a PNG file; the same figure, the same bytes."""
        return self._saved("png", metadata={"Software": None})

    def svg(self) -> bytes:
        """The figure as an SVG file, its text as text; the same figure, the same bytes."""
        return self._saved("svg", metadata={"Date": None})

    def _saved(self, format: str, **options: Any) -> bytes:
        buffer = io.BytesIO()
        with mpl.rc_context(STYLE):
            self.figure.savefig(buffer, format=format, **options)
        return buffer.getvalue()


class Example:
    """A silico sequence, its translation, and both standardised."""

    def __init__(self, name: str, silico: Sequence, translated: Sequence, comparison: Comparison):
        self.name, self.silico, self.translated = name, silico, translated
        self.scales = {
            "silico": comparison.domains["silico"].standardisation,
            "vivo": comparison.domains[name].standardisation,
        }
        self.before = standardised(silico.velocity, self.scales["silico"])
        self.after = standardised(translated.velocity, self.scales["vivo"])
        self.spacing, self.frame_rate = silico.spacing, silico.frame_rate
        self.correlation, self.lag = content_correlation(
            silico.velocity, translated.velocity, silico.frame_rate, comparison.max_lag
        )
        self.max_lag = comparison.max_lag


def standardised(velocity: Floats, scale: DomainScale) -> Floats:
    """(T, Z, X) m/s -> the SDs of its domain."""
    return (velocity - np.float32(scale.mean)) / np.float32(scale.std)


def loaded(source: Source, frames: int) -> Sequence:
    """The first so many frames of a sequence, in memory or on disk."""
    whole = source.item if isinstance(source.item, Sequence) else Sequence.load(source.item, 0, frames)
    return whole.replace(velocity=whole.velocity[:frames])


def called(comparison: Comparison, name: str) -> str:
    """What the sequences of a domain are called in a figure: by where they come from."""
    if name == "vivo":
        words = {"vivo": "in vivo", "phantom": "phantom"}
        return " + ".join(words.get(origin, origin) for origin in comparison.domains["vivo"].origins)
    return {"silico": "silico"}.get(name, name)


def _colours(comparison: Comparison) -> dict[str, str]:
    models = [name for name in comparison.domains if name not in ("silico", "vivo")]
    chosen = dict(zip(models, (plot.TRANSLATED, *plot.OTHERS * len(models)), strict=False))
    return {"silico": plot.SILICO, **chosen, "vivo": plot.VIVO}


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
    "svg.fonttype": "none",
    "svg.hashsalt": "myovivo",
}


def _panels(rows: int, columns: int, height: float, **options: Any) -> tuple[Figure, Any]:
    figure = Figure(figsize=(10, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def _tall(size: Series[int], spacing: tuple[float, float]) -> float:
    """Height over width of a map as drawn."""
    return size[0] * spacing[0] / (size[1] * spacing[1])


def map_gallery(comparison: Comparison) -> Drawing:
    """The log-variance maps of the first sequences of each domain."""
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
            ax.set_title(f"{called(comparison, name)} {index + 1}")
            ax.label_outer()
    bar = figure.colorbar(axes[0, 0].images[0], ax=axes, fraction=0.02, pad=0.01, aspect=40)
    bar.set_label("variance (dB re SD²)")
    return Drawing(
        "Log-variance maps",
        figure,
        f"Temporal variance of each pixel of the first {counted(count, 'sequence')} of each domain, standardised, "
        "on one colour scale. A texture at the same place in every translated map would be a habit of the translator, "
        "not anatomy; translated maps should differ from each other as much as the reference maps do.",
    )


def example_frames(example: Example, reference: Sequence, several: str) -> Drawing:
    """Figure 1: frames and variance map of one sequence before and after, and of a reference sequence."""
    step = max(1, round(0.010 * example.frame_rate))
    vivo = standardised(reference.velocity, example.scales["vivo"])
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
    return Drawing(
        f"Frames and variance map of one sequence{several}",
        figure,
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


def kspaces(comparison: Comparison) -> Drawing:
    """Figure 2: the mean K-space of each domain."""
    means = {
        name: np.mean([one.kspace_normalised for one in found], axis=0) for name, found in comparison.features.items()
    }
    limits = plot.common_limits([2 * plot.decibel(one) for one in means.values()], 1, 100)
    figure, axes = _panels(1, len(means), 10 / max(len(means), 3) + 0.2, sharex=True, sharey=True)
    for ax, (name, magnitude) in zip(axes[0], means.items(), strict=True):
        plot.kspace(magnitude, comparison.size, comparison.spacing, ax, limits, colourbar=False)
        ax.set_title(f"{called(comparison, name)}, n = {len(comparison.features[name])}")
        ax.label_outer()
    figure.colorbar(axes[0, 0].images[0], ax=axes, fraction=0.03, pad=0.01).set_label("magnitude (dB)")
    return Drawing(
        "K-space of the log-variance maps",
        figure,
        "|FFT| of the log-variance maps scaled to unit SD, mean over the sequences, on one colour scale: what SSI norm "
        "compares (SSI without the scaling). Low spatial frequencies are territories and layers, high ones "
        "texture. A bright line or dot away from the axes would be the ripple of a network's grid.",
    )


def spectra(comparison: Comparison) -> Drawing:
    """Figure 3: the power spectral density of each domain."""
    curves = {
        called(comparison, name): np.stack([one.log_psd for one in found])
        for name, found in comparison.features.items()
    }
    colours = {called(comparison, name): colour for name, colour in _colours(comparison).items()}
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
    return Drawing(
        "Power spectral densities",
        figure,
        "Periodogram averaged over all pixels: mean and SD (band) over the sequences of each domain. Corr Psd "
        "correlates the logarithm of these curves over all bins, those outside the pass band included.",
    )


def _pixels(example: Example) -> tuple[list[tuple[int, int]], list[str], str]:
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


def example_signals(example: Example, several: str) -> Drawing:
    """Velocity over time at some pixels of one sequence, before and after."""
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
    return Drawing(
        f"Time signals before and after translation{several}",
        figure,
        f"Standardised velocity at {chosen} of the first silico sequence; the first "
        f"{1e3 * length / example.frame_rate:.0f} ms. xCorr and lag of each pixel are over the whole sequence, "
        f"lags within ±{1e3 * example.max_lag:.0f} ms. "
        "xCorr ignores a positive gain, so amplitudes may differ where it is high.",
    )


def example_content(example: Example, several: str) -> Drawing:
    """xCorr and lag of each pixel of one sequence."""
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
    return Drawing(
        f"Where the motion is still the simulated one{several}",
        figure,
        "Content correlation of each pixel of the first sequence with its silico original, and its lag (positive: "
        "translated later). Outlines: labelled territories. Where nothing moves in silico, there is little content to "
        "keep, and a low xCorr says that the translator added motion of its own.",
    )


def similarity_stacks(
    found: list[tuple[Source, Source]], comparison: Comparison, workers: int, quiet: bool, name: str
) -> dict[bool, maps.MapStack]:
    """The similarity map of each pair; signed (False) and absolute (True)."""
    scales: Constants = {
        "silico": comparison.domains["silico"].standardisation,
        "vivo": comparison.domains[name].standardisation,
    }

    def one(silico: Source, translated: Source) -> tuple[Floats, Floats]:
        before, after = loaded(silico, comparison.frames), loaded(translated, comparison.frames)
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


def differences(example: Example, similarity: Mapping[bool, maps.MapStack], several: str) -> Drawing:
    """Figure 5: what was changed in one sequence, and over all, against depth."""
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
        row[2].set_title(f"its SD over {counted(count, 'sequence')}")
        depth, profile, spread = maps.depth_profile(mean, example.spacing)
        plot.depth_profile(depth, profile, spread, row[3], "SD", label="similarity")
        if len(set(stack.subjects)) >= bootstrap.LEAST:
            plot.depth_band(depth, *bootstrap.mean_interval(stack.profiles(), stack.subjects), row[3], "SD")
        row[3].set_title("mean over depth")
        row[3].set_box_aspect(tall)
        for ax in row[1:]:
            ax.set_ylabel("")
    return Drawing(
        f"Difference and similarity maps{several}",
        figure,
        "Difference map: translated − silico of each frame of the first sequence, averaged over the frames. Similarity "
        f"map: the difference maps of all {frames} frames of a sequence summed, mean and SD over "
        f"{counted(count, 'sequence')}; right: its mean and lateral SD against depth, and, darker, "
        "the 95 % interval of that mean by subject. "
        "Standardised units. Band-passed motion has a mean over time near zero, so a signed map that is not shows a "
        "steady velocity that the translator adds; the absolute ones show how much was changed, and where.",
    )


def training_losses(run: Path) -> list[Drawing]:
    """The losses of a run; nothing where it kept no log."""
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
        Drawing(
            "Training losses",
            figure,
            f"Losses of the run <code>{html.escape(run.resolve().name)}</code> over {steps[-1]} steps, smoothed over a "
            "fiftieth of the run. Adversarial losses do not fall as the translation improves: judge by the table.",
        )
    ]
