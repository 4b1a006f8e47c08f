"""Synthetic Verasonics saves of moving points: a simulation that knows nothing of the reader or the beamformer."""

from typing import Any, NamedTuple

import numpy as np
from workspaces import Cell

C = 1540.0
F = 5.0  # MHz
WAVELENGTH = C / F / 1e6
RATE = 1000.0  # frames per second
SPEED = 0.01  # m/s towards the probe


class Save(NamedTuple):
    """What is saved: the defaults are an ordinary plane-wave sequence with everything that can go wrong in it."""

    mode: str = "NS200BW"
    elements: int = 32
    columns: int = 48
    pitch: float = 0.25e-3
    radius: float = np.inf
    frames: int = 6  # of the buffer
    repeats: int = 1  # of the sequence within a frame of the buffer
    angles: tuple[float, ...] = (-0.1, 0.0, 0.1)
    source: tuple[float, float] | None = None  # m, of a single wave in place of the angles
    start: float = 8.0  # wavelengths
    depth: float = 80.0
    lens: float = 1.3
    peak: float = 2.1
    units: str = "wavelengths"
    point: tuple[float, float] = (1.2e-3, 15e-3)
    cycles: float = 2.0  # of the pulse, as the width of its envelope
    newest: int = 0  # the frame of the buffer that was filled last


def samples_per_wave(mode: str) -> float:
    return {"NS200BW": 4, "NS200BWI": 2, "BS100BW": 2, "BS67BW": 4 / 3, "BS50BW": 1, "custom": 3.125}[mode]


def sample_times(save: Save, count: int) -> np.ndarray:
    """Of one acquisition, us after its start: pairs a quarter of a wave apart in bandwidth sampling."""
    n = np.arange(count)
    if save.mode in ("BS100BW", "BS50BW"):
        return (n // 2 * (1 if save.mode == "BS100BW" else 2) + n % 2 / 4) / F
    return n / (samples_per_wave(save.mode) * F)


def array(save: Save) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, z (m) and direction (rad) of the elements."""
    step = np.arange(save.elements) - (save.elements - 1) / 2
    if np.isinf(save.radius):
        return step * save.pitch, 0 * step, 0 * step
    look = step * 2 * np.arcsin(save.pitch / 2 / save.radius)
    return save.radius * np.sin(look), save.radius * (np.cos(look) - 1), look


def transmits(save: Save) -> list[np.ndarray]:
    """Delays, us; the first of each interleaved pair goes half a sample later."""
    x, z, _ = array(save)
    if save.source is not None:
        paths = [np.hypot(x - save.source[0], z - save.source[1]) * (-1 if save.source[1] > 0 else 1)]
    else:
        paths = [x * np.sin(angle) + z * np.cos(angle) for angle in save.angles]
    delays = [(path - path.min()) / C * 1e6 for path in paths]
    if save.mode != "NS200BWI":
        return delays
    return [one for delay in delays for one in (delay + 1 / (4 * F), delay)]


def record(save: Save, delays: np.ndarray, place: tuple[float, float], count: int) -> np.ndarray:
    """(samples, elements) of one acquisition."""
    x, z, _ = array(save)
    fine = np.linspace(0, save.elements - 1, 40 * save.elements)  # a wave front, not the front of each element
    near = np.arange(save.elements)
    fx, fz, fd = (np.interp(fine, near, values) for values in (x, z, delays))
    there = (fd + np.hypot(fx - place[0], fz - place[1]) / C * 1e6).min()
    back = np.hypot(x - place[0], z - place[1]) / C * 1e6
    t = 2 * save.start / F + sample_times(save, count)[:, None]
    late = t - (there + back + (2 * save.lens + save.peak) / F)
    return np.exp(-((late * F / save.cycles) ** 2)) * np.cos(2 * np.pi * F * late)


def buffer_of(save: Save, wires: np.ndarray, count: int) -> np.ndarray:
    """(rows, columns, frames) int16: noise where nothing is recorded."""
    sent = transmits(save)
    acquisitions = len(sent) * save.repeats
    data = np.random.default_rng(1).normal(0, 30, (count * acquisitions + 64, save.columns, save.frames))
    data = data.astype(np.int16)
    for turn in range(save.frames):
        frame = (turn + save.newest) % save.frames
        for acquisition in range(acquisitions):
            wave = acquisition % len(sent)
            moment = (turn * acquisitions + acquisition) // len(sent) / RATE
            where = (save.point[0], save.point[1] - SPEED * moment)
            rows = slice(acquisition * count, (acquisition + 1) * count)
            data[rows, wires, frame] = np.rint(1e3 * record(save, sent[wave], where, count))
    return data


def sequence_of(save: Save, count: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Receive and Event."""
    waves = len(transmits(save))
    acquisitions = waves * save.repeats
    receive, event = [], []
    for frame in range(save.frames):
        for acquisition in range(acquisitions):
            mode = {} if save.mode != "custom" else {"decimSampleRate": samples_per_wave("custom") * F}
            receive.append(
                {
                    "Apod": np.ones(save.elements), "startDepth": save.start, "endDepth": save.depth, "TGC": 1.0,
                    "bufnum": 1.0, "framenum": frame + 1.0, "acqNum": acquisition + 1.0, "sampleMode": save.mode,
                    "mode": 0.0, "samplesPerWave": samples_per_wave(save.mode), "demodFrequency": F,
                    "startSample": acquisition * count + 1.0, "endSample": (acquisition + 1.0) * count, **mode,
                }
            )  # fmt: skip
            event.append(
                {
                    "info": "acquire", "tx": acquisition % waves + 1.0, "rcv": float(len(receive)), "recon": 0.0,
                    "process": 0.0, "seqControl": np.array([1.0, 2.0]) if acquisition == acquisitions - 1 else 1.0,
                }
            )  # fmt: skip
        event.append({"info": "look", "tx": 0.0, "rcv": 0.0, "recon": 1.0, "process": 1.0, "seqControl": 3.0})
    return receive, event


def workspace(save: Save, **changes: Any) -> dict[str, Any]:
    """The variables; `changes` replace whole ones, and None leaves one out."""
    count = int(np.ceil(2 * (save.depth - save.start) * samples_per_wave(save.mode) / 128) * 128)
    sent = transmits(save)
    wires = np.random.default_rng(0).permutation(save.columns)[: save.elements]
    x, z, look = array(save)
    unit = 1e-3 if save.units == "mm" else WAVELENGTH
    receive, event = sequence_of(save, count)
    none = np.zeros((0, 0))
    variables = {
        "RcvData": Cell([buffer_of(save, wires, count)]),
        "Receive": receive,
        "Trans": {
            "name": "custom", "frequency": F, "type": 0.0 if np.isinf(save.radius) else 1.0, "units": save.units,
            "numelements": float(save.elements), "spacingMm": save.pitch * 1e3, "spacing": save.pitch / WAVELENGTH,
            "ElementPos": np.stack([x / unit, 0 * x, z / unit, look, 0 * x], 1), "Connector": wires[:, None] + 1.0,
            "lensCorrection": save.lens * WAVELENGTH / unit,
        },
        "TX": [
            {
                "waveform": 1.0, "Origin": np.zeros(3), "focus": 0.0, "Steer": np.zeros(2),
                "Apod": np.ones(save.elements), "Delay": delays * F,
            }
            for delays in sent
        ],
        "TW": [{"type": "parametric", "Parameters": np.array([F, 0.67, 2.0, 1.0]), "peak": save.peak}],
        "TGC": {"CntrlPts": np.arange(8.0), "rangeMax": save.depth},
        "Resource": {
            "Parameters": {"speedOfSound": C, "numTransmit": 48.0},
            "RcvBuffer": [{"datatype": "int16", "numFrames": float(save.frames), "lastFrame": float(save.newest)}],
        },
        "P": {"startDepth": save.start, "endDepth": save.depth},
        "Event": event,
        "SeqControl": [
            {"command": "timeToNextAcq", "argument": 1e6 / RATE / len(sent)},
            {"command": "transferToHost", "argument": none},
            {"command": "returnToMatlab", "argument": none},
        ],
    }  # fmt: skip
    return {name: value for name, value in (variables | changes).items() if value is not None}
