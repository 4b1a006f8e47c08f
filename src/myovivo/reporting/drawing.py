"""What every figure of a report is: drawn in one style, named, and told what to see in it."""

from __future__ import annotations

import io
from collections.abc import Sequence as Series
from typing import Any, NamedTuple

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from .. import plot
from ..evaluation.comparison import Comparison, models_of


class Drawing(NamedTuple):
    """A figure, what it is called and what to see in it: text, or markup made on purpose."""

    title: str
    figure: Figure
    caption: str | Markup

    def png(self) -> bytes:
        """The figure as a PNG file; the same figure, the same bytes."""
        engine = self.figure.get_layout_engine()
        with mpl.rc_context(STYLE):
            if engine is not None:  # laid out here once, where saving would also draw the figure twice
                engine.execute(self.figure)
                self.figure.set_layout_engine(None)
            data = self._saved("png", metadata={"Software": None})
            self.figure.set_layout_engine(engine)
        return data

    def svg(self) -> bytes:
        """The figure as an SVG file, its text as text; the same figure, the same bytes."""
        return self._saved("svg", metadata={"Date": None})

    def _saved(self, format: str, **options: Any) -> bytes:
        buffer = io.BytesIO()
        with mpl.rc_context(STYLE):
            self.figure.savefig(buffer, format=format, **options)
        return buffer.getvalue()


def called(comparison: Comparison, name: str) -> str:
    """What the sequences of a domain are called in a figure: by where they come from."""
    if name == "vivo":
        words = {"vivo": "in vivo", "phantom": "phantom"}
        return " + ".join(words.get(origin, origin) for origin in comparison.domains["vivo"].origins)
    return {"silico": "silico"}.get(name, name)


def sds_of(comparison: Comparison) -> str:
    """What an SD is in mm/s, for captions: `1 SD: 0.41 mm/s silico; 0.83 mm/s translated and phantom.`"""
    same: dict[str, list[str]] = {}
    for name, domain in comparison.domains.items():
        same.setdefault(f"{1e3 * domain.standardisation.std:.3g} mm/s", []).append(called(comparison, name))
    told = (f"{speed} {' and '.join(names)}" for speed, names in same.items())
    return f"1 SD: {'; '.join(told)}."


def colours_of(comparison: Comparison) -> dict[str, str]:
    chosen = dict(
        zip(models_of(comparison), (plot.TRANSLATED, *plot.OTHERS * len(models_of(comparison))), strict=False)
    )
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


def panels(rows: int, columns: int, height: float, **options: Any) -> tuple[Figure, Any]:
    figure = Figure(figsize=(10, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def tall_of(size: Series[int], spacing: tuple[float, float]) -> float:
    """Height over width of a map as drawn."""
    return size[0] * spacing[0] / (size[1] * spacing[1])
