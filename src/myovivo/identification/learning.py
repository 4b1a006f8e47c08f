"""Train the network that sees firings, on sequences with labels; resumable, and nothing is pickled.

identifier.safetensors  what identification needs: network, settings, frame rate, spacing, the threshold found
learning.safetensors    what going on needs: network, optimiser, step; gone when training is done
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from ..errors import CheckpointError, FileError, InputError
from ..runtime.arrays import Floats
from ..runtime.device import autocast
from ..runtime.progress import Bar, track
from ..runtime.recipe import LOCK, as_now, digest, locked, plain_recipe, require_same, sources_of
from ..runtime.settings import explain, settings_from
from ..runtime.tensors import fill, fill_optimiser, optimiser_tensors, prefixed, read_tensors, under, write_tensors
from ..sequences.header import Header, common_header
from ..sequences.labels import MotorUnits
from ..sequences.sequence import Sequence
from ..signals.band_pass import Band, filtered
from ..version import __version__
from .network import Cell, FiringNetwork, loss, truth
from .settings import LearnSettings

IDENTIFIER, LEARNING = "identifier.safetensors", "learning.safetensors"

KIND, UNFINISHED = "identifier", "unfinished identifier"  # what the files say that they are

WARM_UP = 0.1  # share of the steps in which the learning rate rises; then it falls as a cosine

LARGEST_SLOPE = 1.0  # norm of a gradient; a larger one is shortened


class Identifier(NamedTuple):
    """A trained network: see `load_identifier`."""

    network: FiringNetwork
    settings: LearnSettings
    frame_rate: float
    spacing: tuple[float, float]
    path: Path
    digest: str  # SHA-256 of the file

    def fields(self, sequence: Sequence) -> tuple[Floats, Floats]:
        """Chance of a firing (T/s, Z/a, X/b) and of a territory (Z/a, X/b), of the cells of a sequence.

        Raises
        ------
        CheckpointError : trained at another frame rate or pixel size.
        InputError : nothing moves.
        """
        self.require_scale(sequence)
        clip = torch.from_numpy(normalised(sequence, self.settings))[None]
        with torch.no_grad(), autocast(self.settings.precision, clip.device):
            odds = self.network(clip)
        firing, territory = (torch.sigmoid(each[0].float()).numpy() for each in odds)
        return firing, territory

    def require_scale(self, sequence: Sequence) -> None:
        """Refuse a sequence whose frames or pixels differ by more than 1 % from those of the training."""
        here = (sequence.frame_rate, *(1e3 * side for side in sequence.spacing))
        there = (self.frame_rate, *(1e3 * side for side in self.spacing))
        if any(abs(a / b - 1) > 0.01 for a, b in zip(here, there, strict=True)):
            said = [f"{rate:g} frames/s and pixels of {dz:.4g} x {dx:.4g} mm" for rate, dz, dx in (there, here)]
            raise CheckpointError(
                self.path,
                f"was trained at {said[0]} but the sequence has {said[1]}; make it alike, or train on such sequences",
            )


class LearningExample(NamedTuple):
    """A sequence to learn from: velocity (T, Z, X) float16 and what should be said of it."""

    velocity: NDArray[np.float16]
    firing: Floats
    territory: Floats


def cell_of(settings: LearnSettings, frame_rate: float, spacing: tuple[float, float]) -> Cell:
    """A cell of the field in frames, rows and columns, at least one of each."""
    sizes = (settings.moment * frame_rate, *(settings.cell / side for side in spacing))
    frames, rows, columns = (max(round(size), 1) for size in sizes)
    return frames, rows, columns


def normalised(sequence: Sequence, settings: LearnSettings) -> NDArray[np.float32]:
    """(T, Z, X): velocity in the pass band, over its RMS.

    Raises
    ------
    InputError : nothing moves, or a band beyond half the frame rate.
    """
    band = Band(settings.band, len(sequence.velocity), sequence.frame_rate)
    velocity = filtered(sequence.velocity, band)
    size = float(np.sqrt(np.mean(np.square(velocity, dtype=np.float64))))
    if not size > 0:
        raise InputError("nothing moves in the sequence, so there are no motor units to find")
    return velocity / np.float32(size)


def labelled_sequence(path: str | Path, frames: int | None = None) -> tuple[Sequence, MotorUnits]:
    """A sequence, or its first frames, and its labels.

    Raises
    ------
    FileError : no sequence, or one without labels.
    """
    sequence = Sequence.load(path, stop=frames)
    if sequence.labels is None or not len(sequence.labels):
        raise FileError(
            path, "has no labels to learn or score identification from; take simulated, phantom or translated sequences"
        )
    return sequence, sequence.labels


def train_identifier(
    files: Iterable[str | Path],
    out: str | Path,
    settings: LearnSettings | str | Path | Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    quiet: bool = False,
    **changes: Any,
) -> Path:
    """Train a network to identify motor units, on sequences with labels; run again to go on where it was.

    The sequences stay in memory, two bytes per pixel and frame.

    Parameters
    ----------
    files : sequences with labels, of one frame rate and pixel size
    out : folder for the weights, new or of this very call
    settings, **changes : `LearnSettings`, a YAML file, a mapping, or single settings by dotted name
    seed : of the first weights and of the clips
    quiet : show no progress

    Returns
    -------
    Path : of the weights, for ``identify(sequence, method="network", network=path)``

    Raises
    ------
    FileError : a file is no sequence, has no labels, or nothing moves in it.
    InputError : no files, sequences of different scales, or a setting that breaks a rule.
    RunFolderError : `out` holds a training of another recipe.
    """
    options = settings_from(LearnSettings, settings, **changes)
    paths = sorted(Path(path) for path in files)
    if not paths:
        raise InputError("there are no sequences to learn identification from; give at least one with labels")
    header = common_header(paths)
    recipe = {
        "settings": options,
        "seed": seed,
        "of": sources_of(paths),
        "frame_rate": header.frame_rate,
        "spacing": list(header.spacing),
    }
    out = Path(out)
    done, going = out / IDENTIFIER, out / LEARNING
    with locked(out / LOCK, out):
        for path, kind in ((done, KIND), (going, UNFINISHED)):
            if path.exists():
                _require_recipe(path, kind, recipe)
        if done.exists():
            return done
        examples = [_example(path, options) for path in track(paths, "read", len(paths), quiet)]
        network = _trained(examples, options, header, plain_recipe(recipe), going, quiet)
        write_tensors(done, KIND, network.state_dict(), {"recipe": plain_recipe(recipe), "version": __version__})
        going.unlink(missing_ok=True)
    return done


def load_identifier(path: str | Path) -> Identifier:
    """Read what `train_identifier` wrote, its file or its folder.

    Raises
    ------
    CheckpointError : missing, damaged, not from myovivo, or incomplete.
    """
    path = Path(path)
    path = path / IDENTIFIER if path.is_dir() else path
    tensors, note = read_tensors(path, KIND)
    try:
        settings = LearnSettings.model_validate(note["recipe"]["settings"])
        frame_rate, (dz, dx) = float(note["recipe"]["frame_rate"]), map(float, note["recipe"]["spacing"])
    except ValidationError as error:
        raise CheckpointError(path, f"has settings this version does not know: {explain(error)}; train again") from None
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(path, f"is incomplete ({type(error).__name__}: {error}); train again") from None
    network = FiringNetwork(settings.features, settings.blocks, cell_of(settings, frame_rate, (dz, dx)))
    fill(network, tensors, path)
    return Identifier(network.eval(), settings, frame_rate, (dz, dx), path, digest(path))


def _require_recipe(path: Path, kind: str, recipe: Mapping[str, Any]) -> None:
    _, note = read_tensors(path, kind)
    require_same(as_now(note.get("recipe"), recipe), plain_recipe(recipe), path, "is of another training")


def _example(path: Path, settings: LearnSettings) -> LearningExample:
    sequence, labels = labelled_sequence(path)
    cell = cell_of(settings, sequence.frame_rate, sequence.spacing)
    try:
        velocity = normalised(sequence, settings).astype(np.float16)
    except InputError as error:
        raise FileError(path, str(error)) from error
    _, rows, columns = velocity.shape
    velocity = np.pad(velocity, ((0, 0), (0, -rows % cell[1]), (0, -columns % cell[2])))  # so that mirrors fit, too
    return LearningExample(velocity, *truth(labels, sequence.shape, sequence.frame_rate, settings.blur, cell))


def _trained(
    examples: list[LearningExample],
    settings: LearnSettings,
    header: Header,
    recipe: Mapping[str, Any],
    checkpoint: Path,
    quiet: bool,
) -> FiringNetwork:
    # Network and optimiser, new or as the checkpoint left them
    seed, cell = recipe["seed"], cell_of(settings, header.frame_rate, header.spacing)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = FiringNetwork(settings.features, settings.blocks, cell)
    optimiser = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    first = 0
    if checkpoint.exists():
        tensors, note = read_tensors(checkpoint, UNFINISHED)
        fill(network, under("network", tensors), checkpoint)
        fill_optimiser(optimiser, under("optimiser", tensors), checkpoint)
        first = int(note["step"])
    # A clip a step, drawn from the seed and the number of the step alone
    saved = time.monotonic()
    with Bar("learn", settings.steps, first, quiet) as bar:
        for step in range(first, settings.steps):
            for group in optimiser.param_groups:
                group["lr"] = settings.learning_rate * pace(step, settings.steps)
            rng = np.random.default_rng([seed, step])
            velocity, *wanted = _clip(examples[rng.integers(len(examples))], settings, cell, rng)
            with autocast(settings.precision, velocity.device):
                said = network(velocity)
            error = loss(said, (wanted[0], wanted[1]))
            optimiser.zero_grad()
            error.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_SLOPE)
            optimiser.step()
            bar.advance(note=f"loss {error.item():.3f}")
            if time.monotonic() - saved > 60 * settings.checkpoint_minutes and step + 1 < settings.steps:
                state = prefixed("network", network.state_dict())
                state |= prefixed("optimiser", optimiser_tensors(optimiser))
                write_tensors(checkpoint, UNFINISHED, state, {"recipe": recipe, "step": step + 1})
                saved = time.monotonic()
    return network


def pace(step: int, steps: int) -> float:
    """The learning rate over its largest: up in a line, down as a cosine."""
    rising = max(round(WARM_UP * steps), 1)
    if step < rising:
        return (step + 1) / rising
    return (1 + math.cos(math.pi * (step - rising) / max(steps - rising, 1))) / 2


def _clip(
    example: LearningExample, settings: LearnSettings, cell: Cell, rng: np.random.Generator
) -> list[torch.Tensor]:
    """A clip (1, T, Z, X), its firings and territories, at a gain of its own; half of them mirrored laterally."""
    moments = min(max(settings.clip // cell[0], 1), len(example.velocity) // cell[0])
    start = int(rng.integers(len(example.velocity) // cell[0] - moments + 1))
    frames = example.velocity[start * cell[0] : (start + moments) * cell[0]].astype(np.float32)
    frames *= np.float32(math.exp(rng.normal(0, settings.gain)))
    parts = [frames, example.firing[start : start + moments], example.territory]
    mirrored = rng.random() < 0.5
    return [torch.from_numpy(np.ascontiguousarray(part[..., ::-1] if mirrored else part))[None] for part in parts]
