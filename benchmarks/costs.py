"""What one sequence costs at each stage in core time and disk, and what ten thousand would: docs/figures/costs.csv.

python benchmarks/costs.py          # print the table
python benchmarks/costs.py --docs   # also write docs/figures/costs.csv

Sequences of the paper's size, 128 × 128 × 1024 at 512 Hz. Core time is processor time of one thread with reading and
writing, without start-up and what is paid once for a domain. It counts what this process worked, not how long others
kept it waiting, so that a busy machine changes it little.
"""

from __future__ import annotations

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # before NumPy is loaded

import csv
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from myovivo import Sequence, evaluate, phantom_domain, simulate_domain, translate_domain

DOCS = Path(__file__).parents[1] / "docs" / "figures" / "costs.csv"
SEQUENCES, SUBJECTS, REFERENCES = 10_000, 1_000, 64
RUNS = SEQUENCES // SUBJECTS
# Assumptions to be replaced by your own, in any one currency; no provider's quote.
CORE_HOUR, TERABYTE_MONTH, MONTHS = 0.05, 20.0, 12


class Cost(NamedTuple):
    """Of one piece: seconds of one core, and bytes left on disk; and how many pieces there would be."""

    name: str
    seconds: float
    size: float
    count: int


def cost(make: Callable[[Path, int], object], folder: Path, small: int, large: int) -> tuple[float, float]:
    """Core seconds and bytes of one more file, from a domain of few and one of more."""
    found = []
    for count in (small, large):
        out = folder / str(count)
        started = time.process_time()
        make(out, count)
        seconds = time.process_time() - started
        found.append((seconds, sum(path.stat().st_size for path in out.iterdir())))
    (few_seconds, few_bytes), (seconds, size) = found
    return (seconds - few_seconds) / (large - small), (size - few_bytes) / (large - small)


def pair_seconds(folder: Path) -> float:
    """Core seconds of comparing one more pair of sequences, which does not depend on their length."""
    rng = np.random.default_rng(0)
    files = [folder / f"{number:03d}.h5" for number in range(96)]
    for file in files:
        noise = rng.standard_normal((16, 128, 128)).astype(np.float32)
        Sequence(noise, 512.0, (3e-4, 3e-4), subject=file.stem).save(file)
    found = {}
    for count in (24, 48, 96):  # a + b n + c n²: the curvature is the pairs'
        started = time.process_time()
        evaluate(None, files[:count], workers=1, quiet=True)
        found[count] = time.process_time() - started
    slopes = (found[48] - found[24]) / 24, (found[96] - found[48]) / 48
    return (slopes[1] - slopes[0]) / (96 - 24)


def costs() -> list[Cost]:
    """Of each stage."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = {"workers": 1, "quiet": True}
        simulated = cost(lambda out, n: simulate_domain(out, n, **options), folder / "silico", 1, 5)
        recorded = cost(lambda out, n: phantom_domain(out, 1, n, **options), folder / "run", 1, 4)
        tissues = cost(lambda out, n: phantom_domain(out, n, 1, seed=1, **options), folder / "vivo", 1, 3)
        silico, vivo = sorted((folder / "silico" / "5").glob("*.h5")), sorted((folder / "run" / "4").glob("*.h5"))
        translated = cost(
            lambda out, n: translate_domain("house", silico[:n], out, device="cpu", quiet=True), folder / "to", 1, 4
        )
        files = sorted((folder / "to" / "4").glob("*.h5"))
        read = {}
        for count in (1, 4):
            started = time.process_time()
            evaluate(files[:count], vivo[:2], silico[:count], workers=1, quiet=True)
            read[count] = time.process_time() - started
        pair = pair_seconds(folder / "pairs")
    whole_tissue = max(tissues[0] - recorded[0], 0.0)  # a subject's first run, less what any run costs
    # One more translated and one more silico sequence, each against two vivo ones.
    evaluated = max((read[4] - read[1]) / 3 - 4 * pair, 0.0)
    return [
        Cost("simulate, a sequence", *simulated, SEQUENCES),
        Cost("phantom, a subject's tissue", whole_tissue, 0.0, SUBJECTS),
        Cost("phantom and acquire, a sequence", *recorded, SEQUENCES),
        Cost("translate with house, a sequence", *translated, SEQUENCES),
        Cost("evaluate, a translated sequence and its silico one", evaluated, 0.0, SEQUENCES),
        Cost(f"evaluate, a pair; each of the two against {REFERENCES}", pair, 0.0, 2 * SEQUENCES * REFERENCES),
    ]


def table(found: list[Cost]) -> list[list[str]]:
    """Rows as in the docs, with a total; the first is the heading."""
    rows = [["stage", "core-seconds", "MB", "how many", "core-hours", "TB", "money (assumed prices)"]]
    hours = terabytes = 0.0
    for one in found:
        total, size = one.seconds * one.count / 3600, one.size * one.count / 1e12
        hours, terabytes = hours + total, terabytes + size
        money = f"{price(total, size):.0f}"
        unit = [f"{one.seconds:.2g}" if one.seconds < 1 else f"{one.seconds:.1f}", f"{one.size / 1e6:.1f}"]
        rows.append([one.name, *unit, f"{one.count:,}".replace(",", " "), f"{total:.1f}", f"{size:.2f}", money])
    last = ["all", "", "", "", f"{hours:.1f}", f"{terabytes:.2f}", f"{price(hours, terabytes):.0f}"]
    return [*rows, last]


def price(hours: float, terabytes: float) -> float:
    """Money for core-hours once, and for terabytes over the months they are kept."""
    return hours * CORE_HOUR + terabytes * TERABYTE_MONTH * MONTHS


def main() -> None:
    rows = table(costs())
    for row in rows:
        print("  ".join(text.rjust(width) for text, width in zip(row, (52, 12, 6, 9, 10, 5, 22), strict=True)))
    print(f"Assumed: {CORE_HOUR:g} per core-hour; {TERABYTE_MONTH:g} per TB and month, kept {MONTHS} months.")
    if "--docs" in sys.argv:
        with DOCS.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    main()
