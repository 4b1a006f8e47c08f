"""B-mode video (`.mp4`, `.avi`, whatever OpenCV's FFmpeg decodes)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import FileError, MissingExtraError
from ...runtime.unfolding import LARGEST_PICTURE
from ..content import Content, Frames, Parameters, parameter
from .stamps import unrounded

_COLOURED = (
    48  # of 255, between the largest and the least of red, green and blue: beyond what compression makes of grey
)


def read_video(path: Path) -> Content:
    """Grey frames of a video; its frames are counted now and decoded when they are asked for.

    Raises
    ------
    MissingExtraError : OpenCV is not installed.
    FileError : no frames can be decoded.
    """
    shape, stamps, announced = _look_through(path)
    if not stamps:
        raise FileError(path, "holds no frames that can be decoded; check the file, or re-encode it as H.264")
    parameters: Parameters = {}
    if (clock := unrounded(np.array(stamps), announced)) is not None:
        parameters["frame_times"] = parameter("frame_times", clock[0], f"file ({clock[1]})")
    elif len(stamps) > 1 and stamps[-1] > stamps[0]:
        parameters["frame_times"] = parameter("frame_times", np.array(stamps) * 1e-3, "file (time stamps)")
    elif announced > 0:
        parameters["frame_rate"] = parameter("frame_rate", announced, "file (container)")
    dtype = np.dtype(np.uint16 if _is_deep(path) else np.uint8)
    frames = Frames(lambda: _open(path), (len(stamps), *shape), dtype, ("frame", "depth", "lateral"))
    return Content("bmode", frames, parameters, "video")


def coloured_share(path: Path, region: tuple[int, int, int, int]) -> float:
    """Share of the pixels of a region (z0, z1, x0, x1) that are no grey in the first picture."""
    cv2 = _opencv()
    capture = cv2.VideoCapture(str(path))
    read, picture = capture.read()
    capture.release()
    if not read or picture.ndim != 3:
        return 0.0
    z0, z1, x0, x1 = region
    inside = picture[z0:z1, x0:x1]
    return float(np.mean(inside.max(2).astype(int) - inside.min(2) > _COLOURED)) if inside.size else 0.0


def video_frame_rate(path: Path) -> float:
    """Frames per second that a video's container announces.

    Raises
    ------
    FileError : it cannot be opened or does not say.
    """
    cv2 = _opencv()
    capture = cv2.VideoCapture(str(path))
    rate = float(capture.get(cv2.CAP_PROP_FPS))
    capture.release()
    if not rate > 0:
        raise FileError(path, "is no readable video, or does not say its frame rate; check the file")
    return rate


def _look_through(path: Path) -> tuple[tuple[int, int], list[float], float]:
    """Picture size, time stamps (ms) of the frames that decode, and the announced rate (Hz)."""
    cv2 = _opencv()
    capture = cv2.VideoCapture(str(path))
    stamps: list[float] = []
    size = (int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)), int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)))
    try:
        if size[0] * size[1] > LARGEST_PICTURE:
            raise FileError(path, f"has pictures of {size[0]} x {size[1]}, over {LARGEST_PICTURE} pixels; scale them")
        while capture.grab():
            stamps.append(capture.get(cv2.CAP_PROP_POS_MSEC))
        size = (int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)), int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)))
        return size, stamps, float(capture.get(cv2.CAP_PROP_FPS))
    finally:
        capture.release()


@contextlib.contextmanager
def _open(path: Path) -> Iterator[Any]:
    cv2 = _opencv()
    capture = cv2.VideoCapture(str(path))
    if _is_deep(path):
        capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
    try:
        yield _Pictures(path, capture, cv2)
    finally:
        capture.release()


def _is_deep(path: Path) -> bool:
    """Whether its pictures are grey levels of 16 bits (lossless FFV1), which would else be cut to 8."""
    cv2 = _opencv()
    capture = cv2.VideoCapture(str(path))
    try:
        capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
        read, picture = capture.read()
        return bool(read) and picture.dtype == np.uint16 and picture.ndim == 2
    finally:
        capture.release()


class _Pictures:
    """Frames of an open video; asked for in order, as a video is decoded."""

    def __init__(self, path: Path, capture: Any, cv2: Any):
        self.path, self.capture, self.cv2 = path, capture, cv2
        self.next = 0

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        start, stop = index[0].start or 0, index[0].stop
        if start != self.next:
            raise FileError(self.path, f"cannot be decoded beyond frame {self.next}; re-encode it as H.264")
        pictures = []
        while self.next < stop:
            read, picture = self.capture.read()
            if not read:
                break
            self.next += 1
            pictures.append(self.cv2.cvtColor(picture, self.cv2.COLOR_BGR2GRAY) if picture.ndim == 3 else picture)
        if not pictures:
            raise FileError(self.path, f"cannot be decoded beyond frame {start}; re-encode it as H.264")
        return np.stack(pictures)


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError("opencv-python-headless", "video") from error
    # What FFmpeg would print about a broken file is said in our one line.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2
