"""From the words of a command line to a command with its options.

The options are read by pydantic-settings from the command's class; added here are the one-line errors, with the name
that was probably meant, pairs of numbers behind one option, and help that fits a screen.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from pydantic import ValidationError, create_model
from pydantic_settings import CliSettingsSource

from ..errors import InputError
from ..runtime.settings import explain
from ..runtime.words import did_you_mean
from .help import full_help, is_pair, short_help
from .options import Command
from .values import as_texts, read_values

_HELP = ("-h", "--help", "--help-all")

_NEVER = "\0"  # no argument can be this: "none" is a name where a name is asked for, and for settings YAML reads it


def parse(name: str, kind: type[Command], arguments: Sequence[str]) -> Command:
    """The command that was typed.

    Raises
    ------
    InputError : an unknown option, or a value that breaks a rule.
    SystemExit : help was asked for, and printed.
    """
    parser = Parser(name, kind)
    fields = as_texts(kind.SETTINGS) if kind.SETTINGS else {}
    source = CliSettingsSource(
        create_model(kind.__name__, __base__=kind, **fields),  # type: ignore[arg-type]
        root_parser=parser,
        parse_args_method=Parser.parse_words,
        add_argument_method=_adder(kind),
        cli_enforce_required=True,
        cli_avoid_json=True,
        cli_parse_none_str=_NEVER,
    )
    given = dict(source(args=list(arguments))())
    try:
        changes = read_values({name: given.pop(name) for name in fields if name in given})
        return kind.model_validate(given).with_changes(changes)
    except ValidationError as error:
        parser.error(f"--{explain(error)}")
    except InputError as error:
        parser.error(str(error))


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line."""

    def __init__(self, name: str, kind: type[Command]):
        super().__init__(prog=f"myovivo {name}", allow_abbrev=False, add_help=False)
        self.add_argument("-h", "--help", action=_Print, const=lambda: short_help(name, kind))
        self.add_argument("--help-all", action=_Print, const=lambda: full_help(name, kind))

    def parse_words(self, args: Any, namespace: Any = None) -> Any:
        """As argparse does it, but an unknown option is complained about before a missing one."""
        if not any(word in _HELP for word in args):
            known = self._option_string_actions
            for word in args[: args.index("--")] if "--" in args else args:
                option = re.match(r"--([^ =][^ =]*)(=|$)", word)
                if option and f"--{option[1]}" not in known:
                    meant = did_you_mean(option[1], [text[2:] for text in known if text.startswith("--")], "--")
                    raise InputError(f"there is no option --{option[1]}{meant or ';'} see {self.prog} --help")
        return super().parse_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Complain."""
        raise InputError(f"{message}; see {self.prog} --help")


class _Print(argparse.Action):
    """An option that prints what its constant returns, and ends."""

    def __init__(self, option_strings: Sequence[str], dest: str, const: Any):
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, const=const, default=argparse.SUPPRESS)

    def __call__(self, parser: argparse.ArgumentParser, *parts: Any) -> None:
        print(self.const())
        parser.exit()


def _adder(kind: type[Command]) -> Callable[..., None]:
    """How an option is added to a parser: a pair takes two words; a whole group as JSON is no option here."""
    pairs = {field.alias for field in kind.model_fields.values() if is_pair(field)}

    def add(parser: Any, *names: str, **options: Any) -> None:
        if options.get("const") == "{}":
            return
        if options.get("dest") in pairs:
            options.pop("action", None)
            options["nargs"] = 2
        if options.get("dest") in kind.SHORT:
            names = (kind.SHORT[options["dest"]], *names)
        parser.add_argument(*names, **options)

    return add
