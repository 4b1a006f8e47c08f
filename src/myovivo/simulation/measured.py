"""Measured spike trains as the drive: decomposed EMG from files, cut to a window of steady firing."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..errors import FileError
from .firing import SpikeTrains, Times
from .settings import Firing

_STEP = 0.1  # s between the windows tried


def read_spike_trains(path: str | Path) -> list[Times]:
    """Read the spike times of decomposed motor units, s from the start of the recording.

    Parameters
    ----------
    path : `.mat` with `MUPulses` (sample indices) and `fsamp`, or an OTBioLab+ export with columns
        described as `Decomposition of …`; openhdemg `.json`, compressed or not; BIDS `events.tsv`
        with `onset` (s) and a column that names the unit

    Returns
    -------
    list of arrays, one per unit, ascending

    Raises
    ------
    FileError : missing, unreadable, or without spike trains in one of these layouts.
    """
    path = Path(path)
    if not path.is_file():
        raise FileError(path, "does not exist; give a file of decomposed spike trains")
    reader = {".mat": _from_mat, ".json": _from_openhdemg, ".tsv": _from_bids}.get(path.suffix.lower())
    if reader is None:
        raise FileError(path, f"spike trains come as .mat, .json or .tsv, got {path.suffix or 'no ending'}")
    try:
        trains = reader(path)
    except FileError:
        raise
    except Exception as error:  # the readers meet whatever is in the file
        raise FileError(path, f"cannot be read as spike trains ({type(error).__name__}: {error})") from error
    trains = [np.unique(train) for train in trains if len(train)]
    if not trains:
        raise FileError(path, "holds no spike trains; expected MUPulses, OTBioLab+ columns, openhdemg or BIDS events")
    return trains


def draw_measured_trains(path: str | Path, firing: Firing, duration: float, rng: Generator) -> SpikeTrains:
    """Choose units and a window of steady firing at random from a file of measured spike trains.

    Windows are `burn_in + duration` long; among them, one in which nearly as many units fire as ever
    do. Synchronisation is left as measured, so no partners are known.

    Raises
    ------
    FileError : unreadable, or shorter than the window.
    """
    trains = read_spike_trains(path)
    length = firing.burn_in + duration
    last = max(train[-1] for train in trains)
    starts = np.arange(0, last - length, _STEP)
    if not len(starts):
        raise FileError(
            path, f"lasts {last:.2f} s, too short for {length:.2f} s; shorten grid.frames or firing.burn_in"
        )
    fires = np.array([[_fires(train, start, length) for start in starts] for train in trains])  # (units, starts)
    active = fires.sum(0)
    at = rng.choice(np.flatnonzero(active >= 0.9 * active.max()))
    candidates = np.flatnonzero(fires[:, at])
    wanted = int(rng.integers(firing.units[0], firing.units[1], endpoint=True))
    chosen = np.sort(rng.permutation(candidates)[:wanted])
    origin = starts[at] + firing.burn_in
    times = tuple(_window(trains[unit] - origin, firing.burn_in, duration) for unit in chosen)
    rate = np.array([1 / np.mean(np.diff(train)) if len(train) > 1 else 0.0 for train in times])
    return SpikeTrains(times, tuple(np.full(len(train), -1, np.int64) for train in times), rate)


def _fires(train: Times, start: float, length: float) -> bool:
    """Whether a unit fires steadily in a window: at least four times a second."""
    return int(np.sum((train >= start) & (train < start + length))) >= 4 * length


def _window(train: Times, before: float, after: float) -> Times:
    return train[(train >= -before) & (train < after)]


def _from_mat(path: Path) -> list[Times]:
    from pymatreader import read_mat

    content: dict[str, Any] = read_mat(path)
    if "MUPulses" in content:
        rate = float(content.get("fsamp", 2048))
        pulses = content["MUPulses"]
        one_unit = isinstance(pulses, np.ndarray) and pulses.ndim == 1 and pulses.dtype != object
        # MATLAB counts samples from 1.
        return [(np.atleast_1d(unit).astype(float) - 1) / rate for unit in ([pulses] if one_unit else pulses)]
    if "Data" in content and "Description" in content:
        rate = float(content["SamplingFrequency"])
        columns = [
            index
            for index, text in enumerate(content["Description"])
            if "decomposition of" in text.lower() and "source for" not in text.lower()
        ]
        data: NDArray[np.float32] = content["Data"]
        return [np.flatnonzero(data[:, index] > 0.5) / rate for index in columns]
    names = ", ".join(name for name in content if not name.startswith("_"))
    raise FileError(path, f"needs MUPulses, or Data with Description; it holds {names}")


def _from_openhdemg(path: Path) -> list[Times]:
    raw = path.read_bytes()
    content = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)

    def value(name: str) -> Any:  # openhdemg stores each entry as JSON within JSON
        entry = content[name]
        return json.loads(entry) if isinstance(entry, str) else entry

    rate = float(value("FSAMP"))
    return [np.asarray(unit, float) / rate for unit in value("MUPULSES")]


def _from_bids(path: Path) -> list[Times]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    names = rows[0].keys() if rows else ()
    unit_column = next(
        (name for name in ("motor_unit", "unit", "unit_id", "trial_type", "value") if name in names), None
    )
    if "onset" not in names or unit_column is None:
        raise FileError(path, f"needs the columns onset and motor_unit, got {', '.join(names) or 'none'}")
    trains: dict[str, list[float]] = {}
    for row in rows:
        if row["onset"] != "n/a":
            trains.setdefault(row[unit_column], []).append(float(row["onset"]))
    return [np.array(times) for times in trains.values()]
