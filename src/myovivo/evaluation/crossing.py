"""Crossing N features with M: every sequence of one domain with every one of another, each read once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..runtime.arrays import Floats

SSIM_WINDOW = 7

SSIM_RANGE = 255.0

_BLOCK_IMAGES = 16  # of K-space at a time: they stay in the cache, and memory stays bounded


def cross_bhattacharyya(histograms_a: ArrayLike, histograms_b: ArrayLike) -> Floats:
    """√(1 − Σ√(h₁h₂) / √(Σh₁ Σh₂)) of each histogram of one set with each of another.

    Parameters
    ----------
    histograms_a : (N, 256), counts
    histograms_b : (M, 256)

    Returns
    -------
    (N, M), 0 for equal and 1 for disjoint histograms
    """
    a, b = np.asarray(histograms_a, np.float64), np.asarray(histograms_b, np.float64)
    overlap = np.stack([np.sqrt(row * b).sum(axis=-1) for row in a])
    overlap /= np.sqrt(np.outer(a.sum(axis=-1), b.sum(axis=-1)))
    return np.sqrt(np.maximum(1.0 - overlap, 0.0))


def cross_pearson(a: ArrayLike, b: ArrayLike) -> Floats:
    """Pearson's correlation of each row of one set with each row of another.

    Parameters
    ----------
    a : (N, K)
    b : (M, K)

    Returns
    -------
    (N, M), −1 to 1; NaN where a row is constant
    """
    unit_a, unit_b = _unit_rows(a), _unit_rows(b)
    return np.clip(unit_a @ unit_b.T, -1.0, 1.0)


def cross_ssim(a: ArrayLike, b: ArrayLike, window: int = SSIM_WINDOW, data_range: float = SSIM_RANGE) -> Floats:
    """Mean structural similarity (SSIM) of each image of one set with each of another.

    A uniform window, sample covariance, K₁ = 0.01, K₂ = 0.03, averaged over the
    pixels whose window lies inside: the same figures as `skimage.metrics.structural_similarity` with
    its defaults. What depends on one image is worked out once, and the window is a product with two
    banded matrices, so that crossing 64 with 64 images takes a second rather than half a minute.

    Parameters
    ----------
    a : (N, H, W)
    b : (M, H, W), H and W at least `window`
    window : pixels a side
    data_range : span that the constants K₁ and K₂ are shares of

    Returns
    -------
    (N, M), at most 1

    References
    ----------
    Wang, Bovik, Sheikh, Simoncelli 2004, IEEE Trans Image Process 13(4):600-612, doi 10.1109/TIP.2003.819861.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    down, across = _window_matrix(a.shape[1], window), _window_matrix(a.shape[2], window).T
    sample = window**2 / (window**2 - 1)  # sample covariance from the windowed means
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2

    def windowed(images: Floats) -> Floats:
        return down @ images @ across

    mean_a, mean_b = windowed(a), windowed(b)
    square_a, square_b = mean_a**2, mean_b**2
    variance_a, variance_b = sample * (windowed(a * a) - square_a), sample * (windowed(b * b) - square_b)
    square_b += c1
    variance_b += c2
    result = np.empty((len(a), len(b)))
    for start in range(0, len(b), _BLOCK_IMAGES):
        block = slice(start, start + _BLOCK_IMAGES)
        for i in range(len(a)):  # in place, as the arrays made anew would cost more than the sums
            means = mean_a[i] * mean_b[block]
            ratio = windowed(a[i] * b[block])
            ratio -= means  # the covariance, but for `sample`
            ratio *= 2 * sample
            ratio += c2
            means *= 2
            means += c1
            ratio *= means
            ratio /= (square_a[i] + square_b[block]) * (variance_a[i] + variance_b[block])
            result[i, block] = ratio.mean(axis=(1, 2))
    return result


def cross_rms(a: ArrayLike, b: ArrayLike) -> Floats:
    """Root mean square difference of each row of one set from each of another.

    Parameters
    ----------
    a : (N, K)
    b : (M, K)

    Returns
    -------
    (N, M)
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.sqrt(np.square(a[:, None] - b[None]).mean(axis=-1))


def _window_matrix(size: int, window: int) -> Floats:
    """(size − window + 1, size): row i averages the elements i to i + window − 1."""
    first = np.arange(size - window + 1)[:, None]
    column = np.arange(size)
    return ((column >= first) & (column < first + window)) / window


def _unit_rows(rows: ArrayLike) -> Floats:
    rows = np.asarray(rows, np.float64)
    centred = rows - rows.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(centred, axis=1, keepdims=True)
    norm[norm <= 1e-14 * np.abs(rows).max(axis=1, keepdims=True)] = np.nan
    return centred / norm
