"""From raw velocity to a TVI sequence: band-pass in time, median in space, resampling.

Ali et al. 2022, BioMed Eng OnLine 21:46, Methods: 4th-order Butterworth band-pass 5-50 Hz, 1 x 1 mm
median, bicubic resampling to 128 x 128 x 1024 at 512 Hz.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from scipy.signal import butter, sos2zpk, sosfilt, sosfilt_zi
from scipy.sparse import csr_array

from ..errors import InputError
from ..sequence import MotorUnits

ORDER = 4  # of the Butterworth filter, run forwards and backwards [P]
_THREADS = min(os.cpu_count() or 1, 8)
_FORGOTTEN = 1e-6  # of a wrong start, after which the backward filter counts as right
_EMITTED = 64  # frames at a time, so that what follows holds little
_CUBIC = -0.5  # Keys' a: exact for quadratics. Keys 1981, IEEE Trans Acoust 29:1153, doi:10.1109/TASSP.1981.1163711


def require_band(band: tuple[float, float], frame_rate: float, name: str = "band") -> None:
    """Refuse a pass band that is none, or that frames so far apart cannot hold.

    Parameters
    ----------
    band : lowest and highest frequency, Hz
    frame_rate : Hz
    name : what the user calls the band

    Raises
    ------
    InputError : not 0 < low < high < half the frame rate.
    """
    low, high = band
    if not 0 < low < high:
        raise InputError(f"{name} must be two frequencies with 0 < low < high, got {low:g} and {high:g} Hz")
    if high >= frame_rate / 2:
        fitting = f"[{low:g}, {0.4 * frame_rate:.0f}]" if 0.4 * frame_rate > low + 1 else "none"
        raise InputError(
            f"{name} {low:g}-{high:g} Hz must end under half the frame rate, {frame_rate / 2:g} Hz; "
            f"record faster or try {fitting}"
        )


def band_pass(
    velocity: NDArray[np.float32], frame_rate: float, band: tuple[float, float] | None, order: int = ORDER
) -> NDArray[np.float32]:
    """Butterworth band-pass of each pixel, forwards and backwards, so without delay.

    Parameters
    ----------
    velocity : (T, Z, X), m/s
    frame_rate : Hz
    band : lowest and highest frequency passed, Hz; None passes all
    order : of the filter that is run twice

    Raises
    ------
    InputError : the band does not lie under half the frame rate, or the sequence is too short.
    """
    return np.concatenate(list(band_passed([velocity], velocity.shape, frame_rate, band, order)))


def band_passed(
    blocks: Iterable[NDArray[np.float32]],
    shape: tuple[int, int, int],
    frame_rate: float,
    band: tuple[float, float] | None,
    order: int = ORDER,
) -> Iterator[NDArray[np.float32]]:
    """`band_pass` of a stream of blocks (B, Z, X) that add up to `shape`; the same values, in bounded memory.

    The backward pass of a block starts as many frames later as the filter needs to forget where it started.
    """
    if band is None:
        yield from blocks
        return
    require_band(band, frame_rate)
    (frames, rows, columns), low = shape, band[0]
    sos = butter(order, band, "bandpass", fs=frame_rate, output="sos")
    # Mirrored ends as long as the slowest oscillation let the filter settle before the first frame.
    pad = min(round(frame_rate / low), frames - 1)
    if pad < 2 * order:
        raise InputError(f"{frames} frames at {frame_rate:g} Hz are too few for {low:g} Hz; record longer")
    rest = sosfilt_zi(sos)
    slowest = float(np.abs(np.asarray(sos2zpk(sos)[1])).max())  # radius of the pole that forgets last
    settled = math.ceil(math.log(_FORGOTTEN) / math.log(slowest))

    held = np.empty((min(frames, 2 * settled) + pad + _EMITTED, rows, columns), np.float32)
    filled = taken = 0  # frames in `held`; frames seen
    first: list[NDArray[np.float32]] = []  # kept until the mirrored start is known
    last = np.empty((0, rows, columns), np.float32)  # the newest frames, for the mirrored end
    state: Any = None  # of the forward filter: (sections, Z, X, 2)
    with ThreadPoolExecutor(_THREADS) as pool:

        def forwards(values: NDArray[np.float32], into: NDArray[np.float32] | None) -> None:
            def row(z: int) -> None:
                pixels = np.ascontiguousarray(values[:, z].T, np.float64)  # (X, B)
                filtered, state[:, z] = sosfilt(sos, pixels, axis=1, zi=state[:, z])
                if into is not None:
                    into[:, z] = filtered.T

            list(pool.map(row, range(rows)))

        def backwards(span: int, count: int) -> None:
            """Filter the first `span` frames held from their end; the first `count` of them are then done."""

            def row(z: int) -> None:
                pixels = np.ascontiguousarray(held[span - 1 :: -1, z].T, np.float64)
                filtered, _ = sosfilt(sos, pixels, axis=1, zi=rest[:, None] * pixels[:, :1])
                held[:count, z] = filtered[:, ::-1][:, :count].T

            list(pool.map(row, range(rows)))

        def emitted(count: int) -> Iterator[NDArray[np.float32]]:
            for start in range(0, count, _EMITTED):
                yield held[start : min(start + _EMITTED, count)].copy()

        for block in _parts(blocks):
            taken += len(block)
            last = np.concatenate([last, block])[-pad - 1 :] if len(block) <= pad else block[-pad - 1 :].copy()
            if state is None:
                first.append(block)
                if sum(map(len, first)) <= pad and taken < frames:
                    continue
                block = np.concatenate(first)
                start = 2 * block[:1] - block[pad:0:-1]
                state = rest[:, None, None] * start[0][:, :, None].astype(np.float64)
                forwards(start, None)
            forwards(block, held[filled : filled + len(block)])
            filled += len(block)
            if filled >= 2 * settled:
                done = filled - settled
                tail = held[done:filled].copy()
                backwards(filled, done)
                yield from emitted(done)
                held[:settled] = tail
                filled = settled
        if taken != frames:
            raise InputError(f"{frames} frames were announced but {taken} came; read the recording again")
        forwards(2 * last[-1:] - last[-2 : -pad - 2 : -1], held[filled : filled + pad])
        backwards(filled + pad, filled)
        yield from emitted(filled)


def _parts(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    for block in blocks:
        for start in range(0, len(block), _EMITTED):
            yield block[start : start + _EMITTED]


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
