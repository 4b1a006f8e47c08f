"""CycleGAN: two generators, two discriminators, and what they lose.

Zhu et al. (2017), doi:10.1109/ICCV.2017.244, with the modifications of Ali et al. (2022), BioMed Eng OnLine 21:46.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Seq

import torch
from torch import Tensor, nn

from ..errors import InputError
from . import local
from .discriminators import PatchDiscriminator, smallest, strides
from .generators import ResnetGenerator, clip_stride, initialise
from .losses import cycle_loss, discriminator_loss, identity_loss, least_squares
from .networks import TranslatorNetworks
from .settings import Loss, TrainSettings


class CycleGAN(TranslatorNetworks):
    """The four networks.

    Parameters
    ----------
    settings : of generators, discriminators and losses
    seed : of the initial weights

    Notes
    -----
    `translation_model` refuses clips that do not fit; this class does not look at `data.clip`.
    """

    def __init__(self, settings: TrainSettings, seed: int = 0):
        super().__init__()
        self.settings = settings
        dimensions = settings.generator.dimensions
        with torch.device("meta"):  # no weights are drawn here, so the global generator stays as it was
            self.silico_to_vivo = ResnetGenerator(settings.generator)
            self.vivo_to_silico = ResnetGenerator(settings.generator, noise=False)
            self.silico_judge = PatchDiscriminator(settings.discriminator, dimensions)
            self.vivo_judge = PatchDiscriminator(settings.discriminator, dimensions)
        self.to_empty(device="cpu")
        initialise(self, torch.Generator().manual_seed(seed))

    judged = ("silico", "vivo")  # the domains that translations are shown to judges of

    @property
    def generators(self) -> nn.ModuleDict:
        """Both generators by direction, as what one optimiser trains."""
        return nn.ModuleDict({"silico_to_vivo": self.silico_to_vivo, "vivo_to_silico": self.vivo_to_silico})

    @property
    def judges(self) -> nn.ModuleList:
        """Both discriminators, as what the other optimiser trains."""
        return nn.ModuleList([self.silico_judge, self.vivo_judge])

    def generator_losses(
        self, silico: Tensor, vivo: Tensor, rng: torch.Generator | Seq[torch.Generator]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Translate both ways and back, and say how far off it is.

        Parameters
        ----------
        silico, vivo : (B, 1, T, Z, X), standardised, unpaired; T is 1 for a 2-D model
        rng : of the noise, one or one per clip

        Returns
        -------
        losses : the unweighted terms by name; terms of weight 0 are left out, and so is their work
        translated : by the domain they are meant for, what `judge_losses` compares with the real ones
        """
        weights, norms = self.settings.loss, self.settings.loss.identity_norms
        silico, vivo = self._shaped(silico), self._shaped(vivo)
        to_vivo, to_silico = self.silico_to_vivo, self.vivo_to_silico
        as_vivo = to_vivo(silico, to_vivo.draw_noise(silico, rng))
        as_silico = to_silico(vivo)
        losses = {
            "gan_vivo": least_squares(self.vivo_judge(as_vivo), 1.0),
            "gan_silico": least_squares(self.silico_judge(as_silico), 1.0),
        }
        if weights.cycle_silico:
            losses["cycle_silico"] = cycle_loss(silico, to_silico(as_vivo))
        if weights.cycle_vivo:
            returned = to_vivo(as_silico, to_vivo.draw_noise(as_silico, rng))
            losses["cycle_vivo"] = cycle_loss(vivo, returned)
        if weights.identity_silico:
            losses["identity_silico"] = identity_loss(silico, to_silico(silico), norms["silico"])
        if weights.identity_vivo:
            same = to_vivo(vivo, to_vivo.draw_noise(vivo, rng))
            losses["identity_vivo"] = identity_loss(vivo, same, norms["vivo"])
        return losses, {"silico": as_silico, "vivo": as_vivo}

    def judge_losses(self, silico: Tensor, vivo: Tensor, translated: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """How badly the discriminators tell real from (detached, pooled) translated clips."""
        silico, vivo = self._shaped(silico), self._shaped(vivo)
        as_silico, as_vivo = translated["silico"], translated["vivo"]
        return {
            "judge_vivo": discriminator_loss(self.vivo_judge(vivo), self.vivo_judge(as_vivo)),
            "judge_silico": discriminator_loss(self.silico_judge(silico), self.silico_judge(as_silico)),
        }

    def _shaped(self, clips: Tensor) -> Tensor:
        """Clips as the networks take them: (B, 1, T, Z, X), or single frames (B, 1, Z, X) in two dimensions."""
        return clips.squeeze(2) if self.settings.generator.dimensions == 2 else clips


def weighted_sum(losses: Mapping[str, Tensor], weights: Loss) -> Tensor:
    """Σ weight · loss; all GAN terms share `gan`, all discriminators `discriminator`, both domains a `recycle`…"""
    shared = {
        "gan": weights.gan,
        "judge": weights.discriminator,
        "recycle": weights.recycle,
        "recurrent": weights.recurrent,
    }

    def weight(name: str) -> float:
        return shared[kind] if (kind := name.split("_")[0]) in shared else getattr(weights, name)

    return torch.stack([weight(name) * loss for name, loss in losses.items()]).sum()


def check_clip(settings: TrainSettings) -> None:
    """Refuse a clip size that the networks cannot take, and offer the next one that they can.

    Raises
    ------
    InputError : not a multiple of the generator's stride, too small for the discriminator, not one frame for
        a 2-D CycleGAN or three for Recycle-GAN, or a switch that needs a 3-D or a 2-D model.
    """
    clip, dimensions = settings.data.clip, settings.dimensions
    if settings.method == "recycle":
        if dimensions != 2:
            raise InputError("Recycle-GAN translates single frames; set generator.dimensions to 2")
        if clip[0] != 3:
            raise InputError(f"clip {clip} must have 3 frames for Recycle-GAN; try {(3, *clip[1:])}")
    elif dimensions == 2 and clip[0] != 1:
        raise InputError(f"clip {clip} must have 1 frame for a 2-D generator; try {(1, *clip[1:])}")
    if settings.method != "one-sided" and settings.discriminator.variance_map:
        raise InputError("discriminator.variance_map is of method one-sided; switch it off")
    stride = local.local_stride(settings.local) if settings.method == "one-sided" else clip_stride(settings.generator)
    multiples = (1, *stride)[-3:]
    needed = [smallest(axis) for axis in zip(*strides(settings.discriminator, dimensions), strict=True)]
    least = tuple(needed) if dimensions == 3 else (clip[0], *needed)
    suggestion = tuple(
        -(-max(size, low) // multiple) * multiple for size, low, multiple in zip(clip, least, multiples, strict=True)
    )
    if any(size % multiple for size, multiple in zip(clip, multiples, strict=True)):
        rule = (
            f"{multiples[0]} on every axis" if len(set(multiples)) == 1 else f"{multiples} along frames, rows, columns"
        )
        raise InputError(f"clip {clip} must be divisible by {rule}; try {suggestion}")
    if any(size < low for size, low in zip(clip, least, strict=True)):
        raise InputError(f"clip {clip} must be at least {least} for this discriminator; try {suggestion}")
