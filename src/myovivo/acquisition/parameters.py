"""The parameters of a scan: each found, derived, a default, or missing."""

from __future__ import annotations

import numpy as np

from ..errors import InputError
from ..runtime.words import counted
from ..sequences.quantities import PLAUSIBLE, plausible
from .content import TITLES, Content, Kind, Parameter, Parameters, parameter, shown
from .geometry import add_geometry, frame_steps
from .timing import ascend, frame_increments

_DEFAULTS = {
    "sound_speed": 1540.0,
    "sign": 1,
    "baseband": 1,
    "unit": "m/s",
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
    stated = content.parameters
    given: Parameters = {}
    channels = content.kind in ("rf", "channel_iq")
    for name in ("sampling_frequency", "centre_frequency"):
        if name in stated and (channels or (name == "centre_frequency" and content.kind == "iq")):
            given[name] = _single(name, stated[name])
    if (rate := _frame_rate(stated, content.shape[0], content.shape[1] if channels else 1)) is not None:
        given["frame_rate"] = rate
    if content.kind in ("rf", "channel_iq", "iq"):
        given["sound_speed"] = _single("sound_speed", stated.get("sound_speed") or _default("sound_speed"))
    if content.kind == "iq":
        given["baseband"] = _single("baseband", stated.get("baseband") or _default("baseband"))
    if content.kind == "velocity":
        given["unit"] = stated.get("unit") or _default("unit")
        given |= {"scale": stated["scale"]} if "scale" in stated else {}
        if "scale" in stated and "unit" in stated:
            raise InputError("velocity is scaled either by its unit or by times of the data; leave one out")
    elif "scale" in stated or "unit" in stated:
        raise InputError(f"unit and times of the data are for velocity, not for {TITLES[content.kind]}; leave them out")
    if content.kind in ("channel_iq", "iq", "velocity"):
        given["sign"] = _single("sign", stated.get("sign") or _default("sign"))
    if channels:
        singles = {name: _single(name, stated[name]) for name in ("pitch", "elements") if name in stated}
        add_geometry(content, stated | singles, given)
    elif (spacing := _spacing(stated)) is not None:
        given["spacing"] = spacing
    if "crop" in stated and content.kind == "bmode":
        given["crop"] = stated["crop"]
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


def _single(name: str, stated: Parameter) -> Parameter:
    values = np.unique(np.asarray(stated.value, float))
    if len(values) != 1 or not np.isfinite(values[0]):
        raise InputError(
            f"{name} must be one finite number, got {np.asarray(stated.value).ravel()[:6]} ({stated.origin})"
        )
    if name == "baseband":
        return stated._replace(value=bool(values[0]))
    if name == "sign" and values[0] not in (-1, 1):
        raise InputError(f"sign must be 1 or -1, got {values[0]:g} ({stated.origin})")
    if name != "sign" and values[0] <= 0:
        raise InputError(f"{name} must be positive, in {stated.unit}, got {values[0]:g} ({stated.origin})")
    _plausible(name, float(values[0]), stated)
    return stated._replace(value=float(values[0]))


def _plausible(name: str, value: float, stated: Parameter) -> None:
    if name in PLAUSIBLE:
        plausible(name, value, stated.origin)


def unusual(content: Content, given: Parameters) -> list[str]:
    """What is possible, but unusual: a note each, that asks after the unit."""
    notes = []
    for name, used in given.items():
        if name in PLAUSIBLE:
            values = np.unique(np.asarray(used.value, float))
            notes += [note for value in values if (note := plausible(name, float(value), used.origin))]
    if "spacing" in given and content.kind != "bmode":
        for step, pixels in zip(given["spacing"].value, content.shape[1:], strict=True):
            notes.append(plausible("extent", step * pixels, given["spacing"].origin, f"extent of {pixels} pixels"))
    return [note for note in notes if note]


def in_vain(content: Content, given: Parameters, subject: str) -> list[str]:
    """What a mapping names that is not in the file, and what is taken in its place: a note each."""
    taken = {name: f"{shown(used.value)} {used.unit}".strip() for name, used in given.items()} | {"subject": subject}
    return [
        f"no {name} by {content.sought[name]} in the file; {taken[name]} was taken"
        for name in content.asked
        if name in content.sought and name in taken
    ]


def _frame_rate(stated: Parameters, frames: int, waves: int) -> Parameter | None:
    if "frame_rate" in stated:
        said = _single("frame_rate", stated["frame_rate"])
        pulses = _single("pulse_rate", stated["pulse_rate"]).value if "pulse_rate" in stated else said.value * waves
        if abs(pulses / waves / said.value - 1) > 0.02:
            raise InputError(
                f"a frame rate of {said.value:g} Hz contradicts a pulse rate of {pulses:g} Hz over {waves} waves; "
                "give scan.frame_rate"
            )
        return said
    if "pulse_rate" in stated:
        pulses = _single("pulse_rate", stated["pulse_rate"])
        origin = pulses.origin if waves == 1 else f"{pulses.origin}, over {waves} waves"
        return parameter("frame_rate", pulses.value / waves, origin)
    if "frame_times" in stated:
        times = np.atleast_1d(np.asarray(stated["frame_times"].value, float))
        if len(times) != frames:
            raise InputError(
                f"{counted(len(times), 'frame time')} ({stated['frame_times'].origin}) for {counted(frames, 'frame')}; "
                "give scan.frame_rate in Hz"
            )
        if ascend(times):
            # Not the mean step: dropped frames make it too long.
            step = (times[-1] - times[0]) / frame_increments(times).sum()
            rate = parameter("frame_rate", float(1 / step), stated["frame_times"].origin)
            return _single("frame_rate", rate)
        raise InputError(f"frame times must ascend ({stated['frame_times'].origin}); give scan.frame_rate in Hz")
    if "transmit_intervals" in stated:
        steps = frame_steps(np.asarray(stated["transmit_intervals"].value, float), waves)
        if len(steps) and np.median(steps) > 0:
            return parameter("frame_rate", float(1 / np.median(steps)), stated["transmit_intervals"].origin)
    return None


def _spacing(stated: Parameters) -> Parameter | None:
    if "spacing" in stated:
        steps = np.asarray(stated["spacing"].value, float).ravel()
        if steps.size not in (1, 2):
            raise InputError(f"spacing must be (dz, dx) in m, got {steps} ({stated['spacing'].origin})")
        dz, dx = (float(step) for step in np.broadcast_to(steps, 2))
        if not (dz > 0 and dx > 0):
            raise InputError(f"spacing must be positive, in m, got {(dz, dx)} ({stated['spacing'].origin})")
        for step in (dz, dx):
            _plausible("spacing", step, stated["spacing"])
        return stated["spacing"]._replace(value=(dz, dx))
    if "depth_step" in stated and "lateral_step" in stated:
        dz, dx = (_single(name, stated[name]) for name in ("depth_step", "lateral_step"))
        for step in (dz, dx):
            _plausible("spacing", step.value, step)
        return parameter("spacing", (dz.value, dx.value), f"{dz.origin}, {dx.origin}")
    if "depth_axis" in stated and "lateral_axis" in stated:
        axes = [np.unique(np.asarray(stated[name].value, float)) for name in ("depth_axis", "lateral_axis")]
        steps = [np.diff(axis) for axis in axes]
        if any(len(step) == 0 or np.ptp(step) > 0.01 * np.mean(step) for step in steps):
            raise InputError("the depth and lateral axes must be evenly spaced; give scan.spacing in m")
        value = (float(np.mean(steps[0])), float(np.mean(steps[1])))
        for name, step in zip(("depth_axis", "lateral_axis"), value, strict=True):
            _plausible("spacing", step, stated[name])
        return parameter("spacing", value, f"{stated['depth_axis'].origin}, {stated['lateral_axis'].origin}")
    return None
