"""Commands that make sequences out of nothing: the in silico muscle and the tissue phantom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field
from pydantic_settings import CliPositionalArg

from ..phantoms.settings import PhantomSettings
from ..runtime.settings import Count
from ..runtime.words import counted
from ..simulation.settings import SimulateSettings
from .options import Configured, Flag, Parallel, SeedNumber


class Simulate(Parallel, Configured):
    """Simulate labelled TVI sequences of a contracting muscle (in silico)."""

    ARGUMENTS = "OUT [options]"
    EXAMPLES = ("myovivo simulate silico --sequences 24 --grid.frames 512 --territory.profile gauss",)
    ESSENTIAL = ("sequences", "seed", "workers", "config", "quiet", "grid.frames", "grid.frame_rate")
    ESSENTIAL += ("firing.units", "firing.rate", "territory.profile", "noise.snr_db")
    SETTINGS = SimulateSettings
    out: CliPositionalArg[Path] = Field(description="folder for the sequences")
    sequences: Count = Field(default=16, title="N", description="how many")
    seed: SeedNumber = Field(default=0, title="N", description="same seed, same bytes")

    def call(self) -> None:
        """Simulate a domain."""
        from ..simulation.simulate import simulate_domain

        files = simulate_domain(
            self.out, self.sequences, self.settings(), seed=self.seed, workers=self.workers, quiet=self.quiet
        )
        print_made(files, self.out)


class Phantom(Parallel, Configured):
    """Record contractions of the tissue phantom: a stand-in for in vivo recordings, never in vivo."""

    ARGUMENTS = "OUT [options]"
    EXAMPLES = ("myovivo phantom phantom --subjects 8 --runs 3 --imaging.snr_db '[15, 25]'",)
    ESSENTIAL = ("subjects", "runs", "iq", "seed", "workers", "config", "quiet", "grid.frames", "firing.units")
    ESSENTIAL += ("tissue.fat", "imaging.snr_db")
    SETTINGS = PhantomSettings
    out: CliPositionalArg[Path] = Field(description="folder for the sequences")
    subjects: Count = Field(default=8, title="N", description="tissue realisations")
    runs: Count = Field(default=3, title="N", description="sequences of each subject")
    iq: Flag = Field(default=False, description="write IQ recordings for `acquire` instead; 1 GB per 2 s")
    seed: SeedNumber = Field(default=0, title="N", description="same seed, same bytes")

    def call(self) -> None:
        """Record a domain."""
        from ..phantoms.phantom import phantom_domain

        files = phantom_domain(
            self.out,
            self.subjects,
            self.runs,
            self.settings(),
            iq=self.iq,
            seed=self.seed,
            workers=self.workers,
            quiet=self.quiet,
        )
        print_made(files, self.out, "recording" if self.iq else "sequence")


def print_made(files: Sequence[Path], out: Path, noun: str = "sequence") -> None:
    """Say what a folder now holds."""
    print(f"{counted(len(files), noun)} in {out}")
