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
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from ..errors import CheckpointError, FileError
from ..models.settings import TrainSettings
from ..runtime.files import read_json
from ..runtime.introduction import Introduced, Introduction, shortened
from ..runtime.recipe import claimed
from ..runtime.settings import explain
from ..runtime.words import counted
from ..sequences.header import read_header

DomainName = Literal["silico", "vivo"]

DOMAINS: tuple[DomainName, DomainName] = ("silico", "vivo")

RUN, LOG, CHECKPOINT = "run.json", "log.jsonl", "checkpoint.safetensors"

# Settings that say how long or how conveniently to train, but not what comes out after a given number of steps.
_PACE = (
    "optimiser.steps",
    "optimiser.epochs",
    "optimiser.checkpoint_minutes",
    "data.workers",
    "validation.patience",
)


@dataclass(frozen=True, repr=False)
class Run(Introduced):
    """What a training has come to: `Run.load("runs/a")`. Where a run folder is asked for, this will do as well.

    Attributes
    ----------
    path : the run folder
    preset : the preset's name, or None where settings were given
    settings : `TrainSettings`
    seed : of the training
    step : steps taken and saved
    steps : steps asked for; None if given in epochs of sequences that are no longer there
    finished : whether all of them were taken, or validation stopped it early; None if `steps` is None
    trained, tested : domain -> subjects, each once, trained on and held out
    device, precision : where and in which precision it computed
    version : of myovivo
    """

    path: Path
    preset: str | None
    settings: TrainSettings
    seed: int
    step: int
    steps: int | None
    finished: bool | None
    trained: Mapping[str, tuple[str, ...]]
    tested: Mapping[str, tuple[str, ...]]
    device: str
    precision: str
    version: str

    @classmethod
    def load(cls, folder: str | Path) -> Run:
        """Read a run folder, of a training that is finished, interrupted or still going on.

        Parameters
        ----------
        folder : as `train` returns it

        Returns
        -------
        Run

        Raises
        ------
        FileError : there is no `run.json`, or it is not JSON.
        CheckpointError : it describes no run, or one of settings that this version does not know.
        """
        folder = Path(folder)
        manifest = read_run(folder)
        recipe = manifest["recipe"]
        try:
            settings = TrainSettings.model_validate(recipe["settings"])
            subjects = {side: _subjects(recipe, side) for side in ("train", "test")}
            seed = int(recipe["seed"])
        except ValidationError as error:
            problem = f"has settings this version does not know: {explain(error)}; upgrade myovivo"
            raise CheckpointError(folder / RUN, problem) from None
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            problem = f"is incomplete ({type(error).__name__}: {error}); restore it or train again"
            raise CheckpointError(folder / RUN, problem) from None
        step, steps = _step_reached(folder), _steps_asked(folder, settings)
        finished = True if _gave_up(folder, settings) else None if steps is None else step >= steps
        return cls(
            path=folder,
            preset=manifest.get("preset"),
            settings=settings,
            seed=seed,
            step=step,
            steps=steps,
            finished=finished,
            trained=subjects["train"],
            tested=subjects["test"],
            device=str(manifest.get("device", "unknown")),
            precision=str(manifest.get("precision", "unknown")),
            version=str(_versions(manifest).get("myovivo", "unknown")),
        )

    def __fspath__(self) -> str:
        return str(self.path)

    def _introduction(self) -> Introduction:
        state = {True: "finished", False: "not finished", None: "unknown whether finished"}[self.finished]
        sides = [
            f"{counted(len(self.trained[name]), 'subject')} of {name} and {len(self.tested[name])} held out"
            for name in self.trained
        ]
        clip = " x ".join(map(str, self.settings.data.clip))
        facts = {
            "steps": f"{self.step} of {'unknown' if self.steps is None else self.steps}, {state}",
            "learns": f"{self.settings.method}, clips of {clip} (frame, depth, lateral)",
            "subjects": "; ".join(sides),
            "device": f"{shortened(self.device, 60)}, {self.precision}",
            "made by": f"train, seed {self.seed}; myovivo {shortened(self.version, 20)}",
        }
        preset = f"preset {self.preset}" if self.preset else "settings of its own"
        return Introduction(f"Run {shortened(self.path, 60)}: {preset}", facts)


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
            with contextlib.suppress(AttributeError):  # of a file that was edited: it is another recipe then
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
    recipe, folders = manifest["recipe"], manifest["folders"]
    if not (isinstance(recipe, dict) and isinstance(folders, dict) and all(map(_is_side, recipe.items()))):
        raise CheckpointError(path, "is the description of a run, but not as it was written; restore or train again")
    if not all(isinstance(folders.get(name), str) and isinstance(recipe.get(name), dict) for name in DOMAINS):
        raise CheckpointError(path, "is incomplete (its domains and their split); restore it or train again")
    return manifest


def _versions(manifest: Mapping[str, Any]) -> dict[str, Any]:
    versions = manifest.get("versions")
    return versions if isinstance(versions, dict) else {}


def _is_side(entry: tuple[str, Any]) -> bool:
    """Whether what a recipe says of a domain is names of files on two sides; anything of what is no domain."""
    name, domain = entry
    if name not in DOMAINS:
        return True
    sides = [domain.get(side) for side in ("train", "test")] if isinstance(domain, dict) else [None]
    return all(isinstance(files, list) and all(isinstance(file, str) for file in files) for files in sides)


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


def _subjects(recipe: Mapping[str, Any], side: str) -> dict[str, tuple[str, ...]]:
    """Domain -> subjects of one side of its split, each once; a file without a subject counts as itself."""
    return {
        domain: tuple(sorted({recipe[domain]["subjects"].get(name) or name for name in recipe[domain][side]}))
        for domain in DOMAINS
    }


def _step_reached(run: Path) -> int:
    """The step that was saved last; 0 if none was yet."""
    from ..runtime.tensors import read_description  # torch takes seconds to load

    for name, kind in ((CHECKPOINT, "checkpoint"), ("weights.safetensors", "weights")):
        if (run / name).exists():
            return int(read_description(run / name, kind)["step"])
    return 0


def _steps_asked(run: Path, settings: TrainSettings) -> int | None:
    """The steps that a training goes on for: given, or of the epochs over the smaller domain's clips."""
    if settings.optimiser.steps is not None:
        return settings.optimiser.steps
    frames = settings.data.clip[0]
    try:
        clips = [sum(read_header(path).shape[0] // frames for path in train_files(run, name)) for name in DOMAINS]
    except FileError:  # the sequences have moved since
        return None
    return math.ceil(settings.optimiser.epochs * min(clips) / settings.optimiser.batch)


def _gave_up(run: Path, settings: TrainSettings) -> bool:
    """Whether validation stopped it: the last `validation.patience` scores were no better than the best before."""
    path, patience = run / "validation.jsonl", settings.validation.patience
    if patience is None or not path.exists():
        return False
    best, since = math.inf, 0
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            score = float(json.loads(line)["score"])
        except (ValueError, KeyError, TypeError):  # half a line, written as the process ended
            continue
        best, since = min(best, score), 0 if score <= best else since + 1
    return since >= patience
