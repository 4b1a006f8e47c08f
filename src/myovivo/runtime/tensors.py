"""Tensors and a JSON description in one safetensors file; reading one cannot run code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from ..errors import CheckpointError
from .files import whole_file
from .texts import json_of

TENSORS_VERSION = 1


def write_tensors(path: str | Path, kind: str, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write tensors and a JSON description as one safetensors file, whole or not at all.

    Parameters
    ----------
    kind : what the file is, "checkpoint" or "weights"; checked when it is read

    Raises
    ------
    FileError : the disk is full or the folder cannot be written.
    """
    note = {"format": f"myovivo {kind}", "format_version": TENSORS_VERSION, **about}
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with whole_file(path) as part:
        part.write_bytes(save(plain, metadata={"myovivo": json.dumps(note)}))


def read_tensors(path: str | Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `write_tensors` wrote: tensors on the CPU, and the description.

    Raises
    ------
    CheckpointError : missing, truncated, not safetensors (a pickle, for instance), or of another kind.
    """
    tensors: dict[str, Tensor] = {}
    note = _read(Path(path), kind, tensors)
    return tensors, note


def read_description(path: str | Path, kind: str) -> dict[str, Any]:
    """The description alone, without the tensors.

    Raises
    ------
    CheckpointError : as `read_tensors`.
    """
    return _read(Path(path), kind)


def _read(path: Path, kind: str, tensors: dict[str, Tensor] | None = None) -> dict[str, Any]:
    """The description; `tensors` is filled if given."""
    if not path.is_file():
        raise CheckpointError(path, "does not exist; give the folder of a run that has saved at least once")
    try:
        with safe_open(path, framework="pt") as file:
            note = json_of((file.metadata() or {})["myovivo"])
            if tensors is not None:
                tensors |= {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError, UnicodeDecodeError) as error:
        problem = f"is not a readable safetensors file ({' '.join(str(error).split())}); restore it or train again"
        raise CheckpointError(path, problem) from None
    except (KeyError, TypeError, ValueError):
        raise CheckpointError(path, "is safetensors but not from myovivo; give the folder of a myovivo run") from None
    if not isinstance(note, dict) or note.get("format") != f"myovivo {kind}":
        raise CheckpointError(path, f"is not a myovivo {kind} file; give the folder of a myovivo run")
    if not isinstance(note.get("format_version"), int) or note["format_version"] > TENSORS_VERSION:
        version = note.get("format_version")
        raise CheckpointError(path, f"has format version {version}, newer than {TENSORS_VERSION}; upgrade myovivo")
    return note


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
