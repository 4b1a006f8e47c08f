"""The whole way once: from a simulated muscle and a recorded one to a judged translation."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from ..acquisition.acquire import acquire_domain, recorded_frame_rate
from ..acquisition.formats import recordings_in
from ..acquisition.settings import AcquireSettings
from ..evaluation.evaluate import evaluate_illustrated
from ..phantoms.phantom import phantom_domain
from ..phantoms.settings import PhantomSettings
from ..reporting.report import write_report
from ..runs.folder import test_files
from ..runtime.console import console
from ..runtime.settings import settings_from
from ..sequences.grid import Grid
from ..sequences.header import read_header, sequence_files
from ..simulation.settings import SimulateSettings
from ..simulation.simulate import simulate_domain
from ..training.train import train
from ..translation.translate import translate_domain

PRESET = "house"

DEMO_FRAMES = 512  # of a sequence, 1 s

SEQUENCES = 12  # simulated, where nothing is trained

SUBJECTS, RUNS = 6, 2  # of the phantom

_OTHERS = 1000  # added to the seed: the bundled weights know the subjects of seed 0

# With recordings of one's own, for which a translator is trained:
SIZE = 64  # rows and columns

TRAINING_SEQUENCES = 32

CLIP = 32  # frames of a training clip: simulated sequences are cut to a multiple of it

TRAINING = {"data.clip": (CLIP, SIZE, SIZE), "local.cell": 2, "optimiser.batch": 2, "optimiser.steps": 300}


def demo(out: str | Path, vivo: str | Path | None = None, *, seed: int = 0, quiet: bool = False) -> Path:
    """Simulate, record, translate, evaluate and report, on a CPU in minutes.

    Against the tissue phantom the bundled weights translate. For recordings of your own a `house` is trained, small and
    short. Interrupted, the same call goes on where it was.

    Parameters
    ----------
    out : folder for everything: `silico/`, `vivo/`, `translated/`, `report/`, and `run/` if something is trained
    vivo : a recording or folder of recordings for `acquire` to read; None records the tissue phantom.
        The simulation then takes the recordings' frame rate, extent and size.
    seed : of everything random
    quiet : no progress; the table is printed all the same

    Returns
    -------
    Path : the report page

    Raises
    ------
    MyovivoError : whatever a step cannot do, in one line.
    """
    out = Path(out)
    return _on_the_phantom(out, seed, quiet) if vivo is None else _on_recordings(out, vivo, seed, quiet)


def _on_the_phantom(out: Path, seed: int, quiet: bool) -> Path:
    say = _Steps(5, quiet)
    grid = {"grid": Grid(frames=DEMO_FRAMES)}
    say(f"record the tissue phantom: {SUBJECTS} subjects, {RUNS} sequences each (a stand-in, not in vivo)")
    settings = settings_from(PhantomSettings, grid)
    recorded = phantom_domain(out / "vivo", SUBJECTS, RUNS, settings, seed=seed + _OTHERS, quiet=quiet)
    say(f"simulate {SEQUENCES} sequences")
    settings = settings_from(SimulateSettings, grid)
    silico = simulate_domain(out / "silico", SEQUENCES, settings, seed=seed + _OTHERS, quiet=quiet)
    say(f"translate them with the bundled weights of {PRESET}")
    translated = translate_domain(PRESET, silico, out / "translated", seed, quiet=quiet)
    return _judged(say, out, silico, translated, recorded, None, None, quiet)


def _on_recordings(out: Path, vivo: str | Path, seed: int, quiet: bool) -> Path:
    say = _Steps(6, quiet)
    say(f"acquire {vivo}")
    acquire_domain(vivo, out / "vivo", acquisition_for(vivo), quiet=quiet)
    grid = grid_like(out / "vivo")
    frames = min(grid.frames, shortest(out / "vivo"))
    size = f"{grid.frames} frames at {grid.frame_rate:g} Hz, {grid.rows} x {grid.columns} px"
    say(f"simulate {TRAINING_SEQUENCES} sequences: {size}")
    settings = settings_from(SimulateSettings, {"grid": grid})
    simulate_domain(out / "silico", TRAINING_SEQUENCES, settings, seed=seed, quiet=quiet)
    say(f"train the preset {PRESET}, small and short")
    run = train(PRESET, out / "silico", out / "vivo", out / "run", seed, quiet=quiet, **TRAINING)
    say("translate the held-out simulations")
    translated = translate_domain(run, None, out / "translated", seed, quiet=quiet)
    return _judged(say, out, test_files(run, "silico"), translated, test_files(run, "vivo"), run, frames, quiet)


def _judged(
    say: _Steps,
    out: Path,
    silico: list[Path],
    translated: list[Path],
    recorded: list[Path],
    run: Path | None,
    frames: int | None,
    quiet: bool,
) -> Path:
    say("evaluate")
    comparison, illustrations = evaluate_illustrated(translated, recorded, silico, frames=frames, quiet=quiet)
    assert illustrations is not None  # all models are shown
    say("report")
    page = write_report(out / "report", comparison, illustrations, run)
    print(comparison)
    print(f"\nreport: {page}")
    return page


def acquisition_for(source: str | Path) -> AcquireSettings:
    """Acquisition settings for recordings of any speed: one frame rate and size, a band that fits.

    The band is the paper's 5-50 Hz, or ends at nine tenths of half the slowest frame rate, down to 5 Hz steps.
    """
    rate = min(recorded_frame_rate(file) for file in recordings_in(source))
    high = min(50.0, 0.45 * rate // 5 * 5)
    changes: dict[str, Any] = {
        "output": {"rows": SIZE, "columns": SIZE, "frame_rate": min(512.0, rate)},
        "conditioning": {"band": (5.0, high)},
    }
    return settings_from(AcquireSettings, changes)


def grid_like(folder: str | Path) -> Grid:
    """The grid of simulated sequences that match a folder of recorded ones in rate, extent and size."""
    headers = [read_header(file) for file in sequence_files(folder)]
    _, rows, columns = headers[0].shape
    typical = int(statistics.median(header.shape[0] for header in headers))
    return Grid(
        frames=max(typical // CLIP * CLIP, CLIP),
        frame_rate=headers[0].frame_rate,
        rows=rows,
        columns=columns,
        depth=rows * headers[0].spacing[0],
        width=columns * headers[0].spacing[1],
    )


def shortest(folder: str | Path) -> int:
    """Frames of the shortest sequence of a folder."""
    return min(read_header(file).shape[0] for file in sequence_files(folder))


class _Steps:
    """Counts the steps of the demo aloud."""

    def __init__(self, total: int, quiet: bool):
        self.total, self.quiet, self.count = total, quiet, 0

    def __call__(self, text: str) -> None:
        self.count += 1
        if not self.quiet:
            console.print(f"[bold]{self.count}/{self.total}[/bold] {text}", highlight=False)
