"""Which simulated muscle is as far from the phantom as the paper's was from its recordings?

The paper leaves open how a territory's motion fades around it. A domain of hard discs is trivially far from anything
recorded, which flatters every translator; the paper's own `none` row says how far its simulation was.

    python benchmarks/simulator.py            # print the table
    python benchmarks/simulator.py --docs     # and write docs/figures/simulator.csv
"""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path
from typing import Any

from myovivo import evaluate, phantom_domain, simulate
from myovivo.evaluation.columns import PAPERS_LIKENESS
from myovivo.evaluation.rows import NONE, VIVO_VIVO, Row
from myovivo.runtime.files import write_text

OUT = Path(__file__).parent / "out" / "simulator"
DOCS = Path(__file__).parents[1] / "docs" / "figures" / "simulator.csv"
SUBJECTS, SEQUENCES, SEED = 24, 24, 0
GRID: dict[str, Any] = {"grid.frames": 512}
COLUMNS = tuple(column.name for column in PAPERS_LIKENESS)
SIMULATORS: dict[str, dict[str, Any]] = {
    "exp-tail 5 mm (default)": {},
    "exp-tail 2 mm": {"territory.tail": 0.002},
    "exp-tail 10 mm": {"territory.tail": 0.010},
    "lorentz": {"territory.profile": "lorentz"},
    "gauss": {"territory.profile": "gauss"},
    "disc": {"territory.profile": "disc"},
    "default, noise at 30 dB": {"noise.snr_db": 30.0},
    "default, 20 to 30 units": {"firing.units": (20, 30)},
}


def rows() -> list[list[str]]:
    """The paper's rows, vivo-vivo of the phantom, and `none` of each simulator; intervals are by subject."""
    recorded = phantom_domain(OUT / "vivo", SUBJECTS, 1, seed=SEED, **GRID)
    table = [["row", *COLUMNS]]
    table += [[f"paper: {name}", *(column.paper(name) for column in PAPERS_LIKENESS)] for name in (NONE, VIVO_VIVO)]
    for name, changes in SIMULATORS.items():
        simulated = [
            simulate(seed=[SEED, number], **GRID, **changes).replace(subject=f"silico{number}")
            for number in range(SEQUENCES)
        ]
        found = evaluate(None, recorded, simulated, quiet=True)
        if len(table) == 3:
            table.append(["phantom: vivo-vivo", *cells(found.row(VIVO_VIVO))])
        table.append([f"none: {name}", *cells(found.row(NONE))])
    return table


def cells(row: Row) -> list[str]:
    """`mean (low to high)` of each column."""
    found = []
    for column in COLUMNS:
        low, high = row.intervals[column]
        found.append(f"{row.columns[column].mean:.2f} ({low:.2f} to {high:.2f})")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", action="store_true", help="also write docs/figures/simulator.csv")
    options = parser.parse_args()
    table = rows()
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    print(text.getvalue())
    if options.docs:
        write_text(DOCS, text.getvalue())


if __name__ == "__main__":
    main()
