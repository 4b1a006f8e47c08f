"""A mapping to edit: what a file probably holds, a line each, with a comment that says what to check."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import FileError
from ..runtime.files import write_text
from .content import AXES, IMAGE_AXES, TITLES, Kind
from .parameters import NEEDED
from .proposals import Proposal
from .readers.store import Store

_WAYS = {  # any line of these does
    "frame_rate": ("frame_rate", "pulse_rate"),
    "element_x": ("pitch",),
    "spacing": ("spacing", "depth_step", "depth_axis"),
}

_OPEN = "?"  # is no word of a mapping, so that what was not decided is refused

_YAML = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")  # which YAML takes for something else


def write_mapping_draft(path: str | Path, store: Store, proposals: Mapping[str, Proposal], kind: Kind | None) -> Path:
    """Write a mapping for a recording, proposed line by line.

    Parameters
    ----------
    path : of the mapping
    store : the recording
    proposals : parameter -> the variable that it may be
    kind : what the array is; None to go by its type and the proposals

    Raises
    ------
    FileError : there is something already, or it cannot be written.
    """
    path = Path(path)
    if path.exists():
        raise FileError(path, "is there already; choose another name for the mapping")
    write_text(path, "\n".join(_lines(store, proposals, kind)) + "\n")
    return path


def likely_kind(store: Store, name: str, proposals: Mapping[str, Any]) -> Kind:
    """What an array probably is, given what else a file seems to say."""
    source = store.source(name)
    is_complex = source.dtype.kind == "c" or source.dtype.names is not None
    if {"pitch", "sampling_frequency"} & set(proposals) or len(source.shape) > 3:
        return "channel_iq" if is_complex else "rf"
    return "iq" if is_complex else "bmode" if source.dtype.itemsize == 1 else "velocity"


def likely_axes(kind: Kind, shape: tuple[int, ...]) -> str:
    """The order of axes if one of three is far longer than the others, which are then the picture; else open."""
    if AXES[kind] != IMAGE_AXES or len(shape) != 3:
        return _OPEN
    longest = max(range(3), key=lambda place: shape[place])
    if any(shape[longest] < 3 * size for place, size in enumerate(shape) if place != longest):
        return _OPEN
    picture = iter(IMAGE_AXES[1:])
    return " ".join("frame" if place == longest else next(picture) for place in range(3))


def _lines(store: Store, proposals: Mapping[str, Proposal], kind: Kind | None) -> list[str]:
    arrays = store.arrays()
    lines = [
        f"# A mapping for {store.path.name}, proposed from names and sizes: check each line, replace each {_OPEN}.",
        "# Then: myovivo inspect FILE --mapping THIS; myovivo acquire FILE OUT --mapping THIS",
    ]
    if not arrays:
        return [*lines, "# The file holds no array that could be frames."]
    # The largest array
    name = max(arrays, key=lambda other: math.prod(arrays[other]))
    kind = kind or likely_kind(store, name, proposals)
    others = [f"{other} {_sizes(arrays[other])}" for other in arrays if other != name][:6]
    beside = f"; or one of {', '.join(others)}" if others else ""
    axes = likely_axes(kind, arrays[name])
    lines += [
        _line("data", _text(name), _sizes(arrays[name]) + beside),
        _line("content", kind, f"or one of {', '.join(other for other in TITLES if other != kind)}"),
        _line("axes", f'"{_OPEN}"' if axes == _OPEN else axes, f"{' '.join(AXES[kind])}, in the order of the array"),
    ]
    # Its parameters
    lines += [_line(word, _place(proposal), proposal.text) for word, proposal in proposals.items()]
    for word in NEEDED[kind]:
        ways = _WAYS.get(word, (word,))
        if not set(ways) & set(proposals):
            lines.append(f"# {ways[0]}:  # needed: a number in SI units, or a name in the file")
    if kind == "velocity":
        lines.append("# unit: mm/s  # if it is not m/s")
    return lines


def _line(word: str, value: str, comment: str) -> str:
    return f"{f'{word}: {value}':<48}  # {comment}"


def _place(proposal: Proposal) -> str:
    at = _text(proposal.at)
    return at if proposal.times == 1 else f"{{at: {at}, times: {proposal.times:.1e}}}"


def _text(name: str) -> str:
    """A name as YAML takes it for text."""
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", name) and name.lower() not in _YAML else json.dumps(name)


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
