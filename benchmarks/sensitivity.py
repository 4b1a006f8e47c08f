"""Can the measures be trusted? What baselines without a network reach, and what the free choices change.

python benchmarks/sensitivity.py                                  # on simulations and phantoms made for it
python benchmarks/sensitivity.py --silico DIR --vivo DIR          # on other sequences
python benchmarks/sensitivity.py --silico DIR --vivo DIR --translated DIR   # with a translation as a further row
python benchmarks/sensitivity.py --docs                           # also write into docs/figures

Half of the recordings' subjects are the reference. What the baselines know of recordings is from the other half, as
what a network knows would be. Each column is then worked out again for other values of what its definition leaves open.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from myovivo import Sequence, evaluate, phantom_domain, plot, simulate_domain, two_sample_test, variance_map
from myovivo.evaluation import columns, content, crossing, features, map_features, nulls
from myovivo.evaluation.comparison import Comparison
from myovivo.runtime.files import write_text
from myovivo.sequences.header import sequence_files

OUT = Path(__file__).parent / "out" / "sensitivity"
DOCS = Path(__file__).parents[1] / "docs" / "figures"
SEQUENCES = 16
GRID: dict[str, Any] = {"grid.rows": 64, "grid.columns": 64, "grid.frames": 512}
NOISE_DB = 10.0
TEST: dict[str, Any] = {"clip": (32, 32, 32), "steps": 200, "quiet": True}  # a small two-sample test: there are five
CONTENT = 4  # sequences whose xCorr is worked out for other ranges of lags
COLUMNS = (*(one.name for one in columns.COLUMNS if not isinstance(one.measure, columns.OverPixels)), "xCorr")
IDENTITY = "none, scaled"
COLOURS = dict(
    zip([IDENTITY, "gain matched", "noise added", "phase randomised"], [plot.SILICO, *plot.OTHERS], strict=False)
)
COLOURS |= {"translated": plot.TRANSLATED, "vivo-vivo": plot.VIVO}

# Choice -> its values, the default, and how it is named in the figure.
CHOICES: dict[str, tuple[list[float], float, str]] = {
    "offset": (list(np.geomspace(1e-8, 1e-4, 9)), map_features.VARIANCE_OFFSET, "offset of the logarithm (SD²)"),
    "bins": ([64, 128, 256, 512, 1024], map_features.BINS, "bins of the histogram"),
    "data_range": ([64, 128, 255, 512, 1024], crossing.SSIM_RANGE, "data_range of SSIM"),
    "window": ([5, 7, 9, 11], crossing.SSIM_WINDOW, "window of SSIM (pixels)"),
    "max_lag": ([0.05, 0.075, 0.1, 0.15, 0.2], content.MAX_LAG, "largest lag (s)"),
}
PANELS = (
    *((column, "offset") for column in ("DBhat", "Corr", "SSI", "SSI norm")),
    *((column, "bins") for column in ("DBhat", "Corr")),
    *((column, choice) for choice in ("data_range", "window") for column in ("SSI", "SSI norm")),
    ("xCorr", "max_lag"),
)


# ------------------------------------------------------------------------------------- sequences


def data(options: argparse.Namespace) -> tuple[list[Path], list[Path], list[Path]]:
    """Simulations, reference recordings, and the recordings of other subjects, which the baselines may know."""
    count = options.sequences
    if options.silico is None:
        simulate_domain(options.out / "silico", count, **GRID)
        phantom_domain(options.out / "vivo", count, 2, **GRID)
    silico = sequence_files(options.silico or options.out / "silico")[:count]
    recorded = sequence_files(options.vivo or options.out / "vivo")[: 2 * count]
    subjects = [source.header.subject or source.name for source in features.sources(recorded)]
    first = set(sorted(set(subjects))[: len(set(subjects)) // 2])
    halves = [[path for path, who in zip(recorded, subjects, strict=True) if (who in first) == one] for one in (1, 0)]
    return silico, halves[0], halves[1]


def baselines(silico: list[Path], known: list[Path], folder: Path) -> dict[str, list[Path]]:
    """Translations that need no network, under the names of the simulations."""
    variance = np.mean([variance_map(path) for path in known], axis=0)
    strength = np.float32(np.sqrt(variance.mean() / np.mean([variance_map(path).mean() for path in silico])))
    made: dict[str, Callable[[Sequence, Sequence, int], Sequence]] = {
        IDENTITY: lambda one, recorded, k: one.replace(origin="translated"),
        "gain matched": lambda one, recorded, k: nulls.gain_matched(one, variance),
        "noise added": lambda one, recorded, k: nulls.noise_added(one, NOISE_DB, seed=k),
        "phase randomised": lambda one, recorded, k: nulls.phase_randomised(recorded, seed=k),
    }
    found: dict[str, list[Path]] = {name: [] for name in made}
    for k, path in enumerate(silico):
        simulated, recorded = Sequence.load(path), Sequence.load(known[k % len(known)])
        simulated = simulated.replace(velocity=strength * simulated.velocity)
        for name, make in made.items():
            found[name].append(make(simulated, recorded, k).save(folder / name / path.name))
    return found


# ----------------------------------------------------------------------------------------- table


def nulls_table(comparison: Comparison, models: dict[str, list[Path]], reference: list[Path], known: list[Path]) -> str:
    """As CSV: each column's mean with its 95 % interval by subject, and the two-sample test."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["row", *COLUMNS, "two-sample"])
    for row in comparison.rows:
        if row.name == "none":
            continue  # the row of the scaled simulations has the same figures, and xCorr
        cells = [comparison.label(row)]
        for column in COLUMNS:
            value = row.columns.get(column)
            cell = f"{value.mean:.2f}" if value is not None and value.n else ""
            if column in row.intervals:
                low, high = row.intervals[column]
                cell += f" ({low:.2f} to {high:.2f})"
            cells.append(cell)
        test = two_sample_test(models.get(row.name, known), reference, **TEST)
        low, high = test.interval
        writer.writerow([*cells, f"{test.accuracy:.2f} ({low:.2f} to {high:.2f})"])
    return text.getvalue()


# ----------------------------------------------------------------------------------- sensitivity


def cross(column: str, a: list[Any], b: list[Any], offset: float, bins: int, data_range: float, window: int) -> Any:
    """(N, M) of a column for variance maps (Z, X) in squared SDs."""
    maps = [[map_features.log_variance(one, offset) for one in group] for group in (a, b)]
    if column in ("DBhat", "Corr"):
        histograms = [[map_features.histogram(one, bins) for one in group] for group in maps]
        return (crossing.cross_bhattacharyya if column == "DBhat" else crossing.cross_pearson)(*histograms)
    kspace = map_features.kspace if column == "SSI" else map_features.kspace_normalised
    return crossing.cross_ssim(*([kspace(one) for one in group] for group in maps), window, data_range)


def sweep(comparison: Comparison, column: str, choice: str) -> dict[str, list[float]]:
    """Row -> the column's mean for each value of the choice, all other choices at their defaults."""
    variances = {
        name: [np.maximum(np.exp(one.log_variance) - map_features.VARIANCE_OFFSET, 0.0) for one in found]
        for name, found in comparison.features.items()
    }
    found: dict[str, list[float]] = {}
    for row in comparison.rows:
        if row.name == "none":
            continue
        own = variances["vivo" if row.name == "vivo-vivo" else row.name]
        keep = np.triu(np.ones((len(own),) * 2, bool), 1) if row.name == "vivo-vivo" else slice(None)
        found[row.name] = []
        for value in CHOICES[choice][0]:
            chosen: dict[str, Any] = {name: CHOICES[name][1] for name in ("offset", "bins", "data_range", "window")}
            values = cross(column, own, variances["vivo"], **(chosen | {choice: value}))
            found[row.name].append(float(values[keep].mean()))
    return found


def sweep_lags(silico: list[Path], models: dict[str, list[Path]]) -> dict[str, list[float]]:
    """Row -> mean xCorr for each range of lags."""
    found = {name: np.zeros(len(CHOICES["max_lag"][0])) for name in models}
    for k, path in enumerate(silico[:CONTENT]):
        simulated = Sequence.load(path)
        for name, paths in models.items():
            translated = Sequence.load(paths[k]).velocity
            for at, lag in enumerate(CHOICES["max_lag"][0]):
                correlation, _ = content.content_correlation(simulated.velocity, translated, simulated.frame_rate, lag)
                found[name][at] += np.nanmean(correlation) / len(silico[:CONTENT])
    return {name: values.tolist() for name, values in found.items()}


def order(rows: dict[str, list[float]], at: int) -> list[str]:
    """The rows from the least value to the largest."""
    return sorted(rows, key=lambda name: round(rows[name][at], 3))


def drawn(sweeps: dict[tuple[str, str], dict[str, list[float]]]) -> Any:
    """One panel for each column and choice, one line for each row."""
    plt.rcParams.update({"font.size": 8.5, "axes.titlesize": 9.5, "axes.titleweight": "bold"})
    figure, axes = plt.subplots(3, 4, figsize=(11, 7.4), layout="constrained")
    for ax, ((column, choice), rows) in zip(axes.flat, sweeps.items(), strict=False):
        values, default, label = CHOICES[choice]
        for name, means in rows.items():
            reference = name == "vivo-vivo"
            colour = COLOURS.get(name, plot.TRANSLATED)
            ax.plot(values, means, color=colour, linewidth=2.4 if reference else 1.4, marker=".", label=name)
        ax.axvline(default, color="0.6", linewidth=0.8, linestyle=":", zorder=0)
        at = int(np.argmin(np.abs(np.log(np.array(values) / default))))
        kept = sum(order(rows, k) == order(rows, at) for k in range(len(values)))
        ax.set(xscale="log", xlabel=label, title=f"{column}: order kept {kept}/{len(values)}")
        if choice != "offset":
            ax.set_xticks(values, [f"{value:g}" for value in values])
            ax.minorticks_off()
        ax.spines[["top", "right"]].set_visible(False)
    figure.get_layout_engine().set(h_pad=0.09)
    last = axes.flat[-1]
    last.axis("off")
    last.legend(*axes[0, 0].get_legend_handles_labels(), loc="center", frameon=False, fontsize=9)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description="What null baselines reach, and what the free choices change.")
    parser.add_argument("--silico", type=Path, help="simulated sequences; made if not given")
    parser.add_argument("--vivo", type=Path, help="recordings, or phantoms, of several subjects; made if not given")
    parser.add_argument("--translated", type=Path, help="a translation of the simulations, as a further row")
    parser.add_argument("--sequences", type=int, default=SEQUENCES, help="of each domain (default 16)")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--docs", action="store_true", help="also write into docs/figures")
    options = parser.parse_args()
    if (options.silico is None) != (options.vivo is None):
        parser.error("give both --silico and --vivo, or neither")
    silico, reference, known = data(options)
    models = baselines(silico, known, options.out / "nulls")
    if options.translated is not None:
        models["translated"] = [options.translated / path.name for path in silico]
    comparison = evaluate(dict(models), reference, silico)
    print(comparison, comparison.intervals(), sep="\n")
    sweeps = {
        (column, choice): sweep(comparison, column, choice) if choice != "max_lag" else sweep_lags(silico, models)
        for column, choice in PANELS
    }
    figure, table = drawn(sweeps), nulls_table(comparison, models, reference, known)
    print(table)
    for folder in (options.out, *([DOCS] if options.docs else [])):
        figure.savefig(
            folder / "sensitivity.png", dpi=110, metadata={"Software": None}
        )  # the same data, the same bytes
        write_text(folder / "nulls.csv", table)


if __name__ == "__main__":
    main()
