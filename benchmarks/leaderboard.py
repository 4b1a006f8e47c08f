"""The leaderboard of the open benchmark: our own methods, and two that know nothing.

    python benchmarks/leaderboard.py SET [--only simulated …] [--methods joint wavelet …] [--docs]

Makes what is missing of the set. A row per method and group of recordings; `--docs` writes its table of the docs.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

import myovivo as mv
from myovivo.challenges.making import TRUTH
from myovivo.challenges.scoring import read_events
from myovivo.runtime.files import write_text

TABLE = Path(__file__).parents[1] / "docs" / "figures" / "leaderboard.csv"
NULLS = ("regular", "silent")


def answer(folder: Path, recordings: list[Path], method: str, out: Path) -> None:
    for number, path in enumerate(recordings):
        events = out / f"{path.stem}_events.tsv"
        if method == "silent":
            events.write_text("onset\tmotor_unit\n")
        elif method == "regular":
            rng = np.random.default_rng(number)
            count = len(read_events(folder / TRUTH / events.name))
            trains = [np.cumsum(rng.normal(0.1, 0.02, 99)) for _ in range(count)]
            rows = [f"{time:.4f}\t{unit}" for unit, train in enumerate(trains) for time in train]
            events.write_text("\n".join(["onset\tmotor_unit", *rows]))
        else:
            units = mv.identify(path, method=method)
            units.save(events)
            np.save(out / f"{path.stem}_maps.npy", units.weight)


def main() -> None:
    parser = argparse.ArgumentParser(description="The leaderboard of the open benchmark.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--methods", nargs="+", default=["joint", "wavelet", "convolutive", *NULLS])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--docs", action="store_true")
    options = parser.parse_args()
    recordings = mv.make_benchmark(options.folder, only=options.only, workers=options.workers)
    lines: list[str] = []
    for method in options.methods:
        with tempfile.TemporaryDirectory() as out:
            answer(options.folder, recordings, method, Path(out))
            head, *rows = mv.score_benchmark(options.folder, out).to_csv().splitlines()
        lines += [f"{method},{row}" for row in rows]
        table = "\n".join([f"method,{head}", *lines]) + "\n"
        print(table, flush=True)
        if options.docs:
            write_text(TABLE, table)


if __name__ == "__main__":
    main()
