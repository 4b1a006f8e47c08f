"""The command of the open benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import CliPositionalArg

from ..errors import InputError
from .domains import print_made
from .options import Flag, Parallel, Printed


class Benchmark(Parallel, Printed):
    """Make the recordings of the open benchmark of identification, or score answers to them."""

    ARGUMENTS = "make|score SET [options]"
    EXAMPLES = (
        "myovivo benchmark make set --only simulated --only phantom-easy",
        "myovivo benchmark score set --answers answers",
    )
    ESSENTIAL = ("only", "matlab", "answers", "csv", "json", "workers", "quiet")
    action: CliPositionalArg[Literal["make", "score"]] = Field(description="make the recordings, or score answers")
    folder: CliPositionalArg[Path] = Field(description="folder of the benchmark")
    only: list[str] = Field(default=[], title="NAME", description="make: what names of recordings start with")
    matlab: Flag = Field(default=False, description="make: write each recording as .mat, too")
    answers: Path | None = Field(default=None, title="DIR", description="score: folder of NAME_events.tsv, NAME_maps")
    csv: Path | None = Field(default=None, title="FILE", description="score: write the table there, too")

    def call(self) -> None:
        """Make or score."""
        if self.action == "make":
            from ..challenges.making import RECORDINGS, make_benchmark

            files = make_benchmark(
                self.folder, only=self.only, matlab=self.matlab, workers=self.workers, quiet=self.quiet
            )
            print_made(files, self.folder / RECORDINGS)
            return
        if self.answers is None:
            raise InputError("score needs the folder with the answers: --answers DIR")
        from ..challenges.scoring import score_benchmark
        from ..runtime.files import write_text

        score = score_benchmark(self.folder, self.answers)
        self.print_result(score)
        if self.csv is not None:
            write_text(self.csv, score.to_csv())
