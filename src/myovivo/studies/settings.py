"""What a study is made of, validated before the first step."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from ..models.settings import TrainSettings
from ..runtime.settings import Count, Positive, Settings, settings_from
from ..sequences.grid import Grid
from .presets import STUDY_PRESETS

Changes = dict[str, Any]


class Silico(Settings):
    folder: Path | None = Field(default=None, description="simulated sequences of your own; made here if none")
    sequences: Annotated[int, Field(ge=8, le=10**6)] = Field(default=64, description="how many are simulated (ours)")
    settings: Changes = Field(default={}, description="changes of the simulator's settings, by dotted name")


class Vivo(Settings):
    folder: Path | None = Field(
        default=None, description="recorded sequences of your own, as `acquire` makes them; the phantom's if none"
    )
    subjects: Annotated[int, Field(ge=2, le=10**6)] = Field(default=32, description="of the phantom (ours)")
    runs: Count = Field(default=2, description="sequences of each subject (ours)")
    settings: Changes = Field(default={}, description="changes of the phantom's settings, by dotted name")


class Experiments(Settings):
    """What is studied beside the family; each names the model it is done with, or none."""

    simplified: str | None = Field(default=None, description="trained on the simplified simulation [P]")
    slow: str | None = Field(default=None, description="trained on sequences of a lower frame rate [P]")
    slow_frame_rate: Positive = Field(default=256.0, description="that frame rate, Hz [P]")
    slow_settings: Changes = Field(default={}, description="changes of the training at that rate, by dotted name")
    two_sample: tuple[str, ...] = Field(default=(), description="models that a classifier looks at (ours)")
    identification: str | None = Field(
        default=None, description="its translations train identification, against raw silico and phantom (ours)"
    )


class StudySettings(Settings):
    """The paper's whole experiment: data, models, what is done with them."""

    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = STUDY_PRESETS

    seed: Annotated[int, Field(ge=0)] = Field(default=0, description="of everything random")
    grid: Grid = Field(default=Grid(), description="of what is simulated")
    silico: Silico = Silico()
    vivo: Vivo = Vivo()
    resample: bool = Field(
        default=False, description="bring your own recordings to the frame rate and pixels of the simulation"
    )
    held_out: Annotated[float, Field(gt=0, lt=1)] = Field(default=0.25, description="share of subjects tested (ours)")
    models: dict[str, Changes] = Field(
        default={}, description="name: changes of the preset of that name, or of the one that `preset` names"
    )
    shown: str | None = Field(default=None, description="the model whose figures are drawn; the last one if none")
    experiments: Experiments = Experiments()
    learn: Changes = Field(default={}, description="changes of how identification is trained, by dotted name")

    @model_validator(mode="after")
    def _names_are_models(self) -> Self:
        chosen = self.experiments
        asked = (self.shown, chosen.simplified, chosen.slow, chosen.identification, *chosen.two_sample)
        for name in asked:
            if name is not None and name not in self.models:
                raise ValueError(
                    f"{name!r} is none of the models, {', '.join(self.models) or 'of which there are none'}"
                )
        return self

    def training(self, model: str, changes: Changes | None = None) -> TrainSettings:
        """How a model is trained.

        Raises
        ------
        InputError : an unknown preset or setting, or a value that breaks a rule.
        """
        given = dict(self.models[model])
        preset = given.pop("preset", model)
        return settings_from(TrainSettings, preset, **{"data.held_out": self.held_out, **given, **(changes or {})})
