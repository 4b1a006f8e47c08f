"""Networks and losses of the translators."""

from __future__ import annotations

from ..config import TrainSettings
from .cyclegan import CycleGAN, ImagePool
from .discriminators import PatchDiscriminator
from .generators import ResnetGenerator

__all__ = ["CycleGAN", "ImagePool", "PatchDiscriminator", "ResnetGenerator", "translation_model"]


def translation_model(settings: TrainSettings, seed: int = 0) -> CycleGAN:
    """The networks of `settings.method`, with what they lose.

    Each method has `generators` (by name; those called "silico_to_vivo" and "vivo_to_silico" translate),
    `judges`, `generator_losses` and `judge_losses`; see `CycleGAN`.

    Raises
    ------
    InputError : the clip size does not suit the networks.
    """
    methods = {"cycle": CycleGAN}
    return methods[settings.method](settings, seed)
