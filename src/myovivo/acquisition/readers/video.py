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
from ..content import Content, Frames, Parameters, parameter


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
    if len(stamps) > 1 and stamps[-1] > stamps[0]:
        parameters["frame_times"] = parameter("frame_times", np.array(stamps) * 1e-3, "file (time stamps)")
    elif announced > 0:
        parameters["frame_rate"] = parameter("frame_rate", announced, "file (container)")
    frames = Frames(lambda: _open(path), (len(stamps), *shape), np.dtype(np.uint8), ("frame", "depth", "lateral"))
    return Content("bmode", frames, parameters, "video")


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
    try:
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
    try:
        yield _Pictures(path, capture, cv2)
    finally:
        capture.release()


class _Pictures:
    """Frames of an open video; asked for in order, as a video is decoded."""

    def __init__(self, path: Path, capture: Any, cv2: Any):
        self.path, self.capture, self.cv2 = path, capture, cv2
        self.next = 0

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[np.uint8]:
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
