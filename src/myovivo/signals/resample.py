"""Other pixels and another frame rate: bicubic in space, cubic convolution in time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

_CUBIC = -0.5  # Keys' a: exact for quadratics. Keys 1981, IEEE Trans Acoust 29:1153, doi:10.1109/TASSP.1981.1163711


def resample_space(maps: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.float32]:
    """(N, Z, X) -> (N, Z', X') of `shape` over the same extent, bicubic, with anti-aliasing where pixels grow."""
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
    count = resampled_length(len(values), frame_rate, target)
    return _cubic(values, 0, np.arange(count) * (frame_rate / target), len(values) - 1)


def resampled_in_time(
    blocks: Iterable[NDArray[np.float32]], frames: int, frame_rate: float, target: float
) -> Iterator[NDArray[np.float32]]:
    """`resample_time` of a stream of blocks that add up to `frames`."""
    if frame_rate == target:
        yield from blocks
        return
    count = resampled_length(frames, frame_rate, target)
    made, first = 0, 0  # frames given; index of the first frame kept
    kept: NDArray[np.float32] | None = None
    for block in blocks:
        kept = block if kept is None else np.concatenate([kept, block])
        available = first + len(kept)
        # A frame in between needs two on either side; the last ones make do with what there is.
        ready = count if available == frames else math.ceil((available - 2) * target / frame_rate - 1e-9)
        ready = min(max(ready, made), count)
        position = np.arange(made, ready) * (frame_rate / target)
        if len(position):
            yield _cubic(kept, first, position, frames - 1)
        made = ready
        passed = min(max(0, math.floor(made * frame_rate / target) - 1 - first), len(kept))
        kept, first = kept[passed:], first + passed


def resampled_length(frames: int, frame_rate: float, target: float) -> int:
    """How many frames `resample_time` gives."""
    return frames if frame_rate == target else math.floor(frames / frame_rate * target + 1e-6)


def _cubic(values: NDArray[Any], first: int, position: NDArray[Any], last: int) -> NDArray[np.float32]:
    """Values, of which the first is frame `first`, at positions in frames; beyond frames 0 and `last`, those."""
    base = np.floor(position).astype(int)
    offset = np.arange(-1, 3)
    weight = _keys(np.abs((position - base)[:, None] - offset))
    index = np.clip(base[:, None] + offset, 0, last) - first
    entries = (weight.ravel().astype(np.float32), (np.repeat(np.arange(len(position)), 4), index.ravel()))
    matrix = csr_array(entries, (len(position), len(values)))
    flat = values.reshape(len(values), -1).astype(np.float32, copy=False)
    return np.asarray(matrix @ flat).reshape(len(position), *values.shape[1:])


def _keys(s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic convolution kernel at distances s >= 0."""
    near = ((_CUBIC + 2) * s - (_CUBIC + 3)) * s * s + 1
    far = ((_CUBIC * s - 5 * _CUBIC) * s + 8 * _CUBIC) * s - 4 * _CUBIC
    return np.where(s <= 1, near, np.where(s < 2, far, 0.0))
