"""A folder of sequences, and beside each what was identified in it: spike trains and a figure."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import FileError, InputError
from ..runtime.files import plain, read_json, whole_file, write_json
from ..runtime.recipe import sources_of
from ..runtime.settings import settings_from
from ..runtime.words import counted
from ..sequences.domain import make_domain
from ..sequences.header import open_sequence, sequence_files
from ..simulation.spike_trains.reading import read_spike_trains
from .agreement import Agreement
from .figure import units_figure
from .identify import identify
from .mapping import map_units
from .settings import IdentifySettings
from .units import Units

EVENTS = "_events.tsv"  # written last: where it is, the others are


def identify_domain(
    source: str | Path | Iterable[str | Path],
    out: str | Path,
    settings: IdentifySettings | str | Path | Mapping[str, Any] | None = None,
    *,
    trains: str | Path | None = None,
    workers: int = -1,
    quiet: bool = False,
    **changes: Any,
) -> list[Path]:
    """Identify the motor units of each sequence of a folder; run again to finish what was interrupted.

    For a sequence `NAME.h5` the folder gets `NAME_events.tsv` (BIDS) with its sidecar `NAME_events.json` (quality of
    the units, and where the sequence has labels the agreement with them), `NAME.json` (openhdemg) and `NAME.png`.

    Parameters
    ----------
    source : a folder, a file, or a list of files
    out : the folder to write, new or of this very call
    settings, **changes : as for `identify`
    trains : file of the firings of the one sequence given, as `read_spike_trains` reads it: units are not looked for
        but mapped, see `map_units`; of the settings, `band`, `components` and `mask_level` count
    workers : processes, -1 for one per core
    quiet : show no progress

    Returns
    -------
    list of Path : the `_events.tsv`, in the order of `source`; `read_agreement` says how well each agrees

    Raises
    ------
    FileError : a file cannot be read or written, or nothing moves in it; the other files are made all the same.
    CheckpointError : weights that cannot be read.
    InputError : two files of one name, or a setting that breaks a rule.
    RunFolderError : `out` holds something else.
    """
    options = settings_from(IdentifySettings, settings, **changes)
    files = sequence_files(source) if isinstance(source, str | Path) else [Path(path) for path in source]
    if len({path.stem for path in files}) < len(files):
        raise InputError("two of the sequences have the same name; rename one, since results keep the names")
    recipe: dict[str, Any] = {"stage": "identify", "settings": options}
    if trains is not None:
        if len(files) != 1:
            raise InputError(f"spike trains belong to one sequence, got {len(files)}; identify them one by one")
        recipe["trains"] = sources_of([Path(trains)])
    if options.method == "network":
        from .learning import load_identifier  # torch takes seconds to load

        recipe["network"] = load_identifier(str(options.network)).digest
    makers = {f"{path.stem}{EVENTS}": functools.partial(_identify_file, path, options, trains) for path in files}
    sources = dict(zip(makers, files, strict=True))
    pattern = f"*{EVENTS}"
    return make_domain(out, makers, recipe, Path.is_file, "identify", workers, quiet, pattern, sources)


def read_agreement(events: str | Path) -> Agreement | None:
    """The agreement that stands beside a `_events.tsv` of `identify_domain`; None if the sequence had no labels.

    Raises
    ------
    FileError : it is missing or is not JSON.
    """
    content = read_json(Path(events).with_suffix(".json"))["Agreement"]
    return Agreement.from_dict(content) if content else None


def summary(events: str | Path) -> str:
    """One line on what was found, and how well it agrees where that is known.

    Raises
    ------
    FileError : the sidecar is missing or is not JSON.
    """
    data = summary_data(events)
    line = f"{data['sequence']}: {counted(data['units'], 'unit')} found"
    agreement = read_agreement(events)
    return f"{line}; {agreement}" if agreement else f"{line}; no labels to compare with"


def summary_data(events: str | Path) -> dict[str, Any]:
    """The same for programs: `sequence`, how many `units`, their `quality`, and `agreement` or None.

    Raises
    ------
    FileError : the sidecar is missing or is not JSON.
    """
    events = Path(events)
    quality = read_json(events.with_suffix(".json"))["Quality"]
    agreement = read_agreement(events)
    return {
        "sequence": events.name.removesuffix(EVENTS),
        "units": len(quality["firing_rate"]),
        "quality": quality,
        "agreement": agreement.to_dict() if agreement else None,
    }


def _identify_file(source: Path, options: IdentifySettings, trains: str | Path | None, events: Path) -> None:
    try:
        units = identify(source, options) if trains is None else _mapped_in(source, options, trains)
    except InputError as error:
        raise FileError(source, str(error)) from error
    with open_sequence(source) as file:
        truth = file.labels()
    labels = truth if truth is not None and len(truth) else None
    agreement = units.agreement(labels) if labels is not None else None
    stem = events.with_name(events.name.removesuffix(EVENTS))
    units.save(Path(f"{stem}.json"))
    with whole_file(Path(f"{stem}.png")) as part:
        units_figure(units, labels, agreement).savefig(part, format="png", dpi=110, bbox_inches="tight")
    write_json(events.with_suffix(".json"), _sidecar(units.method, units.quality, agreement))
    units.save(events)


def _mapped_in(source: Path, options: IdentifySettings, trains: str | Path) -> Units:
    components = options.components or options.joint.components
    firings = read_spike_trains(trains)
    return map_units(source, firings, band=options.band, components=components, mask_level=options.mask_level)


def _sidecar(method: str, quality: Mapping[str, Any], agreement: Agreement | None) -> dict[str, Any]:
    return {
        "onset": {"Description": "firing of a motor unit, from the first frame", "Units": "s"},
        "motor_unit": {"Description": "number of the unit, the clearest first"},
        "Method": method,
        "Quality": {name: plain(values) for name, values in quality.items()},
        "Agreement": agreement.to_dict() if agreement else None,
    }
