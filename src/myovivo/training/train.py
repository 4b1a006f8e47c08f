"""Train: set up, then batch, generators, discriminators, log, save."""

from __future__ import annotations

import math
import platform
import time
from pathlib import Path
from typing import Any

import lightning_fabric
import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from ..errors import InputError, RunFolderError
from ..models.cyclegan import check_clip
from ..models.onesided import OneSided
from ..models.presets import TRAIN_PRESETS
from ..models.settings import TrainSettings
from ..runs.folder import claim_run
from ..runtime.console import console
from ..runtime.device import precision_for
from ..runtime.progress import Bar
from ..runtime.settings import settings_from
from ..sequences.header import common_header, read_header, require_same_scale, sequence_files
from ..sequences.scale import standardisation
from ..sequences.split import split_by_subject
from ..version import __version__
from .data import Clips
from .interruption import Interruption
from .journal import Journal
from .prefetch import read_ahead
from .processes import any_process, fabric_for
from .step import Training
from .validation import Validation

LOG_EVERY = 10  # steps

FIRST_LOOK = 32  # clips of each domain that a one-sided translator starts from

LAST_LOOK = 16  # clips of each domain that its filter is measured on, whenever weights are written


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
    first = fabric.global_rank == 0
    quiet = quiet or not first
    run, domains = Path(out), {"silico": _Domain(silico, settings, seed), "vivo": _Domain(vivo, settings, seed)}
    require_same_scale(domains["silico"].header, domains["vivo"].header, str(silico), str(vivo))
    _check_depth(settings, domains)
    clips = [domain.clips(settings, (seed, number)) for number, domain in enumerate(domains.values())]
    batch = settings.optimiser.batch
    steps = settings.optimiser.steps or math.ceil(settings.optimiser.epochs * min(map(len, clips)) / batch)
    if first:
        claim_run(run, _manifest(preset, settings, seed, domains, fabric))
    fabric.barrier()

    training = Training(
        run, settings, seed, domains["vivo"].header, {n: d.standard for n, d in domains.items()}, fabric, compile
    )
    training.resume()
    if isinstance(training.model, OneSided):
        if training.step == 0:
            training.model.begin(*(each.batch(0, FIRST_LOOK)[:, 0] for each in clips))
        training.look = tuple(each.batch(0, LAST_LOOK) for each in clips)
    if training.step > steps:
        raise RunFolderError(
            run, f"holds {training.step} steps already, more than the {steps} asked for; choose another folder"
        )
    journal = Journal(run if first else None, tensorboard)
    journal.resume(training.step)
    validation = None
    if settings.validation.every and first:
        validation = Validation(run, settings, seed, domains["silico"].validation, domains["vivo"].validation)
        validation.resume(training.step)

    def read(step: int) -> tuple[Tensor, Tensor]:
        silico, vivo = (each.batch(step, batch, training.positions) for each in clips)
        return silico, vivo

    saved = time.monotonic()
    (enough,) = any_process(fabric, validation is not None and validation.enough)
    to_do = range(training.step, training.step if enough else steps)
    interrupted = False
    with Interruption() as interruption, Bar("train", steps, training.step, quiet) as bar:
        for pair in journal.timed(read_ahead(read, to_do, settings.data.workers)):
            losses = training.advance(*pair)
            note = " ".join(f"{name} {value:.3f}" for name, value in losses.items())
            if training.step % LOG_EVERY == 0 or training.step == steps:
                journal.write(training.step, losses)
            validate = bool(settings.validation.every) and training.step % settings.validation.every == 0
            if validate and validation:
                journal.draw(training.step, validation(training.weights()))
                note = validation.note
            bar.advance(note=note)
            due = validate or time.monotonic() - saved >= 60 * settings.optimiser.checkpoint_minutes
            enough = validation is not None and validation.enough
            interrupted, enough, due = any_process(fabric, bool(interruption.signal), enough, due)
            if interrupted or enough:
                break
            if due:
                training.save()
                saved = time.monotonic()
    training.save()
    if not quiet:
        console.print(f"waited for data {journal.data_wait:.1%} of the time", highlight=False)
        if enough:
            console.print(
                f"stopped early at step {training.step}: {settings.validation.patience} validations no better"
            )
    if interrupted:
        console.print(f"stopped at step {training.step} of {steps} and saved; run the same command again to go on")
        interruption.leave()
    return run


class _Domain:
    """One folder of sequences, split and standardised."""

    def __init__(self, folder: str | Path, settings: TrainSettings, seed: int):
        files = sequence_files(folder)
        self.folder = files[0].parent.resolve()
        self.header = common_header(files)
        self.train, self.test = split_by_subject(files, settings.data.held_out, seed)
        self.validation: list[Path] = []
        if settings.validation.every:
            self.train, self.validation = split_by_subject(self.train, settings.validation.held_out, seed)
        self.standard = standardisation(self.train)

    def clips(self, settings: TrainSettings, seed: tuple[int, ...]) -> Clips:
        return Clips(self.train, settings.data.clip, self.standard, seed, settings.data.flip)

    def describe(self) -> dict[str, Any]:
        everything = (*self.train, *self.validation, *self.test)
        subjects = {path.name: read_header(path).subject for path in everything}
        train, test = ([path.name for path in files] for files in (self.train, self.test))
        shared = {subjects[name] for name in train} & {subjects[name] for name in test} - {""}
        return {
            "train": train,
            "test": test,
            "validation": [path.name for path in self.validation],
            "split": "recording" if shared else "subject",
            "subjects": subjects,
            "mean": self.standard.mean,
            "std": self.standard.std,
        }


def _check_depth(settings: TrainSettings, domains: dict[str, _Domain]) -> None:
    rows = settings.data.clip[1]
    for domain in domains.values():
        there = domain.header.shape[1]
        if settings.knows_depth and there != rows:
            rule = f"knowing depth needs clips of all {there} rows of {domain.folder}, but data.clip takes {rows}"
            raise InputError(f"{rule}; set data.clip to {there} rows")


def _manifest(
    preset: str | Path | TrainSettings, settings: TrainSettings, seed: int, domains: dict[str, _Domain], fabric: Fabric
) -> dict[str, Any]:
    recipe = {"settings": settings.model_dump(mode="json"), "seed": seed}
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
