"""How a sequence is seen: as a figure, as the small picture in a notebook, and moving on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..viewing.page import ViewPage
    from .labels import MotorUnits


class Depicted:
    """What is drawn of a sequence, for the class that is one."""

    velocity: NDArray[np.float32]
    frame_rate: float
    spacing: tuple[float, float]
    labels: MotorUnits | None
    origin: Any
    subject: str

    def plot(self, ax: Axes | None = None) -> Axes:
        """A first look: the variance map, with the outlines of the territories if they are known.

        Parameters
        ----------
        ax : the axes to draw on; new ones if None

        Returns
        -------
        Axes : drawn on
        """
        from ..plot.maps import territories, variance_map  # matplotlib takes a while to load

        ax = variance_map(self, ax=ax)
        return ax if self.labels is None else territories(self, ax=ax)

    def view(
        self,
        units: Any = None,
        start: float = 0.0,
        stop: float | None = None,
        every: int = 1,
        title: str = "",
        quiet: bool = False,
    ) -> ViewPage:
        """The sequence moving, on an interactive page; `mv.view` shows several side by side.

        Parameters
        ----------
        units : found `Units`, or spike times per unit, s, to be shown beside the true ones
        start, stop : s, what is shown; to the end if `stop` is None
        every : show one frame in so many
        title : heading; made of origin and subject if empty
        quiet : no progress

        Returns
        -------
        ViewPage : shown by a notebook; `.save("view.html")` writes it

        Raises
        ------
        InputError : nothing lies between start and stop, or units on another grid.
        """
        from ..viewing.page import view_page
        from ..viewing.panes import pane_of, titled, trains_of, true_trains

        name = " ".join(part for part in (self.origin, self.subject) if part)
        pane = pane_of(name, self, start, stop, every)
        _, rows, columns = pane.velocity.shape
        trains = true_trains([self.labels], (rows, columns))
        if units is not None:
            trains.insert(0, trains_of(titled("found units", (0,)), units, (0,), (rows, columns)))
        return view_page([pane], trains, title, quiet)

    def _picture(self) -> bytes:
        from ..plot.maps import variance_map
        from ..plot.thumbnail import thumbnail

        return thumbnail([lambda ax: variance_map(self, ax=ax, colourbar=False)])
