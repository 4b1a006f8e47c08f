"""A table of text, written as CSV, LaTeX and HTML."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..runtime.files import write_text
from ..runtime.templates import render
from ..runtime.text_tables import comma_separated
from .sections import TEMPLATES

# What LaTeX would read as commands, and signs that its default fonts lack.
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "×": r"$\times$", "–": "--", "−": "$-$",
    "≈": r"$\approx$", "→": r"$\rightarrow$", "²": r"$^2$", "\u00a0": "~",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A table: what it is called in files, what is said above it, the head and the rows, and the first row of each
    group after the first (a line is drawn above it)."""

    name: str
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    groups: tuple[int, ...] = ()

    def csv(self) -> str:
        """As comma-separated values."""
        return comma_separated([self.head, *self.rows])

    def latex(self) -> str:
        """As a LaTeX table that needs the package booktabs."""
        lines = [_latex_row(self.head), r"\midrule"]
        for number, row in enumerate(self.rows):
            if number in self.groups:
                lines.append(r"\midrule")
            lines.append(_latex_row(row))
        body = "\n".join(lines)
        return (
            "% needs \\usepackage{booktabs}\n\\begin{table}\n\\centering\n"
            f"\\caption{{{_latex(self.caption)}}}\n\\label{{tab:{self.name}}}\n"
            f"\\begin{{tabular}}{{l{'r' * (len(self.head) - 1)}}}\n\\toprule\n{body}\n\\bottomrule\n"
            "\\end{tabular}\n\\end{table}\n"
        )

    def html(self) -> str:
        """As an HTML table within a scrolling block."""
        return render(TEMPLATES / "table.html", table=self)

    def save(self, folder: Path) -> None:
        """Write `NAME.csv` and `NAME.tex` into a folder.

        Raises
        ------
        FileError : they cannot be written.
        """
        write_text(folder / f"{self.name}.csv", self.csv())
        write_text(folder / f"{self.name}.tex", self.latex())


def _latex(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in text)


def _latex_row(cells: Iterable[str]) -> str:
    return " & ".join(_latex(cell) for cell in cells) + r" \\"
