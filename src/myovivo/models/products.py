"""Convolutions as matrix products, and those flat in time as two-dimensional ones: what processors are quickest at."""

from __future__ import annotations

from collections.abc import Sequence as Seq

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def sliding_matrix(kernel: Tensor, outputs: int) -> Tensor:
    """The matrix (outputs, outputs + taps - 1) whose rows are `kernel`, each one place further right.

    Its product with a series is the correlation of the series with the kernel, at the places where both overlap wholly.
    """
    width = outputs + len(kernel) - 1
    # A row and one more zero, again and again: read in rows one shorter, each starts one place further right.
    rows = F.pad(kernel, (0, outputs)).repeat(outputs)
    return rows[: outputs * width].view(outputs, width)


def flat_conv(conv: nn.Conv3d, x: Tensor, strength: Tensor | None = None) -> Tensor:
    """A convolution whose kernel is (1, a, b), of (B, C, T, Z, X), as a two-dimensional one of all its frames.

    `strength` (C,) multiplies the channels of x. What comes of it has its channels last in memory, and of such an x
    nothing is copied.
    """
    batch, _, frames = x.shape[:3]
    planes = x.transpose(1, 2).flatten(0, 1)  # (B T, C, Z, X)
    weight = conv.weight[:, :, 0] if strength is None else conv.weight[:, :, 0] * strength[:, None, None]
    y = _conv2d(planes, weight, conv.bias, conv.padding[1:], conv.dilation[1:])
    return y.view(batch, frames, *y.shape[1:]).transpose(1, 2)


def conv_channels_last(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """A convolution of (B, C, Z, X), channels last in memory."""
    return _conv2d(x, conv.weight, conv.bias, conv.padding, conv.dilation)


def _conv2d(x: Tensor, weight: Tensor, bias: Tensor | None, padding: str | Seq[int], dilation: Seq[int]) -> Tensor:
    last = torch.channels_last
    x, weight = x.contiguous(memory_format=last), weight.contiguous(memory_format=last)
    return F.conv2d(x, weight, bias, padding=padding, dilation=dilation)  # type: ignore[arg-type]
