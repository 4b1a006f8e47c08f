"""Time to identify the motor units of one sequence of the paper's size, by each method.

python benchmarks/identify_speed.py
"""

from __future__ import annotations

import time
from typing import Any

import myovivo as mv

LIMIT_S = 20.0
METHODS = ("fit", "wavelet", "convolutive")
LONG_S = 10.0  # of a sequence for `joint`, whose goal is one second for each


def run() -> dict[str, Any]:
    """One row; the default, `fit`, is what the goal is for."""
    sequence = mv.simulate(seed=0, **{"noise.snr_db": 20.0})
    mv.identify(mv.simulate(seed=0, **{"grid.frames": 128}))  # imports
    seconds = {}
    for method in METHODS:
        started = time.perf_counter()
        mv.identify(sequence, method=method)
        seconds[method] = time.perf_counter() - started
    long = mv.simulate(seed=0, **{"noise.snr_db": 20.0, "grid.frames": round(LONG_S * sequence.frame_rate)})
    started = time.process_time()  # of all threads: what one core would take
    mv.identify(long, method="joint")
    seconds["joint, 10 s"] = time.process_time() - started
    others = ", ".join(f"{method} {seconds[method]:.1f} s" for method in list(seconds)[1:])
    return {
        "benchmark": "identify the units of 128 × 128 × 1024 frames",
        "measured": f"{METHODS[0]} {seconds[METHODS[0]]:.1f} s ({others})",
        "goal": f"at most {LIMIT_S:g} s; joint at most {LONG_S:g} s for {LONG_S:g} s",
        "met": seconds[METHODS[0]] <= LIMIT_S and seconds["joint, 10 s"] <= LONG_S,
        "seconds": seconds,
    }


if __name__ == "__main__":
    print(run()["measured"])
