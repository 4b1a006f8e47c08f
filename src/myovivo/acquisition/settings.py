"""Settings of the way from a recording to a TVI sequence; texts say whether a default is the paper's ([P]) or ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ..runtime.settings import Count, NotNegative, PassBand, Positive, Settings

# ----------------------------------------------------------------------------------- acquire


class Scan(Settings):
    """What a recording says of itself, in words that replace the file's; None takes the file's."""

    variable: str | None = Field(default=None, description="name of the array in a file that holds several")
    buffer: Count | None = Field(
        default=None, description="receive buffer of a Verasonics file that has several, from 1"
    )
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

    unit: Literal["m/s", "cm/s", "mm/s"] | None = Field(
        default=None, description="of an array of velocity; m/s if none"
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

    role: Literal["vivo", "silico"] = Field(
        default="vivo",
        description="silico: velocity of your own simulator, neither band-passed nor smoothed unless that is set",
    )
    scan: Scan = Scan()
    demodulation: Demodulation = Demodulation()
    beamforming: Beamforming = Beamforming()
    velocity: Velocity = Velocity()
    conditioning: Conditioning = Conditioning()
    video: Video = Video()
    output: Output = Output()

    @classmethod
    def defaults(cls, given: Mapping[str, Any]) -> Self:
        """Those of a recording, or of somebody's simulation."""
        if given.get("role") == "silico":
            return cls(role="silico", conditioning=Conditioning(band=None, median=0.0))
        return cls()
