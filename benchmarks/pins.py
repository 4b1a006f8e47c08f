"""What must not move when the house is rebuilt: public surface, command line, file formats, bytes at fixed seeds.

python benchmarks/pins.py before.json            # of the code that is installed, or that PYTHONPATH names first
python benchmarks/pins.py after.json before.json # and what differs from before; exit status 1 if anything does

The bytes are those of this machine: compare two versions of the code on one machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import io
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import myovivo as mv
from myovivo.cli import main

COMMANDS = ("simulate", "phantom", "inspect", "acquire", "train", "translate", "export", "evaluate", "identify")
COMMANDS += ("train-identifier", "report", "study", "demo")
SMALL = {"grid.frames": 96, "grid.rows": 32, "grid.columns": 32}


def surface() -> dict[str, str]:
    """Each public name with its signature; of a class, its public members' too."""
    pinned = {}
    for name in sorted(mv.__all__):
        thing = getattr(mv, name)
        pinned[name] = _signature(thing)
        if inspect.isclass(thing):
            for member, value in sorted(vars(thing).items()):
                if not member.startswith("_") and not member.startswith("model_"):
                    pinned[f"{name}.{member}"] = _signature(getattr(value, "__func__", value))
    return pinned


def _signature(thing: Any) -> str:
    if hasattr(thing, "model_fields"):  # settings: their defaults are pinned below
        return ", ".join(thing.model_fields)
    with contextlib.suppress(TypeError, ValueError):
        return re.sub(r"([A-Za-z_]\w*\.)+", "", str(inspect.signature(thing)))  # not where a type lives
    return type(thing).__name__


def command_line() -> dict[str, list[str]]:
    """The options of each command."""
    pinned = {}
    for command in COMMANDS:
        text = _printed([command, "--help-all"]) or _printed([command, "--help"])
        pinned[command] = sorted(set(re.findall(r"(?<![\w-])--[\w.-]+", text)) - {"--help-all"})
    return pinned


def exit_codes() -> dict[str, int]:
    """What some calls end with."""
    with tempfile.TemporaryDirectory() as folder:
        missing = f"{folder}/missing"
        calls = {
            "--version": ["--version"],
            "no command": [],
            "unknown command": ["paint"],
            "unknown option": ["simulate", missing, "--colour", "red"],
            "unknown setting": ["simulate", missing, "--grid.colour", "red"],
            "bad value": ["simulate", missing, "--grid.frames", "-1"],
            "missing file": ["evaluate", "--translated", missing, "--vivo", missing],
            "unknown preset": ["train", "paint", "--silico", missing, "--vivo", missing, "--out", missing],
            "print settings": ["simulate", missing, "--print-settings"],
        }
        return {name: _code(call) for name, call in calls.items()}


def _printed(arguments: list[str]) -> str:
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(io.StringIO()):
        try:
            code = main(arguments)
        except SystemExit as error:
            code = error.code
    return text.getvalue() if not code else ""


def _code(arguments: list[str]) -> int:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            return int(main(arguments) or 0)
        except SystemExit as error:
            return int(error.code or 0)


def settings() -> dict[str, str]:
    """The defaults of each group of settings, and the presets."""
    kinds = {name: getattr(mv, name) for name in mv.__all__ if name.endswith("Settings")}
    pinned = {name: _digest(kind().model_dump(mode="json")) for name, kind in kinds.items() if name != "StudySettings"}
    for preset in ("paper-2d", "paper-recycle", "paper-3d", "paper-3d-stride1", "paper-3d-noise", "house"):
        call = ["train", preset, "--silico", "a", "--vivo", "b", "--out", "c", "--print-settings"]
        pinned[f"preset {preset}"] = _digest(_printed(call))
    for preset in ("small", "paper"):
        pinned[f"study {preset}"] = _digest(_printed(["study", preset, "out", "--print-settings"]))
    return pinned


def formats_and_bytes() -> tuple[dict[str, Any], dict[str, str]]:
    """The layout of each kind of file, and the SHA-256 of what fixed seeds make."""
    layouts: dict[str, Any] = {}
    made: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        simulated = mv.simulate(seed=1, **SMALL)
        made["simulate"] = _digest_of(simulated)
        made["simulate simplified"] = _digest_of(mv.simulate(seed=1, model="simplified", **SMALL))
        simulated.save(folder / "sequence.h5")
        layouts["sequence"] = _layout(folder / "sequence.h5")
        recording = mv.phantom(seed=1, **SMALL, **{"imaging.rows": 64, "imaging.columns": 32})
        recording.save(folder / "recording.h5")
        layouts["recording"] = _layout(folder / "recording.h5")
        made["phantom"] = hashlib.sha256(recording.iq.tobytes()).hexdigest()
        acquired = mv.acquire(folder / "recording.h5", quiet=True, **{"output.rows": 32, "output.columns": 32})
        made["acquire"] = _digest_of(acquired)
        full = mv.simulate(seed=2, **{"grid.frames": 96})
        for run in ("house",):
            made[f"translate {run}"] = _digest_of(mv.Translator.load(run, device="cpu")(full, seed=3))
        banded = mv.Translator.load("house", device="cpu")(
            mv.simulate(seed=2, **{"grid.frames": 256}), band=(5.0, 50.0)
        )
        made["translate house, band"] = _digest_of(banded)
        silico = mv.simulate_domain(folder / "silico", 4, SMALL, seed=1, workers=1, quiet=True)
        vivo = mv.phantom_domain(folder / "vivo", 4, 1, {**SMALL, "imaging.rows": 64}, seed=1, workers=1, quiet=True)
        table = mv.evaluate(silico, vivo, silico, workers=1, quiet=True)
        made["evaluate"] = hashlib.sha256(table.to_csv().encode()).hexdigest()
        small = {
            "generator.features": 4, "generator.blocks": 1, "discriminator.features": 4, "discriminator.layers": 1,
            "data.clip": (16, 32, 32), "optimiser.steps": 2, "optimiser.batch": 1, "optimiser.precision": "fp32",
        }  # fmt: skip
        run = mv.train(
            "paper-3d-noise", folder / "silico", folder / "vivo", folder / "run", device="cpu", quiet=True, **small
        )
        layouts["run"] = sorted(path.name for path in run.iterdir() if path.name[0] != ".")
        made["train paper-3d-noise"] = hashlib.sha256(_numbers(run / "weights.safetensors")).hexdigest()
        translated = mv.translate_domain(run, None, folder / "translated", device="cpu", quiet=True)
        made["translate paper-3d-noise"] = _digest_of(mv.Sequence.load(translated[0]))
        units = mv.identify(full)
        made["identify"] = _digest([times.tolist() for times in units.spike_times])
        for domain in ("silico", "vivo", "translated"):
            layouts[f"domain {domain}"] = sorted(json.loads((folder / domain / "domain.json").read_text()))
        layouts["sidecar"] = sorted(json.loads(silico[0].with_suffix(".json").read_text()))
        layouts["run.json"] = sorted(json.loads((run / "run.json").read_text()))
    return layouts, made


def _layout(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    with h5py.File(path) as file:
        found["attributes"] = ", ".join(sorted(file.attrs))
        file.visititems(lambda name, item: found.update({name: str(getattr(item, "dtype", "group"))}))
    return found


def _numbers(path: Path) -> bytes:
    from safetensors.numpy import load_file

    return b"".join(value.tobytes() for _, value in sorted(load_file(path).items()))


def _digest_of(sequence: mv.Sequence) -> str:
    parts = [sequence.velocity.tobytes()]
    if sequence.labels is not None:
        parts += [
            np.ascontiguousarray(sequence.labels.weight).tobytes(),
            *(t.tobytes() for t in sequence.labels.spike_times),
        ]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def differences(before: Any, after: Any, name: str = "") -> list[str]:
    """Where two of these differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            line
            for key in sorted({*before, *after})
            for line in differences(before.get(key), after.get(key), f"{name}/{key}")
        ]
    return [] if before == after else [f"{name}: {before} -> {after}"]


if __name__ == "__main__":
    layouts, made = formats_and_bytes()
    pins = {
        "surface": surface(),
        "commands": command_line(),
        "exit codes": exit_codes(),
        "settings": settings(),
        "formats": layouts,
        "bytes": made,
    }
    Path(sys.argv[1]).write_text(json.dumps(pins, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    if len(sys.argv) > 2:
        changed = differences(json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")), pins)
        print("\n".join(changed) or "nothing moved")
        sys.exit(bool(changed))
