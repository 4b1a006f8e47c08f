"""Commands that compare translated sequences with recorded and simulated ones."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import CliPositionalArg

from ..errors import InputError
from .options import Compared, Flag, Printed


class Evaluate(Compared, Printed):
    """Compare translated sequences with recorded and simulated ones: the paper's table."""

    ARGUMENTS = "--translated DIR (--run RUN | --vivo DIR [--silico DIR]) [options]"
    EXAMPLES = ("myovivo evaluate --translated translated --run run --csv table.csv",)
    ESSENTIAL = ("translated", "run", "vivo", "silico", "frames", "csv", "json", "workers", "quiet")
    full_range: Flag = Field(default=False, description="also correlate over all lags")
    csv: Path | None = Field(default=None, title="FILE", description="write the table here too")

    def call(self) -> None:
        """Evaluate."""
        vivo, silico = self.references()
        from ..evaluation.evaluate import evaluate

        comparison = evaluate(
            self.translated,
            vivo,
            silico,
            frames=self.frames,
            full_range=self.full_range,
            workers=self.workers,
            quiet=self.quiet,
        )
        self.print_result(comparison)
        if self.csv:
            comparison.to_csv(self.csv)


class Report(Compared):
    """Write one self-contained HTML page with the table and figures, and metrics.json."""

    ARGUMENTS = "OUT --translated DIR (--run RUN | --vivo DIR --silico DIR) [options]"
    EXAMPLES = ("myovivo report report --translated translated --run run",)
    ESSENTIAL = ("translated", "run", "vivo", "silico", "title", "workers", "quiet")
    out: CliPositionalArg[Path] = Field(description="folder for report.html and metrics.json")
    title: str | None = Field(default=None, title="TEXT", description="heading of the page")

    def call(self) -> None:
        """Report."""
        vivo, silico = self.references()
        if silico is None or self.translated is None:
            raise InputError("a report needs --silico and --translated")
        from ..reporting.report import report

        page = report(
            self.out,
            silico,
            self.translated,
            vivo,
            run=self.run,
            frames=self.frames,
            title=self.title,
            workers=self.workers,
            quiet=self.quiet,
        )
        print(f"report: {page}")
