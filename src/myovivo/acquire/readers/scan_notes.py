"""What stands beside a B-mode video: pixel size and image region in a `*_params.mat`.

The layout is that of the fascicle trackers derived from UltraTrack: a struct `Params` with `px2mmX`,
`px2mmY` (mm per pixel) and the image region as `ulcornerx`, `ulcornery`, `nx`, `ny` (pixels).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymatreader import read_mat

from ...config import Video
from ...errors import FileError

_ENDING = "_params.mat"


def is_notes(path: Path) -> bool:
    """Whether a file holds notes beside videos, not a recording."""
    return path.name.endswith(_ENDING)


def with_notes(path: Path, video: Video) -> Video:
    """Fill what `video` leaves open from the notes beside the file, if there are any.

    Raises
    ------
    FileError : the notes are broken, or their pixels are not square.
    """
    if video.pixel is not None:
        return video
    notes = [file for file in sorted(path.parent.glob(f"*{_ENDING}")) if path.name.startswith(_prefix(file))]
    if not notes:
        return video
    params = _read(notes[0])
    dz, dx = float(params["px2mmY"]), float(params["px2mmX"])
    if abs(dz / dx - 1) > 0.01:
        raise FileError(notes[0], f"pixels must be square, got {dx:g} x {dz:g} mm; re-encode the video")
    z0, x0 = round(float(params["ulcornery"])), round(float(params["ulcornerx"]))
    crop = video.crop or (z0, z0 + round(float(params["ny"])), x0, x0 + round(float(params["nx"])))
    return video.model_copy(update={"pixel": dz * 1e-3, "crop": crop})


def _prefix(notes: Path) -> str:
    return notes.name.removesuffix(_ENDING)


def _read(notes: Path) -> dict[str, Any]:
    try:
        params = read_mat(str(notes))["Params"]
        return {name: params[name] for name in ("px2mmX", "px2mmY", "ulcornerx", "ulcornery", "nx", "ny")}
    except Exception as error:  # scipy and h5py each fail in their own ways on a broken file
        raise FileError(
            notes, "has no readable Params with px2mm, ulcorner, nx, ny; give video.pixel instead"
        ) from error
