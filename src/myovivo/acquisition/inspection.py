"""What is in a recording file, what is missing, and how to give it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileError, InputError
from ..runtime.introduction import Introduction
from ..runtime.settings import settings_from
from ..runtime.text_tables import align
from ..runtime.words import counted
from ..sequences.header import read_header
from ..sequences.recording import Recording
from .acquire import SettingsSource
from .beamform import Beamformer
from .content import AXES, TITLES, Content, Parameter, Parameters, shown
from .formats import format_of
from .inputs import channel_data
from .parameters import remedy, resolved
from .recordings import open_recording, store_of
from .settings import AcquireSettings
from .stream import told_by_recording, with_video_settings

_TITLE = {"matlab5": "MATLAB v5", "matlab73": "MATLAB v7.3", "hdf5": "HDF5", "npy": "NPY", "npz": "NPZ", "uff": "UFF"}


@dataclass(frozen=True, repr=False)
class Inspection:
    """What `inspect` found; printing it shows a table.

    Attributes
    ----------
    path : the file
    format : `MATLAB v5, layout must`
    content : `channel RF`, or empty if nobody says
    axes : name -> size, in the order used
    arrays : every array of the file: name -> shape
    parameters : name -> value, unit, origin
    missing : name -> how to give it
    problem : what stops it from being read, or empty
    """

    path: Path
    format: str
    content: str
    axes: dict[str, int]
    arrays: dict[str, tuple[int, ...]]
    parameters: Parameters
    missing: dict[str, str]
    problem: str = ""

    def __repr__(self) -> str:
        facts = {"content": self.content or "nobody says"}
        if self.axes:
            facts["content"] += ": " + " x ".join(f"{size} {axis}" for axis, size in self.axes.items())
        facts |= {
            "holds": f"{counted(len(self.arrays), 'array')}, {counted(len(self.parameters), 'parameter')}",
            "missing": ", ".join(self.missing) or "nothing",
            "problem": self.problem or "none",
        }
        return Introduction(f"Inspection of {self.path.name} ({self.format}); print it for the table", facts).text()

    def __str__(self) -> str:
        files = self.path.iterdir() if self.path.is_dir() else [self.path]
        size = sum(file.stat().st_size for file in files)
        lines = [f"{self.path}: {self.format}, {size / 1e6:.1f} MB"]
        if self.arrays:
            listed = [f"{name} {' x '.join(map(str, shape))}" for name, shape in list(self.arrays.items())[:20]]
            more = [f"and {len(self.arrays) - 20} more"] if len(self.arrays) > 20 else []
            lines.append(f"  arrays    {'; '.join([*listed, *more])}")
        if self.content:
            sizes = ", ".join(f"{size} {axis}{'s' if size != 1 else ''}" for axis, size in self.axes.items())
            lines.append(f"  content   {self.content}: {sizes}")
        if self.parameters:
            lines += ["", *table(self.parameters)]
        lines += [f"  missing   {name}: {remedy}" for name, remedy in self.missing.items()]
        if self.problem:
            lines.append(f"  problem   {self.problem}")
        elif not self.missing:
            lines.append("\n  nothing is missing: `myovivo acquire` can read it")
        return "\n".join(lines)


def inspect(
    path: str | Path, settings: SettingsSource = None, *, mapping: str | Path | None = None, **changes: object
) -> Inspection:
    """Say what is in a recording file, which parameters were found where, and what is missing.

    Parameters
    ----------
    path : the file; its format is told from its content
    settings, mapping, **changes : as for `acquire`, to see what they change

    Returns
    -------
    Inspection

    Raises
    ------
    FileError : there is no such file, it is broken or of no format read.
    """
    path = Path(path)
    if not path.is_file() and format_of(path) is None:
        raise FileError(path, "is no file; check the path")
    settings = settings_from(AcquireSettings, settings, **changes)
    kind = format_of(path)
    arrays = store_of(path, kind).arrays() if kind in ("matlab5", "matlab73", "hdf5", "npy", "npz") else {}
    try:
        opened = open_recording(path, settings.scan, mapping)
    except FileError as error:
        if kind is None or kind == "sequence":
            raise
        # The arrays are there, only nobody says what they are: that is what an inspection is for.
        return Inspection(path, _TITLE.get(kind, kind), "", {}, arrays, {}, {}, error.problem)
    if isinstance(opened, Recording):
        sizes = dict(zip(AXES["iq"], opened.shape, strict=True))
        return Inspection(
            path, "myovivo recording", TITLES["iq"], sizes, {}, told_by_recording(opened, settings.scan), {}
        )
    return _of_content(path, opened, arrays, settings)


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
