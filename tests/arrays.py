"""Linear and curved arrays, waves of theirs and channel data, for the tests of beamforming."""

from typing import NamedTuple

import numpy as np
import torch

from myovivo.acquisition.channel_data import ChannelData
from myovivo.acquisition.delays import elements_of, waves_of

C, FC, FS = 1540.0, 5e6, 40e6
WAVELENGTH = C / FC


class Array(NamedTuple):
    """An array: positions and directions of its elements, and what pymust calls it."""

    x: np.ndarray
    z: np.ndarray
    look: np.ndarray
    radius: float
    pitch: float


def linear(elements=64, pitch=0.3e-3):
    x = (np.arange(elements) - (elements - 1) / 2) * pitch
    return Array(x, 0 * x, 0 * x, np.inf, pitch)


def curved(elements=64, pitch=0.3e-3, radius=25e-3):
    look = (np.arange(elements) - (elements - 1) / 2) * 2 * np.arcsin(pitch / 2 / radius)
    return Array(radius * np.sin(look), radius * (np.cos(look) - 1), look, radius, pitch)


def delays_from(array, source):
    """Transmit delays of a virtual source, none before 0, and when the wave passes the origin."""
    path = np.hypot(array.x - source[0], array.z - source[1])
    path = -path if source[1] > 0 else path
    at_origin = np.hypot(*source) * (-1 if source[1] > 0 else 1)
    return (path - path.min()) / C, (at_origin - path.min()) / C


def channels_of(array, data, source=None, angle=0.0, start=0.0, **more):
    """Channel data of one wave (S, E), twice, as a velocity needs two frames."""
    return ChannelData.of_array(
        np.stack([data, data]),
        element_x=array.x,
        element_z=array.z,
        element_angles=array.look,
        sources=np.full((1, 2), np.nan) if source is None else np.array([source]),
        angles=np.array([angle]),
        start_time=np.array([start]),
        frame_rate=1000.0,
        sampling_frequency=FS,
        centre_frequency=FC,
        sound_speed=C,
        **more,
    )


def one_wave(array, source, **more):
    channels = channels_of(array, np.zeros((64, len(array.x))), source, **more)
    return elements_of(channels, "cpu"), waves_of(channels, "cpu")


def pixel(z, x):
    return torch.tensor(z)[:, None, None, None], torch.tensor(x)[:, None, None]
