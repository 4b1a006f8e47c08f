"""Verasonics: a workspace saved with RcvData, Receive, Trans, TX, TW, Resource and, if at hand, Event and SeqControl.

Lengths are in wavelengths of Trans.frequency, or in mm where Trans.units says so; Receive tells where in a buffer each
acquisition lies, `frames` reads them. Sampling begins at twice Receive.startDepth after the transmit; an
echo comes later than its path says by the way through the lens, twice, and by TW.peak, from the start of the pulse to
its middle.
"""

from __future__ import annotations

from pathlib import Path

from ....runtime.matlab import names_in_matlab
from ...content import CHANNEL_AXES, Content, Frames, Parameters, parameter
from .frames import Acquisitions, sampling_of
from .probe import element_positions, wiring
from .receives import frame_times, grouped_waves, receive_buffer, receives_of
from .scan import acquisition_rate, firing_delays, pulse_frequency, start_times
from .workspace import workspace_of

_NEEDED = {"RcvData", "Receive", "Trans", "TX"}


def is_verasonics(path: Path, is_hdf5: bool) -> bool:
    """Whether a MATLAB file holds what a Verasonics system works with."""
    return names_in_matlab(path, is_hdf5) >= _NEEDED


def read_verasonics(path: Path, is_hdf5: bool, buffer: int | None = None) -> Content:
    """Channel RF and its scan.

    Parameters
    ----------
    path : of the MATLAB file
    is_hdf5 : whether it is of v7.3
    buffer : which receive buffer, from 1; may be None if only one was used

    Raises
    ------
    FileError : broken.
    InputError : several buffers, matrix arrays, moving apertures, accumulated acquisitions, or structs that fit neither
        the data nor each other.
    """
    # Where the acquisitions lie, and how elements are wired to columns.
    work = workspace_of(path, is_hdf5)
    source, number = receive_buffer(work, buffer)
    receives = receives_of(work, number, source.shape)
    elements, channels = wiring(work, receives, source.shape[1])
    frequency = work.positive("Trans", "frequency") * 1e6
    speed, speed_origin = work.number("Resource.Parameters", "speedOfSound"), "file (Resource.Parameters.speedOfSound)"
    speed, speed_origin = (speed, speed_origin) if speed and speed > 0 else (1540.0, "default")

    # How they were sampled and fired, and which make a frame.
    mode = work.common("Receive", "sampleMode", receives.number) or "NS200BW"
    rate, sampling = acquisition_rate(work, receives, mode, frequency), sampling_of(mode)
    delays = firing_delays(work, receives, elements, speed, frequency)
    leads = start_times(work, receives, speed, frequency)
    waves = grouped_waves(work, receives, delays, leads, sampling.together, rate)
    acquisitions = Acquisitions(source, waves.places, receives.samples, channels, sampling)
    frames = Frames(acquisitions.open, acquisitions.shape, acquisitions.dtype, CHANNEL_AXES)

    # What is told of the scan.
    origin = "file (Receive.startDepth, TW.peak, Trans.lensCorrection)"
    stated: Parameters = {
        "sound_speed": parameter("sound_speed", speed, speed_origin),
        "sampling_frequency": parameter("sampling_frequency", rate * sampling.up, f"file (Receive: {mode})"),
        "centre_frequency": pulse_frequency(work, receives, mode, rate, frequency),
        "transmit_delays": parameter("transmit_delays", waves.delays, "file (TX.Delay, TX.Apod)"),
        "start_time": parameter("start_time", waves.leads, origin),
    }
    if sampling.has_gaps:
        stated["half_band"] = parameter("half_band", rate / 4, f"file (Receive: {mode})")
    stated |= element_positions(work, elements, speed / frequency)
    if (times := frame_times(work, receives, waves.first)) is not None:
        stated["frame_times"] = parameter("frame_times", times, "file (SeqControl.timeToNextAcq)")
    return Content("rf", frames, stated, f"{work.format}, Verasonics", f"RcvData{{{number + 1}}}", axes_origin="file")
