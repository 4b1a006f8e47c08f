"""What stands beside a B-mode video: pixel size and image region in a `*_params.mat`.

The layout is that of the fascicle trackers derived from UltraTrack: a struct `Params` with `px2mmX`,
`px2mmY` (mm per pixel) and the image region as `ulcornerx`, `ulcornery`, `nx`, `ny` (pixels).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...errors import FileError, InputError
from ...runtime.matlab import read_matlab
from ...sequences.quantities import plausible
from ..content import Parameters, parameter

_ENDING = "_params.mat"

_NAMES = ("px2mmX", "px2mmY", "ulcornerx", "ulcornery", "nx", "ny")


def is_notes(path: Path) -> bool:
    """Whether a file holds notes beside videos, not a recording."""
    return path.name.endswith(_ENDING)


def notes_beside(path: Path) -> Parameters:
    """Pixel size and image region from the notes beside a video; nothing if there are none.

    Raises
    ------
    FileError : the notes are broken, or say what cannot be.
    """
    notes = notes_files(path)
    if not notes:
        return {}
    params = _read(notes[0])
    z0, x0 = round(params["ulcornery"]), round(params["ulcornerx"])
    spacing = (params["px2mmY"] * 1e-3, params["px2mmX"] * 1e-3)
    crop = (z0, z0 + round(params["ny"]), x0, x0 + round(params["nx"]))
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


def _read(notes: Path) -> dict[str, float]:
    try:
        params = read_matlab(notes).get("Params")
    except FileError as error:
        raise FileError(notes, f"has no readable Params ({error.problem}); give video.pixel instead") from error
    params = params if isinstance(params, dict) else {}
    if missing := [name for name in _NAMES if name not in params]:
        lacking = f" ({missing[0]} is missing)" if params else ""
        raise FileError(
            notes, f"has no readable Params with px2mm, ulcorner, nx, ny{lacking}; give video.pixel instead"
        )
    return {name: _number(notes, name, params[name]) for name in _NAMES}


def _number(notes: Path, name: str, value: object) -> float:
    try:
        numbers = np.asarray(value, float).ravel()
    except (TypeError, ValueError):
        numbers = np.zeros(0)
    lowest = 0.0 if name.startswith("ulcorner") else np.finfo(float).tiny
    if numbers.size != 1 or not np.isfinite(numbers[0]) or numbers[0] < lowest:
        got = " ".join(str(value).split())[:40]
        raise FileError(notes, f"Params.{name} must be one positive number, got {got}; give video.pixel instead")
    if name.startswith("px2mm"):
        try:
            plausible("spacing", numbers[0] * 1e-3, f"Params.{name}, in mm")
        except InputError as error:
            raise FileError(notes, str(error)) from error
    return float(numbers[0])
