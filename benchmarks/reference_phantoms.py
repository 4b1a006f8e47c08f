"""The phantoms that other benchmarks compare with, and in how many patterns a sequence moves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from myovivo import Sequence, phantom_domain

OUT = Path(__file__).parent / "out"
SUBJECTS = 24


def reference_phantoms(seed: int, frames: int, **changes: Any) -> list[Path]:
    """A sequence of each of 24 phantoms; those at the default settings are kept from one benchmark to the next."""
    return phantom_domain(
        OUT / f"phantoms-{seed}-{frames}", SUBJECTS, 1, seed=seed, **{"grid.frames": frames}, **changes
    )


def participation_ratio(sequence: Sequence) -> float:
    """(sum of λ)² / sum of λ² over the eigenvalues of the pixels' covariance: 1 for a single pattern of motion."""
    velocity = sequence.velocity.reshape(len(sequence.velocity), -1).astype(np.float64)
    velocity -= velocity.mean(axis=0)
    covariance = velocity @ velocity.T  # of the frames, which has the same eigenvalues
    return float(np.trace(covariance) ** 2 / np.sum(covariance**2))


def spread(ratios: Iterable[float]) -> str:
    """`median (lowest to highest)`."""
    values = np.sort(list(ratios))
    return f"{np.median(values):.2f} ({values[0]:.2f} to {values[-1]:.2f})"
