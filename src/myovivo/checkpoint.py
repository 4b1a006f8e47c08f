"""What a training leaves behind: a run folder of plain files, nothing pickled.

    run.json                what is trained on what: settings, seed, the split of both domains, device, versions
    log.jsonl               the losses, a line every few steps
    checkpoint.safetensors  everything needed to go on: networks, optimisers, pools of clips, step
    weights.safetensors     everything needed to translate: both generators, settings, standardisation

A safetensors file is a JSON header and raw numbers; reading one cannot run code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from .config import TrainSettings, explain
from .dataset import Standardisation
from .domain import difference
from .errors import CheckpointError, RunFolderError
from .storage import read_json, whole_file, write_json
from .version import __version__

Domain = Literal["silico", "vivo"]
FORMAT_VERSION = 1
RUN, LOG, CHECKPOINT, WEIGHTS = "run.json", "log.jsonl", "checkpoint.safetensors", "weights.safetensors"
BUNDLED = Path(__file__).parent / "weights"  # trained networks that come with the package, each with its card

# Settings that say how long or how conveniently to train, but not what comes out after a given number of steps.
_PACE = (
    "optimiser.steps",
    "optimiser.epochs",
    "optimiser.checkpoint_minutes",
    "data.workers",
    "validation.patience",
)


def write_tensors(path: str | Path, kind: str, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write tensors and a JSON description as one safetensors file, whole or not at all.

    Parameters
    ----------
    kind : what the file is, "checkpoint" or "weights"; checked when it is read

    Raises
    ------
    FileError : the disk is full or the folder cannot be written.
    """
    note = {"format": f"myovivo {kind}", "format_version": FORMAT_VERSION, **about}
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with whole_file(path) as part:
        part.write_bytes(save(plain, metadata={"myovivo": json.dumps(note)}))


def read_tensors(path: str | Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `write_tensors` wrote: tensors on the CPU, and the description.

    Raises
    ------
    CheckpointError : missing, truncated, not safetensors (a pickle, for instance), or of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(path, "does not exist; give the folder of a run that has saved at least once")
    try:
        with safe_open(path, framework="pt") as file:
            note = json.loads((file.metadata() or {})["myovivo"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError, UnicodeDecodeError) as error:
        problem = f"is not a readable safetensors file ({' '.join(str(error).split())}); restore it or train again"
        raise CheckpointError(path, problem) from None
    except (KeyError, TypeError, ValueError):
        raise CheckpointError(path, "is safetensors but not from myovivo; give the folder of a myovivo run") from None
    if not isinstance(note, dict) or note.get("format") != f"myovivo {kind}":
        raise CheckpointError(path, f"is not a myovivo {kind} file; give the folder of a myovivo run")
    if not isinstance(note.get("format_version"), int) or note["format_version"] > FORMAT_VERSION:
        version = note.get("format_version")
        raise CheckpointError(path, f"has format version {version}, newer than {FORMAT_VERSION}; upgrade myovivo")
    return tensors, note


def prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """{"a": t} -> {"prefix/a": t}."""
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `prefixed`, leaving out what has another prefix."""
    return {name.removeprefix(f"{prefix}/"): t for name, t in tensors.items() if name.startswith(f"{prefix}/")}


def fill(network: nn.Module, tensors: Mapping[str, Tensor], path: str | Path) -> None:
    """Copy `tensors` into `network`, all of them or none.

    Raises
    ------
    CheckpointError : a name or shape does not fit, or a value is not finite.
    """
    wanted = network.state_dict()
    for name in sorted({*wanted, *tensors}):
        there, here = (tuple(each[name].shape) if name in each else "absent" for each in (tensors, wanted))
        if there != here:
            raise CheckpointError(
                path, f"does not fit the settings: {name} is {there} there, {here} here; use its own settings"
            )
        if not torch.isfinite(tensors[name]).all():
            raise CheckpointError(path, f"holds values that are not finite in {name}; restore it or train again")
    network.load_state_dict(dict(tensors))


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The state of an optimiser by parameter number: {"0/exp_avg": …, "0/step": …}."""
    state = optimiser.state_dict()["state"]
    return {f"{number}/{name}": value for number, values in state.items() for name, value in values.items()}


def fill_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor], path: str | Path) -> None:
    """Give an optimiser the state that `optimiser_tensors` described.

    Raises
    ------
    CheckpointError : the state belongs to other parameters.
    """
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        number, _, entry = name.partition("/")
        fits = number.isdigit() and int(number) < len(parameters)
        if not fits or (entry != "step" and tensor.shape != parameters[int(number)].shape):
            raise CheckpointError(path, f"holds optimiser state {name!r} of other networks; use its own settings")
        state.setdefault(int(number), {})[entry] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


class Weights(NamedTuple):
    """What a translation needs: see `load_weights`."""

    settings: TrainSettings
    standards: dict[str, Standardisation]
    frame_rate: float
    spacing: tuple[float, float]
    step: int
    seed: int
    tensors: dict[str, Tensor]
    path: Path
    digest: str  # SHA-256 of the file: what tells one set of weights from another


def write_weights(path: str | Path, weights: Weights) -> None:
    """Write what `load_weights` reads, whole or not at all.

    Raises
    ------
    FileError : the disk is full or the folder cannot be written.
    """
    about = {
        "settings": weights.settings.model_dump(mode="json"),
        "seed": weights.seed,
        "step": weights.step,
        "standardisation": weights.standards,
        "frame_rate": weights.frame_rate,
        "spacing": weights.spacing,
        "version": __version__,
    }
    write_tensors(path, "weights", weights.tensors, about)


def load_weights(run: str | Path) -> Weights:
    """Read `weights.safetensors` of a run folder, the file itself, or weights that come with the package.

    Parameters
    ----------
    run : a folder, a file, or "house" (see `BUNDLED`) where no folder has that name

    Raises
    ------
    CheckpointError : missing, damaged, not from myovivo, or incomplete.
    """
    path = _weights_file(run)
    tensors, note = read_tensors(path, "weights")
    try:
        dz, dx = map(float, note["spacing"])
        return Weights(
            settings=TrainSettings.model_validate(note["settings"]),
            standards={
                domain: Standardisation(*map(float, note["standardisation"][domain])) for domain in ("silico", "vivo")
            },
            frame_rate=float(note["frame_rate"]),
            spacing=(dz, dx),
            step=int(note["step"]),
            seed=int(note["seed"]),
            tensors=tensors,
            path=path,
            digest=hashlib.sha256(path.read_bytes()).hexdigest(),
        )
    except ValidationError as error:
        raise CheckpointError(path, f"has settings this version does not know: {explain(error)}; train again") from None
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            path, f"is incomplete ({type(error).__name__}: {error}); restore it or train again"
        ) from None


def _weights_file(run: str | Path) -> Path:
    path = Path(run)
    if path.is_file():
        return path
    bundled = BUNDLED / f"{run}.safetensors"
    return bundled if not path.exists() and bundled.is_file() else path / WEIGHTS


def claim_run(run: Path, manifest: Mapping[str, Any]) -> None:
    """Write `run.json`, or check that the folder holds this very run; nothing else is touched.

    Only `manifest["recipe"]` is compared, and in it not how long or with how many readers to train.

    Raises
    ------
    RunFolderError : the folder holds a run of another recipe, or something that is no run.
    """
    path = run / RUN
    if path.exists():
        found = read_json(path)
        there = found.get("recipe") if isinstance(found, dict) else None
        if not isinstance(there, dict):
            raise RunFolderError(path, "is not the description of a myovivo run; choose another folder")
        here = json.loads(json.dumps(manifest["recipe"]))
        if _without_pace(there) != _without_pace(here):
            first = difference(_without_pace(there), _without_pace(here))
            raise RunFolderError(run, f"already holds another run ({first}); choose another folder or delete this one")
    elif run.exists() and (not run.is_dir() or any(run.iterdir())):
        raise RunFolderError(run, f"is not empty and holds no {RUN}; choose an empty or new folder")
    write_json(path, manifest)


def _without_pace(recipe: Mapping[str, Any]) -> dict[str, Any]:
    copy = json.loads(json.dumps(recipe))
    for name in _PACE:
        group, setting = name.split(".")
        copy.get("settings", {}).get(group, {}).pop(setting, None)
    return copy


def read_run(run: str | Path) -> dict[str, Any]:
    """`run.json` of a run folder.

    Raises
    ------
    FileError : missing, or not JSON.
    CheckpointError : not the description of a run.
    """
    path = Path(run) / RUN
    manifest = read_json(path)
    if not isinstance(manifest, dict) or not {"recipe", "folders"} <= set(manifest):
        raise CheckpointError(path, "is not the description of a myovivo run; give the folder of a run")
    return manifest


def train_files(run: str | Path, domain: Domain) -> list[Path]:
    """The sequences of a domain that a run was trained on.

    Parameters
    ----------
    run : run folder of a training
    domain : "silico" or "vivo"

    Returns
    -------
    list of Path

    Raises
    ------
    CheckpointError : the folder holds no run.
    """
    return _files(run, domain, "train")


def test_files(run: str | Path, domain: Domain) -> list[Path]:
    """The sequences of a domain that a run held out, by subject; judge it on these.

    Parameters
    ----------
    run : run folder of a training
    domain : "silico" or "vivo"

    Returns
    -------
    list of Path

    Raises
    ------
    CheckpointError : the folder holds no run.
    """
    return _files(run, domain, "test")


test_files.__test__ = False  # type: ignore[attr-defined]  # the name is meant, but it is no test


def _files(run: str | Path, domain: Domain, side: str) -> list[Path]:
    manifest = read_run(run)
    return [Path(manifest["folders"][domain]) / name for name in manifest["recipe"][domain][side]]
