"""Channel RF to axial velocity, side by side with pymust and ustb; then long recordings of channel RF.

`run`: 32 frames of a rotating disk, measured with plane waves and sampled at 4/3 of the centre frequency,
become IQ, images of 1024 × 128 (and of 128 × 128) pixels and velocity maps. Where the measured file is absent,
a disk of scatterers of the same scan is made instead. All packages do the same work:

- depth 10-35 mm, lateral ±12.5 mm, f-number 1.5, rectangular window, linear interpolation between IQ samples
- a map for each full position of an ensemble of 9 frames: 8 frame pairs, as `Velocity.ensemble_window` averages
  an even number of them. ustb's `packet_size` and pymust's frames per call are set to those 9 frames. myovivo
  adds maps of shorter ensembles for the 8 frames at the ends; they are timed, not judged
- windows of about 1 × 1 mm on every row of the image. `myovivo thinned` is what myovivo does unless told
  otherwise, maps on rows a third of the axial window apart; it is reported beside, never as the ratio

myovivo takes Loupas' estimator, pymust has Kasai's. ustb takes Loupas' where the axial grid resolves the
carrier (1024 rows) and Kasai's where it does not (128); its gates must be even. Its own demodulation cannot
work on RF sampled that slowly, as it band-passes around the carrier first, so it is given the IQ of the same
filter that pymust has, in scipy, timed as part of its work.

A frame's time is the whole work, set-up included, over the frames; `steady_ms` leaves out what a second
recording of the same scan would not need again (ustb computes everything again each time). Each package runs
alone in a process of its own; compilation and imports are not counted. The machine should be idle: torch's threads
spin while they wait for each other, and small work takes ten times as long once another program wants their core.
`median_ms` far above `frame_ms` tells that this happened; OMP_WAIT_POLICY=PASSIVE then takes most of it away.

`growth`: 1, 4 and 16 times as many frames. `end_to_end`: 2 s of 128 channels at 2 kHz.

    python benchmarks/rf_velocity.py             # all three
    python benchmarks/rf_velocity.py run         # or growth, or end_to_end
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MEASURED = Path(__file__).parents[2] / "shared" / "data" / "rotating_disk_planewave_rf" / "PWI_disk.mat"
DEPTH, WIDTH, F_NUMBER = (0.010, 0.035), (-0.0125, 0.0125), 1.5
COLUMNS, GRIDS = 128, (1024, 128)
PAIRS = 8  # frame pairs per velocity map
WINDOW = 1e-3  # m, axial and lateral
PIXELS = {1024: (41, 5), 128: (5, 5)}  # that window for pymust
GATES = {1024: (40, 4), 128: (4, 4)}  # and for ustb
CENTRE, RADIUS = 0.0225, 0.008  # m, where the disk is judged
TURNS = 10.0  # per second
REPEATS, REPEAT_S = 3, 5.0  # at least so many, at least so long; the best counts
OURS, THEIRS = ("myovivo", "myovivo thinned"), ("pymust", "ustb")
GOAL, SLOPE_MARGIN = 3.0, 0.1  # times faster; percentage points

GROWTH_FRAMES, GROWTH_SAMPLES, GROWTH_LIMIT = 1024, 512, 1.25
# The band-pass keeps some thousand frames at 2 kHz; that few frames a second and pixels reach the plateau in seconds.
GROWTH_RATE, GROWTH_PIXELS = 250.0, 64
WARM_FRAMES = 256
LONG_FRAMES, LONG_SAMPLES, LONG_DEPTH, LONG_LIMIT_S = 4000, 1536, (0.001, 0.040), 240.0


class Disk(NamedTuple):
    """RF (S, E, T) of the rotating disk and its scan, SI units."""

    rf: NDArray[np.int16]
    fs: float
    fc: float
    pitch: float
    c: float
    t0: float
    prf: float


class Maps(NamedTuple):
    """Velocity (N, Z, X) in m/s, one for each full ensemble, and the seconds they took."""

    velocity: NDArray[np.floating[Any]]
    total_s: float
    steady_s: float


# ------------------------------------------------------------------------------------ the disk


def load_disk() -> tuple[Disk, str]:
    """The measured disk, or a simulated one; and which of them."""
    if not MEASURED.is_file():
        return simulated_disk(), "simulated"
    from myovivo.runtime.matlab import read_matlab

    file = read_matlab(MEASURED)
    scan = [float(np.ravel(file["param"][name])[0]) for name in ("fs", "fc", "pitch", "c", "t0", "PRF")]
    return Disk(np.asarray(file["RF"]), *scan), "measured"


def simulated_disk(scatterers: int = 4000, radius: float = 0.010, seed: int = 0) -> Disk:
    """Point scatterers turning rigidly under a plane wave, in the scan of the measured disk."""
    fs, fc, pitch, c, t0, prf = 20e6 / 3, 5e6, 0.298e-3, 1480.0, 9.95e-6, 10e3
    samples, elements, frames = 334, 128, 32
    rng = np.random.default_rng(seed)
    distance = radius * np.sqrt(rng.random(scatterers))
    start_angle, strength = rng.random(scatterers) * 2 * np.pi, rng.standard_normal(scatterers)
    element = ((np.arange(elements) - (elements - 1) / 2) * pitch)[:, None]
    spread = 0.5e-6  # s, of a Gaussian pulse about as narrow-banded as the measured one
    taps = np.arange(-int(3 * spread * fs), int(3 * spread * fs) + 2)
    offset = np.arange(elements)[:, None, None] * samples
    rf = np.empty((samples, elements, frames))
    for frame in range(frames):
        angle = start_angle + 2 * np.pi * TURNS * frame / prf
        z, x = CENTRE + distance * np.sin(angle), distance * np.cos(angle)
        path = np.hypot(z, x - element)
        arrival = (z + path) / c - t0  # (E, scatterer), since the first sample
        sample = np.floor(arrival * fs).astype(np.int64)[..., None] + taps
        late = sample / fs - arrival[..., None]
        echo = strength[:, None] * np.exp(-((late / spread) ** 2) / 2) * np.cos(2 * np.pi * fc * late)
        echo *= (z / path)[..., None]  # elements hear less from the side
        inside = (sample >= 0) & (sample < samples)
        flat = np.bincount((sample + offset)[inside], echo[inside], samples * elements)
        rf[:, :, frame] = flat.reshape(elements, samples).T
    rf *= 8000 / np.abs(rf).max()
    return Disk(rf.astype(np.int16), fs, fc, pitch, c, t0, prf)


def pixel_axes(rows: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pixel centres, the same for every package: depth (Z,) and lateral (X,), m."""
    z = DEPTH[0] + (np.arange(rows) + 0.5) * (DEPTH[1] - DEPTH[0]) / rows
    return z, WIDTH[0] + (np.arange(COLUMNS) + 0.5) * (WIDTH[1] - WIDTH[0]) / COLUMNS


def accuracy(velocity: NDArray[np.floating[Any]], rows: int) -> dict[str, float]:
    """How well a map (Z, X) is the plane that the axial velocity of a turning disk is.

    Error of its lateral slope, %; R²; RMS of the residual, mm/s. The packages differ in the sign of velocity,
    so the slope's magnitude counts.
    """
    z, x = pixel_axes(rows)
    z = z.reshape(len(velocity), -1).mean(1)  # of thinned rows
    zz, xx = np.meshgrid(z - CENTRE, x, indexing="ij")
    inside = np.hypot(zz, xx) < RADIUS
    terms, y = np.c_[zz[inside], xx[inside], np.ones(inside.sum())], velocity[inside].astype(float)
    found, *_ = np.linalg.lstsq(terms, y, rcond=None)
    residual = y - terms @ found
    true = 2 * np.pi * TURNS
    return {
        "slope": float(found[1]),
        "slope_axial": float(found[0]),
        "slope_error_percent": 100 * (abs(float(found[1])) - true) / true,
        "r2": float(1 - residual.var() / y.var()),
        "rms_residual_mm_s": 1e3 * float(residual.std()),
    }


# ------------------------------------------------------------------------------------ the packages


def with_myovivo(disk: Disk, rows: int, thinned: bool = False) -> Maps:
    from myovivo.acquisition.beamform import beamform
    from myovivo.acquisition.channel_data import ChannelData
    from myovivo.acquisition.settings import Velocity
    from myovivo.acquisition.velocity import autocorrelation_velocity

    settings = Velocity(
        estimator="loupas", axial_window=WINDOW, lateral_window=WINDOW, ensemble_window=PAIRS / disk.prf
    )
    start = time.perf_counter()
    channels = ChannelData.of_array(
        disk.rf.transpose(2, 0, 1),
        pitch=disk.pitch,
        frame_rate=disk.prf,
        sampling_frequency=disk.fs,
        centre_frequency=disk.fc,
        sound_speed=disk.c,
        start_time=np.array([disk.t0]),
    )
    image = {"depth": DEPTH, "width": WIDTH, "rows": rows, "columns": COLUMNS, "f_number": F_NUMBER, "window": "boxcar"}
    recording = beamform(channels, **{f"beamforming.{name}": value for name, value in image.items()})
    pixel = None if thinned else recording.spacing[0]
    estimate = autocorrelation_velocity(recording, settings, pixel, quiet=True)
    total = time.perf_counter() - start
    # The recording keeps its matrices, so a second pass over it is the work without set-up.
    start = time.perf_counter()
    autocorrelation_velocity(recording, settings, pixel, quiet=True)
    return Maps(estimate.velocity[PAIRS // 2 : -(PAIRS // 2)], total, time.perf_counter() - start)


def with_pymust(disk: Disk, rows: int) -> Maps:
    import pymust
    from pymust.utils import Param

    samples, elements, frames = disk.rf.shape
    scan = {"fs": disk.fs, "fc": disk.fc, "t0": np.array([disk.t0])}
    start = time.perf_counter()
    xx, zz = np.meshgrid(pixel_axes(rows)[1], pixel_axes(rows)[0])
    # A Param of its own: dasmtx leaves a bandwidth of 75 % in it, which rf2iq would take for the filter's.
    geometry = Param(**scan, pitch=disk.pitch, c=disk.c, fnumber=F_NUMBER, Nelements=elements)
    # A size of imaginary numbers asks for the matrix of IQ.
    matrix = pymust.dasmtx(1j * np.array([samples, elements]), xx, zz, np.zeros((1, elements)), geometry).tocsr()
    set_up = time.perf_counter() - start
    iq = pymust.rf2iq(disk.rf.astype(float), Param(**scan))
    columns = iq.reshape(samples * elements, frames, order="F")  # element after element, as dasmtx counts
    image = (matrix @ columns).reshape(rows, COLUMNS, frames, order="F")
    doppler, window = Param(fc=disk.fc, c=disk.c, PRF=disk.prf), np.array(PIXELS[rows])
    velocity = [
        pymust.iq2doppler(image[:, :, first : first + PAIRS + 1], doppler, window)[0] for first in range(frames - PAIRS)
    ]
    total = time.perf_counter() - start
    return Maps(np.array(velocity), total, total - set_up)


def with_ustb(disk: Disk, rows: int) -> Maps:
    from pyuff_ustb import ChannelData, LinearArray, LinearScan, Point, Pulse, Wave, Wavefront
    from scipy.signal import butter, filtfilt
    from ustb._scan_grid import to_image
    from ustb.beamformed_data import BeamformedData
    from ustb.enums import Window
    from ustb.midprocess import DAS
    from ustb.postprocess import AutocorrelationDisplacementEstimation, ModifiedAutocorrelationDisplacementEstimation

    samples, elements, _ = disk.rf.shape
    start = time.perf_counter()
    t = disk.t0 + np.arange(samples) / disk.fs
    mixed = disk.rf * np.exp(-2j * np.pi * disk.fc * t)[:, None, None]
    b, a = butter(5, min(2 * disk.fc / disk.fs, 0.5))
    iq = 2 * filtfilt(b, a, mixed, axis=0)

    das, (z_axis, x_axis) = DAS(), pixel_axes(rows)
    das.scan = LinearScan(x_axis=x_axis, z_axis=z_axis)
    das.channel_data = ChannelData(
        sampling_frequency=disk.fs,
        initial_time=disk.t0,
        sound_speed=disk.c,
        modulation_frequency=disk.fc,
        pulse=Pulse(center_frequency=disk.fc),
        probe=LinearArray(N=elements, pitch=disk.pitch),
        # A wave has a sound speed of its own, 1540 m/s unless told.
        sequence=[
            Wave(
                wavefront=Wavefront.plane,
                source=Point(distance=1.0, azimuth=0.0, elevation=0.0),
                sound_speed=disk.c,
                delay=0.0,
            )
        ],
        data=iq[:, :, None, :].astype(np.complex64),
    )
    das.receive_apodization.window = Window.boxcar
    das.receive_apodization.f_number = np.array([F_NUMBER, F_NUMBER])
    with contextlib.redirect_stdout(sys.stderr):  # it prints as it goes; standard output is the result's
        image = das.go()
    resolved = z_axis[1] - z_axis[0] < disk.c / (4 * disk.fc)
    if resolved:
        # Its Loupas estimator measures the carrier itself, so the carrier has to be put back.
        carrier = np.exp(4j * np.pi * disk.fc * das.scan.z / disk.c).astype(np.complex64)
        image = BeamformedData(scan=image.scan, data=image.data * carrier.reshape(-1, 1, 1, 1))
        estimator = ModifiedAutocorrelationDisplacementEstimation()
    else:
        estimator = AutocorrelationDisplacementEstimation()
    estimator.input, estimator.channel_data = image, das.channel_data
    estimator.z_gate, estimator.x_gate = GATES[rows]
    estimator.packet_size = PAIRS + 1
    displacement = to_image(estimator.go().data[:, 0, 0], das.scan)  # (Z, X, N), m per frame
    velocity = np.moveaxis(displacement, -1, 0) * disk.prf
    total = time.perf_counter() - start
    return Maps(velocity, total, total)


PACKAGES: dict[str, Callable[[Disk, int], Maps]] = {
    "myovivo": with_myovivo,
    "myovivo thinned": lambda disk, rows: with_myovivo(disk, rows, thinned=True),
    "pymust": with_pymust,
    "ustb": with_ustb,
}


def measure(package: str, rows: int, disk: Disk) -> dict[str, Any]:
    """Best time of a few repeats, accuracy and peak memory of one package, in this process."""
    import torch

    torch.set_num_threads(os.cpu_count() or 1)
    work = PACKAGES[package]
    # Imports, numba's compilation and the threads' start are not what is measured.
    work(disk._replace(rf=disk.rf[:, :8, : PAIRS + 2]), 128)
    baseline = memory_baseline()
    total_s, steady_s, middle = [], [], np.empty(0)
    start, count = time.perf_counter(), 0
    # Short work is repeated more often: other processes disturb it more.
    while len(total_s) < REPEATS or time.perf_counter() - start < REPEAT_S:
        velocity, total, steady = work(disk, rows)
        total_s.append(total)
        steady_s.append(steady)
        middle, count = velocity[len(velocity) // 2].copy(), len(velocity)
        del velocity  # of the next repeat's peak it is no part
    peak = memory_peak()
    frames = disk.rf.shape[2]
    return {
        "rows": len(middle),
        "maps": count,
        "repeats": len(total_s),
        "frame_ms": 1e3 * min(total_s) / frames,
        "median_ms": 1e3 * float(np.median(total_s)) / frames,  # far above the best: other programs were running
        "steady_ms": 1e3 * min(steady_s) / frames,
        "baseline_mb": baseline / 1e6,
        "peak_mb": peak / 1e6,
        "above_baseline_mb": (peak - baseline) / 1e6,
        **accuracy(middle, rows),
    }


# ------------------------------------------------------------------------------------ memory


def _status(name: str) -> int | None:
    """Bytes that Linux says of this process; None elsewhere."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith(name)).split()[1])
    return None


def memory_baseline() -> int:
    """Bytes in use; the peak is counted from here."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    return _status("VmRSS") or memory_peak()


def memory_peak() -> int:
    """Highest resident memory, bytes.

    Linux starts a new process' ru_maxrss at the memory of the one that started it, so it only serves elsewhere.
    """
    unit = 1 if sys.platform == "darwin" else 1024
    return _status("VmHWM") or unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def in_a_process(*arguments: object) -> dict[str, Any]:
    """Run this file with arguments in a fresh process and read the JSON that it prints.

    Raises
    ------
    RuntimeError : it failed.
    """
    command = [sys.executable, __file__, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[2:])} failed: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)


# ------------------------------------------------------------------------------------ against the others


def run() -> list[dict[str, Any]]:
    """A row per image size: milliseconds a frame of every package that is installed, slope error and memory."""
    disk, source = load_disk()
    packages = [*OURS, *(name for name in THEIRS if importlib.util.find_spec(name))]
    with tempfile.TemporaryDirectory(prefix="myovivo-rf-") as folder:
        path = Path(folder, "disk.npz")
        np.savez(path, **disk._asdict())
        found = {
            rows: {name: in_a_process("--measure", name, rows, path) for name in packages} for rows in reversed(GRIDS)
        }
    for name in packages[len(OURS) :]:
        for rows in GRIDS:
            found[rows][name]["version"] = importlib.metadata.version(name)
    return [comparison(rows, found[rows], source) for rows in found]


def comparison(rows: int, packages: dict[str, dict[str, Any]], source: str) -> dict[str, Any]:
    """What `make bench` prints of one image size."""
    ours = packages["myovivo"]
    others = {name: found for name, found in packages.items() if name in THEIRS}
    missing = [name for name in THEIRS if name not in others]
    row: dict[str, Any] = {
        "benchmark": f"channel RF to velocity at {rows} × {COLUMNS}, against the fastest of pymust and ustb",
        "goal": f"{GOAL:g} ×",
        "data": source,
        "missing": missing,
        "packages": packages,
    }
    note = f"; not installed: {', '.join(missing)}" if missing else ""
    if not others:
        return {**row, "measured": f"{ours['frame_ms']:.1f} ms a frame{note}", "ratio": None, "met": False}
    fastest = min(others, key=lambda name: others[name]["frame_ms"])
    theirs = others[fastest]
    ratio = theirs["frame_ms"] / ours["frame_ms"]
    best_slope = min(abs(found["slope_error_percent"]) for found in others.values())
    measured = (
        f"{ratio:.1f} × faster than {fastest} ({ours['frame_ms']:.1f} ms against {theirs['frame_ms']:.1f} ms a frame; "
        f"slope error {ours['slope_error_percent']:+.2f} % against {theirs['slope_error_percent']:+.2f} %; "
        f"peak memory {ours['above_baseline_mb']:.0f} MB against {theirs['above_baseline_mb']:.0f} MB{note})"
    )
    accurate = abs(ours["slope_error_percent"]) <= best_slope + SLOPE_MARGIN
    return {**row, "measured": measured, "ratio": ratio, "met": ratio >= GOAL and accurate}


# ------------------------------------------------------------------------------------ long recordings


def repeated_rf(frames: int, samples: int, frame_rate: float) -> Any:
    """Channel data that takes no memory and no time: one block of noise again and again."""
    from myovivo.acquisition.channel_data import ChannelData, centred

    count, elements = 32, 128
    block = np.random.default_rng(0).integers(-2048, 2048, (count, 1, samples, elements), np.int16)

    def blocks() -> Iterator[NDArray[np.int16]]:
        for first in range(0, frames, count):
            yield block[: min(count, frames - first)]

    return ChannelData(
        blocks,
        (frames, 1, samples, elements),
        frame_rate=frame_rate,
        sampling_frequency=4 * 5.2e6,
        centre_frequency=5.2e6,
        element_x=centred(elements, 0.3e-3),
    )


def stream(frames: int, samples: int, frame_rate: float, settings: dict[str, Any]) -> dict[str, Any]:
    """Seconds and memory of the whole chain, from channel RF to a sequence file, in this process."""
    import torch

    from myovivo.acquisition.acquire import acquire_to

    torch.set_num_threads(os.cpu_count() or 1)
    channels = repeated_rf(frames, samples, frame_rate)
    with tempfile.TemporaryDirectory(prefix="myovivo-rf-") as folder:
        path = Path(folder, "sequence.h5")
        acquire_to(path, repeated_rf(WARM_FRAMES, samples, frame_rate), quiet=True, **settings)
        baseline = memory_baseline()
        begin, seconds = time.perf_counter(), []
        while not seconds or time.perf_counter() - begin < REPEAT_S:
            start = time.perf_counter()
            acquire_to(path, channels, quiet=True, **settings)
            seconds.append(time.perf_counter() - start)
    return {
        "frames": frames,
        "repeats": len(seconds),
        "seconds": min(seconds),
        "frame_ms": 1e3 * min(seconds) / frames,
        "baseline_mb": baseline / 1e6,
        "peak_mb": memory_peak() / 1e6,
        "above_baseline_mb": (memory_peak() - baseline) / 1e6,
    }


def growth() -> dict[str, Any]:
    """Time and peak memory of recordings of 1, 4 and 16 times as many frames."""
    pixels = {"rows": GROWTH_PIXELS, "columns": GROWTH_PIXELS}
    settings = {f"{group}.{name}": value for group in ("beamforming", "output") for name, value in pixels.items()}
    settings["output.frame_rate"] = 0.8 * GROWTH_RATE
    sizes = [
        in_a_process("--stream", GROWTH_FRAMES * times, GROWTH_SAMPLES, GROWTH_RATE, json.dumps(settings))
        for times in (1, 4, 16)
    ]
    first, middle, last = sizes
    memory = last["peak_mb"] / first["peak_mb"]
    # The shortest is hardly longer than the band-pass looks ahead, which spares it most of the second backward
    # pass over each frame that a stream needs: time grows in proportion only from there on.
    frame_time = last["frame_ms"] / middle["frame_ms"]
    times = ", ".join(f"{size['seconds']:.1f} s" for size in sizes)
    peaks = ", ".join(f"{size['above_baseline_mb']:.0f}" for size in sizes)
    return {
        "benchmark": "channel RF of 1, 4 and 16 × as many frames",
        "measured": f"{times}; {peaks} MB above imports; {memory:.2f} × the peak; "
        f"{frame_time:.2f} × the time a frame from 4 to 16 ×, {last['frame_ms'] / first['frame_ms']:.2f} × from 1 ×",
        "goal": f"at most {GROWTH_LIMIT} × each",
        "met": memory <= GROWTH_LIMIT and frame_time <= GROWTH_LIMIT,
        "ratio": memory,
        "time_ratio": frame_time,
        "sizes": sizes,
    }


def end_to_end() -> dict[str, Any]:
    """2 s of 128 channels at 2 kHz, 40 mm deep, to a TVI sequence."""
    found = in_a_process("--stream", LONG_FRAMES, LONG_SAMPLES, 2000.0, json.dumps({"beamforming.depth": LONG_DEPTH}))
    gigabytes = LONG_FRAMES * LONG_SAMPLES * 128 * 2 / 1e9
    return {
        "benchmark": f"2 s of 128-channel RF at 2 kHz ({gigabytes:.1f} GB) to a TVI sequence",
        "measured": f"{found['seconds']:.0f} s, {found['frame_ms']:.1f} ms a frame, peak {found['peak_mb']:.0f} MB",
        "goal": f"at most {LONG_LIMIT_S:g} s",
        "met": found["seconds"] <= LONG_LIMIT_S,
        "ratio": found["seconds"] / LONG_LIMIT_S,
        **found,
    }


def main(arguments: list[str]) -> Any:
    if arguments[:1] == ["--measure"]:
        package, rows, path = arguments[1:]
        with np.load(path) as file:
            disk = Disk(file["rf"], *(float(file[name]) for name in Disk._fields[1:]))
        return measure(package, int(rows), disk)
    if arguments[:1] == ["--stream"]:
        frames, samples, frame_rate, settings = arguments[1:]
        return stream(int(frames), int(samples), float(frame_rate), json.loads(settings))
    benchmarks = {"run": run, "growth": growth, "end_to_end": end_to_end}
    return {name: benchmarks[name]() for name in arguments or benchmarks}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:]), indent=2, ensure_ascii=False))
