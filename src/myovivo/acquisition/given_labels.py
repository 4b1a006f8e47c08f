"""The truth of somebody's own simulation: labels that are given with an array of velocity, or lie beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError, InputError
from ..sequences.arrays import SourceFit, read_units, require_fitting, units_of_lists
from ..sequences.labels import MotorUnits

Labels = MotorUnits | Mapping[str, Any] | str | Path


def labels_beside(path: Path) -> Path | None:
    """`NAME_labels.json` beside a file of arrays, if it is there."""
    beside = path.with_name(f"{path.stem}_labels.json")
    return beside if beside.is_file() else None


class GivenLabels:
    """Labels of a velocity that passes in blocks; courses that nobody gave are fitted as it passes.

    Parameters
    ----------
    labels : ready, by name as `Sequence.from_array` takes them, or a JSON file of these names
    shape, frame_rate, spacing : of the velocity: (T, Z, X), Hz, m

    Raises
    ------
    FileError : the file cannot be read, or does not fit the velocity.
    InputError : the labels do not fit the velocity.
    """

    def __init__(self, labels: Labels, shape: tuple[int, int, int], frame_rate: float, spacing: tuple[float, float]):
        self._fit: SourceFit | None = None
        self._courses: list[NDArray[np.float32]] = []
        if isinstance(labels, MotorUnits):
            require_fitting(labels, shape)
            self._units = labels
            return
        names = labels if isinstance(labels, Mapping) else read_units(labels)
        try:
            self._units = units_of_lists(names, shape, frame_rate, spacing)
        except InputError as error:
            if isinstance(labels, Mapping):
                raise
            raise FileError(labels, str(error)) from error
        if "source" not in names:
            self._fit = SourceFit(self._units.weight)

    def watch(self, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """The blocks (B, Z, X), unchanged."""
        self._courses = []
        for block in blocks:
            if self._fit is not None:
                self._courses.append(self._fit(block))
            yield block

    def units(self) -> MotorUnits:
        """The labels, once all blocks have passed."""
        return replace(self._units, source=np.concatenate(self._courses, 1)) if self._courses else self._units
