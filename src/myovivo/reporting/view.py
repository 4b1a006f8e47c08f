"""Sequences that move, side by side on one page: files opened as far as they are shown, maps and units beside them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileError, InputError
from ..evaluation.maps import difference_map
from ..sequences.header import open_sequence
from ..sequences.sequence import Sequence, require_sequence
from ..simulation.spike_trains.reading import read_spike_trains
from ..viewing.page import ViewPage, view_page
from ..viewing.panes import (
    MOST_PANES,
    Pane,
    PaneMap,
    UnitList,
    pane_of,
    require_alike,
    same_firings,
    span_of,
    titled,
    trains_of,
    true_trains,
)

_FRAMES_AT_ONCE = 256  # read from a file


def view(
    *sequences: Sequence | str | Path,
    units: Any = None,
    names: Iterable[str] | None = None,
    start: float = 0.0,
    stop: float | None = None,
    every: int = 1,
    title: str = "",
    quiet: bool = False,
) -> ViewPage:
    """Show one to four sequences side by side on one clock, on a page that needs nothing else.

    Give the simulated one first and its translation second, as then their difference is shown too. A pixel shows its
    velocity over time, its spectrum and its cross-correlation with the first; maps lie over the sequences, units are
    outlined, and found ones can be mended by hand and saved.

    Parameters
    ----------
    sequences : sequences or their files, on the same pixels and at the same frame rate (within 1 %)
    units : units found in the first: `Units`, a file of spike trains, or spike times per unit, s; the true ones are
        shown wherever a sequence has labels
    names : what the sequences are called; their files' names, or where their motion comes from, if None
    start, stop : s, what is shown; to the end if `stop` is None
    every : show one frame in so many, of long sequences; motion beyond half of what is left of the frame rate folds
    title : heading; the names if empty
    quiet : no progress

    Returns
    -------
    ViewPage : shown by a notebook; `.save("view.html")` writes it

    Raises
    ------
    FileError : a file is missing, truncated or no sequence.
    InputError : no sequence or more than four; other pixels or frame rates; nothing lies between start and stop; units
        on another grid; more than a browser can hold.
    WrongTypeError : something that is no sequence.

    Examples
    --------
    >>> import myovivo as mv
    >>> page = mv.view(mv.simulate(seed=0, **{"grid.frames": 64}), every=2, quiet=True)
    >>> page
    ViewPage: silico silico0; 1 sequence, 32 frames, 0.4 MB; save it as .html
    """
    # What is shown
    if not 1 <= len(sequences) <= MOST_PANES:
        got = f"{len(sequences)}; give fewer, or make two pages" if sequences else "none; name their files"
        raise InputError(f"a page shows 1 to {MOST_PANES} sequences, got {got}")
    given = [None] * len(sequences) if names is None else list(names)
    if len(given) != len(sequences):
        raise InputError(f"names must be one for each of {len(sequences)} sequences, got {len(given)}")
    opened = [_opened(item, name, start, stop, every) for item, name in zip(sequences, given, strict=True)]
    panes = [pane for pane, _ in opened]
    labels = [label for _, label in opened]
    require_alike(panes)
    # Maps and units beside it
    panes = [panes[0], *(_with_maps(pane, panes[0]) for pane in panes[1:])]
    rows, columns = panes[0].velocity.shape[1:]
    trains = true_trains(labels, (rows, columns))
    if units is not None:
        trains.insert(0, _found(units, labels, (rows, columns)))
    return view_page(panes, trains, title, quiet)


def _opened(item: Any, name: str | None, start: float, stop: float | None, every: int) -> tuple[Pane, Any]:
    """A sequence as a pane, and its labels; of a file no more is read than is shown."""
    if not isinstance(item, str | Path):
        sequence = require_sequence(item)
        called = name or " ".join(part for part in (sequence.origin, sequence.subject) if part)
        return pane_of(called, sequence, start, stop, every), sequence.labels
    path = Path(item)
    if path.is_dir():
        raise FileError(path, f"is a folder; name up to {MOST_PANES} of its files")
    with open_sequence(path) as file:
        header = file.header
        span = span_of(header.shape[0], header.frame_rate, start, stop, every)
        size = _FRAMES_AT_ONCE * span.every
        blocks = [
            file.velocity(first, min(first + size, span.last))[:: span.every]
            for first in range(span.first, span.last, size)
        ]
        labels = file.labels()
    shown = np.concatenate(blocks)
    if not np.isfinite(np.sum(shown)) and not np.isfinite(shown).all():
        raise FileError(path, "holds velocities that are not finite; make it again")
    pane = Pane(name or path.stem, header.origin, header.subject, shown, header.frame_rate, header.spacing, {}, span)
    return pane, labels


def _with_maps(pane: Pane, first: Pane) -> Pane:
    """The same with the maps of how it differs from A; without, if it is of another length."""
    if pane.velocity.shape != first.velocity.shape:
        return pane
    before, after = (
        Sequence(shown.velocity, shown.frame_rate / shown.span.every, shown.spacing, None, "silico")
        for shown in (first, pane)
    )
    signed, size = (difference_map(before, after, absolute) for absolute in (False, True))
    frames = len(pane.velocity)
    maps = {
        "difference": PaneMap("mean difference from A", "mm/s", 1e3 * signed, True),
        "absolute": PaneMap("mean |difference| from A", "mm/s", 1e3 * size, False),
        "similarity": PaneMap("similarity with A, summed difference", "mm/s, summed", 1e3 * frames * signed, True),
    }
    return pane._replace(maps=maps)


def _found(units: Any, labels: list[Any], size: tuple[int, int]) -> UnitList:
    """Units found in A, and in whatever moves by the same labels."""
    if isinstance(units, str | Path):
        units = read_spike_trains(units)
    own = labels[0]
    alike = (
        k for k, label in enumerate(labels[1:], 1) if own is not None and label is not None and same_firings(own, label)
    )
    panes = (0, *alike)
    return trains_of(titled("found units", panes), units, panes, size)
