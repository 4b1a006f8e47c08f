"""From a sequence to a few components: band-pass, singular value decomposition, independent maps.

Spatial independent component analysis is the best case of the spatio-temporal one (alpha = 1) in Rohlén et al. (2020),
IEEE Access 8:50299. Everything after the singular value decomposition happens in its few dimensions.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import FastICA
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from ..errors import InputError
from ..runtime.arrays import Floats

MOST = 40  # components, unless told otherwise

ENERGY = 0.99  # kept where no gap shows how many there are

CLEAR_GAP = 3.0  # of one component's energy over the next one's, where noise takes over,

FLAT = 5  # and so many more after that stay within a factor of two; in tissue there is no such place


@dataclass(frozen=True, eq=False)
class LowRank:
    """velocity ≈ courses.T @ maps, of the k strongest singular values.

    Attributes
    ----------
    courses : (k, T) float64, orthonormal rows times their singular values
    maps : (k, P) float64, orthonormal rows
    """

    courses: Floats
    maps: Floats


def low_rank(velocity: NDArray[np.float32], components: int | None) -> LowRank:
    """The `components` strongest of a (T, Z, X) sequence, each pixel's mean taken off.

    If none are given, as many as lie before the widest gap in the singular values, which noise leaves where it takes
    over; where there is no clear one, as in tissue, as many as hold 99 % of the energy, at most 40.

    Raises
    ------
    InputError : nothing moves.
    """
    flat = velocity.reshape(len(velocity), -1)
    flat = flat - flat.mean(0)
    with threadpool_limits(1, "blas"):  # the same bytes on any machine
        energy, vectors = np.linalg.eigh((flat @ flat.T).astype(np.float64))
        energy, vectors = np.maximum(energy[::-1], 0), vectors[:, ::-1]
        if not energy[0] > 0:
            raise InputError("nothing moves in the band: there are no motor units to find")
        k = min(components or how_many(energy), int(np.count_nonzero(energy > 1e-12 * energy[0])))
        scale = np.sqrt(energy[:k])
        maps = (vectors[:, :k].T.astype(np.float32) @ flat) / scale[:, None]
    return LowRank(vectors[:, :k].T * scale[:, None], maps.astype(np.float64))


def how_many(energy: Floats, total: float | None = None) -> int:
    """Components before noise takes over, or that hold 99 % of the energy.

    Parameters
    ----------
    energy : of each, falling
    total : of all there are, if not only of these
    """
    floor = np.maximum(np.append(energy[1:], np.zeros(FLAT + MOST)), 1e-12 * energy[0])
    gap = energy[:MOST] / floor[: len(energy[:MOST])]
    flat = floor[: len(gap)] < 2 * floor[FLAT : FLAT + len(gap)]
    gap[~flat] = 0
    if gap.max() >= CLEAR_GAP:
        return int(gap.argmax()) + 1
    share = np.cumsum(energy) / (total or energy.sum())
    return min(int(np.searchsorted(share, ENERGY)) + 1, MOST)


def independent_courses(components: LowRank, seed: int = 0) -> Floats:
    """(k, T): the courses of as many components whose maps are independent.

    References
    ----------
    Hyvärinen (1999), doi:10.1109/72.761722, as in scikit-learn.
    """
    k = len(components.maps)
    if k == 1:
        return components.courses
    ica = FastICA(k, whiten="unit-variance", random_state=seed, max_iter=500, tol=1e-4)
    with warnings.catch_warnings(), threadpool_limits(1, "blas"):
        warnings.simplefilter("ignore", ConvergenceWarning)  # where Gaussian maps turn into each other, none is better
        ica.fit(components.maps.T)
    return np.asarray(ica.mixing_).T @ components.courses
