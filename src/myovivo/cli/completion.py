"""Scripts that complete the command line in bash, zsh and fish, made from the options themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field
from pydantic_settings import CliPositionalArg

from .catalogue import COMMANDS, command_class
from .help import choices_of, is_file, is_positional
from .options import Command
from .values import options_of


class Option(NamedTuple):
    """What a shell knows of an option: its name; what it does; what its value can be; whether that is a file.

    Without choices and not a file, the value is open, unless the option is a flag, which takes none.
    """

    name: str
    text: str
    choices: list[str]
    file: bool
    flag: bool = False


class Completion(Command):
    """Print the script that completes commands, options, settings and files in bash, zsh or fish."""

    ARGUMENTS = "SHELL"
    EXAMPLES = (
        "source <(myovivo completion bash)      # in ~/.bashrc",
        "source <(myovivo completion zsh)       # in ~/.zshrc, below compinit",
        "myovivo completion fish > ~/.config/fish/completions/myovivo.fish",
    )
    shell: CliPositionalArg[Literal["bash", "zsh", "fish"]] = Field(description="bash, zsh or fish")

    def call(self) -> None:
        """Print it."""
        print({"bash": bash_script, "zsh": zsh_script, "fish": fish_script}[self.shell]())


def options_for(kind: type[Command]) -> Iterator[Option]:
    """Every option of a command, settings included."""
    yield Option("--help", "the options people use", [], False, flag=True)
    yield Option("--help-all", "every option and setting", [], False, flag=True)
    for field in kind.model_fields.values():
        if not is_positional(field):
            flag = field.annotation is bool
            text = field.description or ""
            yield Option(f"--{field.alias}", text, [] if flag else choices_of(field), is_file(field), flag)
    for name, field, _ in options_of(kind.SETTINGS) if kind.SETTINGS else ():
        yield Option(f"--{name}", field.description or "", choices_of(field), is_file(field))


def words_for(kind: type[Command]) -> list[str]:
    """What the first argument without a name can be, beside a file."""
    return next((choices_of(field) for field in kind.model_fields.values() if is_positional(field)), [])


def takes_files(kind: type[Command]) -> bool:
    """Whether an argument without a name can be a file: a folder, or the YAML file in place of a preset."""
    return any(is_positional(field) and field.annotation in (Path, str) for field in kind.model_fields.values())


def bash_script() -> str:
    """For bash: the words of the command in question, and files where none of them is meant."""
    # What each command knows, as branches of `case`
    options, values, files, words = [], [], [], []
    for name in COMMANDS:
        kind = command_class(name)
        known = list(options_for(kind))
        options.append(f"    {name}) options='{' '.join(option.name for option in known)}' ;;")
        values += [
            f"    '{name} {option.name}') words='{' '.join(option.choices)}' ;;" for option in known if option.choices
        ]
        files += [f"    '{name} {option.name}') files=yes ;;" for option in known if option.file]
        flags = "|".join(f"'{name} {option.name}'" for option in known if option.flag)
        files.append(f"    {flags}) open= ;;")
        words.append(f"    {name}) words='{' '.join(words_for(kind))}'{'' if takes_files(kind) else ' files='} ;;")
    # The function that bash calls
    lines = "\n".join
    return f"""# bash completion of myovivo
_myovivo() {{
  local IFS=$' \\t\\n' word=${{COMP_WORDS[COMP_CWORD]}} before= command= options= words= files= open=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '{" ".join(COMMANDS)} --help --version' -- "$word"))
    return
  fi
  command=${{COMP_WORDS[1]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}
  if [[ $word == -* ]]; then
    case $command in
{lines(options)}
    esac
    COMPREPLY=($(compgen -W "$options" -- "$word"))
    return
  fi
  if [[ $before == --* ]]; then
    open=yes
    case "$command $before" in
{lines(values)}
    esac
    case "$command $before" in
{lines(files)}
    esac
  fi
  if [[ -z $open ]]; then
    files=yes
    if ((COMP_CWORD == 2)); then
      case $command in
{lines(words)}
      esac
    fi
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  if [[ -n $files ]]; then
    local IFS=$'\\n'
    compopt -o filenames 2>/dev/null
    COMPREPLY+=($(compgen -f -- "$word"))
  fi
}}
complete -F _myovivo myovivo"""


def zsh_script() -> str:
    """For zsh: `_arguments` of each command, which shows the texts beside the names."""
    parts = []
    for name in COMMANDS:
        kind = command_class(name)
        specs = [_zsh_option(option) for option in options_for(kind)]
        words = " ".join(words_for(kind))
        if takes_files(kind):
            specs += [f'\'1: :{{_alternative "words:word:({words})" "files:file:_files"}}\''] if words else []
            specs.append("'*:file:_files'")
        else:
            specs.append(f"'1:word:({words})'")
        parts.append(f"    ({name})\n      _arguments \\\n        " + " \\\n        ".join(specs) + " ;;")
    commands = "\n".join(f"    '{name}:{_zsh_text(entry.summary)}'" for name, entry in COMMANDS.items())
    return f"""#compdef myovivo
# zsh completion of myovivo
_myovivo() {{
  local -a commands
  commands=(
{commands}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=${{words[2]}}
  shift words
  (( CURRENT-- ))
  case $command in
{chr(10).join(parts)}
  esac
}}
if [[ $funcstack[1] == _myovivo ]]; then
  _myovivo "$@"
else
  compdef _myovivo myovivo
fi"""


def fish_script() -> str:
    """For fish: a line for each option of each command."""
    first = "not __fish_seen_subcommand_from " + " ".join(COMMANDS)
    lines = ["# fish completion of myovivo"]
    lines += [
        f"complete -c myovivo -f -n '{first}' -a {name} -d '{_fish_text(entry.summary)}'"
        for name, entry in COMMANDS.items()
    ]
    for name in COMMANDS:
        kind = command_class(name)
        start = f"complete -c myovivo -n '__fish_seen_subcommand_from {name}'"
        if words := words_for(kind):
            lines.append(f"{start}{'' if takes_files(kind) else ' -f'} -a '{' '.join(words)}'")
        for option in options_for(kind):
            value = "" if option.flag else " -r" if option.file else " -x"
            value += f" -a '{' '.join(option.choices)}'" if option.choices else ""
            lines.append(f"{start} -l '{option.name[2:]}'{value} -d '{_fish_text(option.text)}'")
    return "\n".join(lines)


def _zsh_option(option: Option) -> str:
    start = f"'{option.name}[{_zsh_text(option.text)}]"
    if option.flag:
        return f"{start}'"
    if option.choices:
        return f"{start}:value:({' '.join(option.choices)})'"
    return f"{start}:{'file:_files' if option.file else 'value: '}'"


def _zsh_text(text: str) -> str:
    """A text within single quotes and brackets, where a colon would end it."""
    for mark in "\\[]:":
        text = text.replace(mark, f"\\{mark}")
    return text.replace("'", "'\\''")


def _fish_text(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
