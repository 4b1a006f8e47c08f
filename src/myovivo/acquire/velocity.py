"""Axial tissue velocity from IQ frames by autocorrelation.

    v = c/2 * (phase per frame * frame rate) / (2 pi f)

Kasai takes f as the demodulation frequency. Loupas measures it where the echo is: attenuation and
speckle shift the local centre frequency, and a velocity at the nominal one is wrong by that share.

Loupas, Powers, Gill 1995, IEEE Trans Ultrason Ferroelectr Freq Control 42:672, doi:10.1109/58.393110;
Kasai et al. 1985, IEEE Trans Sonics Ultrason 32:458, doi:10.1109/T-SU.1985.31615.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..config import Velocity
from ..errors import InputError
from ..progress import Bar
from ..recording import Recording


class VelocityEstimate(NamedTuple):
    """Velocity (T, Z, X) in m/s towards the probe on pixels of `spacing` (m), and the mean local centre
    frequency (Z, X) in Hz that it was computed with."""

    velocity: NDArray[np.float32]
    spacing: tuple[float, float]
    centre_frequency: NDArray[np.float32]


def autocorrelation_velocity(
    recording: Recording, settings: Velocity, pixel: float | None = None, quiet: bool = False
) -> VelocityEstimate:
    """Velocity at each frame of a recording, on rows thinned to a third of the axial window.

    The IQ stays at baseband: its axial phase gradient is the offset of the local centre frequency
    from the demodulation frequency, the same as remodulated data would give, without aliasing on a
    coarse grid. Lag-one products are averaged over the axial, lateral and ensemble windows. An even
    number of frame pairs is averaged, so that an estimate belongs to a frame, not between two.

    Parameters
    ----------
    recording : IQ frames; they are read block by block
    settings : estimator and windows
    pixel : rows are not thinned beyond this height, m, either
    quiet : no progress

    Raises
    ------
    InputError : the recording has fewer rows than the axial window needs.
    """
    frames, rows, columns = recording.shape
    dz, dx = recording.spacing
    coarsest = min(settings.axial_window / 3, pixel or np.inf) / dz + 1e-6
    thin = max(n for n in range(1, rows + 1) if n == 1 or (rows % n == 0 and n <= coarsest))  # the extent stays
    if rows // thin < 2:
        window, depth = settings.axial_window * 1e3, rows * dz * 1e3
        raise InputError(f"velocity.axial_window of {window:g} mm does not fit into {depth:g} mm of depth; shorten it")
    average_z = torch.from_numpy(window_matrix(rows, dz, rows // thin, thin, settings.axial_window))
    average_x = torch.from_numpy(window_matrix(columns, dx, columns, 1, settings.lateral_window)).T.contiguous()
    half = max(1, round(settings.ensemble_window * recording.frame_rate / 2))  # frame pairs on either side
    radians_to_hz = recording.sound_speed / (4 * math.pi * dz)
    scale = recording.sound_speed * recording.frame_rate / (4 * math.pi)

    loupas = settings.estimator == "loupas"
    temporal, axial = _Ensemble(half), _Ensemble(half)
    velocity = np.empty((frames, rows // thin, columns), np.float32)
    frequency_sum = torch.zeros(velocity.shape[1:])
    filled = 0

    def estimate(phase_t: torch.Tensor, phase_z: torch.Tensor | None) -> None:
        nonlocal filled, frequency_sum
        frequency = recording.centre_frequency + (radians_to_hz * phase_z if phase_z is not None else 0.0)
        velocity[filled : filled + len(phase_t)] = (scale * phase_t / frequency).numpy()
        frequency_sum = frequency_sum + (frequency * torch.ones_like(phase_t)).sum(0)
        filled += len(phase_t)

    def smooth(a: torch.Tensor, b: torch.Tensor, lift: torch.Tensor) -> torch.Tensor:
        """Averages of a * conj(b) over the spatial windows: (B, Z, X) complex -> (B, 2, Z', X')."""
        real = a.real * b.real + a.imag * b.imag
        imag = a.imag * b.real - a.real * b.imag
        return lift @ torch.stack([real, imag], 1) @ average_x

    last: torch.Tensor | None = None
    lift_z = average_z[:, :-1]
    with Bar("velocity", frames, quiet=quiet) as bar:
        for block in recording.blocks():
            iq = torch.from_numpy(np.ascontiguousarray(block))
            pairs = iq if last is None else torch.cat([last, iq])
            last = iq[-1:].clone()
            bar.advance(len(iq))
            if len(pairs) < 2:
                continue
            phase_t = temporal.push(smooth(pairs[1:], pairs[:-1], average_z))
            phase_z = axial.push(smooth(pairs[1:, 1:], pairs[1:, :-1], lift_z)) if loupas else None
            estimate(phase_t, phase_z)
    estimate(temporal.finish(), axial.finish() if loupas else None)
    if filled != frames:
        raise InputError(f"the recording announces {frames} frames but gave {filled}; read it again")
    return VelocityEstimate(velocity, (dz * thin, dx), (frequency_sum / frames).numpy())


class _Ensemble:
    """Running average over frame pairs; its angle, centred on a frame between as many pairs on either side."""

    def __init__(self, half: int):
        self.half = half
        self._kept: torch.Tensor | None = None  # products still needed; the first `_before` are past the edge
        self._started = False

    def push(self, products: torch.Tensor) -> torch.Tensor:
        """Add products (B, 2, Z, X) of B frame pairs; return the angles (B', Z, X) of the frames now complete.

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
            return _angle(torch.cat([torch.stack(out), total]) if out else total)
        return products.new_zeros((0, *products.shape[2:]))

    def finish(self) -> torch.Tensor:
        """The angles of the last frames; of all frames if the recording is shorter than the window."""
        kept = self._kept
        assert kept is not None
        if not self._started:
            frames = range(len(kept) + 1)
            spans = [kept[max(0, frame - self.half) : frame + self.half] for frame in frames]
        else:
            spans = [kept[frame:] for frame in range(min(self.half, len(kept)))]
        return _angle(torch.stack([span.mean(0) for span in spans]))


def _angle(products: torch.Tensor) -> torch.Tensor:
    return torch.atan2(products[:, 1], products[:, 0])


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
