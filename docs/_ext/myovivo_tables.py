"""Directives that keep these pages in step with the package and with what has been drawn.

`.. settings:: SimulateSettings` makes the table of a group of settings from its own descriptions.
`.. preset:: house` lists what a training preset changes.
`.. metrics::` tells what each column of the comparison table asks, `.. published::` the paper's values.
`.. drawn:: figures/overview.png` is a figure, or, until it has been drawn, the command that draws it.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.parsers.rst.directives.images import Figure
from sphinx.util.docutils import SphinxDirective

import myovivo
from myovivo.evaluation import columns
from myovivo.runtime.settings import Settings


def rows_of(kind: type[Settings], prefix: str = "") -> list[tuple[str, str, str, str]]:
    """(dotted name, default, whose default it is, description) of every setting of a group."""
    rows = []
    for name, field in kind.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, Settings):
            rows += [row_of(f"{prefix}{name}.{inner}", f, getattr(default, inner)) for inner, f in _fields(default)]
        else:
            rows.append(row_of(f"{prefix}{name}", field, default))
    return rows


def row_of(name: str, field: Any, default: Any) -> tuple[str, str, str, str]:
    """One row: `[P]` in a description says that the default is the paper's, `[P: x]` that the paper has x."""
    text = field.description or ""
    shown = _shown(default)
    marked = re.search(r"\[P(?:: (.+?))?\]", text)
    if marked and (marked[1] is None or marked[1] == shown):
        whose = "paper"
    elif marked:
        whose = f"ours (paper: {marked[1]})"
    else:
        whose = "ours"
    plain = re.sub(r"\s*\((ours)\)|\s*\[P(: .+?)?\]", "", text)
    return name, shown, whose, plain


def _fields(group: Settings) -> Any:
    return type(group).model_fields.items()


def _shown(value: Any) -> str:
    if value is None or value in ({}, ()):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " – ".join(map(_shown, value)) if len(value) == 2 else " × ".join(map(_shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


class SettingsTable(SphinxDirective):
    """A table of a group of settings; `:only:` keeps the groups named."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"only": directives.unchanged, "except": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        kind = getattr(myovivo, self.arguments[0])
        self.env.note_dependency(inspect.getsourcefile(kind))
        kept = self.options.get("only", "").split()
        dropped = self.options.get("except", "").split()
        lines = [".. list-table::", "   :header-rows: 1", "   :class: settings", "   :widths: 26 16 14 44", ""]
        lines += ["   * - setting", "     - default", "     - whose", "     - what it is"]
        for name, default, whose, text in rows_of(kind):
            group = name.split(".")[0]
            if (kept and group not in kept) or group in dropped:
                continue
            lines += [f"   * - ``{name}``", f"     - {default}", f"     - {whose}", f"     - {_escaped(text)}"]
        return self.parse_text_to_nodes("\n".join(lines) + "\n")


class PresetTable(SphinxDirective):
    """What a training preset changes: setting, its value there, the default."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(inspect.getsourcefile(myovivo.TrainSettings))
        defaults = {name: shown for name, shown, _, _ in rows_of(myovivo.TrainSettings)}
        lines = [".. list-table::", "   :header-rows: 1", "   :class: settings", "   :widths: 50 25 25", ""]
        lines += ["   * - setting", f"     - ``{self.arguments[0]}``", "     - default"]
        for name, value in myovivo.TrainSettings.PRESETS[self.arguments[0]].items():
            lines += [f"   * - ``{name}``", f"     - {_shown(value)}", f"     - {defaults[name]}"]
        return self.parse_text_to_nodes("\n".join(lines) + "\n")


class MetricsTable(SphinxDirective):
    """The columns of the comparison table: which way is better, and what each asks."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(inspect.getsourcefile(columns))
        lines = [".. list-table::", "   :header-rows: 1", "   :widths: 18 10 72", ""]
        lines += ["   * - column", "     - better", "     - question"]
        for column in columns.COLUMNS:
            lines += [f"   * - {column.name}", f"     - {column.arrow}", f"     - {_escaped(column.question)}"]
        return self.parse_text_to_nodes("\n".join(lines) + "\n")


class PublishedTable(SphinxDirective):
    """The paper's values of its columns."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(inspect.getsourcefile(columns))
        lines = [".. list-table::", "   :header-rows: 1", "   :class: settings", "", "   * - row"]
        lines += [f"     - {column.head}" for column in columns.PAPERS]
        for row in columns.PUBLISHED:
            lines += [f"   * - {row}", *(f"     - {column.paper(row)}" for column in columns.PAPERS)]
        return self.parse_text_to_nodes("\n".join(lines) + "\n")


def _escaped(text: str) -> str:
    return re.sub(r"([*|_`])", r"\\\1", text)


class Drawn(Figure):
    """A figure that a command draws; where it has not been drawn yet, that command."""

    option_spec: ClassVar[dict[str, Any]] = {**Figure.option_spec, "command": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        command = self.options.pop("command")
        page = Path(self.state.document.current_source)
        if (page.parent / self.arguments[0]).exists():
            return list(super().run())
        text = nodes.paragraph("", "This figure has not been drawn yet: ", nodes.literal("", command))
        return [nodes.note("", text)]


def setup(app: Any) -> dict[str, Any]:
    """Register them."""
    app.add_directive("settings", SettingsTable)
    app.add_directive("preset", PresetTable)
    app.add_directive("metrics", MetricsTable)
    app.add_directive("published", PublishedTable)
    app.add_directive("drawn", Drawn)
    return {"parallel_read_safe": True}
