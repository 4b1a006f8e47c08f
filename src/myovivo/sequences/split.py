"""A domain split by subject."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ..errors import InputError
from .header import read_header


class SplitWarning(UserWarning):
    """A domain could not be split by subject."""


def split_by_subject(files: Iterable[str | Path], held_out: float, seed: int) -> tuple[list[Path], list[Path]]:
    """Split a domain into training and test files so that no subject is on both sides.

    Clips of one recording look alike, so a split by clip would test on what was trained on.

    Parameters
    ----------
    files : sequence files of one domain
    held_out : share of the subjects that go to the test side, at least one unless 0
    seed : of the choice

    Returns
    -------
    train, test : lists of Path, sorted

    Warns
    -----
    SplitWarning : all files are of one subject, so the split is by recording: test results then
        say nothing about another subject.

    Raises
    ------
    InputError : a single file, of which nothing can be held out.
    """
    paths = sorted(Path(path) for path in files)
    if held_out == 0:
        return paths, []
    subjects = [read_header(path).subject or path.name for path in paths]
    if len(paths) == 1:
        raise InputError(
            f"{paths[0]} is the only sequence, so none can be held out; add sequences or set data.held_out to 0"
        )
    if len(set(subjects)) == 1:
        same = f"all {len(paths)} sequences in {paths[0].parent} are of one subject ({subjects[0]})"
        text = f"{same}: split by recording, not by subject, so the test says nothing about another subject"
        warnings.warn(text, SplitWarning, stacklevel=2)
        subjects = [path.name for path in paths]
    names = sorted(set(subjects))
    number = min(max(round(held_out * len(names)), 1), len(names) - 1)
    chosen = set(np.random.default_rng(seed).permutation(names)[:number].tolist())
    test = [path for path, subject in zip(paths, subjects, strict=True) if subject in chosen]
    return [path for path in paths if path not in test], test
