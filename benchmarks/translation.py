"""Translating with the bundled `house`: time, memory, and that neither windows nor length change anything.

python benchmarks/translation.py
python benchmarks/translation.py --against CHECKOUT   # the same weights here and in an earlier version

Each file is translated in a process of its own, so that the memory stated is that of one length.
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

import numpy as np
from paired import SERVE, compare, serve, source_tree

SIZE, ROUNDS, FRAMES, GOAL = 128, 7, 512, 1.8
SRC = Path(__file__).parents[1] / "src"
LENGTHS = (1024, 8192)
LIMIT_S, LIMIT_BYTES = 10.0, 1.5e9


def make(path: Path, frames: int) -> None:
    """A simulated sequence of 1024 frames, again and again until it has so many."""
    from myovivo import simulate
    from myovivo.sequences.blocks import save_blocks

    one = simulate(seed=0)
    blocks = (one.velocity for _ in range(frames // len(one.velocity)))
    save_blocks(path, blocks, (SIZE, SIZE), one.frame_rate, one.spacing, lambda: {"origin": "silico"})


def measure(source: str, out: str) -> dict[str, float]:
    """Seconds and peak bytes of translating a file into another, in this process."""
    from myovivo import Translator

    translator = Translator.load("house", device="cpu")
    started = time.perf_counter()
    translator.file(source, out)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def largest_difference(path: Path) -> float:
    """Between windows of 50 frames and the whole of 300, in SDs of the vivo domain."""
    from myovivo import Sequence, Translator

    translator, sequence = Translator.load("house", device="cpu"), Sequence.load(path, 0, 300)
    whole, windows = (translator(sequence, 1, frames).velocity for frames in (300, 50))
    return float(np.abs(whole - windows).max() / translator.weights.standards["vivo"].std)


def work(weights: str, out: str) -> Any:
    """What translates a simulated sequence with a file of weights, and writes it, standardised, the first time."""
    from myovivo import Sequence, Translator, simulate

    translator, made = Translator.load(weights, device="cpu"), simulate(seed=0)
    sequence: Sequence = made.replace(velocity=made.velocity[:FRAMES], labels=None)

    def translate() -> dict[str, Any]:
        velocity = translator(sequence, 1).velocity
        if not Path(out).exists():
            np.save(out, velocity / translator.weights.standards["vivo"].std)
        return {}

    return translate


def against(checkout: str) -> dict[str, Any]:
    """A row: the weights of that version translated with by this one and by that one, and how far they differ."""
    there = source_tree(checkout)
    with tempfile.TemporaryDirectory() as folder:
        outs = [str(Path(folder) / f"{name}.npy") for name in ("before", "after")]
        weights = str(there / "myovivo" / "weights" / "house.safetensors")
        result = compare(__file__, there, SRC, ROUNDS, weights, folder)
        before, after = map(np.load, outs)
    result.pop("first")
    difference = float(np.abs(after - before).max())
    rms = float(np.sqrt(np.square(after - before).mean()))
    return {
        "benchmark": f"house translates {FRAMES} × 128 × 128, against the version before",
        "measured": f"{result['ratio']:.2f} × faster ({result['before_s']:.2f} s, now {result['after_s']:.2f} s of one "
        f"thread); RMS difference {rms:.0e} SD, largest {difference:.0e}",
        "goal": f"at least {GOAL} ×; equal within the rounding of its precision, 2e-2 SD RMS",
        "met": result["ratio"] >= GOAL and rms < 2e-2,
        "difference": difference,
        "rms": rms,
        **result,
    }


def run() -> list[dict[str, Any]]:
    """A row for the time, one for the memory."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for frames in LENGTHS:
            source = Path(folder) / f"{frames}.h5"
            make(source, frames)
            child = [sys.executable, __file__, str(source), str(Path(folder) / f"{frames}-out.h5")]
            done = subprocess.run(child, capture_output=True, text=True, check=True)
            found[frames] = json.loads(done.stdout.splitlines()[-1])
        difference = largest_difference(Path(folder) / f"{LENGTHS[0]}.h5")
    short, long = (found[frames] for frames in LENGTHS)
    growth = long["bytes"] / short["bytes"]
    return [
        {
            "benchmark": "house translates 1024 × 128 × 128 from file to file",
            "ratio": short["seconds"] / LIMIT_S,
            "measured": f"{short['seconds']:.1f} s, {short['bytes'] / 1e9:.2f} GB",
            "goal": f"at most {LIMIT_S:g} s and {LIMIT_BYTES / 1e9:g} GB",
            "met": short["seconds"] <= LIMIT_S and short["bytes"] <= LIMIT_BYTES,
            **short,
        },
        {
            "benchmark": "memory for 8192 frames over that for 1024; windows against the whole",
            "ratio": growth,
            "measured": f"{growth:.2f} × ({long['bytes'] / 1e9:.2f} GB, {long['seconds']:.0f} s); "
            f"largest difference {difference:.1e} SD",
            "goal": "flat; under 1e-4",
            "met": growth < 1.1 and difference < 1e-4,
            "difference": difference,
            **long,
        },
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == [SERVE]:
        import torch

        torch.set_num_threads(1)
        name = "after" if str(SRC.resolve()) in sys.path else "before"
        serve(work(sys.argv[2], str(Path(sys.argv[3]) / f"{name}.npy")))
    elif sys.argv[1:2] == ["--against"]:
        row = against(sys.argv[2])
        print(f"{row['benchmark']}: {row['measured']} ({row['goal']})")
    elif len(sys.argv) > 1:
        print(json.dumps(measure(*sys.argv[1:3])))
    else:
        for row in run():
            print(f"{row['benchmark']}: {row['measured']} ({row['goal']})")
