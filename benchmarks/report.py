"""A report on 12 silico, 12 translated and 12 reference sequences of 128 × 128 × 1024 frames: time and peak memory.

    python benchmarks/report.py                     # of the code that is installed
    python benchmarks/report.py --against OLD/src   # beside another version of it, in turns, as ratios

Each measurement is a fresh process that compares the sequences and writes the page. Translated sequences carry the
constants of a training run, as those that a translator makes do; with `--plain` they carry none.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

SEQUENCES = 12
ROUNDS = 2
GOAL = 0.6  # of the time of the version before sequences were read once


def make_domains(folder: Path, plain: bool) -> None:
    """Simulations, the same with gains and noise in the place of translations, and other simulations as a reference."""
    from myovivo import Sequence, simulate_domain
    from myovivo.evaluation.nulls import noise_added
    from myovivo.sequences.scale import measured_scale

    silico = simulate_domain(folder / "silico", SEQUENCES, seed=1, quiet=True)
    others = simulate_domain(folder / "others", SEQUENCES, seed=2, quiet=True)
    for path in others:
        recorded = noise_added(Sequence.load(path), 15.0).replace(origin="phantom", labels=None)
        recorded.replace(subject=f"phantom-{path.stem}").save(folder / "vivo" / path.name)
    scales = {"silico": measured_scale(silico), "vivo": measured_scale(sorted((folder / "vivo").glob("*.h5")))}
    stored = {} if plain else {"standardisation": {name: list(scale.pair) for name, scale in scales.items()}}
    for path in silico:
        simulated = Sequence.load(path)
        gain = np.float32(scales["vivo"].std / scales["silico"].std)
        translated = noise_added(simulated.replace(velocity=gain * simulated.velocity), 10.0)
        translated.replace(provenance={**translated.provenance, **stored}).save(folder / "translated" / path.name)


def measure(folder: Path) -> dict[str, float]:
    """Make the page in this process; wall and core time in s, and the highest resident memory in bytes."""
    from myovivo import report

    with tempfile.TemporaryDirectory(prefix="myovivo-page-") as out:
        wall, core = time.perf_counter(), time.process_time()
        report(out, folder / "silico", folder / "translated", folder / "vivo", quiet=True)
        return {
            "wall_s": time.perf_counter() - wall,
            "core_s": time.process_time() - core,
            "peak_bytes": highest(),
        }


def highest() -> int:
    """Peak resident memory of this process in bytes (Linux). `getrusage` may give its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def in_fresh_process(folder: Path, source: Path | None) -> dict[str, float]:
    """`measure` in a process of its own, with the package of `source` if given."""
    environment = dict(os.environ)
    if source is not None:
        environment["PYTHONPATH"] = str(source.resolve())
    command = [sys.executable, __file__, "--measure", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    if result.returncode:
        raise RuntimeError(f"the measurement failed: {result.stderr.strip()[-2000:]}")
    return json.loads(result.stdout)


def run(against: Path | None = None, rounds: int = ROUNDS, plain: bool = False) -> dict[str, Any]:
    """Least time and memory of each version, measured in turns, and their ratios."""
    versions = {"now": None} | ({"before": against} if against is not None else {})
    found: dict[str, list[dict[str, float]]] = {name: [] for name in versions}
    with tempfile.TemporaryDirectory(prefix="myovivo-report-") as name:
        make_domains(Path(name), plain)
        in_fresh_process(Path(name), None)  # the files come into the cache of the disk
        for _ in range(rounds):
            for version, source in versions.items():
                found[version].append(in_fresh_process(Path(name), source))
    least = {version: {key: min(one[key] for one in rows) for key in rows[0]} for version, rows in found.items()}
    ratios = {key: least["now"][key] / least["before"][key] for key in least["now"]} if against is not None else {}
    return {**least, "ratios": ratios, "all": found}


def main() -> None:
    parser = argparse.ArgumentParser(description="Time and memory of a report.")
    parser.add_argument("--against", type=Path, metavar="SRC", help="another version's folder src, measured in turns")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of each version (default {ROUNDS})")
    parser.add_argument("--plain", action="store_true", help="translated sequences that carry no constants")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        print(json.dumps(measure(options.measure)))
        return
    found = run(options.against, options.rounds, options.plain)
    for version in ("before", "now"):
        if version in found:
            row = found[version]
            memory = row["peak_bytes"] / 1e9
            print(f"{version}: {row['wall_s']:.1f} s, {row['core_s']:.1f} core-seconds, {memory:.2f} GB")
    for key, ratio in found["ratios"].items():
        print(f"{key}: {ratio:.2f} × before (goal of the times: at most {GOAL:g})")


if __name__ == "__main__":
    main()
