"""The sequences as a moving picture: GIF, or MP4 by OpenCV."""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Sequence as Series
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..errors import FileError, InputError, MissingExtraError
from ..runtime.files import whole_file
from ..runtime.progress import track
from .colours import coloured
from .panes import Pane

CLIP_RATE = 25.0  # frames a second that a clip shows at most; faster ones leave frames out

_DOTS = 110  # an inch

_STANDS_FOR = 10  # ms, the unit in which a GIF tells how long a frame stands


def save_clip(path: Path, panes: Series[Pane], limit: float, speed: float, quiet: bool = True) -> Path:
    """Write the sequences side by side, once from the first frame to the last.

    Parameters
    ----------
    path : `.gif`, or `.mp4`, which needs the extra `video`
    panes : alike
    limit : mm/s, where the colours end
    speed : of playing, 1 for that of the recording
    quiet : no progress

    Raises
    ------
    InputError : a speed that is not positive.
    MissingExtraError : OpenCV is not installed.
    FileError : the file cannot be written.
    """
    if not 0 < speed < math.inf:
        raise InputError(f"speed must be positive, 1 for that of the recording, got {speed:g}")
    first = panes[0]
    count = max(len(pane.velocity) for pane in panes)
    shown_rate = first.frame_rate / first.span.every
    step = math.ceil(shown_rate * speed / CLIP_RATE)
    numbers = range(0, count, step)
    pictures = track(_pictures(panes, limit, speed, numbers), "clip", len(numbers), quiet)
    write = _write_gif if path.suffix.lower() == ".gif" else _write_mp4
    with whole_file(path) as part:
        write(part.with_name(part.name + path.suffix.lower()), part, pictures, shown_rate * speed / step)
    return path


def _pictures(panes: Series[Pane], limit: float, speed: float, numbers: range) -> Iterator[NDArray[np.uint8]]:
    """(H, W, 3) of each frame: the sequences with their axes, and the time."""
    stage = _Stage(panes)
    first = panes[0]
    played = "real time" if speed == 1 else f"{Fraction(speed).limit_denominator(1000)} of real time"
    for number in numbers:
        blank = np.full((1, 1, 3), 255, np.uint8)
        frames = [
            coloured(1e3 * pane.velocity[number], limit, "light") if number < len(pane.velocity) else blank
            for pane in panes
        ]
        time = (first.span.first + number * first.span.every) / first.frame_rate
        yield stage.drawn(frames, f"{time:.3f} s, {played}; ±{limit:g} mm/s, orange towards the probe, blue away")


class _Stage:
    """Axes that are drawn once, and over them what changes from frame to frame."""

    def __init__(self, panes: Series[Pane]):
        first = panes[0]
        depth, width = (1e3 * n * d for n, d in zip(first.velocity.shape[1:], first.spacing, strict=True))
        size = (2.6 * len(panes) + 0.4, 2.6 * min(depth / width, 3) + 0.9)
        figure = Figure(figsize=size, dpi=_DOTS)
        self.canvas = FigureCanvasAgg(figure)
        self.axes = figure.subplots(1, len(panes), squeeze=False)[0]
        figure.subplots_adjust(left=0.55 / size[0], right=0.98, bottom=0.2, top=0.86, wspace=0.22)
        blank = np.full((1, 1, 3), 255, np.uint8)
        extent = (0, width, depth, 0)
        self.images = [ax.imshow(blank, extent=extent, interpolation="nearest", animated=True) for ax in self.axes]
        for ax, pane in zip(self.axes, panes, strict=True):
            ax.set_title(pane.name, fontsize=9, parse_math=False)
            ax.tick_params(labelsize=7)
            ax.set_xlabel("lateral (mm)", fontsize=7)
        self.axes[0].set_ylabel("depth (mm)", fontsize=7)
        self.text = figure.text(0.01, 0.015, "", fontsize=7, animated=True)
        self.canvas.draw()
        self.ground = self.canvas.copy_from_bbox(figure.bbox)

    def drawn(self, frames: list[NDArray[np.uint8]], text: str) -> NDArray[np.uint8]:
        """The picture of frames (Z, X, 3), one for each pane."""
        self.canvas.restore_region(self.ground)
        for ax, image, frame in zip(self.axes, self.images, frames, strict=True):
            image.set_data(frame)
            ax.draw_artist(image)
            for spine in ax.spines.values():
                ax.draw_artist(spine)
        self.text.set_text(text)
        self.text.draw(self.canvas.get_renderer())
        picture = np.asarray(self.canvas.buffer_rgba())[..., :3]
        rows, columns = (count // 2 * 2 for count in picture.shape[:2])  # even, as video needs
        return picture[:rows, :columns].copy()


def _write_gif(_: Path, part: Path, pictures: Iterator[NDArray[np.uint8]], rate: float) -> None:
    from PIL import Image  # matplotlib brings it

    stands = _STANDS_FOR * max(round(1000 / rate / _STANDS_FOR), 2)
    first, *others = (Image.fromarray(picture).quantize(128) for picture in pictures)
    first.save(part, "GIF", save_all=True, append_images=others, duration=stands, loop=0)


def _write_mp4(named: Path, part: Path, pictures: Iterator[NDArray[np.uint8]], rate: float) -> None:
    """OpenCV tells the format by the ending, so it writes to a name that has one."""
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError("opencv-python-headless", "video") from error
    writer: Any = None
    try:
        for picture in pictures:
            if writer is None:
                size = (picture.shape[1], picture.shape[0])
                writer = cv2.VideoWriter(str(named), cv2.VideoWriter.fourcc(*"mp4v"), rate, size)
            writer.write(picture[..., ::-1])
        writer.release()
        if not named.is_file() or not named.stat().st_size:
            raise FileError(named, "could not be written as MP4 by OpenCV; save it as .gif")
        named.replace(part)
    finally:
        named.unlink(missing_ok=True)
