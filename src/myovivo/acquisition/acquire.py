"""Recordings to TVI sequences: one in memory, one into a file, a folder of them."""

from __future__ import annotations

import functools
import math
import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileError, InputError, PartialError, RecordingWarning
from ..runtime.device import device_of
from ..runtime.settings import settings_from
from ..runtime.texts import read_text
from ..sequences.blocks import save_blocks
from ..sequences.domain import good_sequence, make_domain
from ..sequences.header import read_header
from ..sequences.recording import Recording
from ..sequences.sequence import Sequence
from .formats import format_of, passed_over, recordings_in
from .given_labels import Labels
from .parameters import resolved
from .readers.video import video_frame_rate
from .recordings import open_recording
from .settings import AcquireSettings
from .source_file import RecordingSource, file_named, fingerprint
from .stream import stream_of

SettingsSource = AcquireSettings | str | Path | Mapping[str, Any] | None


def acquire(
    source: RecordingSource,
    settings: SettingsSource = None,
    *,
    mapping: str | Path | None = None,
    frame_rate: float | None = None,
    spacing: tuple[float, float] | None = None,
    variable: str | None = None,
    subject: str | None = None,
    labels: Labels | None = None,
    device: str = "auto",
    quiet: bool = False,
    **changes: Any,
) -> Sequence:
    """Turn a recording into a TVI sequence, the paper's way.

    Channel RF or IQ: beamforming; then, as for beamformed IQ, 2-D autocorrelation. B-mode
    video: dense motion estimation. Then, as for frames that already are velocity, band-pass 5-50 Hz,
    1 x 1 mm median and bicubic resampling.

    Parameters
    ----------
    source : a `Recording` or `ChannelData`, or a file of any format read, told from its content: MATLAB,
        HDF5, UFF, NPY, NPZ, B-mode video or DICOM
    settings, **changes : `AcquireSettings`, a YAML file or a mapping; single settings by dotted name.
        What the file does not say of its scan, or says wrongly, is given as `scan.…`
    mapping : a file that says where in the recording the frames and parameters are
    frame_rate, spacing, variable : short for `scan.frame_rate` (Hz), `scan.spacing` (dz, dx in m) and
        `scan.variable`
    subject : who was recorded. If None, what the recording says; for files that say nothing, `01` of
        `sub-01_…`, else the name up to its first underscore
    labels : the truth of your own simulation, with `role="silico"`: as `Sequence.from_array` takes it, or a JSON file
        of the same names. If None, `NAME_labels.json` beside the file, if it is there
    device : `auto`, `cpu` or `cuda`, for beamforming and velocity
    quiet : no progress

    Returns
    -------
    Sequence
        (T, Z, X), m/s, with labels where the recording has them; `provenance["parameters"]` tells each
        parameter used and where it came from

    Raises
    ------
    FileError : the file cannot be read.
    InputError : something needed is missing, or the band does not fit the frame rate.

    Warns
    -----
    RecordingWarning : aliasing, folded velocities and outliers that were mended, dropped frames, silent or saturated
        channels.
    """
    changes |= _said(frame_rate, spacing, variable)
    settings = settings_from(AcquireSettings, settings, **changes)
    stream = stream_of(source, settings, mapping, subject, device, quiet, labels)
    with file_named(source):
        try:
            velocity = np.empty(stream.shape, np.float32)
        except (MemoryError, ValueError) as error:
            size = f"{math.prod(stream.shape) * 4 / 2**30:.3g} GB"
            raise InputError(
                f"its {stream.shape[0]} frames of velocity take {size} of memory; acquire_to needs none of it"
            ) from error
        filled = 0
        for block in stream.blocks:
            velocity[filled : filled + len(block)] = block
            filled += len(block)
    about = stream.about()
    for note in about["provenance"]["notes"]:
        warnings.warn(RecordingWarning(note), stacklevel=2)
    return Sequence(velocity, stream.frame_rate, stream.spacing, **about)


def acquire_to(
    path: str | Path,
    source: RecordingSource,
    settings: SettingsSource = None,
    *,
    mapping: str | Path | None = None,
    subject: str | None = None,
    labels: Labels | None = None,
    device: str = "auto",
    quiet: bool = False,
    **changes: Any,
) -> Path:
    """`acquire` straight into a sequence file, in memory that does not grow with the recording.

    Parameters
    ----------
    path : the sequence file to write, whole or not at all
    source, settings, mapping, subject, labels, device, quiet, **changes : as for `acquire`

    Returns
    -------
    Path : of the file; what `acquire` would warn of stands in its provenance under `notes`

    Raises
    ------
    FileError, InputError : as `acquire`; the disk is full.
    """
    settings = settings_from(AcquireSettings, settings, **changes)
    stream = stream_of(source, settings, mapping, subject, device, quiet, labels)
    with file_named(source):
        return save_blocks(path, stream.blocks, stream.shape[1:], stream.frame_rate, stream.spacing, stream.about)


def acquire_domain(
    source: str | Path,
    out: str | Path,
    settings: SettingsSource = None,
    *,
    mapping: str | Path | None = None,
    subject: str | None = None,
    frame_rate: float | None = None,
    spacing: tuple[float, float] | None = None,
    variable: str | None = None,
    device: str = "auto",
    workers: int = -1,
    quiet: bool = False,
    **changes: Any,
) -> list[Path]:
    """Turn every recording of a folder (or one file) into a TVI sequence; run again to finish.

    Parameters
    ----------
    source : a folder of recordings, or one
    out : the folder for the sequences, named in the manner of BIDS, each with a JSON sidecar
    subject : who was recorded, if all files are of one subject; else as for `acquire`
    settings, mapping, frame_rate, spacing, variable, device, **changes : as for `acquire`
    workers : processes, -1 for one per core
    quiet : no progress

    Returns
    -------
    list of Path : the sequence files

    Raises
    ------
    FileError : no recordings there, or none that can be read.
    PartialError : some cannot be read; the others were, are warned of as ever, and stand in its `made`.
    RunFolderError : `out` holds a domain made another way.

    Warns
    -----
    RecordingWarning : as `acquire`, for each file.
    """
    changes |= _said(frame_rate, spacing, variable)
    settings = settings_from(AcquireSettings, settings, **changes)
    source = Path(source)
    files = recordings_in(source)
    arguments = {"mapping": mapping, "subject": subject, "device": device}
    # A single long recording is computed here, with its progress; several share the cores.
    alone = len(files) == 1
    make = functools.partial(_acquire_file, settings=settings, arguments=arguments, quiet=quiet or not alone)
    makers, prints = {}, {}
    for file in files:
        name = acquired_name(file, subject)
        if name in makers:
            problem = f"would become {name} as another recording of the folder does; rename one of them"
            raise FileError(file, problem)
        makers[name], prints[name] = functools.partial(make, source=file), fingerprint(file)
    recipe = {
        "stage": "acquire",
        "source": str(source.resolve()),
        "settings": settings,
        "mapping": read_text(mapping) if mapping and Path(mapping).is_file() else None,
        "subject": subject,
    }

    def is_good(path: Path) -> bool:
        """A sequence that is whole, and of the recording as it is now."""
        return good_sequence(path) and read_header(path).provenance.get("fingerprint") == prints[path.name]

    # A graphics processor is not shared out: one recording after the other keeps it busy.
    workers = 1 if alone or device_of(device).type == "cuda" else workers
    sources = dict(zip(makers, files, strict=True))
    try:
        paths = make_domain(out, makers, recipe, is_good, "acquire", workers, quiet or alone)
    except PartialError as error:
        _warn(source, sources, error.made)
        raise
    _warn(source, sources, paths)
    return paths


def _warn(source: Path, sources: Mapping[str, Path], made: Iterable[Path]) -> None:
    """What is to be said of a folder of recordings and of the sequences made of them."""
    if source.is_dir() and (others := passed_over(source)):
        listed = ", ".join(file.name for file in others[:5])
        warnings.warn(RecordingWarning(f"passed over, as of no format read: {listed}"), stacklevel=3)
    for path in made:
        for note in read_header(path).provenance.get("notes", []):
            warnings.warn(RecordingWarning(f"{sources[path.name].name}: {note}"), stacklevel=3)


def recorded_frame_rate(path: str | Path) -> float:
    """Frames per second of a recording, without reading its frames.

    Raises
    ------
    FileError : unreadable, or it does not say.
    """
    path = Path(path)
    if format_of(path) == "video":
        return video_frame_rate(path)
    opened = open_recording(path)
    if isinstance(opened, Recording):
        return opened.frame_rate
    if "frame_rate" in (given := resolved(opened)[0]):
        return given["frame_rate"].value
    raise FileError(path, "says nothing of its frame rate; acquire it with --frame-rate first")


def acquired_name(file: Path, subject: str | None = None) -> str:
    """Name of the sequence of a recording, in the manner of BIDS: its own entities where it has them.

    `sub-01_task-isometric_run-02_rf.mat` keeps them, `p6_push_01.mp4` becomes
    `sub-p6_task-push01_tvi.h5`, `scan.mat` `sub-scan_tvi.h5`; `subject` replaces who it says it is.
    """
    stem = re.sub(r"_(iq|rf|tvi|bmode)$", "", file.stem)
    if stem.startswith("sub-"):
        who, _, rest = stem.removeprefix("sub-").partition("_")
    else:
        who, _, rest = (stem if subject is None else f"{subject}_{stem}").partition("_")
        task = re.sub(r"[^A-Za-z0-9]", "", rest)
        rest = f"task-{task}" if task else ""
    who = re.sub(r"[^A-Za-z0-9]", "", subject or who) or "unknown"
    return f"sub-{who}{f'_{rest}' if rest else ''}_tvi.h5"


def _said(frame_rate: float | None, spacing: tuple[float, float] | None, variable: str | None) -> dict[str, Any]:
    """What was said in short, as settings."""
    short = {"scan.frame_rate": frame_rate, "scan.spacing": spacing, "scan.variable": variable}
    return {name: value for name, value in short.items() if value is not None}


def _acquire_file(
    path: Path, source: Path, settings: AcquireSettings, arguments: Mapping[str, Any], quiet: bool
) -> None:
    acquire_to(path, source, settings, quiet=quiet, **arguments)
