"""Translate sequences of any length with a trained run, labels carried along."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import CheckpointError, InputError
from ..models.windows import NoiseSeed, walk_of
from ..runs.weights import Weights, load_weights
from ..runtime.device import autocast, autocast_dtype, device_of
from ..runtime.introduction import Introduced, Introduction
from ..runtime.provenance import made_by
from ..runtime.tensors import fill, under
from ..sequences.blocks import save_blocks
from ..sequences.header import Header, open_sequence, require_same_scale
from ..sequences.sequence import Sequence, require_sequence
from ..sequences.traits import DomainBand, Watched
from ..signals.band_pass import ORDER, band_passed, require_band

Direction = Literal["silico_to_vivo", "vivo_to_silico"]

ReadVelocity = Callable[[int, int], NDArray[np.float32]]  # frames low to high, m/s

# A pass over `frames_at_once` frames may take about this much memory, bytes, unless told otherwise.
MEMORY_BUDGET = 4e9


class DomainWarning(UserWarning):
    """A sequence does not come from the domain that a translator was trained to read."""


class Translator(Introduced):
    """A trained generator, with the scales of both domains: call it with a sequence.

    Attributes
    ----------
    direction : "silico_to_vivo" or "vivo_to_silico"
    weights : what it was loaded from, with settings and standardisation
    device : where it computes
    walk : its generator, and how that is led along a sequence
    band : what a translation is band-passed to unless another band is asked for: that of the target domain's recordings
        with `house`; None for none
    frame_rate, spacing, rows : Hz, (dz, dx) in m, and rows (None if any will do) of the sequences that it reads
    """

    def __init__(self, weights: Weights, direction: Direction = "silico_to_vivo", device: str = "auto"):
        if direction not in get_args(Direction):
            raise InputError(f"direction must be {' or '.join(get_args(Direction))}, got {direction!r}")
        self.direction: Direction = direction
        self.weights, self.device = weights, device_of(device)
        self.source, self.target = direction.split("_to_")
        settings = weights.settings
        self.frame_rate, self.spacing = weights.frame_rate, weights.spacing
        self.rows = settings.data.clip[1] if settings.knows_depth else None
        self.band = weights.band_towards(self.target)
        self.walk = walk_of(settings, direction)
        self.generator = self.walk.network
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
        seed: NoiseSeed = 0,
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
        band : Hz; band-pass the result to this instead of `self.band`, as `acquire` does a recording (4th-order
            Butterworth, no delay). The paper does not; ours (docs/explanation/house)

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
        DomainWarning : the sequence's origin is not the source domain, or it is unlike those trained on: in its
            amplitude, its band, or its number of motor units.
        """
        origin = require_sequence(sequence).origin
        header = Header(
            sequence.shape, sequence.frame_rate, sequence.spacing, origin, sequence.subject, dict(sequence.provenance)
        )
        self._check(header)
        passed = self._band(band, header.frame_rate)
        frames = self._frames(sequence.shape, frames_at_once)
        watched = Watched(header, None if sequence.labels is None else len(sequence.labels))

        def read(low: int, high: int) -> NDArray[np.float32]:
            return watched.watch(low, sequence.velocity[low:high])

        blocks = self._blocks(read, sequence.shape, seed, frames)
        velocity = np.concatenate(list(_passed(blocks, header, passed)))
        self._warn(watched, "the sequence")
        provenance = self._provenance(sequence.provenance, seed, frames, passed)
        return sequence.replace(velocity=velocity, origin="translated", provenance=provenance)

    @torch.inference_mode()
    def file(
        self,
        source: str | Path,
        path: str | Path,
        seed: NoiseSeed = 0,
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
        with open_sequence(source) as original:
            header = original.header
            self._check(header)
            passed = self._band(band, header.frame_rate)
            frames = self._frames(header.shape, frames_at_once)
            watched = Watched(header, original.units())

            def read(low: int, high: int) -> NDArray[np.float32]:
                return watched.watch(low, original.velocity(low, high))

            blocks = _passed(self._blocks(read, header.shape, seed, frames), header, passed)

            def about() -> dict[str, Any]:
                self._warn(watched, str(source))
                provenance = self._provenance(header.provenance, seed, frames, passed)
                labels = original.labels()
                return {"labels": labels, "origin": "translated", "subject": header.subject, "provenance": provenance}

            return save_blocks(path, blocks, header.shape[1:], header.frame_rate, header.spacing, about)

    def frames_that_fit(self, shape: tuple[int, int, int]) -> int:
        """How many frames of a sequence of `shape` (T, Z, X) a pass takes: all that fit into `MEMORY_BUDGET`.

        A strictly local generator takes few, as more frames at once bring it nothing.
        """
        dtype = autocast_dtype(self.weights.settings.optimiser.precision, self.device)
        return self.walk.frames_that_fit(shape, MEMORY_BUDGET, dtype.itemsize)

    def _band(self, band: tuple[float, float] | None, frame_rate: float) -> DomainBand | None:
        if band is None:
            return self.band
        require_band(band, frame_rate)
        return DomainBand(*band, ORDER)

    def _warn(self, watched: Watched, name: str) -> None:
        """Say in which ways a sequence that was read is unlike all that the network was trained on."""
        traits = self.weights.traits.get(self.source)
        if traits and (unlike := watched.strangeness(traits)):
            text = f"{name} has {' and '.join(unlike)}: outside what {self.weights.path} was trained on"
            warnings.warn(f"{text}, so its translation is a guess", DomainWarning, stacklevel=3)

    def _frames(self, shape: tuple[int, int, int], frames_at_once: int | None) -> int:
        if frames_at_once is not None and frames_at_once < 1:
            raise InputError(f"frames_at_once must be at least 1, got {frames_at_once}")
        return min(frames_at_once or self.frames_that_fit(shape), shape[0])

    def _blocks(
        self, read: ReadVelocity, shape: tuple[int, int, int], seed: NoiseSeed, frames: int
    ) -> Iterator[NDArray[np.float32]]:
        """The translation (B, Z, X), m/s, block after block of `frames`; `read(low, high)` gives the source's, m/s."""
        source, target = (self.weights.standards[name] for name in (self.source, self.target))

        def standardised(low: int, high: int) -> Tensor:
            return torch.from_numpy(source.apply(read(low, high)))

        blocks = self.walk.blocks(standardised, shape, seed, frames)
        while True:
            # The caller runs between two blocks and must not find its own tensors in another precision.
            with autocast(self.weights.settings.optimiser.precision, self.device):
                block = next(blocks, None)
            if block is None:
                return
            velocity = target.undo(block.numpy())
            if not np.isfinite(velocity).all():
                rule = f"the translation by {self.weights.path} holds values that are not finite"
                raise CheckpointError(self.weights.path, f"{rule}; train longer, or in fp32")
            yield velocity

    def _provenance(
        self,
        source: Mapping[str, Any],
        seed: NoiseSeed,
        frames: int,
        band: DomainBand | None,
    ) -> dict[str, Any]:
        return made_by(
            "translate",
            self.weights.settings,
            seed,
            direction=self.direction,
            run=str(self.weights.path.parent.resolve()),
            weights=self.weights.digest,
            step=self.weights.step,
            standardisation={name: list(scale.pair) for name, scale in self.weights.standards.items()},
            frames_at_once=frames,
            band=band and [band.low, band.high],
            source=dict(source),
        )

    def _check(self, sequence: Header) -> None:
        weights = self.weights
        trained = sequence._replace(frame_rate=weights.frame_rate, spacing=weights.spacing)
        fits = {"silico": ("silico",), "vivo": ("vivo", "phantom")}[self.source]
        require_same_scale(sequence, trained, "the sequence", f"the run {weights.path.parent}", self.rows, fits)
        if sequence.origin not in fits:
            text = (
                f"a {self.direction} translator expects a sequence of origin {' or '.join(fits)}, got {sequence.origin}"
            )
            warnings.warn(text, DomainWarning, stacklevel=4)


def _passed(
    blocks: Iterator[NDArray[np.float32]], header: Header, band: DomainBand | None
) -> Iterator[NDArray[np.float32]]:
    """A stream of blocks band-passed; as it is if `band` is None."""
    if band is None:
        return blocks
    return band_passed(blocks, header.shape, header.frame_rate, (band.low, band.high), band.order)
