"""Recording 2 s of the tissue phantom and turning them into a TVI sequence, against a plain pass over the frames.

python benchmarks/phantom_acquire.py
"""

from __future__ import annotations

import json
import time
from typing import Any

from myovivo.acquisition.acquire import acquire
from myovivo.phantoms.phantom import phantom

LIMIT_S = 20.0


def run() -> dict[str, Any]:
    """Seconds for a new subject's tissue, 4000 IQ frames and their velocity; and for the FFTs of those frames alone."""
    start = time.perf_counter()
    sequence = acquire(phantom(seed=1), quiet=True)
    seconds = time.perf_counter() - start

    import torch

    frames = torch.zeros(64, 270, 135, dtype=torch.complex64)
    start = time.perf_counter()
    for _ in range(4000 // 64 * 3):  # two forward transforms and a backward one for each block
        torch.fft.fft2(frames)
    transforms = time.perf_counter() - start
    return {
        "benchmark": "phantom + acquire of 2 s",
        "measured": f"{seconds:.1f} s, {seconds / transforms:.1f} × its Fourier transforms alone",
        "goal": f"at most {LIMIT_S:g} s",
        "met": seconds <= LIMIT_S,
        "seconds": seconds,
        "ratio": seconds / transforms,
        "shape": list(sequence.shape),
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2, ensure_ascii=False))
