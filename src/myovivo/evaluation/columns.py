"""The columns of the comparison table, each told once: its head, its meaning, the paper's values, how it is computed.

A new column is a new entry of `COLUMNS`; the table, the CSV, the pages and the documentation read it from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Series
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from numpy.typing import NDArray

from ..runtime.arrays import Floats
from .crossing import cross_bhattacharyya, cross_pearson, cross_rms, cross_ssim
from .features import SequenceFeatures
from .frechet import frechet_distance
from .mmd import mmd_test, squared_mmd
from .neighbours import authenticity, clipped_coverage, clipped_density
from .rows import NONE, NOTHING, VIVO_VIVO, Row

BEST = "best model"

PUBLISHED = (NONE, BEST, VIVO_VIVO)
"""Rows of Table 1 of Ali et al. 2022, on their own in vivo recordings: no translation, best model, vivo-vivo."""


class ContentColumn(NamedTuple):
    """Where a translation moves as its original does: xCorr and lag (s) of each pixel, and the labelled territories.

    All are (Z, X); `inside` is None without labels, and so are `firings` (K,), one number per unit.
    """

    correlation: Floats
    lag: Floats
    inside: NDArray[Any] | None
    firings: Floats | None = None


class OverPairs(NamedTuple):
    """A column over pairs: one feature of all sequences of two domains, crossed; mean ± SD over the pairs."""

    cross: Callable[[Any, Any], Floats]
    feature: Callable[[SequenceFeatures], Floats]


class OverHalves(NamedTuple):
    """A column over domains: a measure of few numbers per sequence; mean ± SD over random halves of both."""

    measure: Callable[[Floats, Floats], float]
    feature: Callable[[SequenceFeatures], Floats]


class OverDomains(NamedTuple):
    """A column over whole domains and their subjects: one number, and none of vivo-vivo."""

    measure: Callable[[Floats, Floats, Series[str], Series[str]], float]
    feature: Callable[[SequenceFeatures], Floats]


class OverSequences(NamedTuple):
    """A column over the sequences of a row's own domain; mean ± SD over them."""

    feature: Callable[[SequenceFeatures], float]


class OverPixels(NamedTuple):
    """A column over the pixels, or units, of translations and originals; `values` gives None where there are none."""

    values: Callable[[ContentColumn], Floats | None]
    full_range: bool = False  # of lags


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes
    ----------
    name : in files
    head : in print
    arrow : what is better: ↓, ↑ or → 0
    meaning : in one line, for a legend
    question : what it asks, and what it is blind to
    measure : how it is computed
    decimals, scale : how it is printed: value × scale
    published : row of `PUBLISHED` -> the paper's value as printed there; nothing if the column is ours
    """

    name: str
    head: str
    arrow: str
    meaning: str
    question: str
    measure: OverPairs | OverHalves | OverDomains | OverSequences | OverPixels
    decimals: int = 2
    scale: float = 1.0
    published: Mapping[str, str] = field(default_factory=dict)

    def cell(self, row: Row) -> str:
        """The row's mean ± SD as printed, or a dash."""
        return row.columns.get(self.name, NOTHING).text(self.decimals, self.scale)

    def paper(self, row: str) -> str:
        """The paper's value as printed, or a dash."""
        return self.published.get(row, "–")


_MILLISECONDS: Any = {"decimals": 1, "scale": 1e3}

_TO_VIVO = "→\u00a0vivo-vivo"

_TO_ZERO = "→\u00a00"


def _inside(values: Floats, content: ContentColumn) -> Floats | None:
    return None if content.inside is None else values[content.inside]


COLUMNS = (
    Column(
        "DBhat", "DBhat", "↓",
        "Bhattacharyya distance between histograms of the log-variance maps",
        "Are strong and weak motion equally frequent in the maps? Blind to where.",
        OverPairs(cross_bhattacharyya, lambda features: features.histogram),
        published={NONE: ".33", BEST: ".25", VIVO_VIVO: ".26"},
    ),
    Column(
        "Corr", "Corr", "↑",
        "correlation of the same histograms",
        "The same, by correlation.",
        OverPairs(cross_pearson, lambda features: features.histogram),
        published={NONE: ".54", BEST: ".69", VIVO_VIVO: ".66"},
    ),
    Column(
        "SSI", "SSI", "↑",
        "structural similarity of the maps' K-space, linear scale: depends on the contrast of the maps",
        "Is the contrast of the maps spread over the same spatial frequencies? Depends on how strong that contrast is.",
        OverPairs(cross_ssim, lambda features: features.kspace),
        published={NONE: ".32", BEST: ".65", VIVO_VIVO: ".74"},
    ),
    Column(
        "SSI norm", "SSI norm", "↑",
        "the same with every map scaled to unit SD (not in the paper)",
        "The same for maps scaled to unit SD (ours). If SSI rises and SSI norm does not, only contrast has changed.",
        OverPairs(cross_ssim, lambda features: features.kspace_normalised),
    ),
    Column(
        "Corr Psd", "Corr Psd", "↑",
        "correlation of the log mean power spectra",
        "Is the motion equally fast? High before any translation; blind to space.",
        OverPairs(cross_pearson, lambda features: features.log_psd),
        published={NONE: ".96", BEST: ".97", VIVO_VIVO: ".98"},
    ),
    Column(
        "Coh dist", "Coh dist", "↓",
        "how differently motion stays correlated with growing distance (not in the paper)",
        "Do pixels stay correlated over the same distances (ours)? No gain of any pixel changes it.",
        OverPairs(cross_rms, lambda features: features.coherence),
    ),
    Column(
        "FD maps", "FD maps", "↓",
        "Fréchet distance of the maps' spectra, which sees variety (not in the paper)",
        "Do the maps' spectra have the mean and the variety of those of vivo (ours)? From eight sequences on.",
        OverHalves(frechet_distance, lambda features: features.map_bands),
    ),
    Column(
        "FD Psd", "FD Psd", "↓",
        "Fréchet distance of the power spectra (not in the paper)",
        "The same of the power spectra (ours).",
        OverHalves(frechet_distance, lambda features: features.psd_bands),
    ),
    Column(
        "MMD", "MMD", "↓",
        "squared maximum mean discrepancy of both spectra (not in the paper)",
        "Are both spectra together distributed as those of vivo, in any way (ours)? About 0 if they are.",
        OverHalves(squared_mmd, lambda features: features.bands),
    ),
    Column(
        "MMD p", "MMD p", "↑",
        "how often subjects shuffled between the domains differ as much (not in the paper)",
        "Could such a difference be chance (ours)? Below 0.05 they differ; above, these subjects do not show it.",
        OverDomains(lambda *domains: mmd_test(*domains).p, lambda features: features.bands), 3,
    ),
    Column(
        "Density", "Density", "↑",
        "share of sequences whose spectra lie where those of vivo are dense (not in the paper)",
        "Is each sequence like some of vivo (ours)? Blind to what is missing.",
        OverHalves(clipped_density, lambda features: features.bands),
    ),
    Column(
        "Coverage", "Coverage", "↑",
        "share of vivo that has sequences near it (not in the paper)",
        "Is some sequence like each of vivo (ours)? Blind to sequences that are like none.",
        OverHalves(clipped_coverage, lambda features: features.bands),
    ),
    Column(
        "Authentic", "Authentic", _TO_VIVO,
        "share of sequences that are no near copies of one of vivo (not in the paper)",
        "Are sequences new (ours)? Copies take it to 0; so far from vivo that nothing is near takes it to 1.",
        OverHalves(authenticity, lambda features: features.bands),
    ),
    Column(
        "PR", "PR", _TO_VIVO,
        "participation ratio: number of patterns that the motion of a sequence is made of (not in the paper)",
        "Does a sequence move in as many independent patterns (ours)? The row's own number, not a distance.",
        OverSequences(lambda features: features.participation),
    ),
    Column(
        "xCorr", "xCorr", "↑",
        "correlation of each pixel's motion with its silico original at the best lag",
        "Does each pixel still move as it did? Blind to a positive gain; near 1 for a translator that does nothing.",
        OverPixels(lambda content: content.correlation),
        published={BEST: ".93"},
    ),
    Column(
        "lag", "lag (ms)", _TO_ZERO,
        "that lag; positive: the translated motion comes later",
        "Does it move when it did?",
        OverPixels(lambda content: content.lag),
        published={BEST: "≈ 0"}, **_MILLISECONDS,
    ),
    Column(
        "xCorr territories", "xCorr terr.", "↑",
        "xCorr inside the labelled motor-unit territories",
        "xCorr inside the labelled territories, where it matters for the labels.",
        OverPixels(lambda content: _inside(content.correlation, content)),
    ),
    Column(
        "lag territories", "lag terr. (ms)", _TO_ZERO,
        "lag inside the labelled motor-unit territories",
        "The lag there.",
        OverPixels(lambda content: _inside(content.lag, content)), **_MILLISECONDS,
    ),
    Column(
        "firings", "firings", "↑",
        "agreement of true firings of units with the motion inside their territories (not in the paper)",
        "Do territories still move when their units fire (ours)? Of each unit what no other explains.",
        OverPixels(lambda content: content.firings),
    ),
    Column(
        "xCorr full range", "xCorr full", "↑",
        "xCorr with any lag allowed",
        "xCorr with any lag allowed: is the motion the same at another time?",
        OverPixels(lambda content: content.correlation, full_range=True),
    ),
    Column(
        "lag full range", "lag full (ms)", _TO_ZERO,
        "lag with any lag allowed",
        "The lag of that.",
        OverPixels(lambda content: content.lag, full_range=True), **_MILLISECONDS,
    ),
)  # fmt: skip

PAPERS = tuple(column for column in COLUMNS if column.published)
"""The columns of the paper."""

PAPERS_LIKENESS = tuple(column for column in PAPERS if isinstance(column.measure, OverPairs))
"""Those of the paper that say how alike two domains are."""
