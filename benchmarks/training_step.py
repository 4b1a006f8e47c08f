"""One training step of `paper-3d-noise` in bfloat16 against float32.

Each measurement runs in a process of its own, so that the memory stated is that of one precision, and
the two take turns, so that whatever else the machine does weighs on both.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from myovivo.runtime.device import precision_for

CLIP = (32, 64, 64)
ROUNDS = 2
GOAL = 1.7


def measure(precision: str) -> dict[str, float]:
    """Seconds of one step at the preset's batch of 2, and peak memory in GB, of this process.

    Not batch 1: there float32 can fall into a convolution four times slower, which would flatter the ratio.
    """
    from myovivo.models.settings import TrainSettings
    from myovivo.runtime.settings import settings_from
    from myovivo.sequences.header import Header
    from myovivo.sequences.scale import DomainScale
    from myovivo.training.processes import fabric_for
    from myovivo.training.step import Training

    changes = {"data.clip": CLIP, "optimiser.precision": precision}
    settings = settings_from(TrainSettings, "paper-3d-noise", **changes)
    header = Header(CLIP, 512.0, (3e-4, 3e-4), "silico", "", {})
    standards = {name: DomainScale(0.0, 1.0) for name in ("silico", "vivo")}
    with tempfile.TemporaryDirectory() as folder:
        training = Training(Path(folder), settings, 0, header, standards, fabric_for(settings, "cpu"))
        silico, vivo = torch.randn(2, settings.optimiser.batch, 1, *CLIP, generator=torch.Generator().manual_seed(0))
        training.advance(silico, vivo)  # the first step also builds the kernels, once for a whole training
        started = time.perf_counter()
        training.advance(silico, vivo)
        seconds = time.perf_counter() - started
    return {"seconds": seconds, "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}


def run() -> dict[str, Any]:
    """The faster step of either precision, their ratio, the memory of both; no ratio on a CPU without bfloat16."""
    name = "training step of paper-3d-noise, 32 x 64 x 64, bf16 against fp32"
    goal = f"at least {GOAL}"
    if precision_for("bf16", torch.device("cpu")) != "bf16":
        return {"name": name, "ratio": None, "goal": goal, "met": None}
    found: dict[str, list[dict[str, float]]] = {"bf16": [], "fp32": []}
    for _ in range(ROUNDS):
        for precision, results in found.items():
            child = subprocess.run([sys.executable, __file__, precision], capture_output=True, text=True, check=True)
            results.append(json.loads(child.stdout.splitlines()[-1]))
    best = {precision: min(result["seconds"] for result in results) for precision, results in found.items()}
    ratio = best["fp32"] / best["bf16"]
    row: dict[str, Any] = {
        "name": name,
        "ratio": ratio,
        "goal": goal,
        "met": ratio >= GOAL,
    }
    for precision, results in found.items():
        row[f"{precision}_seconds"] = best[precision]
        row[f"{precision}_gigabytes"] = max(result["gigabytes"] for result in results)
    return row


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
    else:
        row = run()
        if row["ratio"] is None:
            raise SystemExit(
                "this CPU only imitates bfloat16, so float32 takes its place and there is nothing to compare"
            )
        print(
            f"{row['name']}: {row['ratio']:.2f} x faster ({row['goal']}); "
            f"{row['bf16_seconds']:.2f} s and {row['bf16_gigabytes']:.1f} GB "
            f"against {row['fp32_seconds']:.2f} s and {row['fp32_gigabytes']:.1f} GB"
        )
