"""Why the beamformer multiplies with two real sparse matrices: that, one complex sparse matrix, and a gather.

    python benchmarks/beamforming_products.py

RF of 128 elements, images of 512 × 128 pixels, f-number 1.5, blocks of 32 frames; milliseconds a frame, best of five.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from myovivo.acquisition.beamform import Beamformer
from myovivo.acquisition.channel_data import ChannelData
from myovivo.acquisition.settings import AcquireSettings
from myovivo.runtime.settings import settings_from

FRAMES, SAMPLES, ELEMENTS = 32, 1024, 128


def run() -> dict[str, Any]:
    """Milliseconds a frame of each way, the same image from all."""
    warnings.filterwarnings("ignore", message=".*(beta state|[Ii]nvariant checks).*")
    rf = np.random.default_rng(0).standard_normal((FRAMES, SAMPLES, ELEMENTS)).astype(np.float32)
    scan = {"frame_rate": 2000.0, "sampling_frequency": 20e6, "centre_frequency": 5e6}
    channels = ChannelData.of_array(rf, pitch=3e-4, **scan)
    pixels = {"beamforming.depth": (0.001, 0.038), "beamforming.rows": 512, "beamforming.columns": 128}
    plan = Beamformer(channels, settings_from(AcquireSettings, None, **pixels), "cpu")
    iq = plan._demodulated(rf[:, None])  # (2, W M E, B)
    whole = torch.complex(iq[0], iq[1])
    parts = list(plan._operators())
    turned = [
        torch.sparse_csr_tensor(
            real.crow_indices(), real.col_indices(), torch.complex(real.values(), imaginary.values()), real.shape
        )
        for real, imaginary in parts
    ]

    def two_real() -> torch.Tensor:
        return torch.cat(
            [
                torch.complex(real @ iq[0] - imaginary @ iq[1], real @ iq[1] + imaginary @ iq[0])
                for real, imaginary in parts
            ]
        )

    def one_complex() -> torch.Tensor:
        return torch.cat([matrix @ whole for matrix in turned])

    def gather() -> torch.Tensor:
        images = []
        for matrix in turned:
            ends = matrix.crow_indices().long()
            pixel = torch.repeat_interleave(torch.arange(matrix.shape[0]), ends.diff())
            image = torch.zeros(matrix.shape[0], FRAMES, dtype=torch.complex64)
            for frame in range(FRAMES):
                echoes = whole[:, frame][matrix.col_indices().long()] * matrix.values()
                image[:, frame].index_add_(0, pixel, echoes)
            images.append(image)
        return torch.cat(images)

    expected = two_real()
    found = {}
    for name, way in (("two real sparse", two_real), ("one complex sparse", one_complex), ("gather", gather)):
        assert torch.allclose(way(), expected, atol=1e-4 * float(expected.abs().max())), name
        found[name] = _best_ms(way) / FRAMES
    filled = sum(real.values().numel() for real, _ in parts) / sum(real.shape[0] * real.shape[1] for real, _ in parts)
    return {
        "ms_a_frame": found,
        "ratio_to_two_real": {name: ms / found["two real sparse"] for name, ms in found.items()},
        "share_not_zero": filled,
    }


def _best_ms(way: Callable[[], torch.Tensor], repeats: int = 5) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        way()
        seconds.append(time.perf_counter() - start)
    return 1e3 * min(seconds)


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
