"""Translations that need no network: what a column gives to them is not worth a network's effort.

Each makes a sequence that can stand as a model in `evaluate`. All are ours. A gain cannot lower xCorr
and can make every variance map that of the reference; noise adds texture; phases drawn at random
keep a recording's spectra and spatial pattern and forget its motion.
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike

from ..errors import InputError
from ..runtime.provenance import made_by
from ..sequences.sequence import Sequence
from .moments import temporal_variance


def gain_matched(silico: Sequence, variance: ArrayLike) -> Sequence:
    """Multiply each pixel by the positive gain that gives it the variance of a reference.

    Parameters
    ----------
    silico : the sequence
    variance : (Z, X), (m/s)², such as the mean variance map of the vivo domain

    Returns
    -------
    Sequence : `translated`, with the same shape and labels. A pixel that never moves stays still.

    Raises
    ------
    InputError : the map has another size, or is negative or not finite.
    """
    wanted = np.asarray(variance, np.float64)
    if wanted.shape != silico.shape[1:]:
        raise InputError(f"variance must be a map of {silico.shape[1:]} pixels, got shape {wanted.shape}")
    if not (np.isfinite(wanted).all() and np.all(wanted >= 0)):
        raise InputError("variance must be finite and not negative; pass the variance map, not its logarithm")
    own = temporal_variance(silico.velocity)
    gain = np.sqrt(np.divide(wanted, own, out=np.zeros_like(own), where=own > 0))
    return _null(silico, silico.velocity * gain.astype(np.float32), "gain_matched")


def noise_added(silico: Sequence, snr_db: float, seed: int = 0) -> Sequence:
    """Add white Gaussian noise, equally strong in every pixel.

    Parameters
    ----------
    silico : the sequence
    snr_db : power of the whole sequence over that of the noise, dB
    seed : of the noise

    Returns
    -------
    Sequence : `translated`, with the same shape and labels
    """
    velocity = silico.velocity
    level = np.sqrt(np.mean(np.square(velocity, dtype=np.float64))) * 10 ** (-snr_db / 20)
    noise = np.random.default_rng(seed).standard_normal(velocity.shape, dtype=np.float32)
    return _null(silico, velocity + np.float32(level) * noise, "noise_added", seed, snr_db=snr_db)


def phase_randomised(vivo: Sequence, seed: int = 0) -> Sequence:
    """Turn the phase of every frequency of a recording by a random angle, the same in all pixels.

    Every pixel keeps its variance and power spectrum, every two pixels their cross-spectrum; the time
    courses are new. The DC and Nyquist bins are left as they are.

    Parameters
    ----------
    vivo : the recording
    seed : of the angles

    Returns
    -------
    Sequence : `translated`, with the same shape; without labels, since the motion is another

    References
    ----------
    Prichard, Theiler 1994, Phys Rev Lett 73:951-954.
    """
    frames = vivo.shape[0]
    spectrum = np.asarray(scipy.fft.rfft(vivo.velocity, axis=0))
    free = slice(1, (frames + 1) // 2)
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(spectrum[free]))
    spectrum[free] *= np.exp(1j * angle).astype(spectrum.dtype)[:, None, None]
    velocity = np.asarray(scipy.fft.irfft(spectrum, frames, axis=0))
    return _null(vivo, velocity, "phase_randomised", seed).replace(labels=None)


def _null(sequence: Sequence, velocity: ArrayLike, name: str, seed: int | None = None, **more: float) -> Sequence:
    note = made_by("null", None, seed, null=name, source=dict(sequence.provenance), **more)
    return sequence.replace(velocity=velocity, origin="translated", provenance=note)
