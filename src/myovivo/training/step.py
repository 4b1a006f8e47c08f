"""The state of a training and a step of it."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from ..errors import CheckpointError, MyovivoError
from ..models.cyclegan import weighted_sum
from ..models.method import translation_model
from ..models.pools import ImagePool
from ..models.settings import TrainSettings
from ..runs.folder import CHECKPOINT
from ..runs.weights import WEIGHTS, Weights, write_weights
from ..runtime.recipe import as_now, difference, plain_recipe
from ..runtime.tensors import fill, fill_optimiser, optimiser_tensors, prefixed, read_tensors, under, write_tensors
from ..sequences.header import Header
from ..sequences.scale import DomainScale
from ..sequences.traits import DomainTraits
from .processes import average_gradients, gathered, mean_over_processes, prepare_gpu
from .watch import LossWatch

DIRECTIONS = ("silico_to_vivo", "vivo_to_silico")


class DivergedError(MyovivoError):
    """A loss or a weight stopped being a finite number."""


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
        standards: dict[str, DomainScale],
        fabric: Fabric,
        compile: bool = False,
    ):
        self.run, self.settings, self.seed, self.fabric = run, settings, seed, fabric
        self.header, self.standards = header, standards
        self.traits: Mapping[str, DomainTraits] = {}  # of the domains, for those who translate
        self.step = 0
        self._unread: list[Tensor] = []  # losses of steps that nobody looked at yet
        self.look: tuple[Tensor, ...] = ()  # clips of each domain that a model settles on, if it does
        self.model = translation_model(settings, seed)
        fabric.to_device(self.model)
        if fabric.device.type == "cuda":
            prepare_gpu(self.model)
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
        self.watch = LossWatch()

    def _adam(self, networks: nn.Module, rate: float) -> torch.optim.Optimizer:
        adam = torch.optim.Adam(networks.parameters(), rate, self.settings.optimiser.betas)
        return self.fabric.setup_optimizers(adam)  # type: ignore[return-value]  # its wrapper acts as the optimiser

    def advance(self, silico: Tensor, vivo: Tensor, read: bool = True) -> dict[str, float]:
        """One step on this process's share of a batch, (B, 1, T, Z, X): generators first, then discriminators.

        With `optimiser.accumulate` the share is taken in so many parts, whose gradients add up to the same.

        Parameters
        ----------
        silico, vivo : the clips
        read : look at the losses of this step and of those since the last look, which waits for the device

        Returns
        -------
        dict : the losses by name; empty if they are not read

        Raises
        ------
        DivergedError : a loss is not finite, or far beyond what it was for many steps.
        """
        model, weights, parts = self.model, self.settings.loss, self.settings.optimiser.accumulate
        silico, vivo = self.fabric.to_device(silico), self.fabric.to_device(vivo)
        seeds = [np.random.SeedSequence((self.seed, self.step, position)) for position in self.positions]
        noise = [_generator(seed, silico.device) for seed in seeds]
        pairs = list(zip(silico.chunk(parts), vivo.chunk(parts), strict=True))
        size = len(silico) // parts

        # Generators
        model.judges.requires_grad_(False)  # they judge the generators here, and learn nothing
        self.generator_optimiser.zero_grad()
        mean_losses: dict[str, Tensor] = {}
        made: list[dict[str, Tensor]] = []
        for k, pair in enumerate(pairs):
            with self.fabric.autocast():
                losses, translated = model.generator_losses(*pair, noise[k * size : (k + 1) * size])
                total = weighted_sum(losses, weights) / parts
            self.fabric.backward(total)
            made.append({domain: clips.detach() for domain, clips in translated.items()})
            _add(mean_losses, losses, parts)
        average_gradients(self.fabric, model.generators.parameters())
        self.generator_optimiser.step()
        self._average()

        # Discriminators, which are shown past translations too
        chances = [np.random.default_rng(seed) for seed in seeds]
        model.judges.requires_grad_(True)
        self.judge_optimiser.zero_grad()
        for k, (pair, translated) in enumerate(zip(pairs, made, strict=True)):
            shown = self._shown(translated, k * size, chances)
            with self.fabric.autocast():
                losses = model.judge_losses(*pair, shown)
                total = weighted_sum(losses, weights) / parts
            self.fabric.backward(total)
            _add(mean_losses, losses, parts)
        average_gradients(self.fabric, model.judges.parameters())
        self.judge_optimiser.step()

        # Means over parts and processes stay where they are until they are looked at
        self._unread.append(mean_over_processes(self.fabric, torch.stack(list(mean_losses.values()))))
        self.step += 1
        return self._losses(list(mean_losses)) if read else {}

    def _losses(self, names: list[str]) -> dict[str, float]:
        """The losses of the last step, once those of all steps that nobody looked at yet are found sane."""
        unread, self._unread = self._unread, []
        losses: dict[str, float] = {}
        for number, values in enumerate(torch.stack(unread).tolist(), self.step - len(unread) + 1):
            losses = dict(zip(names, values, strict=True))
            for name, value in losses.items():
                self._require_sane(math.isfinite(value), f"the loss {name} is {value}", number)
            astray = self.watch.astray(losses)
            too_long = f"the loss {astray} has been 100 times its median for {LossWatch.PATIENCE} steps"
            self._require_sane(astray is None, too_long, number)
        return losses

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
        if self.look:
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
            self.traits,
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
        here, there = plain_recipe(self.settings), as_now(about.get("settings", {}), self.settings)
        for group in ("generator", "discriminator"):
            if there.get(group) != here[group]:
                first = difference(there.get(group, {}), here[group], f"{group}.")
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

    def _require_sane(self, fine: bool, what: str, step: int | None = None) -> None:
        if not fine:
            kept = (
                "the last good checkpoint is kept"
                if (self.run / CHECKPOINT).exists()
                else "no checkpoint was written yet"
            )
            remedy = "lower optimiser.learning_rate, raise optimiser.batch or set optimiser.precision to fp32"
            raise DivergedError(f"{self.run}: training diverged at step {step or self.step}: {what}; {kept}; {remedy}")


def _generator(seed: np.random.SeedSequence, device: torch.device) -> torch.Generator:
    """Random numbers where they are used: on a GPU they are others than on a CPU, and nothing has to be moved."""
    return torch.Generator(device).manual_seed(int(seed.generate_state(1, np.uint64)[0]))


def _add(mean_losses: dict[str, Tensor], losses: Mapping[str, Tensor], parts: int) -> None:
    """Add the losses of one part of a batch to their means over all parts."""
    for name, loss in losses.items():
        mean_losses[name] = mean_losses.get(name, torch.zeros((), device=loss.device)) + loss.detach() / parts
