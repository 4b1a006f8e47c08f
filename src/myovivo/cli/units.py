"""Commands that find motor units in sequences."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import CliPositionalArg

from ..identification.settings import IdentifySettings, LearnSettings
from .domains import print_made
from .options import Configured, Parallel, Printed, Quiet, SeedNumber


class Identify(Parallel, Configured, Printed):
    """Find the motor units that move in sequences: spike trains as BIDS events and openhdemg JSON, and a figure; where
    labels exist, how well they agree.
    """

    ARGUMENTS = "SOURCE OUT [options]"
    EXAMPLES = (
        "myovivo identify translated units --workers 2",
        "myovivo identify vivo units --method joint",
        "myovivo identify vivo/sub-01.h5 units --trains sub-01_emg.mat",
    )
    ESSENTIAL = ("trains", "workers", "config", "quiet", "method", "network", "band", "accept.rate")
    SETTINGS = IdentifySettings
    source: CliPositionalArg[Path] = Field(description="a sequence, or a folder of sequences")
    out: CliPositionalArg[Path] = Field(description="folder for the spike trains and figures")
    trains: Path | None = Field(
        default=None, title="FILE", description="firings of one sequence, as of EMG, whose units are to be mapped"
    )

    def call(self) -> None:
        """Identify in a domain."""
        settings = self.settings()
        from ..identification.folder import identify_domain, summary, summary_data

        files = identify_domain(
            self.source, self.out, settings, trains=self.trains, workers=self.workers, quiet=self.quiet
        )
        if self.as_json:
            self.print_result([summary_data(file) for file in files])
            return
        for file in files:
            print(summary(file))
        print_made(files, self.out)


class TrainIdentifier(Quiet, Configured):
    """Train a network to identify motor units, on sequences with labels."""

    ARGUMENTS = "SOURCE OUT [options]"
    EXAMPLES = (
        "myovivo train-identifier translated identifier --steps 1000",
        "myovivo identify vivo units --method network --network identifier/identifier.safetensors",
    )
    ESSENTIAL = ("seed", "config", "quiet", "steps", "features", "learning_rate")
    SETTINGS = LearnSettings
    source: CliPositionalArg[Path] = Field(description="a folder of sequences with labels")
    out: CliPositionalArg[Path] = Field(description="folder for the weights; the same command again goes on")
    seed: SeedNumber = Field(default=0, title="N", description="of the first weights and the clips")

    def call(self) -> None:
        """Train."""
        settings = self.settings()
        from ..identification.learning import train_identifier
        from ..sequences.header import sequence_files

        print(train_identifier(sequence_files(self.source), self.out, settings, seed=self.seed, quiet=self.quiet))
