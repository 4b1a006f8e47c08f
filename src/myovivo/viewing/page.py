"""The page itself: what it carries, written once as HTML, shown in a notebook or saved."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator
from collections.abc import Sequence as Series
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jinja2.utils import htmlsafe_json_dumps

from ..errors import InputError
from ..runtime.arrays import Floats
from ..runtime.files import write_text
from ..runtime.introduction import shortened
from ..runtime.progress import Bar
from ..runtime.templates import render
from ..runtime.words import counted
from ..version import __version__
from .bundle import bundled_script, security_policy, style_sheet
from .coding import BLOCK_FRAMES, Steps, coded_blocks, coded_map, coded_mask, steps_for
from .colours import ANCHORS, colour_table
from .panes import Pane, PaneMap, UnitList, require_alike

TEMPLATE = Path(__file__).parent / "templates" / "viewer.html"

LARGEST = 1 << 29  # values of a page; a browser holds each as a byte

HEIGHT = 900  # of the frame in a notebook, pixels

_SCALE_PERCENTILE = 99.0  # of |velocity|, at which the colours end at first


class PageBlock(NamedTuple):
    """Coded frames: of which pane, which block, and the text."""

    pane: int
    number: int
    text: str


class ViewPage:
    """A page that shows moving sequences; a notebook shows it, `save` writes it.

    Attributes
    ----------
    html : the whole page, one file that needs nothing else
    title : its heading
    """

    def __init__(self, html: str, title: str, panes: Series[Pane]):
        self.html, self.title, self._panes = html, title, panes

    def save(self, path: str | Path, speed: float = 1 / 16, quiet: bool = True) -> Path:
        """Write the page, or only its sequences as a clip, whole or not at all.

        Parameters
        ----------
        path : `.html`; `.gif`, or `.mp4` with the extra `video`, for a clip
        speed : at which a clip plays, 1 for that of the recording (ours: a sixteenth)
        quiet : no progress while a clip is drawn

        Raises
        ------
        InputError : another ending, or a speed that is not positive.
        MissingExtraError : an MP4 without OpenCV.
        FileError : the disk is full or the folder cannot be written.
        """
        path = Path(path)
        ending = path.suffix.lower()
        if ending in (".html", ".htm"):
            write_text(path, self.html)
            return path
        if ending in (".gif", ".mp4"):
            from .clip import save_clip  # matplotlib takes a while to load

            return save_clip(path, self._panes, _limit(self._panes), speed, quiet)
        got = path.suffix or "no ending"
        raise InputError(f"a page is saved as .html, a clip of it as .gif or .mp4, got {got} in {path}")

    def __repr__(self) -> str:
        longest = max(pane.span.shown for pane in self._panes)
        shown = f"{counted(len(self._panes), 'sequence')}, {counted(longest, 'frame')}"
        return f"ViewPage: {shortened(self.title, 60)}; {shown}, {len(self.html) / 1e6:.1f} MB; save it as .html"

    def _repr_html_(self) -> str:
        """The page in a frame of its own, which can run its script and save files, and reach nothing around it."""
        attributes = f'title="{html.escape(self.title)}" width="100%" height="{HEIGHT}"'
        frame = 'sandbox="allow-scripts allow-downloads allow-modals" style="border: 0; border-radius: 8px"'
        return f'<iframe {attributes} {frame} srcdoc="{html.escape(self.html)}"></iframe>'


def view_page(panes: Series[Pane], trains: Series[UnitList] = (), title: str = "", quiet: bool = True) -> ViewPage:
    """Make a page of sequences.

    Parameters
    ----------
    panes : one to four, on one grid and at one frame rate
    trains : units to be outlined and listed; the first are listed at first
    title : heading; made from the names if empty
    quiet : no progress

    Raises
    ------
    InputError : the panes are not alike, none or too many, or too large for a browser.
    """
    # What can be shown
    require_alike(panes)
    values = sum(pane.velocity.size for pane in panes)
    if values > LARGEST:
        got = f"{values / 1e6:.0f} million values"
        raise InputError(
            f"a page holds at most {LARGEST / 1e6:.0f} million values, got {got}; show less: from, to, every"
        )
    title = title or " · ".join(pane.name for pane in panes)
    # The frames, then all else
    blocks: list[PageBlock] = []
    described = []
    count = sum(-(-len(pane.velocity) // BLOCK_FRAMES) for pane in panes)
    with Bar("view", count, quiet=quiet) as bar:
        for number, pane in enumerate(panes):
            steps = steps_for(pane.velocity)
            sums = np.zeros((2, *pane.velocity.shape[1:]))
            for index, block in enumerate(coded_blocks(pane.velocity, steps)):
                blocks.append(PageBlock(number, index, block.text))
                sums += block.total, block.squares
                bar.advance()
            described.append(_described(pane, steps, *sums / len(pane.velocity)))
    text = render(
        TEMPLATE,
        title=title,
        policy=security_policy(),
        style=style_sheet(),
        script=bundled_script(),
        payload=htmlsafe_json_dumps(_payload(title, panes, described, trains)),
        blocks=blocks,
        version=__version__,
    )
    return ViewPage(text, title, panes)


def _payload(
    title: str, panes: Series[Pane], described: list[dict[str, Any]], trains: Series[UnitList]
) -> dict[str, Any]:
    """All that is not frames."""
    first = panes[0]
    span = max((pane.span for pane in panes), key=lambda span: span.shown)
    return {
        "title": title,
        "version": __version__,
        "panes": described,
        "blockFrames": BLOCK_FRAMES,
        "size": list(first.velocity.shape[1:]),
        "spacing": [1e3 * step for step in first.spacing],  # mm
        "recordedRate": first.frame_rate,
        "every": span.every,
        "start": span.first / first.frame_rate,
        "recordedFrames": max(pane.span.frames for pane in panes),
        "limit": _limit(panes),
        "colours": {name: base64.b64encode(colour_table(name).tobytes()).decode("ascii") for name in ANCHORS},
        "trains": [{"title": one.title, "panes": list(one.panes), "units": list(_units(one))} for one in trains],
    }


def _described(pane: Pane, steps: Steps, mean: Floats, square: Floats) -> dict[str, Any]:
    spread = np.sqrt(np.maximum(square - mean**2, 0))
    maps = {"sd": PaneMap("variance, as SD", "mm/s", 1e3 * spread, False), **pane.maps}
    return {
        "name": shortened(pane.name, 60),
        "origin": shortened(pane.origin, 20),
        "subject": shortened(pane.subject, 60),
        "frames": len(pane.velocity),
        "knee": 1e3 * steps.knee,  # mm/s
        "peak": 1e3 * steps.peak,
        "maps": {
            name: {"title": shown.title, "unit": shown.unit, "signed": shown.signed, "values": coded_map(shown.values)}
            for name, shown in maps.items()
        },
    }


def _units(trains: UnitList) -> Iterator[dict[str, Any]]:
    for number, times in enumerate(trains.spike_times):
        mask = None if trains.mask is None else coded_mask(trains.mask[number])
        yield {"name": str(number + 1), "times": np.asarray(times, float).tolist(), "mask": mask}


def _limit(panes: Series[Pane]) -> float:
    """Where the colours end at first, mm/s: a round number above nearly all velocities."""
    sampled = [np.abs(pane.velocity.reshape(-1)[:: max(pane.velocity.size >> 18, 1)]) for pane in panes]
    top = max(1e3 * float(np.percentile(one, _SCALE_PERCENTILE)) for one in sampled) or 1.0
    power = 10.0 ** np.floor(np.log10(top))
    steps = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)
    return float(f"{min(step * power for step in steps if step * power >= top * (1 - 1e-9)):.3g}")
