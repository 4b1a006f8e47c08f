"""The probe of a Verasonics workspace: where its elements are, and how they are wired to the channels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....errors import InputError
from ...content import Parameters, parameter
from .receives import Receives
from .workspace import Workspace

_SHAPES = {2.0: "matrix", 3.0: "annular", 4.0: "row-column"}  # Trans.type


def element_positions(work: Workspace, elements: NDArray[np.int_], wavelength: float) -> Parameters:
    """Where the elements are, in m."""
    if (shape := work.number("Trans", "type")) in _SHAPES:
        raise InputError(
            f"Trans.type {shape:g} is a {_SHAPES[shape]} array; only linear and curved arrays are beamformed"
        )
    unit = 1e-3 if is_in_mm(work) else wavelength
    place = work.first("Trans", "ElementPos")
    place = None if isinstance(place, str) else place
    origin = f"file (Trans.ElementPos, {'mm' if is_in_mm(work) else 'wavelengths'})"
    if place is None or np.ndim(place) != 2 or place.shape[1] < 3 or len(place) <= elements.max():
        raise InputError("Trans.ElementPos must hold x, y, z of each element; save Trans after VSX has run")
    place = np.asarray(place, float)[elements]
    if not np.isfinite(place).all():
        raise InputError("Trans.ElementPos must be finite numbers; save Trans after VSX has run")
    stated = {
        name: parameter(name, place[:, column] * unit, origin)
        for column, name in enumerate(("element_x", "element_y", "element_z"))
    }
    spacing_mm, spacing = work.number("Trans", "spacingMm"), work.number("Trans", "spacing")
    pitch = spacing_mm * 1e-3 if spacing_mm else spacing * wavelength if spacing else None
    step = float(np.median(np.hypot(np.diff(place[:, 0]), np.diff(place[:, 2])))) * unit
    if pitch and abs(step / pitch - 1) > 0.05:
        raise InputError(
            f"Trans.ElementPos has elements {step * 1e3:.3g} mm apart, but Trans.spacing {pitch * 1e3:.3g} mm; "
            "check Trans.units"
        )
    if shape == 1 and place.shape[1] > 3:
        stated["element_angles"] = parameter("element_angles", place[:, 3], origin)
    if isinstance(name := work.first("Trans", "name"), str):
        stated["probe"] = parameter("probe", name, "file (Trans.name)")
    return stated


def wiring(work: Workspace, receives: Receives, columns: int) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Which elements are recorded, and in which column of RcvData each.

    Raises
    ------
    InputError : the multiplexer moves between acquisitions, or the wires lead to no column.
    """
    count = int(work.positive("Trans", "numelements"))
    wires = work.vector("Trans", "Connector")
    if wires is None and (wires := work.vector("Trans", "ConnectorES")) is not None:
        adapter = work.vector("UTA", "TransConnector")
        if adapter is not None and wires.min() >= 1 and wires.max() <= len(adapter):
            wires = adapter[wires.astype(int) - 1]
    aperture = work.common_number("Receive", "aperture", receives.number)
    switched = work.vector("Trans.HVMux", "ApertureES")
    switched = work.vector("Trans.HVMux", "Aperture") if switched is None else switched
    if switched is not None and aperture:
        apertures = len(switched) // count
        if not 0 < aperture <= apertures or aperture % 1 or len(switched) % count:
            raise InputError(f"Receive.aperture {aperture:g} is none of the {apertures} of Trans.HVMux")
        wires = switched.reshape(count, -1)[:, int(aperture) - 1]
    if wires is None:  # the system's own default
        wires = np.arange(1.0, count + 1)
    if np.any(wires % 1):
        raise InputError("Trans.Connector must be whole numbers; save Trans after VSX has run")
    wires = wires.astype(int)
    if len(wires) != count:
        raise InputError(f"Trans.Connector is of {len(wires)} elements, but Trans.numelements {count}")
    elements = np.flatnonzero(wires > 0)
    if not len(elements) or wires.max() > columns:
        raise InputError(f"Trans.Connector names channel {wires.max()}, but RcvData has {columns} columns")
    if len(np.unique(wires[elements])) < len(elements):
        raise InputError("Trans.Connector names a channel twice; save Trans after VSX has run")
    return elements, wires[elements] - 1


def of_elements(name: str, values: NDArray[np.float64], elements: NDArray[np.int_], count: int) -> NDArray[np.float64]:
    """Those of the elements that are recorded."""
    if len(values) == count:
        return values[elements]
    if len(values) == len(elements):
        return values
    raise InputError(f"{name} is of {len(values)} elements, but {len(elements)} of {count} are recorded")


def is_in_mm(work: Workspace) -> bool:
    """Whether the probe's lengths are in mm, not wavelengths."""
    units = work.first("Trans", "units")
    if units is not None and (not isinstance(units, str) or units not in ("mm", "wavelengths")):
        raise InputError(f"Trans.units must be mm or wavelengths, got {' '.join(str(units).split())[:40]!r}")
    return units == "mm"
