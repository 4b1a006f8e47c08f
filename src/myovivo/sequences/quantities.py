"""What a physical quantity may be: the one table by which every entry tells a number in another unit."""

from __future__ import annotations

import math
import warnings
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field

from ..errors import InputError, UnitWarning


class Range(NamedTuple):
    """What a quantity can be at all, what it usually is, and the unit that a value outside is probably in."""

    unit: str
    least: float
    most: float
    usual: tuple[float, float]
    asks: str


PLAUSIBLE = {
    "extent": Range("m", 1e-4, 0.5, (0.001, 0.25), "mm"),
    "spacing": Range("m", 1e-7, 0.02, (2e-6, 0.01), "mm"),
    "pitch": Range("m", 1e-5, 5e-3, (3e-5, 2e-3), "mm"),
    # one frame a second is what formats write that do not know better
    "frame_rate": Range("Hz", 0.5, 1e5, (10.0, 3e4), "Hz"),
    "pulse_rate": Range("Hz", 0.5, 1e6, (10.0, 1e5), "Hz"),
    "sampling_frequency": Range("Hz", 1e5, 1e9, (1e6, 2.5e8), "MHz"),
    "centre_frequency": Range("Hz", 1e5, 1e8, (5e5, 6e7), "MHz"),
    "sound_speed": Range("m/s", 300.0, 6000.0, (1300.0, 1800.0), "mm/us"),
    # root mean square of what is said to be in m/s
    "velocity": Range("m/s", 0.0, 0.3, (1e-7, 0.05), "mm/s"),
    # of a sequence, which may be standardised, or in pulses as the simplified simulation is
    "sequence velocity": Range("m/s", 0.0, math.inf, (0.0, 0.5), "mm/s"),
    "firing_rate": Range("Hz", 0.02, 250.0, (0.2, 80.0), "s"),  # of one motor unit
}


def positive(name: str, value: float, unit: str) -> None:
    """Check a physical quantity.

    Raises
    ------
    InputError : not a positive, finite number.
    """
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{name} must be positive, in {unit}, got {value}")


def plausible(name: str, value: float, origin: str = "", shown: str = "") -> str:
    """Check a quantity against the table; a note if it is possible, but unusual.

    Parameters
    ----------
    name : a row of `PLAUSIBLE`
    value : SI
    origin : where it comes from, for the message
    shown : what the message calls it, if not by `name`

    Raises
    ------
    InputError : it cannot be, so that it is probably in another unit.
    """
    row = PLAUSIBLE[name]
    told = f"{shown or name} of {value:.4g} {row.unit}"
    source = f" ({origin})" if origin else ""
    if not row.least <= value <= row.most:
        raise InputError(f"{told} cannot be{source}; is it in {row.asks}?")
    if not row.usual[0] <= value <= row.usual[1]:
        return f"{told} is unusual{source}; is it in {row.asks}?"
    return ""


def require_plausible(name: str, value: float, origin: str = "", shown: str = "") -> None:
    """`plausible`, with the note as a warning.

    Raises
    ------
    InputError : it cannot be.

    Warns
    -----
    UnitWarning : it is possible, but unusual.
    """
    if note := plausible(name, value, origin, shown):
        warnings.warn(UnitWarning(note), stacklevel=3)


def _checked(name: str) -> AfterValidator:
    def check(value: Any) -> Any:
        require_plausible(name, value)
        return value

    return AfterValidator(check)


# What settings hold: positive, and within the table.
Length = Annotated[float, Field(gt=0, allow_inf_nan=False), _checked("extent")]

FrameRate = Annotated[float, Field(gt=0, allow_inf_nan=False), _checked("frame_rate")]

FiringRate = Annotated[float, Field(gt=0, allow_inf_nan=False), _checked("firing_rate")]

CentreFrequency = Annotated[float, Field(gt=0, allow_inf_nan=False), _checked("centre_frequency")]

SoundSpeed = Annotated[float, Field(gt=0, allow_inf_nan=False), _checked("sound_speed")]
