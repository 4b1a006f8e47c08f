"""A file of named arrays, whatever its format: what a layout is looked up in."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


class Source(NamedTuple):
    """An array that is opened when it is read: how, its shape and type."""

    open: Callable[[], contextlib.AbstractContextManager[Any]]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Store(ABC):
    """Named variables; names of nested ones are joined by dots.

    Attributes
    ----------
    path : the file
    format : for people
    shapes : of every variable, by name
    """

    path: Path
    format: str
    shapes: dict[str, tuple[int, ...]]

    @abstractmethod
    def value(self, name: str) -> Any:
        """A small variable, read whole."""

    @abstractmethod
    def source(self, name: str) -> Source:
        """A large one, to be read in parts; in HDF5, `*` in a name stacks all that match along leading axes."""

    def has(self, name: str) -> bool:
        """Whether a variable of this name, or any of this pattern, exists and is not empty."""
        return name in self.shapes

    def arrays(self) -> dict[str, tuple[int, ...]]:
        """Variables that could be frames: those of at least two axes longer than one."""
        return {name: shape for name, shape in self.shapes.items() if sum(size > 1 for size in shape) >= 2}
