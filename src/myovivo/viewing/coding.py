"""Velocity as small as a page needs it: eight bits a value, differences from frame to frame, deflated in blocks."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..runtime.arrays import Floats

BLOCK_FRAMES = 64  # frames that are decoded together; seeking into one decodes no more than that

STEPS = 127  # either way of zero

_RARE = 4.0  # times the velocity that one value in a thousand exceeds: what is beyond is drawn as this

_LOOKED_AT = 1 << 20  # values from which that velocity is taken


class Quantised(NamedTuple):
    """How velocity becomes whole numbers.

    `step`, m/s, is the size of one; `peak`, m/s, the largest |velocity| there is; values beyond 127 steps, `beyond` of
    them, are held as 127 steps.
    """

    step: float
    peak: float
    beyond: int


class CodedBlock(NamedTuple):
    """Frames of one block as base64, and the sums over its frames of velocity and its square, (Z, X)."""

    text: str
    total: Floats
    squares: Floats


def quantised(velocity: ArrayLike) -> Quantised:
    """The step that fits a sequence: its largest value is 127 steps, unless that is an outlier.

    An outlier is beyond four times the velocity that one value in a thousand exceeds; with it as the largest, a few
    wrong pixels would leave hardly a step to all others.
    """
    values = np.asarray(velocity, np.float32)
    flat = values.reshape(-1)
    some = np.abs(flat[:: max(len(flat) // _LOOKED_AT, 1)])
    usual = float(np.quantile(some, 0.999))
    peak = float(max(values.max(), -values.min()))
    largest = min(peak, _RARE * usual) if usual > 0 else peak
    step = largest / STEPS or 1.0
    beyond = 0
    if peak > largest:
        edge = (STEPS + 0.5) * step
        beyond = sum(
            int(np.count_nonzero(np.abs(values[start : start + BLOCK_FRAMES]) > edge))
            for start in range(0, len(values), BLOCK_FRAMES)
        )
    return Quantised(step, peak, beyond)


def whole_steps(velocity: ArrayLike, step: float) -> NDArray[np.int8]:
    """Velocity in whole steps, -127 to 127."""
    return np.clip(np.rint(np.asarray(velocity, np.float32) / np.float32(step)), -STEPS, STEPS).astype(np.int8)


def coded_blocks(velocity: ArrayLike, step: float) -> Iterator[CodedBlock]:
    """Blocks of frames (T, Z, X) as the page reads them: `decoded_block` is what it does with them.

    The first frame of a block is as it is, each other one the difference from the frame before it, modulo 256; all
    are deflated together, as muscle moves little from one frame to the next.
    """
    values = np.asarray(velocity)
    for start in range(0, len(values), BLOCK_FRAMES):
        block = values[start : start + BLOCK_FRAMES]
        steps = whole_steps(block, step).view(np.uint8)
        changes = np.concatenate([steps[:1], steps[1:] - steps[:-1]])  # uint8 wraps around
        text = base64.b64encode(zlib.compress(changes.tobytes(), 5)).decode("ascii")
        exact = block.astype(np.float64)
        yield CodedBlock(text, exact.sum(0), np.square(exact, out=exact).sum(0))


def decoded_block(text: str, size: tuple[int, int]) -> NDArray[np.int8]:
    """Frames (B, Z, X), in steps, of a block's base64."""
    changes = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(-1, *size)
    return np.cumsum(changes, axis=0, dtype=np.uint8).view(np.int8)


def coded_map(values: ArrayLike) -> str:
    """A map (Z, X) as base64 of float32, least significant byte first."""
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode("ascii")


def coded_mask(mask: ArrayLike) -> str:
    """A mask (Z, X) as base64 of bits, row after row, the first pixel in the highest bit."""
    return base64.b64encode(np.packbits(np.asarray(mask, bool)).tobytes()).decode("ascii")
