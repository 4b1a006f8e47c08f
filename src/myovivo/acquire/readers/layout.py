"""Layouts: where in a file the frames and the parameters are, said in a small YAML or JSON file.

    data: RF                              # name of the array; or several, of which the first there is taken
    content: rf                           # rf, channel_iq, iq, bmode, velocity
    axes: sample element frame            # in the order of the array (as MATLAB shows it)
    sampling_frequency: param.fs          # a text is a name in the file
    centre_frequency: {at: Trans.frequency, times: 1.0e+6}
    pulse_rate: [param.PRF, {at: param.PRP, inverse: true}]   # the first that is there
    sound_speed: 1540                     # a number is the value itself

The same words do as a sidecar, `scan.yaml` or `scan.json` beside `scan.npy`. Those in the folder `layouts`
are tried on every file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args

import numpy as np
import yaml

from ...errors import FileError, InputError
from ..content import CHANNEL_AXES, IMAGE_AXES, PARTS, TITLES, UNITS, Content, Frames, Kind, axes_of, parameter
from .store import Store

READY = Path(__file__).with_name("layouts")
_WORDS = {"name", "about", "data", "content", "axes", *UNITS}
_ENDINGS = (".yaml", ".yml", ".json")


class Where(NamedTuple):
    """A value, or the name it has in the file and what to do with it there."""

    at: str | None = None
    value: Any = None
    times: float = 1.0
    inverse: bool = False
    column: int | None = None


class Layout(NamedTuple):
    """A layout as read; `origin` is what its constants are said to come from."""

    name: str
    origin: str
    about: str
    data: tuple[str, ...]
    content: Kind | None
    axes: tuple[str, ...]
    parameters: dict[str, tuple[Where, ...]]


def ready_layouts() -> list[Layout]:
    """The layouts that come with the package."""
    return [read_layout(path) for path in sorted(READY.glob("*.yaml"))]


def sidecar_of(path: Path) -> Path | None:
    """The sidecar beside a recording, if there is one."""
    beside = [path.with_suffix(ending) for ending in _ENDINGS]
    return next((file for file in beside if file != path and file.is_file()), None)


def read_layout(path: str | Path, origin: str = "mapping") -> Layout:
    """Read a layout or a sidecar.

    Raises
    ------
    FileError : unreadable, unknown words, or values that make no sense.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except FileNotFoundError as error:
        raise FileError(path, "does not exist; check the path of the mapping") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise FileError(path, f"is not readable YAML or JSON ({' '.join(str(error).split())[:100]})") from error
    if not isinstance(found, Mapping):
        raise FileError(path, f"must hold `word: value` lines, got {type(found).__name__}")
    if unknown := sorted(set(found) - _WORDS):
        raise FileError(
            path, f"there is no word {unknown[0]!r} in a mapping; the words are {', '.join(sorted(_WORDS))}"
        )
    content = found.get("content")
    if content is not None and content not in TITLES:
        raise FileError(path, f"content must be one of {', '.join(get_args(Kind))}, got {content!r}")
    try:
        parameters = {name: _wheres(found[name]) for name in UNITS if name in found}
    except (TypeError, ValueError) as error:
        raise FileError(path, str(error)) from error
    return Layout(
        name=str(found.get("name", path.stem)),
        origin=f"{origin} ({path.name})" if origin != "mapping" or path.parent != READY else f"mapping ({path.stem})",
        about=str(found.get("about", "")),
        data=_texts(found.get("data", [])),
        content=content,
        axes=_texts(found.get("axes", [])),
        parameters=parameters,
    )


def fits(layout: Layout, store: Store) -> bool:
    """Whether a file has the array and at least two of the parameters that a layout speaks of."""
    array = _array_name(layout, store)
    if array is None:
        return False
    named = [any(where.at and store.has(where.at) for where in wheres) for wheres in layout.parameters.values()]
    sizes = len(store.source(array).shape)
    return sum(named) >= 2 and any(len(axes.split()) == sizes for axes in layout.axes)


def apply(layout: Layout, store: Store, variable: str | None = None) -> Content:
    """What a file holds according to a layout.

    Raises
    ------
    InputError : the array is not there, or its axes do not fit.
    """
    name = variable or _array_name(layout, store)
    if name is None or not store.has(name):
        wanted = variable or " or ".join(layout.data) or "one array"
        raise InputError(f"the mapping {layout.name} looks for {wanted}; {describe_arrays(store)}")
    source = store.source(name)
    kind: Kind | None = layout.content
    if kind is None:
        raise InputError(f"the mapping {layout.name} does not say the content: one of {', '.join(TITLES)}")
    fitting = [axes for axes in layout.axes if len(axes.split()) == len(source.shape)]
    if not layout.axes:
        raise InputError(f"the mapping {layout.name} does not say the axes of {name} {source.shape}; add `axes: …`")
    axes = axes_of((fitting or layout.axes)[0], source.shape)
    frames = Frames(source.open, source.shape, np.dtype(source.dtype), axes)
    kind = kind_of(kind, frames)
    axes_of(" ".join(axes), source.shape, kind)
    parameters = {}
    for word, wheres in layout.parameters.items():
        for where in wheres:
            if where.at is None:
                parameters[word] = parameter(word, where.value, layout.origin)
                break
            if store.has(where.at):
                parameters[word] = parameter(word, _read(store, where, word), f"file ({where.at})")
                break
    return Content(kind, frames, parameters, f"{store.format}, layout {layout.name}", name)


def kind_of(kind: Kind, frames: Frames) -> Kind:
    """RF whose values are complex is channel IQ."""
    return "channel_iq" if kind == "rf" and frames.is_complex else kind


def describe_arrays(store: Store) -> str:
    """The arrays of a file, for an error message."""
    arrays = store.arrays()
    listed = ", ".join(f"{name} {shape}" for name, shape in list(arrays.items())[:8])
    more = f" and {len(arrays) - 8} more" if len(arrays) > 8 else ""
    return f"arrays in it: {listed}{more}" if arrays else "it holds no arrays"


def guess_axes(kind: Kind, count: int) -> str:
    """The order assumed when nobody says: frames first, as this package keeps them."""
    full = CHANNEL_AXES if kind in ("rf", "channel_iq") else IMAGE_AXES
    words = [axis for axis in full if axis != "wave"] if count == len(full) - 1 else list(full)
    return " ".join([*words, PARTS] if count == len(words) + 1 else words)


def _array_name(layout: Layout, store: Store) -> str | None:
    if not layout.data:
        arrays = list(store.arrays())
        return arrays[0] if len(arrays) == 1 else None
    return next((name for name in layout.data if store.has(name)), None)


def _read(store: Store, where: Where, word: str) -> Any:
    value = store.value(cast(str, where.at))
    if word == "subject":
        return str(np.squeeze(value))
    try:
        number = np.asarray(value, float)
    except (TypeError, ValueError):
        raise InputError(f"{where.at} should be numbers ({word}), got {str(value)[:40]!r}") from None
    if where.column is not None:
        number = number[:, where.column]
    number = 1 / number if where.inverse else number
    number = np.squeeze(number * where.times)
    return float(number) if number.ndim == 0 else number


def _wheres(value: Any) -> tuple[Where, ...]:
    if isinstance(value, list) and value and all(isinstance(one, str | Mapping) for one in value):
        return tuple(_where(one) for one in value)
    return (_where(value),)


def _where(value: Any) -> Where:
    if isinstance(value, str):
        return Where(at=value)
    if isinstance(value, Mapping):
        if "at" not in value or set(value) - {"at", "times", "inverse", "column"}:
            raise ValueError(
                f"a place is {{at: name, times: number, inverse: true, column: number}}, got {dict(value)}"
            )
        return Where(**{str(word): one for word, one in value.items()})
    if isinstance(value, bool) or not np.all(np.isfinite(np.asarray(value, float))):
        raise ValueError(f"a value must be a finite number or a name in the file, got {value!r}")
    return Where(value=value if np.ndim(value) == 0 else np.asarray(value, float))


def _texts(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(map(str, value))
