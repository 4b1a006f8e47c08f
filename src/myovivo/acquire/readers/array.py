"""Arrays that already are velocity: `.npy`, and `.mat` of MATLAB v5 and v7.3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatreader import read_mat

from ...errors import FileError


def read_velocity_array(path: Path, variable: str | None = None) -> NDArray[np.float32]:
    """Read a velocity array (T, Z, X) in m/s, positive towards the probe.

    Parameters
    ----------
    path : `.npy` or `.mat`
    variable : its name in a `.mat`; needed if there is more than one three-dimensional array

    Raises
    ------
    FileError : unreadable, no such array, not three-dimensional, not real, or not finite.
    """
    array = _from_npy(path) if path.suffix.lower() == ".npy" else _from_mat(path, variable)
    if array.ndim != 3 or array.dtype.kind not in "fiu":
        raise FileError(path, f"velocity must be a real array (T, Z, X), got {array.dtype} of shape {array.shape}")
    velocity = array.astype(np.float32)
    bad = int(np.count_nonzero(~np.isfinite(velocity)))
    if bad:
        raise FileError(path, f"velocity must be finite, got {bad} NaN or infinite values; mask or fill them")
    return velocity


def _from_npy(path: Path) -> NDArray[Any]:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise FileError(path, f"is not a readable .npy array ({error}); save it with numpy.save") from error


def _from_mat(path: Path, variable: str | None) -> NDArray[Any]:
    try:
        content = read_mat(str(path))
    except Exception as error:  # scipy and h5py each fail in their own ways on a broken file
        raise FileError(path, f"is not a readable MATLAB file ({type(error).__name__}); save it again") from error
    arrays = {name: value for name, value in content.items() if isinstance(value, np.ndarray) and value.ndim == 3}
    if variable is None and len(arrays) == 1:
        return next(iter(arrays.values()))
    if variable is None or variable not in content:
        names = ", ".join(arrays) or "none"
        raise FileError(path, f"name the velocity with `variable`; three-dimensional arrays in it: {names}")
    return np.asarray(content[variable])
