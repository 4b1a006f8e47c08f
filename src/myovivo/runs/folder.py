"""What a training leaves behind: a run folder of plain files, nothing pickled.

    run.json                what is trained on what: settings, seed, the split of both domains, device, versions
    log.jsonl               the losses, a line every few steps
    checkpoint.safetensors  everything needed to go on: networks, optimisers, pools of clips, step
    weights.safetensors     everything needed to translate: both generators, settings, standardisation

A safetensors file is a JSON header and raw numbers; reading one cannot run code.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ..errors import CheckpointError
from ..runtime.files import read_json
from ..runtime.recipe import claimed

DomainName = Literal["silico", "vivo"]

RUN, LOG, CHECKPOINT = "run.json", "log.jsonl", "checkpoint.safetensors"

# Settings that say how long or how conveniently to train, but not what comes out after a given number of steps.
_PACE = (
    "optimiser.steps",
    "optimiser.epochs",
    "optimiser.checkpoint_minutes",
    "data.workers",
    "validation.patience",
)


def claimed_run(run: Path, content: Mapping[str, Any]) -> contextlib.AbstractContextManager[None]:
    """Hold a run folder for one training; write `run.json`, or check that the folder holds this very run.

    Only `content["recipe"]` is compared, and in it not how long or with how many readers to train.

    Raises
    ------
    RunFolderError : the folder holds a run of another recipe, or something that is no run.
    FileError : another command trains in it.
    """
    return claimed(run, RUN, content, recipe_of=_lasting)


def _lasting(content: Any) -> Any:
    """The recipe without what says how long or how conveniently to train; None if there is none."""
    recipe = copy.deepcopy(content.get("recipe")) if isinstance(content, dict) else None
    if isinstance(recipe, dict):
        for name in _PACE:
            group, setting = name.split(".")
            recipe.get("settings", {}).get(group, {}).pop(setting, None)
    return recipe


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


def train_files(run: str | Path, domain: DomainName) -> list[Path]:
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


def test_files(run: str | Path, domain: DomainName) -> list[Path]:
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


def _files(run: str | Path, domain: DomainName, side: str) -> list[Path]:
    manifest = read_run(run)
    return [Path(manifest["folders"][domain]) / name for name in manifest["recipe"][domain][side]]
