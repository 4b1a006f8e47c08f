"""The geometry of channel data: where the elements are, and the steering and timing of each wave."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .channel_data import centred
from .content import Content, Parameter, Parameters, parameter
from .waves import fit_wave

_NO_DELAY, _STRAIGHT = parameter("start_time", 0.0, "default"), parameter("angles", 0.0, "default")

_LEVEL = 1e-6  # m: less than that is rounding

_TURNED = 1e-3  # rad, from which an element looks aside

_UNEVEN = 0.05  # of the mean distance between elements

_SLANTED = 0.1  # rad, between where elements are said to look to and where the array's shape says they do

_CURVED = re.compile(r"\b(?:curv\w*|convex\w*|[A-Z]{0,2}CA?\d+(?:-\d+)?\w*)", re.IGNORECASE)

_MATRIX = re.compile(r"matrix|row-?column|\brca\b|\b[23]d\b|annular", re.IGNORECASE)


def add_geometry(content: Content, stated: Parameters, given: Parameters) -> None:
    """Where the elements are, and the steering and timing of each wave.

    Raises
    ------
    InputError : the elements lie on no line or arc across the image, what is said of them contradicts itself or the
        data, or the waves are neither plane nor of a virtual source.
    """
    _, waves, samples, elements = content.shape
    middle = _add_elements(stated, given, samples, elements)
    given["start_time"] = stated.get("start_time") or _NO_DELAY
    if np.size(given["start_time"].value) == 0:
        given["start_time"] = _NO_DELAY
    for name in ("half_band", "apertures"):
        if name in stated:
            given[name] = stated[name]
    if "apertures" in given:
        given["apertures"] = given["apertures"]._replace(value=given["apertures"].value - middle[0])
    if "transmit_delays" in stated:
        _add_waves(stated, given, waves, samples, elements)
        return
    if "sources" in stated:
        sources = np.atleast_2d(np.asarray(stated["sources"].value, float))
        if sources.shape != (waves, 2):
            raise InputError(f"{waves} waves per frame need as many sources (x, z), got {sources.shape[0]}")
        given["sources"] = stated["sources"]._replace(value=sources - middle)
        given["angles"] = stated.get("angles") or parameter("angles", np.zeros(waves), stated["sources"].origin)
        return
    given["angles"] = stated.get("angles") or _STRAIGHT
    if np.size(given["angles"].value) == 1 and waves > 1:
        raise InputError(f"{waves} waves per frame need as many angles; give scan.angles in rad")


def _add_elements(stated: Parameters, given: Parameters, samples: int, elements: int) -> NDArray[np.float64]:
    """Positions and directions of the elements; returns where the middle of the array was, (x, z)."""
    _refuse_probes(stated)
    if "elements" in stated and (described := int(stated["elements"].value)) != elements:
        _refuse_elements(described, samples, elements)
    middle = np.zeros(2)
    if "element_x" in stated:
        x = np.asarray(stated["element_x"].value, float).ravel()
        middle[0] = (x[0] + x[-1]) / 2
        given["element_x"] = stated["element_x"]._replace(value=x - middle[0])
    elif "pitch" in stated:
        pitch = stated["pitch"]
        given["element_x"] = parameter("element_x", centred(elements, pitch.value), f"{pitch.origin}: pitch")
    if "element_x" not in given:
        return middle
    if len(x := given["element_x"].value) != elements:
        _refuse_elements(len(x), samples, elements)
    z = _depths(stated, given, x)
    if z is not None and np.ptp(z.value) > _LEVEL:
        middle[1] = z.value.max()
        given["element_z"] = z._replace(value=z.value - middle[1])
    _add_directions(stated, given)
    _refuse_guesses(stated, given)
    return middle


def _refuse_probes(stated: Parameters) -> None:
    """Arrays of two dimensions, by their positions, their rows or their name."""
    if "element_y" in stated and np.ptp(y := np.asarray(stated["element_y"].value, float)) > _LEVEL:
        raise InputError(
            f"the elements lie {np.ptp(y) * 1e3:.3g} mm apart across the image ({stated['element_y'].origin}): "
            "matrix and turned arrays are not beamformed; take one row, along x"
        )
    if "element_rows" in stated:
        rows = np.asarray(stated["element_rows"].value, float)
        if rows.size > 1 or rows > 1:
            raise InputError(
                f"the elements lie in several rows ({stated['element_rows'].origin}): matrix arrays are not "
                "beamformed; take one row"
            )
    if "probe" in stated and _MATRIX.search(name := str(stated["probe"].value)):
        raise InputError(f"the probe is a {name} ({stated['probe'].origin}): matrix arrays are not beamformed")


def _depths(stated: Parameters, given: Parameters, x: NDArray[np.float64]) -> Parameter | None:
    """Depth of each element as the file counts it; None if nothing is said."""
    if "element_z" in stated:
        z = np.asarray(stated["element_z"].value, float).ravel()
        z = np.repeat(z, len(x)) if len(z) == 1 else z
        if len(z) != len(x):
            raise InputError(f"{len(z)} depths of elements ({stated['element_z'].origin}) for {len(x)} elements")
        if np.ptp(z) > _LEVEL and "element_x" not in stated:
            raise InputError(
                f"pitch is of a linear array, but the depths of the elements differ by {np.ptp(z) * 1e3:.3g} mm "
                f"({stated['element_z'].origin}); leave it out"
            )
        return stated["element_z"]._replace(value=z)
    if "radius" not in stated or not np.all(np.isfinite(np.asarray(stated["radius"].value, float))):
        return None
    radius = float(np.squeeze(stated["radius"].value))
    if radius <= np.abs(x).max():
        raise InputError(
            f"an array of {np.ptp(x) * 1e3:.3g} mm cannot have a radius of {radius * 1e3:.3g} mm "
            f"({stated['radius'].origin}); it must be in m, and positive"
        )
    angle = np.arcsin(x / radius)
    if "element_x" not in stated:  # the pitch is the distance between neighbours, along the arc
        step = 2 * np.arcsin(stated["pitch"].value / 2 / radius)
        angle = centred(len(x), step)
        if abs(angle[0]) >= np.pi / 2:
            raise InputError(f"{len(x)} elements do not lie on half a circle of radius {radius * 1e3:.3g} mm")
        given["element_x"] = given["element_x"]._replace(value=radius * np.sin(angle))
    return parameter("element_z", radius * np.cos(angle), stated["radius"].origin)


def _add_directions(stated: Parameters, given: Parameters) -> None:
    """Where the elements look to, if it is said; it must be square to the array, or nearly."""
    if "element_angles" not in stated:
        return
    said = np.asarray(stated["element_angles"].value, float).ravel()
    x = given["element_x"].value
    said = np.repeat(said, len(x)) if len(said) == 1 else said
    z = given["element_z"].value if "element_z" in given else np.zeros(len(x))
    if len(said) != len(x):
        raise InputError(f"{len(said)} element angles ({stated['element_angles'].origin}) for {len(x)} elements")
    square = np.arctan2(-np.gradient(z, x), 1.0)
    if np.abs(said - square).max() > _SLANTED:
        raise InputError(
            f"the elements are said to look up to {np.abs(said).max():.3g} rad aside "
            f"({stated['element_angles'].origin}), but their positions make that {np.abs(square).max():.3g} rad; "
            "angles must be in rad, and positions in z (element_z) in m"
        )
    if np.abs(said).max() > _TURNED:
        given["element_angles"] = stated["element_angles"]._replace(value=said)


def _refuse_guesses(stated: Parameters, given: Parameters) -> None:
    """A curved array of which only the lateral positions are told."""
    if "element_z" in given:
        return
    told = stated.get("element_z")
    if (
        "probe" in stated
        and (told is None or told.origin.startswith("file"))
        and _CURVED.search(name := str(stated["probe"].value))
    ):
        radius = stated.get("radius")
        if radius is None or np.all(np.isfinite(np.asarray(radius.value, float))):
            raise InputError(
                f"the probe is a {name} ({stated['probe'].origin}), a curved one, but nothing tells how deep its "
                "elements lie; give element_z or radius in a mapping (element_z: 0 if it is linear)"
            )
    steps = np.diff(given["element_x"].value)
    if told is None and len(steps) > 1 and np.ptp(steps) > _UNEVEN * np.abs(np.mean(steps)):
        raise InputError(
            f"the elements are {steps.min() * 1e3:.3g} to {steps.max() * 1e3:.3g} mm apart "
            f"({given['element_x'].origin}), as those of a curved array seen from the front; give element_z or radius "
            "in a mapping (element_z: 0 if it is linear)"
        )


def _add_waves(stated: Parameters, given: Parameters, waves: int, samples: int, elements: int) -> None:
    """Plane waves or virtual sources, from transmit delays."""
    delays = np.atleast_2d(np.asarray(stated["transmit_delays"].value, float))
    if delays.shape[1] != elements:
        _refuse_elements(delays.shape[1], samples, elements)
    if "element_x" not in given or "centre_frequency" not in given:
        return
    if len(delays) != waves:
        raise InputError(f"{waves} waves per frame need transmit delays for each, got those of {len(delays)}")
    origin = stated["transmit_delays"].origin
    x, c = given["element_x"].value, given["sound_speed"].value
    z = given["element_z"].value if "element_z" in given else np.zeros(len(x))
    tolerance = 0.125 / given["centre_frequency"].value
    fitted = [fit_wave(x, z, row, c, tolerance) for row in delays]
    if (worst := max(wave.residual for wave in fitted)) > tolerance:
        raise InputError(
            f"the transmit delays ({origin}) are those of no plane, diverging or focused wave: the nearest is "
            f"{worst * 1e6:.2g} us off; they must be in s, in the order of the elements"
        )
    sources = np.array([wave.source for wave in fitted])
    said = stated.get("angles")
    is_argument = said is not None and not said.origin.startswith("file")
    if np.isfinite(sources).any():
        if is_argument:
            raise InputError(
                f"angles are of plane waves, but the transmit delays ({origin}) make diverging or focused ones; "
                "leave scan.angles out"
            )
        given["sources"] = parameter("sources", sources, f"{origin}: delays")
    angles = np.array([wave.angle for wave in fitted])
    given["angles"] = said if is_argument else parameter("angles", angles, f"{origin}: delays")  # type: ignore[assignment]
    if not np.isfinite(delays).all():
        given["apertures"] = parameter("apertures", _apertures(x, delays), f"{origin}: delays")
    if given["start_time"].origin != "argument":
        # Delays count from the first element that fires, start_time from the wave at the middle of the array.
        start = np.asarray(given["start_time"].value) - np.array([wave.crossing for wave in fitted])
        given["start_time"] = given["start_time"]._replace(value=start if waves > 1 else float(start[0]))


def _apertures(x: NDArray[np.float64], delays: NDArray[np.float64]) -> NDArray[np.float64]:
    """(W, 2), m: from the outer edge of the first element that fires to that of the last."""
    half = float(np.mean(np.diff(x))) / 2
    fires = np.isfinite(delays)
    last = len(x) - 1 - fires[:, ::-1].argmax(1)
    return np.stack([x[fires.argmax(1)] - half, x[last] + half], 1)


def frame_steps(intervals: NDArray[Any], waves: int) -> NDArray[Any]:
    """Seconds from frame to frame, from those between transmits: (T, W), or flat."""
    flat = intervals.ravel()
    whole = len(flat) // waves * waves
    return flat[:whole].reshape(-1, waves).sum(1)


def _refuse_elements(described: int, samples: int, elements: int) -> None:
    swapped = "; samples and elements look swapped" if described == samples else ""
    raise InputError(f"the scan describes {described} elements but the data has {elements}{swapped}; check scan.axes")
