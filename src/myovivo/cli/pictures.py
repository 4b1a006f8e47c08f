"""Commands that show what a file holds."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field
from pydantic_settings import CliPositionalArg

from .options import Command


class Show(Command):
    """Draw a sequence, or the first frame of a recording of ours, as one figure in a file."""

    ARGUMENTS = "FILE [options]"
    EXAMPLES = (
        "myovivo show silico/sub-0_run-01.h5",
        "myovivo show silico/sub-0_run-01.h5 -o figure.pdf --width page",
    )
    ESSENTIAL = ("out", "width")
    SHORT: ClassVar[dict[str, str]] = {"out": "-o"}
    file: CliPositionalArg[Path] = Field(description="a sequence, or a recording of the phantom")
    out: Path | None = Field(
        default=None,
        title="FILE",
        description="the picture, also -o: .png, .pdf, .svg (default: FILE's name, .png)",
    )
    width: str | None = Field(
        default=None,
        title="WIDTH",
        description="for a journal: column (85 mm), middle (120), page (175), or in m",
    )

    def call(self) -> None:
        """Show."""
        from ..reporting.picture import show

        out = self.out or Path(f"{self.file.stem}.png")
        print(f"picture: {show(self.file, out, self.width)}")
