"""When echoes arrive and how much each element counts: the physics of the beamformer.

Each function is of one pixel, one element and one wave; they are composed by broadcasting. Positions are (x, z)
in m: x along the array, z into the tissue, the origin at the middle of the array.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from .channel_data import ChannelData


class Elements(NamedTuple):
    """Where elements are and look to: m, m, and rad from the depth axis towards positive x.

    Of a straight array, z and angle are None.
    """

    x: torch.Tensor
    z: torch.Tensor | None = None
    angle: torch.Tensor | None = None


class Waves(NamedTuple):
    """Waves, plane or of virtual sources.

    Attributes
    ----------
    angle : steering of the plane ones, rad
    source : (x, z), m, where the others come from (z <= 0) or go to (z > 0), NaN for plane ones; None if all are
    first, last : (x, z), m, the ends of the part of the array that fires
    wavelength : m
    """

    angle: torch.Tensor
    source: tuple[torch.Tensor, torch.Tensor] | None
    first: tuple[torch.Tensor, torch.Tensor]
    last: tuple[torch.Tensor, torch.Tensor]
    wavelength: float


def elements_of(channels: ChannelData, device: torch.device | str) -> Elements:
    """The elements of a scan, (E,)."""
    like = {"dtype": torch.float32, "device": device}  # 1e-7 of a path of 100 mm is 10 nm
    x, z, angle = (
        torch.as_tensor(values, **like) for values in (channels.element_x, channels.element_z, channels.element_angles)
    )
    return Elements(x) if channels.is_straight else Elements(x, z, angle)


def waves_of(channels: ChannelData, device: torch.device | str) -> Waves:
    """The waves of a scan, (W, 1), to be broadcast with the elements."""

    def column(values: object) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.float32, device=device)[:, None]

    ends, sources = channels.aperture_ends, channels.sources
    return Waves(
        column(channels.angles),
        None if channels.has_plane_waves_only else (column(sources[:, 0]), column(sources[:, 1])),
        (column(ends[:, 0, 0]), column(ends[:, 0, 1])),
        (column(ends[:, 1, 0]), column(ends[:, 1, 1])),
        channels.sound_speed / channels.centre_frequency,
    )


def echo_time(z: torch.Tensor, x: torch.Tensor, element: Elements, wave: Waves, sound_speed: float) -> torch.Tensor:
    """Seconds from the moment a wave passes the origin until its echo from (z, x) reaches an element.

    t = (transmit path + |(z, x) - element|) / c. The transmit path of a plane wave is z cos(angle) + x sin(angle), of
    a wave from a source s behind the array |p - s| - |s|, of one focused at s |s| - |p - s| before the focus and
    |s| + |p - s| behind it. Where the focus is no point but as wide as diffraction leaves it, the wave is plane:
    Rindal et al. 2018, IEEE Int Ultrason Symp, doi:10.1109/ULTSYM.2018.8579944.
    """
    beyond = torch.hypot(z if element.z is None else z - element.z, x - element.x)
    return (_transmit_path(z, x, wave) + beyond) / sound_speed


def _transmit_path(z: torch.Tensor, x: torch.Tensor, wave: Waves) -> torch.Tensor:
    plane = z * torch.cos(wave.angle) + x * torch.sin(wave.angle)
    if wave.source is None:
        return plane
    sx, sz = wave.source
    far, near = torch.hypot(x - sx, z - sz), torch.hypot(sx, sz)
    # |p - s| - |s| without taking two large numbers from each other.
    diverging = (x * (x - 2 * sx) + z * (z - 2 * sz)) / (far + near)
    along = ((x - sx) * sx + (z - sz) * sz) / near  # of the beam's axis, from the focus
    focused = torch.where(along < 0, -diverging, near + far)
    focused = torch.where(along.abs() < wave.wavelength * _focal_ratio(wave, sx, sz) ** 2, near + along, focused)
    return torch.where(sz.isnan(), plane, torch.where(sz > 0, focused, diverging))


def receive_weight(z: torch.Tensor, x: torch.Tensor, element: Elements, f_number: float, window: str) -> torch.Tensor:
    """Weight of an element for a pixel: a window over the aperture of width depth / f_number around it; broadcast.

    Depth and lateral distance are those seen by the element, so that elements of a curved array that look past a pixel
    do not count for it.
    """
    if element.z is None or element.angle is None:
        depth, beside = z, x - element.x
    else:
        cos, sin = torch.cos(element.angle), torch.sin(element.angle)
        depth = (x - element.x) * sin + (z - element.z) * cos
        beside = (x - element.x) * cos - (z - element.z) * sin
    if f_number == 0:
        return torch.ones_like(z + x + element.x)
    u = beside.abs() * (2 * f_number) / depth  # 0 at the middle of the aperture, 1 at its ends
    if window == "boxcar":
        weight = torch.ones_like(u)
    elif window == "hann":
        weight = 0.5 + 0.5 * torch.cos(torch.pi * u)
    else:  # tukey: flat over the inner half
        weight = 0.5 + 0.5 * torch.cos(torch.pi * (2 * u - 1).clamp(min=0))
    return torch.where((u <= 1) & (depth > 0), weight, 0.0)


def insonified(z: torch.Tensor, x: torch.Tensor, wave: Waves) -> torch.Tensor:
    """Whether a wave passes (z, x): between the rays through the ends of the part of the array that fires; broadcast.

    At a focus, where these rays cross, as wide as diffraction leaves it: wavelength times focal ratio.
    """
    slope = torch.tan(wave.angle)
    (first_x, first_z), (last_x, last_z) = wave.first, wave.last
    at_array = x - z * slope
    between = (at_array >= first_x - first_z * slope) & (at_array <= last_x - last_z * slope)
    if wave.source is None:
        return between
    sx, sz = wave.source
    right_of_first, right_of_last = (  # m, of each ray
        ((end_z - sz) * (x - sx) - (end_x - sx) * (z - sz)) / torch.hypot(end_z - sz, end_x - sx)
        for end_x, end_z in (wave.first, wave.last)
    )
    width = torch.where(sz > 0, wave.wavelength * _focal_ratio(wave, sx, sz), 0.0)
    this_side = (right_of_first >= -width) & (right_of_last <= width)
    other_side = (right_of_first <= width) & (right_of_last >= -width)
    return torch.where(sz.isnan(), between, this_side | other_side)


def _focal_ratio(wave: Waves, sx: torch.Tensor, sz: torch.Tensor) -> torch.Tensor:
    """Distance of the focus from the middle of what fires, over the width of that."""
    (first_x, first_z), (last_x, last_z) = wave.first, wave.last
    across = torch.hypot(last_x - first_x, last_z - first_z)
    return torch.hypot(sx - (first_x + last_x) / 2, sz - (first_z + last_z) / 2) / across
