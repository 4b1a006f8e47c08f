"""One way only: a translator, two judges, and a loss that holds the content; no way back and no cycle.

Ours. A cycle keeps the content by being undone, which takes a second generator, two more discriminators and four
passes more, and a cycle's translator may hide what it needs to go back. Here what must not change is
measured directly: the time course of each pixel, whose correlation before and after may not fall.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from collections.abc import Sequence as Seq
from typing import cast

import torch
from torch import Tensor, nn

from .discriminators import MapDiscriminator, PatchDiscriminator, clip_log_variance
from .local import LocalGenerator, initialise_local, spread_weights
from .losses import content_loss, discriminator_loss, diversity_loss, gradient_penalty, least_squares, relativistic
from .networks import TranslatorNetworks
from .settings import TrainSettings

FINE = 17  # pixels, 5 mm of the preset's, that a log-variance map is averaged over: what is left is texture


class OneSided(TranslatorNetworks):
    """A local generator and its judges: of clips, and (if switched on) of their variance maps.

    Parameters
    ----------
    settings : of generator, discriminators and losses
    seed : of the initial weights
    """

    def __init__(self, settings: TrainSettings, seed: int = 0):
        super().__init__()
        self.settings = settings
        with torch.device("meta"):  # no weights are drawn here, so the global generator stays as it was
            self.silico_to_vivo = LocalGenerator(settings.local)
            self.vivo_judge = PatchDiscriminator(settings.discriminator, 3)
            if settings.discriminator.variance_map:
                self.vivo_map_judge = MapDiscriminator(settings.discriminator)
        self.to_empty(device="cpu")
        rng = torch.Generator().manual_seed(seed)
        initialise_local(self.silico_to_vivo, rng)
        spread_weights(self.judges, rng)

    judged = ("vivo",)  # the domains that translations are shown to judges of
    first_look, last_look = 32, 16  # clips of each domain to begin from, and to settle on whenever weights are written

    @property
    def generators(self) -> nn.ModuleDict:
        """The generator by its direction, as what one optimiser trains."""
        return nn.ModuleDict({"silico_to_vivo": self.silico_to_vivo})

    @property
    def judges(self) -> nn.ModuleList:
        """The discriminators, as what the other optimiser trains."""
        maps = [self.vivo_map_judge] if self.settings.discriminator.variance_map else []
        return nn.ModuleList([self.vivo_judge, *maps])

    def begin(self, silico: Tensor, vivo: Tensor) -> None:
        """Start from what needs no training: how the mean spectra of the domains differ, in clips (N, T, Z, X)."""
        self.silico_to_vivo.match_spectra(silico, vivo, self.silico_to_vivo.added_variance)

    @torch.no_grad()
    def settled(self, generators: nn.ModuleDict, silico: Tensor, vivo: Tensor, seed: int) -> nn.ModuleDict:
        """A copy of (trained) generators whose filter and level are measured anew, on clips (N, 1, T, Z, X).

        Training moves each tap as much as any other weight, and the judges hardly see what that lets through beyond the
        pass band. What comes before the filter does not depend on it, so settling twice is settling once.
        """
        result = copy.deepcopy(generators)
        network = cast(LocalGenerator, result["silico_to_vivo"])
        rngs = [torch.Generator().manual_seed(seed + k) for k in range(len(silico))]
        clips = [
            network.unfiltered(x, network.draw_noise(x, rng)) for x, rng in zip(silico.split(1), rngs, strict=True)
        ]
        unfiltered = torch.cat(clips)[:, 0]  # (N, T, Z, X)
        network.match_spectra(unfiltered, vivo[:, 0])
        network.match_level(unfiltered, vivo[:, 0])
        return result

    def generator_losses(
        self, silico: Tensor, vivo: Tensor, rng: torch.Generator | Seq[torch.Generator]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Translate `silico` and say how far off it is; `vivo` is what it is compared with.

        Parameters and results are those of `CycleGAN.generator_losses`.
        """
        weights, to_vivo = self.settings.loss, self.silico_to_vivo
        as_vivo = to_vivo(silico, to_vivo.draw_noise(silico, rng))
        losses = {f"gan_{name}": self._flattery(judge, vivo, as_vivo) for name, judge in self._judges().items()}
        if weights.content:
            losses["content"] = content_loss(silico, as_vivo, weights.content_enough)
        if weights.diversity:
            losses["diversity"] = self._likeness(silico, as_vivo, rng)
        return losses, {"vivo": as_vivo}

    def judge_losses(self, silico: Tensor, vivo: Tensor, translated: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """How badly the discriminators tell real from (detached, pooled) translated clips, and how steep they are."""
        losses = {
            f"judge_{name}": self._doubt(judge, vivo, translated["vivo"]) for name, judge in self._judges().items()
        }
        if self.settings.loss.steepness and self.settings.discriminator.variance_map:
            with torch.autocast(vivo.device.type, enabled=False):
                maps = [clip_log_variance(clips).detach().requires_grad_() for clips in (vivo, translated["vivo"])]
                penalties = [gradient_penalty(each, self.vivo_map_judge.patches(each)) for each in maps]
            losses["steepness"] = torch.stack(penalties).mean()
        return losses

    def _likeness(self, silico: Tensor, as_vivo: Tensor, rng: torch.Generator | Seq[torch.Generator]) -> Tensor:
        """What a translation has too much in common with one of the same clip through another tissue."""
        with torch.no_grad():  # it is another draw of the same kind: the slope towards either is the same on average
            other = clip_log_variance(self.silico_to_vivo(silico, self.silico_to_vivo.draw_noise(silico, rng)))
        weights = self.settings.loss
        return diversity_loss(clip_log_variance(as_vivo), other, weights.alike, weights.alike_fine, FINE)

    def _judges(self) -> dict[str, PatchDiscriminator | MapDiscriminator]:
        judges: dict[str, PatchDiscriminator | MapDiscriminator] = {"vivo": self.vivo_judge}
        if self.settings.discriminator.variance_map:
            judges["vivo_map"] = self.vivo_map_judge
        return judges

    def _flattery(self, judge: nn.Module, vivo: Tensor, as_vivo: Tensor) -> Tensor:
        scores = judge(as_vivo)
        if self.settings.loss.gan_form == "least-squares":
            return least_squares(scores, 1.0)
        with torch.no_grad():
            real = judge(vivo)
        return relativistic(scores, real)

    def _doubt(self, judge: nn.Module, vivo: Tensor, as_vivo: Tensor) -> Tensor:
        real, translated = judge(vivo), judge(as_vivo)
        if self.settings.loss.gan_form == "least-squares":
            return discriminator_loss(real, translated)
        return relativistic(real, translated) + relativistic(-translated, -real)
