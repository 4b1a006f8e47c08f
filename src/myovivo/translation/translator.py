"""Translate sequences of any length with a trained run, labels carried along."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import CheckpointError, InputError
from ..models import local
from ..models.generators import OUTER_KERNEL, ResnetGenerator, reach
from ..models.local import LocalGenerator, Noise
from ..runs.weights import Weights, load_weights
from ..runtime.device import AUTOCAST, precision_for
from ..runtime.introduction import Introduced, Introduction
from ..runtime.provenance import made_by
from ..runtime.tensors import fill, under
from ..sequences.header import Header, read_header, read_velocity, require_same_scale
from ..sequences.sequence import Sequence, require_sequence, save_blocks
from ..signals.band_pass import band_passed, require_band

Direction = Literal["silico_to_vivo", "vivo_to_silico"]

Read = Callable[[int, int], NDArray[np.float32]]

# Frames that a strictly local generator takes at once.
LOCAL_WINDOW = 128

# A pass over `frames_at_once` frames may take about this much memory, bytes, unless told otherwise.
MEMORY_BUDGET = 4e9

# Tensors of the first level alive at once: input, padded copy, output, and a float32 copy in the norm.
_TENSORS_ALIVE = 5


class DomainWarning(UserWarning):
    """A sequence does not come from the domain that a translator was trained to read."""


class Translator(Introduced):
    """A trained generator, with the scales of both domains: call it with a sequence.

    Attributes
    ----------
    direction : "silico_to_vivo" or "vivo_to_silico"
    weights : what it was loaded from, with settings and standardisation
    device : where it computes
    frame_rate, spacing, rows : Hz, (dz, dx) in m, and rows (None if any will do) of the sequences that it reads
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
        settings = weights.settings
        self.frame_rate, self.spacing = weights.frame_rate, weights.spacing
        self.rows = settings.data.clip[1] if settings.knows_depth else None
        if settings.method == "one-sided" and direction != "silico_to_vivo":
            raise InputError(
                "a one-sided translator knows only silico_to_vivo; train a preset of method cycle for the way back"
            )
        with torch.device("meta"):
            self.generator: ResnetGenerator | LocalGenerator
            if settings.method == "one-sided":
                self.generator = LocalGenerator(settings.local)
            else:
                noise = settings.generator.noise and direction == "silico_to_vivo"
                self.generator = ResnetGenerator(settings.generator, noise)
        self.generator.to_empty(device="cpu")
        fill(self.generator, under(direction, weights.tensors), weights.path)
        self.generator.to(self.device).eval()

    @classmethod
    def load(cls, run: str | Path, direction: Direction = "silico_to_vivo", device: str = "auto") -> Translator:
        """Load a run folder, or a `weights.safetensors` alone.

        Raises
        ------
        CheckpointError : missing, damaged, not from myovivo, or not fitting its own settings.
        InputError : no such direction or device.
        """
        return cls(load_weights(run), direction, device)

    def _introduction(self) -> Introduction:
        return Introduction(f"Translator: {self.direction}, on {self.device}", self.weights.facts())

    @torch.inference_mode()
    def __call__(
        self,
        sequence: Sequence,
        seed: int | tuple[int, ...] = 0,
        frames_at_once: int | None = None,
        *,
        band: tuple[float, float] | None = None,
    ) -> Sequence:
        """Translate a sequence.

        Rows, columns and frames that are no multiple of the network's stride are extended by
        repeating the last ones, and cut off afterwards. Each window is read with as many frames around it as the
        network can see, so with `house` the result does not depend on `frames_at_once` (beyond rounding). With the
        paper's networks it does, strongly, because their instance norm takes its statistics from the window; the
        provenance records it.

        Parameters
        ----------
        sequence : of the source domain, at the frame rate and spacing of training
        seed : of the noise, if the generator takes any; same seed, same bytes
        frames_at_once : frames translated per pass; by default all, if a pass then takes no more than
            `MEMORY_BUDGET`, else as many as do
        band : Hz; band-pass the result as `acquire` does a recording (4th-order Butterworth, no delay). The paper
            does not; ours (docs/explanation/house)

        Returns
        -------
        Sequence : same shape, m/s at the scale of the target domain, labels carried along, origin "translated"

        Raises
        ------
        InputError : another frame rate or spacing than in training, no positive `frames_at_once`, a band that is not
            below half the frame rate, or a sequence too short for it.
        WrongTypeError : no `Sequence`.

        Warns
        -----
        DomainWarning : the sequence's origin is not the source domain.
        """
        origin = require_sequence(sequence).origin
        header = Header(
            sequence.shape, sequence.frame_rate, sequence.spacing, origin, sequence.subject, dict(sequence.provenance)
        )
        self._check(header)
        if band is not None:
            require_band(band, header.frame_rate)
        frames = self._frames(sequence.shape, frames_at_once)
        read = sequence.velocity.__getitem__
        blocks = self._blocks(lambda low, high: read(slice(low, high)), sequence.shape, seed, frames)
        velocity = np.concatenate(list(band_passed(blocks, sequence.shape, header.frame_rate, band)))
        provenance = self._provenance(sequence.provenance, seed, frames, band)
        return sequence.replace(velocity=velocity, origin="translated", provenance=provenance)

    @torch.inference_mode()
    def file(
        self,
        source: str | Path,
        path: str | Path,
        seed: int | tuple[int, ...] = 0,
        frames_at_once: int | None = None,
        *,
        band: tuple[float, float] | None = None,
    ) -> Path:
        """Translate a sequence file into another, window by window: the memory does not grow with the length.

        For networks with instance norm, whose result depends on the window, it does: they take the whole sequence
        at once if that fits into `MEMORY_BUDGET`.

        Parameters
        ----------
        source, path : the file to read and the file to write
        seed, frames_at_once, band : as in the call

        Returns
        -------
        Path : `path`

        Raises
        ------
        FileError : `source` cannot be read or `path` not be written.
        InputError : as in the call.
        """
        header = read_header(source)
        self._check(header)
        if band is not None:
            require_band(band, header.frame_rate)
        frames = self._frames(header.shape, frames_at_once)
        blocks = self._blocks(functools.partial(read_velocity, source), header.shape, seed, frames)
        blocks = band_passed(blocks, header.shape, header.frame_rate, band)

        def about() -> dict[str, Any]:
            labels = Sequence.load(source, 0, 1).labels
            provenance = self._provenance(header.provenance, seed, frames, band)
            return {"labels": labels, "origin": "translated", "subject": header.subject, "provenance": provenance}

        return save_blocks(path, blocks, header.shape[1:], header.frame_rate, header.spacing, about)

    def frames_that_fit(self, shape: tuple[int, int, int]) -> int:
        """How many frames of a sequence of `shape` (T, Z, X) a pass takes: all that fit into `MEMORY_BUDGET`.

        A strictly local generator takes `LOCAL_WINDOW` instead, as more frames at once bring it nothing.
        """
        settings = self.weights.settings
        if settings.method == "one-sided":
            return min(LOCAL_WINDOW, shape[0])
        pixels = shape[1] * shape[2]
        features, bytes_per_value = settings.generator.features, 2 if self._autocast != torch.float32 else 4
        per_frame = pixels * features * (_TENSORS_ALIVE - 1) * bytes_per_value + pixels * features * 4
        return min(max(int(MEMORY_BUDGET / per_frame) - 2 * reach(settings.generator), 1), shape[0])

    def _frames(self, shape: tuple[int, int, int], frames_at_once: int | None) -> int:
        if frames_at_once is not None and frames_at_once < 1:
            raise InputError(f"frames_at_once must be at least 1, got {frames_at_once}")
        return min(frames_at_once or self.frames_that_fit(shape), shape[0])

    @property
    def _autocast(self) -> torch.dtype:
        """The precision of training, where the device has it."""
        return AUTOCAST[precision_for(self.weights.settings.optimiser.precision, self.device)]

    def _blocks(
        self, read: Read, shape: tuple[int, int, int], seed: int | tuple[int, ...], frames: int
    ) -> Iterator[NDArray[np.float32]]:
        """The translation (B, Z, X), m/s, block after block of `frames`; `read(low, high)` gives the source's, m/s."""
        source, target = (self.weights.standards[name] for name in (self.source, self.target))

        def standardised(low: int, high: int) -> Tensor:
            return torch.from_numpy(source.apply(read(low, high)))

        translate = self._local_blocks if isinstance(self.generator, LocalGenerator) else self._resnet_blocks
        blocks = translate(standardised, shape, seed, frames)
        while True:
            # The caller runs between two blocks and must not find its own tensors in another precision.
            with torch.autocast(self.device.type, self._autocast, enabled=self._autocast != torch.float32):
                block = next(blocks, None)
            if block is None:
                return
            velocity = target.undo(block.numpy())
            if not np.isfinite(velocity).all():
                rule = f"the translation by {self.weights.path} holds values that are not finite"
                raise CheckpointError(self.weights.path, f"{rule}; train longer, or in fp32")
            yield velocity

    def _local_blocks(
        self, read: Callable[[int, int], Tensor], shape: tuple[int, int, int], seed: int | tuple[int, ...], frames: int
    ) -> Iterator[Tensor]:
        """Blocks of a strictly local generator: what is random belongs to the sequence and to each frame's number."""
        network = self.generator
        assert isinstance(network, LocalGenerator)
        total, margin = shape[0], local.reach(network.settings)
        rows, columns = (-(-size // network.settings.cell) * network.settings.cell for size in shape[1:])
        tissue = network.draw_tissue(rows, columns, _generator(seed, 0))
        for start in range(0, total, frames):
            stop = min(start + frames, total)
            low, high = max(start - margin, 0), min(stop + margin, total)
            x = _extended(read(low, high), (high - low, rows, columns))[None, None]  # (1, 1, T', Z', X')
            noise = [network.draw_frames(1, rows, columns, _generator(seed, 1, frame)) for frame in range(low, high)]
            window = self._translate(x, Noise(tissue[None], torch.cat(noise, 1)[None]))
            yield window[0, 0, start - low : stop - low, : shape[1], : shape[2]]

    def _resnet_blocks(
        self, read: Callable[[int, int], Tensor], shape: tuple[int, int, int], seed: int | tuple[int, ...], frames: int
    ) -> Iterator[Tensor]:
        """Blocks of the paper's generator, in windows of whole strides; single frames if it is two-dimensional."""
        network = self.generator
        assert isinstance(network, ResnetGenerator)
        settings, flat = network.settings, network.settings.dimensions == 2
        total = shape[0]
        time, *space = (1, *network.stride) if flat else network.stride
        # What is no whole stride, or too short to be reflected by half a kernel, is extended.
        least = OUTER_KERNEL // 2 + 1
        rows, columns = (
            max(-(-size // each), -(-least // each), 2) * each for size, each in zip(shape[1:], space, strict=True)
        )
        length = total if flat else max(-(-total // time), -(-least // time), 2) * time
        margin, core = reach(settings), -(-frames // time) * time
        # Drawn once, so that all windows share it.
        drawn_for = (1, 1, rows, columns) if flat else (1, 1, length, rows, columns)
        noise = network.draw_noise(torch.empty(drawn_for), _generator(seed))
        for start in range(0, length, core):
            stop = min(start + core, length)
            low, high = max(start - margin, 0), min(stop + margin, length)
            x = _extended(read(min(low, total - 1), min(high, total)), (high - low, rows, columns))
            window = self._translate(x[:, None] if flat else x[None, None], noise)
            window = window[:, 0] if flat else window[0, 0]  # (T', Z', X')
            yield window[start - low : min(stop, total) - low, : shape[1], : shape[2]]

    def _translate(self, x: Tensor, noise: Tensor | Noise | None) -> Tensor:
        if isinstance(noise, Noise):
            noise = Noise(*(part.to(self.device) for part in noise))
        elif noise is not None:
            noise = noise.to(self.device)
        return self.generator(x.to(self.device), noise).float().cpu()

    def _provenance(
        self,
        source: Mapping[str, Any],
        seed: int | tuple[int, ...],
        frames: int,
        band: tuple[float, float] | None,
    ) -> dict[str, Any]:
        return made_by(
            "translate",
            self.weights.settings,
            seed,
            direction=self.direction,
            run=str(self.weights.path.parent.resolve()),
            weights=self.weights.digest,
            step=self.weights.step,
            standardisation={name: list(constants) for name, constants in self.weights.standards.items()},
            frames_at_once=frames,
            band=band and list(band),
            source=dict(source),
        )

    def _check(self, sequence: Header) -> None:
        weights = self.weights
        trained = sequence._replace(frame_rate=weights.frame_rate, spacing=weights.spacing)
        require_same_scale(sequence, trained, "the sequence", f"the run {weights.path.parent}")
        if self.rows and sequence.shape[1] != self.rows:
            rule = (
                f"the sequence has {sequence.shape[1]} rows but the run, which knows depth, was trained on {self.rows}"
            )
            raise InputError(f"{rule}; make them alike (simulate: grid.rows, acquire: output.rows)")
        fits = {"silico": ("silico",), "vivo": ("vivo", "phantom")}[self.source]
        if sequence.origin not in fits:
            text = (
                f"a {self.direction} translator expects a sequence of origin {' or '.join(fits)}, got {sequence.origin}"
            )
            warnings.warn(text, DomainWarning, stacklevel=4)


def _extended(frames: Tensor, size: tuple[int, int, int]) -> Tensor:
    """(T, Z, X) with the last frame, row and column repeated until it has this size."""
    t, z, x = (torch.arange(new).clamp(max=old - 1) for new, old in zip(size, frames.shape, strict=True))
    return frames[t][:, z][:, :, x]


def _generator(seed: int | tuple[int, ...], *key: int) -> torch.Generator:
    """The random numbers of one thing among those that `seed` decides."""
    sequence = np.random.SeedSequence(seed, spawn_key=key)
    return torch.Generator().manual_seed(int(sequence.generate_state(1, np.uint64)[0]))
