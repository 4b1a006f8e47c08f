"""Translate sequences of any length with a trained run, labels carried along."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from ._callable import make_callable
from .checkpoint import Weights, fill, load_weights, test_files, under
from .config import Generator as GeneratorSettings
from .dataset import require_same_scale
from .domain import good_sequence, make_domain
from .errors import CheckpointError, FileError, InputError
from .models.generators import ResnetGenerator, reach
from .provenance import made_by
from .sequence import Header, Sequence, sequence_files

Direction = Literal["silico_to_vivo", "vivo_to_silico"]

# A pass over `frames_at_once` frames may take about this much memory, bytes, unless told otherwise.
MEMORY_BUDGET = 4e9
# Tensors of the first level alive at once: input, padded copy, output, and a float32 copy in the norm.
_TENSORS_ALIVE = 5


class DomainWarning(UserWarning):
    """A sequence does not come from the domain that a translator was trained to read."""


class Translator:
    """A trained generator, with the scales of both domains: call it with a sequence.

    Attributes
    ----------
    direction : "silico_to_vivo" or "vivo_to_silico"
    weights : what it was loaded from, with settings and standardisation
    device : where it computes
    """

    def __init__(self, weights: Weights, direction: Direction = "silico_to_vivo", device: str = "auto"):
        if direction not in get_args(Direction):
            raise InputError(f"direction must be {' or '.join(get_args(Direction))}, got {direction!r}")
        if device not in ("auto", "cpu", "cuda"):
            raise InputError(f"device must be auto, cpu or cuda, got {device!r}")
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.direction: Direction = direction
        self.weights, self.device = weights, torch.device(device)
        self.source, self.target = direction.split("_to_")
        settings = weights.settings.generator
        with torch.device("meta"):
            self._generator = ResnetGenerator(settings, settings.noise and direction == "silico_to_vivo")
        self._generator.to_empty(device="cpu")
        fill(self._generator, under(direction, weights.tensors), weights.path)
        self._generator.to(self.device).eval()

    @classmethod
    def load(cls, run: str | Path, direction: Direction = "silico_to_vivo", device: str = "auto") -> Translator:
        """Load a run folder, or a `weights.safetensors` alone.

        Raises
        ------
        CheckpointError : missing, damaged, not from myovivo, or not fitting its own settings.
        InputError : no such direction or device.
        """
        return cls(load_weights(run), direction, device)

    @torch.inference_mode()
    def __call__(
        self, sequence: Sequence, seed: int | tuple[int, ...] = 0, frames_at_once: int | None = None
    ) -> Sequence:
        """Translate a sequence.

        Rows, columns and frames that are no multiple of the network's stride are extended by
        repeating the last ones, and cut off afterwards. With `norm` "voxel" the result does not depend
        on `frames_at_once` (beyond rounding): each window is read with as many frames around it as the
        network can see. With `norm` "instance" it does depend on it, strongly, because the statistics
        are those of the window; the provenance records it.

        Parameters
        ----------
        sequence : of the source domain, at the frame rate and spacing of training
        seed : of the noise, if the generator takes any; same seed, same bytes
        frames_at_once : frames translated per pass; by default all, if a pass then takes no more than
            `MEMORY_BUDGET`, else as many as do

        Returns
        -------
        Sequence : same shape, m/s at the scale of the target domain, labels carried along, origin "translated"

        Raises
        ------
        InputError : another frame rate or spacing than in training, or no positive `frames_at_once`.

        Warns
        -----
        DomainWarning : the sequence's origin is not the source domain.
        """
        self._check(sequence)
        if frames_at_once is not None and frames_at_once < 1:
            raise InputError(f"frames_at_once must be at least 1, got {frames_at_once}")
        frames = min(frames_at_once or self.frames_that_fit(sequence.shape), sequence.shape[0])
        source, target = (self.weights.standards[name] for name in (self.source, self.target))
        standardised = torch.from_numpy(source.apply(sequence.velocity))
        rng = torch.Generator().manual_seed(int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]))
        with torch.autocast(self.device.type, self._autocast, enabled=self._autocast != torch.float32):
            translated = (
                self._frames(standardised, rng, frames) if self._flat else self._clip(standardised, rng, frames)
            )
        velocity = target.undo(translated.numpy())
        if not np.isfinite(velocity).all():
            rule = f"the translation by {self.weights.path} holds values that are not finite"
            raise CheckpointError(self.weights.path, f"{rule}; train longer, or in fp32")
        provenance = made_by(
            "translate",
            self.weights.settings,
            seed,
            direction=self.direction,
            run=str(self.weights.path.parent.resolve()),
            weights=self.weights.digest,
            step=self.weights.step,
            standardisation={name: list(constants) for name, constants in self.weights.standards.items()},
            frames_at_once=frames,
            source=dict(sequence.provenance),
        )
        return sequence.replace(velocity=velocity, origin="translated", provenance=provenance)

    def frames_that_fit(self, shape: tuple[int, int, int]) -> int:
        """How many frames of a sequence of `shape` (T, Z, X) a pass within `MEMORY_BUDGET` can take."""
        settings = self.weights.settings.generator
        bytes_per_value = 2 if self._autocast != torch.float32 else 4
        pixels = shape[1] * shape[2] / settings.unshuffle**2
        per_frame = pixels * settings.features * (_TENSORS_ALIVE - 1) * bytes_per_value + pixels * settings.features * 4
        return min(max(int(MEMORY_BUDGET / per_frame) - 2 * reach(settings), 1), shape[0])

    @property
    def _flat(self) -> bool:
        return self.weights.settings.generator.dimensions == 2

    @property
    def _autocast(self) -> torch.dtype:
        """The precision of training, where the device has it."""
        precision = self.weights.settings.optimiser.precision
        if precision == "fp16" and self.device.type != "cpu":
            return torch.float16
        return torch.bfloat16 if precision == "bf16" else torch.float32

    def _clip(self, sequence: Tensor, rng: torch.Generator, frames: int) -> Tensor:
        """(T, Z, X) standardised -> the same of the other domain, in windows of `frames`."""
        total, rows, columns = sequence.shape
        stride, settings = self._generator.stride, self.weights.settings.generator
        x = _extend(sequence, stride, settings)[None, None]  # (1, 1, T', Z', X')
        noise = self._generator.draw_noise(x, rng)  # once, so that all windows share it
        margin, step = reach(settings), stride[0]
        core = -(-frames // step) * step  # whole strides
        pieces = []
        for start in range(0, x.shape[2], core):
            stop = min(start + core, x.shape[2])
            low, high = max(start - margin, 0), min(stop + margin, x.shape[2])
            here = noise if noise is None or noise.shape[2] == 1 else noise[:, :, low // step : high // step]
            window = self._translate(x[:, :, low:high], here)
            pieces.append(window[0, 0, start - low : stop - low])
        return torch.cat(pieces)[:total, :rows, :columns]

    def _frames(self, sequence: Tensor, rng: torch.Generator, frames: int) -> Tensor:
        """As `_clip`, for a generator of single frames; one noise image for all of them if broadcast."""
        total, rows, columns = sequence.shape
        settings = self.weights.settings.generator
        x = _extend(sequence, (1, *self._generator.stride), settings)[:, None]  # (T, 1, Z', X')
        broadcast = settings.noise_broadcast
        noise = self._generator.draw_noise(x[:1] if broadcast else x, rng)  # (1 or T, 2 blocks, Z'/r, X'/r)
        pieces = []
        for start in range(0, total, frames):
            these = slice(start, start + frames)
            window = self._translate(x[these], noise if noise is None or broadcast else noise[these])
            pieces.append(window[:, 0])
        return torch.cat(pieces)[:total, :rows, :columns]

    def _translate(self, x: Tensor, noise: Tensor | None) -> Tensor:
        return self._generator(x.to(self.device), None if noise is None else noise.to(self.device)).float().cpu()

    def _check(self, sequence: Sequence) -> None:
        weights = self.weights
        trained = Header(sequence.shape, weights.frame_rate, weights.spacing, sequence.origin, "", {})
        given = trained._replace(frame_rate=sequence.frame_rate, spacing=sequence.spacing)
        require_same_scale(given, trained, "the sequence", f"the run {weights.path.parent}")
        rows = weights.settings.data.clip[1]
        if weights.settings.generator.depth and sequence.shape[1] != rows:
            rule = f"the sequence has {sequence.shape[1]} rows but the run, which knows depth, was trained on {rows}"
            raise InputError(f"{rule}; make them alike (simulate: grid.rows, acquire: output.rows)")
        fits = {"silico": ("silico",), "vivo": ("vivo", "phantom")}[self.source]
        if sequence.origin not in fits:
            text = (
                f"a {self.direction} translator expects a sequence of origin {' or '.join(fits)}, got {sequence.origin}"
            )
            warnings.warn(text, DomainWarning, stacklevel=3)


def translate_domain(
    run: str | Path,
    source: str | Path | Iterable[str | Path] | None,
    out: str | Path,
    seed: int = 0,
    *,
    direction: Direction = "silico_to_vivo",
    frames_at_once: int | None = None,
    device: str = "auto",
    workers: int = 1,
    quiet: bool = False,
) -> list[Path]:
    """Translate a folder of sequences into a folder of sequences of the same names.

    Interrupt it at will: the same call again keeps the good files and makes the missing ones.

    Parameters
    ----------
    run : run folder of a training
    source : a folder, a list of files, or None for the test sequences that the run held out
    out : the folder to write, new or of this very call
    seed : file number n gets the noise of seed (seed, n)
    direction : "silico_to_vivo" or "vivo_to_silico"
    frames_at_once, device : as in `Translator`
    workers : processes; one uses all cores already
    quiet : show no progress

    Returns
    -------
    list of Path : the files written, in the order of `source`

    Raises
    ------
    CheckpointError : as `Translator.load`.
    InputError : a sequence of another frame rate or spacing, or two files of one name.
    FileError : a file cannot be read or written, or the run held out no files.
    RunFolderError : `out` holds something else.
    """
    translator = Translator.load(run, direction, device)
    if source is None:
        files = test_files(run, "silico" if translator.source == "silico" else "vivo")
        if not files:
            raise FileError(
                run, "held out no sequences; name a folder to translate, or train with data.held_out above 0"
            )
    elif isinstance(source, str | Path):
        files = sequence_files(source)
    else:
        files = [Path(path) for path in source]
    if len({path.name for path in files}) < len(files):
        raise InputError("two of the files to translate have the same name; rename one, since results keep the names")
    recipe = {
        "stage": "translate",
        "weights": translator.weights.digest,
        "direction": direction,
        "frames_at_once": frames_at_once,
        "seed": seed,
        "source": [path.name for path in files],
    }
    makers = {
        path.name: functools.partial(_translate_file, translator, path, (seed, number), frames_at_once)
        for number, path in enumerate(files)
    }
    return make_domain(out, makers, recipe, good_sequence, "translate", workers, quiet)


def _translate_file(
    translator: Translator, source: Path, seed: tuple[int, int], frames: int | None, path: Path
) -> None:
    translator(Sequence.load(source), seed, frames).save(path)


def _extend(sequence: Tensor, stride: tuple[int, ...], settings: GeneratorSettings) -> Tensor:
    """Repeat the last frame, row and column until (T, Z, X) are multiples of `stride`, and can be reflected."""
    least = settings.unshuffle * (settings.kernel // 2 + 1)  # a reflection reaches half a kernel into the image
    sizes = [
        max(-(-size // each), -(-least // each), 2) * each for size, each in zip(sequence.shape, stride, strict=True)
    ]
    t, z, x = (torch.arange(new).clamp(max=old - 1) for new, old in zip(sizes, sequence.shape, strict=True))
    return sequence[t][:, z][:, :, x]


make_callable(__name__, translate_domain)
