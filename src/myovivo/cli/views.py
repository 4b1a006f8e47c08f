"""The command that shows sequences moving."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import CliPositionalArg

from ..runtime.settings import Count
from .options import Flag, Quiet


class View(Quiet):
    """Write a page on which one to four sequences move side by side: play, scrub, pick a pixel or a line, lay maps over
    them, mend found units by hand. It opens in any browser, without a network.
    """

    ARGUMENTS = "FILE... [options]"
    EXAMPLES = (
        "myovivo view silico/a.h5 translated/a.h5 vivo/b.h5 --open",
        "myovivo view vivo/b.h5 --units units/b_events.tsv --from 1 --to 3 --out b.html",
    )
    ESSENTIAL = ("out", "units", "from", "to", "every", "title", "speed", "open", "quiet")
    files: CliPositionalArg[list[Path]] = Field(alias="file", description="sequences: simulated, translated, recorded")
    out: Path = Field(default=Path("view.html"), title="FILE", description="the page; or .gif or .mp4, a clip")
    units: Path | None = Field(
        default=None, title="FILE", description="spike trains found in the first: .tsv, .json, .mat or .txt"
    )
    start: float = Field(default=0.0, alias="from", title="S", description="show from this time on, s")
    stop: float | None = Field(default=None, alias="to", title="S", description="show up to this time, s")
    every: Count = Field(default=1, title="N", description="show one frame in N")
    title: str | None = Field(default=None, title="TEXT", description="heading of the page")
    speed: float = Field(default=1 / 16, gt=0, title="X", description="of a clip, 1 for that of the recording")
    open: Flag = Field(default=False, description="open it in the browser")

    def call(self) -> None:
        """Write the page, and say where."""
        from ..reporting.view import view

        page = view(
            *self.files,
            units=self.units,
            start=self.start,
            stop=self.stop,
            every=self.every,
            title=self.title or "",
            quiet=self.quiet,
        )
        print(f"view: {page.save(self.out, self.speed, self.quiet)}")
        if self.open:
            import webbrowser

            webbrowser.open(self.out.resolve().as_uri())
