"""Phantom generation and training on a real SLURM of one node.

source benchmarks/slurm/start.sh        # needs slurm-wlm and munge
python benchmarks/slurm_cluster.py      # print the rows, write benchmarks/out/slurm.json
bash benchmarks/slurm/stop.sh

dask-jobqueue submits a job per worker; phantoms are made by them through `--scheduler`, one job is killed on the way,
and the files are compared with those made without a cluster. Then srun starts the two tasks of a training, whose
weights are compared with those of the same two processes without SLURM.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from dask_jobqueue import SLURMCluster
from safetensors.numpy import load_file

from myovivo.runtime.files import write_json

OUT = Path(__file__).parent / "out" / "slurm.json"
SUBJECTS = 6
SIZE = ["--grid.rows", "32", "--grid.columns", "32", "--grid.frames", "128"]
NETWORK = [
    *("--local.features", "8", "--local.blocks", "2", "--local.cell", "2", "--discriminator.features", "8"),
    *("--discriminator.layers", "1", "--data.clip", "[16, 32, 32]", "--optimiser.steps", "20"),
    *("--optimiser.image_pool", "4", "--optimiser.batch", "2", "--data.held_out", "0", "--device", "cpu"),
]


def myovivo(*words: str | Path) -> list[str]:
    """A command line of this package."""
    return [sys.executable, "-m", "myovivo.cli", *map(str, words), "--quiet"]


def contents(folder: Path) -> dict[str, bytes]:
    """The sequence files, byte for byte."""
    return {path.name: path.read_bytes() for path in folder.glob("*.h5")}


def jobs() -> list[str]:
    """Numbers of the jobs that run."""
    listed = subprocess.run(["squeue", "--noheader", "--states=R", "--format=%i"], capture_output=True, text=True)
    return sorted(listed.stdout.split(), key=int)


def through_jobqueue(folder: Path) -> dict[str, Any]:
    """Phantoms by two workers, each a job; one of the jobs is cancelled when the first file is there."""
    command = myovivo("phantom", folder / "there", "--subjects", str(SUBJECTS), "--runs", "1", *SIZE)
    with SLURMCluster(
        cores=1,
        processes=1,
        memory="4GB",
        interface="lo",
        queue="all",
        job_directives_skip=["--mem"],  # this node gives cores, not memory
        log_directory=str(folder / "logs"),
        scheduler_options={"dashboard_address": "127.0.0.1:0"},
    ) as cluster:
        cluster.scale(jobs=2)
        cluster.wait_for_workers(2, timeout=120)
        running = jobs()
        with subprocess.Popen([*command, "--scheduler", cluster.scheduler_address]) as process:
            while process.poll() is None and not any((folder / "there").glob("*.h5")):
                time.sleep(0.02)
            subprocess.run(["scancel", "--signal=KILL", running[0]], check=True)
        status = process.returncode
    subprocess.run(myovivo("phantom", folder / "here", "--subjects", str(SUBJECTS), "--runs", "1", *SIZE), check=True)
    here, there = contents(folder / "here"), contents(folder / "there")
    equal = sum(there.get(name) == content for name, content in here.items())
    return {
        "benchmark": "phantoms by two SLURM jobs of dask-jobqueue, one of them killed: files equal to those made here",
        "measured": f"{equal} of {SUBJECTS} (jobs {', '.join(running)})",
        "goal": "all",
        "met": status == 0 and equal == SUBJECTS == len(there),
    }


def through_srun(folder: Path) -> dict[str, Any]:
    """A training of two tasks by srun, the same without SLURM, and one where the tasks and the devices disagree."""
    subprocess.run(myovivo("simulate", folder / "silico", "--sequences", "6", *SIZE), check=True)
    train = ("train", "house", "--silico", folder / "silico", "--vivo", folder / "here", *NETWORK)
    srun = ["srun", "--ntasks=2", "--cpus-per-task=1"]
    with_srun = subprocess.run([*srun, *myovivo(*train, "--out", folder / "srun", "--devices", "2")])
    subprocess.run(myovivo(*train, "--out", folder / "plain", "--devices", "2"), check=True)
    wrong = subprocess.run([*srun, *myovivo(*train, "--out", folder / "wrong")], capture_output=True, text=True)
    refused = wrong.returncode == 2 and "srun started 2 processes, but devices x nodes is 1" in wrong.stderr
    weights = [load_file(folder / run / "weights.safetensors") for run in ("srun", "plain")]
    same = all((weights[0][name] == weights[1][name]).all() for name in weights[1])
    return {
        "benchmark": "training of two tasks through srun, against two processes without SLURM",
        "measured": f"weights {'equal' if same else 'differ'}; srun of 2 tasks for 1 device "
        f"{'refused' if refused else 'not refused'}",
        "goal": "equal, refused",
        "met": with_srun.returncode == 0 and same and refused,
    }


def run() -> list[dict[str, Any]]:
    """A row for dask-jobqueue, one for srun."""
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as name:
        return [through_jobqueue(Path(name)), through_srun(Path(name))]


if __name__ == "__main__":
    if subprocess.run(["sinfo"], capture_output=True).returncode:
        raise SystemExit("no SLURM answers; run: source benchmarks/slurm/start.sh")
    rows = run()
    for row in rows:
        print(f"{row['benchmark']}: {row['measured']} ({row['goal']})")
    write_json(OUT, rows)
