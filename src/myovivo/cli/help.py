"""The help of a command: what people use, on one screen; and all of it."""

from __future__ import annotations

import textwrap
import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_settings import CliPositionalArg

from .options import Command
from .values import options_of, show_value

HELP_WIDTH = 100

_INDENT = 30  # where the texts begin

_POSITIONAL = get_args(CliPositionalArg[str])[1]  # what marks an argument without a name


def short_help(name: str, kind: type[Command]) -> str:
    """What `myovivo COMMAND --help` prints: the options and settings that people use, and examples."""
    rows = {_key(row): row for row in (*_own_rows(kind), *(row for _, some in _setting_rows(kind) for row in some))}
    required = {str(field.alias) for field in kind.model_fields.values() if field.is_required()}
    shown = [rows[key] for key in rows if key in required] + [rows[key] for key in kind.ESSENTIAL]
    rest = "settings" if kind.SETTINGS else "options"
    return "\n".join([*_head(name, kind), *map(_row, shown), "", *_examples(kind), "", f"all {rest}: --help-all"])


def full_help(name: str, kind: type[Command]) -> str:
    """What `myovivo COMMAND --help-all` prints: every option, and every setting in its group."""
    lines = [*_head(name, kind), *map(_row, _own_rows(kind))]
    lines += [_row(("-h, --help", "the options people use")), _row(("--help-all", "every option and setting"))]
    if kind.SETTINGS:
        lines += [
            "",
            "settings: SI units; a range is given as '[low, high]', nothing as none; [P] marks the paper's values",
        ]
    for group, rows in _setting_rows(kind):
        lines += ["", f"{group}:"] if group else []
        lines += map(_row, rows)
    return "\n".join([*lines, "", *_examples(kind)])


def is_positional(field: FieldInfo) -> bool:
    """Whether an argument is given by its place."""
    return _POSITIONAL in field.metadata


def choices_of(field: FieldInfo) -> list[str]:
    """What a value can be, or what the shell proposes; none where that is open."""
    for part in _types_in(field.annotation):
        if get_origin(part) is Literal:
            return [str(choice) for choice in get_args(part)]
        if part is bool:
            return ["true", "false"]
    return [str(example) for example in field.examples or ()]


def is_file(field: FieldInfo) -> bool:
    """Whether a value is the path of a file or folder."""
    return Path in _types_in(field.annotation)


def is_pair(field: FieldInfo) -> bool:
    """Whether an option takes two values."""
    return any(get_origin(part) is tuple for part in _types_in(field.annotation))


def _types_in(annotation: Any) -> list[Any]:
    """The types that an annotation allows."""
    if get_origin(annotation) in (Union, types.UnionType):
        return [part for option in get_args(annotation) for part in _types_in(option)]
    if get_origin(annotation) is Annotated:
        return _types_in(get_args(annotation)[0])
    return [annotation]


def _key(row: tuple[str, str]) -> str:
    """The bare name of an option, out of "--name VALUE"."""
    name = row[0].split()[0]
    return name[2:] if name.startswith("--") else name.lower()


def _head(name: str, kind: type[Command]) -> list[str]:
    text = " ".join((kind.__doc__ or "").split())
    return [f"usage: myovivo {name} {kind.ARGUMENTS}", "", *textwrap.wrap(text, HELP_WIDTH), ""]


def _examples(kind: type[Command]) -> list[str]:
    return ["Example:", *(f"  {line}" for example in kind.EXAMPLES for line in example.splitlines())]


def _own_rows(kind: type[Command]) -> list[tuple[str, str]]:
    """The arguments, then the command's own options, then those it shares with others."""
    fields = kind.model_fields
    ordered = sorted(
        fields, key=lambda name: 0 if is_positional(fields[name]) else 1 + (name not in kind.__annotations__)
    )
    return [(_name_of(fields[name]), _described(fields[name])) for name in ordered]


def _name_of(field: FieldInfo) -> str:
    if is_positional(field):
        return str(field.alias).upper()
    if bool in _types_in(field.annotation):
        return f"--{field.alias}"
    return f"--{field.alias} {field.title or '|'.join(choices_of(field)) or 'VALUE'}"


def _described(field: FieldInfo) -> str:
    text, default = field.description or "", field.default
    plain = default is None or default is False or field.is_required() or "(default" in text
    return text if plain else f"{text} (default {show_value(default)})"


def _setting_rows(kind: type[Command]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The settings of each group, first those of none."""
    groups: dict[str, list[tuple[str, str]]] = {"": []}
    for name, field, default in options_of(kind.SETTINGS) if kind.SETTINGS else ():
        row = (f"--{name} VALUE", f"{field.description} (default {show_value(default)})")
        groups.setdefault(name.rpartition(".")[0], []).append(row)
    return list(groups.items())


def _row(row: tuple[str, str]) -> str:
    name, text = row
    lines = textwrap.wrap(text, HELP_WIDTH - _INDENT) or [""]
    first = f"  {name:{_INDENT - 4}}  " if len(name) <= _INDENT - 4 else f"  {name}\n{' ' * _INDENT}"
    return (first + f"\n{' ' * _INDENT}".join(lines)).rstrip()
