"""Evaluating 64 translated, 64 vivo and 64 silico sequences of 128 × 128 × 1024 frames.

Time and peak memory of `myovivo.evaluate`, beside one plain read of the same 192 files. The files
are made of a few base sequences under many names; each name is opened and read in full. And how the time
grows: that of the features with the number of sequences, and the share of what grows with its square.

    python benchmarks/evaluation.py
    python benchmarks/evaluation.py --against OLD/src   # beside another version: core time of one thread
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from myovivo import Sequence, evaluate

SEQUENCES = 64
SHAPE = (1024, 128, 128)
FRAME_RATE = 512.0
SPACING = (0.04 / 128, 0.04 / 128)
BASES = 4  # different sequences per domain on disk
LIMIT_S, LIMIT_BYTES = 60.0, 1.5e9

COMPARED, ROUNDS = 12, 3  # sequences of each domain, pairs of measurements

GROWTH_SEQUENCES = 16
GROWTH_SHAPE = (512, 64, 64)
GROWTH_REPEATS = 5
GROWTH_LIMIT, SHARE_LIMIT = 1.25, 0.05


def make_domain(
    folder: Path, origin: Any, roughness: float, seed: int, gain: float = 1.0, sequences: int = SEQUENCES
) -> None:
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
        for copy in range(base + BASES, sequences, BASES):
            os.link(first, folder / f"sequence-{copy:04d}.h5")


def measure(folder: Path) -> dict[str, Any]:
    """Time a plain read, then the evaluation, in this process."""
    from myovivo.evaluation.distances import distances
    from myovivo.sequences.header import read_velocity, sequence_files
    from myovivo.sequences.source import sources

    domains = {name: folder / name for name in ("translated", "vivo", "silico")}
    files = [path for domain in domains.values() for path in sequence_files(domain)]
    start = time.perf_counter()
    for path in files:
        read_velocity(path)
    read_s = time.perf_counter() - start
    peak = Peak()
    with peak:
        start, start_core = time.perf_counter(), time.process_time()
        comparison = evaluate(domains["translated"], domains["vivo"], silico=domains["silico"], quiet=True)
        evaluate_s, core_s = time.perf_counter() - start, time.process_time() - start_core
    pairs = comparison.row("translated").columns["DBhat"].n
    found = {name: sources(domain) for name, domain in domains.items()}
    start_core = time.process_time()
    for name in domains:  # once more, to time apart from the rest what crosses every sequence with every other
        distances(found, comparison.features, name)
    crossing_s = time.process_time() - start_core
    return {
        "sequences": len(files),
        "pairs": pairs,
        "evaluate_s": evaluate_s,
        "core_s": core_s,
        "crossing_s": crossing_s,
        "read_s": read_s,
        "ratio_to_read": evaluate_s / read_s,
        "peak_bytes": max(peak.bytes, highest()),
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


def highest() -> int:
    """Peak resident memory of this process in bytes (Linux). `getrusage` may give its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def resident(pid: int) -> int:
    """Resident memory of a process in bytes; 0 if it has gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


@functools.cache
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


def compared(against: Path) -> str:
    """Core time of one thread with this version and another, measured in turns in fresh processes, as one line."""
    core_s: dict[str, list[float]] = {"now": [], "before": []}
    with tempfile.TemporaryDirectory(prefix="myovivo-evaluation-") as folder:
        for name, origin in (("silico", "silico"), ("translated", "translated"), ("vivo", "phantom")):
            make_domain(Path(folder, name), origin, 3.0, 1, sequences=COMPARED)
        for _ in range(ROUNDS):
            for version in core_s:
                environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
                if version == "before":
                    environment["PYTHONPATH"] = str(against.resolve())
                command = [sys.executable, __file__, "--one-thread", folder]
                result = subprocess.run(command, capture_output=True, text=True, env=environment)
                if result.returncode:
                    raise RuntimeError(f"the measurement failed: {result.stderr.strip()[-2000:]}")
                core_s[version].append(float(result.stdout))
    now, before = (min(core_s[version]) for version in core_s)
    ratios = sorted(b / n for n, b in zip(core_s["now"], core_s["before"], strict=True))
    return (
        f"| evaluate {COMPARED} × {COMPARED} sequences, one thread | {now:.2f} s of a core, {before:.2f} s before "
        f"| {before / now:.2f} × ({ratios[0]:.2f} to {ratios[-1]:.2f} in {ROUNDS} pairs) |"
    )


def one_thread_s(folder: Path) -> float:
    """Core time of an evaluation in one thread, libraries loaded before."""
    domains = [sorted((folder / name).glob("*.h5")) for name in ("translated", "vivo", "silico")]
    evaluate(domains[0], domains[1], frames=16, workers=1, quiet=True)
    start = time.process_time()
    evaluate(*domains, workers=1, quiet=True)
    return time.process_time() - start


def growth(measured: dict[str, Any]) -> dict[str, Any]:
    """Core time of the features of N, 2 N and 4 N sequences, and the share of the crossing in what `run` measured."""
    from myovivo.evaluation.features import domain_features

    rng = np.random.default_rng(0)
    several = [
        Sequence(1e-3 * rng.standard_normal(GROWTH_SHAPE, np.float32), FRAME_RATE, SPACING, origin="phantom")
        for _ in range(4 * GROWTH_SEQUENCES)
    ]
    counts = [GROWTH_SEQUENCES * times for times in (1, 2, 4)]
    domain_features(several[:1], workers=1, quiet=True)  # imports and plans of the transforms
    # In turns, and the least of several: what else the machine does should spoil none of the three.
    core_s = np.array([[features_s(several[:count]) for count in counts] for _ in range(GROWTH_REPEATS)]).min(axis=0)
    each_ms = 1e3 * core_s / counts
    ratio = float(each_ms.max() / each_ms.min())
    share = measured["crossing_s"] / measured["core_s"]
    return {
        "benchmark": f"evaluate {counts[0]}, {counts[1]} and {counts[2]} sequences: features one by one, then crossed",
        "measured": f"{', '.join(f'{one:.1f}' for one in each_ms)} ms of a core per sequence, {ratio:.2f} × apart; "
        f"crossing {share:.1%} of {measured['core_s']:.0f} core-seconds with {SEQUENCES} × {SEQUENCES}",
        "goal": f"at most {GROWTH_LIMIT:g} × apart and {SHARE_LIMIT:.0%}",
        "met": ratio <= GROWTH_LIMIT and share <= SHARE_LIMIT,
        "ratio": ratio,
        "share": share,
        "core_s": core_s.tolist(),
    }


def features_s(several: list[Sequence]) -> float:
    """Core time, in s, of the features of all, those that are worked out when first asked for included."""
    from myovivo.evaluation.features import domain_features

    start = time.process_time()
    for one in domain_features(several, workers=1, quiet=True):
        _ = one.histogram, one.kspace, one.kspace_normalised, one.map_bands, one.psd_bands
    return time.process_time() - start


def table_row(measured: dict[str, Any]) -> str:
    """One line: what, time, ratio, memory, limit."""
    return (
        f"| evaluate {SEQUENCES} × {SEQUENCES} sequences of {SHAPE[1]} × {SHAPE[2]} × {SHAPE[0]} "
        f"| {measured['evaluate_s']:.1f} s (limit {LIMIT_S:.0f} s) "
        f"| {measured['ratio_to_read']:.1f} × reading the {measured['sequences']} files ({measured['read_s']:.1f} s) "
        f"| {measured['peak_bytes'] / 1e9:.2f} GB (limit {LIMIT_BYTES / 1e9:.1f} GB) "
        f"| {'ok' if measured['within'] else 'TOO MUCH'} |"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(Path(sys.argv[2]))))
    elif sys.argv[1:2] == ["--one-thread"]:
        print(one_thread_s(Path(sys.argv[2])))
    elif sys.argv[1:2] == ["--against"]:
        print(compared(Path(sys.argv[2])))
    else:
        measured = run()
        print(table_row(measured))
        row = growth(measured)
        print(f"| {row['benchmark']} | {row['measured']} | {row['goal']} | {'ok' if row['met'] else 'TOO MUCH'} |")
