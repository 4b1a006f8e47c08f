"""Axial velocity from B-mode video by dense motion estimation (iterative Lucas-Kanade)."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController
from torch import Tensor

from ..errors import InputError
from ..runtime.progress import Bar
from ..signals.banded import Banded
from .inputs import Images
from .lucas_kanade import displacement

_WINDOW_PIXELS = 16  # across the window, after averaging pixels that are finer

_PAIRS = 2  # of frames at a time: what they need stays in the processor's cache

_PER_WINDOW = 8  # velocities across the window, at least; they are averages over it, so more say nothing new


class Motion:
    """Axial velocity between successive frames of a clip, block by block.

    Parameters
    ----------
    clip : frames (T + 1, Z, X) of grey levels, their rate and pixel size
    window : side of the patch that is followed, m
    pixel : velocities are no farther apart than this, m, either
    quiet : no progress

    Raises
    ------
    InputError : pixels that are not square, fewer than three frames, or a picture smaller than the window.

    Attributes
    ----------
    shape : (T, Z', X') of the velocity
    spacing : (dz, dx), m
    """

    def __init__(self, clip: Images, window: float, pixel: float | None = None, quiet: bool = False):
        frames, height, width = clip.shape
        dz, dx = clip.spacing
        if abs(dz / dx - 1) > 0.01:
            raise InputError(f"B-mode pixels must be square, got {dz * 1e3:g} x {dx * 1e3:g} mm; re-encode the video")
        if frames < 3:
            raise InputError(f"motion needs at least three frames, got {frames}; give a longer video")
        self.clip, self.quiet = clip, quiet
        self.factor = max(1, int(window / _WINDOW_PIXELS / dz))
        step = self.factor * dz
        self.radius = max(2, round(window / step / 2))
        if min(height, width) < 4 * self.radius * self.factor:
            size = f"{height} x {width} pixels"
            raise InputError(f"video.window of {window * 1e3:g} mm does not fit into {size}; check video.crop")
        # The pictures that are followed have pixels of `step`; what comes out are means over equal parts of them.
        self._step, self._size = step, (height // self.factor, width // self.factor)
        coarsest = max(step, min(window / _PER_WINDOW, pixel or np.inf)) + 1e-9
        rows, columns = (math.ceil(side * step / coarsest) for side in self._size)
        self._mean_z, self._mean_x = Banded(_parts(self._size[0], rows)), Banded(_parts(self._size[1], columns))
        self.spacing = (self._size[0] * step / rows, self._size[1] * step / columns)
        self.shape = (frames - 1, rows, columns)

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Velocity (B, Z', X'), m/s, positive towards the probe (upwards in the image); t is from frame t to t + 1."""
        last: Tensor | None = None
        brightest: float | None = None
        threads = torch.get_num_threads()
        with Bar("motion", self.shape[0], quiet=self.quiet) as bar, ThreadPoolExecutor(threads) as pool:
            for pictures in self.clip.blocks():
                if brightest is None:  # grey levels between 0 and 1 whatever they were stored as
                    brightest = 255.0 if pictures.dtype == np.uint8 else float(np.abs(pictures).max()) or 1.0
                grey = self._grey(pictures) / brightest
                frames = grey if last is None else torch.cat([last, grey])
                last = grey[-1:].clone()
                pairs = [frames[start : start + _PAIRS + 1] for start in range(0, len(frames) - 1, _PAIRS)]
                velocity = []
                for some in pool.map(self._velocity, pairs):
                    velocity.append(some)
                    bar.advance(len(some))
                if velocity:
                    yield np.concatenate(velocity)

    def _velocity(self, frames: Tensor) -> NDArray[np.float32]:
        """Velocity (B, Z', X') from B + 1 pictures, by one thread: each step is too small to be shared among several,
        which would wait for each other longer than they work."""
        with _libraries().limit(limits=1, user_api="openmp"):
            moved = displacement(frames[:-1], frames[1:], self.radius)
            mean = self._mean_x.right(self._mean_z.left(moved[:, 0].contiguous()))
            return (-self._step * self.clip.frame_rate * mean).numpy()

    def _grey(self, pictures: NDArray[Any]) -> Tensor:
        """Means over `factor` x `factor` pixels of (B, Z, X)."""
        rows, columns = (side * self.factor for side in self._size)
        kept = pictures[:, :rows, :columns].astype(np.float32)
        return F.avg_pool2d(torch.from_numpy(kept)[:, None], self.factor)[:, 0]


def _parts(samples: int, parts: int) -> NDArray[np.float32]:
    """(parts, samples): the share of each sample in each of as many equal parts of their whole length."""
    edges = np.arange(parts + 1) * samples / parts
    first = np.arange(samples)
    overlap = np.minimum(edges[1:, None], first + 1) - np.maximum(edges[:-1, None], first)
    return (np.maximum(overlap, 0) * parts / samples).astype(np.float32)


@functools.cache
def _libraries() -> ThreadpoolController:
    """The libraries that bring threads of their own; looked for once, as that takes milliseconds."""
    return ThreadpoolController()
