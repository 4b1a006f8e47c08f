"""What arrays are called in signatures."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

Floats = NDArray[Any]
"""Real numbers of any precision; the docstring gives shape and unit."""
