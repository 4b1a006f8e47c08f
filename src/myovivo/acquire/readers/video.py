"""B-mode video (`.mp4`, `.avi`, whatever OpenCV's FFmpeg decodes)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...config import Video
from ...errors import FileError, MissingExtraError


class VideoClip(NamedTuple):
    """Grey frames (T, Z, X) uint8 of the image region, and frames per second."""

    frames: NDArray[np.uint8]
    frame_rate: float


def read_video(path: Path, video: Video) -> VideoClip:
    """Decode the image region of a B-mode video.

    The frame rate is `video.frame_rate` if given, else what the time stamps or the container say.

    Raises
    ------
    MissingExtraError : OpenCV is not installed.
    FileError : no frames can be decoded, no frame rate is known, or the crop is not within the picture.
    """
    cv2 = _opencv()
    capture = cv2.VideoCapture(str(path))
    frames, stamps = [], []
    z0, z1, x0, x1 = video.crop or (0, None, 0, None)
    try:
        while True:
            read, picture = capture.read()
            if not read:
                break
            if video.crop is not None:
                _check_crop(path, video.crop, picture.shape[:2])
            grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if picture.ndim == 3 else picture
            frames.append(grey[z0:z1, x0:x1].copy())
            stamps.append(capture.get(cv2.CAP_PROP_POS_MSEC))
        announced = capture.get(cv2.CAP_PROP_FPS)
    finally:
        capture.release()
    if not frames:
        raise FileError(path, "holds no frames that can be decoded; check the file, or re-encode it as H.264")
    elapsed = stamps[-1] - stamps[0]
    frame_rate = video.frame_rate or ((len(frames) - 1) / elapsed * 1e3 if elapsed > 0 else announced)
    if not frame_rate > 0:
        raise FileError(path, "does not say its frame rate; give video.frame_rate in Hz")
    return VideoClip(np.array(frames), float(frame_rate))


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


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError("opencv-python-headless", "video") from error
    # What FFmpeg would print about a broken file is said in our one line.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2


def _check_crop(path: Path, crop: tuple[int, int, int, int], size: tuple[int, int]) -> None:
    z0, z1, x0, x1 = crop
    if not (0 <= z0 < z1 <= size[0] and 0 <= x0 < x1 <= size[1]):
        raise FileError(path, f"video.crop (z0, z1, x0, x1) must lie within {size[0]} x {size[1]} pixels, got {crop}")
