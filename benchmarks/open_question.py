"""Does it help to learn identification from translated sequences? Tuned, trained and tested, in one table.

python benchmarks/family.py --models house       # first: a translator, and both domains
python benchmarks/open_question.py               # interrupted, the same command goes on
python benchmarks/open_question.py --docs        # also write docs/figures/open_question.csv and .json

Of the translator's run come its training simulations, as they are and translated by it, its training subjects of the
phantom with their true labels, and, to test on, the subjects that it held out. Since the phantom has 20 to 30 units and
the simulations have 4 to 10, there are also simulations with as many, translated by the same translator.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import myovivo as mv
from myovivo.phantoms.settings import PhantomSettings
from myovivo.runtime.files import write_json, write_text
from myovivo.runtime.settings import settings_from
from myovivo.sequences.header import read_header
from myovivo.simulation.settings import SimulateSettings

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs" / "figures"
CROWDED_SEED = 1  # not that of the simulations which the translator was trained on


def crowded(like: list[Path], out: Path, workers: int) -> list[Path]:
    """As many simulations as `like`, on their grid, with the phantom's number of units."""
    header = read_header(like[0])
    frames, rows, columns = header.shape
    grid: dict[str, Any] = {"frames": frames, "rows": rows, "columns": columns, "frame_rate": header.frame_rate}
    grid |= {"depth": rows * header.spacing[0], "width": columns * header.spacing[1]}
    settings = settings_from(SimulateSettings, {"grid": grid, "firing.units": PhantomSettings().firing.units})
    return mv.simulate_domain(out, len(like), settings, seed=CROWDED_SEED, workers=workers)


def main() -> None:
    parser = argparse.ArgumentParser(description="Tune and train identification on each domain, test on the phantom.")
    parser.add_argument("--run", type=Path, default=HERE / "out/family/house/run", help="run folder of a translator")
    parser.add_argument("--out", type=Path, default=HERE / "out/open_question", help="folder for everything made")
    parser.add_argument("--steps", type=int, default=mv.LearnSettings().steps, help="clips each network learns from")
    parser.add_argument("--repeats", type=int, default=1, help="networks on each set, with seeds of their own")
    parser.add_argument("--same-units-only", action="store_true", help="leave out the simulations with 20 to 30 units")
    parser.add_argument("--workers", type=int, default=-1, help="processes, -1 for one per core")
    parser.add_argument("--docs", action="store_true", help="write open_question.csv and .json of the documentation")
    options = parser.parse_args()
    out, workers = options.out, options.workers
    silico = mv.train_files(options.run, "silico")
    training = {
        "silico": silico,
        "translated": mv.translate_domain(options.run, silico, out / "translated", workers=workers),
        "phantom": mv.train_files(options.run, "vivo"),
    }
    if not options.same_units_only:
        more = crowded(silico, out / "silico-crowded", workers)
        training["silico, 20 to 30 units"] = more
        training["translated, 20 to 30 units"] = mv.translate_domain(
            options.run, more, out / "translated-crowded", workers=workers
        )
    test = mv.test_files(options.run, "vivo")
    result = mv.compare_identification(
        training, test, out / "compared", repeats=options.repeats, workers=workers, steps=options.steps
    )
    print(result)
    if options.docs:
        write_text(DOCS / "open_question.csv", result.to_csv())
        write_json(DOCS / "open_question.json", result.to_dict())


if __name__ == "__main__":
    main()
