"""Axial tissue velocity from IQ frames by autocorrelation.

    v = c/2 * (phase per frame * frame rate) / (2 pi f)

Kasai takes f as the demodulation frequency. Loupas measures it where the echo is: attenuation and
speckle shift the local centre frequency, and a velocity at the nominal one is wrong by that share.

Loupas, Powers, Gill 1995, IEEE Trans Ultrason Ferroelectr Freq Control 42:672, doi:10.1109/58.393110;
Kasai et al. 1985, IEEE Trans Sonics Ultrason 32:458, doi:10.1109/T-SU.1985.31615.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import InputError
from ..runtime.progress import Bar, track
from ..runtime.words import counted
from ..sequences.recording import Recording
from ..signals.banded import Banded
from .settings import Velocity
from .wraps import Wraps

_Estimate = tuple[NDArray[np.float32], NDArray[np.float32]]

_NEARLY = 0.9  # of half a cycle per frame


class VelocityEstimate(NamedTuple):
    """Velocity (T, Z, X) in m/s towards the probe on pixels of `spacing` (m), and the mean local centre
    frequency (Z, X) in Hz that it was computed with."""

    velocity: NDArray[np.float32]
    spacing: tuple[float, float]
    centre_frequency: NDArray[np.float32]


def autocorrelation_velocity(
    recording: Recording,
    settings: Velocity,
    pixel: float | None = None,
    quiet: bool = False,
    device: torch.device | str = "cpu",
) -> VelocityEstimate:
    """Velocity at each frame of a recording, on rows thinned to a third of the axial window.

    The IQ stays at baseband: its axial phase gradient is the offset of the local centre frequency
    from the demodulation frequency. Remodulated analytic data would give the same angle plus
    4 pi f0 dz / c, exactly, but needs a grid finer than c / (4 f0) to show it. Lag-one products are
    averaged over the axial, lateral and ensemble windows. An even number of frame pairs is averaged, so that
    an estimate belongs to a frame, not between two.

    Parameters
    ----------
    recording : IQ frames; they are read block by block
    settings : estimator and windows
    pixel : rows are not thinned beyond this height, m, either
    quiet : no progress
    device : where to compute

    Raises
    ------
    InputError : the recording has fewer rows than the axial window needs.
    """
    estimator = VelocityEstimator(recording, settings, pixel, quiet, device)
    velocity = np.empty(estimator.shape, np.float32)
    filled = 0
    for block in estimator.blocks():
        velocity[filled : filled + len(block)] = block
        filled += len(block)
    return VelocityEstimate(velocity, estimator.spacing, estimator.centre_frequency)


class VelocityEstimator:
    """Velocity of a recording, block by block, for recordings larger than memory; see `autocorrelation_velocity`.

    Parameters
    ----------
    recording, settings, pixel, quiet, device : as for `autocorrelation_velocity`
    band : Hz, slowest and fastest oscillation of the tissue, by which wraps and outliers are told and mended; None
        leaves every estimate as it is

    Attributes
    ----------
    shape : (T, Z, X) of the velocity
    spacing : (dz, dx), m
    nyquist : velocity, m/s, at which the phase turns by half a cycle per frame
    centre_frequency : (Z, X), Hz, mean local centre frequency; once all blocks were taken
    aliased : share of the echo, weighted by its strength, that moves at over 0.9 of `nyquist`; likewise
    wraps : what was mended of estimates that folded over or are noise; None if nothing is to be
    """

    def __init__(
        self,
        recording: Recording,
        settings: Velocity,
        pixel: float | None = None,
        quiet: bool = False,
        device: torch.device | str = "cpu",
        band: tuple[float, float] | None = None,
    ):
        frames, rows, columns = recording.shape
        dz, dx = recording.spacing
        coarsest = min(settings.axial_window / 3, pixel or np.inf) / dz + 1e-6
        thin = max(n for n in range(1, rows + 1) if n == 1 or (rows % n == 0 and n <= coarsest))  # the extent stays
        if rows // thin < 2:
            window, depth = settings.axial_window * 1e3, rows * dz * 1e3
            raise InputError(
                f"velocity.axial_window of {window:g} mm does not fit into {depth:g} mm of depth; shorten it"
            )
        self.recording, self.settings, self.quiet = recording, settings, quiet
        self.device = torch.device(device)
        self.shape = (frames, rows // thin, columns)
        self.spacing = (dz * thin, dx)
        self.nyquist = recording.sound_speed * recording.frame_rate / (4 * recording.centre_frequency)
        average_z = window_matrix(rows, dz, rows // thin, thin, settings.axial_window)
        average_x = window_matrix(columns, dx, columns, 1, settings.lateral_window)
        self._average_z = Banded(average_z, device)
        self._average_gradient = Banded(average_z[:, :-1], device)  # between rows there is one less
        self._average_x = Banded(np.kron(average_x, np.eye(2)), device)  # real and imaginary parts lie side by side
        self._frequency_sum = torch.zeros(self.shape[1:], device=self.device)
        self._strength = self._strength_aliased = 0.0
        self.wraps = None if band is None else Wraps(recording.frame_rate, band, self.shape[1:], self.nyquist)

    @property
    def centre_frequency(self) -> NDArray[np.float32]:
        return (self._frequency_sum / self.shape[0]).cpu().numpy()

    @property
    def aliased(self) -> float:
        return self._strength_aliased / self._strength if self._strength else 0.0

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Velocity of successive frames, (B, Z, X), m/s.

        Raises
        ------
        InputError : the recording gives another number of frames than it announces.
        """
        pairs = self._estimates()
        return (velocity for velocity, _ in pairs) if self.wraps is None else self.wraps.mended(pairs)

    def _estimates(self) -> Iterator[_Estimate]:
        """Velocity of successive frames and the phase per frame that it comes from, (B, Z, X) each."""
        recording, frames = self.recording, self.shape[0]
        loupas = self.settings.estimator == "loupas"
        half = max(1, round(self.settings.ensemble_window * recording.frame_rate / 2))  # frame pairs on either side
        temporal, axial = _Ensemble(half), _Ensemble(half)
        still = self._still()
        last: torch.Tensor | None = None
        given = 0
        with Bar("velocity", frames, quiet=self.quiet) as bar:
            for block in recording.blocks():
                iq = torch.from_numpy(np.ascontiguousarray(block)).to(self.device)
                if still is not None:
                    iq = iq - still
                pairs = iq if last is None else torch.cat([last, iq])
                last = iq[-1:].clone()
                if len(pairs) > 1:
                    products_t = temporal.push(self._smooth(pairs[1:], pairs[:-1], self._average_z))
                    products_z = None
                    if loupas:
                        products_z = axial.push(self._smooth(pairs[1:, 1:], pairs[1:, :-1], self._average_gradient))
                    if len(products_t):
                        given += len(products_t)
                        yield self._estimate(products_t, products_z)
                bar.advance(len(iq))
        products_t = temporal.finish()
        if products_t is None or given + len(products_t) != frames:
            given += 0 if products_t is None else len(products_t)
            raise InputError(f"the recording announces {counted(frames, 'frame')} but gave {given}; read it again")
        yield self._estimate(products_t, axial.finish() if loupas else None)

    def _smooth(self, a: torch.Tensor, b: torch.Tensor, average_z: Banded) -> torch.Tensor:
        """Averages of a * conj(b) over the spatial windows: (B, Z, X) complex -> (B, Z', X)."""
        product = torch.view_as_real(a * b.conj()).flatten(2)  # (B, Z, 2 X)
        return torch.view_as_complex(self._average_x.right(average_z.left(product)).unflatten(2, (-1, 2)))

    def _estimate(self, products_t: torch.Tensor, products_z: torch.Tensor | None) -> _Estimate:
        recording = self.recording
        phase, strength = products_t.angle(), products_t.abs()
        self._strength += float(strength.sum(dtype=torch.float64))
        self._strength_aliased += float(strength[phase.abs() > _NEARLY * math.pi].sum(dtype=torch.float64))
        frequency: torch.Tensor | float = recording.centre_frequency
        if products_z is None:
            self._frequency_sum += frequency * len(phase)
        else:
            gradient = products_z.angle()  # rad per row
            frequency = frequency + gradient * (recording.sound_speed / (4 * math.pi * recording.spacing[0]))
            # Noise may show any frequency; an echo comes back near the one that was sent.
            frequency = frequency.clamp(0.5 * recording.centre_frequency, 1.5 * recording.centre_frequency)
            self._frequency_sum += frequency.sum(0)
        velocity = phase / frequency * (recording.sound_speed * recording.frame_rate / (4 * math.pi))
        return velocity.cpu().numpy(), phase.cpu().numpy()

    def _still(self) -> torch.Tensor | None:
        """The echo that does not move, (Z, X): the mean over all frames, in a pass of its own."""
        if self.settings.clutter == "none":
            return None
        total = torch.zeros(self.recording.shape[1:], dtype=torch.complex128, device=self.device)
        for block in track(self.recording.blocks(), "clutter", self.shape[0], quiet=self.quiet):
            total += torch.from_numpy(np.ascontiguousarray(block)).to(self.device).sum(0, dtype=torch.complex128)
        return (total / self.shape[0]).to(torch.complex64)


def local_coherence(recording: Recording, settings: Velocity) -> NDArray[np.float32]:
    """How alike successive frames are where they are compared, 0 to 1: |<a b*>| / sqrt(<|a|^2> <|b|^2>).

    Low coherence means that the velocity there is noise, or that tissue moved through the image plane.

    Parameters
    ----------
    recording : IQ frames
    settings : the averaging windows in depth and laterally

    Returns
    -------
    (Z, X) float32, mean over the frame pairs, on the recording's pixels
    """
    _, rows, columns = recording.shape
    dz, dx = recording.spacing
    average_z = Banded(window_matrix(rows, dz, rows, 1, settings.axial_window))
    average_x = Banded(window_matrix(columns, dx, columns, 1, settings.lateral_window))

    def smooth(values: torch.Tensor) -> torch.Tensor:
        return average_x.right(average_z.left(values.contiguous()))

    total, pairs, last = torch.zeros(rows, columns), 0, None
    for block in recording.blocks():
        iq = torch.from_numpy(np.ascontiguousarray(block))
        both = iq if last is None else torch.cat([last, iq])
        last = iq[-1:].clone()
        product = both[1:] * both[:-1].conj()
        power = smooth(both.real**2 + both.imag**2)
        strength = torch.hypot(smooth(product.real), smooth(product.imag))
        total += (strength / torch.sqrt(power[1:] * power[:-1]).clamp(min=1e-30)).sum(0)
        pairs += len(product)
    return (total / pairs).numpy()


class _Ensemble:
    """Running average over frame pairs, centred on a frame between as many pairs on either side."""

    def __init__(self, half: int):
        self.half = half
        self._kept: torch.Tensor | None = None  # products still needed; the first `_before` are past the edge
        self._started = False

    def push(self, products: torch.Tensor) -> torch.Tensor:
        """Add products (B, Z, X) of B frame pairs; return the averages (B', Z, X) of the frames now complete.

        At the ends, where pairs are missing on one side, the average is over those that exist.
        """
        self._kept = products if self._kept is None else torch.cat([self._kept, products])
        out: list[torch.Tensor] = []
        if not self._started and len(self._kept) >= 2 * self.half:
            out += [self._kept[: self.half + frame].mean(0) for frame in range(self.half)]
            self._started = True
        if self._started and len(self._kept) >= 2 * self.half:
            ready = len(self._kept) - 2 * self.half + 1
            total = self._kept[:ready].clone()
            for lag in range(1, 2 * self.half):
                total += self._kept[lag : lag + ready]
            self._kept = self._kept[ready:].clone()
            total /= 2 * self.half
            return torch.cat([torch.stack(out), total]) if out else total
        return products.new_zeros((0, *products.shape[1:]))

    def finish(self) -> torch.Tensor | None:
        """The averages of the last frames; of all frames if the recording is shorter than the window."""
        kept = self._kept
        if kept is None:
            return None
        if not self._started:
            frames = range(len(kept) + 1)
            spans = [kept[max(0, frame - self.half) : frame + self.half] for frame in frames]
        else:
            spans = [kept[frame:] for frame in range(min(self.half, len(kept)))]
        return torch.stack([span.mean(0) for span in spans])


def window_matrix(samples: int, step: float, outputs: int, thin: int, window: float) -> NDArray[np.float32]:
    """(outputs, samples) matrix that averages a box of `window` m around every `thin`-th group of samples.

    Samples that the box cuts count by their share; at the edges the box is cut off. A window under
    one sample takes the sample itself.
    """
    centre = ((np.arange(outputs) + 0.5) * thin - 0.5) * step  # of the group of `thin` samples
    position = np.arange(samples) * step
    width = max(window, step)
    overlap = np.minimum(centre[:, None] + width / 2, position + step / 2) - np.maximum(
        centre[:, None] - width / 2, position - step / 2
    )
    weight = np.maximum(overlap, 0)
    return (weight / weight.sum(1, keepdims=True)).astype(np.float32)
