"""What is computed with: channel data, IQ, velocity or B-mode frames, from what a file holds and says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..sequences.header import Origin
from ..sequences.quantities import VELOCITY_UNITS, plausible
from ..sequences.recording import Recording
from .channel_data import ChannelData
from .content import AXES, Content, Parameters

_BYTES_AT_ONCE = 48 << 20  # of float32 channel samples

_FRAMES_AT_ONCE = 32

_IMAGE_BYTES = 128 << 20


class Images(NamedTuple):
    """Frames that need no beamforming: `blocks()` yields (B, Z, X), grey levels, or velocity in m/s towards the
    probe; shape (T, Z, X), frame rate (Hz), spacing (m)."""

    blocks: Callable[[], Iterator[NDArray[Any]]]
    shape: tuple[int, int, int]
    frame_rate: float
    spacing: tuple[float, float]


def channel_data(content: Content, given: Parameters, origin: Origin = "vivo", subject: str = "") -> ChannelData:
    """Channel data ready to be beamformed."""
    frames, waves, samples, elements = content.shape
    _numbers(content, "channel data")
    if content.kind == "channel_iq" and not content.frames.is_complex:
        raise InputError("channel IQ must be complex, got real numbers; give scan.content rf")
    conjugate = content.kind == "channel_iq" and given["sign"].value < 0
    at_once = _BYTES_AT_ONCE // (waves * samples * elements * 4)
    count = int(np.clip(at_once, 1, _FRAMES_AT_ONCE))
    value = {name: one.value for name, one in given.items()}

    def blocks() -> Iterator[NDArray[Any]]:
        for block in content.frames.blocks(AXES[content.kind], count):
            yield block.conj() if conjugate else block

    return ChannelData(
        blocks=blocks,
        is_iq=content.kind == "channel_iq",
        shape=(frames, waves, samples, elements),
        frame_rate=value["frame_rate"],
        sampling_frequency=value["sampling_frequency"],
        centre_frequency=value["centre_frequency"],
        element_x=np.asarray(value["element_x"]),
        angles=np.atleast_1d(value["angles"]),
        start_time=np.atleast_1d(value["start_time"]),
        sound_speed=value["sound_speed"],
        origin=origin,
        subject=subject,
        **{
            name: value[name]
            for name in ("element_z", "element_angles", "sources", "apertures", "half_band")
            if name in value
        },
    )


def iq_recording(content: Content, given: Parameters, origin: Origin = "vivo", subject: str = "") -> Recording:
    """Beamformed IQ frames."""
    frames, rows, columns = content.shape
    if not content.frames.is_complex:
        raise InputError(
            "beamformed IQ must be complex, got real numbers; demodulate them first, or give scan.content rf"
        )
    conjugate = given["sign"].value < 0
    turn = None
    if not given["baseband"].value:
        depth = np.arange(rows) * given["spacing"].value[0]
        phase = -4 * np.pi * given["centre_frequency"].value / given["sound_speed"].value * depth
        turn = np.exp(1j * (-phase if conjugate else phase))[:, None].astype(np.complex64)

    def blocks() -> Iterator[NDArray[np.complex64]]:
        for block in content.frames.blocks(AXES["iq"], _at_once(content)):
            iq = block.astype(np.complex64, copy=False)
            iq = iq if turn is None else iq * turn
            yield iq.conj() if conjugate else iq

    return Recording(
        blocks=blocks,
        shape=(frames, rows, columns),
        frame_rate=given["frame_rate"].value,
        spacing=given["spacing"].value,
        centre_frequency=given["centre_frequency"].value,
        sound_speed=given["sound_speed"].value,
        origin=origin,
        subject=subject,
    )


def velocity_frames(content: Content, given: Parameters) -> Images:
    """Frames that are velocity already.

    Raises
    ------
    InputError : not real, not finite, or so fast that it must be in another unit; the latter two when they are read.
    """
    frames, rows, columns = content.shape
    scale = given["scale"].value if "scale" in given else 1.0
    factor = np.float32(given["sign"].value * VELOCITY_UNITS[given["unit"].value] * scale)
    if content.frames.is_complex or content.frames.dtype.kind not in "fiu":
        raise InputError(
            f"velocity must be a real array (T, Z, X), got {content.frames.dtype} of shape {content.frames.shape}"
        )

    def blocks() -> Iterator[NDArray[np.float32]]:
        for block in content.frames.blocks(AXES["velocity"], _at_once(content)):
            values = block.astype(np.float32) * factor
            if bad := int(np.count_nonzero(~np.isfinite(values))):
                raise InputError(f"velocity must be finite, got {bad} NaN or infinite values; mask or fill them")
            _require_speed(values)
            yield values

    return Images(blocks, (frames, rows, columns), given["frame_rate"].value, given["spacing"].value)


def _require_speed(values: NDArray[np.float32]) -> None:
    rms = float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
    try:
        plausible("velocity", rms, shown="root-mean-square velocity")
    except InputError as error:
        raise InputError(f"{error} give scan.unit mm/s then") from None


def clip(content: Content, given: Parameters) -> Images:
    """B-mode frames of the image region.

    Raises
    ------
    InputError : the region does not lie within the picture.
    """
    frames, height, width = content.shape
    _numbers(content, "B-mode frames")
    if content.frames.is_complex:
        raise InputError("B-mode frames must be real, got complex numbers; give scan.content iq")
    crop = given["crop"].value if "crop" in given else (0, height, 0, width)
    z0, z1, x0, x1 = (int(edge) for edge in crop)
    if not (0 <= z0 < z1 <= height and 0 <= x0 < x1 <= width):
        raise InputError(
            f"video.crop (z0, z1, x0, x1) must lie within {height} x {width} pixels, got {(z0, z1, x0, x1)}"
        )

    def blocks() -> Iterator[NDArray[np.uint8]]:
        for block in content.frames.blocks(AXES["bmode"], 32):
            yield block[:, z0:z1, x0:x1]

    shape = (frames, z1 - z0, x1 - x0)
    return Images(blocks, shape, given["frame_rate"].value, given["spacing"].value)


def _at_once(content: Content) -> int:
    """Images read at a time: many, as their frames may lie scattered over the whole file."""
    return int(np.clip(_IMAGE_BYTES // (content.shape[1] * content.shape[2] * 8), 16, content.shape[0]))


def _numbers(content: Content, title: str) -> None:
    dtype = content.frames.dtype
    if dtype.kind not in "fiuc" and not content.frames.is_complex:
        raise InputError(f"{title} must be numbers, got {dtype} of shape {content.frames.shape}")
