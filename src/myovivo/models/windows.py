"""How a generator is walked along a sequence of any length, and how it is called with plain tensors.

A walk gives the translation block after block, each read with as many frames around it as the network can see. What is
random belongs to the sequence, or to the number of a frame, never to a window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import InputError
from . import local
from .generators import OUTER_KERNEL, ResnetGenerator, reach
from .local import LocalGenerator, LocalNoise
from .settings import TrainSettings

NoiseSeed = int | tuple[int, ...]
Read = Callable[[int, int], Tensor]  # frames low to high, standardised

LOCAL_WINDOW = 128  # frames that a strictly local generator takes at once; more bring it nothing
# Tensors of the first level alive at once: input, padded copy, output, and a float32 copy in the norm.
_TENSORS_ALIVE = 5


class Walk(Protocol):
    """A generator with the ways to use it; see `walk_of`.

    Attributes
    ----------
    network : the generator
    frames_around : frames that a window needs on either side of those it is for; None if norms see all of them
    """

    network: Any
    frames_around: int | None

    def frames_that_fit(self, shape: tuple[int, int, int], budget: float, value_bytes: int) -> int:
        """Frames of a sequence (T, Z, X) that a pass takes in `budget` bytes, with values of so many bytes."""
        ...

    def blocks(self, read: Read, shape: tuple[int, int, int], seed: NoiseSeed, frames: int) -> Iterator[Tensor]:
        """The translation (B, Z, X), standardised, on the CPU, block after block of `frames`."""
        ...

    def plain(self, velocity: Tensor, *noise: Tensor) -> Tensor:
        """The network as a function of tensors alone."""
        ...

    def example(self, rows: int, columns: int) -> tuple[dict[str, Tensor], Any]:
        """Inputs of `plain` by name, and which of their axes are free."""
        ...


def walk_of(settings: TrainSettings, direction: str) -> Walk:
    """The generator of a direction, without weights (on the device `meta`), ready to be walked.

    Raises
    ------
    InputError : the method does not translate this way.
    """
    with torch.device("meta"):
        if settings.method != "one-sided":
            noise = settings.generator.noise and direction == "silico_to_vivo"
            return ResnetWalk(ResnetGenerator(settings.generator, noise))
        if direction != "silico_to_vivo":
            raise InputError(
                "a one-sided translator knows only silico_to_vivo; train a preset of method cycle for the way back"
            )
        return LocalWalk(LocalGenerator(settings.local))


class LocalWalk:
    """A strictly local generator: windows are exactly the translation of the whole."""

    def __init__(self, network: LocalGenerator):
        self.network = network
        self.frames_around: int | None = local.local_reach(network.settings)

    def frames_that_fit(self, shape: tuple[int, int, int], budget: float, value_bytes: int) -> int:
        return min(LOCAL_WINDOW, shape[0])

    def blocks(self, read: Read, shape: tuple[int, int, int], seed: NoiseSeed, frames: int) -> Iterator[Tensor]:
        network, total, device = self.network, shape[0], next(self.network.parameters()).device
        margin, reach = local.trunk_reach(network.settings), network.settings.filter // 2
        rows, columns = (-(-size // network.settings.cell) * network.settings.cell for size in shape[1:])
        tissue = network.drawn(network.draw_tissue(rows, columns, _random(seed, 0))[None].to(device))
        # What the filter has yet to see: the frames that wait for later ones, and as many before as it reaches back.
        held = torch.empty(0)
        for start in range(0, total, frames):
            stop = min(start + frames, total)
            low, high = max(start - margin, 0), min(stop + margin, total)
            x = _extended(read(low, high), (high - low, rows, columns))[None, None]  # (1, 1, T', Z', X')
            noise = [network.draw_frames(1, rows, columns, _random(seed, 1, frame)) for frame in range(start, stop)]
            drawn = torch.cat(noise, 1)[None].to(device)
            moved = network.moved(x.to(device), tissue, drawn, slice(start - low, stop - low))
            parts = [held, moved]
            if start == 0:  # the first frame is repeated before the beginning, the last one after the end
                parts[0] = moved[:, :, :1].expand(-1, -1, reach, -1, -1)
            if stop == total:
                parts.append(moved[:, :, -1:].expand(-1, -1, reach, -1, -1))
            held = torch.cat(parts, 2)
            if held.shape[2] > 2 * reach:
                yield network.filtered_within(held)[0, 0, :, : shape[1], : shape[2]].cpu()
                held = held[:, :, held.shape[2] - 2 * reach :].clone()

    def plain(self, velocity: Tensor, *noise: Tensor) -> Tensor:
        return self.network(velocity, LocalNoise(*noise))

    def example(self, rows: int, columns: int) -> tuple[dict[str, Tensor], Any]:
        x = torch.zeros(1, 1, 8, rows, columns)
        noise = self.network.draw_noise(x, torch.Generator().manual_seed(0))
        count = torch.export.Dim("frames", min=2)
        return {"velocity": x, "tissue": noise.tissue, "frames": noise.frames}, ({2: count}, ({}, {2: count}))


class ResnetWalk:
    """The paper's generator, whose instance norm takes its statistics from the window; single frames if it is 2-D."""

    frames_around: int | None = None

    def __init__(self, network: ResnetGenerator):
        self.network = network
        self.flat = network.settings.dimensions == 2

    def frames_that_fit(self, shape: tuple[int, int, int], budget: float, value_bytes: int) -> int:
        settings, pixels = self.network.settings, shape[1] * shape[2]
        per_frame = pixels * settings.features * ((_TENSORS_ALIVE - 1) * value_bytes + 4)
        return min(max(int(budget / per_frame) - 2 * reach(settings), 1), shape[0])

    def blocks(self, read: Read, shape: tuple[int, int, int], seed: NoiseSeed, frames: int) -> Iterator[Tensor]:
        network, flat, total = self.network, self.flat, shape[0]
        # What is no whole stride, or too short to be reflected by half a kernel, is extended.
        time, *space = (1, *network.stride) if flat else network.stride
        least = OUTER_KERNEL // 2 + 1
        rows, columns = (
            max(-(-size // step), -(-least // step), 2) * step for size, step in zip(shape[1:], space, strict=True)
        )
        length = total if flat else max(-(-total // time), -(-least // time), 2) * time
        margin, core = reach(network.settings), -(-frames // time) * time
        # Drawn once, so that all windows share it.
        drawn_for = (1, 1, rows, columns) if flat else (1, 1, length, rows, columns)
        noise = network.draw_noise(torch.empty(drawn_for), _random(seed))
        for start in range(0, length, core):
            stop = min(start + core, length)
            low, high = max(start - margin, 0), min(stop + margin, length)
            x = _extended(read(min(low, total - 1), min(high, total)), (high - low, rows, columns))
            window = _computed(network, x[:, None] if flat else x[None, None], noise)
            window = window[:, 0] if flat else window[0, 0]  # (T', Z', X')
            yield window[start - low : min(stop, total) - low, : shape[1], : shape[2]]

    def plain(self, velocity: Tensor, *noise: Tensor) -> Tensor:
        return self.network(velocity, *noise)

    def example(self, rows: int, columns: int) -> tuple[dict[str, Tensor], Any]:
        time = 1 if self.flat else self.network.stride[0]
        frames = 4 * time + 4
        x = torch.zeros((frames, 1, rows, columns) if self.flat else (1, 1, frames, rows, columns))
        unit = torch.export.Dim("strides", min=2)
        free = {0 if self.flat else 2: unit if time == 1 else time * unit}
        noise = self.network.draw_noise(x[:1] if self.flat else x, torch.Generator().manual_seed(0))
        return ({"velocity": x}, (free,)) if noise is None else ({"velocity": x, "noise": noise}, (free, ({},)))


def _computed(network: nn.Module, x: Tensor, noise: Tensor | LocalNoise | None) -> Tensor:
    """What the network makes of `x` where its weights are, brought back."""
    device = next(network.parameters()).device
    if isinstance(noise, LocalNoise):
        noise = LocalNoise(*(part.to(device) for part in noise))
    elif noise is not None:
        noise = noise.to(device)
    return network(x.to(device), noise).float().cpu()


def _extended(frames: Tensor, size: tuple[int, int, int]) -> Tensor:
    """(T, Z, X) with the last frame, row and column repeated until it has this size."""
    t, z, x = (torch.arange(new).clamp(max=old - 1) for new, old in zip(size, frames.shape, strict=True))
    return frames[t][:, z][:, :, x]


def _random(seed: NoiseSeed, *key: int) -> torch.Generator:
    """The random numbers of one thing among those that `seed` decides."""
    sequence = np.random.SeedSequence(seed, spawn_key=key)
    return torch.Generator().manual_seed(int(sequence.generate_state(1, np.uint64)[0]))
