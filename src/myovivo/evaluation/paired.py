"""The error of a translation where its truth is known: the same motor units rendered both ways.

`phantom(activity=simulated)` records the very units, firings and twitches of a simulated sequence, in the
tissue of one subject. Its TVI sequence is what a translation of that simulation into that subject would be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from ..runtime.arrays import Floats
from ..sequences.sequence import Sequence
from .crossing import cross_pearson
from .map_features import log_variance
from .moments import moments


@dataclass(frozen=True, eq=False)
class PairedError:
    """Result of `paired_error`.

    Attributes
    ----------
    error : RMS of gain × translated − truth over the RMS of truth; 0 = the truth, 1 = no better than rest
    gain : the one number that makes `error` least; negative if the motion is the opposite
    correlation : (Z, X), −1 to 1, over time at lag 0; NaN where either never moves
    log_variance_error : RMS over the pixels of the difference of ln(V + 1e-6), each sequence at unit SD
    log_variance_correlation : Pearson's correlation of the two maps of ln(V + 1e-6) over the pixels
    frames : compared
    """

    error: float
    gain: float
    correlation: Floats
    log_variance_error: float
    log_variance_correlation: float
    frames: int

    def __str__(self) -> str:
        values = self.correlation[np.isfinite(self.correlation)]
        return (
            f"error {self.error:.2f} of the truth's RMS (0 = the truth, 1 = no better than rest), "
            f"correlation over time {values.mean():.2f}, either sign {np.abs(values).mean():.2f}; "
            f"log-variance map off by {self.log_variance_error:.2f}, correlated {self.log_variance_correlation:.2f}"
        )

    def to_dict(self) -> dict[str, Any]:
        """All but the map, as plain numbers, with the mean of the map of correlations and of its size."""
        values = self.correlation[np.isfinite(self.correlation)]
        return {
            "error": self.error,
            "gain": self.gain,
            "correlation": float(values.mean()),
            "correlation_either_sign": float(np.abs(values).mean()),
            "log_variance_error": self.log_variance_error,
            "log_variance_correlation": self.log_variance_correlation,
            "frames": self.frames,
        }


def paired_error(translated: Sequence, truth: Sequence) -> PairedError:
    """How far a translated sequence is from the one that it should have become.

    Parameters
    ----------
    translated : a translation of a simulated sequence
    truth : the same activity as a phantom: `acquire(phantom(activity=simulated, subject=…))`. Only the
        frames that both have are compared, from the first: an acquisition may lose some at the end.

    Returns
    -------
    PairedError : printed, one line. The mean over time of each pixel is removed from both, and nothing is said
        of the strength of the motion as a whole: domains are standardised, and a unit's sign is drawn by chance.

    Raises
    ------
    InputError : different sizes or frame rates, fewer than 4 common frames, or either never moves.
    """
    if translated.shape[1:] != truth.shape[1:] or not np.isclose(translated.frame_rate, truth.frame_rate, rtol=1e-3):
        got = " and ".join(f"{one.shape[1:]} pixels at {one.frame_rate:g} Hz" for one in (translated, truth))
        raise InputError(f"translated and truth must share size and frame rate, got {got}; acquire the truth alike")
    frames = min(translated.shape[0], truth.shape[0])
    a, b = translated.velocity[:frames], truth.velocity[:frames]
    mean_a, variance_a, *_ = moments(a, translated.frame_rate)
    mean_b, variance_b, *_ = moments(b, truth.frame_rate)
    power_a, power_b = variance_a.mean(), variance_b.mean()
    if not (power_a > 0 and power_b > 0):
        raise InputError("translated and truth must move to be compared, got one of SD 0")
    covariance = np.empty(variance_a.shape)
    for row in range(len(covariance)):  # a row at a time, to bound memory
        covariance[row] = ((a[:, row] - mean_a[row]) * (b[:, row] - mean_b[row])).mean(axis=0)
    gain = covariance.mean() / power_a
    left = power_b - gain * covariance.mean()  # least squares: what remains is orthogonal to what fits
    size = np.sqrt(variance_a * variance_b)
    correlation = np.divide(covariance, size, out=np.full_like(size, np.nan), where=size > 0)
    maps = log_variance(variance_a / power_a), log_variance(variance_b / power_b)
    return PairedError(
        error=float(np.sqrt(max(left, 0.0) / power_b)),
        gain=float(gain),
        correlation=np.clip(correlation, -1.0, 1.0),
        log_variance_error=float(np.sqrt(np.mean(np.square(maps[0] - maps[1])))),
        log_variance_correlation=float(cross_pearson(maps[0].reshape(1, -1), maps[1].reshape(1, -1))[0, 0]),
        frames=frames,
    )
