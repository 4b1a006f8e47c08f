"""Phantom generation on a dask cluster on loopback: two workers against one, and a worker killed on the way.

python benchmarks/cluster.py        # print the rows, write benchmarks/out/cluster.json

A worker is a process of one thread, so that two of them want two idle cores.
"""

from __future__ import annotations

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # before NumPy is loaded

import logging
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from distributed import LocalCluster

from myovivo import on_cluster, phantom_domain
from myovivo.runtime.files import write_json

OUT = Path(__file__).parent / "out" / "cluster.json"
SUBJECTS, ROUNDS, GOAL = 8, 2, 1.7
SIZE = {"grid.rows": 32, "grid.columns": 32, "grid.frames": 128}


@contextmanager
def workers(count: int) -> Iterator[LocalCluster]:
    """A cluster whose workers have made one small domain, so that what they import is in memory."""
    with (
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        tempfile.TemporaryDirectory() as folder,
    ):
        cluster.wait_for_workers(count, timeout=120)
        generate(cluster, Path(folder), 2 * count, {**SIZE, "grid.frames": 16})
        yield cluster


def generate(cluster: LocalCluster, folder: Path, subjects: int = SUBJECTS, settings: dict[str, int] = SIZE) -> float:
    """Seconds that a domain of so many subjects takes on the cluster."""
    with on_cluster(cluster.scheduler_address):
        started = time.perf_counter()
        phantom_domain(folder, subjects, 1, quiet=True, **settings)
        return time.perf_counter() - started


def kill_one(cluster: LocalCluster, folder: Path) -> None:
    """SIGKILL a worker once two files are there."""
    while len(list(folder.glob("*.h5"))) < 2:
        time.sleep(0.01)
    os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)


def contents(folder: Path) -> dict[str, bytes]:
    """The sequence files, byte for byte."""
    return {path.name: path.read_bytes() for path in folder.glob("*.h5")}


def run() -> list[dict[str, Any]]:
    """A row for the two workers, one for the killed."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for turn in range(ROUNDS):
            for count, taken in seconds.items():
                with workers(count) as cluster:
                    taken.append(generate(cluster, folder / f"{count}-{turn}"))
        phantom_domain(folder / "here", SUBJECTS, 1, workers=1, quiet=True, **SIZE)
        with workers(2) as cluster:
            killer = threading.Thread(target=kill_one, args=(cluster, folder / "killed"))
            killer.start()
            generate(cluster, folder / "killed")
            killer.join()
        here, there = contents(folder / "here"), contents(folder / "killed")
        equal = sum(there.get(name) == content for name, content in here.items())
    one, two = min(seconds[1]), min(seconds[2])
    return [
        {
            "benchmark": f"phantom generation, {SUBJECTS} subjects, two dask workers against one",
            "ratio": one / two,
            "measured": f"{one / two:.2f} × ({one:.1f} s, {two:.1f} s)",
            "goal": f"at least {GOAL} ×",
            "met": one / two >= GOAL,
            "seconds": seconds,
        },
        {
            "benchmark": "the same with a worker killed: files equal to those made without a cluster",
            "ratio": equal / SUBJECTS,
            "measured": f"{equal} of {SUBJECTS}",
            "goal": "all",
            "met": equal == SUBJECTS == len(there),
        },
    ]


if __name__ == "__main__":
    rows = run()
    for row in rows:
        print(f"{row['benchmark']}: {row['measured']} ({row['goal']})")
    write_json(OUT, rows)
