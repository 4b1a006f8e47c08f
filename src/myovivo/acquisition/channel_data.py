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
    """Channel data of a linear or curved array, RF or IQ, and the scan that made it.

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
    angles : (W,), rad, steering of each plane wave, positive towards positive x; of no account for other waves
    start_time : (W,), s, first sample of each wave after it passed the origin, the middle of the array at depth 0
    sound_speed : m/s
    is_iq : whether the blocks are complex IQ
    element_z : (E,), m, depth of the elements, positive into the tissue; 0 of a linear array. A curved array has its
        middle at 0 and its ends at less
    element_angles : (E,), rad, where the elements look to, from the depth axis towards positive x; if NaN, square to
        the array
    sources : (W, 2), m, virtual source (x, z) of each wave: z > 0 if it is focused there, z <= 0 if it diverges from
        there; NaN for plane waves
    apertures : (W, 2), m, from where to where in x the array fires; all of it if NaN
    half_band : Hz, what the sampling can hold on either side of the centre frequency, where that is less than the
        sampling frequency tells
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
    element_z: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))
    element_angles: NDArray[np.float64] = field(default_factory=lambda: np.full(1, np.nan))
    sources: NDArray[np.float64] = field(default_factory=lambda: np.full((1, 2), np.nan))
    apertures: NDArray[np.float64] = field(default_factory=lambda: np.full((1, 2), np.nan))
    half_band: float | None = None

    def __post_init__(self) -> None:
        # Sizes and rates.
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

        # The waves.
        if len(angles) != waves:
            raise InputError(f"{waves} waves per frame need as many angles, got {len(angles)}; give scan.angles")
        sources = _rows("sources", self.sources, waves)
        is_plane = np.isnan(sources).all(1)
        if not np.all(np.abs(angles[is_plane]) < np.pi / 3):
            raise InputError(f"plane waves must be steered by less than 60 degrees, got {np.rad2deg(angles).round(1)}")
        if not np.isfinite(sources[~is_plane]).all():
            raise InputError(f"sources must be (x, z) in m, or NaN for plane waves, got {self.sources}")
        if len(start) == 1:
            start = np.repeat(start, waves)
        if len(start) != waves or not np.all(np.isfinite(start)):
            raise InputError(f"start_time must be one finite number, or one per wave ({waves}), got {start}")
        apertures = _rows("apertures", self.apertures, waves)
        if np.any(apertures[:, 0] >= apertures[:, 1]):
            raise InputError(f"apertures must be (from, to) in m, got {self.apertures}")

        # What was checked, as arrays.
        z, look = self._depths(x)
        for name, value in (
            ("element_x", x),
            ("angles", np.where(is_plane, angles, 0.0)),
            ("start_time", start),
            ("element_z", z),
            ("element_angles", look),
            ("sources", sources),
            ("apertures", apertures),
        ):
            object.__setattr__(self, name, value)

    def _depths(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Depth and direction of each element."""
        z = np.asarray(self.element_z, float).ravel()
        z = np.repeat(z, len(x)) if len(z) == 1 else z
        if z.shape != x.shape or not np.isfinite(z).all():
            raise InputError(f"element_z must be a finite depth for each of {len(x)} elements, got {len(z)} values")
        look = np.asarray(self.element_angles, float).ravel()
        look = _square_to(x, z) if np.isnan(look).all() else look
        if look.shape != x.shape or not np.all(np.abs(look) < np.pi / 2):
            raise InputError(f"element_angles must lie within 90 degrees for each of {len(x)} elements, got {look}")
        return z, look

    @property
    def is_straight(self) -> bool:
        """Whether it is a linear array at depth 0."""
        return not np.any(self.element_z) and not np.any(self.element_angles)

    @property
    def has_plane_waves_only(self) -> bool:
        """Whether no wave has a virtual source."""
        return bool(np.isnan(self.sources).all())

    @property
    def half_aperture(self) -> float:
        """m, from the middle of the array to the outer edge of its last element."""
        return float(np.abs(self.element_x).max()) + float(np.mean(np.diff(self.element_x))) / 2

    @property
    def aperture_ends(self) -> NDArray[np.float64]:
        """(W, 2, 2): where the part of the array that fires begins and ends, (x, z) in m."""
        whole = np.array([-self.half_aperture, self.half_aperture])
        x = np.where(np.isnan(self.apertures), whole, self.apertures)
        return np.stack([x, np.interp(x, self.element_x, self.element_z)], 2)

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
        curve = "" if self.is_straight else " on a curve"
        away = int(np.count_nonzero(self.sources[:, 1] <= 0))
        steered = f"steered by {between(np.rad2deg(self.angles))} degrees"
        if not self.has_plane_waves_only:
            steered = f"{away} diverging, {int(np.count_nonzero(self.sources[:, 1] > 0))} focused"
        echo = f"{'IQ' if self.is_iq else 'RF'} sampled at {self.sampling_frequency / 1e6:.4g} MHz"
        facts = {
            "frames": f"{length}; each of {counted(waves, 'wave')} of {samples} samples, {steered}",
            "array": f"{elements} elements{curve}, {1e3 * float(np.ptp(self.element_x)):.4g} mm wide",
            "echo": f"{echo}, centre {self.centre_frequency / 1e6:.4g} MHz, sound at {self.sound_speed:.6g} m/s",
            "labels": labelled(self.labels),
            "made by": maker(self.provenance),
        }
        return Introduction(named("ChannelData", self.origin, self.subject), facts)


def _rows(name: str, values: ArrayLike, waves: int) -> NDArray[np.float64]:
    """Two numbers for each wave, (W, 2)."""
    rows = np.atleast_2d(np.asarray(values, float))
    rows = np.repeat(rows, waves, 0) if len(rows) == 1 else rows
    if rows.shape != (waves, 2):
        raise InputError(f"{name} must be two numbers for each of {waves} waves, got the shape {rows.shape}")
    return rows


def _square_to(x: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where elements look to that lie flat on the array, rad."""
    if len(x) < 3 or not np.any(z):
        return np.zeros(len(x))
    return np.arctan2(-np.gradient(z, x, edge_order=2), 1.0)


def centred(elements: int, pitch: float) -> NDArray[Any]:
    """(E,) lateral positions of a linear array around 0, m."""
    return (np.arange(elements) - (elements - 1) / 2) * pitch
