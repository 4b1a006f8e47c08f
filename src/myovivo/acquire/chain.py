"""From a recording to a TVI sequence: open, beamform, estimate velocity, condition, resample; block by block."""

from __future__ import annotations

import contextlib
import functools
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..config import AcquireSettings, Settings, settings_from
from ..domain import good_sequence, make_domain
from ..errors import FileError, InputError, RecordingWarning
from ..provenance import made_by, sequence_name
from ..recording import Recording
from ..sequence import MotorUnits, Origin, Sequence, read_header, save_blocks
from .beamform import beamform, device_of
from .channel_data import ChannelData
from .checks import Watch, aliasing_note, timing_notes
from .condition import band_passed, median, resample_labels, resample_space, resampled_in_time, resampled_length
from .content import Content, Parameter, Parameters, parameter
from .motion import Motion
from .opening import FORMATS, format_of, open_recording, recordings_in
from .readers.scan_notes import notes_beside
from .readers.video import video_frame_rate
from .scanned import channel_data, clip, complete, iq_recording, resolved, velocity_frames
from .velocity import VelocityEstimator

Source = Recording | ChannelData | str | Path
SettingsSource = AcquireSettings | str | Path | Mapping[str, Any] | None


def acquire(
    source: Source,
    settings: SettingsSource = None,
    *,
    mapping: str | Path | None = None,
    frame_rate: float | None = None,
    spacing: tuple[float, float] | None = None,
    variable: str | None = None,
    subject: str | None = None,
    device: str = "auto",
    quiet: bool = False,
    **changes: Any,
) -> Sequence:
    """Turn a recording into a TVI sequence, the paper's way.

    Channel RF or IQ: plane-wave beamforming; then, as for beamformed IQ, 2-D autocorrelation. B-mode
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
    RecordingWarning : aliasing, dropped frames, silent or saturated channels.
    """
    short = {"scan.frame_rate": frame_rate, "scan.spacing": spacing, "scan.variable": variable}
    changes |= {name: value for name, value in short.items() if value is not None}
    stream = _stream(source, settings_from(AcquireSettings, settings, **changes), mapping, subject, device, quiet)
    with _file_named(source):
        velocity = np.empty(stream.shape, np.float32)
        filled = 0
        for block in stream.blocks:
            velocity[filled : filled + len(block)] = block
            filled += len(block)
    about = stream.about()
    for note in about["provenance"]["notes"]:
        warnings.warn(RecordingWarning(note), stacklevel=3)  # beyond the callable module, to the caller
    return Sequence(velocity, stream.frame_rate, stream.spacing, **about)


def acquire_to(
    path: str | Path,
    source: Source,
    settings: SettingsSource = None,
    *,
    mapping: str | Path | None = None,
    subject: str | None = None,
    device: str = "auto",
    quiet: bool = False,
    **changes: Any,
) -> Path:
    """`acquire` straight into a sequence file, in memory that does not grow with the recording.

    Parameters
    ----------
    path : the sequence file to write, whole or not at all
    source, settings, mapping, subject, device, quiet, **changes : as for `acquire`

    Returns
    -------
    Path : of the file; what `acquire` would warn of stands in its provenance under `notes`

    Raises
    ------
    FileError, InputError : as `acquire`; the disk is full.
    """
    stream = _stream(source, settings_from(AcquireSettings, settings, **changes), mapping, subject, device, quiet)
    with _file_named(source):
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
    FileError : no recordings there, or one that cannot be read (the others are kept).
    RunFolderError : `out` holds a domain made another way.

    Warns
    -----
    RecordingWarning : as `acquire`, for each file.
    """
    short = {"scan.frame_rate": frame_rate, "scan.spacing": spacing, "scan.variable": variable}
    changes |= {name: value for name, value in short.items() if value is not None}
    settings = settings_from(AcquireSettings, settings, **changes)
    source = Path(source)
    files = recordings_in(source)
    arguments = {"mapping": mapping, "subject": subject, "device": device}
    # A single long recording is computed here, with its progress; several share the cores.
    alone = len(files) == 1
    make = functools.partial(_acquire_file, settings=settings, arguments=arguments, quiet=quiet or not alone)
    names = _names(files, subject)
    makers = {name: functools.partial(make, source=file) for name, file in zip(names, files, strict=True)}
    recipe = {
        "stage": "acquire",
        "source": str(source.resolve()),
        "settings": settings.model_dump(mode="json"),
        "mapping": Path(mapping).read_text(encoding="utf-8") if mapping and Path(mapping).is_file() else None,
        "subject": subject,
    }
    paths = make_domain(out, makers, recipe, good_sequence, "acquire", 1 if alone else workers, quiet or alone)
    for file, path in zip(files, paths, strict=True):
        for note in read_header(path).provenance.get("notes", []):
            warnings.warn(RecordingWarning(f"{file.name}: {note}"), stacklevel=2)
    return paths


def recorded_frame_rate(path: str | Path) -> float:
    """Frames per second of a recording, without reading its frames.

    Raises
    ------
    FileError : unreadable, or it does not say.
    """
    path = Path(path)
    if format_of(path) == "video":
        return video_frame_rate(path)
    found = open_recording(path)
    if isinstance(found, Recording):
        return found.frame_rate
    if "frame_rate" in (given := resolved(found)[0]):
        return given["frame_rate"].value
    raise FileError(path, "says nothing of its frame rate; acquire it with --frame-rate first")


def acquired_name(file: Path, subject: str | None = None, run: int | None = None) -> str:
    """Name of the sequence of a recording, in the manner of BIDS: its own entities where it has them.

    `sub-01_task-isometric_run-02_rf.mat` keeps them, `p6_push_01.mp4` becomes
    `sub-p6_task-push01_tvi.h5`, `scan.mat` `sub-scan_tvi.h5`.
    """
    stem = re.sub(r"_(iq|rf|tvi|bmode)$", "", file.stem)
    if subject is not None:
        return sequence_name(subject, run or 1)
    if stem.startswith("sub-"):
        return f"{stem}_tvi.h5"
    who, _, rest = stem.partition("_")
    task = re.sub(r"[^A-Za-z0-9]", "", rest)
    return f"sub-{re.sub(r'[^A-Za-z0-9]', '', who) or 'unknown'}{f'_task-{task}' if task else ''}_tvi.h5"


def _names(files: list[Path], subject: str | None) -> list[str]:
    names = [acquired_name(file, subject, number) for number, file in enumerate(files, 1)]
    taken: dict[str, int] = {}
    for index, name in enumerate(names):  # files that differ only in what a name leaves out
        taken[name] = taken.get(name, 0) + 1
        if taken[name] > 1:
            names[index] = name.replace("_tvi.h5", f"_run-{taken[name]:02d}_tvi.h5")
    return names


def _acquire_file(
    path: Path, source: Path, settings: AcquireSettings, arguments: Mapping[str, Any], quiet: bool
) -> None:
    acquire_to(path, source, settings, quiet=quiet, **arguments)


# ----------------------------------------------------------------------------------- the stream


class _Raw(NamedTuple):
    """Velocity before conditioning, as a stream, and what is known of it (some only when it has passed)."""

    blocks: Iterable[NDArray[np.float32]]
    shape: tuple[int, int, int]
    frame_rate: float
    spacing: tuple[float, float]
    parameters: Parameters
    groups: tuple[str, ...]
    notes: Callable[[], list[str]]
    more: Callable[[], dict[str, Any]]
    labels: MotorUnits | None = None
    origin: Origin = "vivo"
    subject: str = ""
    file: str | None = None


class _Stream(NamedTuple):
    """Conditioned velocity as a stream; `about` gives the other attributes of the sequence once it has passed."""

    blocks: Iterator[NDArray[np.float32]]
    shape: tuple[int, int, int]
    frame_rate: float
    spacing: tuple[float, float]
    about: Callable[[], dict[str, Any]]


def _stream(
    source: Source,
    settings: AcquireSettings,
    mapping: str | Path | None,
    subject: str | None,
    device: str,
    quiet: bool,
) -> _Stream:
    with _file_named(source):
        raw = _raw(source, settings, mapping, str(device_of(device)), quiet)
        return _conditioned(raw, settings, subject)


def _raw(source: Source, settings: AcquireSettings, mapping: str | Path | None, device: str, quiet: bool) -> _Raw:
    if isinstance(source, Recording):
        return _from_iq(source, settings, told_by_recording(source), (), [], device, quiet)
    if isinstance(source, ChannelData):
        return _from_channels(source, settings, told_by_recording(source), [], device, quiet)
    path = Path(source)
    found = open_recording(path, settings.scan, mapping)
    if isinstance(found, Recording):
        return _from_iq(found, settings, told_by_recording(found, "file"), (), [], device, quiet)
    if found.kind == "bmode":
        found = with_video_settings(path, found, settings)
    given = complete(found)
    notes = timing_notes(found.parameters, found.shape[1] if len(found.shape) == 4 else 1)
    who = str(found.parameters["subject"].value) if "subject" in found.parameters else _subject_of(path)
    if found.kind in ("rf", "channel_iq"):
        raw = _from_channels(channel_data(found, given), settings, given, notes, device, quiet)
    elif found.kind == "iq":
        recording = iq_recording(found, given)
        watch = Watch(recording.blocks, has_channels=False)
        raw = _from_iq(replace(recording, blocks=watch), settings, given, (), notes, device, quiet)
        raw = raw._replace(notes=_both(watch.notes, raw.notes))
    elif found.kind == "bmode":
        raw = _from_clip(found, given, settings, notes, quiet)
    else:
        frames = velocity_frames(found, given)
        raw = _Raw(
            frames.blocks(), frames.shape, frames.frame_rate, frames.spacing, given, (), lambda: notes, dict[str, Any]
        )
    return raw._replace(subject=who, file=path.name)


def _both(some: Callable[[], list[str]], others: Callable[[], list[str]]) -> Callable[[], list[str]]:
    return lambda: [*some(), *others()]


def _from_channels(
    channels: ChannelData, settings: AcquireSettings, given: Parameters, notes: list[str], device: str, quiet: bool
) -> _Raw:
    watch = Watch(channels.blocks, has_channels=True)
    recording = beamform(replace(channels, blocks=watch), settings, device=device)
    image = recording.provenance["image"]
    for name, unit in (("depth", "m"), ("width", "m"), ("rows", "1"), ("columns", "1"), ("half_band", "Hz")):
        given = given | {f"image.{name}": Parameter(image[name], unit, "derived")}
    groups = ("demodulation", "beamforming")
    raw = _from_iq(recording, settings, given, groups, notes, device, quiet)
    return raw._replace(notes=_both(watch.notes, raw.notes))


def _from_iq(
    recording: Recording,
    settings: AcquireSettings,
    given: Parameters,
    groups: tuple[str, ...],
    notes: list[str],
    device: str,
    quiet: bool,
) -> _Raw:
    pixel = recording.shape[1] * recording.spacing[0] / settings.output.rows
    estimator = VelocityEstimator(recording, settings.velocity, pixel, quiet, device)
    return _Raw(
        estimator.blocks(),
        estimator.shape,
        recording.frame_rate,
        estimator.spacing,
        given,
        (*groups, "velocity"),
        lambda: [*notes, *aliasing_note(estimator.aliased, estimator.nyquist)],
        lambda: {
            "source": dict(recording.provenance),
            "local_centre_frequency": float(np.median(estimator.centre_frequency)),
            "nyquist_velocity": estimator.nyquist,
        },
        recording.labels,
        recording.origin,
        recording.subject,
    )


def _from_clip(content: Content, given: Parameters, settings: AcquireSettings, notes: list[str], quiet: bool) -> _Raw:
    pictures = clip(content, given)
    watch = Watch(pictures.blocks, has_channels=False)
    motion = Motion(pictures._replace(blocks=watch), settings.video.window, quiet)
    return _Raw(
        motion.blocks(),
        motion.shape,
        pictures.frame_rate,
        motion.spacing,
        given,
        ("video",),
        lambda: [*notes, *watch.notes()],
        dict[str, Any],
    )


def with_video_settings(path: Path, content: Content, settings: AcquireSettings) -> Content:
    """Pixel size, region and rate of a video: from the settings, else from notes beside it, else its own."""
    video, scan = settings.video, settings.scan
    parameters = content.parameters | (notes_beside(path) if video.pixel is None and scan.spacing is None else {})
    given = {
        "spacing": (video.pixel, video.pixel) if video.pixel else scan.spacing,
        "crop": video.crop,
        "frame_rate": video.frame_rate or scan.frame_rate,
    }
    parameters |= {name: parameter(name, value, "argument") for name, value in given.items() if value is not None}
    if "spacing" not in parameters:
        raise InputError("a video says nothing of its pixel size; give video.pixel in m, such as 0.0000883")
    if "frame_rate" not in parameters and "frame_times" not in parameters:
        raise InputError("does not say its frame rate; give video.frame_rate in Hz")
    return replace(content, parameters=parameters)


def _conditioned(raw: _Raw, settings: AcquireSettings, subject: str | None) -> _Stream:
    """Band-pass, median, resampling; spacing follows from the extent, which stays."""
    output, frames = settings.output, raw.shape[0]
    rate = raw.frame_rate if output.frame_rate is None else min(output.frame_rate, raw.frame_rate)
    count = resampled_length(frames, raw.frame_rate, rate)
    if output.frames is not None:
        if count < output.frames:
            raise InputError(f"output.frames is {output.frames}, got {count}; record longer or ask for fewer")
        count = output.frames
    extent = (raw.shape[1] * raw.spacing[0], raw.shape[2] * raw.spacing[1])
    size = (output.rows, output.columns)

    def blocks() -> Iterator[NDArray[np.float32]]:
        passed = band_passed(raw.blocks, raw.shape, raw.frame_rate, settings.conditioning)
        smooth = (median(block, raw.spacing, settings.conditioning.median) for block in passed)
        placed = (resample_space(block, size) for block in smooth)
        given = 0
        for block in resampled_in_time(placed, frames, raw.frame_rate, rate):
            # Frames beyond the last one wanted still pass, so that the checks see the whole recording.
            if given < count:
                yield block[: count - given]
                given += len(block)

    def about() -> dict[str, Any]:
        labels = raw.labels
        if labels is not None:
            labels = resample_labels(labels, raw.frame_rate, rate, count, size)
        used = _setting_parameters(settings, (*raw.groups, "conditioning", "output"))
        parameters = {name: one._asdict() for name, one in (raw.parameters | used).items()}
        note = made_by("acquire", settings, file=raw.file, **raw.more(), notes=raw.notes(), parameters=parameters)
        return {"labels": labels, "origin": raw.origin, "subject": subject or raw.subject, "provenance": note}

    spacing = (extent[0] / size[0], extent[1] / size[1])
    return _Stream(blocks(), (count, *size), rate, spacing, about)


def _setting_parameters(settings: AcquireSettings, groups: Iterable[str]) -> Parameters:
    """The settings that were used, and whether they are defaults."""
    defaults = type(settings)()
    found: Parameters = {}
    for group in groups:
        chosen: Settings = getattr(settings, group)
        for name, value in chosen:
            origin = "default" if value == getattr(getattr(defaults, group), name) else "argument"
            if value is not None:
                found[f"{group}.{name}"] = Parameter(value, "", origin)
    return found


def told_by_recording(source: Recording | ChannelData, origin: str = "argument") -> Parameters:
    """The parameters of a recording that was opened or made before."""
    names = ("frame_rate", "centre_frequency", "sound_speed")
    more = (
        ("sampling_frequency", "element_x", "angles", "start_time") if isinstance(source, ChannelData) else ("spacing",)
    )
    return {name: parameter(name, getattr(source, name), origin) for name in (*names, *more)}


def _subject_of(file: Path) -> str:
    label, _, rest = file.stem.partition("_")
    return label.removeprefix("sub-") if rest else file.stem


@contextlib.contextmanager
def _file_named(source: Source) -> Iterator[None]:
    """What is wrong with a file's content is said with its name."""
    try:
        yield
    except InputError as error:
        if isinstance(source, str | Path):
            raise FileError(source, str(error)) from error
        raise


__all__ = ["FORMATS", "acquire", "acquire_domain", "acquire_to", "recorded_frame_rate", "recordings_in"]
