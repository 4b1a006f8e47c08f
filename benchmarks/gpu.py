"""How fast a GPU trains: milliseconds a step, clips a second, and the share of what the device can do.

python benchmarks/gpu.py                  # `house` and `paper-3d-noise` at their own sizes
python benchmarks/gpu.py --compile        # with torch.compile
python benchmarks/gpu.py --batch 8        # of both, instead of the presets' own
python benchmarks/gpu.py --device cpu     # toy sizes, to see that it runs

The share is of the speed of products of large matrices on the same device, in the precision of the training.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from myovivo.models.settings import TrainSettings
from myovivo.runtime.device import autocast_dtype
from myovivo.runtime.settings import settings_from
from myovivo.sequences.header import Header
from myovivo.sequences.scale import DomainScale
from myovivo.training.processes import fabric_for
from myovivo.training.step import Training

MODELS = ("house", "paper-3d-noise")
WARM_UP, STEPS = 5, 20
TOY: dict[str, Any] = {"generator.features": 4, "discriminator.features": 4, "data.clip": (32, 32, 32)}


def run(model: str, device: str, compile: bool = False, batch: int | None = None, toy: bool = False) -> dict[str, Any]:
    """Train a preset on noise for some steps; a row of what was measured."""
    # Settings, and clips that lie on the device already
    settings = settings_from(TrainSettings, model, **(TOY if toy else {}))
    settings = settings_from(TrainSettings, settings, **({"optimiser.batch": batch} if batch else {}))
    count, clip = settings.optimiser.batch, settings.data.clip
    fabric = fabric_for(settings, device)
    clips = fabric.to_device(torch.randn(2, count, 1, *clip, generator=torch.Generator().manual_seed(0)))
    with tempfile.TemporaryDirectory() as folder:
        made: tuple[Any, ...] = (
            0,
            Header(clip, 512.0, (3e-4, 3e-4), "silico", "", {}),
            {name: DomainScale(0.0, 1.0) for name in ("silico", "vivo")},
            fabric,
        )

        # The work of a step, counted without what the counter cannot follow, and its time
        counted = settings_from(TrainSettings, settings, **{"loss.steepness": 0.0})
        with FlopCounterMode(display=False) as counter:
            Training(Path(folder), counted, *made).advance(*clips)
        training = Training(Path(folder), settings, *made, compile)
        warm_up, steps = (1, 2) if toy else (WARM_UP, STEPS)
        _seconds(lambda: training.advance(*clips, False), warm_up, fabric.device)
        seconds = _seconds(lambda: training.advance(*clips, False), steps, fabric.device)
    speed = counter.get_total_flops() / seconds
    return {
        "model": model,
        "batch": count,
        "ms_per_step": 1e3 * seconds,
        "samples_per_s": count / seconds,
        "tflops": speed / 1e12,
        "share_of_peak": speed / peak(settings, fabric.device, 256 if toy else 8192),
    }


def peak(settings: TrainSettings, device: torch.device, size: int) -> float:
    """Floating-point operations per second of a product of two matrices."""
    dtype = autocast_dtype(settings.optimiser.precision, device)
    a, b = torch.randn(2, size, size, device=device).to(dtype)
    _seconds(lambda: a @ b, 3, device)
    return 2 * size**3 / _seconds(lambda: a @ b, 20, device)


def _seconds(work: Callable[[], object], times: int, device: torch.device) -> float:
    """Seconds that a piece of work takes, the device's part of it included."""
    _finish(device)
    started = time.perf_counter()
    for _ in range(times):
        work()
    _finish(device)
    return (time.perf_counter() - started) / times


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast a GPU trains.")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--batch", type=int)
    asked = parser.parse_args()
    toy = asked.device == "cpu"
    if not toy and not torch.cuda.is_available():
        raise SystemExit("there is no CUDA device here; run it on a machine with one, or try --device cpu")
    print(f"{'the CPU, toy sizes' if toy else torch.cuda.get_device_name()}; torch {torch.__version__}")
    for model in MODELS:
        row = run(model, asked.device, asked.compile, asked.batch, toy)
        print(
            f"{row['model']:15s} batch {row['batch']}: {row['ms_per_step']:.1f} ms/step, {row['samples_per_s']:.1f} "
            f"samples/s, {row['tflops']:.3g} TFLOP/s, {row['share_of_peak']:.1%} of peak"
        )


if __name__ == "__main__":
    main()
