"""The benchmark's recordings and their truth, made from seeds, the same bytes on any number of workers.

SET/recordings/NAME.h5           the recording, without labels; and NAME.mat, if wanted
SET/truth/NAME_events.tsv        when each unit fires, as answers are given
SET/truth/NAME_maps.npy          where each unit moves, (K, Z, X)
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..acquisition.acquire import acquire
from ..errors import InputError
from ..phantoms.phantom import phantom
from ..runtime.files import whole_file, write_text
from ..runtime.matlab import save_matlab
from ..runtime.settings import settings_from
from ..sequences.domain import good_sequence, make_domain
from ..sequences.grid import Grid
from ..sequences.labels import MotorUnits
from ..sequences.resample import resample_labels
from ..sequences.sequence import Sequence
from ..simulation.simulate import simulate
from .cases import VERSION, Case, benchmark_cases

RECORDINGS, TRUTH = "recordings", "truth"

EVENTS_ENDING, MAPS_ENDING = "_events.tsv", "_maps"


def make_benchmark(
    out: str | Path,
    *,
    only: Iterable[str] = (),
    matlab: bool = False,
    workers: int = -1,
    quiet: bool = False,
) -> list[Path]:
    """Make the recordings of the benchmark from seeds; nothing is downloaded. Run again to finish what was interrupted.

    Parameters
    ----------
    out : the folder; recordings of 84 MB each in `recordings`, the truth in `truth`
    only : what the names of the recordings start with, as `simulated` or `phantom-hard`; all if empty
    matlab : write each recording as `.mat`, too
    workers : processes, -1 for one per core; the bytes do not depend on it
    quiet : no progress

    Returns
    -------
    list of Path : the recordings

    Raises
    ------
    InputError : no recording has such a name.
    RunFolderError : the folder holds other recordings.

    Examples
    --------
    >>> import myovivo as mv
    >>> mv.make_benchmark("set", only=["simulated-easy"])  # doctest: +SKIP
    """
    starts = tuple(only)
    cases = [case for case in benchmark_cases() if not starts or case.name.startswith(starts)]
    if not cases:
        names = ", ".join(sorted({case.name.rpartition("-")[0] for case in benchmark_cases()}))
        raise InputError(
            f"only must be the beginning of names of recordings, got {', '.join(starts)}; there are {names}"
        )
    return make_cases(out, cases, matlab, workers, quiet)


def make_cases(out: str | Path, cases: list[Case], matlab: bool, workers: int, quiet: bool) -> list[Path]:
    """`make_benchmark` of these recordings."""
    out = Path(out).resolve()  # processes may have started in another folder
    makers = {f"{case.name}.h5": functools.partial(_make_case, case, out / TRUTH) for case in cases}
    recipe = {"stage": "benchmark", "version": VERSION, "cases": {case.name: case._asdict() for case in cases}}
    (out / TRUTH).mkdir(parents=True, exist_ok=True)
    paths = make_domain(out / RECORDINGS, makers, recipe, good_sequence, "benchmark", workers, quiet)
    for path in paths:
        if matlab and not path.with_suffix(".mat").exists():
            sequence = Sequence.load(path)
            about = {"frame_rate": sequence.frame_rate, "spacing": np.array(sequence.spacing)}
            save_matlab(path.with_suffix(".mat"), {"velocity": sequence.velocity, **about})
    return paths


def _make_case(case: Case, truth: Path, path: Path) -> None:
    sequence = _recorded(case)
    assert sequence.labels is not None
    write_truth(truth, case.name, sequence.labels, sequence)
    sequence.replace(labels=None, subject=case.name).save(path)


def _recorded(case: Case) -> Sequence:
    grid = settings_from(Grid, case.settings["grid"])
    if case.domain == "simulated":
        return simulate(case.settings, seed=case.seed)
    if case.domain == "phantom":
        output = {"rows": grid.rows, "columns": grid.columns, "frame_rate": grid.frame_rate, "frames": grid.frames}
        recording = phantom(case.settings, seed=case.seed, subject=case.seed)
        return acquire(recording, {"output": output}, device="cpu", quiet=True)
    from ..translation.translator import Translator  # torch takes seconds to load

    # The translator knows the pixels that it was trained on alone.
    own = {**case.settings["grid"], "rows": Grid().rows, "columns": Grid().columns}
    simulated = simulate({**case.settings, "grid": own}, seed=case.seed)
    translated = Translator.load("house", device="cpu")(simulated, seed=case.seed)
    return translated.resample(size=(grid.rows, grid.columns))


def write_truth(folder: Path, name: str, labels: MotorUnits, sequence: Sequence) -> None:
    """Write when and where the units of a recording move, in the format of answers.

    Parameters
    ----------
    folder : of the truth
    name : of the recording
    labels : its units
    sequence : the recording
    """
    frames, *size = sequence.shape
    if labels.weight.shape[1:] != tuple(size):
        rate = sequence.frame_rate
        labels = resample_labels(labels, rate, rate, labels.source.shape[1], (size[0], size[1]))
    duration = frames / sequence.frame_rate
    rows = sorted(
        (float(time), unit) for unit, times in enumerate(labels.spike_times) for time in times if 0 <= time < duration
    )
    lines = ["onset\tduration\tmotor_unit", *(f"{time:.6f}\t0\t{unit}" for time, unit in rows)]
    write_text(folder / f"{name}{EVENTS_ENDING}", "\n".join(lines) + "\n")
    with whole_file(folder / f"{name}{MAPS_ENDING}.npy") as part, open(part, "wb") as file:
        np.save(file, labels.weight.astype(np.float32))
