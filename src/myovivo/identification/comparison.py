"""Does it help to learn identification from translated sequences? The question that the paper leaves open.

On each of several training sets the classical method is tuned and a network is trained; all are tested on the same
sequences of subjects that none of them has seen. Resumable: what stands in the folder is not done again.

    out/NAME/classical.json          what was chosen on this training set, and what was tried
    out/NAME/network-0/…             the network's weights, one folder for each repeat
    out/NAME/network-0/chosen.json   how its field is taken apart, chosen on the training set, too
    out/tested/…json                 how each method did on each test sequence
    out/identification.csv, .json    the table, the differences
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..evaluation.bootstrap import LEAST, mean_interval
from ..runtime.console import console
from ..runtime.files import write_json, write_text
from ..runtime.recipe import LOCK, locked, once, sources_of
from ..runtime.settings import settings_from
from ..runtime.text_tables import align, comma_separated
from ..sequences.header import common_header
from .agreement import Agreement
from .learning import labelled_sequence, train_identifier
from .settings import IdentifySettings, LearnSettings
from .tuning import CLASSICAL, NETWORK, agreements, tune_identification

DEFAULTS = ("fit", "wavelet", "convolutive")

CLASSICAL_TUNED, NETWORK_TRAINED = "classical, tuned", "network"

UNTRAINED = "–"  # what an untuned method was trained on

TUNE_ON = 16  # sequences of a training set that settings are chosen on, taken evenly


@dataclass(frozen=True)
class MethodRow:
    """One method, trained on one set, on all test sequences. Means are over sequences, repeats averaged first.

    Attributes
    ----------
    method, trained_on : names
    sequences, units : tested on, and true units in them
    rate : mean rate of agreement; `rate_low`, `rate_high` its 95 % interval by subject
    chance : the same of trains turned in time at random
    above : mean of rate less chance; `above_low`, `above_high` its interval
    identified : share of the true units with a rate of at least 0.5
    found : units found, per sequence
    overlap : mean Jaccard index of the masks of the identified units, NaN if there are none
    """

    method: str
    trained_on: str
    sequences: int
    units: int
    rate: float
    rate_low: float
    rate_high: float
    chance: float
    above: float
    above_low: float
    above_high: float
    identified: float
    found: float
    overlap: float


@dataclass(frozen=True)
class Difference:
    """One method trained on `a` less the same trained on `b`, sequence by sequence, with 95 % intervals by subject."""

    method: str
    a: str
    b: str
    rate: float
    rate_low: float
    rate_high: float
    above: float
    above_low: float
    above_high: float

    def __str__(self) -> str:
        rate = f"{self.rate:+.3f} ({self.rate_low:+.3f} to {self.rate_high:+.3f})"
        above = f"{self.above:+.3f} ({self.above_low:+.3f} to {self.above_high:+.3f})"
        return f"{self.method}, {self.a} − {self.b}: rate {rate}, above chance {above}"


@dataclass(frozen=True)
class IdentificationComparison:
    """Result of `compare_identification`: printed, the table and the differences.

    Attributes
    ----------
    rows : one per method and training set
    differences : of each trained method, each training set less each earlier one
    subjects : tested on
    chosen : what was chosen of the classical settings, by training set
    """

    rows: tuple[MethodRow, ...]
    differences: tuple[Difference, ...]
    subjects: int
    chosen: Mapping[str, Mapping[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain numbers."""
        return {
            "rows": [asdict(row) for row in self.rows],
            "differences": [asdict(one) for one in self.differences],
            "subjects": self.subjects,
            "chosen": {name: dict(changes) for name, changes in self.chosen.items()},
        }

    def to_csv(self) -> str:
        """The table, rounded, as text."""
        return comma_separated(self._cells())

    def __str__(self) -> str:
        return "\n".join([*align(self._cells()), "", *map(str, self.differences)])

    def _cells(self) -> list[list[str]]:
        """The head, then a row for each method and training set."""
        lines = [_printed(row) for row in self.rows]
        return [list(lines[0]), *(list(line.values()) for line in lines)]


def compare_identification(
    training: Mapping[str, Iterable[str | Path]],
    test: Iterable[str | Path],
    out: str | Path,
    settings: LearnSettings | str | Path | Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    repeats: int = 1,
    workers: int = -1,
    quiet: bool = False,
    **changes: Any,
) -> IdentificationComparison:
    """Tune and train identification on each of several sets, and test all on the same held-out sequences.

    Per training set: the classical method, its parameters chosen from `identify.tuning.CLASSICAL` on sixteen of its
    sequences; a network trained on all of them, the least height of a firing chosen on the same sixteen. Beside them
    the untuned methods. Call again to finish what was interrupted.

    Parameters
    ----------
    training : name of each set, and its sequences, with labels
    test : sequences with labels, of subjects that are in no training set
    out : folder, new or of this very call; more training sets may be added to it
    settings, **changes : `LearnSettings` of the networks, a YAML file, a mapping, or single settings by dotted name
    seed : of the networks
    repeats : networks trained on each set, with seeds of their own; what they reach is averaged
    workers : processes of tuning and testing, -1 for one per core
    quiet : show no progress

    Returns
    -------
    IdentificationComparison : also written, as `identification.csv` and `identification.json`

    Raises
    ------
    FileError : a file is no sequence, or has no labels; nothing is trained before all have been looked at.
    InputError : no files, fewer than three subjects to test on, a test subject that is trained on, or sequences of
        different frame rate or pixel size.
    RunFolderError : `out` holds a comparison of another recipe.
    """
    options = settings_from(LearnSettings, settings, **changes)
    out = Path(out)
    sets = {name: sorted(Path(path) for path in files) for name, files in training.items()}
    tests = sorted(Path(path) for path in test)
    units, subjects = _checked(sets, tests)
    with locked(out / LOCK, out):
        results, chosen = _tested(sets, tests, out, options, seed, repeats, workers, quiet)
        comparison = summarised(results, units, subjects, chosen)
        write_text(out / "identification.csv", comparison.to_csv())
        write_json(out / "identification.json", comparison.to_dict())
    return comparison


Results = dict[tuple[str, str], list[list[Agreement]]]  # method, training set -> per repeat, per test sequence


def _tested(
    sets: Mapping[str, list[Path]],
    tests: list[Path],
    out: Path,
    options: LearnSettings,
    seed: int,
    repeats: int,
    workers: int,
    quiet: bool,
) -> tuple[Results, dict[str, dict[str, Any]]]:
    """Agreement of each method on each test sequence, and the classical settings chosen on each training set."""
    against = sources_of(tests)
    results: Results = {}

    def say(what: str) -> None:
        if not quiet:
            console.print(what, highlight=False)

    def tested(name: str, chosen: IdentifySettings, made_of: Any) -> list[Agreement]:
        recipe = {"test": against, "made of": made_of}
        agreed = once(
            out / "tested" / f"{name}.json",
            recipe,
            lambda: [
                row[0].to_dict() for row in agreements(tests, [chosen], workers=workers, quiet=quiet, title="test")
            ],
        )
        return [Agreement.from_dict(one) for one in agreed]

    # Without training
    for method in DEFAULTS:
        say(f"untuned, {method}")
        results[method, UNTRAINED] = [tested(method, settings_from(IdentifySettings, None, method=method), "defaults")]
    # On each training set: the classical method, tuned, then the networks
    chosen: dict[str, dict[str, Any]] = {}
    for name, files in sets.items():
        few = files[:: max(len(files) // TUNE_ON, 1)][:TUNE_ON]
        say(f"{name}: the classical method")
        recipe = {"of": sources_of(few), "grid": CLASSICAL}
        best = once(
            out / name / "classical.json",
            recipe,
            lambda few=few: tune_identification(few, CLASSICAL, workers=workers, quiet=quiet).to_dict(),
        )
        chosen[name] = best["changes"]
        classical = settings_from(IdentifySettings, best["changes"])
        results[CLASSICAL_TUNED, name] = [tested(f"classical-{name}", classical, best["changes"])]
        networks = []
        for repeat in range(repeats):
            say(f"{name}: network {repeat + 1} of {repeats}")
            folder = out / name / f"network-{repeat}"
            weights = train_identifier(files, folder, options, seed=seed + repeat, quiet=quiet)
            base = {"network": str(weights)}
            recipe = {"of": sources_of(few), "grid": NETWORK, "learnt": options}
            best = once(
                folder / "chosen.json",
                recipe,
                lambda few=few, base=base: tune_identification(
                    few, NETWORK, base | {"method": "network"}, workers=workers, quiet=quiet
                ).to_dict(),
            )
            network = settings_from(IdentifySettings, base | best["changes"])
            made_of = {"of": sources_of(files), "seed": seed + repeat, **recipe, **best["changes"]}
            networks.append(tested(f"network-{repeat}-{name}", network, made_of))
        results[NETWORK_TRAINED, name] = networks
    return results, chosen


def summarised(
    results: Mapping[tuple[str, str], list[list[Agreement]]],
    units: list[int],
    subjects: list[str],
    chosen: Mapping[str, Mapping[str, Any]],
) -> IdentificationComparison:
    """The table and the differences.

    Parameters
    ----------
    results : by method and training set, for each repeat the agreement on each test sequence
    units, subjects : true units and subject of each test sequence
    chosen : settings, by training set
    """
    rows, values = [], {}
    for (method, name), repeats in results.items():
        rate = np.mean([[one.rate for one in each] for each in repeats], 0)  # (sequences,)
        chance = np.mean([[one.chance for one in each] for each in repeats], 0)
        values[method, name] = np.stack([rate, rate - chance], 1)
        mean, low, high = mean_interval(values[method, name], subjects)
        every = [one for each in repeats for one in each]
        right = [match.overlap for one in every for match in one.matches if match.rate >= one.threshold]
        rows.append(
            MethodRow(
                method,
                name,
                len(units),
                sum(units),
                *(float(value) for value in (mean[0], low[0], high[0], chance.mean(), mean[1], low[1], high[1])),
                identified=sum(one.identified for one in every) / (len(repeats) * sum(units)),
                found=float(np.mean([one.found for one in every])),
                overlap=float(np.nanmean(right)) if np.isfinite(right).any() else float("nan"),
            )
        )
    differences = []
    keys = [key for key in values if key[1] != UNTRAINED]
    for later, (method, a) in enumerate(keys):
        for _, b in (key for key in keys[:later] if key[0] == method):
            mean, low, high = mean_interval(values[method, a] - values[method, b], subjects)
            numbers = [float(part[k]) for k in (0, 1) for part in (mean, low, high)]
            differences.append(Difference(method, a, b, *numbers))
    return IdentificationComparison(tuple(rows), tuple(differences), len(set(subjects)), chosen)


def _printed(row: MethodRow) -> dict[str, str]:
    return {
        "method": row.method,
        "trained on": row.trained_on,
        "sequences": str(row.sequences),
        "units": str(row.units),
        "rate of agreement": f"{row.rate:.3f} ({row.rate_low:.3f}–{row.rate_high:.3f})",
        "by chance": f"{row.chance:.3f}",
        "above chance": f"{row.above:.3f} ({row.above_low:.3f}–{row.above_high:.3f})",
        "identified": f"{100 * row.identified:.0f} %",
        "found": f"{row.found:.1f}",
        "Jaccard": f"{row.overlap:.2f}" if np.isfinite(row.overlap) else "–",
    }


def _checked(sets: Mapping[str, list[Path]], tests: list[Path]) -> tuple[list[int], list[str]]:
    """True units and subject of each test sequence, after every file has been looked at."""
    if not sets or not tests or not all(sets.values()):
        raise InputError("identification is compared on at least one training set and test sequences; one is empty")
    clash = {*sets} & {"tested"}
    if clash or any(Path(name).name != name for name in sets):
        raise InputError(f"names of training sets become folders beside 'tested', got {', '.join(sets)}")
    common_header([*tests, *(path for files in sets.values() for path in files)])
    learnt = {labelled_sequence(path, 1)[0].subject for files in sets.values() for path in files}
    looked_at = [labelled_sequence(path, 1) for path in tests]
    subjects = [sequence.subject or path.name for (sequence, _), path in zip(looked_at, tests, strict=True)]
    both = learnt & set(subjects)
    if both:
        raise InputError(f"subject {min(both)} is both trained and tested on; hold out whole subjects")
    if len(set(subjects)) < LEAST:
        raise InputError(f"an interval by subject needs at least {LEAST} test subjects, got {len(set(subjects))}")
    return [len(labels) for _, labels in looked_at], subjects
