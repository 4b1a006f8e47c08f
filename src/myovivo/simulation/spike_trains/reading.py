"""Measured spike trains out of a file of any layout read."""

from __future__ import annotations

import csv
from pathlib import Path

from ...errors import FileError, InputError
from ..firing import Times
from .matlab import read_matlab_trains
from .openhdemg import read_openhdemg_trains
from .text import read_bids_trains, read_delsys_trains
from .trains import Decomposition, cleaned

BY_ENDING = {
    ".mat": read_matlab_trains,
    ".json": read_openhdemg_trains,
    ".tsv": read_bids_trains,
    ".txt": read_delsys_trains,
}


def read_spike_trains(path: str | Path, recording: int | None = None) -> list[Times]:
    """Read the spike times of decomposed motor units, s from the start of the recording.

    Parameters
    ----------
    path : `.mat` with `MUPulses` (sample indices) and `fsamp`, of MUedit, or an OTBioLab+ export with columns
        described as `Decomposition of …`; openhdemg `.json`, compressed or not; BIDS `events.tsv`
        with `onset` (s) and a column that names the unit; the `.txt` of firings of Delsys NeuroMap
    recording : which, from 1, of an OTBioLab+ export that holds several

    Returns
    -------
    list of arrays, one per unit, ascending

    Raises
    ------
    FileError : missing, unreadable, without spike trains in one of these layouts, or with several recordings of which
        none is named.

    Warns
    -----
    RecordingWarning : rates that motor units hardly have, or a sampling rate that had to be assumed.
    """
    recordings = read_decomposition(path).recordings
    if recording is None and len(recordings) > 1:
        sizes = ", ".join(str(len(units)) for units in recordings)
        raise FileError(path, f"holds {len(recordings)} recordings ({sizes} units); say which, as recording=1")
    if not 1 <= (recording or 1) <= len(recordings):
        raise FileError(path, f"holds recordings 1 to {len(recordings)}, got recording={recording}")
    return recordings[(recording or 1) - 1]


def read_decomposition(path: str | Path) -> Decomposition:
    """Every recording in a file of decomposed EMG; those without units are left out.

    Raises
    ------
    FileError : as `read_spike_trains`.
    """
    path = Path(path)
    if not path.is_file():
        raise FileError(path, "does not exist; give a file of decomposed spike trains")
    endings = [ending.lower() for ending in path.suffixes if ending.lower() != ".gz"]
    reader = BY_ENDING.get(endings[-1] if endings else "")
    if reader is None:
        known = f"{', '.join(list(BY_ENDING)[:-1])} or {list(BY_ENDING)[-1]}"
        raise FileError(path, f"spike trains come as {known}, got {path.suffix or 'no ending'}")
    try:
        trains = cleaned(reader(path))
    except FileError as error:
        raise FileError(path, _as_trains(error.problem)) from error
    except InputError as error:
        raise FileError(path, str(error)) from error
    except (csv.Error, OSError, MemoryError, RecursionError, OverflowError) as error:
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        raise FileError(path, f"cannot be read as spike trains ({reason}); save it again") from error
    if not trains.recordings:
        raise FileError(path, f"holds no spike trains; {trains.title} without a firing")
    return trains


def _as_trains(problem: str) -> str:
    return problem if "spike trains" in problem else f"cannot be read as spike trains: it {problem}"
