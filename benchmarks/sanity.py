"""Which measure notices what? Faults put on purpose into a translation that is as good as there can be.

python benchmarks/sanity.py                             # on simulations and phantoms made for it
python benchmarks/sanity.py --silico DIR --vivo DIR     # on other sequences
python benchmarks/sanity.py --docs                      # also write into docs/figures

Half of the recordings' subjects are the reference; the other half stands for a translation that cannot be told from
recordings. Each fault is compared with it as a translation is with none: a column notices a fault if that moved it away
from vivo-vivo, the subjects drawn alike. A gain by depth of the simulations is no fault of recordings but the cheapest
translation: without a network.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from sensitivity import DOCS, SEQUENCES, data

from myovivo import Sequence, evaluate, variance_map
from myovivo.evaluation import columns
from myovivo.evaluation.comparison import Comparison
from myovivo.evaluation.nulls import phase_randomised
from myovivo.evaluation.rows import Row
from myovivo.runtime.files import write_text
from myovivo.runtime.text_tables import comma_separated

OUT = Path(__file__).parent / "out" / "sanity"
COLUMNS = [column for column in columns.COLUMNS if not isinstance(column.measure, columns.OverPixels)]
GOOD = "other subjects"


def faults(silico: list[Path], reference: list[Path], good: list[Path]) -> dict[str, list[Sequence]]:
    """Each fault in as many sequences as `good` has."""
    recorded = [Sequence.load(path, labels=False) for path in good]
    few = sorted({sequence.subject for sequence in recorded})[:3]
    kept = [sequence for sequence in recorded if sequence.subject in few]
    copies = [Sequence.load(path, labels=False) for path in reference]
    simulated = [Sequence.load(path, labels=False) for path in silico[: len(good)]]
    strength = np.float32(np.sqrt(np.mean([variance_map(one).mean() for one in recorded])))
    deep, simulated_deep = (
        np.mean([variance_map(one) for one in domain], axis=(0, 2)) for domain in (recorded, simulated)
    )
    gain = np.sqrt(deep / simulated_deep).astype(np.float32)[:, None]
    return {
        # Three subjects' tissue for all, each time with other motion of the same spectra
        "dropped mode": [phase_randomised(kept[k % len(kept)], seed=k) for k in range(len(good))],
        # New names, as what a model makes has
        "copies": [one.replace(subject=f"copy-{k}") for k, one in enumerate(copies)],
        "outliers": [_outlier(one, strength, k) if k % 4 == 0 else one for k, one in enumerate(recorded)],
        "simulation": [one.replace(velocity=strength * one.velocity / one.velocity.std()) for one in simulated],
        "gain by depth": [one.replace(velocity=gain * one.velocity) for one in simulated],
    }


def _outlier(sequence: Sequence, strength: np.float32, seed: int) -> Sequence:
    noise = np.random.default_rng(seed).standard_normal(sequence.shape, dtype=np.float32)
    return sequence.replace(velocity=strength * noise)


def notices(row: Row, column: columns.Column) -> bool:
    """Whether a column shows that a row is worse than other subjects would be."""
    if isinstance(column.measure, columns.OverDomains):
        return row.columns[column.name].mean < 0.05
    return column.name in row.verdicts and row.verdicts[column.name].decision == "away"


def table(comparison: Comparison) -> str:
    """As CSV: each column's mean; `*` where it notices the fault."""
    rows: list[list[Any]] = [["row", *(column.head for column in COLUMNS)]]
    for row in comparison.rows:
        cells = []
        for column in COLUMNS:
            cell = column.cell(row).partition(" ± ")[0]
            cells.append(f"{cell} \\*" if notices(row, column) else cell)
        rows.append([{"none": GOOD}.get(row.name, comparison.label(row)), *cells])
    return comma_separated(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Which measure notices what.")
    parser.add_argument("--silico", type=Path, help="simulated sequences; made if not given")
    parser.add_argument("--vivo", type=Path, help="recordings, or phantoms, of several subjects; made if not given")
    parser.add_argument("--sequences", type=int, default=SEQUENCES, help="of each domain (default 16)")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--docs", action="store_true", help="also write into docs/figures")
    options = parser.parse_args()
    if (options.silico is None) != (options.vivo is None):
        parser.error("give both --silico and --vivo, or neither")
    silico, reference, good = data(options)
    comparison = evaluate(faults(silico, reference, good), reference, good)
    print(comparison)
    for folder in (options.out, *([DOCS] if options.docs else [])):
        write_text(folder / "sanity.csv", table(comparison))


if __name__ == "__main__":
    main()
