"""The figures of whole domains: figures 2 and 3 of Ali et al. 2022, BioMed Eng OnLine 21:46, and a gallery of maps.

Draw within `matplotlib.rc_context(STYLE)`.
"""

from __future__ import annotations

import numpy as np

from .. import plot
from ..evaluation.comparison import Comparison
from .drawing import Drawing, called, colours_of, panels, sds_of, tall_of

GALLERY = 5  # maps of each domain


def map_gallery(comparison: Comparison) -> Drawing:
    """The log-variance maps of the first sequences of each domain."""
    count = min(GALLERY, max(len(found) for found in comparison.features.values()))
    shown = {name: found[:count] for name, found in comparison.features.items()}
    levels = {name: [np.exp(one.log_variance) for one in found] for name, found in shown.items()}
    limits = plot.common_limits([plot.decibel(one) for found in levels.values() for one in found])
    height = (8.0 / count * tall_of(comparison.size, comparison.spacing) + 0.25) * len(shown) + 0.4
    figure, axes = panels(len(shown), count, height, sharex=True, sharey=True)
    for row, (name, variances) in zip(axes, levels.items(), strict=True):
        for ax in row[len(variances) :]:
            ax.axis("off")
        for index, (ax, variance) in enumerate(zip(row, variances, strict=False)):
            plot.variance_map(variance, comparison.spacing, ax, "SD", limits, colourbar=False)
            ax.set_title(f"{called(comparison, name)} {index + 1}")
            ax.label_outer()
    bar = figure.colorbar(axes[0, 0].images[0], ax=axes, fraction=0.02, pad=0.01, aspect=40)
    bar.set_label("variance (dB re SD²)")
    return Drawing(
        "Where sequences move: log-variance maps of each domain",
        figure,
        f"Temporal variance of each pixel of the first {count} sequences of each domain, standardised, on one colour "
        "scale. A texture at the same place in every translated map would be a habit of the translator, not anatomy; "
        f"translated maps should differ from each other as much as the reference maps do. {sds_of(comparison)}",
    )


def kspaces(comparison: Comparison) -> Drawing:
    """Figure 2: the mean K-space of each domain."""
    domains = comparison.features.items()
    means = {name: np.mean([one.kspace_normalised for one in features], axis=0) for name, features in domains}
    limits = plot.common_limits([2 * plot.decibel(one) for one in means.values()], 1, 100)
    figure, axes = panels(1, len(means), 10 / max(len(means), 3) + 0.2, sharex=True, sharey=True)
    for ax, (name, magnitude) in zip(axes[0], means.items(), strict=True):
        plot.kspace(magnitude, comparison.size, comparison.spacing, ax, limits, colourbar=False)
        ax.set_title(f"{called(comparison, name)}, n = {len(comparison.features[name])}")
        ax.label_outer()
    figure.colorbar(axes[0, 0].images[0], ax=axes, fraction=0.03, pad=0.01).set_label("magnitude (dB)")
    return Drawing(
        "How fine the maps are: K-space of the log-variance maps, mean of each domain",
        figure,
        "|FFT| of the log-variance maps scaled to unit SD, mean over the sequences, on one colour scale: what SSI norm "
        "compares (SSI without the scaling). Low spatial frequencies are territories and layers, high ones "
        "texture. A bright line or dot away from the axes would be the ripple of a network's grid.",
    )


def spectra(comparison: Comparison) -> Drawing:
    """Figure 3: the power spectral density of each domain."""
    domains = comparison.features.items()
    curves = {called(comparison, name): np.stack([one.log_psd for one in features]) for name, features in domains}
    colours = {called(comparison, name): colour for name, colour in colours_of(comparison).items()}
    frequency = next(iter(comparison.features.values()))[0].frequency
    figure, axes = panels(1, 2, 3.4)
    plot.psd(frequency, curves, axes[0, 0], colours)
    plot.psd(frequency, curves, axes[0, 1], colours, highest=min(60.0, float(frequency.max())))
    axes[0, 0].set_title("up to the Nyquist frequency")
    axes[0, 1].set_title("the band of muscle motion")
    axes[0, 1].get_legend().remove()
    inside = frequency <= axes[0, 1].get_xlim()[1]
    shown = np.concatenate([one[:, inside].ravel() for one in curves.values()]) * 10 / np.log(10)
    axes[0, 1].set_ylim(np.percentile(shown, 1) - 3, shown.max() + 3)
    return Drawing(
        "How fast they move: power spectral density of each domain",
        figure,
        "Periodogram averaged over all pixels: mean and SD (band) over the sequences of each domain. Corr Psd "
        "correlates the logarithm of these curves over all bins, those outside the pass band included.",
    )
