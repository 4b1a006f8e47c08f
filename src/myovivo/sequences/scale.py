"""One mean and SD of a domain, by which it is standardised."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Series
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .header import CHUNK_FRAMES, read_header, read_velocity


@dataclass(frozen=True)
class DomainScale:
    """The mean and SD (m/s) that make a domain N(0, 1): standardised = (velocity - mean) / std.

    Attributes
    ----------
    mean, std : m/s
    source : where they come from: `given`, `training run` or `these files`

    Raises
    ------
    InputError : a mean that is not finite, or an SD that is not positive.
    """

    mean: float
    std: float
    source: str = "given"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and math.isfinite(self.std) and self.std > 0):
            raise InputError(f"a domain's mean must be finite and its SD positive, got {self.mean} and {self.std}")

    @property
    def pair(self) -> tuple[float, float]:
        """(mean, std), as files keep them."""
        return self.mean, self.std

    def apply(self, velocity: NDArray[np.float32]) -> NDArray[np.float32]:
        """m/s -> zero mean, unit SD over the domain."""
        return ((velocity - np.float32(self.mean)) / np.float32(self.std)).astype(np.float32)

    def undo(self, standardised: NDArray[np.float32]) -> NDArray[np.float32]:
        """Zero mean, unit SD -> m/s."""
        return (standardised * np.float32(self.std) + np.float32(self.mean)).astype(np.float32)


@dataclass(frozen=True)
class PooledMoments:
    """How many values there were, their mean, and the sum of squared differences from it.

    Pooled in float64 by the pairwise formula of Chan, Golub and LeVeque (1983), doi:10.1080/00031305.1983.10483115,
    which does not cancel as a sum of squares would.
    """

    size: int
    mean: float
    squares: float

    @property
    def std(self) -> float:
        """SD of the values; 0 if there were none."""
        return math.sqrt(self.squares / self.size) if self.size else 0.0

    def pooled(self, other: PooledMoments) -> PooledMoments:
        """Of both, taken together."""
        if not other.size:
            return self
        count, difference = self.size + other.size, other.mean - self.mean
        squares = self.squares + other.squares + difference**2 * self.size * other.size / count
        return PooledMoments(count, self.mean + difference * other.size / count, squares)

    def with_values(self, values: NDArray[np.floating[Any]]) -> PooledMoments:
        """With more values."""
        values = values.astype(np.float64)
        return self.pooled(PooledMoments(values.size, float(values.mean()), float(values.var()) * values.size))


def file_moments(path: str | Path) -> PooledMoments:
    """Of every pixel and frame of a sequence file, one chunk in memory at a time.

    Raises
    ------
    FileError : it cannot be read.
    """
    moments = PooledMoments(0, 0.0, 0.0)
    for start in range(0, read_header(path).shape[0], 4 * CHUNK_FRAMES):
        moments = moments.with_values(read_velocity(path, start, start + 4 * CHUNK_FRAMES))
    return moments


def pooled_scale(moments: Iterable[PooledMoments]) -> DomainScale:
    """Mean and SD of everything that was measured.

    Raises
    ------
    InputError : there is nothing, or it is the same everywhere.
    """
    total = PooledMoments(0, 0.0, 0.0)
    for part in moments:
        total = total.pooled(part)
    if total.size == 0:
        raise InputError("standardisation needs at least one sequence, got none")
    if not total.std > 0:
        raise InputError(
            f"the sequences are {total.mean:g} m/s everywhere, so they cannot be standardised; check how they were made"
        )
    return DomainScale(total.mean, total.std, "these files")


def measured_scale(files: Iterable[str | Path]) -> DomainScale:
    """Mean and SD over every pixel and frame of `files`, m/s, one chunk in memory at a time.

    Raises
    ------
    InputError : no file was given, or the velocity is the same everywhere.
    FileError : a file cannot be read.
    """
    return pooled_scale(map(file_moments, files))


def given_scale(value: DomainScale | Mapping[str, Any] | Series[float]) -> DomainScale:
    """Read a mean and SD from `(mean, std)` or `{"mean": …, "std": …}`, in m/s.

    Raises
    ------
    InputError : something else, or no positive SD.
    """
    if isinstance(value, DomainScale):
        return value
    try:
        mean, std = (value["mean"], value["std"]) if isinstance(value, Mapping) else value
        return DomainScale(float(mean), float(std))
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        rule = "a standardisation must be (mean, std) or {'mean': …, 'std': …}, in m/s"
        raise InputError(f"{rule}, got {value!r}") from None
