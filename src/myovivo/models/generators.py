"""The generator of CycleGAN in two or three dimensions, every modification of the paper a switch.

Johnson, Alahi, Fei-Fei (2016), doi:10.1007/978-3-319-46475-6_43, in the form of Zhu et al. (2017),
doi:10.1109/ICCV.2017.244, carried to three dimensions by Ali et al. (2022), BioMed Eng OnLine 21:46.
In shapes, C is `features` and s the down-sampling in time, 1 or 4.
"""

from __future__ import annotations

from collections.abc import Sequence as Seq
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import InstanceNorm, PaddedConv
from .settings import Generator as GeneratorSettings

OUTER_KERNEL, DOWNSAMPLINGS = 7, 2
REFLECT = "reflect"  # the paper's padding, in time as in space
_TRANSPOSED = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}


class ResidualBlock(nn.Module):
    """x + f(x) with f = conv, noise, norm, ReLU, conv, noise, norm.

    The noise is StyleGAN's (Karras et al. 2019, doi:10.1109/CVPR.2019.00453): one image, scaled per
    channel by a learned number that starts at zero.
    """

    def __init__(self, settings: GeneratorSettings, channels: int, noise: bool):
        super().__init__()
        self.convs = nn.ModuleList(
            PaddedConv(settings.dimensions, channels, channels, 3, pad=REFLECT) for _ in range(2)
        )
        self.norm = InstanceNorm()
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
                y = F.relu(y)
        return x + y


class Upsampling(nn.Module):
    """A transposed convolution to twice the rows and columns, and the frames as often as `stride` says."""

    def __init__(self, dimensions: int, channels_in: int, channels_out: int, stride: Seq[int]):
        super().__init__()
        outer = [axis - 1 for axis in stride]
        self.conv = _TRANSPOSED[dimensions](
            channels_in,
            channels_out,
            3,
            tuple(stride),
            padding=1,
            output_padding=outer,  # type: ignore[arg-type]
        )

    def forward(self, x: Tensor) -> Tensor:  # (B, C, t, z, x) -> (B, C/2, t or 2t, 2z, 2x)
        return self.conv(x)


class ResnetGenerator(nn.Module):
    """From a standardised clip of one domain to one of the other.

    conv7-norm-ReLU, two down-samplings (conv3, stride 2), residual blocks, two up-samplings, conv7, Tanh.

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
        stride = (*(settings.temporal_stride,) * (dimensions - 2), 2, 2)
        self.norm = InstanceNorm()
        self.first = PaddedConv(dimensions, channels, features, OUTER_KERNEL, pad=REFLECT)
        widths = [features * 2**k for k in range(DOWNSAMPLINGS + 1)]
        self.down = nn.ModuleList(PaddedConv(dimensions, narrow, wide, 3, stride) for narrow, wide in pairwise(widths))
        self.blocks = nn.ModuleList(ResidualBlock(settings, widths[-1], self.noisy) for _ in range(settings.blocks))
        self.up = nn.ModuleList(
            Upsampling(dimensions, wide, narrow, stride) for narrow, wide in reversed(list(pairwise(widths)))
        )
        self.last = PaddedConv(dimensions, features, 1, OUTER_KERNEL, pad=REFLECT)

    @property
    def stride(self) -> tuple[int, ...]:
        """Sizes must be multiples of this: ((frames,) rows, columns)."""
        return clip_stride(self.settings)

    def noise_shape(self, shape: Seq[int]) -> tuple[int, ...]:
        """Shape of the noise for an input of `shape`: a channel per convolution of the blocks.

        (B, 1, T, Z, X) -> (B, 2 blocks, 1, Z/4, X/4): one image for all frames.
        """
        batch, _, *sizes = shape
        inner = [size // each for size, each in zip(sizes, self.stride, strict=True)]
        if len(inner) == 3:
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
        y = F.relu(self.norm(self.first(x)))  # (B, C, T, Z, X)
        for conv in self.down:
            y = F.relu(self.norm(conv(y)))  # (B, 2C, T/2, Z/2, X/2), then (B, 4C, T/4, Z/4, X/4)
        for k, block in enumerate(self.blocks):
            y = block(y, None if noise is None else noise[:, 2 * k : 2 * k + 2])  # (B, 4C, T/s, Z/4, X/4)
        for up in self.up:
            y = F.relu(self.norm(up(y)))  # (B, 2C, T/2, Z/2, X/2), then (B, C, T, Z, X)
        y = self.last(y).float()  # (B, 1, T, Z, X)
        return torch.tanh(y) if self.settings.tanh else y


def clip_stride(settings: GeneratorSettings) -> tuple[int, ...]:
    """What the sizes of a clip must be multiples of: ((frames,) rows, columns)."""
    time, space = settings.temporal_stride**DOWNSAMPLINGS, 2**DOWNSAMPLINGS
    return (*(time,) * (settings.dimensions - 2), space, space)


def reach(settings: GeneratorSettings) -> int:
    """How many frames before and after a window its translation can depend on, norms aside.

    The window is of whole strides, and so is the answer. Follows the frames first..last that one stride
    of output frames needs, from the last layer back to the first. 22 for the paper's generator with
    stride 1, which so sees 45 frames.
    """
    if settings.dimensions == 2:
        return 0
    half, stride = OUTER_KERNEL // 2, settings.temporal_stride
    whole = stride**DOWNSAMPLINGS
    first, last = -half, whole - 1 + half
    for _ in range(DOWNSAMPLINGS):
        first, last = (first - 1, last + 1) if stride == 1 else (first // 2, (last + 1) // 2)
    first, last = first - 2 * settings.blocks, last + 2 * settings.blocks
    for _ in range(DOWNSAMPLINGS):
        first, last = first * stride - 1, last * stride + 1
    frames = max(half - first, last + half - (whole - 1))
    return -(-frames // whole) * whole


def initialise(network: nn.Module, rng: torch.Generator) -> None:
    """Weights N(0, 0.02²), biases 0, noise scales 0 (Zhu et al. 2017)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d):
            nn.init.normal_(module.weight, 0.0, 0.02, generator=rng)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        if isinstance(module, ResidualBlock) and module.noise_scale is not None:
            nn.init.zeros_(module.noise_scale)
