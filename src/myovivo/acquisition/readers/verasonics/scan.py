"""How a Verasonics system sampled and fired: rates, frequency, start times and transmit delays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....errors import InputError
from ...content import Parameter, parameter
from .probe import element_positions, is_in_mm, of_elements
from .receives import Receives
from .workspace import Workspace

# Of one acquisition.
SAMPLES_PER_WAVE = {"NS200BW": 4.0, "NS200BWI": 2.0, "BS100BW": 2.0, "BS67BW": 4 / 3, "BS50BW": 1.0}


def acquisition_rate(work: Workspace, receives: Receives, mode: str, frequency: float) -> float:
    """Samples per second of one acquisition, Hz, of all that tells of it.

    Raises
    ------
    InputError : what tells of it disagrees, or nothing does.
    """
    if not isinstance(mode, str) or mode not in (*SAMPLES_PER_WAVE, "custom"):
        raise InputError(f"Receive.sampleMode must be one of {', '.join(SAMPLES_PER_WAVE)} or custom, got {mode!r}")
    said = {
        name: work.common_number("Receive", name, receives.number)
        for name in ("samplesPerWave", "decimSampleRate", "quadDecim", "demodFrequency")
    }
    told = []
    if said["samplesPerWave"]:
        told.append(said["samplesPerWave"] * frequency)
    if mode != "custom":
        told.append(SAMPLES_PER_WAVE[mode] * (said["demodFrequency"] or frequency / 1e6) * 1e6)
    if said["decimSampleRate"]:
        # Before the samples between pairs are left out, or (without quadDecim) perhaps after.
        left_out = said["quadDecim"] or {"BS100BW": 2.0, "BS50BW": 4.0}.get(mode, 1.0)
        stored = np.array([left_out, 1.0]) if not said["quadDecim"] else np.array([left_out])
        stored = said["decimSampleRate"] * 1e6 / (np.append(stored, 2.0) if mode == "NS200BWI" else stored)
        told.append(float(stored[np.argmin(np.abs(stored - told[0]))]) if told else float(stored[0]))
    if not told:
        raise InputError("Receive tells neither samplesPerWave nor decimSampleRate; save it after VSX has run")
    tolerance = 0.02 if said["demodFrequency"] or mode == "custom" else 0.1
    if max(told) > min(told) * (1 + tolerance):
        raise InputError(
            f"Receive contradicts itself: samplesPerWave, decimSampleRate and sampleMode ({mode}) make "
            f"{min(told) / 1e6:.4g} to {max(told) / 1e6:.4g} MHz"
        )
    return told[0] if said["samplesPerWave"] else told[-1]


def pulse_frequency(work: Workspace, receives: Receives, mode: str, rate: float, frequency: float) -> Parameter:
    """The frequency of the pulse; of bandwidth-sampled records, the one that they were sampled for."""
    if mode in ("BS100BW", "BS67BW", "BS50BW"):
        return parameter("centre_frequency", rate / SAMPLES_PER_WAVE[mode], f"file (Receive: {mode})")
    pulses = np.unique(_pulses(work)[receives.transmit])
    parameters, kinds = work.vectors("TW", "Parameters"), work.column("TW", "type")
    sent = [parameters[pulse] for pulse in pulses if pulse < len(parameters)]
    others = [kinds[pulse] for pulse in pulses if pulse < len(kinds) and isinstance(kinds[pulse], str)]
    if sent and sent[0] is not None and not set(others) - {"parametric"}:
        values = [tuple(row[[0, 3]]) if row is not None and len(row) == 4 else () for row in sent]
        if len(set(values)) > 1 or not values[0] or values[0][0] <= 0:
            raise InputError(
                "the transmits of a frame are of several frequencies or polarities (TW.Parameters), whose echoes "
                "cancel each other; save each to a buffer of its own"
            )
        return parameter("centre_frequency", float(values[0][0]) * 1e6, "file (TW.Parameters)")
    demodulated = work.common_number("Receive", "demodFrequency", receives.number)
    if demodulated:
        return parameter("centre_frequency", demodulated * 1e6, "file (Receive.demodFrequency)")
    return parameter("centre_frequency", frequency, "file (Trans.frequency)")


def _pulses(work: Workspace) -> NDArray[np.int_]:
    """The TW of each TX, from 0.

    Raises
    ------
    InputError : TX names one that cannot be.
    """
    pulses = work.counts("TX", "waveform", 1) - 1
    if len(pulses) and pulses.min() < 0:
        raise InputError(f"TX.waveform must be the number of a TW, got {pulses.min() + 1}")
    return pulses


def start_times(work: Workspace, receives: Receives, speed: float, frequency: float) -> NDArray[np.float64]:
    """(Acquisitions,) s: first sample after the transmit, less the way through the lens and to the pulse's middle."""
    depths = work.scalars("Receive", "startDepth")
    begin = np.array([(depths[number] or 0.0) if number < len(depths) else 0.0 for number in receives.number])
    lens = work.number("Trans", "lensCorrection") or 0.0
    lens = lens * 1e-3 / speed if is_in_mm(work) else lens / frequency
    peaks, pulses = work.scalars("TW", "peak"), _pulses(work)
    late = np.array([(peaks[pulse] or 0.0) if pulse < len(peaks) else 0.0 for pulse in pulses[receives.transmit]])
    return (2 * begin - late) / frequency - 2 * lens


def firing_delays(
    work: Workspace, receives: Receives, elements: NDArray[np.int_], speed: float, frequency: float
) -> NDArray[np.float64]:
    """(Acquisitions, E) transmit delays, s; NaN for elements that do not fire."""
    count = int(work.number("Trans", "numelements") or len(elements))
    delay, weight, steer = (work.vectors("TX", name) for name in ("Delay", "Apod", "Steer"))
    made: dict[int, NDArray[np.float64]] = {}
    for number in np.unique(receives.transmit):
        if number >= len(delay):
            raise InputError(f"Event names TX {number + 1}, but there are {len(delay)}; save TX of the same run")
        row, fired, weights = steer[number], delay[number], weight[number]
        if row is not None and len(row) > 1 and abs(row[1]) > 1e-6:
            raise InputError(
                f"TX {number + 1} is steered out of the image (TX.Steer); only waves within it are beamformed"
            )
        if fired is None:
            path = _aimed(work, number, elements, speed / frequency) / speed
        else:
            path = of_elements("TX.Delay", fired, elements, count) / frequency
        if weights is not None:
            fires = of_elements("TX.Apod", weights, elements, count) != 0
            path = np.where(fires, path, np.nan)
        made[int(number)] = path
    return np.stack([made[int(number)] for number in receives.transmit])


def _aimed(work: Workspace, number: int, elements: NDArray[np.int_], wavelength: float) -> NDArray[np.float64]:
    """Paths that TX.focus, TX.Steer and TX.Origin ask for, m, where TX.Delay is not saved."""
    focus = work.scalars("TX", "focus")[number]
    steer, origin = (work.vectors("TX", name)[number] for name in ("Steer", "Origin"))
    if focus is None:
        raise InputError(f"TX {number + 1} has neither Delay nor focus; save TX after VSX has run")
    place = {name: one.value for name, one in element_positions(work, elements, wavelength).items()}
    x, z = place["element_x"], place["element_z"]
    angle = float(steer[0]) if steer is not None else 0.0
    toward = np.array([np.sin(angle), np.cos(angle)])
    if focus == 0:
        path = x * toward[0] + z * toward[1]
    else:
        begin = np.zeros(2) if origin is None or len(origin) != 3 else origin[[0, 2]] * wavelength
        source = begin + focus * wavelength * toward
        path = -np.sign(focus) * np.hypot(x - source[0], z - source[1])
    return path - path.min()
