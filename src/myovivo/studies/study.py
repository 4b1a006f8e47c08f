"""The paper's whole experiment in one call: `study`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..errors import InputError
from ..runtime.files import write_text
from ..runtime.settings import settings_from
from .presets import STUDY_PRESETS
from .settings import StudySettings
from .steps import run_steps

SETTINGS = "study.yaml"


def study(
    config: StudySettings | str | Path | Mapping[str, Any],
    out: str | Path,
    *,
    jobs: int | None = None,
    device: str = "auto",
    scheduler: str | None = None,
    quiet: bool = False,
    **changes: Any,
) -> Path:
    """Make or take the data, train every model, translate, compare, draw: the experiment of the paper.

    Run it again and only what is missing or changed is done: a step whose settings, inputs or files are not those it
    was made with. What is in the way is moved to `OUT/replaced`. Interrupt it at will.

    Parameters
    ----------
    config : a preset, `small` (two CPU cores, under an hour) or `paper` (full sizes, a GPU); the path of a YAML file;
        settings
    out : the folder: `data/`, `models/`, `translated/`, …, and `results/` with the page, the tables (CSV, LaTeX) and
        the figures (PNG, SVG)
    jobs : steps at a time; one per core, at most 4, on a CPU, and one on a GPU, if None
    device : "auto" (a CUDA device if there is one), "cpu" or "cuda"
    scheduler : address of a dask cluster that makes the data and compares; training stays on this machine
    quiet : no progress
    **changes : settings that win over `config`, by dotted name

    Returns
    -------
    Path : the page

    Raises
    ------
    InputError : a setting that breaks a rule; fewer than two subjects; domains of different frame rate or pixels
        without `resample`; identification on sequences without labels.
    FileError : a file or folder cannot be read or written, or another study works in `out`.
    StepError : a step failed; the others that ran were let finish, and the same call goes on.

    References
    ----------
    Ali et al. 2022, BioMed Eng OnLine 21:46: tables 1 and 2, figures 1, 2, 3 and 5.
    """
    from .plan import RESULTS, steps_of
    from .results import STUDY_PAGE

    settings = study_settings(config, **changes)
    steps = steps_of(settings)
    out = Path(out)
    write_text(out / SETTINGS, yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False))
    jobs = jobs or _jobs(device)
    folders = run_steps(out, steps, jobs=jobs, runtime={"device": device, "scheduler": scheduler}, quiet=quiet)
    return folders[RESULTS] / STUDY_PAGE


def study_settings(config: StudySettings | str | Path | Mapping[str, Any], **changes: Any) -> StudySettings:
    """Settings of a study, from a preset, a YAML file or a mapping; models that are named add to those of the preset.

    Raises
    ------
    FileError : the YAML file is missing or is not a mapping.
    InputError : an unknown setting, a value that breaks a rule, or no models at all.
    """
    settings = settings_from(StudySettings, config, **changes)
    if not settings.models:
        known = ", ".join(STUDY_PRESETS)
        raise InputError(f"a study needs at least one model; name some in models, or start from a preset: {known}")
    return settings


def _jobs(device: str) -> int:
    import torch

    if device != "cpu" and torch.cuda.is_available():
        return 1
    return min(os.cpu_count() or 1, 4)
