"""The geometry of channel data: where the elements are, and the steering and timing of each wave."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .channel_data import centred
from .content import Content, Parameters, parameter

_NO_DELAY, _STRAIGHT = parameter("start_time", 0.0, "default"), parameter("angles", 0.0, "default")


def add_geometry(content: Content, found: Parameters, given: Parameters) -> None:
    """Where the elements are, and the steering and timing of each wave."""
    _, waves, samples, elements = content.shape
    if "element_x" in found:
        x = np.asarray(found["element_x"].value, float).ravel()
        given["element_x"] = found["element_x"]._replace(value=x - (x[0] + x[-1]) / 2)
    elif "pitch" in found:
        pitch = found["pitch"]
        given["element_x"] = parameter("element_x", centred(elements, pitch.value), f"{pitch.origin}: pitch")
    if "elements" in found and (described := int(found["elements"].value)) != elements:
        _refuse_elements(described, samples, elements)
    if "element_x" in given and len(x := given["element_x"].value) != elements:
        _refuse_elements(len(x), samples, elements)
    given["start_time"] = found.get("start_time") or _NO_DELAY
    if np.size(given["start_time"].value) == 0:
        given["start_time"] = _NO_DELAY
    if "transmit_delays" not in found:
        given["angles"] = found.get("angles") or _STRAIGHT
        if np.size(given["angles"].value) == 1 and waves > 1:
            raise InputError(f"{waves} waves per frame need as many angles; give scan.angles in rad")
        return
    delays = np.atleast_2d(np.asarray(found["transmit_delays"].value, float))
    if delays.shape[1] != elements:
        _refuse_elements(delays.shape[1], samples, elements)
    if "element_x" not in given:
        return
    if len(delays) != waves:
        raise InputError(f"{waves} waves per frame need transmit delays for each, got those of {len(delays)}")
    origin = found["transmit_delays"].origin
    x, c = given["element_x"].value, given["sound_speed"].value
    slope, at_middle, bend = np.transpose([_line(x, one) for one in delays])
    if np.any(np.abs(slope * c) >= 1):
        raise InputError(
            f"the transmit delays ({origin}) rise by {np.abs(slope).max():.3g} s/m along the array, faster than sound; "
            "they must be in s"
        )
    frequency = given["centre_frequency"].value if "centre_frequency" in given else np.inf
    if bend.max() > 0.125 / frequency:
        raise InputError(
            f"only plane waves are beamformed: the transmit delays ({origin}) bend by {bend.max() * 1e6:.2g} us "
            "from a straight line, so the waves are focused or diverging"
        )
    said = found.get("angles")
    is_argument = said is not None and not said.origin.startswith("file")
    given["angles"] = said if is_argument else parameter("angles", np.arcsin(slope * c), f"{origin}: delays")  # type: ignore[assignment]
    if given["start_time"].origin != "argument":
        # Delays count from the first element that fires, start_time from the wave at the middle of the array.
        start = np.asarray(given["start_time"].value) - at_middle
        given["start_time"] = given["start_time"]._replace(value=start if waves > 1 else float(start[0]))


def _line(x: NDArray[np.float64], delays: NDArray[np.float64]) -> tuple[float, float, float]:
    """Slope and value at x = 0 of the straight line through the delays of the elements that fire, and the
    largest distance from it."""
    fires = np.isfinite(delays)
    if np.count_nonzero(fires) < 2:
        raise InputError("transmit delays must be finite for at least two elements; give scan.angles in rad")
    slope, middle = np.polyfit(x[fires], delays[fires], 1)
    return float(slope), float(middle), float(np.abs(delays - middle - slope * x)[fires].max())


def frame_steps(intervals: NDArray[Any], waves: int) -> NDArray[Any]:
    """Seconds from frame to frame, from those between transmits: (T, W), or flat."""
    flat = intervals.ravel()
    whole = len(flat) // waves * waves
    return flat[:whole].reshape(-1, waves).sum(1)


def _refuse_elements(described: int, samples: int, elements: int) -> None:
    swapped = "; samples and elements look swapped" if described == samples else ""
    raise InputError(f"the scan describes {described} elements but the data has {elements}{swapped}; check scan.axes")
