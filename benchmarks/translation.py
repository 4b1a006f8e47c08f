"""Translating with the bundled `house`: time, memory, and that neither windows nor length change anything.

python benchmarks/translation.py

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

SIZE = 128
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
    if len(sys.argv) > 1:
        print(json.dumps(measure(*sys.argv[1:3])))
    else:
        for row in run():
            print(f"{row['benchmark']}: {row['measured']} ({row['goal']})")
