"""Videos of moving speckle."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift


def write_video(path, depth_shift, frame_rate=50.0, size=(96, 128), codec="MJPG"):
    """A speckle pattern that moves down by `depth_shift` pixels (one value per frame)."""
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    rng = np.random.default_rng(0)
    picture = gaussian_filter(rng.standard_normal((size[0] + 40, size[1])), 2)
    picture = (picture - picture.min()) / np.ptp(picture) * 255
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), frame_rate, (size[1], size[0]))
    for down in depth_shift:
        moved = shift(picture, (down, 0), order=3, mode="nearest")[20:-20]
        writer.write(cv2.cvtColor(moved.clip(0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR))
    writer.release()
