"""All benchmarks, one after the other, as a table of ratios; `make bench` runs it.

python benchmarks/run.py            # print the table, write benchmarks/out/bench.json
python benchmarks/run.py --docs     # also write docs/figures/benchmarks.csv
python benchmarks/run.py --against CHECKOUT   # also rows that compare with an earlier version, in turns
"""

from __future__ import annotations

import csv
import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import evaluation
import identify_speed
import phantom_acquire
import rf_velocity
import simulation
import training_step
import translation
from rich.console import Console
from rich.table import Table

from myovivo.runtime.files import read_json, write_json

OUT = Path(__file__).parent / "out" / "bench.json"
DOCS = Path(__file__).parents[1] / "docs" / "figures" / "benchmarks.csv"


def rows(before: str | None = None) -> list[dict[str, Any]]:
    """Each benchmark's name, ratio, what was measured, goal and whether it was met; also against `before` if given."""
    console = Console(stderr=True)
    found = []
    measures: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("simulate", _simulation),
        ("phantom and acquire", _phantom),
        ("channel RF to velocity", rf_velocity.run),
        ("longer and longer recordings", rf_velocity.growth),
        ("2 s of channel RF", rf_velocity.end_to_end),
        ("evaluate", _evaluation),
        ("training step", _training),
        ("translate", translation.run),
        ("identify", identify_speed.run),
        ("many machines", _cluster),
    )
    if before is not None:
        measures += (
            ("training step against the version before", functools.partial(training_step.against, before)),
            ("translate against the version before", functools.partial(translation.against, before)),
        )
    for name, measure in measures:
        console.print(f"measuring: {name} …")
        rows = measure()
        found += rows if isinstance(rows, list) else [rows]
    return found


def _simulation() -> dict[str, Any]:
    return simulation.run()


def _phantom() -> dict[str, Any]:
    return phantom_acquire.run()


def _evaluation() -> list[dict[str, Any]]:
    found = evaluation.run()
    gigabytes = found["peak_bytes"] / 1e9
    row = {
        **found,
        "benchmark": "evaluate 64 × 64 sequences of 128 × 128 × 1024, against reading their files",
        "ratio": found["ratio_to_read"],
        "measured": f"{found['evaluate_s']:.0f} s, {found['ratio_to_read']:.1f} × reading, {gigabytes:.2f} GB",
        "goal": f"at most {found['limit_s']:g} s and {found['limit_bytes'] / 1e9:g} GB",
        "met": found["within"],
    }
    return [row, evaluation.growth(found)]


def _cluster() -> list[dict[str, Any]]:
    here = Path(__file__).parent
    subprocess.run([sys.executable, here / "cluster.py"], check=True)  # it limits the threads of its own process
    return read_json(here / "out" / "cluster.json")


def _training() -> dict[str, Any]:
    found = training_step.run()
    if found["ratio"] is None:
        measured = "not measured: this CPU only imitates bfloat16"
        return {**found, "benchmark": found["name"], "measured": measured, "met": True}
    seconds = f"{found['bf16_seconds']:.2f} s against {found['fp32_seconds']:.2f} s"
    return {
        **found,
        "benchmark": "training step of paper-3d-noise at 32 × 64 × 64, fp32 over bf16",
        "measured": f"{found['ratio']:.2f} × faster ({seconds})",
        "goal": f"{found['goal']} ×",
    }


def main() -> None:
    found = rows(sys.argv[sys.argv.index("--against") + 1] if "--against" in sys.argv else None)
    table = Table("benchmark", "measured", "goal", "met", title=f"{os.cpu_count()} cores")
    for row in found:
        table.add_row(row["benchmark"], row["measured"], row["goal"], "yes" if row["met"] else "no")
    Console().print(table)
    write_json(OUT, found)
    if "--docs" in sys.argv:
        with DOCS.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["benchmark", "measured", "goal", "met"])
            writer.writerows(
                [row["benchmark"], row["measured"], row["goal"], "yes" if row["met"] else "no"] for row in found
            )


if __name__ == "__main__":
    main()
