"""Axial velocity from B-mode video by dense motion estimation (iterative Lucas-Kanade, scikit-image).

Le Besnerais and Champagnat 2005, IEEE ICIP, doi:10.1109/ICIP.2005.1529706.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from skimage.registration import optical_flow_ilk
from skimage.transform import downscale_local_mean

from ..errors import InputError
from ..runtime.progress import Bar
from .inputs import Images

_WINDOW_PIXELS = 16  # across the window, after averaging pixels that are finer


class Motion:
    """Axial velocity between successive frames of a clip, block by block.

    Parameters
    ----------
    clip : frames (T + 1, Z, X) of grey levels, their rate and pixel size
    window : side of the patch that is followed, m

    Raises
    ------
    InputError : pixels that are not square, fewer than three frames, or a picture smaller than the window.

    Attributes
    ----------
    shape : (T, Z', X') of the velocity
    spacing : (dz, dx), m
    """

    def __init__(self, clip: Images, window: float, quiet: bool = False):
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
        self.spacing = (step, step)
        self.shape = (frames - 1, height // self.factor, width // self.factor)

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Velocity (B, Z', X'), m/s, positive towards the probe (upwards in the image); t is from frame t to t + 1."""
        scale = np.float32(self.spacing[0] * self.clip.frame_rate)
        before: NDArray[np.float32] | None = None
        brightest: float | None = None
        with Bar("motion", self.shape[0], quiet=self.quiet) as bar:
            for pictures in self.clip.blocks():
                velocity = []
                if brightest is None:  # grey levels between 0 and 1 whatever they were stored as
                    whole = np.issubdtype(pictures.dtype, np.integer)
                    brightest = float(np.iinfo(pictures.dtype).max if whole else np.abs(pictures).max()) or 1.0
                for picture in pictures:
                    after = self._grey(picture) / np.float32(brightest)
                    if before is not None:
                        downward, _ = optical_flow_ilk(before, after, radius=self.radius, num_warp=3)
                        velocity.append(-downward * scale)
                        bar.advance()
                    before = after
                if velocity:
                    yield np.stack(velocity)

    def _grey(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        _, rows, columns = self.shape
        kept = picture[: rows * self.factor, : columns * self.factor]
        return downscale_local_mean(kept, (self.factor, self.factor)).astype(np.float32)
