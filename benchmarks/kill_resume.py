"""A training killed at random moments, twenty times, against one left alone: are the weights the same?

python benchmarks/kill_resume.py [--kills 20] [--seed 0]

SIGKILL, which no program can catch, at a random moment; then the same command again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from myovivo import phantom_domain, simulate_domain
from myovivo.phantoms.settings import PhantomSettings
from myovivo.runtime.settings import settings_from
from myovivo.runtime.tensors import read_tensors
from myovivo.simulation.settings import SimulateSettings

SIZE, STEPS = 16, 150
NETWORK = [
    *("--local.features", "8", "--local.blocks", "2", "--local.cell", "2", "--discriminator.features", "8"),
    *("--discriminator.layers", "1", "--data.clip", f"[16, {SIZE}, {SIZE}]", "--optimiser.steps", str(STEPS)),
    *("--optimiser.image_pool", "4", "--optimiser.checkpoint_minutes", "0", "--data.held_out", "0", "--quiet"),
]


def command(folder: Path, run: str) -> list[str]:
    """The one command that starts and resumes."""
    names = [f"--{name}={folder / name}" for name in ("silico", "vivo")]
    return [sys.executable, "-m", "myovivo.cli", "train", "house", *names, f"--out={folder / run}", *NETWORK]


def trained(folder: Path, run: str, kills: int, rng: np.random.Generator, typical: float) -> tuple[int, int]:
    """Train to the end, killing on the way; how many kills struck, and how many of them after the first checkpoint."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    struck = resumed = 0
    while True:
        process = subprocess.Popen(command(folder, run), env=environment, stdout=subprocess.DEVNULL)
        if struck < kills:
            try:
                process.wait(rng.uniform(0.2, 0.9) * typical)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                struck += 1
                resumed += (folder / run / "checkpoint.safetensors").exists()
                continue
        if process.wait() != 0:
            raise SystemExit(f"the training failed after {struck} kills")
        if struck == kills or kills == 0:
            return struck, resumed
        # It reached the end before all kills were spent: start over, so that there are as many as promised.
        for file in (folder / run).iterdir():
            file.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill a training at random moments and compare the weights.")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    grid: dict[str, Any] = {"grid.rows": SIZE, "grid.columns": SIZE, "grid.frames": 64}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        simulate_domain(folder / "silico", 4, settings_from(SimulateSettings, grid), quiet=True)
        phantom_domain(folder / "vivo", 2, 2, settings_from(PhantomSettings, grid), quiet=True)
        started = time.monotonic()
        trained(folder, "whole", 0, rng, 0.0)
        # A kill every third of the whole, so that most strike a training under way and some one that starts.
        struck, resumed = trained(folder, "killed", options.kills, rng, (time.monotonic() - started) / 2)
        (whole, about), (killed, also) = (
            read_tensors(folder / run / "checkpoint.safetensors", "checkpoint") for run in ("whole", "killed")
        )
        same = about["step"] == also["step"] and all(torch.equal(whole[key], killed[key]) for key in whole)
    print(f"{struck} kills, {resumed} of them after a checkpoint: weights {'equal' if same else 'DIFFER'} to the bit")
    if not same:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
