"""The figures of one pair of sequences: figures 1 and 5 of Ali et al. 2022, BioMed Eng OnLine 21:46, and its content.

The pair is the first of its model, never chosen by how good it looks. Draw within `matplotlib.rc_context(STYLE)`.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from .. import plot
from ..evaluation import bootstrap
from ..evaluation.comparison import Comparison
from ..evaluation.illustrations import Illustrations, PairExample
from ..evaluation.maps import MapStack, depth_profile
from ..evaluation.moments import temporal_variance
from ..runtime.arrays import Floats
from ..sequences.scale import DomainScale
from ..sequences.sequence import Sequence
from .drawing import Drawing, panels, sds_of, tall_of

SIGNALS, SIGNAL_SECONDS = 4, 1.0

FRAMES = 3


class Standardised:
    """A sequence in the SDs of its domain; only what is asked for is worked out."""

    def __init__(self, sequence: Sequence, scale: DomainScale):
        self.sequence, self.scale = sequence, scale

    def __len__(self) -> int:
        return len(self.sequence.velocity)

    def __getitem__(self, at: Any) -> Floats:
        return (self.sequence.velocity[at] - np.float32(self.scale.mean)) / np.float32(self.scale.std)

    @cached_property
    def variance(self) -> Floats:
        """(Z, X), over time."""
        return temporal_variance(self.sequence.velocity) / self.scale.std**2

    def busy_frames(self, step: int) -> list[int]:
        """Frames around the one in which a quarter of the pixels moves fastest: robust against a noisy corner."""
        reach = FRAMES // 2 * step
        middle = int(np.clip(self._busiest(), reach, max(reach, len(self) - 1 - reach)))
        return [min(middle - reach + index * step, len(self) - 1) for index in range(FRAMES)]

    def _busiest(self) -> int:
        """The first frame whose 75th percentile of |velocity| is highest."""
        busiest, highest = 0, -1.0
        for index in range(len(self)):
            speed = np.abs(self[index])
            # A percentile takes ten times as long as a count, which tells most frames that cannot have a higher one.
            if np.count_nonzero(speed >= highest) >= speed.size // 4:
                percentile = float(np.percentile(speed, 75))
                if percentile > highest:
                    busiest, highest = index, percentile
        return busiest


class Example:
    """A silico sequence and its translation, both standardised, and how a comparison was made of them."""

    def __init__(self, name: str, pair: PairExample, comparison: Comparison):
        self.name, self.silico, self.content = name, pair.silico, pair.content
        self.scale = comparison.domains[name].standardisation
        self.before = Standardised(pair.silico, comparison.domains["silico"].standardisation)
        self.after = Standardised(pair.translated, self.scale)
        self.spacing, self.frame_rate = pair.silico.spacing, pair.silico.frame_rate
        self.max_lag = comparison.max_lag
        self.sds = sds_of(comparison)


def pair_figures(
    name: str, comparison: Comparison, illustrations: Illustrations, several: str = ""
) -> tuple[Drawing, Drawing, Drawing, Drawing]:
    """Frames, signals, content and differences of a model's example.

    Parameters
    ----------
    name : the model
    several : what is added to titles to tell models apart
    """
    example = Example(name, illustrations.examples[name], comparison)
    return (
        example_frames(example, illustrations.reference, several),
        example_signals(example, several),
        example_content(example, several),
        differences(example, illustrations.similarity[name], several),
    )


def example_frames(example: Example, reference: Sequence, several: str) -> Drawing:
    """Figure 1: frames and variance map of one sequence before and after, and of a reference sequence."""
    step = max(1, round(0.010 * example.frame_rate))
    vivo = Standardised(reference, example.scale)
    named = {"vivo": "in vivo"}.get(reference.origin, reference.origin)
    chosen, vivo_chosen = example.before.busy_frames(step), vivo.busy_frames(step)
    rows = [("silico", example.before, chosen), (example.name, example.after, chosen), (named, vivo, vivo_chosen)]
    # One limit for all, that of the middle row in strength: a noisy corner of one must not bleach the others.
    limit = float(np.median([np.percentile(np.abs(sequence[at]), 99.5) for _, sequence, at in rows]))
    levels = plot.common_limits([plot.decibel(sequence.variance) for _, sequence, _ in rows])
    tall = tall_of(reference.shape[1:], example.spacing)

    # A row for each sequence: its frames, then its map.
    figure, axes = panels(3, FRAMES + 1, 6.6 * tall + 1.9, sharex=True, sharey=True)
    for row, (name, sequence, at) in zip(axes, rows, strict=True):
        for ax, index in zip(row, at, strict=False):
            plot.frame(sequence[index], example.spacing, ax, "SD", limit, colourbar=False)
            ax.set_title(f"{name}, {1e3 * index / example.frame_rate:.0f} ms")
        plot.variance_map(sequence.variance, example.spacing, row[-1], "SD", levels, colourbar=False)
        row[-1].set_title(f"{name}, variance")
        for ax in row:
            ax.label_outer()
    labels = example.silico.labels

    # Territories, and one colour bar below frames, one below maps.
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
        f"One sequence before and after translation and a reference: frames and variance{several}",
        figure,
        f"Three frames {1e3 * step / example.frame_rate:.0f} ms apart around the busiest moment of the first silico "
        "sequence, the same frames after translation, and three around the busiest moment of the first reference "
        f"sequence ({named}), which shows another contraction. Standardised velocity, red towards the probe, one "
        f"colour scale; right: temporal variance over all {len(vivo)} frames. {example.sds}{outlines}",
    )


def _pixels(example: Example) -> tuple[list[tuple[int, int]], list[str], str]:
    """Pixels whose signals are drawn, a name for each, and how they were chosen."""
    labels, (_, rows, columns) = example.silico.labels, example.silico.shape
    if labels is not None and len(labels):
        at = np.floor(np.asarray(labels.centre)[:SIGNALS] / example.spacing).astype(int)
        at = np.clip(at, 0, (rows - 1, columns - 1))
        chosen = f"the territory centres of the first {len(at)} of {len(labels)} motor units"
        return [(int(z), int(x)) for z, x in at], [f"unit {index + 1}" for index in range(len(at))], chosen
    variance = example.before.variance
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
        f"{name}\nxCorr {example.content.correlation[place]:.2f}\nlag {1e3 * example.content.lag[place]:+.1f} ms"
        for name, place in zip(names, at, strict=True)
    ]
    figure = Figure(figsize=(10, 0.9 * len(at) + 1.1), layout="constrained")
    plot.time_signals(
        example.before[:length, z, x], example.after[:length, z, x], example.frame_rate, figure.subplots(), labels,
        "SD", ("silico", example.name),
    )  # fmt: skip
    return Drawing(
        f"Velocity over time at single pixels, before and after translation{several}",
        figure,
        f"Standardised velocity at {chosen} of the first silico sequence; the first "
        f"{1e3 * length / example.frame_rate:.0f} ms. xCorr and lag of each pixel are over the whole sequence, "
        f"lags within ±{1e3 * example.max_lag:.0f} ms. "
        f"xCorr ignores a positive gain, so amplitudes may differ where it is high. {example.sds}",
    )


def example_content(example: Example, several: str) -> Drawing:
    """xCorr and lag of each pixel of one sequence."""
    correlation, lag, _ = example.content
    figure, axes = panels(1, 3, 2.1 * tall_of(lag.shape, example.spacing) + 0.8)
    plot.correlation_map(correlation, example.spacing, axes[0, 0]).set_title("xCorr")
    limit = float(np.nanpercentile(np.abs(lag), 99)) or 1 / example.frame_rate
    plot.lag_map(lag, example.spacing, axes[0, 1], limit).set_title("lag")
    if example.silico.labels is not None:
        plot.territories(example.silico.labels.mask, example.spacing, axes[0, 0])
        plot.territories(example.silico.labels.mask, example.spacing, axes[0, 1], "0.3")
    values = correlation[np.isfinite(correlation)]
    ax = axes[0, 2]
    ax.hist(values, bins=np.linspace(min(0.0, float(values.min())), 1, 41), color=plot.TRANSLATED)
    ax.set(xlabel="xCorr", ylabel="pixels", title=f"{values.mean():.2f} ± {values.std():.2f}")
    ax.set_box_aspect(1)
    ax.spines[["top", "right"]].set_visible(False)
    return Drawing(
        f"Where the motion is still the simulated one: xCorr and lag of each pixel{several}",
        figure,
        "Content correlation of each pixel of the first sequence with its silico original, and its lag (positive: "
        "translated later). Outlines: labelled territories. Where nothing moves in silico, there is little content to "
        "keep, and a low xCorr says that the translator added motion of its own.",
    )


def differences(example: Example, similarity: tuple[MapStack, MapStack], several: str) -> Drawing:
    """Figure 5: what was changed in one sequence, and over all, against depth."""
    count = len(similarity[0].names)
    frames, *size = example.silico.shape
    tall = tall_of(size, example.spacing)
    figure, axes = panels(2, 4, 3.2 * tall + 1.7)
    # Signed above, absolute below
    for row, absolute in zip(axes, (False, True), strict=True):
        word = "|translated − silico|" if absolute else "translated − silico"
        stack = similarity[absolute]
        plot.difference_map(stack.maps[0] / frames, example.spacing, row[0], "SD", label=word)
        row[0].set_title(f"difference map, {'absolute' if absolute else 'signed'}")
        mean, sd = stack.maps.mean(axis=0), stack.maps.std(axis=0)
        plot.difference_map(mean, example.spacing, row[1], "SD", label=f"Σ {word}")
        row[1].set_title(f"similarity map, mean of {count}")
        plot.difference_map(sd, example.spacing, row[2], "SD", label="SD over sequences")
        row[2].set_title(f"its SD over {count} sequences")
        depth, profile, spread = depth_profile(mean, example.spacing)
        plot.depth_profile(depth, profile, spread, row[3], "SD", label="similarity")
        if len(set(stack.subjects)) >= bootstrap.LEAST:
            plot.depth_band(depth, *bootstrap.mean_interval(stack.profiles(), stack.subjects), row[3], "SD")
        row[3].set_title("mean over depth")
        row[3].set_box_aspect(tall)
        for ax in row[1:]:
            ax.set_ylabel("")
    return Drawing(
        f"What translation changed, and where: difference and similarity maps{several}",
        figure,
        "Difference map: translated − silico of each frame of the first sequence, averaged over the frames. Similarity "
        f"map: the difference maps of all {frames} frames of a sequence summed, mean and SD over {count} sequences; "
        "right: its mean and lateral SD against depth, and, darker, the 95 % interval of that mean by subject. "
        "Standardised units. Band-passed motion has a mean over time near zero, so a signed map that is not shows a "
        "steady velocity that the translator adds; the absolute ones show how much was changed, and where. "
        f"{example.sds}",
    )
