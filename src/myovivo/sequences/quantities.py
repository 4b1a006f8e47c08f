"""What a physical quantity may be."""

from __future__ import annotations

import numpy as np

from ..errors import InputError


def positive(name: str, value: float, unit: str) -> None:
    """Check a physical quantity.

    Raises
    ------
    InputError : not a positive, finite number.
    """
    if not (np.isfinite(value) and value > 0):
        raise InputError(f"{name} must be positive, in {unit}, got {value}")
