"""Settings of a translator and of its training; each text says whether its default is the paper's ([P]) or ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ..runtime.settings import Count, Fraction, NotNegative, Positive, Settings
from .presets import TRAIN_PRESETS

# ------------------------------------------------------------------------------------- train


class Generator(Settings):
    RETIRED: ClassVar[Mapping[str, Any]] = {
        "noise_broadcast": True,
        "pad_time": "reflect",
        "pad_space": "reflect",
        "upsampling": "transposed",
    }

    dimensions: Literal[2, 3] = Field(default=3, description="2: frames, 3: clips")
    features: Count = Field(default=32, description="channels after the first convolution; 32 in 3-D, 64 in 2-D [P]")
    blocks: Count = Field(default=6, description="residual blocks [P]")
    temporal_stride: Literal[1, 2] = Field(
        default=2, description="stride in time of the down-samplings; modification 2: 1 [P]"
    )
    noise: bool = Field(
        default=False, description="modification 1: noise after each convolution of the blocks, silico to vivo only [P]"
    )
    tanh: bool = Field(default=True, description="squash what the network computes into (-1, 1) [P]")


class LocalSettings(Settings):
    """The generator of method one-sided, all ours: see docs/explanation/house."""

    RETIRED: ClassVar[Mapping[str, Any]] = {"pad_time": "replicate"}

    features: Count = Field(default=16, description="channels")
    blocks: Annotated[int, Field(ge=0)] = Field(
        default=8, description="residual blocks, each 3 x 3 cells in space and 3 frames in time"
    )
    cell: Literal[1, 2, 4, 8] = Field(default=4, description="side in pixels of the cells that motion is computed in")
    filter: Annotated[int, Field(ge=1)] = Field(
        default=65, description="taps of the symmetric filter in time that comes last, odd"
    )
    window: Annotated[int, Field(ge=1)] = Field(
        default=7, description="side in pixels of the window that is averaged over, odd; about a velocity estimator's"
    )
    subject: Annotated[int, Field(ge=0)] = Field(
        default=4, description="random numbers per sequence that are the same everywhere in it"
    )
    layers: Annotated[int, Field(ge=0)] = Field(
        default=0, description="boundaries per sequence at random depths, as of fat, aponeurosis and bone"
    )

    @model_validator(mode="after")
    def _middles(self) -> Self:
        for name in ("filter", "window"):
            size = getattr(self, name)
            if size % 2 == 0:
                raise ValueError(f"{name} must be odd to have a middle, got {size}; try {size + 1}")
        return self


class Discriminator(Settings):
    RETIRED: ClassVar[Mapping[str, Any]] = {"depth": False}

    features: Count = Field(default=64, description="channels after the first convolution [P]")
    layers: Count = Field(default=3, description="down-sampling layers n of the PatchGAN [P]")
    temporal_stride: Literal[1, 2] = Field(
        default=2, description="stride in time of the down-sampling layers after the first; modification 2: 1 [P]"
    )
    temporal_stride_first: Literal[1, 2] = Field(
        default=2, description="stride in time of the first layer; modification 2: 1 [P]"
    )
    norm: Literal["instance", "group"] = Field(
        default="instance", description="instance [P]; group: over groups of channels, four per layer (ours)"
    )
    activation: Literal["leaky", "silu"] = Field(default="leaky", description="LeakyReLU of 0.2 [P], or SiLU (ours)")
    pointwise: bool = Field(
        default=False,
        description="score each place right after the down-sampling layers, without the two layers of stride 1 (ours)",
    )
    compressed: bool = Field(
        default=False, description="the clip once more as asinh(20 x) / 3, in which weak motion shows (ours)"
    )
    variance_map: bool = Field(
        default=False, description="a 2-D PatchGAN beside it that judges the log-variance map of each clip (ours)"
    )

    @model_validator(mode="after")
    def _groups_fit(self) -> Self:
        if self.norm == "group" and self.features % 2:
            raise ValueError(f"features must be even for four groups, got {self.features}; try {self.features + 1}")
        return self


Norm = Literal["l1", "l2"]  # the mean of |difference|, or of its square


class Loss(Settings):
    # Recycle-GAN's recycle loss takes the place of the cycle losses.
    recycle: NotNegative = Field(
        default=10.0, description="recycle: weight of frames translated, predicted on and translated back, L1 [P]"
    )
    recurrent: NotNegative = Field(
        default=10.0, description="recycle: weight of the third frame predicted from two, L1 [P]"
    )
    gan: NotNegative = Field(default=1.0, description="weight of each GAN loss [P]")
    gan_form: Literal["least-squares", "relativistic"] = Field(
        default="least-squares", description="one-sided: least-squares [P], or relativistic average (ours)"
    )
    cycle_silico: NotNegative = Field(default=10.0, description="weight of silico -> vivo -> silico, L1 [P]")
    cycle_vivo: NotNegative = Field(default=10.0, description="weight of vivo -> silico -> vivo, L1 [P]")
    identity_silico: NotNegative = Field(
        default=5.0, description="weight of vivo_to_silico(silico) = silico; modification 4 [P]"
    )
    identity_vivo: NotNegative = Field(
        default=5.0, description="weight of silico_to_vivo(vivo) = vivo; modification 4 [P]"
    )
    identity_silico_norm: Norm = Field(default="l1", description="of the identity towards silico [P]")
    identity_vivo_norm: Norm = Field(
        default="l2", description="of the identity towards vivo: printed as 2 [P]; l1 in the official code"
    )
    identity_norm: Norm | None = Field(default=None, description="one norm for both identities, where given")
    content: NotNegative = Field(
        default=5.0, description="one-sided: weight of the correlation in time between a pixel before and after (ours)"
    )
    content_enough: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="one-sided: correlation beyond which nothing more is asked (ours)"
    )
    steepness: NotNegative = Field(
        default=0.0, description="one-sided: weight of the gradient penalty of the judge of variance maps (ours)"
    )
    diversity: NotNegative = Field(
        default=0.0,
        description="one-sided: weight of what two tissues drawn for one clip have too much in common (ours)",
    )
    alike: Fraction = Field(
        default=0.68,
        description="one-sided: correlation of two tissues' log-variance maps, averaged over 17 pixels, that is not "
        "too much (ours)",
    )
    alike_fine: Fraction = Field(
        default=0.3, description="one-sided: the same of their texture, what is left of the maps without that (ours)"
    )
    discriminator: NotNegative = Field(default=0.5, description="weight of the discriminators' loss [P]")

    @property
    def identity_norms(self) -> dict[str, Norm]:
        """The norm of the identity towards each domain."""
        own: dict[str, Norm] = {"silico": self.identity_silico_norm, "vivo": self.identity_vivo_norm}
        return own if self.identity_norm is None else dict.fromkeys(own, self.identity_norm)


class Data(Settings):
    clip: tuple[Count, Count, Count] = Field(
        default=(32, 128, 128), description="frames, rows, columns of a training clip [P]"
    )
    flip: bool = Field(default=True, description="mirror half of the clips laterally (the paper: vertical flip)")
    held_out: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.25, description="share of subjects kept for testing (ours)"
    )
    workers: Annotated[int, Field(ge=0)] = Field(default=1, description="background readers")


class Optimiser(Settings):
    RETIRED: ClassVar[Mapping[str, Any]] = {"recall": 0}

    learning_rate: Positive = Field(default=2e-4, description="of Adam, constant [P]")
    judge_learning_rate: Positive | None = Field(
        default=None, description="of the discriminators' Adam; that of the generators if none [P]"
    )
    betas: tuple[Fraction, Fraction] = Field(default=(0.5, 0.999), description="of Adam [P]")
    batch: Count = Field(default=2, description="clips per step [P]")
    epochs: Positive = Field(default=80.0, description="passes over the smaller domain's clips [P]")
    steps: Count | None = Field(default=None, description="stop after so many steps instead")
    accumulate: Count = Field(default=1, description="parts that a batch is taken in, one after the other (ours)")
    image_pool: Annotated[int, Field(ge=0)] = Field(
        default=50,
        description="past translations the discriminators also see, shared out over the places of a batch [P]",
    )
    average: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.0,
        description="translate with a running mean of the generators' weights of this decay; 0: the last (ours)",
    )
    precision: Literal["bf16", "fp32", "fp16"] = Field(
        default="bf16", description="modification 3: mixed precision [P: fp16]"
    )
    checkpoint_minutes: NotNegative = Field(default=5.0, description="time between checkpoints, min")


class ValidationSettings(Settings):
    """Looking at subjects set apart while training, to choose a checkpoint and to stop; all ours."""

    every: Count | None = Field(default=None, description="steps between validations; none: no validation")
    held_out: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.15, description="share of the training subjects set apart; never those held out for testing"
    )
    sequences: Annotated[int, Field(ge=2)] = Field(default=8, description="at most so many sequences of each domain")
    frames: Annotated[int, Field(ge=16)] = Field(default=256, description="at most so many frames of each")
    patience: Count | None = Field(default=None, description="stop after so many validations without a better one")


class TrainSettings(Settings):
    """A translator and how it is trained: networks, losses, data, optimiser (section Methods of the paper)."""

    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = TRAIN_PRESETS

    method: Literal["cycle", "recycle", "one-sided"] = Field(
        default="cycle",
        description="cycle: CycleGAN; recycle: Recycle-GAN, with predictors of the next frame [P]; one-sided (ours): "
        "no way back, the content is held by correlation",
    )
    generator: Generator = Generator()
    local: LocalSettings = LocalSettings()
    discriminator: Discriminator = Discriminator()
    loss: Loss = Loss()
    data: Data = Data()
    optimiser: Optimiser = Optimiser()
    validation: ValidationSettings = ValidationSettings()

    @property
    def dimensions(self) -> Literal[2, 3]:
        """Of the networks: 2 if they see single frames."""
        return 3 if self.method == "one-sided" else self.generator.dimensions

    @property
    def bands_output(self) -> bool:
        """Whether a translation is band-passed as the recordings of its domain are; the paper's are not."""
        return self.method == "one-sided"

    @property
    def knows_depth(self) -> bool:
        """Whether the translator is told the depth, so that it fits sequences of its own number of rows only."""
        return self.method == "one-sided"
