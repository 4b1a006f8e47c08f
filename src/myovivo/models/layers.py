"""What generators and discriminators are made of, in two or three dimensions."""

from __future__ import annotations

import math
from collections.abc import Sequence as Seq

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_CONV = {2: nn.Conv2d, 3: nn.Conv3d}


class InstanceNorm(nn.Module):
    """(x - mean) / SD per sample and channel, in float32, with no parameters.

    Ulyanov et al. (2016), arXiv:1607.08022. Computed as a group norm with one channel per group:
    at batch 1 on a CPU, `F.instance_norm` returns wrong gradients when the gradient that reaches it
    is laid out channels-last.
    """

    def forward(self, x: Tensor) -> Tensor:
        return _normed(x, x.shape[1])


class VoxelNorm(nn.Module):
    """x / RMS over the channels of each voxel, in float32, with no parameters.

    The pixel norm of Karras et al. (2018), arXiv:1710.10196: strictly local, so the result at a
    voxel does not depend on how long or wide the clip is.
    """

    def forward(self, x: Tensor) -> Tensor:
        y = x.float()
        return (y * torch.rsqrt(y.square().mean(1, keepdim=True) + 1e-6)).to(x.dtype)


class GroupNorm(nn.Module):
    """(x - mean) / SD per sample and group of channels, four groups, in float32, with no parameters.

    Wu and He (2018), doi:10.1007/978-3-030-01261-8_1. Unlike instance norm it keeps how strong the channels of a group
    are to each other.
    """

    def forward(self, x: Tensor) -> Tensor:
        return _normed(x, 4)


def _normed(x: Tensor, groups: int) -> Tensor:
    """A group norm with its statistics in float32; on a GPU the kernel itself has them so for half precision."""
    if not x.is_cuda:
        return F.group_norm(x.float(), groups, eps=1e-5).to(x.dtype)
    with torch.autocast("cuda", enabled=False):  # it would make float32 of x first
        return F.group_norm(x, groups, eps=1e-5)


class PaddedConv(nn.Module):
    """A convolution that pads before it convolves.

    Zeros are padded here too, not by the convolution: on a CPU in bfloat16, the weight gradient of a
    `conv3d` that pads by itself is uninitialised memory (and the heap can be damaged) where the input
    has fewer frames than the kernel, as in the last layer of a PatchGAN on 32 frames.

    Parameters
    ----------
    dimensions : 2 or 3
    channels_in, channels_out, kernel, stride : as for `nn.Conv3d`
    padding : on both sides of each axis; half the kernel by default
    pad : how, as `torch.nn.functional.pad` calls it
    """

    def __init__(
        self,
        dimensions: int,
        channels_in: int,
        channels_out: int,
        kernel: int,
        stride: int | Seq[int] = 1,
        padding: int | None = None,
        pad: str = "constant",
    ):
        super().__init__()
        self.conv = _CONV[dimensions](channels_in, channels_out, kernel, stride)  # type: ignore[arg-type]
        size = kernel // 2 if padding is None else padding
        self._size, self._pad = (size,) * (2 * dimensions), pad

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, self._size, mode=self._pad))


def compressed(x: Tensor, weak: float) -> Tensor:
    """asinh(x / weak) / 3: motion below `weak` is told apart as finely as motion above it.

    In the form that keeps small values, of operations that processors have as vectors: a third of the time of `asinh`.
    """
    size = (x / weak).abs()
    square = size.square()
    return x.sign() * torch.log1p(size + square / (1 + (square + 1).sqrt())) / 3


def depth_channels(x: Tensor) -> Tensor:
    """For x (B, C, ..., Z, X) two channels (B, 2, ..., Z, X): the sine and cosine of an angle that goes with depth.

    From -90 degrees in the first row to 90 in the last. Two channels of constant length, so that a norm over
    channels keeps both the depth and how strong x is; of a single channel it would keep the sign.
    """
    angle = torch.linspace(-math.pi / 2, math.pi / 2, x.shape[-2], device=x.device, dtype=x.dtype)[:, None]
    plane = x[:, :1]
    return torch.cat([angle.sin().expand_as(plane), angle.cos().expand_as(plane)], 1)


def fold_pixels(x: Tensor, stride: Seq[int]) -> Tensor:
    """(B, C, T, Z, X) -> (B, C·a·b·c, T/a, Z/b, X/c) for stride (a, b, c); any number of axes."""
    batch, channels, *sizes = x.shape
    axes = len(sizes)
    split = [part for size, each in zip(sizes, stride, strict=True) for part in (size // each, each)]
    x = x.reshape(batch, channels, *split)  # (B, C, T/a, a, Z/b, b, X/c, c)
    x = x.permute(0, 1, *range(3, 3 + 2 * axes, 2), *range(2, 2 + 2 * axes, 2))  # (B, C, a, b, c, T/a, Z/b, X/c)
    return x.flatten(1, 1 + axes)
