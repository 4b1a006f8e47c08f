"""The columns of the comparison table that compare distributions, one pair of maps or sequences at a time.

All but SSI norm follow Ali, Umander, Rohlén, Röhrle, Grönlund 2022, "Modelling intra-muscular contraction dynamics
using in silico to in vivo domain translation", BioMed Eng OnLine 21:46. None of them needs the two sequences to show
the same contraction; `content.content_correlation` does.

`evaluate` comes to the same figures with features of each sequence (`map_features`, `moments`) and crossings of two
sets of them (`crossing`), so that N × M comparisons read every sequence once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InputError
from ..runtime.arrays import Floats
from .crossing import cross_bhattacharyya, cross_pearson, cross_ssim
from .map_features import histogram, kspace, kspace_normalised
from .moments import log_psd, mean_psd


def bhattacharyya_distance(map_a: ArrayLike, map_b: ArrayLike) -> float:
    """Column DBhat: Bhattacharyya distance between the histograms of two log-variance maps.

    √(1 − Σ√(h₁h₂) / √(Σh₁ Σh₂)) over the 256 bins of `histogram`.

    Parameters
    ----------
    map_a, map_b : (Z, X), their sizes may differ

    Returns
    -------
    float, 0 (equal) to 1 (disjoint)

    Raises
    ------
    InputError : a map is not two-dimensional, empty, or not finite.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46; the form is that of OpenCV's HISTCMP_BHATTACHARYYA.
    """
    return float(cross_bhattacharyya(histogram(map_a)[None], histogram(map_b)[None])[0, 0])


def histogram_correlation(map_a: ArrayLike, map_b: ArrayLike) -> float:
    """Column Corr: Pearson's correlation between the histograms of two log-variance maps.

    Parameters
    ----------
    map_a, map_b : (Z, X), their sizes may differ

    Returns
    -------
    float, −1 to 1

    Raises
    ------
    InputError : a map is not two-dimensional, empty, or not finite.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46; the form is that of OpenCV's HISTCMP_CORREL.
    """
    return float(cross_pearson(histogram(map_a)[None], histogram(map_b)[None])[0, 0])


def kspace_ssim(map_a: ArrayLike, map_b: ArrayLike) -> float:
    """Column SSI: structural similarity of the K-space of two log-variance maps.

    SSIM (uniform 7 × 7 window, data range 255) of |fft2(L)|[1:64, 1:64]; for maps smaller than
    64 pixels of [1:min(64, Z), 1:min(64, X)]. It depends on the contrast of the maps: see
    `kspace_ssim_normalised`.

    Parameters
    ----------
    map_a, map_b : (Z, X), at least 8 × 8

    Returns
    -------
    float, at most 1

    Raises
    ------
    InputError : a map is not two-dimensional, too small or not finite, or their K-spaces differ in size.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46.
    """
    return _ssim(kspace(map_a), kspace(map_b))


def kspace_ssim_normalised(map_a: ArrayLike, map_b: ArrayLike) -> float:
    """Column SSI norm: `kspace_ssim` of the maps scaled to unit SD (ours).

    Parameters
    ----------
    map_a, map_b : (Z, X), at least 8 × 8

    Returns
    -------
    float, at most 1; unchanged by any gain and offset of either map

    Raises
    ------
    InputError : a map is not two-dimensional, too small or not finite, or their K-spaces differ in size.
    """
    return _ssim(kspace_normalised(map_a), kspace_normalised(map_b))


def psd_correlation(velocity_a: ArrayLike, velocity_b: ArrayLike, frame_rate: float) -> float:
    """Column Corr Psd: Pearson's correlation of ln(mean PSD) over the frequency bins.

    The periodogram of each pixel (mean removed, DC bin dropped) is averaged over all pixels, then
    its logarithm taken.

    Parameters
    ----------
    velocity_a, velocity_b : (T, Z, X), of equal T
    frame_rate : Hz, of both

    Returns
    -------
    float, −1 to 1

    Raises
    ------
    InputError : not three-dimensional, too short, not finite, unequal lengths, or no positive frame rate.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46.
    """
    psd_a, psd_b = mean_psd(velocity_a, frame_rate)[1], mean_psd(velocity_b, frame_rate)[1]
    if len(psd_a) != len(psd_b):
        got = f"{np.shape(velocity_a)[0]} and {np.shape(velocity_b)[0]}"
        raise InputError(f"spectra of equally long sequences are compared, got {got} frames; cut the longer one")
    return float(cross_pearson(log_psd(psd_a)[None], log_psd(psd_b)[None])[0, 0])


def _ssim(kspace_a: Floats, kspace_b: Floats) -> float:
    if kspace_a.shape != kspace_b.shape:
        got = f"{kspace_a.shape} and {kspace_b.shape}"
        raise InputError(f"the K-spaces of both maps must have the same size, got {got}; resample one map")
    return float(cross_ssim(kspace_a[None], kspace_b[None])[0, 0])
