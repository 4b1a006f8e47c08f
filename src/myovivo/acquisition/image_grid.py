"""The pixels of a beamformed image."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import InputError
from .channel_data import ChannelData
from .delays import insonified, waves_of
from .settings import Beamforming

_LINES = 128


class ImageGrid(NamedTuple):
    """Pixel centres of an image, m: depth (Z,) and lateral (X,), evenly spaced."""

    z: NDArray[Any]
    x: NDArray[Any]

    @property
    def spacing(self) -> tuple[float, float]:
        """(dz, dx), m."""
        return float(self.z[1] - self.z[0]), float(self.x[1] - self.x[0])


def image_grid(channels: ChannelData, settings: Beamforming, half_band: float, multiple: int) -> ImageGrid:
    """Where the pixels are: the settings', else all that was recorded, as finely as the band needs.

    Raises
    ------
    InputError : outside of the recorded time, or of one pixel.
    """
    c = channels.sound_speed
    first, last = channels.start_time.max(), channels.start_time.min()
    last = last + (channels.shape[2] - 1) / channels.sampling_frequency
    deepest = c * last / 2
    top, bottom = settings.depth or (max(0.0, c * first / 2), deepest)
    if top >= deepest or bottom <= c * first / 2:
        raise InputError(
            f"beamforming.depth of {top * 1e3:.1f} to {bottom * 1e3:.1f} mm lies outside of the recorded "
            f"{c * first / 2 * 1e3:.1f} to {deepest * 1e3:.1f} mm"
        )
    pitch, edge = float(np.mean(np.diff(channels.element_x))), channels.half_aperture
    left, right = settings.width or _width(channels, pitch, bottom)
    is_plain = channels.is_straight and channels.has_plane_waves_only
    if is_plain and (right <= -edge or left >= edge):
        raise InputError(f"beamforming.width {left:g} to {right:g} m lies beside the array, which ends at {edge:g} m")
    finest = c / (4 * half_band) * 0.8  # baseband echoes turn by less than half a cycle per pixel
    # A multiple of the rows that come out in the end, so that no row is ever interpolated.
    rows = settings.rows or multiple * math.ceil((bottom - top) / finest / multiple)
    columns = settings.columns or max(2, min(_LINES, math.ceil((right - left) / pitch - 1e-6)))
    if rows < 2 or columns < 2:
        raise InputError(f"an image needs at least 2 x 2 pixels, got {rows} x {columns}")
    dz, dx = (bottom - top) / rows, (right - left) / columns
    grid = ImageGrid(top + (np.arange(rows) + 0.5) * dz, left + (np.arange(columns) + 0.5) * dx)
    if not is_plain and not _passed(channels, grid):
        raise InputError(
            f"no wave passes the image, {left:g} to {right:g} m wide and {top:g} to {bottom:g} m deep; "
            "change beamforming.width or beamforming.depth"
        )
    return grid


def _width(channels: ChannelData, pitch: float, bottom: float) -> tuple[float, float]:
    """That of the array; of a curved one, of the sector that its outermost elements look into."""
    x, look = channels.element_x, channels.element_angles
    left, right = float(x[0] - pitch / 2), float(x[-1] + pitch / 2)
    if channels.is_straight:
        return left, right
    return left + bottom * float(np.sin(look[0])), right + bottom * float(np.sin(look[-1]))


def _passed(channels: ChannelData, grid: ImageGrid) -> bool:
    """Whether any wave passes any pixel."""
    z, x = (torch.as_tensor(axis, dtype=torch.float32) for axis in (grid.z, grid.x))
    return bool(insonified(z[:, None, None, None], x[:, None, None], waves_of(channels, "cpu")).any())
