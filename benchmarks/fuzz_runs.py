"""Small valid files that myovivo itself writes, and settings, for `fuzz.py` to break; and how each is read."""

from __future__ import annotations

import functools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import yaml
from fuzz_files import FRAMES, RATE, SAMPLES, echoes, firings, npy, wave

import myovivo as mv
from myovivo.identification.settings import IdentifySettings, LearnSettings
from myovivo.runtime.settings import settings_from
from myovivo.runtime.tensors import read_tensors
from myovivo.studies.plan import steps_of
from myovivo.studies.study import study_settings

TINY = {
    "generator.features": 8,
    "generator.blocks": 1,
    "discriminator.features": 8,
    "discriminator.layers": 1,
    "data.clip": (8, 16, 16),
    "optimiser.steps": 2,
}
ACQUIRE = {"output.rows": 8, "output.columns": 8, "output.frame_rate": None, "conditioning.band": None, "quiet": True}
KINDS: dict[str, type[Any]] = {
    "simulate": mv.SimulateSettings,
    "phantom": mv.PhantomSettings,
    "acquire": mv.AcquireSettings,
    "train": mv.TrainSettings,
    "identify": IdentifySettings,
    "learn": LearnSettings,
    "study": mv.StudySettings,
}
STUDY = {"models": {"house": {"optimiser.steps": 2}}, "silico.sequences": 8, "vivo.subjects": 2, "vivo.runs": 2}


def settings(kind: str, folder: Path) -> Path:
    made = settings_from(KINDS[kind], STUDY) if kind == "study" else KINDS[kind]()
    path = folder / f"{kind}.yaml"
    path.write_text(yaml.safe_dump(made.model_dump(mode="json"), sort_keys=False))
    return path


@functools.cache
def trained() -> Path:
    """A run of two steps between two small domains."""
    folder = Path(tempfile.mkdtemp())
    for domain in ("silico", "vivo"):
        for subject in ("a", "b"):
            made = mv.Sequence(wave(), RATE, (5e-4, 5e-4), origin=domain, subject=subject)  # type: ignore[arg-type]
            made.save(folder / domain / f"{subject}.h5")
    return mv.train("paper-3d", folder / "silico", folder / "vivo", folder / "run", device="cpu", quiet=True, **TINY)


def part_of_run(name: str, folder: Path) -> Path:
    shutil.copytree(trained(), folder, dirs_exist_ok=True)
    return folder / name


def manifest(folder: Path) -> Path:
    """The manifest of a folder that was acquired from a file beside it."""
    (folder / "source").mkdir()
    npy(folder / "source")
    mv.acquire_domain(folder / "source", folder, **ACQUIRE)
    return folder / "domain.json"


def delsys(folder: Path) -> Path:
    rows = zip(*(times[:40] for times in firings()), strict=True)
    lines = ["\t".join(f"MU {number}" for number in range(4))]
    lines += ["\t".join(f"{time:.4f}" for time in row) for row in rows]
    (folder / "a_firings.txt").write_text("\n".join(lines) + "\n")
    return folder / "a_firings.txt"


def otb(folder: Path) -> Path:
    train = np.zeros((2048 * 6, 4))
    for column, times in enumerate(firings()):
        train[np.rint(2048 * times[times < 5.9]).astype(int), column] = 1
    words = np.array([f"Decomposition of grid (unit {number})" for number in range(4)], object)[:, None]
    scipy.io.savemat(folder / "otb.mat", {"Data": train, "Description": words, "SamplingFrequency": 2048.0})
    return folder / "otb.mat"


def ultrasonix(folder: Path) -> Path:
    """A `.rf` file; with what it does not say in a sidecar."""
    lines = echoes().transpose(0, 2, 1)
    told = {0: 16, 1: FRAMES, 2: lines.shape[1], 3: SAMPLES, 4: 16, 14: 5_000_000, 15: 20_000_000, 16: int(RATE)}
    head = np.array([told.get(place, 0) for place in range(19)], "<i4")
    (folder / "scan.rf").write_bytes(head.tobytes() + lines.astype("<i2").tobytes())
    return folder / "scan.rf"


OWN: dict[str, tuple[Callable[[Path], Path], ...]] = {
    "settings": tuple(functools.partial(settings, kind) for kind in KINDS),
    "weights": (functools.partial(part_of_run, "weights.safetensors"),),
    "checkpoint": (functools.partial(part_of_run, "checkpoint.safetensors"),),
    "run": (functools.partial(part_of_run, "run.json"), functools.partial(part_of_run, "log.jsonl")),
    "domain": (manifest,),
    "Delsys": (delsys,),
    "OTBioLab": (otb,),
    "Ultrasonix": (ultrasonix,),
}


def read_own(kind: str, path: Path) -> None:
    """Read a file of `OWN` as a command would."""
    if kind == "settings":
        made = settings_from(KINDS[path.stem], path)
        if path.stem == "study":
            steps_of(study_settings(made))
    elif kind == "weights":
        translate = mv.Translator.load(path, device="cpu")
        translate(mv.Sequence(wave()[:16], RATE, (5e-4, 5e-4), origin="silico"))
    elif kind == "checkpoint":
        read_tensors(path, "checkpoint")
    elif kind == "run":
        repr(mv.Run.load(path.parent))
        for domain in ("silico", "vivo"):
            mv.train_files(path.parent, domain), mv.test_files(path.parent, domain)  # type: ignore[arg-type]
    elif kind == "domain":
        mv.acquire_domain(path.parent / "source", path.parent, **ACQUIRE)
    elif kind == "Ultrasonix":
        more = {"scan.content": "rf", "scan.pitch": 3e-4, "scan.start_time": 4e-6, "velocity.axial_window": 1e-3}
        mv.inspect(path)
        mv.acquire(path, device="cpu", **ACQUIRE, **more)
    else:
        mv.read_spike_trains(path)
