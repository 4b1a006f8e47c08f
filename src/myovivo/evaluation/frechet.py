"""Fréchet distance between two domains, on few numbers per sequence.

A Gaussian is fitted to the features of each domain, and the distance is that between the two. Unlike
the mean over pairs it sees variety: a domain of one good map, drawn every time, has the right mean and
no covariance. With 8 to 64 sequences a covariance of hundreds of features would be mostly noise; so
spectra are first averaged into a few bands, and the covariance is shrunk.
"""

from __future__ import annotations

from collections.abc import Sequence as Series

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike

from ..errors import InputError
from ..runtime.arrays import Floats

BANDS = 8  # features of a sequence: bands of equal width in log frequency

SPLITS = 100

_LEAST = 4  # sequences in the half of a domain


def frechet_distance(a: ArrayLike, b: ArrayLike) -> float:
    """Squared Fréchet (2-Wasserstein) distance of Gaussians fitted to two sets of features.

    d² = |μ₁ − μ₂|² + Tr(S₁ + S₂ − 2 (S₁ S₂)^½), with covariances shrunk as in `shrunk_covariance`.

    Parameters
    ----------
    a : (N, K), one row per sequence
    b : (M, K)

    Returns
    -------
    float, squared unit of the features. Its expectation for two samples of one domain is not 0 but
        grows as samples get smaller: compare only distances of equal N and M.

    Raises
    ------
    InputError : fewer than two rows, different numbers of features, or not finite.

    References
    ----------
    Dowson, Landau 1982, J Multivar Anal 12(3):450-455, doi 10.1016/0047-259X(82)90077-X.
    Heusel et al. 2017, NeurIPS, arXiv:1706.08500, which took it to compare images.
    """
    a, b = _checked(a), _checked(b)
    if a.shape[1] != b.shape[1]:
        raise InputError(f"both domains must have the same features, got {a.shape[1]} and {b.shape[1]}")
    difference = a.mean(axis=0) - b.mean(axis=0)
    return float(difference @ difference) + gaussian_distance(shrunk_covariance(a), shrunk_covariance(b))


def gaussian_distance(covariance_a: ArrayLike, covariance_b: ArrayLike) -> float:
    """Tr(S₁ + S₂ − 2 (S₁ S₂)^½), the squared distance of two Gaussians of equal mean.

    (S₁ S₂)^½ has the trace of (S₁^½ S₂ S₁^½)^½, which is symmetric: no complex roots appear.

    Parameters
    ----------
    covariance_a, covariance_b : (K, K), symmetric, without negative eigenvalues
    """
    a, b = np.asarray(covariance_a, np.float64), np.asarray(covariance_b, np.float64)
    values, vectors = scipy.linalg.eigh(a)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    inner = scipy.linalg.eigh(root @ b @ root, eigvals_only=True)
    return max(float(np.trace(a) + np.trace(b) - 2 * np.sqrt(np.maximum(inner, 0)).sum()), 0.0)


def shrunk_covariance(rows: ArrayLike) -> Floats:
    """Covariance drawn towards a multiple of the identity, the more the fewer rows there are.

    (1 − ρ) S + ρ (Tr S / K) I, with the ρ of Ledoit and Wolf that expects the least error. It has full
    rank whenever the rows differ at all.

    Parameters
    ----------
    rows : (N, K)

    Returns
    -------
    (K, K)

    References
    ----------
    Ledoit, Wolf 2004, J Multivar Anal 88(2):365-411, doi 10.1016/S0047-259X(03)00096-4.
    """
    # Not scikit-learn's, which this equals: to import it takes longer than to compare a dozen sequences.
    centred = _checked(rows)
    centred = centred - centred.mean(axis=0)
    count, features = centred.shape
    covariance = centred.T @ centred / count
    level = np.trace(covariance) / features
    spread = np.square(covariance - level * np.eye(features)).sum()  # of S about the identity
    # Of the rows' own products about S: how much of that spread chance alone would make.
    chance = (np.square(np.square(centred).sum(axis=1)).sum() / count - np.square(covariance).sum()) / count
    share = min(max(chance, 0.0) / spread, 1.0) if spread > 0 else 0.0
    return (1 - share) * covariance + share * level * np.eye(features)


def map_spectrum(log_variance_map: ArrayLike) -> Floats:
    """Features of a map: ln of the power |fft2(L)|² in `BANDS` rings of spatial frequency.

    Rings have equal width in the logarithm of the frequency in cycles per pixel, from one cycle per
    image to the Nyquist frequency of half a cycle per pixel; an empty ring takes its neighbours' mean.

    Parameters
    ----------
    log_variance_map : (Z, X)

    Returns
    -------
    (BANDS,) natural logarithm
    """
    values = np.asarray(log_variance_map, np.float64)
    power = np.square(np.abs(np.fft.fft2(values))) / values.size
    frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(size) for size in values.shape), indexing="ij"))
    return band_means(frequency.ravel(), power.ravel(), 1 / max(values.shape), 0.5)


def band_means(frequency: Floats, power: Floats, low: float, high: float) -> Floats:
    """Ln of the mean power in `BANDS` bands between two frequencies, of equal width in the logarithm."""
    edges = np.geomspace(low * (1 - 1e-9), high * (1 + 1e-9), BANDS + 1)
    band = np.searchsorted(edges, frequency, side="right") - 1
    inside = (band >= 0) & (band < BANDS)
    count = np.bincount(band[inside], minlength=BANDS)
    total = np.bincount(band[inside], power[inside], minlength=BANDS)
    filled = np.flatnonzero(count)
    if not len(filled):
        raise InputError(f"no frequency lies between {low:g} and {high:g}; use larger or longer sequences")
    level = np.log(np.maximum(total[filled] / count[filled], np.finfo(np.float64).tiny))
    return np.interp(np.arange(BANDS), filled, level)


def split_distances(
    a: ArrayLike, b: ArrayLike, subjects_a: Series[str], subjects_b: Series[str], seed: int = 0
) -> Floats:
    """Fréchet distance of half of one domain from half of another, over random halves by subject.

    Halves have equally many sequences whatever is compared with `b`, `b` itself included, so that the
    bias of few sequences is the same in all rows (unless `a` has fewer). No subject is in both halves. The halves of
    `b` are the same whatever `a` is, and so are those of equally many subjects of `a`: distances of two domains from
    `b` can be subtracted. Random halves spread as means over other subjects would (McCarthy 1969).

    Parameters
    ----------
    a : (N, K); b : (M, K)
    subjects_a, subjects_b : N and M names; the same name in both is the same subject
    seed : of the halves

    Returns
    -------
    (SPLITS,), or (0,) where a half would have fewer than 4 sequences

    References
    ----------
    McCarthy 1969, Rev Int Stat Inst 37(3):239-264, doi 10.2307/1402116.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    names_a, names_b = np.asarray(subjects_a), np.asarray(subjects_b)
    rng_a, rng_b = (np.random.default_rng((seed, domain)) for domain in (0, 1))
    distances = []
    for _ in range(SPLITS):
        half = rng_b.permutation(np.unique(names_b))[: len(set(subjects_b)) // 2]
        mine = b[np.isin(names_b, half)]
        # Whole subjects too: as many sequences of more subjects would have less of a bias.
        order = [name for name in rng_a.permutation(np.unique(names_a)) if name not in half]
        others = [np.flatnonzero(names_a == name) for name in order]
        count = min(len(mine), len(b) - len(mine), sum(map(len, others)))
        if count < _LEAST:
            return np.empty(0)
        distances.append(frechet_distance(a[np.concatenate(others)[:count]], mine[:count]))
    return np.array(distances)


def _checked(rows: ArrayLike) -> Floats:
    array = np.asarray(rows, np.float64)
    if array.ndim != 2 or len(array) < 2:
        raise InputError(f"features must be (N, K) of at least two sequences, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError("features must be finite, got NaN or infinite values")
    return array
