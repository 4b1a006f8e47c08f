"""Training: batch, generators, discriminators, log, save."""

from __future__ import annotations

import copy
import math
import platform
import signal
import statistics
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import lightning_fabric
import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from ._callable import make_callable
from .checkpoint import CHECKPOINT, WEIGHTS, Weights, claim_run, write_weights
from .dataset import Clips, read_ahead
from .errors import CheckpointError, InputError, MyovivoError, RunFolderError
from .journal import Journal
from .models.cyclegan import check_clip, weighted_sum
from .models.method import translation_model
from .models.onesided import OneSided
from .models.pools import ImagePool
from .models.presets import TRAIN_PRESETS
from .models.settings import TrainSettings
from .processes import any_process, average_gradients, fabric_for, gathered, mean_over_processes
from .runtime.device import precision_for
from .runtime.progress import Bar, console
from .runtime.recipe import difference
from .runtime.settings import settings_from
from .runtime.tensors import fill, fill_optimiser, optimiser_tensors, prefixed, read_tensors, under, write_tensors
from .sequences.header import Header, common_header, read_header, require_same_scale, sequence_files
from .sequences.scale import Standardisation, standardisation
from .sequences.split import split_by_subject
from .validation import Validation
from .version import __version__

LOG_EVERY = 10  # steps
FIRST_LOOK = 32  # clips of each domain that a one-sided translator starts from
LAST_LOOK = 16  # clips of each domain that its filter is measured on, whenever weights are written
DIRECTIONS = ("silico_to_vivo", "vivo_to_silico")


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


class Training:
    """The state of a training: networks, optimisers, pools of clips, and how many steps they have seen.

    Randomness has no state: each clip of each step seeds anew from (seed, step, place in the batch), so that neither
    an interruption nor the number of processes that share a batch changes what is drawn.
    """

    def __init__(
        self,
        run: Path,
        settings: TrainSettings,
        seed: int,
        header: Header,
        standards: dict[str, Standardisation],
        fabric: Fabric,
        compile: bool = False,
    ):
        self.run, self.settings, self.seed, self.fabric = run, settings, seed, fabric
        self.header, self.standards = header, standards
        self.step = 0
        self.look: tuple[Tensor, ...] = ()  # clips of each domain to settle a one-sided translator on
        self.model = translation_model(settings, seed)
        fabric.to_device(self.model)
        if compile:
            for network in self.model.children():
                network.compile()  # in place, so that the names of the weights stay
        share = settings.optimiser.batch // fabric.world_size
        self.positions = range(fabric.global_rank * share, (fabric.global_rank + 1) * share)
        self.averaged = copy.deepcopy(self.model.generators) if settings.optimiser.average else None
        options = settings.optimiser
        self.generator_optimiser = self._adam(self.model.generators, options.learning_rate)
        self.judge_optimiser = self._adam(self.model.judges, options.judge_learning_rate or options.learning_rate)
        # A pool per place in the batch, so that processes need not exchange clips.
        size = -(-settings.optimiser.image_pool // settings.optimiser.batch)
        self.pools = {domain: [ImagePool(size) for _ in self.positions] for domain in self.model.judged}
        self.watch = Watch()

    def _adam(self, networks: nn.Module, rate: float) -> torch.optim.Optimizer:
        adam = torch.optim.Adam(networks.parameters(), rate, self.settings.optimiser.betas)
        return self.fabric.setup_optimizers(adam)  # type: ignore[return-value]  # its wrapper acts as the optimiser

    def advance(self, silico: Tensor, vivo: Tensor) -> dict[str, float]:
        """One step on this process's share of a batch, (B, 1, T, Z, X): generators first, then discriminators.

        With `optimiser.accumulate` the share is taken in so many parts, whose gradients add up to the same.

        Raises
        ------
        DivergedError : a loss is not finite, or far beyond what it was for many steps.
        """
        model, weights, parts = self.model, self.settings.loss, self.settings.optimiser.accumulate
        silico, vivo = self.fabric.to_device(silico), self.fabric.to_device(vivo)
        seeds = [np.random.SeedSequence((self.seed, self.step, position)) for position in self.positions]
        noise = [torch.Generator().manual_seed(int(seed.generate_state(1, np.uint64)[0])) for seed in seeds]
        pairs = list(zip(silico.chunk(parts), vivo.chunk(parts), strict=True))
        size = len(silico) // parts

        model.judges.requires_grad_(False)  # they judge the generators here, and learn nothing
        self.generator_optimiser.zero_grad()
        found: dict[str, Tensor] = {}
        made: list[dict[str, Tensor]] = []
        for k, pair in enumerate(pairs):
            with self.fabric.autocast():
                losses, translated = model.generator_losses(*pair, noise[k * size : (k + 1) * size])
                total = weighted_sum(losses, weights) / parts
            self.fabric.backward(total)
            made.append({domain: clips.detach() for domain, clips in translated.items()})
            _add(found, losses, parts)
        average_gradients(self.fabric, model.generators.parameters())
        self.generator_optimiser.step()
        self._average()

        chances = [np.random.default_rng(seed) for seed in seeds]
        model.judges.requires_grad_(True)
        self.judge_optimiser.zero_grad()
        for k, (pair, translated) in enumerate(zip(pairs, made, strict=True)):
            shown = self._shown(translated, k * size, chances)
            with self.fabric.autocast():
                losses = model.judge_losses(*pair, shown)
                total = weighted_sum(losses, weights) / parts
            self.fabric.backward(total)
            _add(found, losses, parts)
        average_gradients(self.fabric, model.judges.parameters())
        self.judge_optimiser.step()

        values = mean_over_processes(self.fabric, torch.stack(list(found.values()))).tolist()
        losses_by_name = dict(zip(found, values, strict=True))
        self.step += 1
        for name, value in losses_by_name.items():
            self._require_sane(math.isfinite(value), f"the loss {name} is {value}")
        astray = self.watch.astray(losses_by_name)
        self._require_sane(
            astray is None, f"the loss {astray} has been 100 times its median for {Watch.PATIENCE} steps"
        )
        return losses_by_name

    def _shown(
        self, translated: dict[str, Tensor], start: int, chances: list[np.random.Generator]
    ) -> dict[str, Tensor]:
        """The translated clips that the discriminators see, by domain: new ones, or past ones in their place."""
        shown: dict[str, Tensor] = {}
        for domain, clips in translated.items():
            places = zip(self.pools[domain][start:], clips.split(1), chances[start:], strict=False)
            shown[domain] = torch.cat([pool.exchange(clip, chance) for pool, clip, chance in places])
        return shown

    @torch.no_grad()
    def _average(self) -> None:
        """mean <- decay · mean + (1 - decay) · weight, with less decay in the first steps."""
        if self.averaged is None:
            return
        decay = min(self.settings.optimiser.average, (1 + self.step) / (10 + self.step))
        for mean, weight in zip(self.averaged.parameters(), self.model.generators.parameters(), strict=True):
            mean.lerp_(weight, 1 - decay)

    def save(self) -> None:
        """Write `checkpoint.safetensors` and `weights.safetensors`, each whole or not at all.

        Raises
        ------
        DivergedError : a weight is not finite; nothing is written.
        FileError : the disk is full or the folder cannot be written.
        """
        finite = all(bool(torch.isfinite(parameter).all()) for parameter in self.model.parameters())
        self._require_sane(finite, "a weight is not finite")
        tensors = prefixed("model", self.model.state_dict())
        if self.averaged is not None:
            tensors |= prefixed("averaged", self.averaged.state_dict())
        tensors |= prefixed("generator_optimiser", optimiser_tensors(self.generator_optimiser))
        tensors |= prefixed("judge_optimiser", optimiser_tensors(self.judge_optimiser))
        for domain, pools in self.pools.items():
            if pools[0].clips:  # all places have seen as many clips
                held = gathered(self.fabric, torch.stack([torch.stack(pool.clips) for pool in pools]))
                tensors[f"pool/{domain}"] = held  # (batch, clips, 1, T, Z, X)
        if self.fabric.global_rank != 0:
            return
        settings = self.settings.model_dump(mode="json")
        about = {"settings": settings, "seed": self.seed, "step": self.step}
        scaler = self.fabric.strategy.precision.state_dict()  # of fp16's gradient scaler; empty otherwise
        write_tensors(self.run / CHECKPOINT, "checkpoint", tensors, {**about, "scaler": scaler})

        write_weights(self.run / WEIGHTS, self.weights())

    def weights(self) -> Weights:
        """What translates at this step: the generators, or their running mean, with what they were trained on.

        A one-sided translator's filter is measured anew for it; the training itself goes on with its own.
        """
        best = self.model.generators if self.averaged is None else self.averaged
        if self.look and isinstance(self.model, OneSided):
            silico, vivo = (self.fabric.to_device(clips) for clips in self.look)
            with self.fabric.autocast():
                best = self.model.settled(best, silico, vivo, self.seed)
        generators: dict[str, Tensor] = {}
        for name, network in best.items():
            if name in DIRECTIONS:
                generators |= prefixed(name, {key: value.detach().cpu() for key, value in network.state_dict().items()})
        header = self.header
        return Weights(
            self.settings,
            self.standards,
            header.frame_rate,
            header.spacing,
            self.step,
            self.seed,
            generators,
            self.run / WEIGHTS,
            "",
        )

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
        for domain, pools in self.pools.items():
            if f"pool/{domain}" in tensors:
                for pool, position in zip(pools, self.positions, strict=True):
                    pool.clips = list(self.fabric.to_device(tensors[f"pool/{domain}"][position]))
        self.fabric.strategy.precision.load_state_dict(about["scaler"])
        self.step = int(about["step"])

    def _require_sane(self, fine: bool, what: str) -> None:
        if not fine:
            kept = (
                "the last good checkpoint is kept"
                if (self.run / CHECKPOINT).exists()
                else "no checkpoint was written yet"
            )
            remedy = "lower optimiser.learning_rate, raise optimiser.batch or set optimiser.precision to fp32"
            raise DivergedError(f"{self.run}: training diverged at step {self.step}: {what}; {kept}; {remedy}")


class Watch:
    """Notices losses that are finite and yet gone astray: beyond `FACTOR` times their median for `PATIENCE` steps."""

    FACTOR, PATIENCE, WARM_UP, MEMORY = 100.0, 20, 200, 200

    def __init__(self) -> None:
        self._past: dict[str, deque[float]] = {}
        self._high: dict[str, int] = {}

    def astray(self, losses: Mapping[str, float]) -> str | None:
        """The name of a loss that is, once `losses` is seen; a loss that is high does not move its own median."""
        for name, value in losses.items():
            past = self._past.setdefault(name, deque(maxlen=self.MEMORY))
            # A loss near zero, such as that of a judge that is rarely wrong, may well grow a hundredfold.
            limit = self.FACTOR * max(statistics.median(past), 0.1) if len(past) >= self.WARM_UP else math.inf
            high = value > limit
            self._high[name] = self._high.get(name, 0) + 1 if high else 0
            if not high:
                past.append(value)
            if self._high[name] >= self.PATIENCE:
                return name
        return None


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
        """Do what the signal would have done; nothing where it reached another process only."""
        if not self.signal:
            return
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


def _add(found: dict[str, Tensor], losses: Mapping[str, Tensor], parts: int) -> None:
    """Add the losses of one part of a batch to their means over all parts."""
    for name, loss in losses.items():
        found[name] = found.get(name, torch.zeros((), device=loss.device)) + loss.detach() / parts


make_callable(__name__, train)
