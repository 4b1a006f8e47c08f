"""What each step of a study does: calls of the public functions, on the folders of the steps before it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..evaluation.two_sample import two_sample_test
from ..identification.comparison import compare_identification
from ..models.settings import TrainSettings
from ..phantoms.phantom import phantom_domain
from ..phantoms.settings import PhantomSettings
from ..runs.folder import read_run
from ..runs.weights import load_weights
from ..runtime.files import whole_file, write_json
from ..runtime.parallel import on_cluster
from ..runtime.settings import settings_from
from ..sequences.grid import Grid
from ..sequences.header import read_header, sequence_files
from ..sequences.resample_domain import resample_domain
from ..simulation.settings import SimulateSettings
from ..simulation.simulate import simulate_domain
from ..training.train import train
from ..translation.translate import translate_domain

Inputs = Mapping[str, Path]

Runtime = Mapping[str, Any]

SILICO_DATA, VIVO_DATA = "data/silico", "data/vivo"


def simulate(out: Path, inputs: Inputs, runtime: Runtime, settings: dict[str, Any], sequences: int, seed: int) -> None:
    """Simulate the silico domain."""
    chosen = settings_from(SimulateSettings, settings)
    with on_cluster(runtime["scheduler"]):
        simulate_domain(out, sequences, chosen, seed=seed, workers=runtime["workers"])


def record(
    out: Path, inputs: Inputs, runtime: Runtime, settings: dict[str, Any], subjects: int, runs: int, seed: int
) -> None:
    """Record the phantom."""
    chosen = settings_from(PhantomSettings, settings)
    with on_cluster(runtime["scheduler"]):
        phantom_domain(out, subjects, runs, chosen, seed=seed, workers=runtime["workers"])


def take(
    out: Path,
    inputs: Inputs,
    runtime: Runtime,
    folder: str,
    files: dict[str, Any],
    grid: dict[str, Any] | None,
) -> None:
    """Take the user's sequences, as they are or on the frame rate and pixels of a grid; theirs are only read."""
    sources = [Path(folder) / name for name in files]
    if grid is not None:
        wanted = Grid(**grid)
        size = wanted.rows, wanted.columns
        with on_cluster(runtime["scheduler"]):
            resample_domain(sources, out, wanted.frame_rate, size, workers=runtime["workers"])
        return
    for source in sources:
        with whole_file(out / source.name) as part:  # a copy: what is done to it in here does not reach theirs
            shutil.copyfile(source, part)


def slow_down(out: Path, inputs: Inputs, runtime: Runtime, frame_rate: float) -> None:
    """The one domain it is given at a lower frame rate."""
    (source,) = inputs.values()
    with on_cluster(runtime["scheduler"]):
        resample_domain(sequence_files(source), out, frame_rate, workers=runtime["workers"])


def train_model(
    out: Path, inputs: Inputs, runtime: Runtime, settings: dict[str, Any], silico: str, vivo: str, seed: int
) -> None:
    """Train a translator; interrupted, it goes on from its last checkpoint."""
    chosen = TrainSettings.model_validate(settings)
    train(chosen, inputs[silico], inputs[vivo], out, seed, device=runtime["device"])


def translate_held_out(
    out: Path, inputs: Inputs, runtime: Runtime, run: str, silico: str, side: str, seed: int
) -> None:
    """Translate the simulations that a training held out (`side` test), or those that it saw (`side` train)."""
    files = files_of(inputs[run], "silico", side, inputs[silico])
    translate_domain(inputs[run], files, out, seed, device=runtime["device"])


def look(out: Path, inputs: Inputs, runtime: Runtime, run: str, translated: str, vivo: str, seed: int) -> None:
    """Let a classifier try to tell translated sequences from recorded ones."""
    standard = load_weights(inputs[run]).standards["vivo"]
    recorded = files_of(inputs[run], "vivo", "test", inputs[vivo])
    result = two_sample_test(inputs[translated], recorded, (standard.mean, standard.std), seed=seed)
    write_json(out / "two_sample.json", result.to_dict())


def compare_identifiers(
    out: Path,
    inputs: Inputs,
    runtime: Runtime,
    run: str,
    translated: str,
    silico: str,
    vivo: str,
    learn: dict[str, Any],
    seed: int,
) -> None:
    """Learn identification from raw silico, its translation and recordings; test on the recordings held out.

    The simulations and the subjects are those that the translator was trained on, too.
    """
    simulated = files_of(inputs[run], "silico", "train", inputs[silico])
    training = {
        "raw silico": simulated,
        "translated": [inputs[translated] / path.name for path in simulated],
    }
    recorded = files_of(inputs[run], "vivo", "train", inputs[vivo])
    training[read_header(recorded[0]).origin] = recorded  # phantom, or vivo
    tested = files_of(inputs[run], "vivo", "test", inputs[vivo])
    compare_identification(training, tested, out, learn, seed=seed, workers=runtime["workers"])


def files_of(run: Path, domain: str, side: str, folder: Path) -> list[Path]:
    """The files of a domain that a run trained on or held out, in the folder where the domain is now."""
    return [folder / name for name in read_run(run)["recipe"][domain][side]]
