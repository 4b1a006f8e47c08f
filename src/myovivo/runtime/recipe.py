"""What a folder was made of, and whether that is what is asked for now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def difference(found: Mapping[str, Any], wanted: Mapping[str, Any], prefix: str = "") -> str:
    """The first setting in which two recipes differ, as `name is 1 there, 2 here`."""
    for name in sorted({*found, *wanted}):
        there, here = found.get(name), wanted.get(name)
        if there == here:
            continue
        if isinstance(there, Mapping) and isinstance(here, Mapping):
            return difference(there, here, f"{prefix}{name}.")
        return f"{prefix}{name} is {there} there, {here} here"
    return "the same"
