"""Anybody's answers to the benchmark, compared with the truth."""

from __future__ import annotations

import csv
from collections.abc import Sequence as Series
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError, InputError
from ..evaluation.bootstrap import LEAST, mean_interval
from ..identification.agreement import Agreement, compare_units
from ..runtime.arrays import Floats
from ..runtime.matlab import read_matlab
from ..runtime.text_tables import align, comma_separated
from ..sequences.header import Header, read_header, sequence_files
from .making import EVENTS_ENDING, MAPS_ENDING, RECORDINGS, TRUTH

RIGHT = 0.9  # rate of agreement from which a unit counts as found

MASK_SHARE = 0.9  # of a map's largest value, that bounds its mask


@dataclass(frozen=True)
class ScoreRow:
    """Answers to the recordings of one domain and difficulty, or to all.

    Attributes
    ----------
    group : domain and difficulty, or `all`
    recordings, units : how many, and true units in them
    rate : mean rate of agreement over recordings; `rate_low`, `rate_high` its 95 % interval by recording
    chance : the same of the answered trains turned in time at random
    found : share of the true units with a rate of at least 0.9
    precision : share of the answered units that are these, NaN without any
    jaccard : mean overlap of the masks of found units, NaN if unknown
    """

    group: str
    recordings: int
    units: int
    rate: float
    rate_low: float
    rate_high: float
    chance: float
    found: float
    precision: float
    jaccard: float


@dataclass(frozen=True)
class BenchmarkScore:
    """Result of `score_benchmark`: printed, a table.

    Attributes
    ----------
    rows : one for each domain and difficulty, then one for all
    agreements : of each recording, by name
    """

    rows: tuple[ScoreRow, ...]
    agreements: dict[str, Agreement]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain numbers."""
        agreements = {name: agreement.to_dict() for name, agreement in self.agreements.items()}
        return {"rows": [asdict(row) for row in self.rows], "agreements": agreements}

    def to_csv(self) -> str:
        """The table, rounded, as text."""
        return comma_separated(self._cells())

    def __str__(self) -> str:
        return "\n".join(align(self._cells()))

    def _cells(self) -> list[list[str]]:
        head = ["recordings of", "number", "units", "rate of agreement", "by chance", "found", "precision", "Jaccard"]
        rows = []
        for row in self.rows:
            interval = f" ({row.rate_low:.2f}-{row.rate_high:.2f})" if np.isfinite(row.rate_low) else ""
            rows.append(
                [row.group, str(row.recordings), str(row.units), f"{row.rate:.3f}{interval}", f"{row.chance:.3f}"]
                + [f"{value:.2f}" if np.isfinite(value) else "–" for value in (row.found, row.precision, row.jaccard)]
            )
        return [head, *rows]


def score_benchmark(folder: str | Path, answers: str | Path) -> BenchmarkScore:
    """Compare answers to the benchmark's recordings with the truth.

    Parameters
    ----------
    folder : of `make_benchmark`
    answers : a folder with `NAME_events.tsv` for each recording `NAME`: BIDS events with the columns `onset` (s from
        the first frame) and `motor_unit` (whole numbers from 0); and, if wanted, its maps as `NAME_maps.npy` (K, Z, X),
        or `NAME_maps.mat` with `maps` (Z, X, K), unit *n* being the *n*-th map. Without a file, nothing was found.

    Returns
    -------
    BenchmarkScore : printed, a table

    Raises
    ------
    FileError : no benchmark, or answers that cannot be read or belong to no recording.
    """
    folder, answers = Path(folder), Path(answers)
    recordings = {path.stem: read_header(path) for path in sequence_files(folder / RECORDINGS)}
    _require_known(answers, recordings)
    agreements = {name: _agreement(folder / TRUTH, answers, name, header) for name, header in recordings.items()}
    groups: dict[str, list[str]] = {}
    for name in recordings:
        groups.setdefault(name.rpartition("-")[0], []).append(name)
    rows = [_score_row(group, {name: agreements[name] for name in names}) for group, names in groups.items()]
    return BenchmarkScore((*rows, _score_row("all", agreements)), agreements)


def _require_known(answers: Path, recordings: dict[str, Header]) -> None:
    if not answers.is_dir():
        raise FileError(answers, "does not exist; give the folder with the answers, NAME_events.tsv for each recording")
    names = {path.name.removesuffix(EVENTS_ENDING) for path in answers.glob(f"*{EVENTS_ENDING}")}
    if not names & set(recordings):
        raise FileError(answers, f"holds no answer; call the files as {next(iter(recordings))}{EVENTS_ENDING}")
    if strange := sorted(names - set(recordings)):
        raise FileError(answers, f"holds answers to recordings that are not in the set: {', '.join(strange)[:200]}")


def _agreement(truth: Path, answers: Path, name: str, header: Header) -> Agreement:
    frames, *size = header.shape
    path = answers / f"{name}{EVENTS_ENDING}"
    true, answered = read_events(truth / f"{name}{EVENTS_ENDING}"), read_events(path) if path.exists() else {}
    masks = _masks(answers, name, list(answered), (size[0], size[1]))
    true_masks = _masks(truth, name, list(true), (size[0], size[1]))
    duration = frames / header.frame_rate
    return compare_units(list(answered.values()), list(true.values()), duration, masks, true_masks)


def read_events(path: str | Path) -> dict[int, Floats]:
    """Firing times, s, ascending, by the number of the unit.

    Raises
    ------
    FileError : missing, without the columns `onset` and `motor_unit`, or with something else than numbers in them.
    """
    path = Path(path)
    times: dict[int, list[float]] = {}
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                onset, unit = float(row["onset"]), int(row["motor_unit"])
                if not np.isfinite(onset) or unit < 0:
                    raise ValueError(f"unit {unit} at {onset} s")
                times.setdefault(unit, []).append(onset)
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        need = "needs columns onset (s) and motor_unit (0, 1, …), parted by tabs, with numbers"
        raise FileError(path, f"{need}; got {' '.join(str(error).split())[:80]}") from error
    return {unit: np.sort(times[unit]) for unit in sorted(times)}


def _masks(folder: Path, name: str, units: Series[int], size: tuple[int, int]) -> NDArray[np.bool_] | None:
    """(K, Z, X) of the units named, or None without a file of maps."""
    stem = folder / f"{name}{MAPS_ENDING}"
    if (path := stem.with_suffix(".npy")).exists():
        try:
            maps = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise FileError(path, "is not an array of NumPy; save it with numpy.save") from error
    elif (path := stem.with_suffix(".mat")).exists():
        content = read_matlab(path)
        if "maps" not in content:
            raise FileError(path, f"needs the variable maps (Z, X, K); it holds {', '.join(content) or 'nothing'}")
        maps = np.asarray(content["maps"])
        maps = np.moveaxis(maps[..., None] if maps.ndim == 2 else maps, -1, 0)
    else:
        return None
    if (
        maps.ndim != 3
        or maps.shape[1:] != size
        or (len(units) and len(maps) <= max(units))
        or maps.dtype.kind not in "fiub"
    ):
        wanted = f"({max(units, default=-1) + 1}, {size[0]}, {size[1]})"
        raise FileError(path, f"must be numbers of the shape {wanted} or with more maps, got {maps.shape}")
    strength = np.abs(np.nan_to_num(maps[list(units)].astype(np.float64)))
    largest = strength.max((1, 2), keepdims=True, initial=0)
    return (strength >= MASK_SHARE * largest) & (largest > 0)


def _score_row(group: str, agreements: dict[str, Agreement]) -> ScoreRow:
    if not agreements:
        raise InputError("there are no recordings to score; make the benchmark first")
    every = list(agreements.values())
    rates = np.array([agreement.rate for agreement in every])
    low = high = float("nan")
    if len(every) >= LEAST:
        _, lowest, highest = mean_interval(rates, list(agreements))
        low, high = float(lowest), float(highest)
    right = [match for agreement in every for match in agreement.matches if match.rate >= RIGHT]
    overlaps = [match.overlap for match in right if np.isfinite(match.overlap)]
    units, answered = sum(len(agreement.matches) for agreement in every), sum(a.found for a in every)
    return ScoreRow(
        group,
        len(every),
        units,
        float(rates.mean()),
        low,
        high,
        float(np.mean([agreement.chance for agreement in every])),
        len(right) / units,
        len(right) / answered if answered else float("nan"),
        float(np.mean(overlaps)) if overlaps else float("nan"),
    )
