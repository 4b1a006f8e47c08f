"""The figure of identified motor units: maps, time courses and raster."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Series
from typing import Any, Protocol

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from ..plot.units import SHARE, raster, unit_courses, unit_map
from ..sequences.labels import MotorUnits
from .agreement import Agreement

PER_ROW, MOST_ROWS = 5, 2  # maps in `units_figure`

MOST_COURSES = 10


class Drawn(Protocol):
    """What the figure draws, as `Units` has it; they draw themselves by this file, which cannot import them."""

    @property
    def spike_times(self) -> Series[ArrayLike]: ...

    @property
    def weight(self) -> NDArray[np.float32]: ...

    @property
    def source(self) -> NDArray[np.float32]: ...

    @property
    def mask(self) -> NDArray[np.bool_]: ...

    @property
    def quality(self) -> Mapping[str, Any]: ...

    @property
    def frame_rate(self) -> float: ...

    @property
    def spacing(self) -> tuple[float, float]: ...

    @property
    def duration(self) -> float: ...

    def __len__(self) -> int: ...


def units_figure(units: Drawn, truth: MotorUnits | None = None, agreement: Agreement | None = None) -> Figure:
    """Maps of the clearest units, their courses, and the raster; with the truth beside them if it is known.

    Parameters
    ----------
    units : what was found
    truth, agreement : labels of the sequence, and `units.agreement` of it

    Returns
    -------
    Figure : without a window; save it with `savefig`
    """
    shown = min(len(units), PER_ROW * MOST_ROWS)
    rows = max(-(-shown // PER_ROW), 1)
    figure = Figure(figsize=(12, 2.5 * rows + 4.2), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.08)  # type: ignore[union-attr]
    parts: Any = figure.subfigures(2, 1, height_ratios=(2.5 * rows, 4.2))
    upper, lower = parts
    true_of = {match.found: match.true for match in agreement.matches} if agreement else {}
    same_size = truth is not None and truth.mask.shape[1:] == units.mask.shape[1:]
    panels = upper.subplots(rows, PER_ROW, sharex=True, sharey=True, squeeze=False).ravel()
    for unit, ax in enumerate(panels):
        if unit >= shown:
            ax.set_axis_off()
            continue
        true_mask = truth.mask[true_of[unit]] if truth is not None and same_size and unit in true_of else None
        unit_map(units.weight[unit], units.spacing, ax, units.mask[unit], true_mask, colourbar=False)
        peak = 1e3 * np.abs(units.weight[unit]).max()
        ax.set_title(f"{unit + 1}: {units.quality['firing_rate'][unit]:.1f} Hz, {peak:.2g} mm/s", fontsize="medium")
        ax.label_outer()
    if shown:
        upper.colorbar(panels[0].images[0], ax=panels, shrink=0.8, pad=0.01, label=SHARE)
    left, right = lower.subplots(1, 2)
    unit_courses(units.source[:MOST_COURSES], units.spike_times[:MOST_COURSES], units.frame_rate, left)
    raster(units.spike_times, units.duration, right, truth.spike_times if truth else (), agreement)
    return figure
