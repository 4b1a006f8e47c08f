"""Zero-phase Butterworth band-pass of each pixel: whole, as a stream, and as an operator.

Ali et al. 2022, BioMed Eng OnLine 21:46, Methods: 4th order, 5-50 Hz.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft, rfftfreq
from scipy.signal import butter, sos2zpk, sosfilt, sosfilt_zi, sosfreqz

from ..errors import InputError
from ..runtime.arrays import Floats

ORDER = 4  # of the Butterworth filter, run forwards and backwards [P]

_THREADS = min(os.cpu_count() or 1, 8)

_SHORTEST = 0.25  # of an oscillation

_FORGOTTEN = 1e-6  # of a wrong start, after which the backward filter counts as right

_EMITTED = 64  # frames at a time, so that what follows holds little


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


def require_duration(band: tuple[float, float], frames: int, frame_rate: float, name: str = "band") -> str:
    """Refuse a recording too short for the lowest frequency of a band: under a quarter of an oscillation of it.

    Parameters
    ----------
    band : lowest and highest frequency, Hz
    frames : of the recording
    frame_rate : Hz
    name : what the user calls the band

    Returns
    -------
    str : a note if it is shorter than a whole oscillation, else empty

    Raises
    ------
    InputError : too short.
    """
    oscillations = frames / frame_rate * band[0]
    if oscillations >= 1:
        return ""
    lasts, needed = 1e3 * frames / frame_rate, 1e3 / band[0]
    times = f"they last {lasts:.3g} ms, one oscillation of {band[0]:g} Hz {needed:.3g} ms"
    if oscillations < _SHORTEST:
        rule = f"{frames} frames at {frame_rate:g} Hz are too few for {band[0]:g} Hz: {times}"
        raise InputError(f"{rule}; record longer, raise the low end of {name}, or set it to none")
    return f"{frames} frames at {frame_rate:g} Hz are few for {name}: {times}, so its slow part is uncertain"


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

    # Frames held until the backward pass can start beyond them
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

        # Forwards as the blocks come, backwards whenever enough frames lie beyond
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
                yield from _emitted(held[:done])
                held[:settled] = tail
                filled = settled
        if taken != frames:
            raise InputError(f"{frames} frames were announced but {taken} came; read the recording again")
        forwards(2 * last[-1:] - last[-2 : -pad - 2 : -1], held[filled : filled + pad])
        backwards(filled + pad, filled)
        yield from _emitted(held[:filled])


def _emitted(held: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Copies of some frames at a time, since what holds them is written to again."""
    for start in range(0, len(held), _EMITTED):
        yield held[start : start + _EMITTED].copy()


def _parts(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    for block in blocks:
        for start in range(0, len(block), _EMITTED):
            yield block[start : start + _EMITTED]


ROWS_AT_ONCE = 8  # filtered together, to bound memory


class Band:
    """A zero-phase Butterworth band-pass as a product in frequency, so that a model can be filtered like its data.

    Parameters
    ----------
    band : Hz, or None to pass everything
    frames : length of what is filtered
    frame_rate : Hz
    """

    def __init__(self, band: tuple[float, float] | None, frames: int, frame_rate: float):
        self.frames, self.size = frames, 2 * frames
        if band is None:
            self.response = None
            return
        require_band(band, frame_rate)
        sections = butter(ORDER, band, "bandpass", fs=frame_rate, output="sos")
        _, response = sosfreqz(sections, rfftfreq(self.size, 1 / frame_rate), fs=frame_rate)
        self.response = np.abs(response) ** 2  # forwards and backwards

    def __call__(self, x: Floats) -> Floats:
        """Filter (T, ...) along the first axis; the mean is taken off first, as it would ring at both ends."""
        if self.response is None:
            return x
        x = x - x.mean(0)
        response = self.response.astype(x.dtype).reshape(-1, *(1,) * (x.ndim - 1))
        spectrum: Any = rfft(x, self.size, axis=0)
        spectrum *= response
        return irfft(spectrum, self.size, axis=0)[: self.frames].astype(x.dtype, copy=False)  # type: ignore[union-attr]


def filtered(velocity: NDArray[np.float32], band: Band) -> NDArray[np.float32]:
    """(T, Z, X) in the pass band, a few rows at a time, to bound memory."""
    result = np.empty_like(velocity)
    for low in range(0, velocity.shape[1], ROWS_AT_ONCE):
        result[:, low : low + ROWS_AT_ONCE] = band(velocity[:, low : low + ROWS_AT_ONCE])
    return result
