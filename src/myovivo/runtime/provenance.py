"""Who made a file, of what: the note that every file carries."""

from __future__ import annotations

from collections.abc import Sequence as Seq
from typing import Any

import numpy as np
from numpy.random import Generator

from ..version import __version__
from .settings import Settings

Seed = int | Seq[int] | Generator


def made_by(stage: str, settings: Settings | None = None, seed: Seed | None = None, **more: Any) -> dict[str, Any]:
    """Provenance of a result: software, version, stage, seed, settings and whatever else is given."""
    note: dict[str, Any] = {"software": "myovivo", "version": __version__, "stage": stage}
    if settings is not None:
        note["settings"] = settings.model_dump(mode="json")
    if seed is not None:
        note["seed"] = "a generator" if isinstance(seed, Generator) else np.asarray(seed).tolist()
    return note | more
