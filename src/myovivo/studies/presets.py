"""The two studies that come with the package, as a table; `small` fits two CPU cores and an hour, `paper` a GPU.

In `small` the networks of the paper have a quarter of their channels, and every model gets about the same time of a
core, as in `benchmarks/family.py`: too little for the networks of the paper to learn much, which the page says.
"""

from __future__ import annotations

from typing import Any

_QUARTER = {"discriminator.features": 16}

_SMALL = {"optimiser.checkpoint_minutes": 1}

# Pixels are twice as large as those of the preset: a cell of 1.25 mm, a window of 2 mm.
_HOUSE = {"local.cell": 2, "local.window": 3, "data.clip": (64, 64, 64)}

_FAMILY = ("paper-2d", "paper-recycle", "paper-3d", "paper-3d-stride1", "paper-3d-noise", "house")

STUDY_PRESETS: dict[str, dict[str, Any]] = {
    "small": {
        "grid": {"frames": 512, "rows": 64, "columns": 64},
        "silico": {"sequences": 64},
        "vivo": {"subjects": 32, "runs": 2},
        "models": {
            "paper-2d": {
                **_SMALL, **_QUARTER, "generator.features": 16, "data.clip": (1, 64, 64), "optimiser.steps": 3000,
            },
            "paper-recycle": {
                **_SMALL, **_QUARTER, "generator.features": 16, "data.clip": (3, 64, 64), "optimiser.steps": 1250,
            },
            "paper-3d": {
                **_SMALL, **_QUARTER, "generator.features": 8, "data.clip": (32, 64, 64), "optimiser.steps": 65,
            },
            "paper-3d-stride1": {
                **_SMALL, **_QUARTER, "generator.features": 8, "data.clip": (32, 64, 64), "optimiser.steps": 58,
            },
            "paper-3d-noise": {
                **_SMALL, **_QUARTER, "generator.features": 8, "data.clip": (32, 64, 64), "optimiser.steps": 58,
            },
            "house": {**_SMALL, **_HOUSE, "optimiser.steps": 600},
        },
        "experiments": {
            "simplified": "house",
            "slow": "house",
            "slow_settings": {"data.clip": (32, 64, 64)},
            "two_sample": ("house",),
            "identification": "house",
        },
    },
    "paper": {
        # The paper trains on 128 simulated sequences and tests on 64; 56 and 8 recorded ones.
        "silico": {"sequences": 192},
        "vivo": {"subjects": 32, "runs": 2},
        "models": {name: {} for name in _FAMILY},
        "experiments": {
            "simplified": "paper-3d-noise",
            "slow": "paper-3d-noise",
            "two_sample": _FAMILY,
            "identification": "house",
        },
    },
}  # fmt: skip
