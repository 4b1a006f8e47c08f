"""One function per figure: each takes data and an axes, draws, and returns the axes.

Data come in SI units as everywhere, and are drawn in mm, mm/s and ms. Velocities of standardised
sequences are drawn in SDs (`unit="SD"`). Depth runs downwards from the probe. Give the same `limits`
to panels that are to be compared. The colours are those of Okabe and Ito (2008), told apart with
any kind of colour vision and in print.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Series
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from .errors import InputError

SILICO, TRANSLATED, VIVO = "#D55E00", "#0072B2", "#1A1A1A"
OTHERS = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # further models, further losses

Unit = Literal["mm/s", "SD"]
Limits = tuple[float, float] | None


def variance_map(
    variance: ArrayLike,
    spacing: tuple[float, float],
    ax: Axes | None = None,
    unit: Unit = "mm/s",
    limits: Limits = None,
    colourbar: bool = True,
) -> Axes:
    """Temporal variance of each pixel in dB.

    Parameters
    ----------
    variance : (Z, X), (m/s)²; squared SDs if `unit` is `SD`
    spacing : (dz, dx), m
    limits : dB, lowest and highest shown; the 1st and the 100th percentile if None
    """
    level = decibel(np.asarray(variance) * (1e6 if unit == "mm/s" else 1.0))
    low, high = limits or (float(np.percentile(level, 1)), float(level.max()))
    label = "variance (dB re 1 (mm/s)²)" if unit == "mm/s" else "variance (dB re SD²)"
    return _image(level, spacing, ax, "magma", (low, high), label if colourbar else None)


def frame(
    velocity: ArrayLike,
    spacing: tuple[float, float],
    ax: Axes | None = None,
    unit: Unit = "mm/s",
    limit: float | None = None,
    colourbar: bool = True,
) -> Axes:
    """Velocity of one frame; red towards the probe, blue away.

    Parameters
    ----------
    velocity : (Z, X), m/s; SDs if `unit` is `SD`
    spacing : (dz, dx), m
    limit : largest velocity shown either way, in the unit drawn; the largest there is if None
    """
    return _diverging(velocity, spacing, ax, unit, limit, f"velocity ({unit})" if colourbar else None)


def b_mode(
    iq: ArrayLike,
    spacing: tuple[float, float],
    ax: Axes | None = None,
    span: float = 50.0,
    colourbar: bool = True,
) -> Axes:
    """Echo of one frame in dB below its strongest thousandth.

    Parameters
    ----------
    iq : (Z, X), complex, or its magnitude
    spacing : (dz, dx), m
    span : dB shown
    """
    echo = np.abs(np.asarray(iq))
    brightest = float(np.percentile(echo, 99.9)) or 1.0
    return _image(2 * decibel(echo / brightest), spacing, ax, "gray", (-span, 0.0), "echo (dB)" if colourbar else None)


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
    values = np.asarray(difference, float) * _factor(unit)
    limit = limit or float(np.percentile(np.abs(values), 99.5)) or 1.0
    text = f"{label} ({unit})"
    if values.min() >= 0:
        return _image(values, spacing, ax, "viridis", (0.0, limit), text)
    return _image(values, spacing, ax, "RdBu_r", (-limit, limit), text)


def correlation_map(correlation: ArrayLike, spacing: tuple[float, float], ax: Axes | None = None) -> Axes:
    """Content correlation of each pixel, −1 to 1 drawn from 0; undefined pixels stay grey.

    Parameters
    ----------
    correlation : (Z, X), as `evaluate.metrics.content_correlation` gives
    spacing : (dz, dx), m
    """
    return _image(np.asarray(correlation, float), spacing, ax, "viridis", (0.0, 1.0), "xCorr")


def lag_map(lag: ArrayLike, spacing: tuple[float, float], ax: Axes | None = None, limit: float = 0.1) -> Axes:
    """Lag of each pixel in ms; positive, red: the translated motion comes later.

    Parameters
    ----------
    lag : (Z, X), s
    spacing : (dz, dx), m
    limit : s, largest lag shown either way
    """
    return _image(np.asarray(lag, float) * 1e3, spacing, ax, "PuOr_r", (-limit * 1e3, limit * 1e3), "lag (ms)")


def territories(
    mask: ArrayLike, spacing: tuple[float, float], ax: Axes, colour: str = "white", style: str = "solid"
) -> Axes:
    """Outlines of the motor-unit territories over a map.

    Parameters
    ----------
    mask : (K, Z, X) bool
    spacing : (dz, dx), m
    """
    dz, dx = (1e3 * value for value in spacing)
    for one in np.asarray(mask, float):
        if one.any() and not one.all():
            depth, lateral = (np.arange(one.shape[0]) + 0.5) * dz, (np.arange(one.shape[1]) + 0.5) * dx
            ax.contour(lateral, depth, one, levels=[0.5], colors=colour, linewidths=0.8, linestyles=style)
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
    magnitude : as `evaluate.metrics.kspace` gives: row i is frequency (i + 1) / (Z dz) in depth
    size : (Z, X) of the map
    spacing : (dz, dx), m
    limits : dB; the 1st and the 100th percentile if None
    """
    level = 2 * decibel(magnitude)[: size[0] // 2, : size[1] // 2]  # beyond, a small map's frequencies are negative
    ax = _axes(ax)
    step_z, step_x = (1e-3 / (count * one) for count, one in zip(size, spacing, strict=True))  # cycles per mm
    rows, columns = level.shape
    low, high = limits or (float(np.percentile(level, 1)), float(level.max()))
    extent = (0.5 * step_x, (columns + 0.5) * step_x, (rows + 0.5) * step_z, 0.5 * step_z)
    image = ax.imshow(level, extent=extent, cmap="viridis", vmin=low, vmax=high, interpolation="nearest")
    ax.set(xlabel="lateral (cycles/mm)", ylabel="depth (cycles/mm)")
    if colourbar:
        _colourbar(ax, image, "magnitude (dB)")
    return ax


def psd(
    frequency: ArrayLike,
    log_psd: Mapping[str, ArrayLike],
    ax: Axes | None = None,
    colours: Mapping[str, str] | None = None,
    highest: float | None = None,
) -> Axes:
    """Mean power spectral density of each domain, with its SD over the sequences as a band.

    Parameters
    ----------
    frequency : (F,) Hz
    log_psd : name -> (N, F), ln of the mean PSD of each sequence, standardised
    colours : name -> colour
    highest : Hz, where the axis ends; at the Nyquist frequency if None
    """
    ax = _axes(ax)
    frequency = np.asarray(frequency)
    for index, (name, curves) in enumerate(log_psd.items()):
        level = np.atleast_2d(np.asarray(curves)) * (10 / np.log(10))
        colour = (colours or {}).get(name, OTHERS[index % len(OTHERS)])
        mean, sd = level.mean(axis=0), level.std(axis=0)
        ax.fill_between(frequency, mean - sd, mean + sd, color=colour, alpha=0.18, linewidth=0)
        ax.plot(frequency, mean, color=colour, linewidth=1.5, label=name)
    ax.set(xlabel="frequency (Hz)", ylabel="power (dB re SD²/Hz)", xlim=(0, highest or float(frequency.max())))
    ax.legend(frameon=False)
    return _open(ax)


def time_signals(
    silico: ArrayLike,
    translated: ArrayLike,
    frame_rate: float,
    ax: Axes | None = None,
    labels: Series[str] = (),
    unit: Unit = "mm/s",
    names: tuple[str, str] = ("silico", "translated"),
) -> Axes:
    """Velocity over time at some pixels, before and after translation, one above the other.

    Parameters
    ----------
    silico, translated : (T, N), m/s; SDs if `unit` is `SD`
    frame_rate : Hz
    labels : N texts, one beside each pair of signals
    """
    before, after = (np.asarray(value, float) * _factor(unit) for value in (silico, translated))
    if before.shape != after.shape or before.ndim != 2:
        raise InputError(f"signals must both be (T, N), got {before.shape} and {after.shape}")
    ax = _axes(ax)
    time = 1e3 * np.arange(len(before)) / frame_rate
    # One scale for all: each signal is moved down just far enough not to touch the one above.
    top, bottom = np.maximum(before.max(axis=0), after.max(axis=0)), np.minimum(before.min(axis=0), after.min(axis=0))
    gap = 0.15 * float(np.max(top - bottom)) or 1.0
    bases = -np.concatenate([[0.0], np.cumsum(np.maximum(top[1:] - bottom[:-1] + gap, 2 * gap))])
    for index, base in enumerate(bases):
        ax.axhline(base, color="0.85", linewidth=0.6, zorder=0)
        ax.plot(time, base + before[:, index], color=SILICO, linewidth=1.2, label=names[0] if index == 0 else None)
        ax.plot(time, base + after[:, index], color=TRANSLATED, linewidth=1.0, label=names[1] if index == 0 else None)
        if index < len(labels):
            beside = (1.01, base)
            ax.annotate(labels[index], beside, xycoords=("axes fraction", "data"), va="center", fontsize="small")
    foot = bases[-1] + bottom[-1] - gap
    bar = _round_down(2 * gap)
    ax.plot([time[0]] * 2, [foot, foot + bar], color="black", linewidth=3, clip_on=False, solid_capstyle="butt")
    beside_bar: Any = {"textcoords": "offset points", "va": "center", "ha": "right", "fontsize": "small"}
    ax.annotate(f"{bar:g} {unit}", (time[0], foot + bar / 2), (-5, 0), **beside_bar)
    ax.set(xlabel="time (ms)", xlim=(time[0], time[-1]), yticks=[], ylim=(foot - 0.2 * gap, top[0] + gap))
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.1)
    _open(ax)
    ax.spines["left"].set_visible(False)
    return ax


def depth_profile(
    depth: ArrayLike,
    mean: ArrayLike,
    sd: ArrayLike,
    ax: Axes | None = None,
    unit: Unit = "mm/s",
    colour: str = TRANSLATED,
    label: str = "",
) -> Axes:
    """Mean ± SD of a map over the lateral direction; depth runs downwards.

    Parameters
    ----------
    depth : (Z,) m
    mean, sd : (Z,), m/s; SDs if `unit` is `SD`
    """
    centre, spread = np.asarray(mean, float), np.asarray(sd, float)
    return depth_band(depth, centre, centre - spread, centre + spread, ax, unit, colour, label)


def depth_band(
    depth: ArrayLike,
    mean: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    ax: Axes | None = None,
    unit: Unit = "mm/s",
    colour: str = TRANSLATED,
    label: str = "",
    p: ArrayLike | None = None,
    alpha: float = 0.05,
) -> Axes:
    """A mean within a band from `low` to `high`, such as its 95 % interval; depth runs downwards.

    Parameters
    ----------
    depth : (Z,) m
    mean, low, high : (Z,), m/s; SDs if `unit` is `SD`
    p : (Z,); depths at which it is at most `alpha` are marked at the left edge
    """
    ax = _axes(ax)
    depth_mm = 1e3 * np.asarray(depth)
    centre, low, high = (np.asarray(value, float) * _factor(unit) for value in (mean, low, high))
    ax.fill_betweenx(depth_mm, low, high, color=colour, alpha=0.2, linewidth=0)
    ax.plot(centre, depth_mm, color=colour, linewidth=1.5)
    ax.axvline(0, color="0.6", linewidth=0.6)
    if p is not None:
        found = depth_mm[np.asarray(p) <= alpha]
        edge = ax.get_yaxis_transform()
        ax.plot(np.full(len(found), 0.02), found, "s", color=colour, markersize=3, transform=edge, clip_on=False)
    step = depth_mm[1] - depth_mm[0] if len(depth_mm) > 1 else 1.0
    ax.set(ylabel="depth (mm)", ylim=(depth_mm[-1] + step / 2, depth_mm[0] - step / 2))
    if label or not ax.get_xlabel():
        ax.set_xlabel(f"{label} ({unit})".strip())
    return _open(ax)


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


def losses(steps: ArrayLike, curves: Mapping[str, ArrayLike], ax: Axes | None = None) -> Axes:
    """Training losses over steps, each smoothed over a fiftieth of the run.

    Parameters
    ----------
    steps : (S,)
    curves : name -> (S,) loss
    """
    ax = _axes(ax)
    steps = np.asarray(steps)
    window = max(1, len(steps) // 50)
    colours = (TRANSLATED, SILICO, *OTHERS, VIVO)
    for index, (name, values) in enumerate(curves.items()):
        values = np.asarray(values, float)
        smooth = np.convolve(values, np.ones(window) / window, "valid")
        style = "-" if index < len(colours) else "--"
        ax.plot(steps[window - 1 :], smooth, style, color=colours[index % len(colours)], linewidth=1.2, label=name)
    ax.set(xlabel="step", ylabel="loss")
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return _open(ax)


def decibel(power: ArrayLike) -> Any:
    """10 log₁₀ of a power; what is 0 takes the smallest positive float."""
    return 10 * np.log10(np.maximum(np.asarray(power, float), np.finfo(float).tiny))


def common_limits(maps: Series[ArrayLike], low: float = 1.0, high: float = 99.8) -> tuple[float, float]:
    """Limits for panels that are to be compared: percentiles over all their values together."""
    values = np.concatenate([np.ravel(one) for one in maps])
    values = values[np.isfinite(values)]
    bottom, top = np.percentile(values, [low, high])
    return float(bottom), float(top) if top > bottom else float(bottom) + 1.0


def _factor(unit: Unit) -> float:
    if unit not in ("mm/s", "SD"):
        raise InputError(f"unit must be 'mm/s' or 'SD', got {unit!r}")
    return 1e3 if unit == "mm/s" else 1.0


def _diverging(
    values: ArrayLike, spacing: tuple[float, float], ax: Axes | None, unit: Unit, limit: float | None, label: str | None
) -> Axes:
    drawn = np.asarray(values, float) * _factor(unit)
    limit = limit or float(np.abs(drawn).max()) or 1.0
    return _image(drawn, spacing, ax, "RdBu_r", (-limit, limit), label)


def _image(
    values: Any,
    spacing: tuple[float, float],
    ax: Axes | None,
    cmap: str,
    limits: tuple[float, float],
    label: str | None,
) -> Axes:
    if values.ndim != 2:
        raise InputError(f"a map must be (Z, X), got shape {values.shape}")
    ax = _axes(ax)
    height, width = (1e3 * count * step for count, step in zip(values.shape, spacing, strict=True))
    ax.set_facecolor("0.8")  # shows through where a map is undefined
    image = ax.imshow(
        values, cmap=cmap, vmin=limits[0], vmax=limits[1], extent=(0, width, height, 0), interpolation="nearest"
    )
    ax.set(xlabel="lateral (mm)", ylabel="depth (mm)")
    if label:
        _colourbar(ax, image, label)
    return ax


def _colourbar(ax: Axes, image: Any, label: str) -> None:
    bar = ax.figure.colorbar(image, ax=ax, fraction=0.046, pad=0.03)
    bar.set_label(label)
    bar.outline.set_visible(False)  # type: ignore[operator]


def _open(ax: Axes) -> Axes:
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    from matplotlib import pyplot  # only here: drawing on given axes needs no window system

    return pyplot.subplots()[1]


def _round_down(value: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above `value`."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(max(step * power for step in (1, 2, 5) if step * power <= value * (1 + 1e-9)))
