"""Settings of motor-unit identification and of the network that learns it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ..runtime.settings import Count, Fraction, NotNegative, PassBand, Positive, Settings

# ---------------------------------------------------------------------------------- identify


class Wavelet(Settings):
    scale: Positive = Field(default=0.040, description="of the Haar wavelet, s (ours; published: one scale)")
    threshold: float = Field(
        default=0.9, description="SDs of the transform that a spike must exceed (Rohlén et al. 2020)"
    )
    apart: Positive = Field(default=0.050, description="least time between spikes, s (Rohlén et al. 2020)")


class Convolutive(Settings):
    extension: Positive = Field(default=0.030, description="past of a course that is looked at, s (ours)")


class Joint(Settings):
    """Separation of all components together; see `separate_jointly`."""

    components: Count = Field(default=40, description="of the singular value decomposition (ours)")
    leading: tuple[Count, ...] = Field(
        default=(10, 14, 20, 28, 40), description="how many of the strongest are separated together, in turns (ours)"
    )
    region: Positive = Field(default=0.013, description="side of regions looked at by themselves, m (ours)")
    regional: Annotated[int, Field(ge=0)] = Field(
        default=8, description="components of a region; 0 looks at none (ours)"
    )
    twitches: tuple[Positive, ...] = Field(
        default=(0.052, 0.040, 0.068), description="contraction times of usual twitches that are undone, s (ours)"
    )
    misses: Count = Field(default=25, description="starts without a new unit after which a search ends (ours)")
    peelings: Annotated[int, Field(ge=0)] = Field(default=1, description="searches in what known units leave (ours)")
    silhouette: Fraction = Field(
        default=0.95, description="least silhouette, by amplitude, of a spike train (ours; surface EMG: 0.9)"
    )
    ridge: Positive = Field(default=1e-3, description="of a unit's mixture, over the mean power of a component (ours)")


class Acceptance(Settings):
    """What can be a motor unit in a weak contraction; all ours."""

    rate: tuple[Positive, Positive] = Field(default=(4.0, 30.0), description="firing rate, Hz (ours)")
    ipi_cv: Positive = Field(default=0.6, description="largest SD of the inter-pulse intervals over their mean (ours)")
    residual: Positive = Field(
        default=0.4, description="fit: largest share of a course that its twitches leave unexplained (ours)"
    )
    silhouette: Fraction = Field(
        default=0.85, description="convolutive: least silhouette of a spike train (ours; surface EMG: 0.9)"
    )
    same: Fraction = Field(default=0.5, description="rate of agreement from which two trains are one unit (ours)")


class Decoding(Settings):
    """From the field of firings that a network sees to units; all ours."""

    units: Count = Field(default=30, description="most units looked for")
    height: Annotated[float, Field(gt=0)] = Field(
        default=0.3, description="least height of a firing, over the 98th percentile of its unit's train"
    )
    mask_level: Fraction = Field(default=0.5, description="share of a unit's map that bounds its territory")


class IdentifySettings(Settings):
    """How motor units are found in a sequence, and which of what is found is kept."""

    method: Literal["fit", "wavelet", "convolutive", "joint", "network"] = Field(
        default="fit",
        description="fit (ours), wavelet (Rohlén et al. 2020), convolutive (Rohlén et al. 2023), joint (ours), or a "
        "trained network",
    )
    network: Path | None = Field(default=None, description="network: its weights, from `train_identifier`")
    band: PassBand | None = Field(
        default=(5.0, 50.0), description="pass band, Hz; none leaves the velocity as it is (ours; the recordings' band)"
    )
    components: Count | None = Field(
        default=None,
        description="of the singular value decomposition; if none, by their gap, or 99 % of the energy (ours)",
    )
    rounds: Count = Field(default=5, description="fit: turns of firings and maps (ours)")
    mask_level: Fraction = Field(default=0.9, description="share of a map's maximum that bounds a territory (ours)")
    seed: Annotated[int, Field(ge=0)] = Field(default=0, description="of the independent component analysis")
    wavelet: Wavelet = Wavelet()
    convolutive: Convolutive = Convolutive()
    joint: Joint = Joint()
    decoding: Decoding = Decoding()
    accept: Acceptance = Acceptance()

    @model_validator(mode="after")
    def _weights_are_given(self) -> Self:
        if self.method == "network" and self.network is None:
            raise ValueError("method network needs trained weights: set network to a file of train_identifier")
        return self


class LearnSettings(Settings):
    """The network that learns identification, and how it is trained; all ours."""

    features: Count = Field(default=32, description="channels")
    blocks: Count = Field(default=6, description="residual blocks")
    cell: Positive = Field(default=0.0025, description="side of the cells that are told apart, m")
    moment: Positive = Field(default=0.004, description="time between the moments that are told apart, s")
    blur: Positive = Field(default=0.005, description="SD in time of a firing as it is learnt, s")
    band: PassBand | None = Field(default=(5.0, 50.0), description="pass band, Hz; none leaves the velocity as it is")
    clip: Count = Field(default=256, description="frames of a clip; a step learns from one")
    gain: NotNegative = Field(default=0.3, description="SD of the logarithm of a clip's random gain")
    steps: Count = Field(default=800, description="clips learnt from")
    learning_rate: Positive = Field(default=2e-3, description="the largest, of AdamW")
    weight_decay: NotNegative = Field(default=0.01, description="of AdamW")
    precision: Literal["bf16", "fp32"] = Field(default="bf16", description="bf16 where the device has it")
    checkpoint_minutes: NotNegative = Field(default=1.0, description="time between checkpoints, min")
