"""Settings of the tissue phantom; all ours but for [P]."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ..runtime.settings import Count, Fraction, NotNegative, Positive, Settings
from ..sequences.grid import Grid
from ..sequences.quantities import CentreFrequency, FrameRate, SoundSpeed
from ..simulation.settings import Firing, Territory, Twitch

# ----------------------------------------------------------------------------------- phantom


class Tissue(Settings):
    poisson: Annotated[float, Field(gt=0, lt=0.5)] = Field(
        default=0.49, description="Poisson's ratio, nearly incompressible"
    )
    fascicle: tuple[Positive, Positive] = Field(
        default=(0.0010, 0.0020), description="fascicle size of a subject, uniform, m"
    )
    wall_contrast: Positive = Field(default=3.0, description="stiffness of perimysium over muscle fibres")
    wall_thickness: Positive = Field(default=0.00035, description="thickness scale of a wall, m")
    heterogeneity: NotNegative = Field(default=0.1, description="SD of the slow variation of log stiffness")
    fat: tuple[NotNegative, NotNegative] = Field(
        default=(0.0, 0.020), description="thickness of subcutaneous fat, uniform, m"
    )
    fat_stiffness: Positive = Field(default=0.05, description="stiffness of fat over muscle")
    aponeurosis_stiffness: Positive = Field(default=15.0, description="stiffness of the aponeurosis over muscle")
    bone_probability: Fraction = Field(default=0.2, description="share of subjects with a bone below")
    bone_depth: tuple[Positive, Positive] = Field(
        default=(0.032, 0.045), description="where a bone comes nearest to the skin, uniform, m"
    )
    bone_radius: tuple[Positive, Positive] = Field(default=(0.008, 0.040), description="of its surface, uniform, m")
    gel: NotNegative = Field(default=0.003, description="gel between skin and probe, m; at 0 the skin cannot move")
    gel_stiffness: tuple[Positive, Positive] = Field(
        default=(0.1, 1.0), description="stiffness of the gel over muscle, log-uniform per subject"
    )
    margin: NotNegative = Field(default=0.030, description="tissue computed beside and below the image, m")


class Contraction(Settings):
    eigenstrain: Positive = Field(
        default=0.003,
        description="strain of the cross-section at the peak of a twitch of median amplitude; others in proportion",
    )
    beyond: NotNegative = Field(
        default=0.010, description="units contract beside and below the image too, as far out as this, m"
    )
    drift: NotNegative = Field(default=0.0001, description="RMS velocity of slow drift under 2 Hz, m/s")
    drift_probability: Fraction = Field(default=0.5, description="share of subjects that drift")
    pulsation: NotNegative = Field(default=0.00001, description="peak displacement of an arterial pulse, m")
    pulsation_probability: Fraction = Field(default=0.5, description="share of subjects with an artery in the image")
    heart_rate: tuple[Positive, Positive] = Field(default=(0.9, 1.4), description="uniform, Hz")


class Imaging(Settings):
    frame_rate: FrameRate = Field(default=2000.0, description="plane-wave frames per second, Hz [P]")
    rows: Count = Field(default=256, description="samples in depth of the IQ image")
    columns: Count = Field(default=128, description="lines of the IQ image [P]")
    centre_frequency: CentreFrequency = Field(default=7.5e6, description="f0, Hz")
    sound_speed: SoundSpeed = Field(default=1540.0, description="c, m/s")
    axial_resolution: Positive = Field(default=0.00025, description="SD of the axial point-spread function, m")
    lateral_resolution: Positive = Field(default=0.0006, description="SD of the lateral point-spread function, m")
    lateral_motion: bool = Field(default=True, description="scatterers also move laterally, as the tissue does")
    snr_db: tuple[float, float] = Field(default=(20.0, 50.0), description="SNR at half depth, uniform per subject, dB")
    attenuation: NotNegative = Field(default=300.0, description="loss of signal with depth, dB/m")


class PhantomSettings(Settings):
    """The tissue phantom: elastic, heterogeneous, imaged by a model of plane-wave ultrasound. Ours but for [P].

    Where the defaults differ from the simulator's, and for what the tissue leaves free, they are calibrated: see
    `benchmarks/calibrate_phantom.py`.
    """

    grid: Grid = Grid()
    firing: Firing = Firing(units=(20, 30))
    twitch: Twitch = Twitch(amplitude_spread=0.8, rate_exponent=-0.3, saturation=0.02, discharge_jitter=0.1)
    territory: Territory = Territory(profile="disc")
    tissue: Tissue = Tissue()
    contraction: Contraction = Contraction()
    imaging: Imaging = Imaging()
