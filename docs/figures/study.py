"""Take the tables and figures of a study into the documentation, as they are.

myovivo study small study
python docs/figures/study.py study
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

INTO = Path(__file__).parent / "study"
TABLES = ("table1", "table2", "experiments", "two_sample", "identification", "identification_differences")
FIGURES = ("figure1", "figure2", "figure3", "figure5", "maps")


def main() -> None:
    results = Path(sys.argv[1]) / "results"
    INTO.mkdir(exist_ok=True)
    for name in (*(f"{table}.csv" for table in TABLES), *(f"{figure}.png" for figure in FIGURES)):
        shutil.copyfile(results / name, INTO / name)


if __name__ == "__main__":
    main()
