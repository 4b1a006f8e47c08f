"""A small picture of a thing, for its introduction in a notebook."""

from __future__ import annotations

import io
from collections.abc import Callable
from collections.abc import Sequence as Series

from matplotlib.axes import Axes
from matplotlib.figure import Figure

SIDE, DOTS = 1.5, 80  # inches, per inch


def thumbnail(draws: Series[Callable[[Axes], object]]) -> bytes:
    """A PNG of small panels side by side, without axes; each function draws one.

    Parameters
    ----------
    draws : functions that draw on the axes they are given
    """
    figure = Figure(figsize=(SIDE * max(len(draws), 1), SIDE), layout="constrained")
    panels = figure.subplots(1, max(len(draws), 1), squeeze=False)[0]
    for draw, ax in zip(draws, panels, strict=True):
        draw(ax)
        ax.set_axis_off()
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DOTS)
    return file.getvalue()
