"""What stands beside a B-mode video: pixel size and image region in a `*_params.mat`.

The layout is that of the fascicle trackers derived from UltraTrack: a struct `Params` with `px2mmX`,
`px2mmY` (mm per pixel) and the image region as `ulcornerx`, `ulcornery`, `nx`, `ny` (pixels).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pymatreader import read_mat

from ...errors import FileError
from ..content import Parameters, parameter

_ENDING = "_params.mat"


def is_notes(path: Path) -> bool:
    """Whether a file holds notes beside videos, not a recording."""
    return path.name.endswith(_ENDING)


def notes_beside(path: Path) -> Parameters:
    """Pixel size and image region from the notes beside a video; nothing if there are none.

    Raises
    ------
    FileError : the notes are broken.
    """
    notes = notes_files(path)
    if not notes:
        return {}
    params = _read(notes[0])
    z0, x0 = round(float(params["ulcornery"])), round(float(params["ulcornerx"]))
    spacing = (float(params["px2mmY"]) * 1e-3, float(params["px2mmX"]) * 1e-3)
    crop = (z0, z0 + round(float(params["ny"])), x0, x0 + round(float(params["nx"])))
    origin = f"notes ({notes[0].name})"
    return {"spacing": parameter("spacing", spacing, origin), "crop": parameter("crop", crop, origin)}


def notes_files(path: Path) -> list[Path]:
    """The notes of a video: those whose name, short of the ending, begins its own; the longest first."""
    fitting = [file for file in path.parent.glob(f"*{_ENDING}") if _begins(_prefix(file), path.stem)]
    return sorted(fitting, key=lambda file: len(file.name), reverse=True)


def _begins(prefix: str, name: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}_")  # `p2` is not the beginning of `p20`


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
