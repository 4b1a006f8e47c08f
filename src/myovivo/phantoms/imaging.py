"""Plane-wave ultrasound of moving tissue, as IQ frames.

Scatterers on a fine grid move axially by u, positive towards the probe, and laterally by w. In the image spectrum, the
component at the axial frequency k turns by exp(i (4 pi f0 / c + k) u), that at the lateral frequency l by exp(-i l w):
the first is the phase of the echo, the others shift its envelope, here to first order (u and w are far less than its
size).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.fft import next_fast_len

from ..errors import InputError
from ..sequences.grid import Grid
from .settings import Imaging

_BLOCK = 64  # frames imaged at a time: enough to fill the cores, small enough for the cache


class Scanner:
    """A probe over one tissue: still scatterers, point-spread function, attenuation, noise level.

    Parameters
    ----------
    imaging : its settings
    grid : gives the extent of the image
    echo : (Z, X) amplitude of backscatter of the tissue on any grid over the image
    snr_db : signal over noise at half depth
    """

    def __init__(self, imaging: Imaging, grid: Grid, echo: NDArray[Any], snr_db: float, rng: Generator):
        self.imaging = imaging
        self.spacing = (grid.depth / imaging.rows, grid.width / imaging.columns)
        shape = (imaging.rows, imaging.columns)
        depth = (np.arange(imaging.rows) + 0.5) * self.spacing[0]
        loss_db = imaging.attenuation * (depth - grid.depth / 2)
        random = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
        scatterers = random * resize(echo[None], shape)[0] * 10 ** (-loss_db / 20)[:, None]
        self._scatterers = torch.from_numpy(scatterers.astype(np.complex64))

        # The Fourier transform is periodic: a silent guard keeps one edge's echoes off the other.
        reach = (imaging.axial_resolution / self.spacing[0], imaging.lateral_resolution / self.spacing[1])
        self._padded = [int(next_fast_len(n + math.ceil(4 * r)) or n) for n, r in zip(shape, reach, strict=True)]
        kz = 2 * np.pi * np.fft.fftfreq(self._padded[0], self.spacing[0])[:, None]
        kx = 2 * np.pi * np.fft.fftfreq(self._padded[1], self.spacing[1])[None, :]
        spread = np.exp(-((kz * imaging.axial_resolution) ** 2 + (kx * imaging.lateral_resolution) ** 2) / 2)
        self._spread = torch.from_numpy(spread.astype(np.complex64))
        self._shift = torch.from_numpy((1j * kz * spread).astype(np.complex64))
        self._shift_laterally = torch.from_numpy((-1j * kx * spread).astype(np.complex64))

        still = self._spread_out(torch.fft.fft2(self._scatterers, self._padded) * self._spread)
        middle = still[shape[0] // 4 : 3 * shape[0] // 4].abs().square().mean().sqrt().item()
        self._noise = middle * 10 ** (-snr_db / 20)

    def image(
        self, source: NDArray[Any], pattern: NDArray[Any], seed: int, lateral: NDArray[Any] | None = None
    ) -> Iterator[NDArray[np.complex64]]:
        """Yield blocks of IQ frames (B, Z, X) of tissue displaced by ``source.T @ pattern``.

        Parameters
        ----------
        source : (K, T), m; pattern : (K, Z, X); their product is the displacement towards the probe
        seed : of the noise
        lateral : (K, Z, X), the same for displacement towards growing x; none if None

        Raises
        ------
        InputError : a displacement too large for the first-order shift of the envelope.
        """
        wave_number = 4 * np.pi * self.imaging.centre_frequency / self.imaging.sound_speed
        generator = torch.Generator().manual_seed(seed)
        source_t = torch.from_numpy(source.T.astype(np.float32))
        axially, sideways = self._fine(pattern), None if lateral is None else self._fine(lateral)
        for start in range(0, len(source_t), _BLOCK):
            moving = source_t[start : start + _BLOCK]
            u = (moving @ axially).view(-1, *self._scatterers.shape)  # (B, Z, X), m
            self._check_reach(u)
            turned = torch.polar(torch.ones(()).expand_as(u), wave_number * u) * self._scatterers
            spectrum = torch.fft.fft2(turned, self._padded).mul_(self._spread)
            if sideways is not None:
                shifted = turned * (moving @ sideways).view_as(u)
                spectrum += torch.fft.fft2(shifted, self._padded).mul_(self._shift_laterally)
            spectrum += torch.fft.fft2(turned.mul_(u), self._padded).mul_(self._shift)
            iq = self._spread_out(spectrum)
            iq += self._noise * torch.randn(iq.shape, generator=generator, dtype=torch.complex64)
            yield iq.numpy()

    def _fine(self, pattern: NDArray[Any]) -> torch.Tensor:
        """(K, pixels) of patterns (K, Z, X) on the scatterers' grid."""
        return torch.from_numpy(resize(pattern, self._scatterers.shape).reshape(len(pattern), -1))

    def _check_reach(self, u: torch.Tensor) -> None:
        largest, limit = u.abs().max().item(), self.imaging.axial_resolution / 2
        if largest > limit:
            raise InputError(
                f"displacements must stay under {limit * 1e6:.0f} um, half of imaging.axial_resolution, "
                f"got {largest * 1e6:.0f} um; lower contraction.eigenstrain or contraction.drift"
            )

    def _spread_out(self, spectrum: torch.Tensor) -> torch.Tensor:
        """The image (…, Z, X) of a spectrum, without the guard."""
        rows, columns = self._scatterers.shape
        return torch.fft.ifft2(spectrum)[..., :rows, :columns].contiguous()


def resize(maps: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """(K, Z, X) -> (K, *shape) by bilinear interpolation over the same extent."""
    tensor = torch.from_numpy(np.ascontiguousarray(maps, np.float32))[:, None]
    return torch.nn.functional.interpolate(tensor, shape, mode="bilinear", antialias=True)[:, 0].numpy()
