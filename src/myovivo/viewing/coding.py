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

_KNEE = 3.0  # times the root-mean-square velocity: below it steps are nearly equal, above they grow with the velocity

_STILL = 1e-9  # m/s, in place of the velocity of a sequence that stands still


class Steps(NamedTuple):
    """How velocity becomes whole numbers from -127 to 127: v = knee sinh(n asinh(peak / knee) / 127).

    Whatever the largest velocity is, small ones keep small steps: a few outliers cost the rest little, and nothing is
    cut off. `knee` and `peak` are in m/s.
    """

    knee: float
    peak: float

    @property
    def least(self) -> float:
        """The step next to zero, m/s."""
        return self.knee * float(np.sinh(np.arcsinh(self.peak / self.knee) / STEPS))

    def numbers(self, velocity: ArrayLike) -> NDArray[np.int8]:
        """The nearest whole numbers."""
        knee, rate = np.float32(self.knee), np.float32(STEPS / np.arcsinh(self.peak / self.knee))
        return np.rint(np.arcsinh(np.asarray(velocity, np.float32) / knee) * rate).astype(np.int8)

    def velocity(self, numbers: ArrayLike) -> Floats:
        """What whole numbers stand for, m/s."""
        return self.knee * np.sinh(np.asarray(numbers, float) * np.arcsinh(self.peak / self.knee) / STEPS)


def steps_for(velocity: ArrayLike) -> Steps:
    """The steps that fit a sequence (T, Z, X), m/s."""
    values = np.asarray(velocity, np.float32)
    peak = float(max(values.max(), -values.min())) or _STILL
    blocks = (values[start : start + BLOCK_FRAMES] for start in range(0, len(values), BLOCK_FRAMES))
    square = sum(float(np.vdot(block, block)) for block in blocks) / values.size
    return Steps(_KNEE * np.sqrt(square) or peak, peak)


class CodedBlock(NamedTuple):
    """Frames of one block as base64, and the sums over its frames of velocity and its square, (Z, X)."""

    text: str
    total: Floats
    squares: Floats


def coded_blocks(velocity: ArrayLike, steps: Steps) -> Iterator[CodedBlock]:
    """Blocks of frames (T, Z, X) as the page reads them: `decoded_block` is what it does with them.

    The first frame of a block is as it is, each other one the difference from the frame before it, modulo 256; all
    are deflated together, as muscle moves little from one frame to the next.
    """
    values = np.asarray(velocity)
    for start in range(0, len(values), BLOCK_FRAMES):
        block = values[start : start + BLOCK_FRAMES]
        numbers = steps.numbers(block).view(np.uint8)
        changes = np.concatenate([numbers[:1], numbers[1:] - numbers[:-1]])  # uint8 wraps around
        text = base64.b64encode(zlib.compress(changes.tobytes(), 5)).decode("ascii")
        exact = block.astype(np.float64)
        yield CodedBlock(text, exact.sum(0), np.square(exact, out=exact).sum(0))


def decoded_block(text: str, size: tuple[int, int]) -> NDArray[np.int8]:
    """The whole numbers (B, Z, X) in a block's base64."""
    changes = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(-1, *size)
    return np.cumsum(changes, axis=0, dtype=np.uint8).view(np.int8)


def coded_map(values: ArrayLike) -> str:
    """A map (Z, X) as base64 of float32, least significant byte first."""
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode("ascii")


def coded_mask(mask: ArrayLike) -> str:
    """A mask (Z, X) as base64 of bits, row after row, the first pixel in the highest bit."""
    return base64.b64encode(np.packbits(np.asarray(mask, bool)).tobytes()).decode("ascii")
