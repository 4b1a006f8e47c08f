"""Commands that read recordings of any format."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import CliPositionalArg

from ..acquisition.settings import AcquireSettings
from ..errors import PartialError
from .domains import print_made
from .options import Configured, Device, Parallel, Printed


class Mapped(Configured):
    """With a file that says what a recording does not."""

    SETTINGS = AcquireSettings
    mapping: Path | None = Field(
        default=None,
        title="FILE",
        description="YAML or JSON file that says where in the recording the frames and parameters are",
    )


class Inspect(Mapped, Printed):
    """Say what is in a recording, where each parameter was found, what is missing and how to give it."""

    ARGUMENTS = "FILE [options]"
    EXAMPLES = (
        "myovivo inspect scan.mat",
        "myovivo inspect scan.mat --mapping verasonics.yaml --scan.pulse_rate 6000",
    )
    ESSENTIAL = ("mapping", "write-mapping", "json", "config", "scan.variable", "scan.content", "scan.axes")
    ESSENTIAL += ("scan.frame_rate", "scan.spacing")
    file: CliPositionalArg[Path] = Field(description="a recording of any format, a sequence, or a folder of them")
    write_mapping: Path | None = Field(
        default=None, title="FILE", description="draft a mapping of what is proposed, to be edited"
    )

    def call(self) -> None:
        """Inspect a file; status 1 if something is missing."""
        from ..acquisition.inspection import inspect

        inspection = inspect(self.file, self.settings(), mapping=self.mapping, write_mapping=self.write_mapping)
        self.print_result(inspection)
        if not inspection.complete:
            raise SystemExit(1)


class Acquire(Parallel, Mapped):
    """Turn recordings into TVI sequences: channel RF or IQ, beamformed IQ, B-mode video or velocity, from MATLAB,
    HDF5, UFF, NPY, NPZ, video or DICOM files, told from their content.
    """

    ARGUMENTS = "SOURCE OUT [options]"
    EXAMPLES = (
        "myovivo acquire scan.mat vivo --scan.frame_rate 2000",
        "myovivo acquire clips vivo --subject 01 --video.pixel 0.0000883 \\\n"
        "    --video.crop '[45, 619, 215, 935]' --conditioning.band '[5, 25]'",
    )
    ESSENTIAL = ("subject", "mapping", "frame-rate", "spacing", "config", "workers", "quiet", "video.pixel")
    ESSENTIAL += ("conditioning.band",)
    source: CliPositionalArg[Path] = Field(description="a recording, or a folder of recordings")
    out: CliPositionalArg[Path] = Field(description="folder for the sequences")
    subject: str | None = Field(
        default=None, title="NAME", description="who was recorded, if all recordings are of one subject"
    )
    frame_rate: float | None = Field(default=None, title="HZ", description="short for --scan.frame_rate")
    spacing: tuple[float, float] | None = Field(default=None, title="DZ DX", description="short for --scan.spacing, m")
    variable: str | None = Field(default=None, title="NAME", description="short for --scan.variable")
    device: Device = Field(default="auto", description="auto, cpu or cuda, for beamforming and velocity")

    def call(self) -> None:
        """Acquire a domain; where some files fail, those that were made are told of as if none had."""
        from ..acquisition.acquire import acquire_domain

        try:
            files = acquire_domain(
                self.source,
                self.out,
                self.settings(),
                mapping=self.mapping,
                subject=self.subject,
                frame_rate=self.frame_rate,
                spacing=self.spacing,
                variable=self.variable,
                device=self.device,
                workers=self.workers,
                quiet=self.quiet,
            )
        except PartialError as error:
            self._tell(error.made)
            raise
        self._tell(files)

    def _tell(self, files: list[Path]) -> None:
        from ..acquisition.inspection import parameter_tables

        if not self.quiet:
            print(parameter_tables(files))
        print_made(files, self.out)
