"""Maps, depth downwards from the probe."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from .style import (
    Limits,
    RecordingLike,
    SequenceLike,
    Spacing,
    Unit,
    add_colourbar,
    axes_or_new,
    decibel,
    diverging,
    factor,
    image,
    require_velocity,
    spacing_of,
)

_BLOCK = 64  # frames at a time


def variance_map(
    variance: ArrayLike | SequenceLike,
    spacing: Spacing = None,
    ax: Axes | None = None,
    unit: Unit = "mm/s",
    limits: Limits = None,
    colourbar: bool = True,
) -> Axes:
    """Temporal variance of each pixel in dB.

    Parameters
    ----------
    variance : (Z, X), (m/s)², squared SDs if `unit` is `SD`; or a `Sequence`
    spacing : (dz, dx), m; not with a `Sequence`, which has its own
    limits : dB, lowest and highest shown; the 1st and the 100th percentile if None

    Raises
    ------
    InputError : no spacing, or a unit that is not that of what is drawn.
    """
    spacing = spacing_of(variance, spacing)
    if isinstance(variance, SequenceLike):
        require_velocity(unit)
        variance = _variance(variance.velocity)
    level = decibel(np.asarray(variance) * factor(unit) ** 2)
    low, high = limits or (float(np.percentile(level, 1)), float(level.max()))
    label = "variance (dB re 1 (mm/s)²)" if unit == "mm/s" else "variance (dB re SD²)"
    return image(level, spacing, ax, "magma", (low, high), label if colourbar else None)


def frame(
    velocity: ArrayLike | SequenceLike,
    spacing: Spacing = None,
    ax: Axes | None = None,
    unit: Unit = "mm/s",
    limit: float | None = None,
    colourbar: bool = True,
    index: int | None = None,
) -> Axes:
    """Velocity of one frame; red towards the probe, blue away.

    Parameters
    ----------
    velocity : (Z, X), m/s, SDs if `unit` is `SD`; or a `Sequence`
    spacing : (dz, dx), m; not with a `Sequence`, which has its own
    limit : largest velocity shown either way, in the unit drawn; the largest there is if None
    index : which frame of a `Sequence`; the first if None

    Raises
    ------
    InputError : no spacing, no such frame, or a unit that is not that of what is drawn.
    """
    spacing = spacing_of(velocity, spacing)
    if isinstance(velocity, SequenceLike):
        require_velocity(unit)
        velocity = _numbered(velocity.velocity, index or 0)
    elif index is not None:
        raise InputError(f"index={index} picks a frame of a Sequence; give one, or the frame alone")
    return diverging(velocity, spacing, ax, unit, limit, f"velocity ({unit})" if colourbar else None)


def b_mode(
    iq: ArrayLike | RecordingLike,
    spacing: Spacing = None,
    ax: Axes | None = None,
    span: float = 50.0,
    colourbar: bool = True,
    index: int | None = None,
) -> Axes:
    """Echo of one frame in dB below its strongest thousandth.

    Parameters
    ----------
    iq : (Z, X), complex, or its magnitude; or a `Recording`
    spacing : (dz, dx), m; not with a `Recording`, which has its own
    span : dB shown
    index : which frame of a `Recording`; the first if None

    Raises
    ------
    InputError : no spacing, or no such frame.
    """
    spacing = spacing_of(iq, spacing)
    if isinstance(iq, RecordingLike):
        iq = _frame_of(iq, index or 0)
    elif index is not None:
        raise InputError(f"index={index} picks a frame of a Recording; give one, or the frame alone")
    echo = np.abs(np.asarray(iq))
    brightest = float(np.percentile(echo, 99.9)) or 1.0
    return image(2 * decibel(echo / brightest), spacing, ax, "gray", (-span, 0.0), "echo (dB)" if colourbar else None)


def difference_map(
    difference: ArrayLike,
    spacing: tuple[float, float],
    ax: Axes | None = None,
    unit: Unit = "mm/s",
    limit: float | None = None,
    label: str = "translated − silico",
) -> Axes:
    """A signed map (translated − silico), with limits symmetric about zero; an absolute map from zero up.

    Parameters
    ----------
    difference : (Z, X), m/s; SDs if `unit` is `SD`. Without negative values it is drawn as absolute.
    spacing : (dz, dx), m
    limit : largest value shown, in the unit drawn; the 99.5th percentile of |difference| if None
    label : what the colour bar says before the unit
    """
    values = np.asarray(difference, float) * factor(unit)
    limit = limit or float(np.percentile(np.abs(values), 99.5)) or 1.0
    text = f"{label} ({unit})"
    if values.min() >= 0:
        return image(values, spacing, ax, "viridis", (0.0, limit), text)
    return image(values, spacing, ax, "RdBu_r", (-limit, limit), text)


def correlation_map(correlation: ArrayLike, spacing: tuple[float, float], ax: Axes | None = None) -> Axes:
    """Content correlation of each pixel, −1 to 1 drawn from 0; undefined pixels stay grey.

    Parameters
    ----------
    correlation : (Z, X), as `evaluation.content.content_correlation` gives
    spacing : (dz, dx), m
    """
    return image(np.asarray(correlation, float), spacing, ax, "viridis", (0.0, 1.0), "xCorr")


def lag_map(lag: ArrayLike, spacing: tuple[float, float], ax: Axes | None = None, limit: float = 0.1) -> Axes:
    """Lag of each pixel in ms; positive, red: the translated motion comes later.

    Parameters
    ----------
    lag : (Z, X), s
    spacing : (dz, dx), m
    limit : s, largest lag shown either way
    """
    return image(np.asarray(lag, float) * 1e3, spacing, ax, "PuOr_r", (-limit * 1e3, limit * 1e3), "lag (ms)")


def territories(
    mask: ArrayLike | object,
    spacing: Spacing = None,
    ax: Axes | None = None,
    colour: str = "white",
    style: str = "solid",
) -> Axes:
    """Outlines of the motor-unit territories over a map.

    Parameters
    ----------
    mask : (K, Z, X) bool; or a `Sequence` with labels, its labels, or `Units`
    spacing : (dz, dx), m; not with a `Sequence` or `Units`, which have their own
    ax : axes of the map; an empty grey one is drawn if None

    Raises
    ------
    InputError : no spacing, or a sequence without labels.
    """
    spacing = spacing_of(mask, spacing)
    masks = _masks(mask)
    if ax is None:
        ax = image(np.full(masks.shape[1:], np.nan), spacing, None, "gray", (0.0, 1.0), None)
    dz, dx = (1e3 * value for value in spacing)
    for inside in masks:
        if inside.any() and not inside.all():
            depth, lateral = (np.arange(inside.shape[0]) + 0.5) * dz, (np.arange(inside.shape[1]) + 0.5) * dx
            ax.contour(lateral, depth, inside, levels=[0.5], colors=colour, linewidths=0.8, linestyles=style)
    return ax


def kspace(
    magnitude: ArrayLike,
    size: tuple[int, int],
    spacing: tuple[float, float],
    ax: Axes | None = None,
    limits: Limits = None,
    colourbar: bool = True,
) -> Axes:
    """K-space magnitude of a log-variance map in dB, over spatial frequency up to the Nyquist frequency.

    Parameters
    ----------
    magnitude : as `evaluation.map_features.kspace` gives: row i is frequency (i + 1) / (Z dz) in depth
    size : (Z, X) of the map
    spacing : (dz, dx), m
    limits : dB; the 1st and the 100th percentile if None
    """
    level = 2 * decibel(magnitude)[: size[0] // 2, : size[1] // 2]  # beyond, a small map's frequencies are negative
    ax = axes_or_new(ax)
    step_z, step_x = (1e-3 / (count * one) for count, one in zip(size, spacing, strict=True))  # cycles per mm
    rows, columns = level.shape
    low, high = limits or (float(np.percentile(level, 1)), float(level.max()))
    extent = (0.5 * step_x, (columns + 0.5) * step_x, (rows + 0.5) * step_z, 0.5 * step_z)
    image = ax.imshow(level, extent=extent, cmap="viridis", vmin=low, vmax=high, interpolation="nearest")
    ax.set(xlabel="lateral (cycles/mm)", ylabel="depth (cycles/mm)")
    if colourbar:
        add_colourbar(ax, image, "magnitude (dB)")
    return ax


def significance(
    p: ArrayLike, spacing: tuple[float, float], ax: Axes, alpha: float = 0.05, colour: str = "black"
) -> Axes:
    """Outlines, over a map, of where p is at most `alpha`.

    Parameters
    ----------
    p : (Z, X)
    spacing : (dz, dx), m
    """
    return territories((np.asarray(p) <= alpha)[None], spacing, ax, colour)


def _variance(velocity: NDArray[np.float32]) -> NDArray[np.float64]:
    """(Z, X): variance over time of (T, Z, X), of the difference from the first frame, so that it is exact if small."""
    first = velocity[0].astype(np.float64)
    total, squares = np.zeros_like(first), np.zeros_like(first)
    for start in range(0, len(velocity), _BLOCK):
        moved = velocity[start : start + _BLOCK] - first
        total += moved.sum(axis=0)
        squares += np.square(moved).sum(axis=0)
    return np.maximum(squares / len(velocity) - (total / len(velocity)) ** 2, 0.0)


def _numbered(frames: NDArray[np.float32], index: int) -> NDArray[np.float32]:
    """A frame of a sequence, from the end if negative."""
    if not -len(frames) <= index < len(frames):
        raise InputError(f"there is no frame {index}; the sequence has {len(frames)}, counted from 0")
    return frames[index]


def _frame_of(recording: RecordingLike, index: int) -> NDArray[np.complex64]:
    """A frame of a recording, read no further than that."""
    passed = 0
    for block in recording.blocks():
        if 0 <= index < passed + len(block):
            return block[index - passed]
        passed += len(block)
    raise InputError(f"there is no frame {index}; the recording has {passed}, counted from 0")


def _masks(drawn: object) -> NDArray[np.float64]:
    """(K, Z, X), 1 inside: of an array, of what has masks, or of what has labels."""
    source = drawn
    if isinstance(drawn, SequenceLike):
        source = getattr(drawn, "labels", None)
        if source is None:
            raise InputError("the sequence has no labels, so no territories are known; simulated and phantom ones have")
    masks = np.asarray(getattr(source, "mask", source), float)
    if masks.ndim != 3:
        raise InputError(f"territories must be masks (K, Z, X), got shape {masks.shape}")
    return masks
