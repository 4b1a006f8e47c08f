"""Evaluating 64 translated, 64 vivo and 64 silico sequences of 128 × 128 × 1024 frames.

Time and peak memory of `myovivo.evaluate`, beside one plain read of the same 192 files. The files
are made of a few base sequences under many names; each name is opened and read in full.

    python benchmarks/evaluation.py
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from myovivo.evaluate import evaluate
from myovivo.sequence import Sequence, read_velocity, sequence_files

SEQUENCES = 64
SHAPE = (1024, 128, 128)
FRAME_RATE = 512.0
SPACING = (0.04 / 128, 0.04 / 128)
BASES = 4  # different sequences per domain on disk
LIMIT_S, LIMIT_BYTES = 120.0, 2e9


def make_domain(folder: Path, origin: Any, roughness: float, seed: int, gain: float = 1.0) -> None:
    """64 names for a few sequences: band-passed noise under a smooth random map of amplitudes."""
    folder.mkdir()
    for base in range(BASES):
        rng = np.random.default_rng([seed, base])
        amplitude = np.exp(gaussian_filter(rng.standard_normal(SHAPE[1:]), roughness) * 2 * roughness)
        time_course = gaussian_filter(rng.standard_normal((SHAPE[0], 8)), (4, 0))
        weight = gaussian_filter(rng.standard_normal((8, *SHAPE[1:])), (0, 6, 6))
        velocity = np.tensordot(time_course, weight, axes=1) * amplitude
        velocity += 0.05 * velocity.std() * rng.standard_normal(SHAPE)
        velocity *= gain * 1e-3 / velocity.std()
        first = folder / f"sequence-{base:04d}.h5"
        Sequence(velocity, FRAME_RATE, SPACING, origin=origin, subject=f"{origin}-{base}").save(first)
        for copy in range(base + BASES, SEQUENCES, BASES):
            os.link(first, folder / f"sequence-{copy:04d}.h5")


def measure(folder: Path) -> dict[str, Any]:
    """Time a plain read, then the evaluation, in this process."""
    domains = {name: folder / name for name in ("translated", "vivo", "silico")}
    files = [path for domain in domains.values() for path in sequence_files(domain)]
    start = time.perf_counter()
    for path in files:
        read_velocity(path)
    read_s = time.perf_counter() - start
    peak = Peak()
    with peak:
        start = time.perf_counter()
        comparison = evaluate(domains["translated"], domains["vivo"], silico=domains["silico"], quiet=True)
        evaluate_s = time.perf_counter() - start
    pairs = comparison.row("translated").columns["DBhat"].n
    return {
        "sequences": len(files),
        "pairs": pairs,
        "evaluate_s": evaluate_s,
        "read_s": read_s,
        "ratio_to_read": evaluate_s / read_s,
        "peak_bytes": max(peak.bytes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024),
        "limit_s": LIMIT_S,
        "limit_bytes": LIMIT_BYTES,
        "within": evaluate_s <= LIMIT_S,
    }


class Peak:
    """Highest resident memory of this process and its children, sampled every 50 ms (Linux)."""

    def __enter__(self) -> Peak:
        self.bytes, self._stop = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            self.bytes = max(self.bytes, sum(resident(pid) for pid in family(os.getpid())))

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    try:
        tasks = [*Path(f"/proc/{pid}/task").iterdir()]
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return [pid]
    return [pid, *(one for child in children for one in family(child))]


def resident(pid: int) -> int:
    """Resident memory of a process in bytes; 0 if it has gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def run() -> dict[str, Any]:
    """Make the files in a temporary folder, measure in a fresh process, remove the files."""
    with tempfile.TemporaryDirectory(prefix="myovivo-evaluation-") as folder:
        make_domain(Path(folder, "silico"), "silico", 8.0, 1)
        make_domain(Path(folder, "translated"), "translated", 3.0, 2)
        make_domain(Path(folder, "vivo"), "phantom", 3.0, 3)
        # A fresh process, so that memory used to make the files is not counted.
        command = [sys.executable, __file__, "--measure", folder]
        result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"the measurement failed: {result.stderr.strip()[-2000:]}")
    measured = json.loads(result.stdout)
    measured["within"] = measured["within"] and measured["peak_bytes"] <= LIMIT_BYTES
    return measured


def table_row(measured: dict[str, Any]) -> str:
    """One line: what, time, ratio, memory, limit."""
    return (
        f"| evaluate {SEQUENCES} × {SEQUENCES} sequences of {SHAPE[1]} × {SHAPE[2]} × {SHAPE[0]} "
        f"| {measured['evaluate_s']:.1f} s (limit {LIMIT_S:.0f} s) "
        f"| {measured['ratio_to_read']:.1f} × reading the {measured['sequences']} files ({measured['read_s']:.1f} s) "
        f"| {measured['peak_bytes'] / 1e9:.2f} GB (limit {LIMIT_BYTES / 1e9:.0f} GB) "
        f"| {'ok' if measured['within'] else 'TOO MUCH'} |"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(Path(sys.argv[2]))))
    else:
        print(table_row(run()))
