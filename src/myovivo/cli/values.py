"""Settings as options: their names, and their values as YAML reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import BaseModel, Field, create_model
from pydantic.fields import FieldInfo

from ..errors import InputError
from ..runtime.settings import Settings
from ..runtime.texts import yaml_of


def options_of(kind: type[Settings]) -> Iterator[tuple[str, FieldInfo, Any]]:
    """Dotted name, field and default of every setting of a kind, in order."""
    for name, field in kind.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, Settings):
            for inner, inner_field in type(default).model_fields.items():
                yield f"{name}.{inner}", inner_field, getattr(default, inner)
        else:
            yield name, field, default


def as_texts(kind: type[Settings]) -> dict[str, Any]:
    """The fields of a kind as texts, in groups as there, for `create_model`.

    Only a preset, a file and the options together are settings that can be validated, so that options stay texts.
    """
    fields: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, Settings):
            inside = {inner: (str, Field(default="", alias=inner)) for inner in type(default).model_fields}
            group: type[BaseModel] = create_model(type(default).__name__, **inside)  # type: ignore[call-overload]
            fields[name] = (group, Field(default=group(), alias=name))
        else:
            fields[name] = (str, Field(default="", alias=name))
    return fields


def read_values(texts: Mapping[str, Any], group: str = "") -> dict[str, Any]:
    """Values by dotted name, from nested texts.

    Raises
    ------
    InputError : a text is not readable.
    """
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if isinstance(text, Mapping):
            values |= read_values(text, f"{group}{name}.")
        else:
            values[group + name] = read_value(text, group + name)
    return values


def read_value(text: str, name: str) -> Any:
    """A setting as YAML reads it; numbers such as 2e-4, which YAML 1.1 takes for text, as numbers.

    Raises
    ------
    InputError : it is not readable.
    """
    try:
        value = yaml_of(text)
    except ValueError as error:
        raise InputError(f"argument --{name}: not readable: {text!r}") from error
    if value in ("none", "None"):
        return None
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


def show_value(value: Any) -> str:
    """A default as one would type it."""
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return "[" + ", ".join(show_value(part) for part in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def as_yaml(settings: Settings) -> str:
    """Settings as the text of a file that gives them back."""
    return yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False)
