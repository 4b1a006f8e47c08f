"""The median of each frame over a small square; Ali et al. 2022, BioMed Eng OnLine 21:46: 1 x 1 mm."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import median_filter


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
