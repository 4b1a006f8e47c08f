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
        return F.group_norm(x.float(), x.shape[1], eps=1e-5).to(x.dtype)


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
        return F.group_norm(x.float(), 4, eps=1e-5).to(x.dtype)


class PaddedConv(nn.Module):
    """A convolution that pads before it convolves, in time and in space each in its own way.

    Zeros are padded here too, not by the convolution: on a CPU in bfloat16, the weight gradient of a
    `conv3d` that pads by itself is uninitialised memory (and the heap can be damaged) where the input
    has fewer frames than the kernel, as in the last layer of a PatchGAN on 32 frames.

    Parameters
    ----------
    dimensions : 2 or 3
    channels_in, channels_out, kernel, stride : as for `nn.Conv3d`
    padding : on both sides of each axis; half the kernel by default
    pads : how to pad in time and in space: "reflect", "replicate" or "zero"
    """

    def __init__(
        self,
        dimensions: int,
        channels_in: int,
        channels_out: int,
        kernel: int,
        stride: int | Seq[int] = 1,
        padding: int | None = None,
        pads: tuple[str, str] = ("zero", "zero"),
    ):
        super().__init__()
        self.conv = _CONV[dimensions](channels_in, channels_out, kernel, stride)  # type: ignore[arg-type]
        size = kernel // 2 if padding is None else padding
        time, space = ("constant" if mode == "zero" else mode for mode in pads)
        # F.pad counts from the last axis: columns, rows, then frames.
        if dimensions == 2:
            self._pads = [((size,) * 4, space)]
        elif time == space:
            self._pads = [((size,) * 6, space)]
        else:
            self._pads = [((size, size, size, size, 0, 0), space), ((0, 0, 0, 0, size, size), time)]

    def forward(self, x: Tensor) -> Tensor:
        for size, mode in self._pads:
            x = F.pad(x, size, mode=mode)
        return self.conv(x)


def padded_frames(x: Tensor, frames: int, mode: str) -> Tensor:
    """(B, C, T, Z, X) with so many frames more at either end: "reflect", "replicate" or "zero"."""
    return F.pad(x, (0, 0, 0, 0, frames, frames), mode="constant" if mode == "zero" else mode)


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


def unfold_pixels(x: Tensor, stride: Seq[int]) -> Tensor:
    """The inverse of `fold_pixels`: (B, C·a·b·c, t, z, x) -> (B, C, t·a, z·b, x·c)."""
    batch, _, *sizes = x.shape
    axes = len(sizes)
    x = x.reshape(batch, -1, *stride, *sizes)  # (B, C, a, b, c, t, z, x)
    order = [axis for k in range(axes) for axis in (2 + axes + k, 2 + k)]
    x = x.permute(0, 1, *order)  # (B, C, t, a, z, b, x, c)
    return x.reshape(batch, x.shape[1], *(size * each for size, each in zip(sizes, stride, strict=True)))
