"""The whole family on one pair of domains: every preset of the paper and `house`, the same time for each.

python benchmarks/family.py                      # everything; interrupted, the same command goes on
python benchmarks/family.py --models house       # one of them
python benchmarks/family.py --variants           # `house`, and what is left of it without its trunk, instead
python benchmarks/family.py --docs               # also write docs/figures/family.json, family.csv, family_costs.csv

The time that a model gets is that of one processor core, found from its own steps: steps = budget / seconds per step,
the fastest of some. So a busy machine does not change what is compared, and an interrupted run ends the same.
All networks of the paper have a quarter of their channels, without which a core would take some ten steps in the time;
`house` is small as it is. No checkpoint is chosen: the last weights are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from myovivo.evaluation.columns import PAPERS, PAPERS_LIKENESS
from myovivo.evaluation.evaluate import evaluate
from myovivo.models.settings import TrainSettings
from myovivo.phantoms.settings import PhantomSettings
from myovivo.runs.folder import test_files
from myovivo.runtime.files import read_json, write_json, write_text
from myovivo.runtime.settings import settings_from
from myovivo.simulation.settings import SimulateSettings

DOCS = Path(__file__).parents[1] / "docs" / "figures"
SIZE, FRAMES = 64, 512
SIMULATIONS, SUBJECTS, RUNS = 64, 32, 2  # a quarter of the subjects of each domain is held out: 8 of the phantom
MODELS = ("paper-2d", "paper-recycle", "paper-3d", "paper-3d-stride1", "paper-3d-noise", "house")
# In pixels, which are twice as large as the preset's: a cell of 1.25 mm, a window of 2 mm.
HOUSE: dict[str, Any] = {"local.cell": 2, "local.window": 3}
VARIANTS: dict[str, dict[str, Any]] = {"house-no-trunk": {"local.blocks": 0}}
COLUMNS = tuple(column.name for column in PAPERS)
LONG = 1024  # frames, for the time of a translation
console = Console(stderr=True)


def preset_of(model: str) -> str:
    """The preset that a model of the comparison is made from."""
    return "house" if model in VARIANTS else model


def settings_of(model: str) -> dict[str, Any]:
    """What the comparison changes of a preset: the size of the clips, and the width of the paper's networks."""
    preset = preset_of(model)
    frames = {"paper-2d": 1, "paper-recycle": 3, "house": 64}.get(preset, 32)
    changes: dict[str, Any] = {"data.clip": (frames, SIZE, SIZE), "optimiser.checkpoint_minutes": 1}
    if preset == "house":
        return changes | HOUSE | VARIANTS.get(model, {})
    full = settings_from(TrainSettings, preset)
    return changes | {
        "generator.features": full.generator.features // 4,
        "discriminator.features": full.discriminator.features // 4,
    }


def domains(out: Path) -> tuple[Path, Path]:
    """Simulate one and record the other; 64 x 64 pixels of 0.625 mm, 1 s at 512 Hz."""
    from myovivo import phantom_domain, simulate_domain

    grid: dict[str, Any] = {"grid.rows": SIZE, "grid.columns": SIZE, "grid.frames": FRAMES}
    simulate_domain(out / "silico", SIMULATIONS, settings_from(SimulateSettings, grid))
    phantom_domain(out / "vivo", SUBJECTS, RUNS, settings_from(PhantomSettings, grid))
    return out / "silico", out / "vivo"


def measure(model: str, rounds: int = 3) -> dict[str, float]:
    """Seconds of a step on one core, clips of 32 frames a second, peak memory and parameters, of this process."""
    import tempfile

    import torch

    from myovivo.models.sizes import parameter_counts
    from myovivo.sequences.header import Header
    from myovivo.sequences.scale import DomainScale
    from myovivo.training.processes import fabric_for
    from myovivo.training.step import Training

    torch.set_num_threads(1)
    settings = settings_from(TrainSettings, preset_of(model), **settings_of(model))
    clip, batch = settings.data.clip, settings.optimiser.batch
    standards = {name: DomainScale(0.0, 1.0) for name in ("silico", "vivo")}
    with tempfile.TemporaryDirectory() as folder:
        header = Header(clip, 512.0, (6.25e-4, 6.25e-4), "silico", "", {})
        training = Training(Path(folder), settings, 0, header, standards, fabric_for(settings, "cpu"))
        silico, vivo = torch.randn(2, batch, 1, *clip, generator=torch.Generator().manual_seed(0))
        training.advance(silico, vivo)
        seconds = []
        for _ in range(rounds):
            started = time.process_time()
            training.advance(silico, vivo)
            seconds.append(time.process_time() - started)
    counts = parameter_counts(settings)
    return {
        "step_s": min(seconds),
        "clips32_per_s": batch * clip[0] / 32 / min(seconds),
        "train_gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "generator_parameters": counts["silico_to_vivo"],
        "parameters": sum(counts.values()),
        "full_generator_parameters": parameter_counts(settings_from(TrainSettings, preset_of(model)))["silico_to_vivo"],
    }


def run_model(model: str, out: Path, minutes: float) -> dict[str, Any]:
    """Measure, train, translate and test one model, in processes of one thread each; resumable."""
    folder, cores = out / model, {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    measured = folder / "measured.json"
    if not measured.exists():
        child = [sys.executable, __file__, "--measure", model]
        found = subprocess.run(child, capture_output=True, text=True, check=True, env=cores)
        write_json(measured, json.loads(found.stdout.splitlines()[-1]))
    facts = read_json(measured)
    steps = max(round(60 * minutes / facts["step_s"]), 1)
    child = [sys.executable, __file__, "--train", model, "--out", str(out), "--steps", str(steps)]
    subprocess.run(child, check=True, env=cores)
    tested = folder / f"tested-{steps}.json"
    if not tested.exists():
        child = [sys.executable, __file__, "--test", model, "--out", str(out)]
        found = subprocess.run(child, capture_output=True, text=True, check=True, env=cores)
        write_json(tested, json.loads(found.stdout.splitlines()[-1]))
    return {**facts, **read_json(tested), "steps": steps, "budget_minutes": minutes}


def train_model(model: str, out: Path, steps: int) -> None:
    """Train to so many steps; the same call goes on."""
    from myovivo import train

    changes = settings_of(model) | {"optimiser.steps": steps}
    train(preset_of(model), out / "silico", out / "vivo", out / model / "run", device="cpu", quiet=True, **changes)


def test_model(model: str, out: Path) -> dict[str, Any]:
    """Translate the held-out simulations, time a long one, and let a classifier look."""
    import torch

    from myovivo import Translator, simulate
    from myovivo.evaluation.two_sample import two_sample_test
    from myovivo.sequences.sequence import Sequence

    torch.set_num_threads(1)
    run = out / model / "run"
    translate = Translator.load(run, device="cpu")
    folder = out / model / "translated"
    folder.mkdir(exist_ok=True)
    for number, path in enumerate(test_files(run, "silico")):
        sequence = Sequence.load(path)
        translate(sequence, (0, number)).save(folder / path.name)
    long = simulate(seed=1, **{"grid.rows": SIZE, "grid.columns": SIZE, "grid.frames": LONG})
    started = time.process_time()
    translate(long)
    seconds = time.process_time() - started
    whole, windows = (translate(long, 0, frames).velocity for frames in (LONG // 4, 32))
    difference = float(np.linalg.norm(whole - windows) / np.linalg.norm(whole))
    standard = translate.weights.standards["vivo"]
    result = two_sample_test(folder, test_files(run, "vivo"), (standard.mean, standard.std), quiet=True)
    return {
        "translate_1024_s": seconds,
        "window_difference": difference,  # of windows of 32 frames from windows of 256
        "two_sample": result.accuracy,
        "two_sample_interval": result.interval,
    }


test_model.__test__ = False  # type: ignore[attr-defined]  # the name is meant, but it is no test


def references(out: Path, run: Path) -> dict[str, Any]:
    """The two-sample test on what no network has touched: simulations scaled to the phantom's SD."""
    from myovivo.evaluation.two_sample import two_sample_test
    from myovivo.runs.weights import load_weights
    from myovivo.sequences.sequence import Sequence

    path = out / "references.json"
    if not path.exists():
        standards = load_weights(run).standards
        scaled = []
        for file in test_files(run, "silico"):
            sequence = Sequence.load(file)
            velocity = standards["vivo"].undo(standards["silico"].apply(sequence.velocity))
            scaled.append(sequence.replace(velocity=velocity))
        vivo = standards["vivo"]
        result = two_sample_test(scaled, test_files(run, "vivo"), (vivo.mean, vivo.std), quiet=True)
        write_json(path, {"two_sample": result.accuracy, "two_sample_interval": result.interval})
    return read_json(path)


def compare(out: Path, models: list[str], minutes: float) -> dict[str, Any]:
    """Everything as one table."""
    domains(out)
    # Two at a time, of one thread each: faster on two cores than one at a time of two threads.
    with ThreadPoolExecutor(max(min(2, os.cpu_count() or 1), 1)) as pool:
        found = dict(zip(models, pool.map(lambda model: run_model(model, out, minutes), models), strict=True))
    run = out / models[0] / "run"
    table = evaluate(
        {model: out / model / "translated" for model in models}, test_files(run, "vivo"), test_files(run, "silico")
    )
    console.print(str(table), highlight=False)
    rows = {row.name: {name: row.columns[name].mean for name in COLUMNS if name in row.columns} for row in table.rows}
    sds = {row.name: {name: row.columns[name].sd for name in COLUMNS if name in row.columns} for row in table.rows}
    rows["none"]["two_sample"] = references(out, run)["two_sample"]
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, one of them per model",
        "budget_minutes": minutes,
        "columns": {name: {**rows[name], **found.get(name, {})} for name in rows},
        "sd": sds,
        "comparison": table.to_dict(),
    }


def gap_closed(result: dict[str, Any], model: str, column: str) -> float | None:
    """(translated - none) / (vivo-vivo - none), None where these two differ by less than 0.05."""
    none, vivo = (result["columns"][name][column] for name in ("none", "vivo-vivo"))
    return (result["columns"][model][column] - none) / (vivo - none) if abs(vivo - none) > 0.05 else None


def likeness(result: dict[str, Any]) -> list[list[str]]:
    """The columns of evaluation, mean ± SD over pairs, the two-sample test, and how much of the gap is closed."""
    table = [["model", *COLUMNS[:-1], "lag, ms", "two-sample"]]
    for name, row in result["columns"].items():
        cells = [f"{row[column]:.2f} ± {result['sd'][name][column]:.2f}" if column in row else "" for column in COLUMNS]
        if cells[-1]:
            cells[-1] = f"{1e3 * row['lag']:.1f} ± {1e3 * result['sd'][name]['lag']:.1f}"
        table.append([name, *cells, f"{row['two_sample']:.2f}" if "two_sample" in row else ""])
    for name in result["columns"]:
        if name in (*MODELS, *VARIANTS):
            gaps = [gap_closed(result, name, column) for column in (column.name for column in PAPERS_LIKENESS)]
            table.append([f"gap closed, {name}", *("" if gap is None else f"{gap:.0%}" for gap in gaps), "", "", ""])
    return table


def costs(result: dict[str, Any]) -> list[list[str]]:
    """What each model takes. Clips are of 32 frames, whatever the model's own are."""
    table = [["model", "parameters", "paper size", "steps", "clips/s", "training, GB", "1024 frames, s", "windows"]]
    for name, row in result["columns"].items():
        if "steps" in row:
            sizes = [f"{row[key]:,}" for key in ("generator_parameters", "full_generator_parameters")]
            speed = [f"{row['clips32_per_s']:.2f}", f"{row['train_gigabytes']:.2f}", f"{row['translate_1024_s']:.1f}"]
            table.append([name, *sizes, str(row["steps"]), *speed, f"{row['window_difference']:.1%}"])
    return table


def written(path: Path, table: list[list[str]]) -> None:
    """A table as CSV."""
    lines = [",".join(f'"{cell}"' if "," in cell else cell for cell in line) for line in table]
    write_text(path, "\n".join(lines) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="The whole family on one pair of domains, the same time for each.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "out" / "family")
    parser.add_argument("--minutes", type=float, default=15.0, help="of one core, for training each model (default 15)")
    every = (*MODELS, *VARIANTS)
    parser.add_argument("--models", nargs="+", choices=every, default=list(MODELS))
    parser.add_argument("--variants", action="store_true", help="house and its variants instead")
    parser.add_argument("--docs", action="store_true", help="also write them into docs/figures")
    parser.add_argument("--measure", choices=every, help=argparse.SUPPRESS)
    parser.add_argument("--train", choices=every, help=argparse.SUPPRESS)
    parser.add_argument("--test", choices=every, help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
    elif options.train:
        train_model(options.train, options.out, options.steps)
    elif options.test:
        print(json.dumps(test_model(options.test, options.out)))
    else:
        models = ["house", *VARIANTS] if options.variants else options.models
        result, name = compare(options.out, models, options.minutes), "variants" if options.variants else "family"
        for folder in (options.out, *([DOCS] if options.docs else [])):
            write_json(folder / f"{name}.json", result)
            written(folder / f"{name}.csv", likeness(result))
            written(folder / f"{name}_costs.csv", costs(result))
        for table in (likeness(result), costs(result)):
            widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
            for line in table:
                print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))
            print()


if __name__ == "__main__":
    main()
