"""What the options of commands are made of: the class that all derive from, and groups of options that some share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from pydantic_settings import CliToggleFlag

from ..errors import InputError
from ..runtime.settings import Settings, settings_from

Flag = CliToggleFlag[bool]

SeedNumber = Annotated[int, Field(ge=0)]

Device = Annotated[str, Field(examples=["auto", "cpu", "cuda"], title="NAME")]


def _dashed(name: str) -> str:
    return name.replace("_", "-")


class Command(BaseModel):
    """Options of a command, under their names with dashes; its docstring is what its help says first.

    Of a field, `description` is its text in the help, `title` what stands there for its value, and `examples` what
    the shell proposes.

    Attributes
    ----------
    ARGUMENTS : what has to be given, as the usage line shows it
    EXAMPLES : command lines that the help shows
    ESSENTIAL : names of the options and settings that the short help shows
    SETTINGS : the settings of which each is an option, if any
    SHORT : options that have a short form, as {"out": "-o"}
    """

    model_config = ConfigDict(extra="forbid", alias_generator=_dashed, serialize_by_alias=True)
    ARGUMENTS: ClassVar[str]
    EXAMPLES: ClassVar[tuple[str, ...]]
    ESSENTIAL: ClassVar[tuple[str, ...]] = ()
    SETTINGS: ClassVar[type[Settings] | None] = None
    SHORT: ClassVar[dict[str, str]] = {}
    _changes: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def changes(self) -> dict[str, Any]:
        """The settings that were given as options, by dotted name."""
        return self._changes

    def with_changes(self, changes: dict[str, Any]) -> Command:
        """Take what was given for settings."""
        self._changes = changes
        return self

    def call(self) -> None:
        """Call the function that this command is of, and print what came of it."""
        raise NotImplementedError


class Configured(Command):
    """With settings, from a file and from options that win over it."""

    config: Path | None = Field(default=None, title="YAML", description="file of settings; options win over it")
    print_settings: Flag = Field(default=False, description="print the settings as YAML and stop")

    def settings(self) -> Any:
        """The settings that were asked for.

        Raises
        ------
        FileError : the file cannot be read.
        InputError : a setting breaks a rule.
        """
        assert self.SETTINGS is not None
        return settings_from(self.SETTINGS, self.config, **self.changes)


class Quiet(Command):
    """Without progress, if wanted."""

    quiet: Flag = Field(default=False, description="no progress")


class Printed(Command):
    """With a result that is printed, for people or for programs."""

    as_json: Flag = Field(default=False, alias="json", description="print the result as JSON")

    def print_result(self, result: Any) -> None:
        """Print what has a `to_dict`, or a list of dicts, as text or as JSON; warnings and progress are on stderr."""
        if not self.as_json:
            print(result)
            return
        import json

        from ..runtime.files import plain

        text = json.dumps(result if isinstance(result, list) else result.to_dict(), default=plain)
        # What is not a number is null: JSON knows no NaN, and most programs refuse it.
        print(json.dumps(json.loads(text, parse_constant=lambda name: None), indent=1))


class Parallel(Quiet):
    """On the cores of this machine, or on a cluster."""

    workers: int = Field(default=-1, title="N", description="processes (default: one per core)")
    scheduler: str | None = Field(
        default=None, title="ADDRESS", description="of a dask cluster whose workers to use instead"
    )


class Compared(Parallel):
    """The sequences that are compared."""

    run: Path | None = Field(
        default=None, title="RUN", description="a training run: compare with the sequences that it held out"
    )
    vivo: Path | None = Field(
        default=None, title="DIR", description="folder of recorded sequences, instead of the run's held-out ones"
    )
    translated: Path | None = Field(default=None, title="DIR", description="folder of translated sequences")
    silico: Path | None = Field(
        default=None, title="DIR", description="folder of the simulated sequences they came from"
    )
    frames: Annotated[int, Field(ge=1)] | None = Field(
        default=None, title="N", description="compare the first N frames, where lengths differ"
    )

    def references(self) -> tuple[Any, Any]:
        """The vivo and silico sequences to compare with: those named, else those the run held out.

        Raises
        ------
        InputError : neither was named.
        """
        vivo, silico = self.vivo, self.silico
        if self.run is not None:
            from ..runs.folder import test_files

            vivo, silico = vivo or test_files(self.run, "vivo"), silico or test_files(self.run, "silico")
        if vivo is None:
            raise InputError("name the recordings with --vivo, or a training run with --run to take those it held out")
        return vivo, silico
