"""What each training preset changes. Read a column down: each row of the paper's family adds one modification."""

from __future__ import annotations

from typing import Any

# Modification 2: "stride 1 in every layer", of the discriminators too; see docs/explanation/models.
STRIDE_1 = {
    "generator.temporal_stride": 1,
    "discriminator.temporal_stride": 1,
    "discriminator.temporal_stride_first": 1,
}

TRAIN_PRESETS: dict[str, dict[str, Any]] = {
    # Modification 4, the identity loss, is of the three-dimensional models.
    "paper-2d": {
        "generator.dimensions": 2,
        "generator.features": 64,
        "loss.identity_silico": 0.0,
        "loss.identity_vivo": 0.0,
        "data.clip": (1, 128, 128),
    },
    "paper-recycle": {
        "method": "recycle",
        "generator.dimensions": 2,
        "generator.features": 64,
        "loss.identity_silico": 0.0,
        "loss.identity_vivo": 0.0,
        "data.clip": (3, 128, 128),
    },
    "paper-3d": {},
    "paper-3d-stride1": STRIDE_1,
    "paper-3d-noise": {**STRIDE_1, "generator.noise": True},
    # Ours: see docs/explanation/house.
    "house": {
        "method": "one-sided",
        "local.layers": 3,
        "discriminator.features": 16,
        "discriminator.norm": "group",
        "discriminator.activation": "silu",
        "discriminator.pointwise": True,
        "discriminator.compressed": True,
        "discriminator.variance_map": True,
        "loss.gan_form": "relativistic",
        "loss.steepness": 0.1,
        "loss.content": 2.0,
        "loss.content_enough": 0.97,
        "loss.diversity": 1.5,
        "data.clip": (64, 128, 64),
        "optimiser.learning_rate": 3e-4,
        "optimiser.betas": (0.5, 0.95),
        "optimiser.batch": 1,
        "optimiser.steps": 2500,
        "optimiser.image_pool": 0,
        "optimiser.average": 0.995,
    },
}
