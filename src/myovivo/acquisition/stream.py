"""Any recording as a stream of conditioned velocity: one block of frames is in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..runtime.device import device_of
from ..runtime.provenance import made_by
from ..runtime.settings import Settings
from ..sequences.header import Origin
from ..sequences.labels import MotorUnits
from ..sequences.recording import Recording
from ..sequences.resample import resample_labels
from ..signals.band_pass import band_passed
from ..signals.median import median
from ..signals.resample import resample_space, resampled_in_time, resampled_length
from .band import require_band_of_video, require_time
from .beamform import beamform
from .channel_data import ChannelData
from .checks import (
    Peaks,
    Speed,
    Watch,
    aliasing_note,
    axes_note,
    frequency_note,
    overlay_note,
    timing_notes,
)
from .content import Content, Parameter, Parameters, parameter
from .given_labels import GivenLabels, Labels, labels_beside
from .inputs import channel_data, clip, iq_recording, velocity_frames
from .motion import Motion
from .parameters import complete, in_vain, unusual
from .readers.scan_notes import notes_beside
from .readers.video import coloured_share
from .recordings import open_recording
from .settings import AcquireSettings, Scan
from .source_file import RecordingSource, file_named, fingerprint, subject_of_name
from .velocity import VelocityEstimator


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
    labels: Callable[[], MotorUnits | None] = lambda: None
    origin: Origin = "vivo"
    subject: str = ""
    file: str | None = None
    fingerprint: str | None = None


class Stream(NamedTuple):
    """Conditioned velocity as a stream; `about` gives the other attributes of the sequence once it has passed."""

    blocks: Iterator[NDArray[np.float32]]
    shape: tuple[int, int, int]
    frame_rate: float
    spacing: tuple[float, float]
    about: Callable[[], dict[str, Any]]


def stream_of(
    source: RecordingSource,
    settings: AcquireSettings,
    mapping: str | Path | None,
    subject: str | None,
    device: str,
    quiet: bool,
    labels: Labels | None = None,
) -> Stream:
    """Open a source and prepare everything; frames are read and computed when the blocks are asked for.

    Raises
    ------
    FileError, InputError : as `acquire`.
    """
    if not isinstance(source, Recording | ChannelData | str | Path):
        raise InputError(
            f"a recording is a file, a Recording or ChannelData, got {type(source).__name__}; make one of an array "
            "with ChannelData.of_array or Recording.of_array, or a Sequence if it is velocity"
        )
    with file_named(source):
        raw = _raw(source, settings, mapping, str(device_of(device)), quiet)
        if isinstance(source, str | Path):
            raw = raw._replace(file=Path(source).name, fingerprint=fingerprint(Path(source)))
        if settings.role == "silico":
            raw = _simulated(raw, source, labels)
        elif labels is not None:
            raise InputError("labels are for velocity of your own simulator; give role='silico' with them")
        return _conditioned(raw, settings, subject)


def _raw(
    source: RecordingSource, settings: AcquireSettings, mapping: str | Path | None, device: str, quiet: bool
) -> _Raw:
    if isinstance(source, Recording | ChannelData) and settings.scan != type(settings.scan)():
        raise InputError("scan settings are for files; change the recording itself, as with dataclasses.replace")
    if isinstance(source, Recording | ChannelData):
        short = require_time(settings, source.shape[0], source.frame_rate)
        if isinstance(source, Recording):
            return _from_iq(source, settings, told_by_recording(source), (), short, device, quiet)
        return _from_channels(source, settings, told_by_recording(source), short, device, quiet)
    # A file, and what it says of itself
    path = Path(source)
    require_band_of_video(path, settings)
    opened = open_recording(path, settings.scan, mapping)
    if isinstance(opened, Recording):
        short = require_time(settings, opened.shape[0], opened.frame_rate)
        raw = _from_iq(opened, settings, told_by_recording(opened, settings.scan), (), short, device, quiet)
        return raw._replace(subject=opened.subject or subject_of_name(path))
    if opened.kind == "bmode":
        opened = with_video_settings(path, opened, settings)
    given = complete(opened)
    notes = require_time(settings, opened.shape[0], given["frame_rate"].value) + unusual(opened, given)
    notes += timing_notes(opened.parameters, opened.shape[1] if len(opened.shape) == 4 else 1)
    if opened.axes_origin == "default" and len(opened.shape) == 3:
        notes += axes_note(" ".join(opened.frames.axes), opened.shape)
    who = str(opened.parameters["subject"].value) if "subject" in opened.parameters else subject_of_name(path)
    notes += in_vain(opened, given, who)
    # On its way to velocity, by what it holds
    if opened.kind in ("rf", "channel_iq"):
        raw = _from_channels(channel_data(opened, given), settings, given, notes, device, quiet)
    elif opened.kind == "iq":
        recording = iq_recording(opened, given)
        watch = Watch(recording.blocks, has_channels=False)
        raw = _from_iq(replace(recording, blocks=watch), settings, given, (), notes, device, quiet)
        raw = raw._replace(notes=_both(watch.notes, raw.notes))
    elif opened.kind == "bmode":
        if opened.format == "video":
            height, width = opened.shape[1:3]
            region = given["crop"].value if "crop" in given else (0, height, 0, width)
            notes += overlay_note(coloured_share(path, region))
        raw = _from_clip(opened, given, settings, notes, quiet)
    else:
        frames = velocity_frames(opened, given)
        speed = Speed("velocity", "recorded root-mean-square velocity")
        passing, size = speed.watched(frames.blocks()), (frames.frame_rate, frames.spacing)
        raw = _Raw(passing, frames.shape, *size, given, (), _both(lambda: notes, speed.notes), dict[str, Any])
    return raw._replace(subject=who)


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
    estimator = VelocityEstimator(recording, settings.velocity, pixel, quiet, device, settings.conditioning.band)
    return _Raw(
        estimator.blocks(),
        estimator.shape,
        recording.frame_rate,
        estimator.spacing,
        given,
        (*groups, "velocity"),
        lambda: [
            *notes,
            *aliasing_note(estimator.aliased, estimator.nyquist),
            *([] if estimator.wraps is None else estimator.wraps.notes(estimator.spacing)),
            *frequency_note(float(np.median(estimator.centre_frequency)), recording.centre_frequency),
        ],
        lambda: {
            "source": dict(recording.provenance),
            "local_centre_frequency": float(np.median(estimator.centre_frequency)),
            "nyquist_velocity": estimator.nyquist,
        },
        lambda: recording.labels,
        recording.origin,
        recording.subject,
    )


def _from_clip(content: Content, given: Parameters, settings: AcquireSettings, notes: list[str], quiet: bool) -> _Raw:
    pictures = clip(content, given)
    watch = Watch(pictures.blocks, has_channels=False)
    _, height, width = pictures.shape
    (dz, dx), output = pictures.spacing, settings.output
    pixel = min(height * dz / output.rows, width * dx / output.columns)
    motion = Motion(pictures._replace(blocks=watch), settings.video.window, pixel, quiet)
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
    parameters = content.parameters | notes_beside(path)
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


def _simulated(raw: _Raw, source: RecordingSource, labels: Labels | None) -> _Raw:
    """Velocity as somebody's own simulator gave it, with the labels given or lying beside it."""
    if not isinstance(source, str | Path) or raw.groups:
        rule = "role silico is for files of velocity"
        raise InputError(f"{rule}; simulated channels, IQ or pictures are measured first: acquire them without it")
    labels = labels_beside(Path(source)) if labels is None else labels
    if labels is None:
        return raw._replace(origin="silico")
    truth = GivenLabels(labels, raw.shape, raw.frame_rate, raw.spacing)
    return raw._replace(origin="silico", labels=truth.units, blocks=truth.watch(raw.blocks))


def _conditioned(raw: _Raw, settings: AcquireSettings, subject: str | None) -> Stream:
    """Band-pass, median, resampling; spacing follows from the extent, which stays."""
    output, frames = settings.output, raw.shape[0]
    rate = raw.frame_rate if output.frame_rate is None else min(output.frame_rate, raw.frame_rate)
    count = resampled_length(frames, raw.frame_rate, rate)
    if count < 1:
        raise InputError(f"{frames} frames at {raw.frame_rate:g} Hz are less than one at {rate:g} Hz; record longer")
    band = settings.conditioning.band
    if rate < raw.frame_rate and band is not None and band[1] > rate / 2:
        raise InputError(
            f"conditioning.band ends at {band[1]:g} Hz, but {rate:g} frames per second hold up to {rate / 2:g} Hz; "
            "raise output.frame_rate or lower the band"
        )
    if output.frames is not None:
        if count < output.frames:
            raise InputError(f"output.frames is {output.frames}, got {count}; record longer or ask for fewer")
        count = output.frames
    extent = (raw.shape[1] * raw.spacing[0], raw.shape[2] * raw.spacing[1])
    size = (output.rows, output.columns)
    spacing = (extent[0] / size[0], extent[1] / size[1])
    peaks = Peaks()

    def blocks() -> Iterator[NDArray[np.float32]]:
        passed = band_passed(raw.blocks, raw.shape, raw.frame_rate, band, settings.conditioning.order)
        smooth = (median(block, raw.spacing, settings.conditioning.median) for block in passed)
        placed = (resample_space(block, size) for block in smooth)
        given = 0
        for block in peaks(resampled_in_time(placed, frames, raw.frame_rate, rate)):
            # Frames beyond the last one wanted still pass, so that the checks see the whole recording.
            if given < count:
                yield block[: count - given]
                given += len(block)
        if given < count:
            raise InputError(f"{count} frames were announced but {given} came; read the recording again")

    def about() -> dict[str, Any]:
        labels = raw.labels()
        if labels is not None:
            labels = resample_labels(labels, raw.frame_rate, rate, count, size)
        used = _setting_parameters(settings, (*raw.groups, "conditioning", "output"))
        parameters = {name: one._asdict() for name, one in (raw.parameters | used).items()}
        folded = [
            "the recording was brought to a lower frame rate without a band-pass, so what is faster folds over; "
            "set output.frame_rate to none"
        ]
        notes = [*raw.notes(), *peaks.notes(rate, spacing)]
        notes += folded if band is None and rate < raw.frame_rate else []
        more = {**raw.more(), "notes": notes, "parameters": parameters, "fingerprint": raw.fingerprint}
        note = made_by("acquire", settings, file=raw.file, **more)
        return {"labels": labels, "origin": raw.origin, "subject": subject or raw.subject, "provenance": note}

    return Stream(blocks(), (count, *size), rate, spacing, about)


def _setting_parameters(settings: AcquireSettings, groups: Iterable[str]) -> Parameters:
    """The settings that were used, and whether they are defaults."""
    defaults = type(settings)()
    told: Parameters = {}
    for group in groups:
        chosen: Settings = getattr(settings, group)
        for name, value in chosen:
            origin = "default" if value == getattr(getattr(defaults, group), name) else "argument"
            if value is not None or origin == "argument":
                told[f"{group}.{name}"] = Parameter(value, "", origin)
    return told


def told_by_recording(source: Recording | ChannelData, scan: Scan | None = None) -> Parameters:
    """The parameters of a recording that was made in memory, or opened from a file under `scan`."""
    names = ("frame_rate", "centre_frequency", "sound_speed")
    more = (
        ("sampling_frequency", "element_x", "angles", "start_time") if isinstance(source, ChannelData) else ("spacing",)
    )

    def origin(name: str) -> str:
        return "argument" if scan is None or getattr(scan, name, None) is not None else "file"

    if isinstance(source, ChannelData) and not source.is_straight:
        more += ("element_z", "element_angles")
    if isinstance(source, ChannelData) and not source.has_plane_waves_only:
        more += ("sources",)
    return {name: parameter(name, getattr(source, name), origin(name)) for name in (*names, *more)}
