"""Training: batch, generators, discriminators, log, save."""

from __future__ import annotations

import copy
import json
import logging
import math
import platform
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import lightning_fabric
import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from . import __version__
from ._callable import make_callable
from .checkpoint import (
    CHECKPOINT,
    LOG,
    WEIGHTS,
    claim_run,
    fill,
    fill_optimiser,
    optimiser_tensors,
    prefixed,
    read_tensors,
    under,
    write_tensors,
)
from .config import TRAIN_PRESETS, TrainSettings, settings_from
from .dataset import (
    Clips,
    Standardisation,
    common_header,
    read_ahead,
    require_same_scale,
    split_by_subject,
    standardisation,
)
from .domain import difference
from .errors import CheckpointError, FileError, InputError, MyovivoError, RunFolderError
from .models import ImagePool, translation_model
from .models.cyclegan import check_clip, weighted_sum
from .precision import precision_for
from .progress import Bar, console
from .sequence import Header, read_header, sequence_files

LOG_EVERY = 10  # steps
DIRECTIONS = ("silico_to_vivo", "vivo_to_silico")
_PRECISION = {"bf16": "bf16-mixed", "fp16": "16-mixed", "fp32": "32-true"}


class DivergedError(MyovivoError):
    """A loss or a weight stopped being a finite number."""


def train(
    preset: str | Path | TrainSettings,
    silico: str | Path,
    vivo: str | Path,
    out: str | Path,
    seed: int = 0,
    *,
    device: str = "auto",
    quiet: bool = False,
    **changes: Any,
) -> Path:
    """Train a translator between two unpaired folders of sequences.

    The CycleGAN of Ali et al. (2022), BioMed Eng OnLine 21:46, with the modifications that the
    settings switch on. Interrupt it at will: the same call again goes on from the last checkpoint
    and, on a CPU, ends with the very weights of a run that was never interrupted. A higher
    `optimiser.steps` lengthens a finished run.

    Parameters
    ----------
    preset : the name of a preset, the path of a YAML file, or settings
    silico, vivo : folders of sequence files of the two domains, alike in frame rate and spacing
    out : the run folder, new or holding this very run
    seed : of the split, the initial weights, the order of clips, the noise
    device : "auto" (a CUDA device if there is one), "cpu" or "cuda"
    quiet : show no progress
    **changes : settings that win over the preset, `**{"optimiser.steps": 100}`

    Returns
    -------
    Path : the run folder, with `run.json`, `log.jsonl`, `checkpoint.safetensors`, `weights.safetensors`

    Raises
    ------
    InputError : a setting, a clip size or a pair of domains that cannot work.
    FileError : a sequence cannot be read, or the disk is full.
    RunFolderError : `out` holds another run; the message names the first difference.
    CheckpointError : the run's checkpoint is damaged or of other settings.
    DivergedError : a loss became NaN or infinite; the last good checkpoint is kept.

    Warns
    -----
    SplitWarning : a domain has one subject only, so its test sequences are of the same subject.
    """
    settings = settings_from(TrainSettings, preset, **changes)
    check_clip(settings)
    fabric = fabric_for(settings, device)
    run, domains = Path(out), {"silico": _Domain(silico, settings, seed), "vivo": _Domain(vivo, settings, seed)}
    require_same_scale(domains["silico"].header, domains["vivo"].header, str(silico), str(vivo))
    _check_depth(settings, domains)
    clips = [domain.clips(settings, (seed, number)) for number, domain in enumerate(domains.values())]
    batch = settings.optimiser.batch
    steps = settings.optimiser.steps or math.ceil(settings.optimiser.epochs * min(map(len, clips)) / batch)
    claim_run(run, _manifest(preset, settings, seed, domains, fabric))

    training = Training(
        run, settings, seed, domains["vivo"].header, {n: d.standard for n, d in domains.items()}, fabric
    )
    training.resume()
    if training.step > steps:
        raise RunFolderError(
            run, f"holds {training.step} steps already, more than the {steps} asked for; choose another folder"
        )

    def read(step: int) -> tuple[Tensor, Tensor]:
        return clips[0].batch(step, batch), clips[1].batch(step, batch)

    started = saved = time.monotonic()
    with Interruption() as interruption, Bar("train", steps, training.step, quiet) as bar:
        for pair in read_ahead(read, range(training.step, steps), settings.data.workers):
            losses = training.advance(*pair)
            if training.step % LOG_EVERY == 0 or training.step == steps:
                training.log({"step": training.step, "seconds": round(time.monotonic() - started, 3), **losses})
            bar.advance(note=" ".join(f"{name} {value:.3f}" for name, value in losses.items()))
            if interruption.signal:
                break
            if time.monotonic() - saved >= 60 * settings.optimiser.checkpoint_minutes:
                training.save()
                saved = time.monotonic()
    training.save()
    if interruption.signal:
        console.print(f"stopped at step {training.step} of {steps} and saved; run the same command again to go on")
        interruption.leave()
    return run


class Training:
    """The state of a training: networks, optimisers, image pools, and how many steps they have seen.

    Randomness has no state: each step seeds anew from (seed, step).
    """

    def __init__(
        self,
        run: Path,
        settings: TrainSettings,
        seed: int,
        header: Header,
        standards: dict[str, Standardisation],
        fabric: Fabric,
    ):
        self.run, self.settings, self.seed, self.fabric = run, settings, seed, fabric
        self.header, self.standards = header, standards
        self.step = 0
        self.model = translation_model(settings, seed)
        fabric.to_device(self.model)
        self.averaged = copy.deepcopy(self.model.generators) if settings.optimiser.average else None
        self.generator_optimiser = self._adam(self.model.generators)
        self.judge_optimiser = self._adam(self.model.judges)
        self.pools = {domain: ImagePool(settings.optimiser.image_pool) for domain in ("silico", "vivo")}

    def _adam(self, networks: nn.Module) -> torch.optim.Optimizer:
        options = self.settings.optimiser
        adam = torch.optim.Adam(networks.parameters(), options.learning_rate, options.betas)
        return self.fabric.setup_optimizers(adam)  # type: ignore[return-value]  # its wrapper acts as the optimiser

    def advance(self, silico: Tensor, vivo: Tensor) -> dict[str, float]:
        """One step on a batch of clips (B, 1, T, Z, X): generators first, then discriminators.

        Raises
        ------
        DivergedError : a loss is not finite.
        """
        model, weights = self.model, self.settings.loss
        silico, vivo = self.fabric.to_device(silico), self.fabric.to_device(vivo)
        seeds = np.random.SeedSequence((self.seed, self.step))
        noise = torch.Generator().manual_seed(int(seeds.generate_state(1, np.uint64)[0]))

        model.judges.requires_grad_(False)  # they judge the generators here, and learn nothing
        with self.fabric.autocast():
            losses, translated = model.generator_losses(silico, vivo, noise)
            total = weighted_sum(losses, weights)
        self.generator_optimiser.zero_grad()
        self.fabric.backward(total)
        self.generator_optimiser.step()

        self._average()

        model.judges.requires_grad_(True)
        chance = np.random.default_rng(seeds)
        shown = {domain: self.pools[domain].exchange(clips, chance) for domain, clips in translated.items()}
        with self.fabric.autocast():
            judged = model.judge_losses(silico, vivo, shown)
            total = weighted_sum(judged, weights)
        self.judge_optimiser.zero_grad()
        self.fabric.backward(total)
        self.judge_optimiser.step()

        losses |= judged
        values = dict(zip(losses, torch.stack(list(losses.values())).tolist(), strict=True))
        self.step += 1
        for name, value in values.items():
            self._require_finite(math.isfinite(value), f"the loss {name} is {value}")
        return values

    @torch.no_grad()
    def _average(self) -> None:
        """mean <- decay · mean + (1 - decay) · weight, with less decay in the first steps."""
        if self.averaged is None:
            return
        decay = min(self.settings.optimiser.average, (1 + self.step) / (10 + self.step))
        for mean, weight in zip(self.averaged.parameters(), self.model.generators.parameters(), strict=True):
            mean.lerp_(weight, 1 - decay)

    def log(self, line: dict[str, Any]) -> None:
        """Append a line to `log.jsonl`."""
        path = self.run / LOG
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise FileError(
                path, f"cannot be written ({error.strerror}); free space and run the same command again"
            ) from error

    def save(self) -> None:
        """Write `checkpoint.safetensors` and `weights.safetensors`, each whole or not at all.

        Raises
        ------
        DivergedError : a weight is not finite; nothing is written.
        FileError : the disk is full or the folder cannot be written.
        """
        finite = all(bool(torch.isfinite(parameter).all()) for parameter in self.model.parameters())
        self._require_finite(finite, "a weight is not finite")
        tensors = prefixed("model", self.model.state_dict())
        if self.averaged is not None:
            tensors |= prefixed("averaged", self.averaged.state_dict())
        tensors |= prefixed("generator_optimiser", optimiser_tensors(self.generator_optimiser))
        tensors |= prefixed("judge_optimiser", optimiser_tensors(self.judge_optimiser))
        for domain, pool in self.pools.items():
            tensors |= {f"pool/{domain}/{number:03d}": clip for number, clip in enumerate(pool.clips)}
        settings = self.settings.model_dump(mode="json")
        about = {"settings": settings, "seed": self.seed, "step": self.step}
        scaler = self.fabric.strategy.precision.state_dict()  # of fp16's gradient scaler; empty otherwise
        write_tensors(self.run / CHECKPOINT, "checkpoint", tensors, {**about, "scaler": scaler})

        best = self.model.generators if self.averaged is None else self.averaged
        generators: dict[str, Tensor] = {}
        for name, network in best.items():
            if name in DIRECTIONS:
                generators |= prefixed(name, network.state_dict())
        about |= {
            "standardisation": self.standards,
            "frame_rate": self.header.frame_rate,
            "spacing": self.header.spacing,
            "version": __version__,
        }
        write_tensors(self.run / WEIGHTS, "weights", generators, about)

    def resume(self) -> None:
        """Go back to the last checkpoint of the run folder, if it has one.

        Raises
        ------
        CheckpointError : it is damaged, or of other settings.
        """
        path = self.run / CHECKPOINT
        if not path.exists():
            return
        tensors, about = read_tensors(path, "checkpoint")
        settings = self.settings.model_dump(mode="json")
        for group in ("generator", "discriminator"):
            there = about.get("settings", {}).get(group, {})
            if there != settings[group]:
                first = difference(there, settings[group], f"{group}.")
                raise CheckpointError(path, f"is of other settings ({first}); restore the run's own or delete it")
        fill(self.model, under("model", tensors), path)
        if self.averaged is not None:
            fill(self.averaged, under("averaged", tensors), path)
        fill_optimiser(self.generator_optimiser, under("generator_optimiser", tensors), path)
        fill_optimiser(self.judge_optimiser, under("judge_optimiser", tensors), path)
        for domain, pool in self.pools.items():
            clips = under(f"pool/{domain}", tensors)
            pool.clips = [self.fabric.to_device(clips[name]) for name in sorted(clips)]
        self.fabric.strategy.precision.load_state_dict(about["scaler"])
        self.step = int(about["step"])
        self._forget_later_lines()

    def _forget_later_lines(self) -> None:
        """Drop log lines of steps after the checkpoint: they will be taken, and logged, again."""
        path = self.run / LOG
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            path.write_text("".join(line for line in lines if _step_of(line) <= self.step), encoding="utf-8")

    def _require_finite(self, fine: bool, what: str) -> None:
        if not fine:
            kept = (
                "the last good checkpoint is kept"
                if (self.run / CHECKPOINT).exists()
                else "no checkpoint was written yet"
            )
            remedy = "lower optimiser.learning_rate or set optimiser.precision to fp32"
            raise DivergedError(f"{self.run}: training diverged at step {self.step}: {what}; {kept}; {remedy}")


class Interruption:
    """Turns Ctrl-C and SIGTERM into a wish that the loop grants after the step it is in."""

    def __init__(self) -> None:
        self.signal = 0
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():  # Python allows handlers nowhere else
            self._previous = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.signal:  # asked twice: now
            raise KeyboardInterrupt
        self.signal = number

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def leave(self) -> None:
        """Do what the signal would have done."""
        if self.signal == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + self.signal)


class _Domain:
    """One folder of sequences, split and standardised."""

    def __init__(self, folder: str | Path, settings: TrainSettings, seed: int):
        files = sequence_files(folder)
        self.folder = files[0].parent.resolve()
        self.header = common_header(files)
        self.train, self.test = split_by_subject(files, settings.data.held_out, seed)
        self.standard = standardisation(self.train)

    def clips(self, settings: TrainSettings, seed: tuple[int, ...]) -> Clips:
        return Clips(self.train, settings.data.clip, self.standard, seed, settings.data.flip)

    def describe(self) -> dict[str, Any]:
        subjects = {path.name: read_header(path).subject for path in (*self.train, *self.test)}
        train, test = ([path.name for path in files] for files in (self.train, self.test))
        shared = {subjects[name] for name in train} & {subjects[name] for name in test} - {""}
        return {
            "train": train,
            "test": test,
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
        "versions": {
            "myovivo": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "lightning_fabric": lightning_fabric.__version__,
            "numpy": np.__version__,
        },
    }


def fabric_for(settings: TrainSettings, device: str = "auto") -> Fabric:
    """The device and precision to train with.

    Raises
    ------
    InputError : no such device here, or fp16 without a CUDA device.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise InputError(f"device must be auto, cpu or cuda, got {device!r}")
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device cuda was asked for, but torch sees no CUDA device; use cpu or auto")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    precision = precision_for(settings.optimiser.precision, torch.device(device))
    if device == "cpu" and settings.optimiser.precision == "fp16":
        raise InputError("optimiser.precision fp16 needs a CUDA device; on a CPU use bf16 or fp32")
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it announces each precision it is given
    return Fabric(accelerator=device, devices=1, precision=_PRECISION[precision])  # type: ignore[arg-type]


def _step_of(line: str) -> int:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return sys.maxsize  # half a line, written as the process ended


make_callable(__name__, train)
