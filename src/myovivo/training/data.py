"""Two unpaired folders of sequences as an endless, reproducible stream of standardised clips.

A draw is a pure function of (seed, number of the draw), so that a resumed training sees what an
uninterrupted one would have seen, and the stream has no state to save.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import FileError, InputError
from ..models.settings import TrainSettings
from ..runtime.recipe import sources_of, state_of
from ..sequences.header import common_header, read_header, read_velocity, sequence_files
from ..sequences.scale import DomainScale
from ..sequences.split import split_by_subject
from ..sequences.traits import measured_domain


class Clips:
    """An endless stream of clips of one domain: `clips[n]` is draw n.

    Sequences are cut into clips that do not overlap (1024 frames into 32 clips of 32); each pass
    visits every clip once, in an order of its own. Files are opened for one read and closed, so the
    object can be used by any number of threads or processes.

    Parameters
    ----------
    files : sequence files of one domain
    clip : frames, rows, columns; smaller than a sequence's rows and columns means random crops
    scale : the domain's mean and SD
    seed : of order, crops and flips
    flip : mirror half of the clips laterally

    Raises
    ------
    InputError : a sequence is smaller than the clip.
    """

    def __init__(
        self,
        files: Iterable[str | Path],
        clip: tuple[int, int, int],
        scale: DomainScale,
        seed: int | tuple[int, ...],
        flip: bool = True,
    ):
        self.clip, self.scale, self.flip = clip, scale, flip
        self.seed = (seed,) if isinstance(seed, int) else tuple(seed)
        self._cuts: list[tuple[Path, tuple[int, int, int], int]] = []  # file, its shape, first frame
        self._states: dict[Path, tuple[int, int, int]] = {}
        for path in map(Path, files):
            self._states[path] = state_of(path)
            shape = read_header(path).shape
            if any(size > available for size, available in zip(clip, shape, strict=True)):
                rule = f"clip {clip} must fit into every sequence, but {path} is {shape} (frames, rows, columns)"
                raise InputError(f"{rule}; set data.clip to at most that")
            self._cuts += [(path, shape, start) for start in range(0, shape[0] - clip[0] + 1, clip[0])]

    def __len__(self) -> int:
        """Clips in one pass."""
        return len(self._cuts)

    def __getitem__(self, draw: int) -> NDArray[np.float32]:
        """Draw number `draw` >= 0: (T, Z, X), standardised."""
        epoch, position = divmod(draw, len(self))
        order = np.random.default_rng((*self.seed, 0, epoch)).permutation(len(self))
        path, shape, start = self._cuts[order[position]]
        frames, rows, columns = self.clip
        rng = np.random.default_rng((*self.seed, 1, draw))
        z, x = (
            int(rng.integers(available - size + 1)) for size, available in zip(self.clip[1:], shape[1:], strict=True)
        )
        velocity = read_velocity(path, start, start + frames)  # (T, Z, X) of the whole frame
        if state_of(path) != self._states[path]:
            raise FileError(path, "changed while training; restore it and run the same command again")
        velocity = velocity[:, z : z + rows, x : x + columns]
        if self.flip and rng.random() < 0.5:
            velocity = velocity[:, :, ::-1]
        return self.scale.apply(velocity)

    def batch(self, step: int, size: int, positions: Iterable[int] | None = None) -> Tensor:
        """Of batch number `step` of `size` clips, those at `positions` (all if none are named): (B, 1, T, Z, X)."""
        # NumPy stacks: a torch operation in a reading thread would start a second pool of threads that
        # spins beside the network's own and doubles the time of a step.
        return torch.from_numpy(np.stack([self[step * size + k] for k in positions or range(size)])[:, None])


class TrainingDomain:
    """One folder of sequences, split and standardised."""

    def __init__(self, folder: str | Path, settings: TrainSettings, seed: int):
        files = sequence_files(folder)
        self.folder = files[0].parent.resolve()
        self.header = common_header(files)
        self.train, self.test = split_by_subject(files, settings.data.held_out, seed)
        self.validation: list[Path] = []
        if settings.validation.every:
            self.train, self.validation = split_by_subject(self.train, settings.validation.held_out, seed)
        self.scale, self.traits = measured_domain(self.train)

    def clips(self, settings: TrainSettings, seed: tuple[int, ...]) -> Clips:
        """Its training clips."""
        return Clips(self.train, settings.data.clip, self.scale, seed, settings.data.flip)

    def describe(self) -> dict[str, Any]:
        """Its part of the recipe of a run."""
        everything = (*self.train, *self.validation, *self.test)
        subjects = {path.name: read_header(path).subject for path in everything}
        train, test = ([path.name for path in files] for files in (self.train, self.test))
        shared = {subjects[name] for name in train} & {subjects[name] for name in test} - {""}
        return {
            "train": train,
            "test": test,
            "validation": [path.name for path in self.validation],
            "split": "recording" if shared else "subject",
            "subjects": subjects,
            "sha256": sources_of(everything),
            "mean": self.scale.mean,
            "std": self.scale.std,
        }
