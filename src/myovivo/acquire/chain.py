"""From a recording to a TVI sequence: read, estimate velocity, condition, resample."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import AcquireSettings, settings_from
from ..domain import good_sequence, make_domain
from ..errors import FileError, InputError
from ..provenance import made_by, sequence_name
from ..recording import Recording
from ..sequence import Sequence
from .condition import band_pass, median, resample, resample_labels
from .motion import video_velocity
from .readers.array import read_velocity_array
from .readers.scan_notes import is_notes, with_notes
from .readers.video import read_video, video_frame_rate
from .velocity import autocorrelation_velocity

Settings = AcquireSettings | str | Path | Mapping[str, Any] | None

VIDEO = (".mp4", ".avi", ".mov", ".mkv")
ARRAY = (".npy", ".mat")
RECORDING = (".h5", ".hdf5")


def acquire(
    source: Recording | str | Path,
    settings: Settings = None,
    *,
    frame_rate: float | None = None,
    spacing: tuple[float, float] | None = None,
    variable: str | None = None,
    subject: str | None = None,
    quiet: bool = False,
    **changes: Any,
) -> Sequence:
    """Turn a recording into a TVI sequence, the paper's way.

    IQ frames: 2-D autocorrelation; B-mode video: dense motion estimation; then, as for arrays that
    already are velocity, band-pass 5-50 Hz, 1 x 1 mm median and bicubic resampling.

    Parameters
    ----------
    source : a `Recording`, or a file: an IQ recording (`.h5`), a B-mode video (`.mp4`, `.avi`), or
        velocity (T, Z, X) in m/s towards the probe (`.npy`, `.mat`)
    settings, **changes : `AcquireSettings`, a YAML file or a mapping; single settings by dotted name
    frame_rate, spacing : of a velocity array, Hz and (dz, dx) in m; needed there, unused elsewhere
    variable : name of the velocity in a `.mat` that holds several arrays
    subject : who was recorded. If None, what the recording says; for files that say nothing, `01` of
        `sub-01_…`, else the name up to its first underscore
    quiet : no progress

    Returns
    -------
    Sequence
        (T, Z, X), m/s, with labels where the recording has them

    Raises
    ------
    FileError : the file cannot be read.
    InputError : something needed is missing, or the band does not fit the frame rate.
    """
    settings = settings_from(AcquireSettings, settings, **changes)
    if isinstance(source, Recording):
        return _from_recording(source, settings, subject, quiet)
    path = Path(source)
    if not path.is_file():
        raise FileError(path, "does not exist; check the path")
    try:
        if path.suffix.lower() in RECORDING:
            return _from_recording(Recording.load(path), settings, subject, quiet)
        if path.suffix.lower() in VIDEO:
            settings = settings.model_copy(update={"video": with_notes(path, settings.video)})
            clip = read_video(path, settings.video)
            velocity, step = video_velocity(clip.frames, clip.frame_rate, settings.video, quiet)
            return _conditioned(velocity, clip.frame_rate, step, settings, path, subject)
        if path.suffix.lower() in ARRAY:
            velocity = read_velocity_array(path, variable)
            if frame_rate is None or spacing is None:
                raise InputError(
                    "a velocity array says nothing of its scan; give frame_rate (Hz) and spacing (dz, dx in m)"
                )
            return _conditioned(velocity, frame_rate, spacing, settings, path, subject)
    except InputError as error:
        raise FileError(path, str(error)) from error
    known = ", ".join((*RECORDING, *VIDEO, *ARRAY))
    raise FileError(path, f"is none of the formats read ({known}); convert it to one of them")


def acquire_domain(
    source: str | Path,
    out: str | Path,
    settings: Settings = None,
    *,
    subject: str | None = None,
    frame_rate: float | None = None,
    spacing: tuple[float, float] | None = None,
    variable: str | None = None,
    workers: int = -1,
    quiet: bool = False,
    **changes: Any,
) -> list[Path]:
    """Turn every recording of a folder (or one file) into a TVI sequence; run again to finish.

    Parameters
    ----------
    source : a folder of recordings, or one
    out : the folder for the sequences
    subject : who was recorded, if all files are of one subject; else as for `acquire`
    settings, frame_rate, spacing, variable, **changes : as for `acquire`
    workers : processes, -1 for one per core
    quiet : no progress

    Returns
    -------
    list of Path : the sequence files

    Raises
    ------
    FileError : no recordings there, or one that cannot be read (the others are kept).
    RunFolderError : `out` holds a domain made another way.
    """
    settings = settings_from(AcquireSettings, settings, **changes)
    source = Path(source)
    files = recordings_in(source)
    arguments = {"subject": subject, "frame_rate": frame_rate, "spacing": spacing, "variable": variable}
    make = functools.partial(_acquire_to, settings=settings, arguments=arguments)
    makers = {
        _name(file, subject, number): functools.partial(make, source=file) for number, file in enumerate(files, 1)
    }
    recipe = {
        "stage": "acquire",
        "source": str(source.resolve()),
        "settings": settings.model_dump(mode="json"),
    } | arguments
    return make_domain(out, makers, recipe, good_sequence, "acquire", workers, quiet)


def recordings_in(source: str | Path) -> list[Path]:
    """The recordings of a folder, or the one given, sorted by name; scan notes are not recordings.

    Raises
    ------
    FileError : none there.
    """
    source = Path(source)
    kinds = (*RECORDING, *VIDEO, *ARRAY)
    found = [source] if source.is_file() else sorted(source.glob("*"))
    files = [file for file in found if file.suffix.lower() in kinds and file.name[0] != "." and not is_notes(file)]
    if not files:
        raise FileError(source, f"holds no recordings ({', '.join(kinds)}); check the path")
    return files


def recorded_frame_rate(path: str | Path) -> float:
    """Frames per second of an IQ recording or a video, without reading its frames.

    Raises
    ------
    FileError : unreadable, or a velocity array, which does not say.
    """
    path = Path(path)
    if path.suffix.lower() in RECORDING:
        return Recording.load(path).frame_rate
    if path.suffix.lower() in VIDEO:
        return video_frame_rate(path)
    raise FileError(path, "says nothing of its frame rate; acquire it with --frame-rate first")


def _name(file: Path, subject: str | None, number: int) -> str:
    if subject is not None:
        return sequence_name(subject, number)
    return f"{file.stem.removesuffix('_iq')}_tvi.h5"


def _subject_of(file: Path) -> str:
    label, _, rest = file.stem.partition("_")
    return label.removeprefix("sub-") if rest else file.stem


def _acquire_to(path: Path, source: Path, settings: AcquireSettings, arguments: Mapping[str, Any]) -> None:
    acquire(source, settings, quiet=True, **arguments).save(path)


def _from_recording(recording: Recording, settings: AcquireSettings, subject: str | None, quiet: bool) -> Sequence:
    pixel = recording.shape[1] * recording.spacing[0] / settings.output.rows
    estimate = autocorrelation_velocity(recording, settings.velocity, pixel, quiet)
    sequence = _conditioned(estimate.velocity, recording.frame_rate, estimate.spacing, settings, None, subject)
    labels = recording.labels
    if labels is not None:
        frames, *shape = sequence.shape
        labels = resample_labels(labels, recording.frame_rate, sequence.frame_rate, frames, (shape[0], shape[1]))
    return sequence.replace(
        labels=labels,
        origin=recording.origin,
        subject=subject or recording.subject,
        provenance={
            **sequence.provenance,
            "source": dict(recording.provenance),
            "local_centre_frequency": float(np.median(estimate.centre_frequency)),
        },
    )


def _conditioned(
    velocity: NDArray[np.float32],
    frame_rate: float,
    spacing: tuple[float, float],
    settings: AcquireSettings,
    path: Path | None,
    subject: str | None,
) -> Sequence:
    """Band-pass, median, resampling; spacing follows from the extent, which stays."""
    extent = (velocity.shape[1] * spacing[0], velocity.shape[2] * spacing[1])
    velocity = band_pass(velocity, frame_rate, settings.conditioning)
    velocity = median(velocity, spacing, settings.conditioning.median)
    velocity, rate = resample(velocity, frame_rate, settings.output)
    return Sequence(
        velocity,
        rate,
        (extent[0] / velocity.shape[1], extent[1] / velocity.shape[2]),
        subject=subject or (_subject_of(path) if path else ""),
        provenance=made_by("acquire", settings, file=path.name if path else None),
    )
