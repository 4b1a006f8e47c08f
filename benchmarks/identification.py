"""Motor units identified by each method in each domain, against the labels.

    python benchmarks/identification.py [--domains silico translated phantom] [--sequences 6] [--docs]

Raw simulations at 20 dB, translations of the same by the bundled `house`, and one sequence each of as many phantom
subjects, all at the default grid. Prints a table; `--docs` writes its rows into docs/figures/identification.csv, where
those of domains that were not run stay.
"""

from __future__ import annotations

import argparse
import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np

import myovivo as mv
from myovivo.identification.settings import IdentifySettings
from myovivo.runtime.files import write_text

TABLE = Path(__file__).parents[1] / "docs" / "figures" / "identification.csv"
METHODS = [name for name in get_args(IdentifySettings.model_fields["method"].annotation) if name != "network"]
SNR_DB = 20.0


def silico(sequences: int) -> Iterator[mv.Sequence]:
    for seed in range(sequences):
        yield mv.simulate(seed=seed, **{"noise.snr_db": SNR_DB})


def translated(sequences: int) -> Iterator[mv.Sequence]:
    translator = mv.Translator.load("house")
    for seed, simulated in enumerate(silico(sequences)):
        yield translator(simulated, seed=seed)


def phantom(sequences: int) -> Iterator[mv.Sequence]:
    for subject in range(sequences):
        yield mv.acquire(mv.phantom(subject=subject), quiet=True)


DOMAINS = {"silico, 20 dB": silico, "translated": translated, "phantom": phantom}


def measure(domain: str, sequences: int) -> list[dict[str, Any]]:
    """A row per method: all true units of all sequences weigh alike."""
    agreements: dict[str, list[Any]] = {method: [] for method in METHODS}
    seconds: dict[str, list[float]] = {method: [] for method in METHODS}
    for sequence in DOMAINS[domain](sequences):
        for method in METHODS:
            start = time.process_time()  # of all threads: what one idle core would take
            units = mv.identify(sequence, method=method)
            seconds[method].append(time.process_time() - start)
            agreements[method].append(units.agreement(sequence))
            print(f"{domain}, {method}: {agreements[method][-1]}", flush=True)
    return [row(domain, method, agreements[method], seconds[method]) for method in METHODS]


def row(domain: str, method: str, agreements: list[Any], seconds: list[float]) -> dict[str, Any]:
    """What the table says of one method in one domain."""
    matches = [match for agreement in agreements for match in agreement.matches]
    weight = [len(agreement.matches) for agreement in agreements]
    found = sum(agreement.found for agreement in agreements)
    identified = sum(agreement.identified for agreement in agreements)
    right = [match.overlap for match in matches if match.rate >= agreements[0].threshold]
    return {
        "domain": domain,
        "method": method,
        "units": len(matches),
        "rate of agreement": f"{np.mean([match.rate for match in matches]):.3f}",
        "by chance": f"{np.average([agreement.chance for agreement in agreements], weights=weight):.3f}",
        "identified": f"{100 * identified / len(matches):.0f} %",
        "found, of which right": f"{found}, {100 * identified / found:.0f} %" if found else "0, –",
        "Jaccard": f"{np.nanmean(right):.2f}" if right else "–",
        "CPU s per sequence": f"{np.mean(seconds):.1f}",
    }


def merged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows measured, and those of the other domains that stand in the documentation."""
    new = {row["domain"] for row in rows}
    kept = []
    if TABLE.exists():
        with TABLE.open(encoding="utf-8", newline="") as file:
            kept = [old for old in csv.DictReader(file) if old["domain"] not in new]
    return sorted([*kept, *rows], key=lambda row: list(DOMAINS).index(row["domain"]))


def main() -> None:
    parser = argparse.ArgumentParser(description="Motor units identified by each method in each domain.")
    short = {name.split(",")[0]: name for name in DOMAINS}
    parser.add_argument("--domains", nargs="+", choices=list(short), default=list(short))
    parser.add_argument("--sequences", type=int, default=6, help="of each domain (default 6)")
    parser.add_argument("--docs", action="store_true", help=f"write {TABLE.name} of the documentation")
    options = parser.parse_args()
    for name in options.domains:
        rows = measure(short[name], options.sequences)
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(merged(rows) if options.docs else rows)
        if options.docs:
            write_text(TABLE, text.getvalue())
        print(text.getvalue())


if __name__ == "__main__":
    main()
