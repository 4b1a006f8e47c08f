"""Products with banded matrices: each block of rows with the columns it reaches, as dense matrix products.

Filters and moving windows are banded matrices. A library's dense product of small blocks runs at the
processor's full speed and skips most of the zeros; the same code runs on CUDA.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

_ROWS = 64


class Block(NamedTuple):
    """Rows of a banded matrix, the columns they reach, and the dense weights there (rows, columns)."""

    rows: slice
    columns: slice
    weight: torch.Tensor


class Banded:
    """A banded matrix (M, N), ready to be multiplied with many tensors."""

    def __init__(self, matrix: NDArray[Any], device: torch.device | str = "cpu"):
        self.shape = matrix.shape
        self.blocks = []
        for first in range(0, len(matrix), _ROWS):
            rows = slice(first, min(first + _ROWS, len(matrix)))
            reached = np.flatnonzero(matrix[rows].any(0))
            columns = slice(int(reached[0]), int(reached[-1]) + 1) if len(reached) else slice(0, 1)
            weight = torch.from_numpy(np.ascontiguousarray(matrix[rows, columns], np.float32)).to(device)
            self.blocks.append(Block(rows, columns, weight))

    def left(self, values: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
        """This matrix times values (..., N, K) -> (..., M, K), written to `out` if given."""
        result = values.new_empty((*values.shape[:-2], self.shape[0], values.shape[-1])) if out is None else out
        for rows, columns, weight in self.blocks:
            if values.dim() == 2:
                torch.mm(weight, values[columns], out=result[rows])
            else:
                result[..., rows, :] = weight @ values[..., columns, :]
        return result

    def right(self, values: torch.Tensor) -> torch.Tensor:
        """Values (..., N) times the transpose of this matrix -> (..., M)."""
        result = values.new_empty((*values.shape[:-1], self.shape[0]))
        for rows, columns, weight in self.blocks:
            result[..., rows] = values[..., columns] @ weight.T
        return result
