"""A sequence or a recording as one figure in a file: the first look, without a notebook."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..runtime.files import whole_file
from ..runtime.hdf5 import opened
from ..sequences.recording import RECORDING_FORMAT, Recording
from ..sequences.sequence import Sequence

DOTS = 150  # per inch, of pixels in a PNG


def show(
    source: str | Path | Sequence | Recording,
    out: str | Path,
    width: str | float | None = None,
) -> Path:
    """Draw what a file holds on one figure: of a sequence the variance map with its territories, the speed by depth,
    the spectrum, a course and the firings; of a recording the first frame as B-mode.

    Parameters
    ----------
    source : a sequence or recording, or a file of one; other recordings go through `acquire` first
    out : the picture; its ending says the format: .png, .pdf, .svg, .eps, .jpg, .tif
    width : "column", "middle", "page" or a width in m, for the size and style of journals; for a screen if None

    Returns
    -------
    Path : `out`

    Raises
    ------
    FileError : no such file, not a sequence or recording of ours, or `out` cannot be written.
    InputError : an ending that is no format of pictures, or no such width.

    Examples
    --------
    >>> import myovivo as mv
    >>> mv.show(mv.simulate(seed=0, **{"grid.frames": 256}), "contraction.pdf", width="page").name
    'contraction.pdf'
    """
    from matplotlib import pyplot  # takes a while to load

    from ..plot.journal import journal_style

    out = Path(out)
    form = _form(out)
    drawn = source if isinstance(source, Sequence | Recording) else _load(Path(source))
    with nullcontext() if width is None else journal_style(width):
        figure = _figure(drawn, "" if width is not None else _title(source, drawn))
        try:
            with whole_file(out) as part:
                figure.savefig(part, format=form, **({} if width is not None else {"dpi": DOTS}))
        finally:
            pyplot.close(figure)
    return out


def _form(out: Path) -> str:
    from matplotlib.figure import Figure

    known = Figure().canvas.get_supported_filetypes()
    form = out.suffix[1:].lower()
    if form not in known:
        raise InputError(f"{out.name}: a picture ends with one of {', '.join(sorted(known))}, got {form!r}")
    return form


def _load(path: Path) -> Sequence | Recording:
    with opened(path) as file:
        is_recording = file.attrs.get("format") == RECORDING_FORMAT
    return Recording.load(path) if is_recording else Sequence.load(path)


def _figure(drawn: Sequence | Recording, title: str) -> Any:
    from ..plot.maps import b_mode
    from ..plot.overview import overview

    if isinstance(drawn, Sequence):
        return overview(drawn, title)
    axes = b_mode(drawn)
    axes.set_title(title)
    return axes.figure


def _title(source: object, drawn: Sequence | Recording) -> str:
    name = Path(source).name if isinstance(source, str | Path) else drawn.subject
    rate = f"{drawn.shape[0]} frames at {drawn.frame_rate:g} Hz"
    return f"{name}: {drawn.origin}, {rate}" if isinstance(drawn, Sequence) else f"{name}: first of {rate}"
