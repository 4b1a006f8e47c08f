"""Commands that train a translator, and use it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import CliPositionalArg

from ..models.presets import TRAIN_PRESETS
from ..models.settings import TrainSettings
from ..runtime.settings import Count, settings_from
from .domains import print_made
from .options import Command, Device, Flag, Quiet, SeedNumber

Way = Literal["silico_to_vivo", "vivo_to_silico"]


class Train(Quiet):
    """Train a translator between two unpaired folders of sequences."""

    ARGUMENTS = "PRESET --silico DIR --vivo DIR --out DIR [options]"
    EXAMPLES = (
        "myovivo train paper-3d-noise --silico silico --vivo vivo --out run --optimiser.batch 4",
        "myovivo train house --silico silico --vivo vivo --out run --dry-run",
    )
    ESSENTIAL = ("seed", "device", "dry-run", "print-settings", "data.clip", "optimiser.batch", "optimiser.epochs")
    ESSENTIAL += ("optimiser.steps", "validation.every")
    SETTINGS = TrainSettings
    preset: CliPositionalArg[str] = Field(
        examples=list(TRAIN_PRESETS), description=f"one of {', '.join(TRAIN_PRESETS)}; or a YAML file of settings"
    )
    silico: Path = Field(title="DIR", description="folder of simulated sequences")
    vivo: Path = Field(title="DIR", description="folder of recorded sequences")
    out: Path = Field(title="DIR", description="folder of the run; the same command again resumes it")
    seed: SeedNumber = Field(default=0, title="N", description="of split, weights, order and noise")
    device: Device = Field(default="auto", description="auto, cpu or cuda")
    devices: Count = Field(default=1, title="N", description="processes on this node, one per device")
    nodes: Count = Field(default=1, title="M", description="nodes, under SLURM or torchrun")
    compile: Flag = Field(default=False, description="torch.compile the networks")
    tensorboard: Flag = Field(default=False, description="write the losses for TensorBoard too")
    dry_run: Flag = Field(default=False, description="say what it would take, from three steps, and stop")
    print_settings: Flag = Field(default=False, description="print the settings as YAML and stop")

    def settings(self) -> TrainSettings:
        """The preset with the changes."""
        return settings_from(TrainSettings, self.preset, **self.changes)

    def call(self) -> None:
        """Train, or say what it would take."""
        self.settings()  # a mistake in them is said before torch is loaded
        if self.dry_run:
            from ..training.estimate import estimate

            print(estimate(self.preset, self.silico, self.vivo, self.seed, device=self.device, **self.changes))
            return
        from ..training.train import train

        folder = train(
            self.preset,
            self.silico,
            self.vivo,
            self.out,
            self.seed,
            device=self.device,
            devices=self.devices,
            nodes=self.nodes,
            compile=self.compile,
            tensorboard=self.tensorboard,
            quiet=self.quiet,
            **self.changes,
        )
        print(f"trained: {folder}; next: myovivo translate {folder} OUT")


class Translate(Quiet):
    """Translate sequences with a trained run; labels travel along."""

    ARGUMENTS = "RUN OUT [options]"
    EXAMPLES = (
        "myovivo translate run translated --source silico --seed 1",
        "myovivo translate house translated --source silico --band 5 50",
    )
    ESSENTIAL = ("source", "direction", "seed", "frames-at-once", "band", "device", "quiet")
    run: CliPositionalArg[Path] = Field(
        examples=["house"], description="folder of a training run, or bundled weights: house"
    )
    out: CliPositionalArg[Path] = Field(description="folder for the translated sequences")
    source: Path | None = Field(
        default=None, title="DIR", description="sequences to translate; the run's held-out ones if not given"
    )
    direction: Way = Field(default="silico_to_vivo", title="WAY", description="or vivo_to_silico")
    seed: SeedNumber = Field(default=0, title="N", description="of the noise inputs")
    frames_at_once: Count | None = Field(default=None, title="N", description="translate in windows of N frames")
    band: tuple[float, float] | None = Field(
        default=None, title="LOW HIGH", description="band-pass the result, Hz: 5 50; house does as its recordings were"
    )
    device: Device = Field(default="auto", description="auto, cpu or cuda")

    def call(self) -> None:
        """Translate a domain."""
        from ..translation.translate import translate_domain

        files = translate_domain(
            self.run,
            self.source,
            self.out,
            self.seed,
            direction=self.direction,
            frames_at_once=self.frames_at_once,
            band=self.band,
            device=self.device,
            quiet=self.quiet,
        )
        print_made(files, self.out)


class Export(Command):
    """Write a translator as ONNX, with free length and the noise as an input."""

    ARGUMENTS = "RUN OUT [options]"
    EXAMPLES = ("myovivo export run translator.onnx",)
    ESSENTIAL = ("direction", "size")
    run: CliPositionalArg[Path] = Field(
        examples=["house"], description="folder of a training run, or bundled weights: house"
    )
    out: CliPositionalArg[Path] = Field(description="the file to write")
    direction: Way = Field(default="silico_to_vivo", title="WAY", description="or vivo_to_silico")
    size: tuple[int, int] | None = Field(
        default=None, title="ROWS COLUMNS", description="those of training if not given"
    )

    def call(self) -> None:
        """Export."""
        from ..translation.export import export

        print(f"exported: {export(self.run, self.out, self.direction, self.size)}")
