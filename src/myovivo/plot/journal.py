"""Figures for papers: widths of journals, vector output with text that stays text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import InputError

WIDTHS = {"column": 0.085, "middle": 0.120, "page": 0.175}  # m; most journals take 80-90, 110-140 and 170-180 mm

INCH = 0.0254  # m


@contextmanager
def journal_style(width: str | float = "column", aspect: float = 0.75) -> Iterator[tuple[float, float]]:
    """Draw within this context as journals want it: at final size, 8 pt sans serif, thin lines, editable text.

    PDF and SVG keep text as text; pixels of maps stay what they are. The sizes are what most publishers ask for.

    Parameters
    ----------
    width : "column" (85 mm), "middle" (120 mm), "page" (175 mm), or a width in m
    aspect : height over width of a figure that is made without a size

    Yields
    ------
    tuple : (width, height) of a figure, inches

    Raises
    ------
    InputError : no such width, or a width or aspect that cannot be.

    Examples
    --------
    >>> import myovivo as mv
    >>> sequence = mv.simulate(seed=0, **{"grid.frames": 256})
    >>> with mv.plot.journal_style("column"):
    ...     axes = mv.plot.variance_map(sequence)
    >>> round(25.4 * axes.figure.get_figwidth())  # mm
    85
    """
    import matplotlib  # takes a while to load

    size = _size(width, aspect)
    style: Any = {**_PARAMETERS, "figure.figsize": size}
    with matplotlib.rc_context(style):
        yield size


def _size(width: str | float, aspect: float) -> tuple[float, float]:
    try:
        metres = WIDTHS[width] if width in WIDTHS else float(width)
    except ValueError:
        raise InputError(f"width must be one of {', '.join(WIDTHS)} or a number in m, got {width!r}") from None
    if not 0.02 <= metres <= 0.5:
        raise InputError(f"width must be 0.02 to 0.5 m, got {metres:g}; is it in mm?")
    if not 0.1 <= aspect <= 10:
        raise InputError(f"aspect is height over width, 0.1 to 10, got {aspect:g}")
    return metres / INCH, aspect * metres / INCH


_PARAMETERS: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.0,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 600,
    "pdf.fonttype": 42,  # TrueType: letters can be edited, and publishers refuse Type 3
    "ps.fonttype": 42,
    "svg.fonttype": "none",
}
