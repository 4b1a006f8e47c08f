"""One training step of `paper-3d-noise` in bfloat16 against float32, and one of `house` against an earlier version.

python benchmarks/training_step.py                      # the two precisions
python benchmarks/training_step.py --against CHECKOUT   # `house` here and there

Each measurement runs in a process of its own, so that the memory stated is that of one precision, and
the two take turns, so that whatever else the machine does weighs on both.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from paired import SERVE, compare, serve, source_tree

CLIP = (32, 64, 64)
ROUNDS, STEPS = 2, 12
GOAL, GOAL_AGAINST, ROUNDING = 1.7, 1.5, 1e-3
SRC = Path(__file__).parents[1] / "src"


def measure(precision: str) -> dict[str, float]:
    """Seconds of one step at the preset's batch of 2, and peak memory in GB, of this process.

    Not batch 1: there float32 can fall into a convolution four times slower, which would flatter the ratio.
    """
    with tempfile.TemporaryDirectory() as folder:
        training, silico, vivo = _training(
            folder, "paper-3d-noise", {"data.clip": CLIP, "optimiser.precision": precision}
        )
        training.advance(silico, vivo)  # the first step also builds the kernels, once for a whole training
        started = time.perf_counter()
        training.advance(silico, vivo)
        seconds = time.perf_counter() - started
    return {"seconds": seconds, "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}


def _training(folder: str, preset: Any, changes: dict[str, Any]) -> tuple[Any, torch.Tensor, torch.Tensor]:
    """A training of noise, and its clips."""
    from myovivo.models.settings import TrainSettings
    from myovivo.runtime.settings import settings_from
    from myovivo.sequences.header import Header
    from myovivo.sequences.scale import DomainScale
    from myovivo.training.processes import fabric_for
    from myovivo.training.step import Training

    settings = settings_from(TrainSettings, preset, **changes)
    clip = settings.data.clip
    header = Header(clip, 512.0, (3e-4, 3e-4), "silico", "", {})
    standards = {name: DomainScale(0.0, 1.0) for name in ("silico", "vivo")}
    training = Training(Path(folder), settings, 0, header, standards, fabric_for(settings, "cpu"))
    silico, vivo = torch.randn(2, settings.optimiser.batch, 1, *clip, generator=torch.Generator().manual_seed(0))
    return training, silico, vivo


def settings_there(src: Path) -> dict[str, Any]:
    """The preset `house` of another version, every setting of it."""
    code = [
        "from myovivo.models.settings import TrainSettings",
        "from myovivo.runtime.settings import settings_from",
        "print(settings_from(TrainSettings, 'house').model_dump_json())",
    ]
    child, there = [sys.executable, "-c", "; ".join(code)], {**os.environ, "PYTHONPATH": str(src)}
    told = subprocess.run(child, capture_output=True, text=True, check=True, env=there)
    return json.loads(told.stdout.splitlines()[-1])


def against(checkout: str) -> dict[str, Any]:
    """A row: the `house` of that version trained by this one and by that one, and how far the losses differ."""
    there = source_tree(checkout)
    settings = json.dumps(settings_there(there))
    result = compare(__file__, there, SRC, STEPS, settings)
    before, after = (answer["losses"] for answer in result.pop("first"))
    difference = max(abs(after[name] - value) / max(abs(value), 1e-3) for name, value in before.items())
    return {
        "benchmark": "training step of house, 64 × 128 × 64, against the version before",
        "measured": f"{result['ratio']:.2f} × faster ({1e3 * result['before_s']:.0f} ms, now "
        f"{1e3 * result['after_s']:.0f} ms of one thread); losses of the first step differ by {difference:.0e}",
        "goal": f"at least {GOAL_AGAINST} ×; equal within {ROUNDING:g} (in the CPU's precision)",
        "met": result["ratio"] >= GOAL_AGAINST and difference <= ROUNDING,
        "difference": difference,
        **result,
    }


def run() -> dict[str, Any]:
    """The faster step of either precision, their ratio, the memory of both; no ratio on a CPU without bfloat16."""
    from myovivo.runtime.device import precision_for

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
    if sys.argv[1:2] == [SERVE]:
        torch.set_num_threads(1)
        with tempfile.TemporaryDirectory() as folder:
            training, silico, vivo = _training(folder, json.loads(sys.argv[2]), {})
            serve(lambda: {"losses": training.advance(silico, vivo)})
    elif sys.argv[1:2] == ["--against"]:
        row = against(sys.argv[2])
        print(f"{row['benchmark']}: {row['measured']} ({row['goal']})")
    elif len(sys.argv) > 1:
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
