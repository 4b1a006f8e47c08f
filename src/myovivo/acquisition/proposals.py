"""What the numbers of a file probably are, by their names and sizes: to be looked at, never used unasked."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..sequences.quantities import PLAUSIBLE
from .content import UNITS
from .readers.store import Store

_NAMES = {
    "frame_rate": "framerate fr fps framespersecond framefrequency frf imagerate volumerate framehz",
    "pulse_rate": "prf pulserate pulserepetitionfrequency pulserepetitionrate",
    "sampling_frequency": "fs fsamp samplingfrequency samplingrate samplerate decimsamplerate fsampling adcrate",
    "centre_frequency": "fc f0 centerfrequency centrefrequency txfreq txfrequency transmitfrequency demodfreq "
    "demodulationfrequency fcentral",
    "sound_speed": "c c0 sos soundspeed speedofsound",
    "pitch": "pitch elementpitch xpitch elementspacing",
    "spacing": "spacing pixelsize pixelspacing pixel",
    "depth_step": "dz axialstep axialresolution pixelsizez deltaz zstep pxz physicaldeltay",
    "lateral_step": "dx lateralstep lateralresolution pixelsizex deltax xstep pxx physicaldeltax",
}

_AXES = {
    "depth_axis": "z zaxis depth depthaxis depths axial zax",
    "lateral_axis": "x xaxis lateral lateralaxis width xax",
}

_ROW = {"depth_step": "spacing", "lateral_step": "spacing", "depth_axis": "spacing", "lateral_axis": "spacing"}

_FACTORS = {  # in the order tried: what the value would have to be multiplied with, and the unit that it is in then
    "Hz": ((1.0, ""), (1e6, "MHz"), (1e3, "kHz")),
    "m": ((1.0, ""), (1e-3, "mm"), (1e-6, "um"), (1e-2, "cm")),
    "m/s": ((1.0, ""), (1e3, "km/s")),
}

_LONGEST = 1 << 14  # of an axis


class Proposal(NamedTuple):
    """A variable that may be a parameter: what it must be multiplied with to be in SI, and its value then."""

    at: str
    times: float
    value: Any
    text: str


def proposed(store: Store, values: Mapping[str, Any], known: Collection[str] = ()) -> dict[str, Proposal]:
    """Which variable of a file may be which parameter.

    Parameters
    ----------
    store : the file
    values : its small variables, by name
    known : parameters that the file or its user has said already

    Returns
    -------
    dict : by the names of `UNITS`; nothing for what no name and size agree on
    """
    proposals: dict[str, Proposal] = {}
    for name, value in values.items():
        word, unit = _meant(name, _NAMES)
        if word is not None and word not in proposals and (proposal := _scaled(word, name, value, unit)) is not None:
            proposals[word] = proposal
    # Without a transducer, what is sampled are frames.
    if "sampling_frequency" not in proposals or not {"centre_frequency", "pitch"} & {*proposals, *known}:
        proposals.pop("sampling_frequency", None)
        for name, value in values.items():
            if _meant(name, _NAMES)[0] == "sampling_frequency" and "frame_rate" not in proposals:
                rate = _scaled("frame_rate", name, value, "Hz")
                proposals |= {} if rate is None else {"frame_rate": rate}
    # Axes, which tell their steps
    for name, shape in store.shapes.items():
        word, unit = _meant(name, _AXES)
        if (
            word is None
            or word in proposals
            or np.prod(shape) != max(shape, default=0)
            or not 2 < max(shape) <= _LONGEST
        ):
            continue
        axis = np.asarray(store.value(name))
        steps = np.diff(axis.ravel().astype(float)) if axis.dtype.kind in "fiu" else np.zeros(1)
        if np.all(steps > 0) and np.ptp(steps) <= 0.01 * steps.mean():
            proposal = _scaled(word, name, float(steps.mean()), unit)
            proposals |= {} if proposal is None else {word: proposal._replace(text=f"{proposal.text} apart")}
    return {word: proposal for word, proposal in proposals.items() if word not in known}


def _meant(name: str, names: Mapping[str, str]) -> tuple[str | None, str]:
    """The parameter that a variable's name means, and the unit that the name ends in."""
    last = name.rsplit(".", 1)[-1]
    unit = re.search(r"[_\W](mm|um|cm|m|MHz|kHz|Hz)$", last, re.IGNORECASE)
    bare = re.sub(r"[^a-z0-9]", "", last[: unit.start()].lower() if unit else last.lower())
    word = next((word for word, known in names.items() if bare in known.split()), None)
    return word, unit.group(1) if unit else ""


def _scaled(word: str, name: str, value: Any, said: str) -> Proposal | None:
    """The variable in the first unit in which its size is a usual one, or in the unit that its name says."""
    try:
        numbers = np.asarray(value, float).ravel()
    except (TypeError, ValueError):
        return None
    if numbers.size == 0 or numbers.size > 2 or (numbers.size == 2 and word != "spacing") or not np.all(numbers > 0):
        return None
    unit, row = UNITS[word], PLAUSIBLE[_ROW.get(word, word)]
    for times, other in _FACTORS[unit]:
        is_said = said.lower() in ("", (other or unit).lower())
        scaled = numbers * times
        if is_said and np.all((scaled >= row.usual[0]) & (scaled <= row.usual[1])):
            text = " x ".join(f"{number:.6g}" for number in numbers)
            return Proposal(name, times, scaled, f"{text} {other or unit}")
    return None
