"""The networks of each method, with what they lose."""

from __future__ import annotations

from typing import Any

from .cyclegan import CycleGAN, check_clip
from .onesided import OneSided
from .recyclegan import RecycleGAN
from .settings import TrainSettings

TranslationModel = CycleGAN | RecycleGAN | OneSided


def translation_model(settings: TrainSettings, seed: int = 0) -> TranslationModel:
    """The networks of `settings.method`, with what they lose.

    Each method has `generators` (by name; those called "silico_to_vivo" and "vivo_to_silico" translate),
    `judges`, `generator_losses` and `judge_losses`; see `CycleGAN`.

    Raises
    ------
    InputError : the clip size does not suit the networks.
    """
    check_clip(settings)
    methods: dict[str, Any] = {"cycle": CycleGAN, "recycle": RecycleGAN, "one-sided": OneSided}
    return methods[settings.method](settings, seed)
