"""Settings of the in silico muscle; each text says whether its default is the paper's ([P]) or ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ..runtime.settings import Count, Fraction, NotNegative, Positive, Settings
from ..sequences.grid import Grid
from ..sequences.quantities import FiringRate


class Firing(Settings):
    units: tuple[Count, Count] = Field(default=(4, 10), description="number of motor units, uniform in low..high [P]")
    rate: tuple[FiringRate, FiringRate] = Field(default=(8.0, 13.0), description="firing rate, uniform, Hz [P]")
    ipi_cv: Fraction = Field(default=0.2, description="SD of the inter-pulse interval over its mean [P]")
    shortest_ipi: NotNegative = Field(default=0.020, description="inter-pulse intervals are truncated here, s (ours)")
    synchronisation: Fraction = Field(
        default=0.1, description="share of a unit's firings that coincide with another unit's, partners counted [P]"
    )
    synchronisation_jitter: NotNegative = Field(
        default=0.0, description="SD of a moved firing around its partner, s (ours)"
    )
    burn_in: NotNegative = Field(default=1.0, description="activity before the first frame, s (ours)")
    measured: Path | None = Field(
        default=None,
        description="file of decomposed spike trains (.mat, openhdemg .json, BIDS events.tsv, Delsys .txt) that "
        "replace the model",
    )


class Twitch(Settings):
    contraction_time: tuple[Positive, Positive] = Field(default=(0.040, 0.070), description="Tc, uniform, s (ours)")
    half_relaxation_ratio: tuple[Positive, Positive] = Field(
        default=(1.7, 2.1), description="onset to half relaxation over Tc, uniform (ours)"
    )
    amplitude: NotNegative = Field(default=15e-6, description="median peak displacement, m (ours)")
    amplitude_spread: NotNegative = Field(default=0.5, description="sigma of the log-normal amplitude (ours)")
    delay: NotNegative = Field(default=0.004, description="electromechanical delay, s (ours)")
    discharge_jitter: NotNegative = Field(default=0.0, description="relative SD of the amplitude per discharge (ours)")
    rate_exponent: Annotated[float, Field(ge=-2, le=2)] = Field(
        default=0.0,
        description="amplitude of a discharge goes with its instantaneous rate to this power: under 0 fusion, over 0 "
        "potentiation; 0 is the linear model [P]",
    )
    saturation: NotNegative = Field(
        default=0.0,
        description="amplitude falls as 1 / (1 + saturation n) with n other units active; 0 is the linear model [P]",
    )
    random_sign: bool = Field(default=True, description="half the units move towards the probe, half away (ours)")


class Territory(Settings):
    diameter: tuple[Positive, Positive] = Field(default=(0.0025, 0.010), description="uniform, m [P]")
    profile: Literal["disc", "gauss", "exp-tail", "lorentz"] = Field(
        default="exp-tail", description="weight over radius (ours)"
    )
    tail: Positive = Field(default=0.010, description="decay length of exp-tail, m (ours)")
    shape: Literal["circle", "ellipse", "crescent"] = Field(
        default="circle", description="outline; circle [P], the others ours"
    )


class Noise(Settings):
    snr_db: float | None = Field(default=None, description="signal power over noise power, dB; none by default (ours)")
    band: tuple[NotNegative, Positive] = Field(default=(5.0, 50.0), description="band of the noise, Hz (ours)")


class Simplified(Settings):
    noise: NotNegative = Field(default=0.1, description="SD of the white noise beside unit Dirac pulses [P]")
    sigma_space: NotNegative = Field(default=0.0006, description="SD of the Gaussian low-pass in space, m (ours)")
    sigma_time: NotNegative = Field(default=0.004, description="SD of the Gaussian low-pass in time, s (ours)")


class SimulateSettings(Settings):
    """The in silico muscle (model of Rohlén et al. 2020, IEEE Access 8:50299)."""

    model: Literal["full", "simplified"] = Field(
        default="full", description="twitches in territories, or Dirac pulses in pixels [P]"
    )
    grid: Grid = Grid()
    firing: Firing = Firing()
    twitch: Twitch = Twitch()
    territory: Territory = Territory()
    noise: Noise = Noise()
    simplified: Simplified = Simplified()
