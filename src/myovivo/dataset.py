"""Two unpaired folders of sequences as an endless, reproducible stream of standardised clips.

A draw is a pure function of (seed, number of the draw), so that a resumed training sees what an
uninterrupted one would have seen, and the stream has no state to save.
"""

from __future__ import annotations

import math
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .errors import FileError, InputError
from .sequence import CHUNK_FRAMES, Header, read_header, read_velocity

T = TypeVar("T")


class SplitWarning(UserWarning):
    """A domain could not be split by subject."""


class Standardisation(NamedTuple):
    """Mean and SD of a domain's training split, m/s: standardised = (velocity - mean) / std."""

    mean: float
    std: float

    def apply(self, velocity: NDArray[np.float32]) -> NDArray[np.float32]:
        """m/s -> zero mean, unit SD over the domain."""
        return ((velocity - np.float32(self.mean)) / np.float32(self.std)).astype(np.float32)

    def undo(self, standardised: NDArray[np.float32]) -> NDArray[np.float32]:
        """Zero mean, unit SD -> m/s."""
        return (standardised * np.float32(self.std) + np.float32(self.mean)).astype(np.float32)


def standardisation(files: Iterable[str | Path]) -> Standardisation:
    """Mean and SD over every pixel and frame of `files`, m/s, one chunk in memory at a time.

    Chunks are pooled in float64 by the pairwise formula of Chan, Golub and LeVeque (1983),
    doi:10.1080/00031305.1983.10483115, which does not cancel as a sum of squares would.

    Raises
    ------
    InputError : no file was given, or the velocity is the same everywhere.
    FileError : a file cannot be read.
    """
    count, mean, squares = 0, 0.0, 0.0
    for path in files:
        frames = read_header(path).shape[0]
        for start in range(0, frames, 4 * CHUNK_FRAMES):
            chunk = read_velocity(path, start, start + 4 * CHUNK_FRAMES).astype(np.float64)
            difference, total = chunk.mean() - mean, count + chunk.size
            squares += chunk.var() * chunk.size + difference**2 * count * chunk.size / total
            mean += difference * chunk.size / total
            count = total
    if count == 0:
        raise InputError("standardisation needs at least one sequence, got none")
    std = math.sqrt(squares / count)
    if not std > 0:
        raise InputError(
            f"the sequences are {mean:g} m/s everywhere, so they cannot be standardised; check how they were made"
        )
    return Standardisation(mean, std)


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
        one = f"all {len(paths)} sequences in {paths[0].parent} are of one subject ({subjects[0]})"
        text = f"{one}: split by recording, not by subject, so the test says nothing about another subject"
        warnings.warn(text, SplitWarning, stacklevel=2)
        subjects = [path.name for path in paths]
    names = sorted(set(subjects))
    number = min(max(round(held_out * len(names)), 1), len(names) - 1)
    chosen = set(np.random.default_rng(seed).permutation(names)[:number].tolist())
    test = [path for path, subject in zip(paths, subjects, strict=True) if subject in chosen]
    return [path for path in paths if path not in test], test


def common_header(files: Iterable[str | Path]) -> Header:
    """The header of the first file, after checking that all files share frame rate and spacing.

    Raises
    ------
    InputError : two files differ by more than 1 % in frame rate or spacing.
    """
    files = list(files)
    first = read_header(files[0])
    for path in files[1:]:
        require_same_scale(read_header(path), first, str(path), str(files[0]))
    return first


def require_same_scale(header: Header, wanted: Header, name: str, wanted_name: str) -> None:
    """Refuse `header` if its frame rate or spacing is more than 1 % off.

    A network learns twitches in frames and territories in pixels, so other scales mean other muscle.

    Raises
    ------
    InputError : naming both, with the remedy.
    """
    if abs(header.frame_rate / wanted.frame_rate - 1) > 0.01:
        rule = f"{name} has {header.frame_rate:g} frames/s but {wanted_name} has {wanted.frame_rate:g}"
        raise InputError(f"{rule}; make them alike (simulate: grid.frame_rate, acquire: output.frame_rate)")
    if any(abs(a / b - 1) > 0.01 for a, b in zip(header.spacing, wanted.spacing, strict=True)):
        here, there = (" x ".join(f"{value * 1e3:.4g}" for value in h.spacing) for h in (header, wanted))
        rule = f"{name} has pixels of {here} mm but {wanted_name} has {there} mm"
        raise InputError(
            f"{rule}; make them alike (simulate: grid.depth and grid.width, acquire: output.rows and output.columns)"
        )


class Clips:
    """An endless stream of clips of one domain: `clips[n]` is draw n.

    Sequences are cut into clips that do not overlap (1024 frames into 32 clips of 32); each pass
    visits every clip once, in an order of its own. Files are opened for one read and closed, so the
    object can be used by any number of threads or processes.

    Parameters
    ----------
    files : sequence files of one domain
    clip : frames, rows, columns; smaller than a sequence's rows and columns means random crops
    standard : the domain's constants
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
        standard: Standardisation,
        seed: int | tuple[int, ...],
        flip: bool = True,
    ):
        self.clip, self.standard, self.flip = clip, standard, flip
        self.seed = (seed,) if isinstance(seed, int) else tuple(seed)
        self._cuts: list[tuple[Path, tuple[int, int, int], int]] = []  # file, its shape, first frame
        for path in map(Path, files):
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
        if velocity.shape != (frames, *shape[1:]):
            raise FileError(
                path, f"changed while training: had frames of {shape[1:]}, now {velocity.shape}; restore it"
            )
        velocity = velocity[:, z : z + rows, x : x + columns]
        if self.flip and rng.random() < 0.5:
            velocity = velocity[:, :, ::-1]
        return self.standard.apply(velocity)

    def batch(self, step: int, size: int, positions: Iterable[int] | None = None) -> Tensor:
        """Of batch number `step` of `size` clips, those at `positions` (all if none are named): (B, 1, T, Z, X)."""
        # NumPy stacks: a torch operation in a reading thread would start a second pool of threads that
        # spins beside the network's own and doubles the time of a step.
        return torch.from_numpy(np.stack([self[step * size + k] for k in positions or range(size)])[:, None])


def read_ahead(read: Callable[[int], T], steps: Iterable[int], workers: int) -> Iterator[T]:
    """Yield `read(step)` in order, with `workers` threads reading the next ones meanwhile.

    Threads suffice: reading and standardising release the interpreter's lock, and unlike worker
    processes they raise a file's error as itself.
    """
    if workers == 0:
        yield from map(read, steps)
        return
    pool = ThreadPoolExecutor(workers)
    waiting: deque = deque()
    try:
        for step in steps:
            waiting.append(pool.submit(read, step))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
