"""Settings: groups of validated values with dotted names, from presets, YAML files, mappings and single changes.

Units are SI. Groups nest, so a setting has a dotted name, the same in YAML, on the command line and in `settings`:
`--firing.rate "[8, 13]"`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..errors import FileError, InputError
from .texts import read_text, yaml_of
from .words import did_you_mean

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]

Fraction = Annotated[float, Field(ge=0, le=1)]

Count = Annotated[int, Field(ge=1, le=1 << 31)]  # beyond it is no count of anything here


def _not_empty(band: tuple[float, float]) -> tuple[float, float]:
    if band[0] == band[1]:
        raise ValueError(f"a pass band must end above where it starts, got {band[0]:g} to {band[1]:g} Hz")
    return band


def check_counts(**counts: int) -> None:
    """Raise InputError unless each count is at least 1, as a `Count` among settings is."""
    for name, count in counts.items():
        if count < 1:
            raise InputError(f"{name} must be at least 1, got {count}")


PassBand = Annotated[tuple[Positive, Positive], AfterValidator(_not_empty)]


class Settings(BaseModel):
    """Base of all groups: immutable, and an unknown name is an error.

    Attributes
    ----------
    PRESETS : what each named preset of these settings changes, by dotted name
    RETIRED : settings of earlier versions, each with the one value that is left; files that name them are still read
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    RETIRED: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def defaults(cls, given: Mapping[str, Any]) -> Self:
        """What stands where nothing was given, which may hang on what was."""
        return cls()

    @model_validator(mode="before")
    @classmethod
    def _retired_are_as_they_were_left(cls, values: Any) -> Any:
        if not isinstance(values, Mapping) or not cls.RETIRED.keys() & values.keys():
            return values
        for name, left in cls.RETIRED.items():
            if values.get(name, left) != left:
                raise ValueError(f"{name} is {left} and nothing else in this version; leave it out")
        return {name: value for name, value in values.items() if name not in cls.RETIRED}

    @model_validator(mode="after")
    def _ranges_ascend(self) -> Self:
        for name, value in self:
            if isinstance(value, tuple) and len(value) == 2 and value[0] > value[1]:
                raise ValueError(f"{name} is a range (low, high), got {value}; swap the two")
        return self


S = TypeVar("S", bound=Settings)


def settings_from(kind: type[S], source: S | str | Path | Mapping[str, Any] | None = None, **changes: Any) -> S:
    """Build settings of one `kind` from a preset, a YAML file, a mapping or ready settings.

    Parameters
    ----------
    kind : the settings class, such as `SimulateSettings`
    source : ready settings, the name of a preset, the path of a YAML file, a mapping (nested, or with
        dotted names), or None for the defaults
    **changes : values that win over `source`; dotted names as mapping keys, `**{"firing.rate": (8, 9)}`

    Raises
    ------
    FileError : the YAML file is missing or is not a mapping.
    InputError : an unknown preset or setting, or a value that breaks a rule.
    """
    if isinstance(source, Settings) and not isinstance(source, kind):
        raise InputError(f"expected {kind.__name__}, got {type(source).__name__}")
    origin = "settings"
    if source is None:
        values: dict[str, Any] = {}
    elif isinstance(source, Settings):
        values = source.model_dump()
    elif isinstance(source, Mapping):
        values = _nested(source)
    elif str(source) in kind.PRESETS:
        values = _nested(kind.PRESETS[str(source)])
    else:
        values, origin = _nested(_read_yaml(Path(source), kind)), str(source)
    # From the kind's own defaults on: a group named in part keeps the rest of them, not those of its class.
    complete = kind.defaults({**values, **_nested(changes)}).model_dump()
    _merge(complete, values)
    _merge(complete, _nested(changes))
    try:
        return kind.model_validate(complete)
    except ValidationError as error:
        raise InputError(f"{origin}: {explain(error, kind)}") from None


def explain(error: ValidationError, kind: type[BaseModel] | None = None) -> str:
    """The first problem of a validation as one line: setting, rule, value got; of an unknown one, who is near.

    Parameters
    ----------
    error : what pydantic raised
    kind : the settings that were validated, whose names are proposed for an unknown one
    """
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"]) or "settings"
    if first["type"] == "extra_forbidden":
        if isinstance(first["input"], Mapping) and first["input"]:
            name = f"{name}.{next(iter(first['input']))}"  # it is the group that is not there
        meant = (did_you_mean(name, dotted_names(kind)) or "; see --help-all for the names") if kind else ""
        return f"there is no setting {name!r}{meant}"
    return f"{name}: {first['msg'].removeprefix('Value error, ')}, got {_short(first['input'])}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"


def dotted_names(kind: type[BaseModel]) -> list[str]:
    """The name of every setting of a kind, in order: "model", "grid.frames", "grid.frame_rate" and so on."""
    names = []
    for name, field in kind.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, Settings):
            names += [f"{name}.{inner}" for inner in dotted_names(type(default))]
        else:
            names.append(name)
    return names


def _read_yaml(path: Path, kind: type[Settings]) -> Mapping[str, Any]:
    try:
        values = yaml_of(read_text(path))
    except FileNotFoundError:
        known = f"; presets: {', '.join(kind.PRESETS)}{did_you_mean(str(path), kind.PRESETS)}" if kind.PRESETS else ""
        raise FileError(path, f"is neither a preset nor a file{known}") from None
    except (ValueError, OSError) as error:
        raise FileError(path, f"is not readable YAML ({' '.join(str(error).split())})") from None
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise FileError(path, f"must hold settings as `name: value`, got {type(values).__name__}")
    return values


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """{"a.b": 1} -> {"a": {"b": 1}}; mappings already nested stay as they are."""
    result: dict[str, Any] = {}
    for name, value in values.items():
        *groups, last = str(name).split(".")
        at = result
        for group in groups:
            at = at.setdefault(group, {})
            if not isinstance(at, dict):
                raise InputError(f"{name} and {group} are both given; {group} is a group, give its parts alone")
        if isinstance(value, Settings):
            value = value.model_dump()
        if isinstance(value, Mapping):
            if not isinstance(at.get(last), dict):
                at[last] = {}
            _merge(at[last], _nested(value))
        else:
            at[last] = value
    return result


def _merge(into: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        if isinstance(value, Mapping) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value
