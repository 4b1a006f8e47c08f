"""The whole way once, small: from a simulated muscle and a recorded one to a judged translation."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from ._callable import make_callable
from .acquire import acquire_domain
from .acquire.chain import recorded_frame_rate
from .acquire.opening import recordings_in
from .checkpoint import test_files
from .config import AcquireSettings, Grid, PhantomSettings, SimulateSettings, settings_from
from .evaluate import evaluate
from .phantom import phantom_domain
from .progress import console
from .report import report
from .sequence import read_header, sequence_files
from .simulate import simulate_domain
from .train import train
from .translate import translate_domain

PRESET = "smoke"
SIZE = 64  # rows and columns
FRAMES = 512  # of a sequence, 1 s, where the phantom is recorded
SEQUENCES = 32  # simulated
SUBJECTS, RUNS = 8, 2  # of the phantom
CLIP = 32  # frames of a training clip: simulated sequences are cut to a multiple of it


def demo(out: str | Path, vivo: str | Path | None = None, *, seed: int = 0, quiet: bool = False) -> Path:
    """Simulate, record, train the `smoke` preset, translate, evaluate and report, on a CPU in minutes.

    Interrupted, the same call goes on where it was.

    Parameters
    ----------
    out : folder for everything: `silico/`, `vivo/`, `run/`, `translated/`, `report/`
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
    say = _Steps(6, quiet)
    if vivo is None:
        settings = settings_from(PhantomSettings, {"grid": Grid(rows=SIZE, columns=SIZE, frames=FRAMES)})
        say(f"record the tissue phantom: {SUBJECTS} subjects, {RUNS} sequences each (a stand-in, not in vivo)")
        phantom_domain(out / "vivo", SUBJECTS, RUNS, settings, seed=seed, quiet=quiet)
        grid, frames = settings.grid, None
    else:
        say(f"acquire {vivo}")
        acquire_domain(vivo, out / "vivo", acquisition_for(vivo), quiet=quiet)
        grid = grid_like(out / "vivo")
        frames = min(grid.frames, shortest(out / "vivo"))

    size = f"{grid.frames} frames at {grid.frame_rate:g} Hz, {grid.rows} x {grid.columns} px"
    say(f"simulate {SEQUENCES} sequences: {size}")
    simulate_domain(out / "silico", SEQUENCES, settings_from(SimulateSettings, {"grid": grid}), seed=seed, quiet=quiet)

    say(f"train the preset {PRESET}")
    run = train(PRESET, out / "silico", out / "vivo", out / "run", seed, quiet=quiet)

    say("translate the held-out simulations")
    translated = translate_domain(run, None, out / "translated", seed, quiet=quiet)

    say("evaluate on held-out sequences")
    silico, recorded = test_files(run, "silico"), test_files(run, "vivo")
    comparison = evaluate(translated, recorded, silico, frames=frames, quiet=quiet)

    say("report")
    page = report(out / "report", silico, translated, recorded, comparison, run, quiet=quiet)
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


make_callable(__name__, demo)
