"""Motion in B-mode video: error on known displacements and time, against scikit-image's `optical_flow_ilk`.

Pictures of speckle, and of muscle where measured clips are at hand, are displaced by known fields: alike everywhere,
turned, or strained. Grey levels are whole numbers with noise of two of them. Both estimators follow the same window of
3 mm, and their vertical displacement is judged on the same pixels, averages over about 0.35 mm, one pixel away from
the edges: root mean square error in pixels of the estimate's pictures. Times are those of the same pairs of frames, in
turns, the best of some rounds: wall, and CPU of all threads.

    python benchmarks/video_motion.py                     # table, and benchmarks/out/video_motion.json
    python benchmarks/video_motion.py --against SRC       # and `acquire` of a clip, against another version's sources
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.ndimage import gaussian_filter, map_coordinates
from skimage.registration import optical_flow_ilk
from skimage.transform import downscale_local_mean

from myovivo.acquisition.inputs import Images
from myovivo.acquisition.motion import Motion
from myovivo.runtime.files import write_json

OUT = Path(__file__).parent / "out" / "video_motion.json"
CLIPS = Path(__file__).parents[2] / "shared" / "data" / "gastroc_bmode"
REGION = (slice(45, 619), slice(215, 935))  # of the picture in those clips
PIXEL, RATE, WINDOW = 0.0883e-3, 61.0, 3e-3  # m, Hz, m
SHAPE, MARGIN = (572, 720), 60  # of a picture; pixels around it that move into it
PAIRS, ROUNDS = 3, 3
FIELDS = (
    *[("shift", amount) for amount in (0.1, 0.25, 0.5, 1.0, 3.0, 8.0)],
    *[("rotation", amount) for amount in (0.5, 3.0, 8.0)],
    *[("strain", amount) for amount in (0.5, 3.0, 8.0)],
)
CHILD = """
import json, sys, time
import myovivo
begin = time.perf_counter(), time.process_time()
sequence = myovivo.acquire(sys.argv[1], quiet=True, **json.loads(sys.argv[2]))
print(json.dumps([time.perf_counter() - begin[0], time.process_time() - begin[1],
                  float(sequence.velocity.std()), float(abs(sequence.velocity).max())]))
"""


def field(kind: str, amount: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Displacement down and to the right, of at most `amount` pixels of the estimate (two of the picture)."""
    rows, columns = SHAPE
    z, x = np.mgrid[:rows, :columns].astype(float)
    z, x = (z - rows / 2) / (rows / 2), (x - columns / 2) / (columns / 2)
    if kind == "rotation":
        return 2 * amount * x, -2 * amount * z * rows / columns
    if kind == "strain":
        return 2 * amount * z, -2 * amount * x
    return np.full(SHAPE, 2 * amount), np.full(SHAPE, 0.6 * amount)


def speckle(rng: np.random.Generator) -> NDArray[Any]:
    """Grey levels of fully developed speckle, wider laterally, compressed as on a screen."""
    size = tuple(side + 2 * MARGIN for side in SHAPE)
    echo = gaussian_filter(rng.standard_normal(size), (2, 3)) + 1j * gaussian_filter(rng.standard_normal(size), (2, 3))
    decibel = 20 * np.log10(np.abs(echo) / np.abs(echo).max() + 1e-6)
    return 255 * np.clip(1 + decibel / 50, 0, 1)


def muscle() -> NDArray[Any]:
    """The first picture of a measured clip, extended by its mirror image."""
    import cv2

    picture = cv2.VideoCapture(str(sorted(CLIPS.glob("*.mp4"))[0])).read()[1]
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[REGION][: SHAPE[0], : SHAPE[1]].astype(float)
    return np.pad(gaussian_filter(grey, 1), MARGIN, "reflect")  # smooth, so that its cubics are the truth


def pair(picture: NDArray[Any], kind: str, amount: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(2, Z, X): what the first shows at p the second shows at p + d."""
    down, right = field(kind, amount)
    z, x = np.mgrid[: SHAPE[0], : SHAPE[1]] + MARGIN
    first = map_coordinates(picture, [z + down, x + right], order=3)
    both = np.stack([first, picture[MARGIN:-MARGIN, MARGIN:-MARGIN]])
    return np.clip(np.rint(both + 2 * rng.standard_normal(both.shape)), 0, 255).astype(np.uint8)


def former(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Vertical displacement (1, Z / 2, X / 2) by scikit-image, on means over 2 x 2 pixels."""
    before, after = (downscale_local_mean(frame, (2, 2)).astype(np.float32) / 255 for frame in frames[:2])
    return optical_flow_ilk(before, after, radius=8, num_warp=3)[0][None]


def present(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The same by `Motion`, on means over 4 x 4 pixels; the clip is made three frames long."""
    clip = np.concatenate([frames, frames[-1:]])
    motion = Motion(Images(lambda: iter([clip]), clip.shape, RATE, (PIXEL, PIXEL)), WINDOW, 4 * PIXEL, quiet=True)
    return -next(motion.blocks())[:1] / (2 * PIXEL * RATE)


def common(displacement: NDArray[Any], factor: int) -> NDArray[Any]:
    """Means over `factor` x `factor` pixels, without those at the edges."""
    rows, columns = (side // factor for side in displacement.shape[-2:])
    whole = displacement[..., : rows * factor, : columns * factor]
    return whole.reshape(rows, factor, columns, factor).mean((1, 3))[1:-1, 1:-1]


def errors(pictures: dict[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """Root mean square and largest error of both, for every picture and field."""
    rng = np.random.default_rng(1)
    rows = []
    for name, picture in pictures.items():
        for kind, amount in FIELDS:
            truth = common(field(kind, amount)[0], 4) / 2
            wrong: dict[str, list[NDArray[Any]]] = {"former": [], "present": []}
            for _ in range(PAIRS):
                frames = pair(picture, kind, amount, rng)
                wrong["former"].append(common(former(frames)[0], 2) - truth)
                wrong["present"].append(common(present(frames)[0], 1) - truth)
            row: dict[str, Any] = {"picture": name, "field": kind, "pixels": amount}
            for who, values in wrong.items():
                row[f"{who}_rms"] = float(np.sqrt(np.mean(np.square(values))))
                row[f"{who}_largest"] = float(np.abs(values).max())
            rows.append(row | {"ratio": row["present_rms"] / row["former_rms"]})
    return rows


def times(picture: NDArray[Any], pairs: int = 8) -> dict[str, float]:
    """Seconds per pair of frames, wall and CPU, the best of rounds in turns; `Motion` on a whole clip."""
    rng = np.random.default_rng(2)
    frames = np.concatenate(
        [pair(picture, "shift", 0.5, rng) for _ in range(pairs // 2)] + [pair(picture, "shift", 0.5, rng)[:1]]
    )
    clip = Images(lambda: iter([frames]), frames.shape, RATE, (PIXEL, PIXEL))
    works: dict[str, Callable[[], Any]] = {
        "former": lambda: [former(frames[i : i + 2]) for i in range(pairs)],
        "present": lambda: list(Motion(clip, WINDOW, 4 * PIXEL, quiet=True).blocks()),
    }
    best = {f"{who}_{clock}": np.inf for who in works for clock in ("wall", "cpu")}
    for _ in range(ROUNDS):
        for who, work in works.items():
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
            best |= {f"{who}_{clock}": min(best[f"{who}_{clock}"], value / pairs) for clock, value in spent.items()}
    return {name: float(value) for name, value in best.items()}


def whole_way(against: Path, picture: NDArray[Any]) -> dict[str, float]:
    """`acquire` of a clip of 64 frames by both versions, in turns, in processes of their own: s, and velocities."""
    settings = {"conditioning.band": (5.0, 25.0), "video.pixel": PIXEL}
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        clip = _clip(Path(folder), picture)
        if clip.parent == CLIPS:
            del settings["video.pixel"]  # the notes beside it have it, and the region
        here = Path(__file__).parents[1] / "src"
        for _ in range(ROUNDS):
            for who, source in (("former", against), ("present", here)):
                command = [sys.executable, "-c", CHILD, str(clip), json.dumps(settings)]
                run = subprocess.run(
                    command, env={**os.environ, "PYTHONPATH": str(source)}, capture_output=True, text=True, check=True
                )
                wall, cpu, sd, largest = json.loads(run.stdout.splitlines()[-1])
                found[f"{who}_wall"] = min(wall, found.get(f"{who}_wall", np.inf))
                found[f"{who}_cpu"] = min(cpu, found.get(f"{who}_cpu", np.inf))
                found |= {f"{who}_sd": sd, f"{who}_largest": largest}
    return found


def _clip(folder: Path, picture: NDArray[Any]) -> Path:
    """A measured clip, or one of speckle that swings."""
    if measured := sorted(CLIPS.glob("*.mp4")):
        return measured[0]
    import cv2

    clip = folder / "clip.mp4"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"mp4v"), RATE, SHAPE[::-1])
    for frame in range(64):
        moved = pair(picture, "shift", float(np.sin(frame)), np.random.default_rng(frame))[0]
        writer.write(cv2.cvtColor(moved, cv2.COLOR_GRAY2BGR))
    writer.release()
    return clip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="the folder src of another version: both acquire a clip")
    arguments = parser.parse_args()

    pictures = {"speckle": speckle(np.random.default_rng(0))}
    if CLIPS.is_dir():
        pictures["muscle"] = muscle()
    rows = errors(pictures)
    table = Table("picture", "field", "pixels", "error before", "error now", "largest before", "largest now", "ratio")
    for row in rows:
        values = [row[name] for name in ("former_rms", "present_rms", "former_largest", "present_largest", "ratio")]
        table.add_row(row["picture"], row["field"], f"{row['pixels']:g}", *(f"{value:.3f}" for value in values))
    Console().print(table)
    spent = times(pictures["speckle"])
    found: dict[str, Any] = {
        "errors": rows,
        "error_ratio": float(np.exp(np.mean([np.log(row["ratio"]) for row in rows]))),
        "times": spent,
        "wall_ratio": spent["former_wall"] / spent["present_wall"],
        "cpu_ratio": spent["former_cpu"] / spent["present_cpu"],
    }
    print(f"error now over before: {found['error_ratio']:.2f} (geometric mean)")
    print(f"time before over now, per pair: wall {found['wall_ratio']:.1f}, CPU {found['cpu_ratio']:.1f}  {spent}")
    if arguments.against:
        way = found["acquire"] = whole_way(arguments.against, pictures["speckle"])
        ratios = [way[f"former_{clock}"] / way[f"present_{clock}"] for clock in ("wall", "cpu")]
        print(f"acquire of a clip: wall {ratios[0]:.1f}, CPU {ratios[1]:.1f} times as fast  {way}")
    write_json(OUT, found)


if __name__ == "__main__":
    main()
