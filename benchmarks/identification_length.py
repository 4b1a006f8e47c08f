"""Joint separation against the length of a recording of the phantom, and whether maps tell true units from false.

    python benchmarks/identification_length.py FOLDER [--subjects 0 2 5] [--docs]

Records 30 s of each subject into FOLDER (three minutes of a core each), where it is not there, and identifies its
first seconds. Then candidates that are let through by loosened limits are asked for their repeatability.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

import myovivo as mv
from myovivo.acquisition.acquire import acquire_to
from myovivo.identification.pulse_trains import shifted_agreement
from myovivo.runtime.files import write_text

FIGURES = Path(__file__).parents[1] / "docs" / "figures"
LONGEST_S, LENGTHS_S, RATE = 30, (1, 2, 5, 10, 30), 512
LOOSE = {
    "joint": {"joint.silhouette": 0.88, "accept.silhouette": 0.5, "accept.ipi_cv": 2.0},
    "wavelet": {"components": 30},
}


def recorded(folder: Path, subject: int) -> Path:
    path = folder / f"phantom{subject:02d}.h5"
    if not path.exists():
        acquire_to(path, mv.phantom(subject=subject, **{"grid.frames": LONGEST_S * RATE}), quiet=True)
    return path


def by_length(paths: list[Path]) -> str:
    lines = ["length (s),units,answered,found (rate ≥ 0.9),precision,rate of agreement,by chance,CPU s per sequence"]
    for length in LENGTHS_S:
        agreements, seconds = [], []
        for path in paths:
            sequence = mv.Sequence.load(path, stop=length * RATE)
            start = time.process_time()
            units = mv.identify(sequence, method="joint")
            seconds.append(time.process_time() - start)
            agreements.append(units.agreement(sequence))
        rates = np.concatenate([[match.rate for match in agreement.matches] for agreement in agreements])
        answered, right = sum(agreement.found for agreement in agreements), int((rates >= 0.9).sum())
        chance = np.mean([agreement.chance for agreement in agreements])
        lines.append(
            f"{length},{len(rates)},{answered},{100 * right / len(rates):.0f} %,{100 * right / max(answered, 1):.0f} %,"
            f"{rates.mean():.3f},{chance:.3f},{np.mean(seconds):.1f}"
        )
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def by_repeatability(paths: list[Path]) -> str:
    lines = ["recordings,method,true units,false ones,AUC of repeatability,true above 0.38,false above 0.38"]
    for method, changes in LOOSE.items():
        true, repeated = [], []
        for path in paths:
            sequence = mv.Sequence.load(path, stop=10 * RATE)
            units = mv.identify(sequence, method=method, **changes)
            assert sequence.labels is not None
            truth = [train[(train >= 0) & (train < 10)] for train in sequence.labels.spike_times]
            best = [max(shifted_agreement(np.sort(times), train) for train in truth) for times in units.spike_times]
            true.append(np.array(best) >= 0.5)
            repeated.append(units.quality["repeatability"])
        right, values = np.concatenate(true), np.concatenate(repeated)
        lines.append(
            f'"phantom, 10 s",{method},{right.sum()},{(~right).sum()},{roc_auc_score(right, values):.2f},'
            f"{100 * (values[right] > 0.38).mean():.0f} %,{100 * (values[~right] > 0.38).mean():.0f} %"
        )
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Joint separation against the length of the recording.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--subjects", type=int, nargs="+", default=[0, 2, 5])
    parser.add_argument("--docs", action="store_true", help="write the tables of the documentation")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    paths = [recorded(options.folder, subject) for subject in options.subjects]
    tables = {"identification_length.csv": by_length(paths), "repeatability.csv": by_repeatability(paths)}
    if options.docs:
        for name, table in tables.items():
            write_text(FIGURES / name, table)


if __name__ == "__main__":
    main()
