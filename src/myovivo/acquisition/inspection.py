"""What is in a recording file, what is missing, and how to give it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileError, InputError
from ..runtime.introduction import Introduction
from ..runtime.settings import settings_from
from ..runtime.text_tables import align
from ..runtime.words import counted
from ..sequences.header import read_header
from ..sequences.recording import Recording
from .acquire import SettingsSource
from .band import require_time
from .beamform import Beamformer
from .content import AXES, TITLES, Content, Parameter, Parameters, shown
from .descriptions import described_folder, described_sequence, spike_trains_in_store, spike_trains_in_text
from .formats import format_of
from .inputs import channel_data
from .mapping_draft import write_mapping_draft
from .parameters import remedy, resolved
from .proposals import Proposal, proposed
from .readers.store import Store
from .readers.ultrasonix import channel_files
from .recordings import open_recording, store_of
from .settings import AcquireSettings
from .stream import told_by_recording, with_video_settings

_STORES = ("matlab5", "matlab73", "hdf5", "npy", "npz")

_WAYS = {  # of saying what is missing
    "frame_rate": ("pulse_rate",),
    "element_x": ("pitch",),
    "spacing": ("depth_step", "lateral_step", "depth_axis", "lateral_axis"),
}

_TITLE = {"matlab5": "MATLAB v5", "matlab73": "MATLAB v7.3", "hdf5": "HDF5", "npy": "NPY", "npz": "NPZ", "uff": "UFF"}


@dataclass(frozen=True, repr=False)
class Inspection:
    """What `inspect` found; printing it shows a table.

    Attributes
    ----------
    path : the file or folder
    format : `MATLAB v5, layout must`
    content : `channel RF`, or empty if nobody says
    axes : name -> size, in the order used
    arrays : every array of the file: name -> shape
    parameters : name -> value, unit, origin
    missing : name -> how to give it
    problem : what stops it from being read, or empty
    values : scalars, short lists and short texts of the file: name -> value
    proposals : parameter -> the variable that it may be, by name and size; none is ever used unasked
    about : what it is, if it is no recording
    """

    path: Path
    format: str
    content: str
    axes: dict[str, int]
    arrays: dict[str, tuple[int, ...]]
    parameters: Parameters
    missing: dict[str, str]
    problem: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    proposals: Mapping[str, Proposal] = field(default_factory=dict)
    about: str = ""

    def __repr__(self) -> str:
        facts = {"content": self.content or self.about or "nobody says"}
        if self.axes:
            facts["content"] += ": " + " x ".join(f"{size} {axis}" for axis, size in self.axes.items())
        facts |= {
            "holds": f"{counted(len(self.arrays), 'array')}, {counted(len(self.parameters), 'parameter')}",
            "missing": ", ".join(self.missing) or "nothing",
            "problem": self.problem or "none",
        }
        return Introduction(f"Inspection of {self.path.name} ({self.format}); print it for the table", facts).text()

    @property
    def complete(self) -> bool:
        """Whether nothing is missing and nothing stands in the way."""
        return not self.missing and not self.problem

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        return {
            "path": str(self.path),
            "format": self.format,
            "content": self.content,
            "about": self.about,
            "complete": self.complete,
            "axes": self.axes,
            "arrays": {name: list(shape) for name, shape in self.arrays.items()},
            "values": {name: _plain_scalar(value) for name, value in self.values.items()},
            "parameters": {name: parameter._asdict() for name, parameter in self.parameters.items()},
            "proposals": {name: proposal._asdict() for name, proposal in self.proposals.items()},
            "missing": self.missing,
            "problem": self.problem,
        }

    def __str__(self) -> str:
        files = [self.path] if self.path.is_file() else channel_files(self.path)
        size = f", {sum(file.stat().st_size for file in files) / 1e6:.1f} MB" if files else ""
        lines = [f"{self.path}: {self.format}{size}"]
        if self.about:
            return f"{lines[0]}\n  {self.about}"
        # What the file holds
        if self.arrays:
            listed = [f"{name} {' x '.join(map(str, shape))}" for name, shape in self.arrays.items()]
            lines.append(f"  arrays    {_some(listed, 20)}")
        if self.values:
            listed = [f"{name} {_valued(value)}" for name, value in self.values.items()]
            lines.append(f"  values    {_some(listed, 40)}")
        # What it is taken for
        if self.content:
            sizes = ", ".join(f"{size} {axis}{'s' if size != 1 else ''}" for axis, size in self.axes.items())
            lines.append(f"  content   {self.content}: {sizes}")
        if self.parameters:
            lines += ["", *table(self.parameters)]
        # What is missing, and what may help
        lines += [f"  missing   {name}: {remedy}" for name, remedy in self.missing.items()]
        if self.problem:
            lines.append(f"  problem   {self.problem}")
        lines += [f"  perhaps   {word}: {proposal.at}, {proposal.text}" for word, proposal in self.proposals.items()]
        if self.proposals:
            lines.append("            --write-mapping FILE (write_mapping=) drafts a mapping of these, to be checked")
        if self.complete:
            lines.append("\n  nothing is missing: `myovivo acquire` can read it")
        return "\n".join(lines)


def inspect(
    path: str | Path,
    settings: SettingsSource = None,
    *,
    mapping: str | Path | None = None,
    write_mapping: str | Path | None = None,
    **changes: object,
) -> Inspection:
    """Say what is in a recording file, which parameters were found where, and what is missing.

    Parameters
    ----------
    path : the file, its format told from its content; of a sequence, spike trains or a folder is said what they are
    settings, mapping, **changes : as for `acquire`, to see what they change
    write_mapping : a file to write a mapping into, proposed from names and sizes, a comment on each line, to be edited

    Returns
    -------
    Inspection

    Raises
    ------
    FileError : there is no such file, it is broken or of no format read; the mapping to write is there already.
    InputError : a mapping is to be written for what has no use for one.
    """
    path = Path(path)
    settings = settings_from(AcquireSettings, settings, **changes)
    if path.is_dir() and format_of(path) is None:
        _require_no_draft(write_mapping, "a folder")
        return _told(path, "folder", described_folder(path))
    if not path.exists():
        raise FileError(path, "is no file; check the path")
    # What is no recording
    kind = format_of(path)
    about = described_sequence(path) if kind == "sequence" else "" if kind else spike_trains_in_text(path)
    if about:
        _require_no_draft(write_mapping, "what is no recording")
        return _told(path, "HDF5" if kind else "text", about)
    # A recording
    store = store_of(path, kind) if kind in _STORES else None
    if store is None:
        _require_no_draft(write_mapping, "a file that describes itself")
    inspection = _of_recording(path, kind, store, settings, mapping)
    if write_mapping is not None and store is not None and not inspection.about:
        write_mapping_draft(write_mapping, store, proposed(store, inspection.values), settings.scan.content)
    return inspection


def _of_recording(
    path: Path, kind: str | None, store: Store | None, settings: AcquireSettings, mapping: str | Path | None
) -> Inspection:
    """What a recording holds; only its arrays and values if nobody says what they are."""
    arrays = store.arrays() if store is not None else {}
    values = store.small() if store is not None else {}
    try:
        opened = open_recording(path, settings.scan, mapping)
    except FileError as error:
        if kind is None:
            raise
        title = _TITLE.get(kind, kind)
        if store is not None and mapping is None and (about := spike_trains_in_store(store)):
            return _told(path, title, about)
        # The arrays are there, only nobody says what they are: that is what an inspection is for.
        proposals = proposed(store, values) if store is not None else {}
        return Inspection(path, title, "", {}, arrays, {}, {}, error.problem, values, proposals)
    if isinstance(opened, Recording):
        sizes = dict(zip(AXES["iq"], opened.shape, strict=True))
        told = told_by_recording(opened, settings.scan)
        return Inspection(path, "myovivo recording", TITLES["iq"], sizes, {}, told, {})
    inspection = _of_content(path, opened, arrays, settings)
    if store is None:
        return inspection
    lacking = {way for name in inspection.missing for way in (name, *_WAYS.get(name, ()))}
    offers = proposed(store, values, inspection.parameters)
    offers = {word: proposal for word, proposal in offers.items() if word in lacking}
    return replace(inspection, values=values, proposals=offers)


def _told(path: Path, title: str, about: str) -> Inspection:
    return Inspection(path, title, "", {}, {}, {}, {}, about=about)


def _require_no_draft(write_mapping: str | Path | None, what: str) -> None:
    if write_mapping is not None:
        raise InputError(f"a mapping means nothing for {what}; leave write_mapping out")


def _plain_scalar(value: Any) -> Any:
    """A number for what MATLAB keeps as 1 x 1."""
    return value.item() if isinstance(value, np.ndarray) and value.size == 1 else value


def _some(listed: list[str], most: int) -> str:
    return "; ".join([*listed[:most], *([f"and {len(listed) - most} more"] if len(listed) > most else [])])


def _valued(value: Any) -> str:
    return repr(value) if isinstance(value, str) else shown(value)


def _of_content(
    path: Path, content: Content, arrays: dict[str, tuple[int, ...]], settings: AcquireSettings
) -> Inspection:
    sizes = dict(zip(AXES[content.kind], content.shape, strict=True))
    problem = ""
    given: Parameters = {}
    missing: list[str] = []
    try:
        if content.kind == "bmode":
            content = with_video_settings(path, content, settings)
        given, missing = resolved(content)
        if not missing:
            require_time(settings, content.shape[0], given["frame_rate"].value)
        if not missing and content.kind in ("rf", "channel_iq"):
            Beamformer(channel_data(content, given), settings, "cpu")  # whose checks are what `acquire` would say
    except InputError as error:
        problem = str(error)
    if "subject" in content.parameters:
        given = given | {"subject": content.parameters["subject"]}
    remedies = {name: remedy(content, name) for name in missing}
    title = TITLES[content.kind] + (f" ({content.name})" if content.name else "")
    return Inspection(path, content.format, title, sizes, arrays, given or content.parameters, remedies, problem)


def table(parameters: Parameters) -> list[str]:
    """Lines of name, value, unit and origin, in columns."""
    rows = [
        (name, shown(stated.value), stated.unit if stated.unit != "1" else "", stated.origin)
        for name, stated in parameters.items()
    ]
    return [f"  {line}" for line in align(rows)]


def parameter_tables(files: Iterable[Path]) -> str:
    """The parameters that sequences were acquired with, one table for all that share theirs."""
    tables: dict[str, list[str]] = {}
    for file in files:
        noted = read_header(file).provenance.get("parameters", {})
        noted = dict(sorted(noted.items(), key=lambda item: "." in item[0]))  # the scan's own first
        lines = table({name: Parameter(**one) for name, one in noted.items()})
        tables.setdefault("\n".join(lines), []).append(file.name)
    parts = []
    for lines, names in tables.items():
        listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        parts.append(f"{listed}\n{lines}")
    return "\n\n".join(parts)
