"""The generator of CycleGAN in two or three dimensions, every modification of the paper a switch.

Johnson, Alahi, Fei-Fei (2016), doi:10.1007/978-3-319-46475-6_43, in the form of Zhu et al. (2017),
doi:10.1109/ICCV.2017.244, carried to three dimensions by Ali et al. (2022), BioMed Eng OnLine 21:46.
In shapes, C is `features`, s the down-sampling in time and r that in space (twice 2, unless set).
"""

from __future__ import annotations

import math
from collections.abc import Sequence as Seq
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import Generator as GeneratorSettings
from .layers import ACTIVATION, NORM, PaddedConv, depth_channels, fold_pixels, unfold_pixels

_TRANSPOSED = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}


class Block(nn.Module):
    """x + f(x) with f = conv, noise, norm, ReLU (SiLU with voxel norm), conv, noise, norm.

    The noise is StyleGAN's (Karras et al. 2019, doi:10.1109/CVPR.2019.00453): one image, scaled per
    channel by a learned number that starts at zero.
    """

    def __init__(self, settings: GeneratorSettings, channels: int, noise: bool):
        super().__init__()
        pads = settings.pad_time, settings.pad_space
        self.convs = nn.ModuleList(PaddedConv(settings.dimensions, channels, channels, 3, pads=pads) for _ in range(2))
        self.norm = NORM[settings.norm]()
        self.activation = ACTIVATION[settings.norm]
        scale = (2, channels, *(1,) * settings.dimensions)
        self.noise_scale = nn.Parameter(torch.zeros(scale)) if noise else None

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        y = x
        for k, conv in enumerate(self.convs):
            y = conv(y)
            if self.noise_scale is not None and noise is not None:
                y = y + self.noise_scale[k] * noise[:, k : k + 1]  # (C, 1, 1, 1) * (B, 1, 1 or t, z, x)
            y = self.norm(y)
            if k == 0:
                y = self.activation(y)
        return x + y


class Upsampling(nn.Module):
    """Twice the rows and columns, and the frames as often as `stride` says."""

    def __init__(self, settings: GeneratorSettings, channels_in: int, channels_out: int, stride: Seq[int]):
        super().__init__()
        self.kind, self.stride = settings.upsampling, tuple(stride)
        pads = settings.pad_time, settings.pad_space
        if self.kind == "transposed":
            conv = _TRANSPOSED[settings.dimensions]
            outer = [each - 1 for each in stride]
            self.conv: nn.Module = conv(channels_in, channels_out, 3, self.stride, padding=1, output_padding=outer)
        elif self.kind == "nearest":
            self.conv = PaddedConv(settings.dimensions, channels_in, channels_out, 3, pads=pads)
        else:
            folded = channels_out * math.prod(stride)
            self.conv = PaddedConv(settings.dimensions, channels_in, folded, 3, pads=pads)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, t, z, x)
        if self.kind == "nearest":
            x = F.interpolate(x, scale_factor=tuple(map(float, self.stride)), mode="nearest")
        x = self.conv(x)
        return unfold_pixels(x, self.stride) if self.kind == "shuffle" else x  # (B, C/2, t or 2t, 2z, 2x)


class ResnetGenerator(nn.Module):
    """From a standardised clip of one domain to one of the other.

    conv7-norm-ReLU, down-samplings (conv3, stride 2), residual blocks, up-samplings, conv7. What the
    last convolution gives is the output itself (`residual` none) or a change of the input: x + a, or
    x exp(g) + a. The change starts at zero, so that an untrained generator is the identity.

    Parameters
    ----------
    settings : the switches
    noise : overrides `settings.noise`; CycleGAN gives noise to one of its two generators only
    channels : of the input; a predictor takes two frames as channels
    """

    def __init__(self, settings: GeneratorSettings, noise: bool | None = None, channels: int = 1):
        super().__init__()
        self.settings = settings
        self.noisy = settings.noise if noise is None else noise
        dimensions, features = settings.dimensions, settings.features
        pads = settings.pad_time, settings.pad_space
        self._fold = (*(1,) * (dimensions - 2), settings.unshuffle, settings.unshuffle)
        stride = (*(settings.temporal_stride,) * (dimensions - 2), 2, 2)
        folded = settings.unshuffle**2
        outputs = folded * (2 if settings.residual == "gain" else 1)

        self.norm = NORM[settings.norm]()
        self.activation = ACTIVATION[settings.norm]
        self.first = PaddedConv(
            dimensions, channels * folded + 2 * settings.depth, features, settings.kernel, pads=pads
        )
        widths = [features * 2**k for k in range(settings.downsamplings + 1)]
        self.down = nn.ModuleList(PaddedConv(dimensions, narrow, wide, 3, stride) for narrow, wide in pairwise(widths))
        self.blocks = nn.ModuleList(Block(settings, widths[-1], self.noisy) for _ in range(settings.blocks))
        self.up = nn.ModuleList(
            Upsampling(settings, wide, narrow, stride) for narrow, wide in reversed(list(pairwise(widths)))
        )
        self.last = PaddedConv(dimensions, features, outputs, settings.kernel, pads=pads)

    @property
    def stride(self) -> tuple[int, ...]:
        """Sizes must be multiples of this: ((frames,) rows, columns)."""
        return clip_stride(self.settings)

    def noise_shape(self, shape: Seq[int]) -> tuple[int, ...]:
        """Shape of the noise for an input of `shape`: a channel per convolution of the blocks.

        (B, 1, T, Z, X) -> (B, 2 blocks, 1, Z/r, X/r), or T/s frames instead of 1 without `noise_broadcast`.
        """
        batch, _, *sizes = shape
        inner = [size // each for size, each in zip(sizes, self.stride, strict=True)]
        if len(inner) == 3 and self.settings.noise_broadcast:
            inner[0] = 1
        return batch, 2 * len(self.blocks), *inner

    def draw_noise(self, x: Tensor, rng: torch.Generator | Seq[torch.Generator]) -> Tensor | None:
        """Standard normal noise for `x`, from one generator or one per clip; None if this network takes none.

        Drawn where `rng` lives and then moved, so that a CPU `rng` gives one noise on every device.
        """
        if not self.noisy:
            return None
        batch, *shape = self.noise_shape(x.shape)
        rngs = [rng] * batch if isinstance(rng, torch.Generator) else rng
        noise = [torch.randn(shape, generator=each, device=each.device) for each in rngs]
        return torch.stack(noise).to(x.device)

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Translate `x`, (B, 1, T, Z, X) or (B, 1, Z, X), with `noise` of `noise_shape`, or none."""
        folded = fold_pixels(x, self._fold)  # (B, u², T, Z/u, X/u)
        seen = torch.cat([folded, depth_channels(folded)], 1) if self.settings.depth else folded
        y = self.first(seen)  # (B, C, T, Z/u, X/u)
        y = self.activation(self.norm(y))
        for conv in self.down:
            y = self.activation(self.norm(conv(y)))  # (B, 2C, T/2, Z/2, X/2), then (B, 4C, T/4, Z/4, X/4)
        for k, block in enumerate(self.blocks):
            y = block(y, None if noise is None else noise[:, 2 * k : 2 * k + 2])  # (B, 4C, T/s, Z/r, X/r)
        for up in self.up:
            y = self.activation(self.norm(up(y)))  # (B, 2C, T/2, Z/2, X/2), then (B, C, T, Z/u, X/u)
        y = self.last(y).float()  # (B, u² or 2u², T, Z/u, X/u)
        if self.settings.tanh:
            y = torch.tanh(y)
        if self.settings.residual == "add":
            y = folded + y
        elif self.settings.residual == "gain":
            gain, offset = y.chunk(2, 1)
            y = folded * gain.clamp(-3, 3).exp() + offset  # a factor beyond 20 would be noise, not tissue
        return unfold_pixels(y, self._fold)  # (B, 1, T, Z, X)


def clip_stride(settings: GeneratorSettings) -> tuple[int, ...]:
    """What the sizes of a clip must be multiples of: ((frames,) rows, columns)."""
    space = settings.unshuffle * 2**settings.downsamplings
    return (*(settings.temporal_stride**settings.downsamplings,) * (settings.dimensions - 2), space, space)


def reach(settings: GeneratorSettings) -> int:
    """How many frames before and after a window its translation can depend on, norms aside.

    The window is of whole strides, and so is the answer. Follows the frames first..last that one stride
    of output frames needs, from the last layer back to the first. 22 for the paper's generator with
    stride 1, which so sees 45 frames.
    """
    if settings.dimensions == 2:
        return 0
    half, stride = settings.kernel // 2, settings.temporal_stride
    whole = stride**settings.downsamplings
    first, last = -half, whole - 1 + half
    for _ in range(settings.downsamplings):
        if stride == 1 or settings.upsampling == "nearest":
            first, last = (first - 1) // stride, (last + 1) // stride
        elif settings.upsampling == "transposed":
            first, last = first // 2, (last + 1) // 2
        else:
            first, last = first // 2 - 1, last // 2 + 1
    first, last = first - 2 * settings.blocks, last + 2 * settings.blocks
    for _ in range(settings.downsamplings):
        first, last = first * stride - 1, last * stride + 1
    frames = max(half - first, last + half - (whole - 1))
    return -(-frames // whole) * whole


def initialise(network: nn.Module, rng: torch.Generator) -> None:
    """Weights N(0, 0.02²), biases 0, noise scales 0 (Zhu et al. 2017), and a residual head at zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d):
            nn.init.normal_(module.weight, 0.0, 0.02, generator=rng)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        if isinstance(module, Block) and module.noise_scale is not None:
            nn.init.zeros_(module.noise_scale)
    for module in network.modules():
        if isinstance(module, ResnetGenerator) and module.settings.residual != "none":
            nn.init.zeros_(module.last.conv.weight)
