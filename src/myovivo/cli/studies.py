"""Commands that go the whole way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import CliPositionalArg

from ..runtime.settings import Count
from ..studies.presets import STUDY_PRESETS
from ..studies.settings import StudySettings
from .options import Device, Flag, Quiet, SeedNumber


class Study(Quiet):
    """The paper's whole experiment: make or take the data, train every model, translate, compare, draw its tables and
    figures. Run again, only what is missing or changed is done.
    """

    ARGUMENTS = "CONFIG OUT [options]"
    EXAMPLES = (
        "myovivo study small study",
        "myovivo study paper study --device cuda",
        "myovivo study small mine --vivo.folder recordings --experiments.identification none",
    )
    ESSENTIAL = ("jobs", "device", "print-settings", "quiet", "silico.sequences", "vivo.folder", "held_out")
    SETTINGS = StudySettings
    config: CliPositionalArg[str] = Field(
        examples=list(STUDY_PRESETS), description=f"one of {', '.join(STUDY_PRESETS)}; or a YAML file of settings"
    )
    out: CliPositionalArg[Path] = Field(description="folder for everything it makes")
    jobs: Count | None = Field(
        default=None, title="N", description="steps at a time (default: one per core, at most 4)"
    )
    device: Device = Field(default="auto", description="auto, cpu or cuda")
    scheduler: str | None = Field(
        default=None, title="ADDRESS", description="of a dask cluster that makes the data and compares"
    )
    print_settings: Flag = Field(default=False, description="print the settings as YAML and stop")

    def settings(self) -> Any:
        """The preset or file with the changes."""
        from ..studies.study import study_settings

        return study_settings(self.config, **self.changes)

    def call(self) -> None:
        """Carry out the study."""
        from ..studies.study import study

        page = study(
            self.settings(),
            self.out,
            jobs=self.jobs,
            device=self.device,
            scheduler=self.scheduler,
            quiet=self.quiet,
        )
        print((page.parent / "table1.csv").read_text(encoding="utf-8"), end="")
        print(f"\nstudy: {page}")


class Demo(Quiet):
    """The whole way once, in minutes: simulate, record, translate, evaluate, report."""

    ARGUMENTS = "OUT [options]"
    EXAMPLES = ("myovivo demo demo", "myovivo demo demo-video --vivo clips")
    ESSENTIAL = ("vivo", "seed", "quiet")
    out: CliPositionalArg[Path] = Field(description="folder for everything it makes")
    vivo: Path | None = Field(default=None, title="PATH", description="recordings to use instead of the phantom")
    seed: SeedNumber = Field(default=0, title="N", description="of everything random")

    def call(self) -> None:
        """Go the whole way."""
        from ..studies.demo import demo

        demo(self.out, self.vivo, seed=self.seed, quiet=self.quiet)
