"""Axial velocity from B-mode video by dense motion estimation (iterative Lucas-Kanade, scikit-image).

Le Besnerais and Champagnat 2005, IEEE ICIP, doi:10.1109/ICIP.2005.1529706.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.registration import optical_flow_ilk
from skimage.transform import downscale_local_mean

from ..config import Video
from ..errors import InputError
from ..progress import Bar

_WINDOW_PIXELS = 16  # across the window, after averaging pixels that are finer


def video_velocity(
    frames: NDArray[np.uint8], frame_rate: float, video: Video, quiet: bool = False
) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Axial velocity between successive B-mode frames.

    Parameters
    ----------
    frames : (T + 1, Z, X) grey levels
    frame_rate : Hz
    video : pixel size and window

    Returns
    -------
    velocity : (T, Z', X') m/s, positive towards the probe (upwards in the image); frame t is the motion
        from frame t to t + 1
    spacing : (dz, dx), m

    Raises
    ------
    InputError : no pixel size, fewer than three frames, or a picture smaller than the window.
    """
    if video.pixel is None:
        raise InputError("a video says nothing of its pixel size; give video.pixel in m, such as 0.0000883")
    if len(frames) < 3:
        raise InputError(f"motion needs at least three frames, got {len(frames)}; give a longer video")
    factor = max(1, int(video.window / _WINDOW_PIXELS / video.pixel))
    step = factor * video.pixel
    radius = max(2, round(video.window / step / 2))
    if min(frames.shape[1:]) < 4 * radius * factor:
        size = f"{frames.shape[1]} x {frames.shape[2]} pixels"
        raise InputError(f"video.window of {video.window * 1e3:g} mm does not fit into {size}; check video.crop")

    def grey(frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        kept = frame[: frame.shape[0] // factor * factor, : frame.shape[1] // factor * factor]
        return (downscale_local_mean(kept, (factor, factor)) / 255).astype(np.float32)

    before = grey(frames[0])
    velocity = np.empty((len(frames) - 1, *before.shape), np.float32)
    with Bar("motion", len(velocity), quiet=quiet) as bar:
        for t, frame in enumerate(frames[1:]):
            after = grey(frame)
            downward, _ = optical_flow_ilk(before, after, radius=radius, num_warp=3)
            velocity[t] = -downward * np.float32(step * frame_rate)
            before = after
            bar.advance()
    return velocity, (step, step)
