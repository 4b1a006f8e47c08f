"""Train: set up, then batch, generators, discriminators, log, save."""

from __future__ import annotations

import contextlib
import math
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning_fabric
import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from ..errors import InputError, RunFolderError
from ..models.cyclegan import check_clip
from ..models.presets import TRAIN_PRESETS
from ..models.settings import TrainSettings
from ..runs.folder import claimed_run
from ..runtime.console import console
from ..runtime.device import precision_for
from ..runtime.progress import Bar
from ..runtime.settings import settings_from
from ..sequences.header import require_same_scale
from ..version import __version__
from .data import Clips, TrainingDomain
from .interruption import Interruption
from .journal import Journal
from .prefetch import read_ahead
from .processes import any_process, fabric_for
from .step import Training
from .validation import Validation

LOG_EVERY = 10  # steps


def train(
    preset: str | Path | TrainSettings,
    silico: str | Path,
    vivo: str | Path,
    out: str | Path,
    seed: int = 0,
    *,
    device: str = "auto",
    devices: int = 1,
    nodes: int = 1,
    compile: bool = False,
    tensorboard: bool = False,
    quiet: bool = False,
    **changes: Any,
) -> Path:
    """Train a translator between two unpaired folders of sequences.

    The translators of Ali et al. (2022), BioMed Eng OnLine 21:46, and ours. Interrupt it at will: the same call
    again goes on from the last checkpoint
    and, on a CPU, ends with the very weights of a run that was never interrupted. A higher
    `optimiser.steps` lengthens a finished run.

    Parameters
    ----------
    preset : the name of a preset, the path of a YAML file, or settings
    silico, vivo : folders of sequence files of the two domains, alike in frame rate and spacing
    out : the run folder, new or holding this very run
    seed : of the split, the initial weights, the order of clips, the noise
    device : "auto" (a CUDA device if there is one), "cpu" or "cuda"
    devices, nodes : processes on each node, one per device, and nodes; they share each batch, and the weights are those
        of one process but for rounding
    compile : pass the networks through torch.compile; it brought nothing on a CPU
    tensorboard : also write the losses for TensorBoard, into the run folder (extra `tensorboard`)
    quiet : show no progress
    **changes : settings that win over the preset, `**{"optimiser.steps": 100}`

    Returns
    -------
    Path : the run folder, with `run.json`, `log.jsonl`, `checkpoint.safetensors`, `weights.safetensors`; with
        `validation.every` also `validation.jsonl` and `best.safetensors`

    Raises
    ------
    InputError : a setting, a clip size or a pair of domains that cannot work.
    FileError : a sequence cannot be read, or the disk is full.
    RunFolderError : `out` holds another run; the message names the first difference.
    CheckpointError : the run's checkpoint is damaged or of other settings.
    DivergedError : a loss became NaN or infinite, or went astray; the last good checkpoint is kept.
    MissingExtraError : TensorBoard was asked for and is not installed.

    Warns
    -----
    SplitWarning : a domain has one subject only, so its test sequences are of the same subject.
    """
    settings = settings_from(TrainSettings, preset, **changes)
    check_clip(settings)
    fabric = fabric_for(settings, device, devices, nodes)
    run, first = Path(out), fabric.global_rank == 0
    domains = {name: TrainingDomain(folder, settings, seed) for name, folder in (("silico", silico), ("vivo", vivo))}
    require_same_scale(domains["silico"].header, domains["vivo"].header, str(silico), str(vivo))
    _check_depth(settings, domains)
    clips = [domain.clips(settings, (seed, number)) for number, domain in enumerate(domains.values())]
    with contextlib.ExitStack() as held:
        if first:
            held.enter_context(claimed_run(run, _manifest(preset, settings, seed, domains, fabric)))
        fabric.barrier()
        session = _set_up(run, settings, seed, domains, clips, fabric, compile, tensorboard)
        interruption = _loop(session, quiet or not first)
    interruption.leave()
    return run


@dataclass
class _Session:
    """What the loop works with.

    Attributes
    ----------
    training : networks and optimisers, gone on from the last checkpoint
    clips : of silico and vivo
    steps : of the whole training
    journal : what is written of it
    validation : how held-out subjects are looked at, in the first process
    """

    training: Training
    clips: list[Clips]
    steps: int
    journal: Journal
    validation: Validation | None

    def read(self, step: int) -> tuple[Tensor, Tensor]:
        """This process's share of a batch, silico and vivo."""
        batch = self.training.settings.optimiser.batch
        silico, vivo = (clips.batch(step, batch, self.training.positions) for clips in self.clips)
        if self.training.fabric.device.type == "cuda":  # from pinned memory a copy goes on beside the computation
            return silico.pin_memory(), vivo.pin_memory()
        return silico, vivo

    @property
    def enough(self) -> bool:
        """Whether validation sees nothing get better any more."""
        return self.validation is not None and self.validation.enough


def _set_up(
    run: Path,
    settings: TrainSettings,
    seed: int,
    domains: dict[str, TrainingDomain],
    clips: list[Clips],
    fabric: Fabric,
    compile: bool,
    tensorboard: bool,
) -> _Session:
    """Networks, journal and validation, as the last checkpoint left them."""
    options = settings.optimiser
    steps = options.steps or math.ceil(options.epochs * min(map(len, clips)) / options.batch)

    scales = {name: domain.scale for name, domain in domains.items()}
    training = Training(run, settings, seed, domains["vivo"].header, scales, fabric, compile)
    training.traits = {name: domain.traits for name, domain in domains.items()}
    training.resume()
    model = training.model
    if model.first_look and training.step == 0:
        model.begin(*(domain.batch(0, model.first_look)[:, 0] for domain in clips))
    if model.last_look:
        training.look = tuple(domain.batch(0, model.last_look) for domain in clips)
    if training.step > steps:
        done = f"holds {training.step} steps already, more than the {steps} asked for"
        raise RunFolderError(run, f"{done}; choose another folder")

    first = fabric.global_rank == 0
    journal = Journal(run if first else None, tensorboard)
    journal.resume(training.step)
    validation = None
    if settings.validation.every and first:
        validation = Validation(run, settings, seed, domains["silico"].validation, domains["vivo"].validation)
        validation.resume(training.step)
    return _Session(training, clips, steps, journal, validation)


def _loop(session: _Session, quiet: bool) -> Interruption:
    """Batch, generators, discriminators, log, save; until done, enough, or interrupted."""
    training, journal, steps = session.training, session.journal, session.steps
    settings, fabric = training.settings, training.fabric
    (enough,) = any_process(fabric, session.enough)
    to_do = range(training.step, training.step if enough else steps)
    saved, interrupted, note = time.monotonic(), False, ""
    with Interruption() as interruption, Bar("train", steps, training.step, quiet) as bar:
        for pair in journal.timed(read_ahead(session.read, to_do, settings.data.workers)):
            # A GPU is waited for only now and then; a CPU has finished anyway
            step = training.step + 1
            validate = bool(settings.validation.every) and step % settings.validation.every == 0
            log = step % LOG_EVERY == 0 or step == steps
            losses = training.advance(*pair, log or validate or fabric.device.type == "cpu")
            if losses:
                note = " ".join(f"{name} {value:.3f}" for name, value in losses.items())
            if log:
                journal.write(step, losses)

            # Look at held-out subjects
            if validate and session.validation:
                journal.draw(training.step, session.validation(training.weights()))
                note = session.validation.note
            bar.advance(note=note)

            # Save where it is time, or leave, in all processes at the same step
            due = validate or time.monotonic() - saved >= 60 * settings.optimiser.checkpoint_minutes
            interrupted, enough, due = any_process(fabric, bool(interruption.signal), session.enough, due)
            if interrupted or enough:
                break
            if due:
                training.save()
                saved = time.monotonic()
    training.save()

    if not quiet:
        console.print(f"waited for data {journal.data_wait:.1%} of the time", highlight=False)
        if enough:
            patience = settings.validation.patience
            console.print(f"stopped early at step {training.step}: {patience} validations no better")
    if interrupted:
        console.print(f"stopped at step {training.step} of {steps} and saved; run the same command again to go on")
    return interruption


def _check_depth(settings: TrainSettings, domains: dict[str, TrainingDomain]) -> None:
    rows = settings.data.clip[1]
    for domain in domains.values():
        there = domain.header.shape[1]
        if settings.knows_depth and there != rows:
            rule = f"knowing depth needs clips of all {there} rows of {domain.folder}, but data.clip takes {rows}"
            raise InputError(f"{rule}; set data.clip to {there} rows")


def _manifest(
    preset: str | Path | TrainSettings,
    settings: TrainSettings,
    seed: int,
    domains: dict[str, TrainingDomain],
    fabric: Fabric,
) -> dict[str, Any]:
    recipe: dict[str, Any] = {"settings": settings, "seed": seed}
    recipe |= {name: domain.describe() for name, domain in domains.items()}
    device = f"cpu, {torch.get_num_threads()} threads"
    if fabric.device.type == "cuda":
        device = torch.cuda.get_device_name(fabric.device)
    return {
        "format": "myovivo run",
        "preset": str(preset) if not isinstance(preset, TrainSettings) and str(preset) in TRAIN_PRESETS else None,
        "recipe": recipe,
        "folders": {name: str(domain.folder) for name, domain in domains.items()},
        "device": device,
        "processes": fabric.world_size,
        "precision": precision_for(settings.optimiser.precision, fabric.device),
        "versions": {
            "myovivo": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "lightning_fabric": lightning_fabric.__version__,
            "numpy": np.__version__,
        },
    }
