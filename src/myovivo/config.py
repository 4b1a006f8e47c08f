"""Every setting, validated, and the named presets as a table.

Units are SI. Each field's text says whether its default is the paper's ([P]) or ours. Groups nest,
so a setting has a dotted name, the same in YAML, on the command line and in `settings`:
`--firing.rate "[8, 13]"`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from .runtime.settings import Count, Fraction, NotNegative, PassBand, Positive, Settings
from .sequences.grid import Grid


class Firing(Settings):
    units: tuple[Count, Count] = Field(default=(4, 10), description="number of motor units, uniform in low..high [P]")
    rate: tuple[Positive, Positive] = Field(default=(8.0, 13.0), description="firing rate, uniform, Hz [P]")
    ipi_cv: Fraction = Field(default=0.2, description="SD of the inter-pulse interval over its mean [P]")
    shortest_ipi: NotNegative = Field(default=0.020, description="inter-pulse intervals are truncated here, s (ours)")
    synchronisation: Fraction = Field(
        default=0.1, description="share of firings moved onto another unit's nearest firing [P]"
    )
    synchronisation_jitter: NotNegative = Field(
        default=0.0, description="SD of a moved firing around its partner, s (ours)"
    )
    burn_in: NotNegative = Field(default=1.0, description="activity before the first frame, s (ours)")
    measured: Path | None = Field(
        default=None,
        description="file of decomposed spike trains (.mat, openhdemg .json, BIDS events.tsv) that replace the model",
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
    random_sign: bool = Field(default=True, description="half the units move towards the probe, half away (ours)")


class Territory(Settings):
    diameter: tuple[Positive, Positive] = Field(default=(0.0025, 0.010), description="uniform, m [P]")
    profile: Literal["disc", "gauss", "exp-tail", "lorentz"] = Field(
        default="exp-tail", description="weight over radius (ours)"
    )
    tail: Positive = Field(default=0.005, description="decay length of exp-tail, m (ours)")
    shape: Literal["circle", "ellipse", "crescent"] = Field(
        default="circle", description="outline; circle [P], the others ours"
    )


class Noise(Settings):
    snr_db: float | None = Field(default=None, description="signal power over noise power, dB; none by default (ours)")
    band: tuple[NotNegative, Positive] = Field(default=(5.0, 50.0), description="band of the noise, Hz (ours)")


class Simplified(Settings):
    noise: NotNegative = Field(default=0.1, description="SD of the white noise beside unit Dirac pulses [P]")
    sigma_space: NotNegative = Field(default=0.0015, description="SD of the Gaussian low-pass in space, m (ours)")
    sigma_time: NotNegative = Field(default=0.010, description="SD of the Gaussian low-pass in time, s (ours)")


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
    bone: tuple[NotNegative, NotNegative] = Field(
        default=(0.0, 0.0), description="thickness of bone at the bottom, uniform, m"
    )
    margin: NotNegative = Field(default=0.010, description="tissue computed beside the image on either side, m")


class Contraction(Settings):
    eigenstrain: Positive = Field(
        default=0.003,
        description="strain of the cross-section at the peak of a twitch of median amplitude; others in proportion",
    )
    drift: NotNegative = Field(default=0.0, description="RMS velocity of slow drift under 2 Hz, m/s")
    pulsation: NotNegative = Field(default=0.0, description="peak displacement of an arterial pulse, m")
    heart_rate: tuple[Positive, Positive] = Field(default=(0.9, 1.4), description="uniform, Hz")


class Imaging(Settings):
    frame_rate: Positive = Field(default=2000.0, description="plane-wave frames per second, Hz [P]")
    rows: Count = Field(default=256, description="samples in depth of the IQ image")
    columns: Count = Field(default=128, description="lines of the IQ image [P]")
    centre_frequency: Positive = Field(default=7.5e6, description="f0, Hz")
    sound_speed: Positive = Field(default=1540.0, description="c, m/s")
    axial_resolution: Positive = Field(default=0.00025, description="SD of the axial point-spread function, m")
    lateral_resolution: Positive = Field(default=0.0006, description="SD of the lateral point-spread function, m")
    snr_db: tuple[float, float] = Field(default=(10.0, 50.0), description="SNR at half depth, uniform per subject, dB")
    attenuation: NotNegative = Field(default=300.0, description="loss of signal with depth, dB/m")


class PhantomSettings(Settings):
    """The tissue phantom: elastic, heterogeneous, imaged by a model of plane-wave ultrasound. Ours but for [P].

    Where the defaults differ from the simulator's, and for what the tissue leaves free, they are calibrated: see
    `benchmarks/calibrate_phantom.py`.
    """

    grid: Grid = Grid()
    firing: Firing = Firing(units=(20, 30))
    twitch: Twitch = Twitch(amplitude_spread=0.8)
    territory: Territory = Territory(profile="disc")
    tissue: Tissue = Tissue()
    contraction: Contraction = Contraction()
    imaging: Imaging = Imaging()


# ----------------------------------------------------------------------------------- acquire


class Scan(Settings):
    """What a recording says of itself, in words that replace the file's; None takes the file's."""

    variable: str | None = Field(default=None, description="name of the array in a file that holds several")
    content: Literal["rf", "channel_iq", "iq", "bmode", "velocity"] | None = Field(
        default=None, description="what the array is"
    )
    axes: str | None = Field(
        default=None,
        description="its axes in order: words of frame, wave, element, sample for channels, else frame, depth, lateral",
    )
    frame_rate: Positive | None = Field(default=None, description="frames per second, Hz")
    pulse_rate: Positive | None = Field(default=None, description="transmitted waves per second (PRF), Hz")
    sampling_frequency: Positive | None = Field(default=None, description="samples per second of a channel, Hz")
    centre_frequency: Positive | None = Field(default=None, description="of the transmitted pulse, or of the IQ, Hz")
    sound_speed: Positive | None = Field(default=None, description="c, m/s")
    pitch: Positive | None = Field(default=None, description="distance between elements, m")
    angles: tuple[float, ...] | None = Field(default=None, description="steering of the plane waves, rad")
    start_time: float | None = Field(
        default=None, description="first sample after the wave left the middle of the array, s"
    )
    spacing: tuple[Positive, Positive] | None = Field(
        default=None, description="pixel size (dz, dx) of IQ, velocity or B-mode frames, m"
    )
    baseband: bool | None = Field(
        default=None,
        description="no if beamformed IQ still turns with depth at its centre frequency, as MUST's das leaves it",
    )
    sign: Literal[-1, 1] | None = Field(
        default=None, description="-1 if velocity, or the phase of IQ, is positive away from the probe"
    )

    @model_validator(mode="after")
    def _ranges_ascend(self) -> Self:  # (dz, dx) is no range
        return self


class Demodulation(Settings):
    half_band: Positive | None = Field(
        default=None,
        description="band kept on either side of the centre frequency, Hz; if none, half-way to the mirror image, "
        "at most 0.6 of the centre frequency (ours)",
    )
    oversampling: Annotated[float, Field(ge=2)] = Field(
        default=4.0,
        description="IQ samples per Hz of the band; at 4, linear interpolation loses 1 % half-way to its edge (ours)",
    )


class Beamforming(Settings):
    f_number: NotNegative = Field(default=1.5, description="depth over receiving aperture; 0 for all elements (ours)")
    window: Literal["boxcar", "hann", "tukey"] = Field(default="tukey", description="receive apodisation (ours)")
    depth: tuple[NotNegative, Positive] | None = Field(
        default=None, description="from, to, m; all that was recorded if none"
    )
    width: tuple[float, float] | None = Field(
        default=None, description="lateral from, to, from the middle of the array, m; the array if none"
    )
    rows: Count | None = Field(default=None, description="pixels in depth; as fine as the band needs if none")
    columns: Count | None = Field(default=None, description="image lines; one per element, at most 128, if none")


class Velocity(Settings):
    estimator: Literal["loupas", "kasai"] = Field(
        default="loupas", description="2-D or 1-D autocorrelation; loupas [P]"
    )
    axial_window: Positive = Field(default=0.0025, description="axial averaging, m (ours)")
    lateral_window: NotNegative = Field(default=0.0025, description="lateral averaging, m (ours)")
    ensemble_window: NotNegative = Field(default=0.002, description="temporal averaging, s (ours)")
    clutter: Literal["none", "mean"] = Field(
        default="none",
        description="mean: take away the echo that never moves; only where tissue moves by over a wavelength (ours)",
    )


class Conditioning(Settings):
    band: PassBand | None = Field(
        default=(5.0, 50.0), description="pass band, Hz [P]; none leaves the velocity as it is"
    )
    order: Count = Field(default=4, description="order of the Butterworth filter, run forwards and backwards [P]")
    median: NotNegative = Field(default=0.001, description="side of the square median filter, m; 0 for none [P]")


class Video(Settings):
    crop: tuple[int, int, int, int] | None = Field(
        default=None, description="image region z0, z1, x0, x1 in pixels; whole frame if none"
    )
    pixel: Positive | None = Field(default=None, description="pixel size, m; required for video")
    frame_rate: Positive | None = Field(
        default=None, description="frames per second; read from the time stamps if none"
    )
    window: Positive = Field(default=0.003, description="patch of the motion estimate, m (ours)")


class Output(Settings):
    rows: Count = Field(default=128, description="pixels in depth, Z [P]")
    columns: Count = Field(default=128, description="pixels laterally, X [P]")
    frame_rate: Positive | None = Field(
        default=512.0, description="frames per second, Hz [P]; none keeps the recording's, as does a slower recording"
    )
    frames: Count | None = Field(default=None, description="frames kept from the start; all if none")


class AcquireSettings(Settings):
    """From a recording to a TVI sequence: beamforming, velocity, band-pass, median, resampling."""

    scan: Scan = Scan()
    demodulation: Demodulation = Demodulation()
    beamforming: Beamforming = Beamforming()
    velocity: Velocity = Velocity()
    conditioning: Conditioning = Conditioning()
    video: Video = Video()
    output: Output = Output()


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


class LocalGenerator(Settings):
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
        default=2, description="stride in time of the down-sampling layers after the first [P: 2]"
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
        default=0.0, description="weight of silico_to_vivo(vivo) = vivo (printed in the paper)"
    )
    identity_norm: Literal["l1", "l2"] = Field(default="l1", description="l1 as CycleGAN has it; the paper prints l2")
    content: NotNegative = Field(
        default=5.0, description="one-sided: weight of the correlation in time between a pixel before and after (ours)"
    )
    content_enough: Annotated[float, Field(gt=0, le=1)] = Field(
        default=1.0, description="one-sided: correlation beyond which nothing more is asked (ours)"
    )
    steepness: NotNegative = Field(
        default=0.0, description="one-sided: weight of the gradient penalty of the judge of variance maps (ours)"
    )
    discriminator: NotNegative = Field(default=0.5, description="weight of the discriminators' loss [P]")


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


class Validation(Settings):
    """Looking at subjects set apart while training, to choose a checkpoint and to stop; all ours."""

    every: Count | None = Field(default=None, description="steps between validations; none: no validation")
    held_out: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.15, description="share of the training subjects set apart; never those held out for testing"
    )
    sequences: Annotated[int, Field(ge=2)] = Field(default=8, description="at most so many sequences of each domain")
    frames: Annotated[int, Field(ge=16)] = Field(default=256, description="at most so many frames of each")
    patience: Count | None = Field(default=None, description="stop after so many validations without a better one")


# What a preset changes. Read a column down: each row of the paper's family adds one modification.
TRAIN_PRESETS: dict[str, dict[str, Any]] = {
    # Modification 4, the identity loss, is of the three-dimensional models.
    "paper-2d": {
        "generator.dimensions": 2,
        "generator.features": 64,
        "loss.identity_silico": 0.0,
        "data.clip": (1, 128, 128),
    },
    "paper-recycle": {
        "method": "recycle",
        "generator.dimensions": 2,
        "generator.features": 64,
        "loss.identity_silico": 0.0,
        "data.clip": (3, 128, 128),
    },
    "paper-3d": {},
    "paper-3d-stride1": {"generator.temporal_stride": 1},
    "paper-3d-noise": {"generator.temporal_stride": 1, "generator.noise": True},
    # Ours: see docs/explanation/house.
    "house": {
        "method": "one-sided",
        "discriminator.features": 16,
        "discriminator.norm": "group",
        "discriminator.activation": "silu",
        "discriminator.pointwise": True,
        "discriminator.compressed": True,
        "discriminator.variance_map": True,
        "loss.gan_form": "relativistic",
        "loss.steepness": 0.1,
        "loss.content": 2.0,
        "loss.content_enough": 0.97,
        "data.clip": (64, 128, 64),
        "optimiser.learning_rate": 3e-4,
        "optimiser.betas": (0.5, 0.95),
        "optimiser.batch": 1,
        "optimiser.steps": 2500,
        "optimiser.image_pool": 0,
        "optimiser.average": 0.995,
    },
}


class TrainSettings(Settings):
    """A translator and how it is trained: networks, losses, data, optimiser (section Methods of the paper)."""

    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = TRAIN_PRESETS

    method: Literal["cycle", "recycle", "one-sided"] = Field(
        default="cycle",
        description="cycle: CycleGAN; recycle: Recycle-GAN, with predictors of the next frame [P]; one-sided (ours): "
        "no way back, the content is held by correlation",
    )
    generator: Generator = Generator()
    local: LocalGenerator = LocalGenerator()
    discriminator: Discriminator = Discriminator()
    loss: Loss = Loss()
    data: Data = Data()
    optimiser: Optimiser = Optimiser()
    validation: Validation = Validation()

    @property
    def dimensions(self) -> Literal[2, 3]:
        """Of the networks: 2 if they see single frames."""
        return 3 if self.method == "one-sided" else self.generator.dimensions

    @property
    def knows_depth(self) -> bool:
        """Whether the translator is told the depth, so that it fits sequences of its own number of rows only."""
        return self.method == "one-sided"


# ---------------------------------------------------------------------------------- identify


class Wavelet(Settings):
    scale: Positive = Field(default=0.040, description="of the Haar wavelet, s (ours; published: one scale)")
    threshold: float = Field(
        default=0.9, description="SDs of the transform that a spike must exceed (Rohlén et al. 2020)"
    )
    apart: Positive = Field(default=0.050, description="least time between spikes, s (Rohlén et al. 2020)")


class Convolutive(Settings):
    extension: Positive = Field(default=0.030, description="past of a course that is looked at, s (ours)")


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

    method: Literal["fit", "wavelet", "convolutive", "network"] = Field(
        default="fit",
        description="fit (ours), wavelet (Rohlén et al. 2020), convolutive (Rohlén et al. 2023), or a trained network",
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
