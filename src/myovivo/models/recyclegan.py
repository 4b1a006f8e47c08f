"""Recycle-GAN: a cycle through time, with a predictor of the third frame from two in each domain.

Bansal, Ma, Ramanan, Sheikh (2018), "Recycle-GAN: unsupervised video retargeting", arXiv:1808.05174. Generators,
discriminators and predictors are two-dimensional: time enters through the three frames of a clip alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Seq

import torch
from torch import Tensor, nn

from ..config import TrainSettings
from .discriminators import PatchDiscriminator
from .generators import ResnetGenerator, initialise
from .losses import cycle_loss, discriminator_loss, identity_loss, least_squares

FRAMES = 3


class RecycleGAN(nn.Module):
    """Two generators, two predictors, two discriminators, with the interface of `CycleGAN`.

    The predictors have the ResNet form of the generators, with two frames as channels: the U-Net of seven levels of
    the original code takes images of 128 pixels and multiples only.

    Parameters
    ----------
    settings : of generators, discriminators and losses
    seed : of the initial weights
    """

    def __init__(self, settings: TrainSettings, seed: int = 0):
        super().__init__()
        self.settings = settings
        plain = settings.generator.model_copy(update={"residual": "none"})
        with torch.device("meta"):  # no weights are drawn here, so the global generator stays as it was
            self.silico_to_vivo = ResnetGenerator(settings.generator)
            self.vivo_to_silico = ResnetGenerator(settings.generator, noise=False)
            self.silico_predictor = ResnetGenerator(plain, noise=False, channels=FRAMES - 1)
            self.vivo_predictor = ResnetGenerator(plain, noise=False, channels=FRAMES - 1)
            self.silico_judge = PatchDiscriminator(settings.discriminator, 2)
            self.vivo_judge = PatchDiscriminator(settings.discriminator, 2)
        self.to_empty(device="cpu")
        initialise(self, torch.Generator().manual_seed(seed))

    @property
    def generators(self) -> nn.ModuleDict:
        """Generators and predictors by name, as what one optimiser trains."""
        names = ("silico_to_vivo", "vivo_to_silico", "silico_predictor", "vivo_predictor")
        return nn.ModuleDict({name: getattr(self, name) for name in names})

    @property
    def judges(self) -> nn.ModuleList:
        """Both discriminators, as what the other optimiser trains."""
        return nn.ModuleList([self.silico_judge, self.vivo_judge])

    def generator_losses(
        self, silico: Tensor, vivo: Tensor, rng: torch.Generator | Seq[torch.Generator]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Translate two frames, predict the third where they went, and translate that back.

        Parameters
        ----------
        silico, vivo : (B, 1, 3, Z, X), standardised, unpaired
        rng : of the noise

        Returns
        -------
        losses : the unweighted terms by name. A GAN term is the sum over its three frames, as in the original
            code; terms of weight 0 are left out, and so is their work
        translated : by the domain they are meant for, (B, 1, 4, Z, X): two translated frames, the third predicted from
            them, and the third predicted from the two real ones
        """
        silico_losses, as_vivo, silico_guess = self._one_way("silico", "vivo", silico, rng)
        vivo_losses, as_silico, vivo_guess = self._one_way("vivo", "silico", vivo, rng)
        translated = {"silico": [*as_silico, silico_guess], "vivo": [*as_vivo, vivo_guess]}
        return silico_losses | vivo_losses, {domain: torch.stack(frames, 2) for domain, frames in translated.items()}

    def judge_losses(self, silico: Tensor, vivo: Tensor, translated: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """How badly the discriminators tell real frames from translated and predicted ones (detached, pooled).

        The sum over four comparisons, as in the original code: each translated frame with the real one of its number,
        and both predictions with the real third.
        """
        losses = {}
        for domain, real in (("vivo", vivo), ("silico", silico)):
            judge = getattr(self, f"{domain}_judge")
            on_real = [judge(frame) for frame in real.unbind(2)]
            on_translated = [judge(frame) for frame in translated[domain].unbind(2)]
            pairs = zip([*on_real, on_real[-1]], on_translated, strict=True)
            losses[f"judge_{domain}"] = torch.stack([discriminator_loss(*pair) for pair in pairs]).sum()
        return losses

    def _one_way(
        self, source: str, target: str, clips: Tensor, rng: torch.Generator | Seq[torch.Generator]
    ) -> tuple[dict[str, Tensor], list[Tensor], Tensor]:
        weights, there = self.settings.loss, getattr(self, f"{source}_to_{target}")
        back = getattr(self, f"{target}_to_{source}")
        first, second, third = clips.unbind(2)  # (B, 1, Z, X) each
        noise = there.draw_noise(first, rng)  # one tissue for all frames of a clip
        translated = [there(first, noise), there(second, noise)]
        translated.append(getattr(self, f"{target}_predictor")(torch.cat(translated, 1)))
        judge = getattr(self, f"{target}_judge")
        losses = {f"gan_{target}": torch.stack([least_squares(judge(frame), 1.0) for frame in translated]).sum()}
        if weights.recycle:
            returned = back(translated[-1], back.draw_noise(first, rng))
            losses[f"recycle_{source}"] = cycle_loss(third, returned)
        guess = getattr(self, f"{source}_predictor")(torch.cat([first, second], 1))
        if weights.recurrent:
            losses[f"recurrent_{source}"] = cycle_loss(third, guess)
        if getattr(weights, f"identity_{source}"):
            same = [identity_loss(x, back(x, back.draw_noise(x, rng)), weights.identity_norm) for x in clips.unbind(2)]
            losses[f"identity_{source}"] = torch.stack(same).sum()
        return losses, translated, guess
