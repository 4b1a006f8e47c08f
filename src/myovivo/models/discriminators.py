"""The PatchGAN discriminator in two or three dimensions."""

from __future__ import annotations

from collections.abc import Sequence as Seq
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import GroupNorm, InstanceNorm, PaddedConv, compressed, depth_channels
from .settings import Discriminator as DiscriminatorSettings

_KERNEL = 4


class PatchDiscriminator(nn.Module):
    """One score per patch: is it from this domain?

    Isola et al. (2017), doi:10.1109/CVPR.2017.632: n convolutions of stride 2, one of stride 1, and a
    last one to a score; kernels of 4, zero padding of 1, LeakyReLU 0.2, a norm on all but the
    first and the last. With n = 3 a score sees 70 pixels and frames; with `temporal_stride` 1 the
    layers after the first keep the frames, and it sees 28 frames; with `temporal_stride_first` 1 too, 16.

    Ours, all off in the paper's presets: `compressed` shows x once more as asinh(20 x) / 3, in which motion far
    below the domain's SD can be seen too, and `pointwise` leaves out the two convolutions of stride 1, which learn
    slowly, for one of a single place: with n = 3 a score sees 22 pixels.

    Parameters
    ----------
    settings : the switches
    dimensions : 2 or 3
    channels : of the input
    depth : two more input channels tell each patch how deep it lies
    """

    def __init__(self, settings: DiscriminatorSettings, dimensions: int, channels: int = 1, depth: bool = False):
        super().__init__()
        self.settings, self.depth = settings, depth
        channels = channels * (1 + settings.compressed) + 2 * depth
        steps = strides(settings, dimensions)
        widths = [channels, *(settings.features * min(2**k, 8) for k in range(len(steps)))]
        if not settings.pointwise:
            widths[-1] = 1
        self.convs = nn.ModuleList(
            PaddedConv(dimensions, narrow, wide, _KERNEL, stride, padding=1)
            for (narrow, wide), stride in zip(pairwise(widths), steps, strict=True)
        )
        if settings.pointwise:
            self.convs.append(PaddedConv(dimensions, widths[-1], 1, 1))
        self.norm = GroupNorm() if settings.norm == "group" else InstanceNorm()

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, T, Z, X) or (B, 1, Z, X) -> float32 scores (B, 1, t, z, x); real is near 1."""
        seen = [x]
        if self.settings.compressed:
            seen.append(compressed(x, 0.05))
        if self.depth:
            seen.append(depth_channels(x))
        x = torch.cat(seen, 1)
        last = len(self.convs) - 1
        for k, conv in enumerate(self.convs):
            # n = 3: (B, C, T/2, Z/2, X/2), (B, 2C, T/4, ...), (B, 4C, T/8, ...),
            # (B, 8C, T/8 - 1, ...), (B, 1, T/8 - 2, ...)
            x = conv(x)
            if 0 < k < last:
                x = self.norm(x)
            if k < last:
                x = F.silu(x) if self.settings.activation == "silu" else F.leaky_relu(x, 0.2)
        return x.float()


class MapDiscriminator(nn.Module):
    """One score per patch of a clip's log-variance map: does it vary where, and as, this domain varies?

    Ours. ln(V + 1e-5) / 2, V the variance in time, beside the depth of each row, goes to a 2-D PatchGAN: what a
    clip's discriminator would have to work out from the motion is laid before this one.
    """

    def __init__(self, settings: DiscriminatorSettings):
        super().__init__()
        self.patches = PatchDiscriminator(settings.model_copy(update={"compressed": False}), 2, depth=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, T, Z, X) -> float32 scores (B, 1, z, x)."""
        return self.patches(clip_log_variance(x))


def clip_log_variance(x: Tensor) -> Tensor:
    """ln(V + 1e-5) / 2, V the variance in time of (B, 1, T, Z, X): (B, 1, Z, X)."""
    x = x.float()
    # Of the differences from the mean, which is an order faster than `var` along an axis that is not the last.
    return torch.log((x - x.mean(2, keepdim=True)).square().mean(2) + 1e-5) / 2


def strides(settings: DiscriminatorSettings, dimensions: int) -> list[tuple[int, ...]]:
    """Stride of each convolution of 4, ((frames,) rows, columns)."""
    result: list[tuple[int, ...]] = []
    for k in range(settings.layers + (0 if settings.pointwise else 2)):
        space = 2 if k < settings.layers else 1
        time = min(space, settings.temporal_stride_first if k == 0 else settings.temporal_stride)
        result.append((*(time,) * (dimensions - 2), space, space))
    return result


def smallest(steps: Seq[int]) -> int:
    """The smallest size that layers of these strides turn into at least one score."""
    size = 1
    for step in reversed(steps):
        size = (size - 1) * step + _KERNEL - 2  # out = (size + 2 - kernel) // step + 1, padding 1
    return size
