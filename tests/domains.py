"""Small domains and tiny settings that tests share, and where measured data lie if they are at hand."""

from pathlib import Path

import numpy as np

from myovivo.models.settings import TrainSettings
from myovivo.runtime.settings import settings_from
from myovivo.sequences.labels import MotorUnits
from myovivo.sequences.sequence import Sequence

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
FRAME_RATE, SPACING = 512.0, (0.001, 0.0005)

TINY = {
    "generator.features": 8,
    "generator.blocks": 1,
    "generator.temporal_stride": 1,
    "generator.noise": True,
    "generator.tanh": False,
    "discriminator.features": 8,
    "discriminator.layers": 1,
    "discriminator.temporal_stride": 1,
    "data.clip": (8, 16, 16),
    "optimiser.steps": 6,
    "optimiser.image_pool": 3,
    "optimiser.learning_rate": 0.01,
}


def tiny(**changes):
    return settings_from(TrainSettings, "paper-3d", **(TINY | changes))


def labels(frames=24, rows=16, columns=16):
    rng = np.random.default_rng(0)
    return MotorUnits(
        spike_times=(np.array([-0.1, 0.02]), np.array([0.01])),
        sync_partner=(np.array([-1, 1]), np.array([0])),
        centre=rng.random((2, 2)),
        diameter=np.array([0.003, 0.004]),
        mask=rng.random((2, rows, columns)) > 0.5,
        weight=rng.random((2, rows, columns)).astype(np.float32),
        source=rng.random((2, frames)).astype(np.float32),
    )


def sequence(origin="silico", seed=0, subject="", shape=(24, 16, 16), frame_rate=FRAME_RATE, spacing=SPACING):
    rng = np.random.default_rng((seed, origin == "silico"))
    velocity = rng.normal(2e-4, 1e-3, shape) * (1 if origin == "silico" else np.linspace(1, 9, shape[1])[:, None])
    return Sequence(
        velocity.astype(np.float32),
        frame_rate,
        spacing,
        labels=labels(*shape) if origin == "silico" else None,
        origin=origin,
        subject=subject,
        provenance={"seed": seed},
    )


def domain(folder, origin, count=6, per_subject=1, **options):
    """Write `count` sequences, `per_subject` of each subject."""
    for k in range(count):
        subject = f"{origin}{k // per_subject:02d}"
        sequence(origin, seed=k, subject=subject, **options).save(folder / f"{k:02d}.h5")
    return folder
