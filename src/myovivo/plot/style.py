"""Colours, limits and axes that all figures share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Sequence as Series
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError

SILICO, TRANSLATED, VIVO = "#D55E00", "#0072B2", "#1A1A1A"

OTHERS = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # further models, further losses

Unit = Literal["mm/s", "SD"]

Limits = tuple[float, float] | None


@runtime_checkable
class SequenceLike(Protocol):
    """What is drawn like a `Sequence`: velocity (T, Z, X), m/s, frame rate, Hz, and spacing (dz, dx), m."""

    @property
    def velocity(self) -> NDArray[np.float32]: ...

    @property
    def frame_rate(self) -> float: ...

    @property
    def spacing(self) -> tuple[float, float]: ...


@runtime_checkable
class RecordingLike(Protocol):
    """What is drawn like a `Recording`: its blocks of frames (B, Z, X), and spacing (dz, dx), m."""

    @property
    def blocks(self) -> Callable[[], Iterator[NDArray[np.complex64]]]: ...

    @property
    def spacing(self) -> tuple[float, float]: ...


Spacing = tuple[float, float] | None


def spacing_of(drawn: object, spacing: Spacing) -> tuple[float, float]:
    """The spacing (dz, dx), m, that was given, or that what is drawn has.

    Raises
    ------
    InputError : neither, both, or no two positive numbers.
    """
    own = getattr(drawn, "spacing", None)
    if own is not None and spacing is not None:
        kind = type(drawn).__name__
        raise InputError(f"a {kind} has its own spacing, got {spacing} beside it; leave it out, and name the axes ax=…")
    value = own if spacing is None else spacing
    if value is None:
        raise InputError("a map needs the size of its pixels; give spacing=(dz, dx) in m, or a Sequence")
    try:
        dz, dx = (float(step) for step in value)
    except (TypeError, ValueError):
        got = type(value).__name__
        raise InputError(f"spacing must be (dz, dx) in m, got {got} {value}; axes are named, ax=…") from None
    if not (0 < dz < np.inf and 0 < dx < np.inf):
        raise InputError(f"spacing must be positive, in m, got ({dz:g}, {dx:g})")
    return dz, dx


def require_velocity(unit: Unit) -> None:
    """Refuse to draw a sequence in SDs: it is in m/s.

    Raises
    ------
    InputError : a unit other than mm/s.
    """
    if unit != "mm/s":
        raise InputError(f"a Sequence is in m/s and is drawn in mm/s, got unit={unit!r}; give standardised arrays")


def decibel(power: ArrayLike) -> Any:
    """10 log₁₀ of a power; what is 0 takes the smallest positive float."""
    return 10 * np.log10(np.maximum(np.asarray(power, float), np.finfo(float).tiny))


def common_limits(maps: Series[ArrayLike], low: float = 1.0, high: float = 99.8) -> tuple[float, float]:
    """Limits for panels that are to be compared: percentiles over all their values together."""
    values = np.concatenate([np.ravel(one) for one in maps])
    values = values[np.isfinite(values)]
    bottom, top = np.percentile(values, [low, high])
    return float(bottom), float(top) if top > bottom else float(bottom) + 1.0


def factor(unit: Unit) -> float:
    if unit not in ("mm/s", "SD"):
        raise InputError(f"unit must be 'mm/s' or 'SD', got {unit!r}")
    return 1e3 if unit == "mm/s" else 1.0


def diverging(
    values: ArrayLike, spacing: tuple[float, float], ax: Axes | None, unit: Unit, limit: float | None, label: str | None
) -> Axes:
    drawn = np.asarray(values, float) * factor(unit)
    limit = limit or float(np.abs(drawn).max()) or 1.0
    return image(drawn, spacing, ax, "RdBu_r", (-limit, limit), label)


def image(
    values: Any,
    spacing: tuple[float, float],
    ax: Axes | None,
    cmap: str,
    limits: tuple[float, float],
    label: str | None,
) -> Axes:
    if values.ndim != 2:
        raise InputError(f"a map must be (Z, X), got shape {values.shape}")
    ax = axes_or_new(ax)
    height, width = (1e3 * count * step for count, step in zip(values.shape, spacing, strict=True))
    ax.set_facecolor("0.8")  # shows through where a map is undefined
    image = ax.imshow(
        values, cmap=cmap, vmin=limits[0], vmax=limits[1], extent=(0, width, height, 0), interpolation="nearest"
    )
    ax.set(xlabel="lateral (mm)", ylabel="depth (mm)")
    if label:
        add_colourbar(ax, image, label)
    return ax


def add_colourbar(ax: Axes, image: Any, label: str) -> None:
    bar = ax.figure.colorbar(image, ax=ax, fraction=0.046, pad=0.03)
    bar.set_label(label)
    bar.outline.set_visible(False)  # type: ignore[operator]


def unframed(ax: Axes) -> Axes:
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def axes_or_new(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    from matplotlib import pyplot  # only here: drawing on given axes needs no window system

    return pyplot.subplots()[1]


def round_down(value: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above `value`."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(max(step * power for step in (1, 2, 5) if step * power <= value * (1 + 1e-9)))
