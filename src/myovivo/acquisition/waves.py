"""What wave an array of transmit delays makes: plane, diverging or focused, by fit."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from ..errors import InputError

_WIDEST = 1.0  # m, of a probe from its middle

NOWHERE = (np.nan, np.nan)  # the virtual source of a plane wave


class Wave(NamedTuple):
    """A wave, and how well it explains the delays.

    Attributes
    ----------
    angle : steering of a plane wave, rad; 0 of others
    source : where it comes from (z <= 0) or goes to (z > 0): (x, z), m; NaN of a plane wave
    crossing : s, when it passes the origin, on the clock of the delays
    residual : s, the largest distance of a delay from the fit
    """

    angle: float
    source: tuple[float, float]
    crossing: float
    residual: float


def fit_wave(
    x: NDArray[np.float64], z: NDArray[np.float64], delays: NDArray[np.float64], sound_speed: float, tolerance: float
) -> Wave:
    """The wave that some delays make: plane if that explains them, else of a virtual source.

    Parameters
    ----------
    x, z : (E,) positions of the elements, m
    delays : (E,) s; not finite for elements that do not fire
    sound_speed : m/s
    tolerance : s; a plane wave is what lies no further from the delays

    Returns
    -------
    Wave

    Raises
    ------
    InputError : no element fires, positions that cannot be, or delays that rise faster than sound.
    """
    if not (np.abs([x, z]) <= _WIDEST).all():
        raise InputError(f"elements must lie within {_WIDEST:g} m of the probe's middle; give their positions in m")
    fires = np.isfinite(delays)
    x, z, delays = x[fires], z[fires], delays[fires]
    if len(delays) == 0:
        raise InputError("transmit delays must be finite for at least one element; give scan.angles in rad")
    if len(delays) == 1:
        return Wave(0.0, (float(x[0]), float(z[0])), float(delays[0] + np.hypot(x[0], z[0]) / sound_speed), 0.0)
    slope = float(np.polyfit(x, delays, 1)[0]) if not np.any(z) else 0.0
    if abs(slope * sound_speed) >= 1:
        raise InputError(
            f"the transmit delays rise by {abs(slope):.3g} s/m along the array, faster than sound; they must be in s"
        )
    plane = _plane(x, z, delays, sound_speed)
    if plane.residual <= tolerance or len(delays) < 4:
        return plane
    return _spherical(x, z, delays, sound_speed)


def _plane(x: NDArray[Any], z: NDArray[Any], delays: NDArray[Any], c: float) -> Wave:
    if not np.any(z):
        slope, middle = np.polyfit(x, delays, 1)
        residual = np.abs(delays - middle - slope * x).max()
        return Wave(float(np.arcsin(slope * c)), NOWHERE, float(middle), float(residual))
    fit, residual, centre = _fitted(x, z, delays, c, bent=False)
    angle, _, at_centre = fit
    crossing = at_centre - (centre[0] * np.sin(angle) + centre[1] * np.cos(angle)) / c
    return Wave(float(angle), NOWHERE, float(crossing), residual)


def _spherical(x: NDArray[Any], z: NDArray[Any], delays: NDArray[Any], c: float) -> Wave:
    (angle, bend, at_centre), residual, centre = _fitted(x, z, delays, c, bent=True)
    if bend == 0:
        return Wave(float(angle), NOWHERE, float(at_centre), residual)
    source = centre - np.array([np.sin(angle), np.cos(angle)]) / bend
    # The distance from the source grows with time before it diverges, shrinks while it converges.
    sign = np.sign(bend)
    crossing = at_centre + sign * (np.linalg.norm(source) - 1 / abs(bend)) / c
    return Wave(0.0, (float(source[0]), float(source[1])), float(crossing), residual)


def _fitted(
    x: NDArray[Any], z: NDArray[Any], delays: NDArray[Any], c: float, bent: bool
) -> tuple[tuple[float, float, float], float, NDArray[Any]]:
    """Direction (rad), curvature (1/m, negative if it converges) and time (s) of a wave at the middle of the elements
    that fire, the largest residual (s), and where that middle is.

    Written so that a plane wave, of curvature k = 0, is nothing special: with p from the middle and n the direction,
    c t = (k |p|^2 + 2 p.n) / (|k p + n| + 1), which is the distance from the source less that of the middle.
    """
    centre = np.array([(x.min() + x.max()) / 2, np.interp((x.min() + x.max()) / 2, x, z)])
    px, pz = x - centre[0], z - centre[1]
    scale = float(np.abs(px).max())

    def residuals(values: NDArray[Any]) -> NDArray[Any]:
        angle, bend = values[0], values[1] / scale if bent else 0.0
        nx, nz = np.sin(angle), np.cos(angle)
        path = (bend * (px**2 + pz**2) + 2 * (px * nx + pz * nz)) / (np.hypot(bend * px + nx, bend * pz + nz) + 1)
        return (path - c * delays) / scale + values[-1]

    # A parabola through what the delays would be on a straight line is where the fit starts.
    curve, rise, start = np.polyfit(px, c * delays - pz, 2)
    angle = float(np.arcsin(np.clip(rise, -0.99, 0.99)))
    first = [angle, 2 * curve / np.cos(angle) ** 2 * scale, start / scale] if bent else [angle, start / scale]
    fit = least_squares(residuals, first, method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14)
    values = fit.x
    largest = float(np.abs(residuals(values)).max()) * scale / c
    return (float(values[0]), float(values[1]) / scale if bent else 0.0, float(values[-1]) * scale / c), largest, centre
