"""Who was recorded, as a file of any format says it."""

from __future__ import annotations

from typing import Any

import numpy as np

_NAMELESS = {"", "n/a", "na", "nan", "none", "null", "unknown", "anonymous"}


def subject_name(value: Any) -> str | None:
    """Who was recorded, as text; None where a file says nothing that tells one subject from another."""
    text = plain_text(value)
    if text is None:  # a number may be a name: 7, not 7.0; several are none
        try:
            numbers = np.asarray(value, float).ravel()
        except (TypeError, ValueError):
            return None
        if numbers.size != 1 or not np.isfinite(numbers[0]):
            return None
        text = f"{numbers[0]:g}" if numbers[0] != np.rint(numbers[0]) else str(int(numbers[0]))
    return None if text.lower() in _NAMELESS else text


def plain_text(value: Any) -> str | None:
    """A text, whatever a format wraps it in; None for what is no one text."""
    if isinstance(value, np.ndarray | list | tuple):
        flat = np.ravel(np.asarray(value, object))
        if flat.size != 1:
            return None
        value = flat[0]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value.strip().strip("\0").strip() if isinstance(value, str) else None
