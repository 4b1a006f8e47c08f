"""From raw velocity to a TVI sequence: band-pass in time, median in space, resampling.

Ali et al. 2022, BioMed Eng OnLine 21:46, Methods: 4th-order Butterworth band-pass 5-50 Hz, 1 x 1 mm
median, bicubic resampling to 128 x 128 x 1024 at 512 Hz.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from scipy.signal import butter, sosfiltfilt
from scipy.sparse import csr_array

from ..config import Conditioning, Output
from ..errors import InputError
from ..sequence import MotorUnits

_THREADS = 2
_CUBIC = -0.5  # Keys' a: exact for quadratics. Keys 1981, IEEE Trans Acoust 29:1153, doi:10.1109/TASSP.1981.1163711


def band_pass(velocity: NDArray[np.float32], frame_rate: float, conditioning: Conditioning) -> NDArray[np.float32]:
    """Butterworth band-pass of each pixel, forwards and backwards, so without delay.

    Parameters
    ----------
    velocity : (T, Z, X), m/s
    frame_rate : Hz
    conditioning : band and order

    Raises
    ------
    InputError : the band does not lie under half the frame rate, or the sequence is too short.
    """
    low, high = conditioning.band
    if high >= frame_rate / 2:
        raise InputError(
            f"conditioning.band {low:g}-{high:g} Hz must end under half the frame rate, {frame_rate / 2:g} Hz; "
            f"record faster or try [{low:g}, {0.4 * frame_rate:.0f}]"
        )
    sos = butter(conditioning.order, (low, high), "bandpass", fs=frame_rate, output="sos")
    # Mirrored ends as long as the slowest oscillation let the filter settle before the first frame.
    pad = min(round(frame_rate / low), len(velocity) - 1)
    if pad < 2 * conditioning.order:
        raise InputError(f"{len(velocity)} frames at {frame_rate:g} Hz are too few for {low:g} Hz; record longer")

    def row(z: int) -> NDArray[np.float32]:  # (T, X)
        pixels = np.ascontiguousarray(velocity[:, z].T, np.float64)
        return sosfiltfilt(sos, pixels, axis=1, padlen=pad).T.astype(np.float32)

    result = np.empty_like(velocity)
    with ThreadPoolExecutor(_THREADS) as pool:
        for z, filtered in enumerate(pool.map(row, range(velocity.shape[1]))):
            result[:, z] = filtered
    return result


def median(velocity: NDArray[np.float32], spacing: tuple[float, float], side: float) -> NDArray[np.float32]:
    """Median of each frame over a square of about `side` m, an odd number of pixels; 0 for none."""
    size = tuple(max(1, 2 * round((side / step - 1) / 2) + 1) for step in spacing)
    if size == (1, 1):
        return velocity
    if size == (3, 3):
        return _median_3x3(velocity)
    return median_filter(velocity, (1, *size), mode="nearest")


# A sorting network reduced to what reaches the middle of nine: 19 exchanges. The median of nine
# values is the median of the largest of the column minima, the median of the column medians and the
# smallest of the column maxima.
_SORT_COLUMNS = ((1, 2), (4, 5), (7, 8), (0, 1), (3, 4), (6, 7), (1, 2), (4, 5), (7, 8))
_MIDDLE = ((0, 3), (5, 8), (4, 7), (3, 6), (1, 4), (2, 5), (4, 7), (4, 2), (6, 4), (4, 2))


def _median_3x3(velocity: NDArray[np.float32]) -> NDArray[np.float32]:
    result = np.empty_like(velocity)
    _, rows, columns = velocity.shape
    for start in range(0, len(velocity), 16):  # a block that stays in the cache
        frames = torch.from_numpy(velocity[start : start + 16])
        padded = torch.nn.functional.pad(frames, (1, 1, 1, 1), mode="replicate")
        nine = [padded[:, i : i + rows, j : j + columns] for i in range(3) for j in range(3)]
        for a, b in _SORT_COLUMNS + _MIDDLE:
            nine[a], nine[b] = torch.minimum(nine[a], nine[b]), torch.maximum(nine[a], nine[b])
        result[start : start + 16] = nine[4].numpy()
    return result


def resample(velocity: NDArray[Any], frame_rate: float, output: Output) -> tuple[NDArray[np.float32], float]:
    """Bicubic resampling to the rows, columns and frame rate of `output`; returns also the new rate.

    A recording slower than `output.frame_rate` keeps its own: frames are not invented. Making pixels
    larger averages over them (anti-aliasing); time is interpolated only, after the band-pass.

    Raises
    ------
    InputError : fewer frames than `output.frames`.
    """
    velocity = resample_space(velocity, (output.rows, output.columns))
    target = frame_rate if output.frame_rate is None else min(output.frame_rate, frame_rate)
    velocity = resample_time(velocity, frame_rate, target)
    if output.frames is not None:
        if len(velocity) < output.frames:
            raise InputError(f"output.frames is {output.frames}, got {len(velocity)}; record longer or ask for fewer")
        velocity = velocity[: output.frames]
    return np.ascontiguousarray(velocity, np.float32), target


def resample_space(maps: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.float32]:
    """(N, Z, X) -> (N, *shape) over the same extent, bicubic, with anti-aliasing where pixels grow."""
    if maps.shape[1:] == shape:
        return maps.astype(np.float32, copy=False)
    result = np.empty((len(maps), *shape), np.float32)
    for start in range(0, len(maps), 64):
        block = torch.from_numpy(np.ascontiguousarray(maps[start : start + 64], np.float32))[:, None]
        resized = torch.nn.functional.interpolate(block, shape, mode="bicubic", antialias=True)
        result[start : start + 64] = resized[:, 0].numpy()
    return result


def resample_time(values: NDArray[Any], frame_rate: float, target: float) -> NDArray[np.float32]:
    """(T, ...) at `frame_rate` -> (T', ...) at `target` Hz by cubic convolution; frame 0 stays frame 0."""
    if frame_rate == target:
        return values.astype(np.float32, copy=False)
    frames = len(values)
    count = int(np.floor(frames / frame_rate * target + 1e-6))
    position = np.arange(count) * (frame_rate / target)
    base = np.floor(position).astype(int)
    fraction = position - base
    offset = np.arange(-1, 3)
    weight = _keys(np.abs(fraction[:, None] - offset))
    index = np.clip(base[:, None] + offset, 0, frames - 1)  # beyond the ends, the end
    entries = (weight.ravel().astype(np.float32), (np.repeat(np.arange(count), 4), index.ravel()))
    matrix = csr_array(entries, (count, frames))
    flat = values.reshape(frames, -1).astype(np.float32, copy=False)
    return np.asarray(matrix @ flat).reshape(count, *values.shape[1:])


def _keys(s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic convolution kernel at distances s >= 0."""
    near = ((_CUBIC + 2) * s - (_CUBIC + 3)) * s * s + 1
    far = ((_CUBIC * s - 5 * _CUBIC) * s + 8 * _CUBIC) * s - 4 * _CUBIC
    return np.where(s <= 1, near, np.where(s < 2, far, 0.0))


def resample_labels(
    labels: MotorUnits, frame_rate: float, target: float, frames: int, shape: tuple[int, int]
) -> MotorUnits:
    """Ground truth on the pixels and frames that the velocity was resampled to.

    The sources keep their whole band: what the conditioning removes is part of the truth.
    """

    def in_time(source: NDArray[Any] | None) -> NDArray[np.float32] | None:
        return None if source is None else resample_time(source.T, frame_rate, target)[:frames].T.copy()

    def in_space(weight: NDArray[Any] | None) -> NDArray[np.float32] | None:
        return None if weight is None else resample_space(weight, shape)

    return MotorUnits(
        **{
            **vars(labels),
            "mask": resample_space(labels.mask.astype(np.float32), shape) >= 0.5,
            "weight": in_space(labels.weight),
            "source": in_time(labels.source),
            "background_weight": in_space(labels.background_weight),
            "background_source": in_time(labels.background_source),
        }
    )
