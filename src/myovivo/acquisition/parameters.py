"""The parameters of a scan: each found, derived, a default, or missing."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from .content import Content, Kind, Parameter, Parameters, parameter
from .geometry import add_geometry, frame_steps

_DEFAULTS = {"sound_speed": 1540.0, "sign": 1, "baseband": 1}

# Beyond these a number is probably in mm, MHz or us.
_PLAUSIBLE = {
    "sampling_frequency": (1e5, 1e9),
    "centre_frequency": (1e5, 1e8),
    "sound_speed": (300.0, 6000.0),
    "pitch": (1e-5, 5e-3),
    "spacing": (1e-7, 0.02),
}

NEEDED: dict[Kind, tuple[str, ...]] = {
    "rf": ("sampling_frequency", "centre_frequency", "frame_rate", "element_x"),
    "channel_iq": ("sampling_frequency", "centre_frequency", "frame_rate", "element_x"),
    "iq": ("centre_frequency", "frame_rate", "spacing"),
    "bmode": ("frame_rate", "spacing"),
    "velocity": ("frame_rate", "spacing"),
}

_REMEDY = {
    "sampling_frequency": "give scan.sampling_frequency in Hz",
    "centre_frequency": "give scan.centre_frequency in Hz",
    "frame_rate": "give scan.frame_rate in Hz",
    "element_x": "give scan.pitch, the distance between elements, in m",
    "spacing": "give scan.spacing, the pixel size (dz, dx), in m",
}


def resolved(content: Content) -> tuple[Parameters, list[str]]:
    """The parameters that will be used, derived ones and defaults included, and the names of missing ones.

    Raises
    ------
    InputError : values that contradict each other or the array.
    """
    found = content.parameters
    given: Parameters = {}
    channels = content.kind in ("rf", "channel_iq")
    for name in ("sampling_frequency", "centre_frequency"):
        if name in found and (channels or (name == "centre_frequency" and content.kind == "iq")):
            given[name] = _single(name, found[name])
    if (rate := _frame_rate(found, content.shape[0], content.shape[1] if channels else 1)) is not None:
        given["frame_rate"] = rate
    if content.kind in ("rf", "channel_iq", "iq"):
        given["sound_speed"] = _single("sound_speed", found.get("sound_speed") or _default("sound_speed"))
    if content.kind == "iq":
        given["baseband"] = _single("baseband", found.get("baseband") or _default("baseband"))
    if content.kind in ("channel_iq", "iq", "velocity"):
        given["sign"] = _single("sign", found.get("sign") or _default("sign"))
    if channels:
        singles = {name: _single(name, found[name]) for name in ("pitch", "elements") if name in found}
        add_geometry(content, found | singles, given)
    elif (spacing := _spacing(found)) is not None:
        given["spacing"] = spacing
    if "crop" in found and content.kind == "bmode":
        given["crop"] = found["crop"]
    given["axes"] = Parameter(" ".join(content.frames.axes), "", content.axes_origin)
    return given, [name for name in NEEDED[content.kind] if name not in given]


def complete(content: Content) -> Parameters:
    """`resolved`, with nothing missing.

    Raises
    ------
    InputError : something needed is missing; says how to give it.
    """
    given, missing = resolved(content)
    if missing:
        ways = "; ".join(f"{name} is missing{_sought(content, name)}: {remedy(content, name)}" for name in missing)
        raise InputError(f"{ways} (or in a mapping file)")
    return given


def remedy(content: Content, name: str) -> str:
    """How to give a parameter that is missing."""
    also = ", or scan.pulse_rate (PRF)" if name == "frame_rate" and content.kind in ("rf", "channel_iq") else ""
    return _REMEDY[name] + also


def _sought(content: Content, name: str) -> str:
    """Where a layout looked for a parameter, or what it is made of, in vain."""
    made_of = {"frame_rate": ("frame_rate", "pulse_rate"), "element_x": ("element_x", "pitch")}.get(name, (name,))
    places = [content.sought[one] for one in made_of if one in content.sought]
    return f" (looked for {', '.join(places)})" if places else ""


def _default(name: str) -> Parameter:
    return parameter(name, _DEFAULTS[name], "default")


def _single(name: str, found: Parameter) -> Parameter:
    values = np.unique(np.asarray(found.value, float))
    if len(values) != 1 or not np.isfinite(values[0]):
        raise InputError(
            f"{name} must be one finite number, got {np.asarray(found.value).ravel()[:6]} ({found.origin})"
        )
    if name == "baseband":
        return found._replace(value=bool(values[0]))
    if name == "sign" and values[0] not in (-1, 1):
        raise InputError(f"sign must be 1 or -1, got {values[0]:g} ({found.origin})")
    if name != "sign" and values[0] <= 0:
        raise InputError(f"{name} must be positive, in {found.unit}, got {values[0]:g} ({found.origin})")
    _plausible(name, float(values[0]), found)
    return found._replace(value=float(values[0]))


def _plausible(name: str, value: float, found: Parameter) -> None:
    low, high = _PLAUSIBLE.get(name, (-np.inf, np.inf))
    if not low <= value <= high:
        raise InputError(f"{name} of {value:g} {found.unit} cannot be ({found.origin}); is it in {found.unit}?")


def _frame_rate(found: Parameters, frames: int, waves: int) -> Parameter | None:
    if "frame_rate" in found:
        said = _single("frame_rate", found["frame_rate"])
        pulses = _single("pulse_rate", found["pulse_rate"]).value if "pulse_rate" in found else said.value * waves
        if abs(pulses / waves / said.value - 1) > 0.02:
            raise InputError(
                f"a frame rate of {said.value:g} Hz contradicts a pulse rate of {pulses:g} Hz over {waves} waves; "
                "give scan.frame_rate"
            )
        return said
    if "pulse_rate" in found:
        pulses = _single("pulse_rate", found["pulse_rate"])
        origin = pulses.origin if waves == 1 else f"{pulses.origin}, over {waves} waves"
        return parameter("frame_rate", pulses.value / waves, origin)
    if "frame_times" in found:
        times = np.atleast_1d(np.asarray(found["frame_times"].value, float))
        if len(times) != frames:
            raise InputError(
                f"{len(times)} frame times ({found['frame_times'].origin}) for {frames} frames; "
                "give scan.frame_rate in Hz"
            )
        if len(times) > 1 and np.all(np.diff(times) > 0):
            # The usual step, not the mean one: dropped frames make the mean too long.
            steps = np.rint(np.diff(times) / np.median(np.diff(times))).sum()
            step = (times[-1] - times[0]) / steps
            return parameter("frame_rate", float(1 / step), found["frame_times"].origin)
        raise InputError(f"frame times must ascend ({found['frame_times'].origin}); give scan.frame_rate in Hz")
    if "transmit_intervals" in found:
        steps = frame_steps(np.asarray(found["transmit_intervals"].value, float), waves)
        if len(steps) and np.median(steps) > 0:
            return parameter("frame_rate", float(1 / np.median(steps)), found["transmit_intervals"].origin)
    return None


def _spacing(found: Parameters) -> Parameter | None:
    if "spacing" in found:
        steps = np.asarray(found["spacing"].value, float).ravel()
        if steps.size not in (1, 2):
            raise InputError(f"spacing must be (dz, dx) in m, got {steps} ({found['spacing'].origin})")
        dz, dx = (float(step) for step in np.broadcast_to(steps, 2))
        if not (dz > 0 and dx > 0):
            raise InputError(f"spacing must be positive, in m, got {(dz, dx)} ({found['spacing'].origin})")
        for one in (dz, dx):
            _plausible("spacing", one, found["spacing"])
        return found["spacing"]._replace(value=(dz, dx))
    if "depth_axis" in found and "lateral_axis" in found:
        axes = [np.unique(np.asarray(found[name].value, float)) for name in ("depth_axis", "lateral_axis")]
        steps = [np.diff(axis) for axis in axes]
        if any(len(step) == 0 or np.ptp(step) > 0.01 * np.mean(step) for step in steps):
            raise InputError("the depth and lateral axes must be evenly spaced; give scan.spacing in m")
        value = (float(np.mean(steps[0])), float(np.mean(steps[1])))
        return parameter("spacing", value, f"{found['depth_axis'].origin}, {found['lateral_axis'].origin}")
    return None
