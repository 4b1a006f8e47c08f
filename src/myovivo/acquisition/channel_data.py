"""Channel data: what each element of the probe received, before beamforming, streamed in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from ..runtime.introduction import Introduced, Introduction, between, labelled, maker, named
from ..runtime.words import counted
from ..sequences.header import Origin
from ..sequences.labels import MotorUnits
from ..sequences.quantities import plausible, positive

_BLOCK = 32  # frames at a time

ChannelBlocks = Callable[[], Iterator[NDArray[Any]]]


@dataclass(frozen=True, eq=False, repr=False)
class ChannelData(Introduced):
    """Plane-wave channel data of a linear array, RF or IQ, and the scan that made it.

    Attributes
    ----------
    blocks : call it to iterate over the frames, (B, W, S, E) at a time: frame, wave, sample, element; real
        RF of any number type, or complex IQ mixed down with exp(-2 pi i f0 t), t from the first sample of
        each wave; every call starts anew
    shape : (T, W, S, E)
    frame_rate : of compounded frames, Hz: the pulse rate over the number of waves
    sampling_frequency : Hz; may be below twice the centre frequency (band-pass sampling)
    centre_frequency : of the transmitted pulse, Hz
    element_x : (E,), m, lateral position of the elements, ascending
    angles : (W,), rad, steering of each plane wave, positive towards positive x
    start_time : (W,), s, first sample of each wave after it passed the origin, the middle of the array at depth 0
    sound_speed : m/s
    is_iq : whether the blocks are complex IQ
    labels, origin, subject, provenance : as in `Sequence`

    Raises
    ------
    InputError : a number is not positive, or sizes do not agree.
    """

    blocks: ChannelBlocks
    shape: tuple[int, int, int, int]
    frame_rate: float
    sampling_frequency: float
    centre_frequency: float
    element_x: NDArray[np.float64]
    angles: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))
    start_time: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))
    sound_speed: float = 1540.0
    is_iq: bool = False
    labels: MotorUnits | None = None
    origin: Origin = "vivo"
    subject: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("frame_rate", "sampling_frequency", "centre_frequency"):
            positive(name, getattr(self, name), "Hz")
        positive("sound_speed", self.sound_speed, "m/s")
        for name in ("frame_rate", "sampling_frequency", "centre_frequency", "sound_speed"):
            plausible(name, getattr(self, name))
        frames, waves, samples, elements = self.shape
        x, angles = np.asarray(self.element_x, float).ravel(), np.asarray(self.angles, float).ravel()
        start = np.asarray(self.start_time, float).ravel()
        if len(x) != elements:
            swapped = "; the axes of samples and elements look swapped" if len(x) == samples else ""
            raise InputError(f"the array has {len(x)} elements but the data {elements}{swapped}; check scan.axes")
        if elements < 2 or samples < 8:
            raise InputError(f"beamforming needs at least 2 elements and 8 samples, got {elements} and {samples}")
        if np.any(np.diff(x) <= 0):
            raise InputError("element positions must ascend; sort the elements by their lateral position")
        if frames < 2:
            raise InputError(f"a velocity needs at least two frames, got {frames}")
        if len(angles) != waves:
            raise InputError(f"{waves} waves per frame need as many angles, got {len(angles)}; give scan.angles")
        if not np.all(np.abs(angles) < np.pi / 3):
            raise InputError(f"plane waves must be steered by less than 60 degrees, got {np.rad2deg(angles).round(1)}")
        if len(start) == 1:
            start = np.repeat(start, waves)
        if len(start) != waves or not np.all(np.isfinite(start)):
            raise InputError(f"start_time must be one finite number, or one per wave ({waves}), got {start}")
        for name, value in (("element_x", x), ("angles", angles), ("start_time", start)):
            object.__setattr__(self, name, value)

    @classmethod
    def of_array(cls, data: ArrayLike, *, pitch: float | None = None, **scan: Any) -> ChannelData:
        """Channel data in memory.

        Parameters
        ----------
        data : (T, S, E), or (T, W, S, E) with several waves per frame; real RF or complex IQ
        pitch : distance between elements, m, in place of `element_x`; the array is centred at 0
        **scan : the other attributes

        Raises
        ------
        InputError : other shapes or types, values that are not finite, or a broken scan.
        """
        array = np.asarray(data)
        if array.ndim == 3:
            array = array[:, None]
        if array.ndim != 4 or array.dtype.kind not in "fiuc":
            raise InputError(
                f"channel data must be numbers (T, S, E) or (T, W, S, E), got {array.dtype} of {array.shape}"
            )
        if array.dtype.kind in "fc" and not np.isfinite(np.sum(array)) and not np.isfinite(array).all():
            raise InputError("channel data must be finite, got NaN or infinite values; mask or fill them")
        if pitch is not None:
            positive("pitch", pitch, "m")
            scan["element_x"] = centred(array.shape[3], pitch)
        elif "element_x" not in scan:
            raise InputError("say where the elements are: give pitch in m, or element_x")

        scan["is_iq"] = np.iscomplexobj(array)

        def blocks() -> Iterator[NDArray[Any]]:
            for start in range(0, len(array), _BLOCK):
                yield array[start : start + _BLOCK]

        frames, waves, samples, elements = array.shape
        return cls(blocks, (frames, waves, samples, elements), **scan)

    def _introduction(self) -> Introduction:
        frames, waves, samples, elements = self.shape
        length = f"{frames} at {self.frame_rate:.6g} Hz, {frames / self.frame_rate:.4g} s"
        steered = f"steered by {between(np.rad2deg(self.angles))} degrees"
        echo = f"{'IQ' if self.is_iq else 'RF'} sampled at {self.sampling_frequency / 1e6:.4g} MHz"
        facts = {
            "frames": f"{length}; each of {counted(waves, 'wave')} of {samples} samples, {steered}",
            "array": f"{elements} elements, {1e3 * float(np.ptp(self.element_x)):.4g} mm wide",
            "echo": f"{echo}, centre {self.centre_frequency / 1e6:.4g} MHz, sound at {self.sound_speed:.6g} m/s",
            "labels": labelled(self.labels),
            "made by": maker(self.provenance),
        }
        return Introduction(named("ChannelData", self.origin, self.subject), facts)


def centred(elements: int, pitch: float) -> NDArray[Any]:
    """(E,) lateral positions of a linear array around 0, m."""
    return (np.arange(elements) - (elements - 1) / 2) * pitch
