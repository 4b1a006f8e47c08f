"""What a sequence may be made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError


def as_velocity(values: Any) -> NDArray[np.float32]:
    """Values as an array of velocities.

    Raises
    ------
    InputError : complex numbers or no numbers.
    """
    try:
        array = np.asarray(values)
        if array.dtype.kind == "c":
            raise InputError("velocity must be real, got complex numbers; acquire IQ with Recording.of_array")
        return np.asarray(array, np.float32)
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"velocity must be an array of numbers (T, Z, X), got {type(values).__name__}") from None
