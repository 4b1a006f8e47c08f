"""What a training would take, from three of its steps, before it begins."""

from __future__ import annotations

import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from ..models.cyclegan import check_clip
from ..models.settings import TrainSettings
from ..models.sizes import parameter_counts
from ..runtime.settings import settings_from
from ..runtime.words import counted, spoken_time
from ..sequences.header import Header, sequence_files
from ..sequences.scale import DomainScale
from ..sequences.split import split_by_subject
from .data import Clips
from .processes import fabric_for
from .step import Training

MEASURED = 3


@dataclass(frozen=True)
class Estimate:
    """Result of `estimate`; printed, a few lines.

    Attributes
    ----------
    clip, batch, steps : frames, rows, columns; clips per step; steps of the whole training
    parameters : network -> number
    flops_per_sample : floating-point operations of one clip's share of a training step
    memory_bytes : most that the process held; on a GPU, most that it had of the GPU's
    seconds_per_step : the fastest of three measured steps, after one that is not
    device : where it was measured
    """

    clip: tuple[int, int, int]
    batch: int
    steps: int
    parameters: dict[str, int]
    flops_per_sample: float
    memory_bytes: int
    seconds_per_step: float
    device: str

    @property
    def seconds(self) -> float:
        """Of the whole training."""
        return self.steps * self.seconds_per_step

    def __str__(self) -> str:
        frames, rows, columns = self.clip
        networks = ", ".join(f"{name} {count:,}" for name, count in self.parameters.items())
        return "\n".join(
            [
                f"clips: {counted(frames, 'frame')} of {rows} x {columns} px, {self.batch} per step, "
                f"{self.steps:,} steps",
                f"parameters: {sum(self.parameters.values()):,} ({networks})",
                f"work: {self.flops_per_sample / 1e9:,.1f} GFLOP per clip and step",
                f"memory: {self.memory_bytes / 1e9:.2f} GB on {self.device}",
                f"speed: {self.seconds_per_step:.3g} s per step, {self.batch / self.seconds_per_step:.3g} clips/s",
                f"time: about {spoken_time(self.seconds)} for the whole training",
            ]
        )


def estimate(
    preset: str | Path | TrainSettings,
    silico: str | Path,
    vivo: str | Path,
    seed: int = 0,
    *,
    device: str = "auto",
    **changes: Any,
) -> Estimate:
    """Measure what a training would take: sizes, work, memory, time. Nothing is written.

    One process is measured, on random clips of the right size; reading files is not in it.

    Parameters
    ----------
    preset, silico, vivo, seed, device, **changes : as in `train`

    Returns
    -------
    Estimate

    Raises
    ------
    InputError : a setting or a clip size that cannot work.
    FileError : a sequence cannot be read.
    """
    settings = settings_from(TrainSettings, preset, **changes)
    check_clip(settings)
    fabric = fabric_for(settings, device)
    batch, clip = settings.optimiser.batch, settings.data.clip
    passes = []
    for folder in (silico, vivo):
        files, _ = split_by_subject(sequence_files(folder), settings.data.held_out, seed)
        passes.append(len(Clips(files, clip, DomainScale(0.0, 1.0), seed)))
    steps = settings.optimiser.steps or math.ceil(settings.optimiser.epochs * min(passes) / batch)

    on_gpu = fabric.device.type == "cuda"
    with tempfile.TemporaryDirectory() as folder:
        header = Header(clip, 1.0, (1.0, 1.0), "silico", "", {})
        standards = {domain: DomainScale(0.0, 1.0) for domain in ("silico", "vivo")}
        # Counted without the gradient penalty, which the counter cannot follow and is little work.
        counted = settings_from(TrainSettings, settings, **{"loss.steepness": 0.0})
        silico_clips, vivo_clips = torch.randn((2, batch, 1, *clip), generator=torch.Generator().manual_seed(seed))
        with FlopCounterMode(display=False) as counter:
            Training(Path(folder), counted, seed, header, standards, fabric).advance(silico_clips, vivo_clips)
        training = Training(Path(folder), settings, seed, header, standards, fabric)
        training.advance(silico_clips, vivo_clips)  # the first step is slower
        seconds = []
        for _ in range(MEASURED):
            started = time.perf_counter()
            training.advance(silico_clips, vivo_clips)  # it ends by reading the losses, so the device has finished too
            seconds.append(time.perf_counter() - started)
    return Estimate(
        clip=clip,
        batch=batch,
        steps=steps,
        parameters=parameter_counts(settings),
        flops_per_sample=counter.get_total_flops() / batch,
        memory_bytes=torch.cuda.max_memory_allocated() if on_gpu else _peak_memory(),
        seconds_per_step=min(seconds),
        device=torch.cuda.get_device_name() if on_gpu else "the CPU",
    )


def _peak_memory() -> int:
    import resource  # not on Windows, where the rest works

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # kilobytes on Linux
