"""Choose how to identify, on sequences whose units are known: of a few settings, those that agree best."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Sequence as Series
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileError, InputError, MyovivoError
from ..runtime.parallel import in_parallel
from ..runtime.progress import track
from ..runtime.settings import settings_from
from .agreement import Agreement
from .identify import found_in
from .learning import labelled_sequence
from .moving import Moving
from .settings import IdentifySettings

# Every combination within a line is tried. The first of each method is its default.
CLASSICAL: list[dict[str, tuple[Any, ...]]] = [
    {"method": ("fit",), "components": (None, 20), "accept.residual": (0.4, 0.6, 0.8)},
    {
        "method": ("wavelet",),
        "components": (None, 20, 30),
        "wavelet.scale": (0.040, 0.020, 0.060),
        "wavelet.threshold": (0.9, 1.4, 2.0),
        "accept.ipi_cv": (0.6, 0.4),
    },
    {
        "method": ("convolutive",),
        "components": (None, 20, 30),
        "convolutive.extension": (0.030, 0.060),
        "accept.silhouette": (0.85, 0.7),
    },
]

NETWORK: list[dict[str, tuple[Any, ...]]] = [{"method": ("network",), "decoding.height": (0.3, 0.2, 0.4, 0.5)}]


@dataclass(frozen=True)
class Tuned:
    """Result of `tune_identification`.

    Attributes
    ----------
    settings : the best
    changes : what they change of the defaults
    rate : mean rate of agreement on the training sequences
    chance : mean rate by chance
    tried : every candidate's changes, rate and chance, in the order of the grid
    """

    settings: IdentifySettings
    changes: dict[str, Any]
    rate: float
    chance: float
    tried: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """Everything but the settings, as plain numbers."""
        return {"changes": self.changes, "rate": self.rate, "chance": self.chance, "tried": list(self.tried)}


def tune_identification(
    files: Iterable[str | Path],
    grid: Iterable[Mapping[str, Series[Any]]] | None = None,
    settings: IdentifySettings | str | Path | Mapping[str, Any] | None = None,
    *,
    workers: int = -1,
    quiet: bool = False,
) -> Tuned:
    """Try every combination of a small grid on sequences with labels, and take the one furthest above chance.

    By the mean rate of agreement less that of the same trains turned in time at random: the rate itself also rises with
    the number of trains, whatever they are.

    Parameters
    ----------
    files : sequences with labels
    grid : tables of values by the dotted names of settings, each taken by itself; by default `CLASSICAL`, the methods
        fit, wavelet and convolutive with two or three values of each parameter
    settings : what the grid does not name, as for `identify`
    workers : processes, -1 for one per core; a sequence each
    quiet : show no progress

    Returns
    -------
    Tuned : of equal ones the first

    Raises
    ------
    FileError : a file is no sequence, has no labels, or nothing moves in it.
    InputError : no files, or a setting that breaks a rule.
    """
    base = settings_from(IdentifySettings, settings)
    changes = list(combinations(CLASSICAL if grid is None else grid))
    candidates = [settings_from(IdentifySettings, base, **change) for change in changes]
    results = agreements(files, candidates, workers=workers, quiet=quiet, title="tune")  # [file][candidate]
    rate = np.array([[one.rate for one in row] for row in results]).mean(0)
    chance = np.array([[one.chance for one in row] for row in results]).mean(0)
    best = int(np.argmax(rate - chance))
    tried = tuple(
        {"changes": change, "rate": float(r), "chance": float(c)}
        for change, r, c in zip(changes, rate, chance, strict=True)
    )
    return Tuned(candidates[best], changes[best], float(rate[best]), float(chance[best]), tried)


def combinations(grid: Iterable[Mapping[str, Series[Any]]]) -> Iterator[dict[str, Any]]:
    """Every choice of one value for each name, table after table."""
    for table in grid:
        for values in itertools.product(*table.values()):
            yield dict(zip(table, values, strict=True))


def agreements(
    files: Iterable[str | Path],
    candidates: Series[IdentifySettings],
    *,
    workers: int = -1,
    quiet: bool = False,
    title: str = "identify",
) -> list[list[Agreement]]:
    """For each file, how well the units that each of the settings finds agree with its labels.

    Raises
    ------
    FileError : a file is no sequence, has no labels, or nothing moves in it.
    InputError : no files.
    """
    paths = [Path(path) for path in files]
    if not paths:
        raise InputError("there are no sequences to identify; give at least one with labels")
    results: dict[int, list[Agreement]] = {}
    calls = [(path, candidates) for path in paths]
    for number, outcome in track(in_parallel(_agreements, calls, workers), title, len(paths), quiet):
        if isinstance(outcome, MyovivoError):
            raise outcome
        results[number] = outcome
    return [results[number] for number in range(len(paths))]


def _agreements(path: Path, candidates: Series[IdentifySettings]) -> list[Agreement]:
    sequence, labels = labelled_sequence(path)
    try:
        moving = Moving(sequence)
        return [found_in(moving, candidate).agreement(labels) for candidate in candidates]
    except InputError as error:
        raise FileError(path, str(error)) from error
