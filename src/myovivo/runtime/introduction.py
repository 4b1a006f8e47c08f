"""How an object introduces itself: a few lines in a terminal, a small table in a notebook."""

from __future__ import annotations

import base64
import html
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from .words import counted

LONGEST = 110  # characters of a line

_BLOCK = 64  # frames at a time

_DEEPEST = 4  # stages named in `maker`


class Introduction(NamedTuple):
    """A title, and at most five facts by name, so that the whole is six lines."""

    title: str
    facts: dict[str, str]

    def text(self) -> str:
        """The title and a line for each fact."""
        width = max(map(len, self.facts), default=0)
        lines = [self.title, *(f"  {name:<{width}}  {fact}" for name, fact in self.facts.items())]
        return "\n".join(shortened(line) for line in lines)

    def table(self, picture: bytes | None = None) -> str:
        """The same as an HTML table, beside a picture (PNG) if there is one."""
        cell = 'style="text-align: left; vertical-align: top"'
        rows = [
            f"<tr><th {cell}>{html.escape(shortened(name))}</th><td {cell}>{html.escape(shortened(fact))}</td></tr>"
            for name, fact in self.facts.items()
        ]
        caption = f'<caption style="text-align: left"><b>{html.escape(shortened(self.title))}</b></caption>'
        table = f"<table>{caption}<tbody>{''.join(rows)}</tbody></table>"
        if picture is None:
            return table
        source = f"data:image/png;base64,{base64.b64encode(picture).decode('ascii')}"
        image = f'<img alt="{html.escape(shortened(self.title))}" src="{source}">'
        return f'<div style="display: flex; gap: 1em; align-items: center">{table}{image}</div>'


class Introduced(ABC):
    """An object that is shown by its introduction; a dataclass of this kind needs `repr=False`."""

    @abstractmethod
    def _introduction(self) -> Introduction:
        """What there is to say."""

    def _picture(self) -> bytes | None:
        """A small PNG for notebooks, or None."""
        return None

    def __repr__(self) -> str:
        return self._introduction().text()

    def _repr_html_(self) -> str:
        return self._introduction().table(self._picture())


def shortened(value: object, longest: int = LONGEST) -> str:
    """Any value as one line of printable characters: names come from files, and files from anybody."""
    text = str(value)[: 10 * longest]
    indent = " " * (len(text) - len(text.lstrip(" ")))
    text = indent + "".join(c if c.isprintable() else " " for c in text).strip()
    return text if len(text) <= longest else text[: longest - 1] + "…"


def named(kind: str, origin: str, subject: str) -> str:
    """A title such as `Sequence: phantom, subject s-01`."""
    return f"{kind}: {shortened(origin, 20)}, " + (f"subject {shortened(subject, 60)}" if subject else "no subject")


def sampling(shape: tuple[int, ...], frame_rate: float, spacing: tuple[float, float]) -> dict[str, str]:
    """What frames there are, (T, Z, X), and how far they reach."""
    frames, rows, columns = shape
    time = f" at {frame_rate:.6g} Hz, {frames / frame_rate:.4g} s" if frame_rate > 0 else ""
    height, width = (1e3 * count * step for count, step in zip((rows, columns), spacing, strict=True))
    dz, dx = (1e3 * step for step in spacing)
    return {
        "frames": f"{frames}{time}; each of {rows} x {columns} pixels (depth x lateral)",
        "extent": f"{height:.4g} x {width:.4g} mm, pixels of {dz:.4g} x {dx:.4g} mm",
    }


def between(values: ArrayLike) -> str:
    """`8 to 13`, the least and the largest; one number if they are the same, `unknown` if there is none."""
    known = np.asarray(values, float).ravel()
    known = known[np.isfinite(known)]
    low, high = (f"{value:.3g}" for value in (known.min(initial=np.inf), known.max(initial=-np.inf)))
    return "unknown" if not len(known) else low if low == high else f"{low} to {high}"


def labelled(labels: object | None) -> str:
    """What there is of ground truth."""
    return "none" if labels is None else counted(len(labels), "motor unit")  # type: ignore[arg-type]


def maker(provenance: Mapping[str, Any]) -> str:
    """Which stage made a thing, by which seed, of what, and which version: `crop of simulate (seed 0); myovivo 0.1`."""
    stages: list[str] = []
    note: Any = provenance
    while isinstance(note, Mapping) and note.get("stage") and len(stages) < _DEEPEST:
        seed = f" (seed {shortened(note['seed'], 24)})" if note.get("seed") is not None else ""
        stages.append(shortened(note["stage"], 24) + seed)
        note = note.get("source")
    if not stages:
        return "unknown, no provenance"
    software = f"{provenance.get('software', '')} {provenance.get('version', '')}".strip()
    return " of ".join(stages) + (f"; {shortened(software, 40)}" if software else "")


def spread(velocity: ArrayLike) -> float:
    """SD over all frames and pixels, in float64 and a block at a time, since an introduction must not need memory."""
    values = np.asarray(velocity)
    mean = values.mean(dtype=np.float64)
    blocks = (values[start : start + _BLOCK].astype(np.float64) for start in range(0, len(values), _BLOCK))
    return float(np.sqrt(sum(np.sum((block - mean) ** 2) for block in blocks) / values.size))
