"""Whether a recording is fast and long enough for the pass band, told before anything of it is computed."""

from __future__ import annotations

from pathlib import Path

from ..signals.band_pass import require_band, require_duration
from .formats import format_of
from .readers.video import video_frame_rate
from .settings import AcquireSettings

_FAR = 1.1  # of half the rate that a container announces, which may be a few percent off


def require_time(settings: AcquireSettings, frames: int, frame_rate: float) -> list[str]:
    """Refuse a recording that is too slow or too short for the band, before anything of it is computed; a note if it is
    nearly too short.

    Raises
    ------
    InputError : naming both.
    """
    band = settings.conditioning.band
    if band is None:
        return []
    require_band(band, frame_rate, "conditioning.band")
    if frames < 3:  # which is said where they are compared
        return []
    note = require_duration(band, frames, frame_rate, "conditioning.band")
    return [note] if note else []


def require_band_of_video(path: Path, settings: AcquireSettings) -> None:
    """Refuse a video that is far too slow for the band by what its container says, before its frames are counted.

    Raises
    ------
    InputError : naming both.
    """
    is_told = settings.video.frame_rate is not None or settings.scan.frame_rate is not None
    band = settings.conditioning.band
    if band is None or is_told or not path.is_file() or format_of(path) != "video":
        return
    announced = video_frame_rate(path)
    if band[1] > _FAR * announced / 2:
        require_band(band, announced, "conditioning.band")
