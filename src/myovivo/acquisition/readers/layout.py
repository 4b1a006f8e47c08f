"""Layouts: where in a file the frames and the parameters are, said in a small YAML or JSON file.

    data: RF                              # name of the array; or several, of which the first there is taken;
                                          # {at: tvi, times: 1.0e-3} for velocity in another unit than m/s
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

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from ...errors import FileError, InputError
from ...runtime.texts import json_of, read_text, yaml_of
from ...sequences.quantities import VELOCITY_UNITS
from ..content import (
    CHANNEL_AXES,
    IMAGE_AXES,
    PARTS,
    TITLES,
    UNITS,
    Content,
    Frames,
    Kind,
    Parameter,
    Parameters,
    axes_of,
    parameter,
    without_rivals,
)
from .store import Store
from .subject_name import plain_text, subject_name

READY = Path(__file__).with_name("layouts")

_WORDS = {"name", "data", "content", "axes", *UNITS} - {"scale"}  # which is said as `times` of the data


_ENDINGS = (".yaml", ".yml", ".json")


class Where(NamedTuple):
    """A value, or the name it has in the file and what to do with it there."""

    at: str | None = None
    value: Any = None
    times: float = 1.0
    inverse: bool = False
    column: int | None = None
    origin: str = ""


class Layout(NamedTuple):
    """A layout as read; empty fields say nothing."""

    name: str
    data: tuple[str, ...]
    content: Kind | None
    axes: tuple[str, ...]
    parameters: dict[str, tuple[Where, ...]]

    def overlaid(self, other: Layout) -> Layout:
        """This layout with whatever `other` says in its place."""
        return Layout(
            f"{self.name} with {other.name}" if self.name else other.name,
            other.data or self.data,
            other.content or self.content,
            other.axes or self.axes,
            without_rivals(self.parameters, other.parameters) | other.parameters,
        )


NO_LAYOUT = Layout("", (), None, (), {})


def ready_layouts() -> list[Layout]:
    """The layouts that come with the package."""
    return [read_layout(path) for path in sorted(READY.glob("*.yaml"))]


def sidecar_of(path: Path) -> Path | None:
    """The sidecar beside a recording, if there is one."""
    beside = [path.with_suffix(ending) for ending in _ENDINGS]
    return next((file for file in beside if file != path and file.is_file() and _has_a_word(file)), None)


def _has_a_word(path: Path) -> bool:
    """Whether a `.json` has any of our words; other software leaves some beside recordings, too."""
    if path.suffix != ".json":
        return True
    try:
        words = json_of(read_text(path))
    except (FileError, OSError, ValueError):
        return True  # its error is told when it is read
    return not isinstance(words, Mapping) or not words or bool(_WORDS & set(words))


def read_layout(path: str | Path, origin: str = "mapping") -> Layout:
    """Read a layout or a sidecar.

    Raises
    ------
    FileError : unreadable, unknown words, or values that make no sense.
    """
    # Words and their values
    path = Path(path)
    try:
        text = read_text(path)
        words = json_of(text) if path.suffix == ".json" else yaml_of(text)
    except FileNotFoundError as error:
        raise FileError(path, "does not exist; check the path of the mapping") from error
    except (OSError, ValueError) as error:
        raise FileError(path, f"is not readable YAML or JSON ({' '.join(str(error).split())[:100]})") from error
    words = {} if words is None else words
    if not isinstance(words, Mapping):
        raise FileError(path, f"must hold `word: value` lines, got {type(words).__name__}")
    if unknown := sorted(map(str, set(words) - _WORDS)):
        raise FileError(
            path, f"there is no word {unknown[0]!r} in a mapping; the words are {', '.join(sorted(_WORDS))}"
        )
    # What each says
    content = words.get("content")
    if content is not None and (not isinstance(content, str) or content not in TITLES):
        raise FileError(path, f"content must be one of {', '.join(get_args(Kind))}, got {content!r}")
    ready = origin == "mapping" and path.parent == READY
    origin = f"{origin} ({path.stem if ready else path.name})"
    try:
        parameters = {name: _wheres(words[name], name, origin) for name in UNITS if words.get(name) is not None}
        data, scale = _data(words.get("data", []))
        axes = _texts(words.get("axes", []), "axes")
    except (TypeError, ValueError) as error:
        raise FileError(path, " ".join(str(error).split())) from error
    if scale != 1:
        parameters["scale"] = (Where(value=scale, origin=origin),)
    if len(axes) > 1 and all(len(one.split()) == 1 for one in axes):  # one order, written as a list of words
        axes = (" ".join(axes),)
    return Layout(
        name=str(words.get("name", path.stem)),
        data=data,
        content=content,
        axes=axes,
        parameters=parameters,
    )


def fits(layout: Layout, store: Store, variable: str | None = None) -> bool:
    """Whether a file has the array and at least two of the parameters that a layout speaks of."""
    array = variable or array_name(layout, store)
    if array is None or not store.has(array) or not store.is_array(array):
        return False
    named = [any(where.at and store.has(where.at) for where in wheres) for wheres in layout.parameters.values()]
    sizes = len(store.source(array).shape)
    return sum(named) >= 2 and any(len(axes.split()) == sizes for axes in layout.axes)


def apply(layout: Layout, store: Store, name: str, kind: Kind) -> Content:
    """What an array of a file holds according to a layout that says its axes.

    Raises
    ------
    InputError : the axes do not fit, or a parameter is no number.
    """
    source = store.source(name)
    if store.is_series(name) and not layout.axes:
        told = f"{name} is {source.shape[-1]} cells of {source.shape[:-1]}"
        raise InputError(f"{told}; say the order of the axes with scan.axes or a mapping, that of the cells last")
    fitting = [axes for axes in layout.axes if len(axes.split()) == len(source.shape)]
    axes = axes_of((fitting or layout.axes or (guess_axes(kind, len(source.shape)),))[0], source.shape)
    frames = Frames(source.open, source.shape, np.dtype(source.dtype), axes)
    kind = kind_of(kind, frames)
    axes_of(" ".join(axes), source.shape, kind)
    parameters: Parameters = {}
    sought: dict[str, str] = {}
    for word, wheres in _with_all_coordinates(layout.parameters, store).items():
        there = [where for where in wheres if where.at is None or store.has(where.at)]
        matching = [one for where in there if (one := _found(store, where, word)) is not None]
        if matching:
            parameters[word] = matching[0]
        elif wheres:
            sought[word] = " or ".join(str(where.at) for where in wheres)
    shown = f"{store.format}, layout {layout.name}" if layout.name else store.format
    return Content(kind, frames, parameters, shown, name, sought)


def _with_all_coordinates(parameters: Mapping[str, tuple[Where, ...]], store: Store) -> dict[str, tuple[Where, ...]]:
    """Where x of the elements is the first of three or more columns, the next two are y and z, whether named or not."""
    added: dict[str, tuple[Where, ...]] = {}
    if not {"element_y", "element_z"} & set(parameters):
        for where in parameters.get("element_x", ()):
            shape = store.shapes.get((where.at or "").replace("/", "."), ())
            if where.column == 0 and len(shape) == 2 and shape[1] >= 3:
                added = {name: (where._replace(column=k),) for k, name in ((1, "element_y"), (2, "element_z"))}
                break
    return {**parameters, **added}


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


def array_name(layout: Layout, store: Store) -> str | None:
    """Which array of a file a layout means; None if it has none of those."""
    if not layout.data:
        arrays = list(store.arrays())
        return arrays[0] if len(arrays) == 1 else None
    return next((name for name in layout.data if store.has(name)), None)


def _found(store: Store, where: Where, word: str) -> Parameter | None:
    """A parameter's value; None for the zeros, empty arrays and empty texts that files hold where they know nothing."""
    if where.at is None:
        return parameter(word, where.value, where.origin)
    value, origin = store.value(where.at), f"file ({where.at})"
    if word == "subject":
        return None if (name := subject_name(value)) is None else parameter(word, name, origin)
    if word == "unit":
        return parameter(word, velocity_unit(plain_text(value) or "", where.at), origin)
    if word == "probe":
        return None if (name := plain_text(value)) is None else parameter(word, name, origin)
    number = _numbers(value, where.at, word)
    if number.size == 0 or (UNITS[word] == "Hz" and not np.any(number)):
        return None
    if where.column is not None:
        if number.ndim < 2 or not -number.shape[1] <= where.column < number.shape[1]:
            raise InputError(f"{where.at} has no column {where.column} ({word}), its shape is {number.shape}")
        number = number[:, where.column]
    with np.errstate(divide="ignore"):  # what is endless then is refused where it is used
        number = 1 / number if where.inverse else number
    number = np.squeeze(number * where.times)
    return parameter(word, float(number) if number.ndim == 0 else number, origin)


def _numbers(value: Any, at: str, word: str) -> NDArray[np.float64]:
    try:
        if np.asarray(value).dtype.kind == "c":
            raise TypeError
        return np.asarray(value, float)
    except (TypeError, ValueError):
        raise InputError(f"{at} should be numbers ({word}), got {str(value)[:40]!r}") from None


def velocity_unit(text: str, origin: str) -> str:
    """The unit of velocity that a text names.

    Raises
    ------
    InputError : it is none of `VELOCITY_UNITS`.
    """
    if text not in VELOCITY_UNITS:
        raise InputError(f"unit must be one of {', '.join(VELOCITY_UNITS)}, got {text[:40]!r} ({origin})")
    return text


def _wheres(value: Any, word: str, origin: str) -> tuple[Where, ...]:
    if isinstance(value, list) and value and all(isinstance(one, str | Mapping) for one in value):
        return tuple(_where(one, word, origin) for one in value)
    if word == "subject" and isinstance(value, str | int) and not isinstance(value, bool):
        # A name in the file; beside one recording, also the subject's own. A mapping is for many recordings, and one
        # name for all of them would make them one subject.
        is_sidecar = origin.startswith("sidecar")
        return (Where(at=str(value)), *([Where(value=str(value), origin=origin)] if is_sidecar else []))
    if word == "probe" and isinstance(value, str):  # a name in the file, else the probe's own
        return (Where(at=value), Where(value=value, origin=origin))
    return (_where(value, word, origin),)


def _where(value: Any, word: str, origin: str) -> Where:
    if isinstance(value, str) and word == "unit":
        return Where(value=velocity_unit(value, origin), origin=origin)
    if isinstance(value, str):
        try:
            return Where(value=float(value), origin=origin)  # YAML takes 20e6 for a text
        except ValueError:
            return Where(at=value)
    if isinstance(value, Mapping):
        return _place(value)
    if word in ("unit", "subject") or isinstance(value, bool) or not _is_finite(value):
        raise ValueError(f"{word} must be a finite number or a name in the file, got {value!r}")
    return Where(value=value if np.ndim(value) == 0 else np.asarray(value, float), origin=origin)


def _place(value: Mapping[str, Any]) -> Where:
    wanted = f"a place is {{at: name, times: 1.0, inverse: true, column: 0}}, got {dict(value)}"
    if not isinstance(value.get("at"), str) or set(value) - {"at", "times", "inverse", "column"}:
        raise ValueError(wanted)
    times, column, inverse = value.get("times", 1.0), value.get("column"), value.get("inverse", False)
    is_column = column is None or (isinstance(column, int) and not isinstance(column, bool))
    try:
        times = float(times)  # YAML takes 1e-3 for a text
    except (TypeError, ValueError):
        times = np.nan
    if not np.isfinite(times) or times == 0 or not isinstance(inverse, bool) or not is_column:
        raise ValueError(wanted)
    return Where(at=value["at"], times=times, inverse=inverse, column=column)


def _is_finite(value: Any) -> bool:
    try:
        return bool(np.all(np.isfinite(np.asarray(value, float))))
    except (TypeError, ValueError):
        return False


def _data(value: Any) -> tuple[tuple[str, ...], float]:
    """The names of the array, and what its values are multiplied with."""
    if not isinstance(value, Mapping):
        return _texts(value, "data"), 1.0
    if set(value) - {"at", "times"}:
        raise ValueError(f"data may be {{at: name, times: 1.0e-3}}, got {dict(value)}")
    place = _place(value)
    return (str(place.at),), place.times


def _texts(value: Any, word: str) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{word} must be a text or a list of texts, got {value!r}")
    return tuple(value)
