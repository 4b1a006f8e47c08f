"""The columns of the comparison table, each as a function of two maps or two sequences.

All follow Ali, Umander, Rohlén, Röhrle, Grönlund 2022, "Modelling intra-muscular contraction
dynamics using in silico to in vivo domain translation", BioMed Eng OnLine 21:46 (*the paper*).
The four columns that compare distributions look at L = ln(V + 1e-6), V the temporal variance of each
pixel of a *standardised* sequence, and at its power spectrum; none of them needs the two sequences
to show the same contraction. The last two, correlation and lag, do.

Each metric is a feature of one sequence (`histogram`, `kspace`, `mean_psd`) and a crossing of two sets of
features (`cross_bhattacharyya`, `cross_pearson`, `cross_ssim`), so that N × M comparisons read every
sequence once.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike

from ..errors import InputError
from ..runtime.arrays import Floats

VARIANCE_OFFSET = 1e-6  # keeps the logarithm of a motionless pixel finite; in squared SD units

BINS = 256

KSPACE_CROP = 64

SSIM_WINDOW = 7

SSIM_RANGE = 255.0

MAX_LAG = 0.1  # s

_BLOCK_VALUES = 1 << 17  # values worked on at a time: they stay in the cache, and memory stays bounded

_BLOCK_IMAGES = 16  # of K-space, for the same reason


# --------------------------------------------------------------------------- features of one sequence


def temporal_variance(velocity: ArrayLike) -> Floats:
    """Variance over time of each pixel, V = mean_t (v − mean_t v)².

    Parameters
    ----------
    velocity : (T, Z, X), m/s or standardised

    Returns
    -------
    (Z, X) float64, in the square of the unit of `velocity`

    Raises
    ------
    InputError : not three-dimensional, empty, or not finite.
    """
    return _mean_and_variance(_checked(velocity))[1]


def log_variance(variance: ArrayLike, offset: float = VARIANCE_OFFSET) -> Floats:
    """L = ln(V + 1e-6) of the temporal variance V of a standardised sequence (the paper, metrics)."""
    return np.log(np.asarray(variance, np.float64) + offset)


def log_variance_map(velocity: ArrayLike) -> Floats:
    """L = ln(V + 1e-6), V the temporal variance of each pixel.

    Parameters
    ----------
    velocity : (T, Z, X), standardised to the mean and SD of its domain

    Returns
    -------
    (Z, X) float64, natural logarithm

    Raises
    ------
    InputError : not three-dimensional, empty, or not finite.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46.
    """
    return log_variance(temporal_variance(velocity))


def histogram(log_variance_map: ArrayLike, bins: int = BINS) -> Floats:
    """Histogram of a map scaled from its own minimum and maximum to 8 bit, rounded.

    Parameters
    ----------
    log_variance_map : (Z, X); no pixel is masked
    bins : levels that the map is scaled to; the paper's 8 bit are 256

    Returns
    -------
    (bins,) float64, counts. A constant map has all its pixels in bin 0.

    Raises
    ------
    InputError : not two-dimensional, empty, or not finite.
    """
    values = _checked_map(log_variance_map)
    low, high = values.min(), values.max()
    scale = (bins - 1) / (high - low) if high > low else 0.0
    level = np.rint((values - low) * scale).astype(np.intp)
    return np.bincount(level.ravel(), minlength=bins).astype(np.float64)


def kspace(log_variance_map: ArrayLike) -> Floats:
    """K-space of a map, |fft2(L)|[1:64, 1:64], linear: the positive frequencies of a map of 128 × 128.

    The crop is the paper's and is not adapted to the size: in a map of fewer than 128 pixels it runs
    beyond the Nyquist frequency, where the indices stand for negative frequencies, and in one of fewer
    than 64 it ends early, at [1:min(64, Z), 1:min(64, X)].

    Parameters
    ----------
    log_variance_map : (Z, X), at least 8 × 8

    Returns
    -------
    (min(64, Z) − 1, min(64, X) − 1) float64, rows are frequencies in depth. Up to the Nyquist
    frequency, element [i, j] is (i + 1) / (Z dz) and (j + 1) / (X dx) cycles per metre.

    Raises
    ------
    InputError : not two-dimensional, not finite, or smaller than the 7 × 7 window of the SSIM.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46.
    """
    values = _checked_map(log_variance_map)
    if min(values.shape) <= SSIM_WINDOW:
        raise InputError(
            f"a map must have at least {SSIM_WINDOW + 1} pixels a side for its K-space, got {values.shape}; "
            "use larger sequences"
        )
    return np.abs(scipy.fft.fft2(values))[1:KSPACE_CROP, 1:KSPACE_CROP]  # type: ignore[no-any-return]


def kspace_normalised(log_variance_map: ArrayLike) -> Floats:
    """K-space of the map scaled to unit SD, so that maps of different contrast can be compared (ours).

    Multiplying a sequence by a gain only adds a constant to L, which the crop leaves out. What
    `kspace` still depends on is the contrast of L, its SD over the pixels; dividing by it leaves only
    how that contrast is spread over spatial frequencies. A constant map has a K-space of zeros.

    Parameters
    ----------
    log_variance_map : (Z, X), at least 8 × 8

    Returns
    -------
    as `kspace`
    """
    values = _checked_map(log_variance_map)
    contrast = values.std()
    magnitude = kspace(values)
    return magnitude / contrast if contrast > 0 else np.zeros_like(magnitude)


def mean_psd(velocity: ArrayLike, frame_rate: float) -> tuple[Floats, Floats]:
    """Power spectral density, averaged over all pixels, without its DC bin.

    The one-sided periodogram of each pixel with its mean removed and no window. A float32
    sequence is transformed in float32, the average is taken in float64.

    Parameters
    ----------
    velocity : (T, Z, X), T at least 4
    frame_rate : Hz

    Returns
    -------
    frequency : (T // 2,) Hz
    psd : (T // 2,) float64, squared unit of `velocity` per Hz

    Raises
    ------
    InputError : not three-dimensional, too short, not finite, or no positive frame rate.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46.
    """
    return moments(velocity, frame_rate)[2:]


def moments(velocity: ArrayLike, frame_rate: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Temporal mean, temporal variance and mean PSD of a sequence.

    Parameters
    ----------
    velocity : (T, Z, X), T at least 4
    frame_rate : Hz

    Returns
    -------
    mean : (Z, X) float64
    variance : (Z, X) float64, as `temporal_variance`
    frequency, psd : (T // 2,) Hz and squared unit per Hz, as `mean_psd`

    Raises
    ------
    InputError : not three-dimensional, too short, not finite, or no positive frame rate.
    """
    velocity = _checked(velocity)
    frames = len(velocity)
    if frames < 4:
        raise InputError(f"a spectrum needs at least 4 frames, got {frames}; use longer sequences")
    frame_rate = _checked_rate(frame_rate)
    mean, variance = _mean_and_variance(velocity)
    centre = mean.astype(velocity.dtype)
    power = np.zeros(frames // 2)
    for rows in _row_blocks(velocity):
        spectrum = np.asarray(scipy.fft.rfft(velocity[:, rows] - centre[rows], axis=0))[1:]  # (T // 2, rows, X)
        parts = spectrum.reshape(len(spectrum), -1).view(velocity.dtype)  # real and imaginary ones in turn
        power += np.vecdot(parts, parts)
    psd = power * (2.0 / (frame_rate * frames * mean.size))
    if frames % 2 == 0:
        psd[-1] /= 2  # the Nyquist frequency has no negative twin
    return mean, variance, scipy.fft.rfftfreq(frames, 1 / frame_rate)[1:], psd


def log_psd(psd: ArrayLike) -> Floats:
    """Natural logarithm of a PSD; a bin without any power takes the smallest positive float."""
    return np.log(np.maximum(psd, np.finfo(np.float64).tiny))


# --------------------------------------------------------------------------- crossing N features with M


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


# --------------------------------------------------------------------------- the columns, one pair at a time


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


def content_correlation(
    silico: ArrayLike, translated: ArrayLike, frame_rate: float, max_lag: float | None = MAX_LAG
) -> tuple[Floats, Floats]:
    """Columns xCorr and lag: is the motion of each pixel still the simulated one?

    The cross-correlation of the two zero-mean signals of a pixel,
    r(τ) = Σ_t a(t) b(t + τ) / (‖a‖ ‖b‖), at its maximum over the lags within ±`max_lag`. Frames beyond
    the ends count as zero. A positive gain leaves r as it is: the amplitude is not judged.

    Parameters
    ----------
    silico, translated : (T, Z, X)
    frame_rate : Hz
    max_lag : s, the largest lag tried either way; None for the full range ±(T − 1) frames

    Returns
    -------
    correlation : (Z, X), −1 to 1, at the best lag. NaN where the silico signal is constant and
        there is nothing to compare; 0 where only the translated one is.
    lag : (Z, X), s, positive where the translated signal comes later; NaN where either is constant

    Raises
    ------
    InputError : not three-dimensional, not finite, of different shape, or no positive frame rate.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46.
    """
    silico, translated = _checked(silico, "silico"), _checked(translated, "translated")
    if silico.shape != translated.shape:
        got = f"{silico.shape} and {translated.shape}"
        raise InputError(f"silico and translated must have the same shape, got {got}; compare a sequence with its own")
    frame_rate = _checked_rate(frame_rate)
    if max_lag is not None and not max_lag >= 0:
        raise InputError(f"max_lag must be 0 or more, in s, got {max_lag}; None is the full range")
    frames = len(silico)
    reach = frames - 1 if max_lag is None else min(int(max_lag * frame_rate + 1e-9), frames - 1)
    # Zeros behind the frames, so that lags do not wrap around.
    length: int = scipy.fft.next_fast_len(frames + reach, real=True)  # type: ignore[assignment]
    lags = np.arange(-reach, reach + 1)
    (mean_a, variance_a), (mean_b, variance_b) = _mean_and_variance(silico), _mean_and_variance(translated)
    centre_a, centre_b = mean_a.astype(silico.dtype), mean_b.astype(translated.dtype)
    peak, lag = np.empty(silico.shape[1:]), np.empty(silico.shape[1:])
    for rows in _row_blocks(silico):
        product = np.asarray(scipy.fft.rfft(silico[:, rows] - centre_a[rows], length, axis=0)).conj()
        product *= scipy.fft.rfft(translated[:, rows] - centre_b[rows], length, axis=0)
        circular = np.asarray(scipy.fft.irfft(product, length, axis=0))
        r = np.concatenate([circular[length - reach :], circular[: reach + 1]])  # (2 reach + 1, rows, X)
        best = r.argmax(axis=0)
        peak[rows] = np.take_along_axis(r, best[None], axis=0)[0]
        lag[rows] = lags[best] / frame_rate
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.clip(peak / (frames * np.sqrt(variance_a * variance_b)), -1.0, 1.0)
    still_a, still_b = variance_a == 0, variance_b == 0
    correlation[still_b] = 0.0
    correlation[still_a] = np.nan
    lag[still_a | still_b] = np.nan
    return correlation, lag


# --------------------------------------------------------------------------- small parts


def _ssim(kspace_a: Floats, kspace_b: Floats) -> float:
    if kspace_a.shape != kspace_b.shape:
        got = f"{kspace_a.shape} and {kspace_b.shape}"
        raise InputError(f"the K-spaces of both maps must have the same size, got {got}; resample one map")
    return float(cross_ssim(kspace_a[None], kspace_b[None])[0, 0])


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


def _row_blocks(velocity: Floats) -> Iterator[slice]:
    frames, rows, columns = velocity.shape
    step = max(1, _BLOCK_VALUES // (frames * columns))
    return (slice(row, row + step) for row in range(0, rows, step))


def _mean_and_variance(velocity: Floats) -> tuple[Floats, Floats]:
    """(Z, X) float64 each, over time; the variance of a pixel is 0 if and only if it never changes.

    Both are of the difference from the first frame: however large the mean, the sums stay as small as the motion.
    """
    frames, rows, columns = velocity.shape
    first = velocity[0].astype(np.float64)
    total, squares = np.zeros((rows, columns)), np.zeros((rows, columns))
    step = max(1, _BLOCK_VALUES // (rows * columns))
    for start in range(0, frames, step):
        moved = velocity[start : start + step] - first
        total += moved.sum(axis=0)
        squares += np.einsum("tzx,tzx->zx", moved, moved)
    shift = total / frames
    return first + shift, squares / frames - shift**2


def _checked(velocity: ArrayLike, name: str = "velocity") -> Floats:
    array = np.asarray(velocity)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    if array.ndim != 3 or array.size == 0:
        raise InputError(f"{name} must be (T, Z, X) with at least one frame, got shape {array.shape}")
    if not np.isfinite(np.sum(array)) and not np.isfinite(array).all():
        raise InputError(f"{name} must be finite, got NaN or infinite values; mask or fill them")
    return array


def _checked_map(values: ArrayLike) -> Floats:
    array = np.asarray(values, np.float64)
    if array.ndim != 2 or array.size == 0:
        raise InputError(f"a map must be (Z, X) with at least one pixel, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError("a map must be finite, got NaN or infinite values; mask or fill them")
    return array


def _checked_rate(frame_rate: float) -> float:
    if not (np.isfinite(frame_rate) and frame_rate > 0):
        raise InputError(f"frame_rate must be positive, in Hz, got {frame_rate}")
    return float(frame_rate)
