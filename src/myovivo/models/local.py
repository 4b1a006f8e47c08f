"""The generator of `house`: a tissue is drawn once per sequence, the motion goes through it, and is then imaged.

Ours. Everything is strictly local in time: what becomes of a frame depends on the frames within `local_reach`, so
windows of a long sequence, translated one after the other, are the translation of the whole.
In shapes, C is `features`, c the side in pixels of a cell. The tissue is computed per pixel, since it is there once,
the motion per cell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence as Seq
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import VoxelNorm, compressed, depth_channels, fold_pixels
from .products import conv_channels_last, flat_conv, sliding_matrix
from .settings import LocalSettings as LocalSettings

TISSUE_SCALES = (1, 2, 4, 8, 16)  # pixels between the points of a noise image: grain, fascicles, layers, regions
IMAGES_PER_SCALE = 2
LAYER_BEND = 0.2  # of a boundary, over the depth of the image, from edge to edge at most
LAYER_WIDTH = 4.0  # of a boundary, pixels
KERNEL_TIME = 3
LOG_LIMIT = 4.0  # a factor beyond exp(4) = 55 would be noise, not tissue
QUIET = -3.0  # log of the noise's SD before training, in SDs of the domain and before it is averaged
WINDOW_SD = 0.25  # of the window's weights before training, over its side
WINDOW_SPEED = 10.0
WEAK = 0.1  # in SDs of the domain: motion below it is told apart as finely as motion above it


class LocalNoise(NamedTuple):
    """What is random in a translation.

    Attributes
    ----------
    tissue : (B, K, Z, X), the same for all frames: which tissue it is
    frames : (B, 1, T, Z, X), new in each frame: what imaging adds
    """

    tissue: Tensor
    frames: Tensor


class TissueMaps(NamedTuple):
    """What a tissue is, once it is drawn; the same for all frames.

    Attributes
    ----------
    features : (B, C, z, x), per cell: what the trunk is told of it
    gain, noise : (B, 1, 1, Z, X): m, and the SD of the noise
    echo, share : (B, 1, 1, Z, X): its strength w, and K ∗ w, by which an average over the window is divided
    """

    features: Tensor
    gain: Tensor
    noise: Tensor
    echo: Tensor
    share: Tensor


class LocalGenerator(nn.Module):
    """u = x exp(g + m) + a + σ n is what moves; h ∗ (K ∗ (w u)) / (K ∗ w) is what an ultrasound scanner sees of it.

    m, σ and w are maps drawn once per sequence; g and a follow the motion around them, computed per cell and
    interpolated, so that no grid of cells shows; n is white noise, new in each frame. A velocity estimator averages
    over a window K, weighted by the strength w of the echo, which starts as speckle; recordings are band-passed: h is
    symmetric in time, so it has no lag by construction. g, m and a start at zero.

    Parameters
    ----------
    settings : the switches
    """

    def __init__(self, settings: LocalSettings):
        super().__init__()
        self.settings = settings
        features = settings.features
        self.filter = nn.Parameter(torch.zeros(settings.filter // 2 + 1))
        self.window = nn.Parameter(torch.zeros(2, settings.window))
        self.tissue = TissueNetwork(features, settings.subject + settings.layers)
        self.maps = nn.Conv2d(features, 2, 3, padding=1)
        self.echo = nn.Conv2d(features, 1, 3, padding=1, bias=False)  # a factor that is everywhere cancels out
        self.first = nn.Conv3d(settings.cell**2 + 2, features, (1, 3, 3), padding=(0, 1, 1))
        self.blocks = nn.ModuleList(MotionBlock(features, dilation) for dilation in dilations(settings))
        self.last = nn.Conv3d(features, 2, (1, 3, 3), padding=(0, 1, 1))

    @property
    def stride(self) -> tuple[int, int, int]:
        """Sizes must be multiples of this: (frames, rows, columns)."""
        return local_stride(self.settings)

    def draw_noise(self, x: Tensor, rng: torch.Generator | Seq[torch.Generator]) -> LocalNoise:
        """Standard normal noise for `x` (B, 1, T, Z, X), from one generator or one per clip.

        Drawn where the generators live and then moved, so that CPU generators give one noise on every device.
        """
        batch, _, frames, rows, columns = x.shape
        rngs = [rng] * batch if isinstance(rng, torch.Generator) else rng
        tissue = torch.stack([self.draw_tissue(rows, columns, each) for each in rngs])
        noise = torch.stack([self.draw_frames(frames, rows, columns, each) for each in rngs])
        return LocalNoise(tissue.to(x.device), noise.to(x.device))

    def draw_tissue(self, rows: int, columns: int, rng: torch.Generator) -> Tensor:
        """Noise images of one sequence, smooth at several scales, numbers for the subject, and layers: (K, Z, X)."""
        size, images = (rows, columns), []
        for scale in TISSUE_SCALES:
            coarse = [-(-each // scale) + 1 for each in size]
            image = torch.randn((1, IMAGES_PER_SCALE, *coarse), generator=rng, device=rng.device)
            image = F.interpolate(image, scale_factor=float(scale), mode="bilinear")[0, :, : size[0], : size[1]]
            images.append(image)
        subject = torch.randn((self.settings.subject, 1, 1), generator=rng, device=rng.device)
        return torch.cat([*images, subject.expand(-1, *size), *self._draw_layers(rows, columns, rng)])

    def _draw_layers(self, rows: int, columns: int, rng: torch.Generator) -> list[Tensor]:
        """Images (1, Z, X) that are 1 above a boundary and -1 below: anywhere in depth, tilted and bent a little."""
        depth, across = torch.arange(rows, device=rng.device), torch.linspace(-1, 1, columns, device=rng.device)
        layers = []
        for _ in range(self.settings.layers):
            place, tilt, bend = torch.rand(3, generator=rng, device=rng.device)
            middle = rows * (place + LAYER_BEND * ((tilt - 0.5) * across + (bend - 0.5) * across.square()))
            layers.append(torch.tanh((middle - depth[:, None]) / LAYER_WIDTH)[None])
        return layers

    def draw_frames(self, frames: int, rows: int, columns: int, rng: torch.Generator) -> Tensor:
        """Noise of so many frames: (1, T, Z, X). A frame's does not depend on how many are drawn."""
        return torch.randn((1, frames, rows, columns), generator=rng, device=rng.device)

    def forward(self, x: Tensor, noise: LocalNoise) -> Tensor:
        """Translate `x` (B, 1, T, Z, X), standardised, with `noise` as `draw_noise` gives it."""
        return self.filtered(self.unfiltered(x, noise))

    def unfiltered(self, x: Tensor, noise: LocalNoise) -> Tensor:
        """What the filter in time is given: the motion of the tissue, averaged over the window."""
        return self.moved(x, self.drawn(noise.tissue), noise.frames)

    def drawn(self, noise: Tensor) -> TissueMaps:
        """The tissue that noise images (B, K, Z, X) stand for."""
        tissue = self.tissue(noise)  # (B, C, Z, X)
        maps, echo = self.maps(tissue), self.echo(tissue)  # (B, 2, Z, X), (B, 1, Z, X)
        features = F.avg_pool2d(tissue, self.settings.cell).contiguous(memory_format=torch.channels_last)
        with torch.autocast(noise.device.type, enabled=False):
            gain, noisy = maps.float()[:, :, None].chunk(2, 1)  # (B, 1, 1, Z, X) each
            weight = speckle(noise) * echo.float()[:, :, None].clamp(-LOG_LIMIT, LOG_LIMIT).exp()
            return TissueMaps(features, gain, (noisy + QUIET).clamp(max=LOG_LIMIT).exp(), weight, self._smooth(weight))

    def moved(self, x: Tensor, tissue: TissueMaps, noise: Tensor, core: slice = slice(None)) -> Tensor:
        """The frames `core` of x (B, 1, T, Z, X) as this tissue moves, averaged over the window; noise is of these."""
        seen = fold_pixels(compressed(x, WEAK), (1, self.settings.cell, self.settings.cell))  # (B, c², T, Z/c, X/c)
        y = flat_conv(self.first, torch.cat([seen, depth_channels(seen)], 1))  # (B, C, T, Z/c, X/c)
        for block in self.blocks:
            y = block(y, tissue.features)
        y = flat_conv(self.last, F.silu(y[:, :, core]))  # (B, 2, T, Z/c, X/c)
        with torch.autocast(x.device.type, enabled=False):
            gain, offset = _enlarged(y.float(), x.shape[-2:]).chunk(2, 1)  # (B, 1, T, Z, X) each
            u = x[:, :, core].float() * (gain + tissue.gain).clamp(-LOG_LIMIT, LOG_LIMIT).exp() + offset
            return self.averaged(u + tissue.noise * noise.float(), tissue.echo, tissue.share)

    def averaged(self, u: Tensor, weight: Tensor, share: Tensor | None = None) -> Tensor:
        """(K ∗ (w u)) / (K ∗ w) in space, for u (B, 1, T, Z, X), w (B, 1, 1, Z, X); nothing beyond the edges counts."""
        return self._smooth(weight * u) / (self._smooth(weight) if share is None else share)

    def _smooth(self, y: Tensor) -> Tensor:
        """K ∗ y, first down, then across."""
        reach = self.settings.window // 2
        left, right = (
            sliding_matrix(kernel, size)[:, reach : reach + size]
            for kernel, size in zip(self.window_weights(), y.shape[-2:], strict=True)
        )
        return left @ y @ right.T

    def window_weights(self) -> Tensor:
        """The window in depth and across, (2, side), each of sum 1."""
        reach = self.settings.window // 2
        places = torch.arange(-reach, reach + 1, device=self.window.device) / (WINDOW_SD * self.settings.window)
        # Adam's steps are of one size for all; a window has further to go than a weight.
        return (WINDOW_SPEED * self.window.float() - places**2 / 2).softmax(1)

    @property
    def added_variance(self) -> float:
        """Of the noise that an untrained generator adds, after the window."""
        down, across = self.window_weights().detach()
        return float(down.square().sum() * across.square().sum()) * math.exp(2 * QUIET)

    @torch.no_grad()
    def match_spectra(self, source: Tensor, vivo: Tensor, added: float = 0.0) -> None:
        """Set the filter to what turns the mean spectrum of `source` into that of `vivo`; what is slow passes.

        Its response is the root of the ratio of the power spectra of clips (N, T, Z, X), Hann-windowed, at most that at
        the spectrum's peak; recordings are band-passed, simulations are not. `added` is the variance of white noise
        that `source` has yet to get.
        """
        window = torch.hann_window(source.shape[1], device=source.device)[:, None, None]
        length = max(source.shape[1], 2 * len(self.filter))  # as many points as the filter has taps, at least
        power = [
            torch.fft.rfft((x - x.mean(1, keepdim=True)) * window, length, dim=1).abs().square().mean((0, 2, 3))
            for x in (source, vivo)
        ]
        response = (power[1] / (power[0] + added * window.square().sum() + 1e-30)).sqrt()
        response = (response / response[power[1].argmax()]).clamp(max=1.0)
        response[0] = response[1]  # the mean of a clip says nothing of its slowest motion
        kernel = torch.fft.irfft(response, length)[: len(self.filter)]
        kernel = kernel * torch.hann_window(2 * len(self.filter) + 1, device=source.device)[len(self.filter) : -1]
        kernel /= 2 * kernel.sum() - kernel[0]  # what is slow passes
        kernel[0] -= 1.0  # as the filter adds to x
        self.filter.copy_(kernel)

    @torch.no_grad()
    def match_level(self, unfiltered: Tensor, vivo: Tensor) -> None:
        """Scale the filter so that what it makes of `unfiltered` (N, T, Z, X) has the SD of `vivo`."""
        ratio = vivo.std() / self.filtered(unfiltered[:, None]).std().clamp(min=1e-6)
        self.filter.mul_(ratio)
        self.filter[0] += ratio - 1.0  # the filter adds to x, which is to be scaled too

    def filtered(self, x: Tensor) -> Tensor:
        """h ∗ x = x + k ∗ x with k symmetric in time, the first and last frame repeated beyond the ends."""
        reach = self.settings.filter // 2
        return self.filtered_within(F.pad(x.float(), (0, 0, 0, 0, reach, reach), mode="replicate"))

    def filtered_within(self, x: Tensor) -> Tensor:
        """h ∗ x for all frames of (B, 1, T, Z, X) but the first and last, which the filter cannot reach around."""
        reach = self.settings.filter // 2
        kernel = torch.cat([self.filter.flip(0)[:-1], self.filter]).float()  # (taps,)
        middle = x[:, :, reach : x.shape[2] - reach]
        return middle + (sliding_matrix(kernel, middle.shape[2]) @ x.flatten(3)).view_as(middle)


def speckle(noise: Tensor) -> Tensor:
    """Echo power (B, 1, 1, Z, X) of fully developed speckle: |z|², z complex normal, from the finest noise images."""
    real, imaginary = noise[:, 0].float(), noise[:, 1].float()
    return (0.05 + real.square() + imaginary.square())[:, None, None] / 2


class TissueNetwork(nn.Module):
    """From noise images and the depth to maps of what the tissue does: 3 x 3 convolutions, residual, per subject."""

    def __init__(self, features: int, more: int, convolutions: int = 3):
        super().__init__()
        self.first = nn.Conv2d(len(TISSUE_SCALES) * IMAGES_PER_SCALE + more + 2, features, 3, padding=1)
        self.convs = nn.ModuleList(nn.Conv2d(features, features, 3, padding=1) for _ in range(convolutions))
        self.norm = VoxelNorm()

    def forward(self, noise: Tensor) -> Tensor:
        y = self.first(torch.cat([noise, depth_channels(noise)], 1))  # (B, C, z, x)
        for conv in self.convs:
            y = y + conv(F.silu(self.norm(y)))
        return self.norm(y)


class MotionBlock(nn.Module):
    """x + f(x), f = norm, 3 x 3 in space, scaled and shifted by the tissue, SiLU, 3 in time."""

    def __init__(self, features: int, dilation: int):
        super().__init__()
        self.norm = VoxelNorm()
        self.strength = nn.Parameter(torch.ones(features))
        self.space = nn.Conv3d(
            features, features, (1, 3, 3), padding=(0, dilation, dilation), dilation=(1, dilation, dilation)
        )
        self.tissue = nn.Conv2d(features, 2 * features, 1)
        # As a 2-D convolution over (frames, pixels), which takes a third of the time of a 3-D one.
        self.time = nn.Conv2d(features, features, (KERNEL_TIME, 1), padding=(KERNEL_TIME // 2, 0))

    def forward(self, x: Tensor, tissue: Tensor) -> Tensor:
        y = flat_conv(self.space, self.norm(x), self.strength)  # (B, C, T, z, x)
        halves = self.tissue(tissue).chunk(2, 1)
        scale, shift = (half.contiguous(memory_format=torch.channels_last)[:, :, None] for half in halves)
        y = F.silu(torch.addcmul(shift, y, 1 + scale))
        return x + conv_channels_last(self.time, y.flatten(3)).view_as(y)


def dilations(settings: LocalSettings) -> list[int]:
    """Of the spatial convolution of each block: 1, 2, 4 in turn, so that a few blocks see centimetres."""
    return [2 ** (k % 3) for k in range(settings.blocks)]


def local_stride(settings: LocalSettings) -> tuple[int, int, int]:
    """What the sizes of a clip must be multiples of."""
    return 1, settings.cell, settings.cell


def local_reach(settings: LocalSettings) -> int:
    """How many frames before and after a frame its translation depends on."""
    return settings.filter // 2 + trunk_reach(settings)


def trunk_reach(settings: LocalSettings) -> int:
    """How many frames before and after a frame its motion, before the filter, depends on."""
    return settings.blocks * (KERNEL_TIME // 2)


def spread_weights(network: nn.Module, rng: torch.Generator) -> None:
    """Weights N(0, 1/inputs), which keep the variance; biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            nn.init.normal_(module.weight, 0.0, module.weight[0].numel() ** -0.5, generator=rng)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def initialise_local(network: LocalGenerator, rng: torch.Generator) -> None:
    """As `spread_weights`, but zero wherever a change of the input starts."""
    spread_weights(network, rng)
    nn.init.zeros_(network.filter)
    nn.init.zeros_(network.window)
    for block in network.blocks:
        nn.init.ones_(block.strength)  # type: ignore[arg-type]
        nn.init.normal_(block.tissue.weight, 0.0, 0.05, generator=rng)  # type: ignore[union-attr,arg-type]
        nn.init.zeros_(block.time.weight)  # type: ignore[union-attr,arg-type]
    nn.init.zeros_(network.last.weight)
    nn.init.zeros_(network.maps.weight)
    nn.init.zeros_(network.echo.weight)


def _enlarged(y: Tensor, size: Seq[int]) -> Tensor:
    """(B, C, T, z, x) -> (B, C, T, Z, X), linear between the centres of cells, frame by frame."""
    batch, channels, frames = y.shape[:3]
    y = F.interpolate(y.flatten(1, 2), tuple(size), mode="bilinear")
    return y.view(batch, channels, frames, *size)
