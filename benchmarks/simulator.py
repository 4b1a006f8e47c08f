"""How far simulated muscles are from the phantom, beside how far the paper's simulation was from its recordings.

The columns of the paper's table, the Fréchet distances of maps and spectra, and the participation ratio of each
sequence: maps of the right contrast alone can bring the first near, the last tells whether a simulation is a single
motion of the whole field.

    python benchmarks/simulator.py            # print the table
    python benchmarks/simulator.py --docs     # and write docs/figures/simulator.csv
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reference_phantoms import participation_ratio, reference_phantoms, spread

from myovivo import Sequence, evaluate, simulate
from myovivo.evaluation.columns import PAPERS_LIKENESS
from myovivo.evaluation.rows import NONE, VIVO_VIVO, Row
from myovivo.phantoms.settings import PhantomSettings
from myovivo.runtime.files import write_text

DOCS = Path(__file__).parents[1] / "docs" / "figures" / "simulator.csv"
SEQUENCES, FRAMES, SEED = 24, 512, 0
DISTANCES = ("FD maps", "FD Psd")
SIMULATORS: dict[str, dict[str, Any]] = {
    "exp-tail 10 mm (default)": {},
    "exp-tail 5 mm": {"territory.tail": 0.005},
    "exp-tail 30 mm": {"territory.tail": 0.030},
    "disc": {"territory.profile": "disc"},
    "default, twitches as in the phantom": {
        name: getattr(PhantomSettings().twitch, name.partition(".")[2])
        for name in ("twitch.rate_exponent", "twitch.saturation", "twitch.discharge_jitter")
    },
}


def rows() -> Iterator[list[str]]:
    """The paper's rows, vivo-vivo of the phantom, and `none` of each simulator; intervals are by subject."""
    yield ["row", *(column.name for column in PAPERS_LIKENESS), *DISTANCES, "participation ratio"]
    for name in (NONE, VIVO_VIVO):
        yield [f"paper: {name}", *(column.paper(name) for column in PAPERS_LIKENESS), *["–"] * 3]
    recorded = reference_phantoms(SEED, FRAMES)
    motion = spread(participation_ratio(Sequence.load(path)) for path in recorded)
    for number, (name, changes) in enumerate(SIMULATORS.items()):
        simulated = [
            simulate(seed=[SEED, index], **{"grid.frames": FRAMES}, **changes).replace(subject=f"silico{index}")
            for index in range(SEQUENCES)
        ]
        table = evaluate(None, recorded, simulated, quiet=True)
        if number == 0:
            yield ["phantom: vivo-vivo", *cells(table.row(VIVO_VIVO)), motion]
        yield [f"none: {name}", *cells(table.row(NONE)), spread(map(participation_ratio, simulated))]


def cells(row: Row) -> list[str]:
    """`mean (low to high)` of each column; the distances are means over halves of the domains."""
    texts = []
    for column in PAPERS_LIKENESS:
        low, high = row.intervals[column.name]
        texts.append(f"{row.columns[column.name].mean:.2f} ({low:.2f} to {high:.2f})")
    return texts + [f"{row.columns[name].mean:.2f}" for name in DISTANCES]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", action="store_true", help="also write docs/figures/simulator.csv")
    options = parser.parse_args()
    text = io.StringIO()
    for row in rows():
        csv.writer(text, lineterminator="\n").writerow(row)
        print("  ".join(row), flush=True)
    if options.docs:
        write_text(DOCS, text.getvalue())


if __name__ == "__main__":
    main()
