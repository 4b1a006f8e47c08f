"""Simulating a 128 × 128 × 1024 sequence, against copying its array.

python benchmarks/simulation.py
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from myovivo.simulation.simulate import simulate

LIMIT = 6.0
ROUNDS = 15


def run() -> dict[str, Any]:
    """Median seconds of both, taken in turns, and the median of their ratios."""
    velocity = simulate(seed=0).velocity
    simulating, copying = [], []
    for seed in range(ROUNDS):
        start = time.perf_counter()
        sequence = simulate(seed=seed)
        simulating.append(time.perf_counter() - start)
        copy = np.empty_like(velocity)
        start = time.perf_counter()
        copy[...] = sequence.velocity
        copying.append(time.perf_counter() - start)
        del copy, sequence
    ratio = float(np.median(np.array(simulating) / np.array(copying)))
    return {
        "benchmark": "simulate 128 × 128 × 1024, against a copy of the array",
        "measured": f"{ratio:.1f} × ({np.median(simulating) * 1e3:.0f} ms against {np.median(copying) * 1e3:.0f} ms)",
        "goal": f"at most {LIMIT:g} ×",
        "met": ratio <= LIMIT,
        "ratio": ratio,
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=2, ensure_ascii=False))
