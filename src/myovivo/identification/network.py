"""A small network that sees firings: for each cell of the image and each moment, does a unit that lies there fire?

Ours, in the spirit of Ali et al. (2020), IEEE Access 8:170595, whose network segments one territory and gives its spike
train. Here one field holds the firings of all units, each within its territory, and `decoding` takes them apart.

In shapes, C is `features`; a cell of the field is s frames x a rows x b columns. All is strictly local: what is said of
a cell depends on what moves within `reach` frames of it, so any length and size can be looked at.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from ..models.layers import VoxelNorm
from ..sequences.labels import MotorUnits

Cell = tuple[int, int, int]

Truth = tuple[NDArray[np.float32], NDArray[np.float32]]

_KERNEL = 5  # frames of the field that a temporal convolution looks at

DILATIONS = (1, 2, 4)  # of the temporal convolutions, in turns

SEEN = 9  # frames that the first convolution looks at

TERRITORY = 0.1  # weight of the territories' loss beside that of the firings


class FiringNetwork(nn.Module):
    """Firings and territories from a standardised clip, (2+1)-D: space and time are convolved in turns.

    Parameters
    ----------
    features : channels C
    blocks : residual blocks
    cell : (s, a, b), frames, rows and columns of a cell of the field
    """

    def __init__(self, features: int, blocks: int, cell: Cell):
        super().__init__()
        self.cell = cell
        self.first = nn.Conv3d(2, features, (SEEN, *cell[1:]), stride=cell)
        self.blocks = nn.Sequential(*(FiringBlock(features, DILATIONS[k % len(DILATIONS)]) for k in range(blocks)))
        self.last = nn.Conv3d(features, 2, 1)

    @property
    def reach(self) -> int:
        """Frames before and after a cell that it depends on."""
        blocks = sum(block.reach for block in self.blocks)  # type: ignore[misc]
        return SEEN // 2 + self.cell[0] * blocks

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Log-odds of a firing (B, T/s, Z/a, X/b) and of a territory (B, Z/a, X/b), for x (B, T, Z, X).

        What is no whole cell is filled up with rest.
        """
        x = x[:, None]  # (B, 1, T, Z, X)
        late, low, right = (-size % each for size, each in zip(x.shape[2:], self.cell, strict=True))
        x = F.pad(x, (0, right, 0, low, SEEN // 2, SEEN // 2 + late))
        x = self.first(torch.cat([x, torch.asinh(20 * x) / 3], 1))  # (B, C, T/s, Z/a, X/b); weak motion shows, too
        firing, territory = self.last(self.blocks(x)).unbind(1)
        return firing, territory.mean(1)


class FiringBlock(nn.Module):
    """x + time(silu(space(norm(x)))): 3 x 3 cells, then five moments."""

    def __init__(self, features: int, dilation: int):
        super().__init__()
        self.reach = dilation * (_KERNEL // 2)
        self.norm = VoxelNorm()
        self.space = nn.Conv3d(features, features, (1, 3, 3))
        self.time = nn.Conv3d(features, features, (_KERNEL, 1, 1), dilation=(dilation, 1, 1))

    def forward(self, x: Tensor) -> Tensor:  # (B, C, T, Z, X) -> the same
        # Padded here: see `PaddedConv` on what a convolution that pads by itself does in bfloat16 on a CPU.
        y = F.silu(self.space(F.pad(self.norm(x), (1, 1, 1, 1))))
        return x + self.time(F.pad(y, (0, 0, 0, 0, self.reach, self.reach)))


def truth(labels: MotorUnits, shape: tuple[int, int, int], frame_rate: float, blur: float, cell: Cell) -> Truth:
    """What the network should say of a sequence.

    Parameters
    ----------
    labels : its motor units
    shape : (T, Z, X) of the sequence
    frame_rate : Hz
    blur : SD in time of a firing, s
    cell : (s, a, b), of the field

    Returns
    -------
    firing : (T/s, Z/a, X/b) float32, 0..1: at a firing, the share of the cell that is in the unit's territory, falling
        off as a Gaussian in time; of several units the largest
    territory : (Z/a, X/b) float32, 0..1: the largest share of the cell that is in one territory
    """
    moments = np.arange(-(-shape[0] // cell[0])) * cell[0] / frame_rate
    share = shares(labels.mask, cell)
    bumps = np.zeros((len(labels), len(moments)), np.float32)
    for bump, times in zip(bumps, labels.spike_times, strict=True):
        bump[:] = np.exp(-(((moments[:, None] - times) / blur) ** 2) / 2).max(1, initial=0)
    firing = np.zeros((len(moments), *share.shape[1:]), np.float32)
    for bump, where in zip(bumps, share, strict=True):
        np.maximum(firing, bump[:, None, None] * where, out=firing)
    return firing, share.max(0, initial=0)


def shares(mask: NDArray[np.bool_], cell: Cell) -> NDArray[np.float32]:
    """(K, Z, X) -> (K, Z/a, X/b): the share of each cell that a mask covers."""
    _, rows, columns = mask.shape
    filled = np.pad(mask, ((0, 0), (0, -rows % cell[1]), (0, -columns % cell[2]))).astype(np.float32)
    units, rows, columns = filled.shape
    return filled.reshape(units, rows // cell[1], cell[1], columns // cell[2], cell[2]).mean((2, 4))


def loss(said: tuple[Tensor, Tensor], true: tuple[Tensor, Tensor]) -> Tensor:
    """Cross-entropy of the firings plus a tenth of the territories', log-odds against shares."""
    firing, territory = (
        F.binary_cross_entropy_with_logits(odds.float(), wanted) for odds, wanted in zip(said, true, strict=True)
    )
    return firing + TERRITORY * territory
