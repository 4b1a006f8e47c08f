"""Recycle-GAN: a cycle through time, with a predictor of the third frame from two in each domain.

Bansal, Ma, Ramanan, Sheikh (2018), "Recycle-GAN: unsupervised video retargeting", arXiv:1808.05174, one of the models
that Ali et al. (2022), BioMed Eng OnLine 21:46, compare. Generators, discriminators and predictors are
two-dimensional: time enters through the three frames of a clip alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Seq

import torch
from torch import Tensor, nn

from .discriminators import PatchDiscriminator
from .generators import ResnetGenerator, initialise
from .losses import cycle_loss, discriminator_loss, identity_loss, least_squares
from .networks import TranslatorNetworks
from .settings import TrainSettings

CLIP_FRAMES = 3  # of a clip: two, and the one that follows
COMPARED = [0, 1, 2, 2]  # the real frame that each of the four translated or predicted frames is judged beside


class RecycleGAN(TranslatorNetworks):
    """Two generators, two predictors, two discriminators, with the interface of `CycleGAN`.

    The predictors have the ResNet form of the generators, with two frames as channels: the U-Net of seven levels of
    the original code takes images of multiples of 128 pixels only. They take no noise.

    Where frames of a clip are judged or compared one by one, a term is the sum over the frames (and the mean over
    clips and pixels), as in the original code; its weight multiplies that sum.

    Parameters
    ----------
    settings : of generators, discriminators and losses; `generator.dimensions` 2
    seed : of the initial weights

    Notes
    -----
    `translation_model` refuses clips that do not fit; this class does not look at `data.clip`.
    """

    def __init__(self, settings: TrainSettings, seed: int = 0):
        super().__init__()
        self.settings = settings
        with torch.device("meta"):  # no weights are drawn here, so the global generator stays as it was
            self.silico_to_vivo = ResnetGenerator(settings.generator)
            self.vivo_to_silico = ResnetGenerator(settings.generator, noise=False)
            self.silico_predictor = ResnetGenerator(settings.generator, noise=False, channels=CLIP_FRAMES - 1)
            self.vivo_predictor = ResnetGenerator(settings.generator, noise=False, channels=CLIP_FRAMES - 1)
            self.silico_judge = PatchDiscriminator(settings.discriminator, 2)
            self.vivo_judge = PatchDiscriminator(settings.discriminator, 2)
        self.to_empty(device="cpu")
        initialise(self, torch.Generator().manual_seed(seed))

    judged = ("silico", "vivo")  # the domains that translations are shown to judges of

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

        With x the frames of a clip, G its generator, P the predictor and D the judge of the other domain, F the way
        back, and y0 = G(x0), y1 = G(x1), y2 = P(y0, y1):

            gan       = mean((D(y0) - 1)²) + mean((D(y1) - 1)²) + mean((D(y2) - 1)²)
            recycle   = mean(|F(y2) - x2|)
            recurrent = mean(|P'(x0, x1) - x2|), P' the predictor of the domain of x
            identity  = sum over the three frames of mean(|F(x) - x|); not in the original code

        Parameters
        ----------
        silico, vivo : (B, 1, 3, Z, X), standardised, unpaired
        rng : of the noise, one or one per clip; the frames of a clip share theirs

        Returns
        -------
        losses : the unweighted terms by name; terms of weight 0 are left out, and so is their work
        translated : by the domain they are meant for, (B, 1, 4, Z, X): two translated frames, the third predicted from
            them, and the third predicted from the two real ones
        """
        silico_losses, as_vivo, silico_guess = self._one_way("silico", "vivo", silico[:, 0], rng)
        vivo_losses, as_silico, vivo_guess = self._one_way("vivo", "silico", vivo[:, 0], rng)
        translated = {
            "silico": torch.cat([as_silico, silico_guess], 1)[:, None],
            "vivo": torch.cat([as_vivo, vivo_guess], 1)[:, None],
        }
        return silico_losses | vivo_losses, translated

    def judge_losses(self, silico: Tensor, vivo: Tensor, translated: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """How badly the discriminators tell real frames from translated and predicted ones.

        The sum over four comparisons, as in the original code: each translated frame with the real one of its number,
        and both predictions with the real third. (There the pool of past images holds single frames, here clips of
        four.)

        Parameters
        ----------
        silico, vivo : (B, 1, 3, Z, X), standardised
        translated : by domain, (B, 1, 4, Z, X), as `generator_losses` returns them, detached and pooled

        Returns
        -------
        dict : the unweighted terms by name, "judge_vivo" and "judge_silico"
        """
        losses = {}
        for domain, real in (("vivo", vivo), ("silico", silico)):
            judge = getattr(self, f"{domain}_judge")
            on_real = _each(judge, real[:, 0])[:, COMPARED]  # (B, 4, z, x)
            on_translated = _each(judge, translated[domain][:, 0])
            losses[f"judge_{domain}"] = len(COMPARED) * discriminator_loss(on_real, on_translated)
        return losses

    def _one_way(
        self, source: str, target: str, frames: Tensor, rng: torch.Generator | Seq[torch.Generator]
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Terms, translation (B, 3, Z, X), and guess (B, 1, Z, X) of the third of `frames` (B, 3, Z, X)."""
        weights = self.settings.loss
        there, back = getattr(self, f"{source}_to_{target}"), getattr(self, f"{target}_to_{source}")
        past, third = frames[:, :-1], frames[:, -1:]
        losses: dict[str, Tensor] = {}
        translated = _each(there, past, there.draw_noise(third, rng))  # (B, 2, Z, X)
        predicted = getattr(self, f"{target}_predictor")(translated)  # (B, 1, Z, X)
        translated = torch.cat([translated, predicted], 1)
        if weights.gan:
            scores = _each(getattr(self, f"{target}_judge"), translated)
            losses[f"gan_{target}"] = CLIP_FRAMES * least_squares(scores, 1.0)
        if weights.recycle:
            losses[f"recycle_{source}"] = cycle_loss(third, back(predicted, back.draw_noise(predicted, rng)))
        guess = getattr(self, f"{source}_predictor")(past)
        if weights.recurrent:
            losses[f"recurrent_{source}"] = cycle_loss(third, guess)
        if getattr(weights, f"identity_{source}"):
            same = _each(back, frames, back.draw_noise(third, rng))
            losses[f"identity_{source}"] = CLIP_FRAMES * identity_loss(frames, same, weights.identity_norms[source])
        return losses, translated, guess


def _each(network: nn.Module, frames: Tensor, noise: Tensor | None = None) -> Tensor:
    """What a network of single frames makes of each of `frames`: (B, T, Z, X) -> (B, T, z, x).

    All at once: every norm is of one sample, so the frames of a batch do not know of each other.
    """
    batch = frames.flatten(0, 1)[:, None]  # (B·T, 1, Z, X)
    made = network(batch) if noise is None else network(batch, noise.repeat_interleave(frames.shape[1], 0))
    return made[:, 0].unflatten(0, frames.shape[:2])
