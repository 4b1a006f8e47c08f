"""The recordings of the benchmark: what each is made of, and how difficult it is meant to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

VERSION = "1"  # another as soon as any recording differs; scores are compared within a version only

REPEATS = 3  # recordings of each domain and difficulty, the fewest that an interval can be had from

CaseDomain = Literal["simulated", "translated", "phantom"]

GRID = {"frames": 5120, "rows": 64, "columns": 64}  # ten seconds


class Case(NamedTuple):
    """One recording.

    Attributes
    ----------
    name : of its files
    domain : simulated; simulated and translated by the bundled `house`; or of the tissue phantom, never in vivo
    difficulty : easy, medium or hard
    seed : of the recording
    settings : of `simulate` or `phantom`, where they differ from the defaults
    """

    name: str
    domain: CaseDomain
    difficulty: str
    seed: int
    settings: Mapping[str, Any]


# Few units in little noise; as in a weak contraction; many units, fast firing, strong noise, twitches that vary.
DIFFICULTIES: dict[CaseDomain, dict[str, dict[str, Any]]] = {
    "simulated": {
        "easy": {"firing": {"units": (5, 5)}, "noise": {"snr_db": 20.0}},
        "medium": {"firing": {"units": (10, 10)}, "noise": {"snr_db": 5.0}, "twitch": {"discharge_jitter": 0.1}},
        "hard": {
            "firing": {"units": (20, 20), "rate": (10.0, 18.0)},
            "noise": {"snr_db": -5.0},
            "twitch": {"discharge_jitter": 0.2, "amplitude_spread": 0.8},
        },
    },
    "translated": {
        "easy": {"firing": {"units": (4, 4)}},
        "medium": {"firing": {"units": (8, 8)}},
        "hard": {"firing": {"units": (16, 16)}, "twitch": {"discharge_jitter": 0.2}},
    },
    "phantom": {
        "easy": {"firing": {"units": (8, 8)}, "imaging": {"snr_db": (40.0, 40.0)}},
        "medium": {"firing": {"units": (16, 16)}, "imaging": {"snr_db": (25.0, 25.0)}},
        "hard": {"firing": {"units": (25, 25)}, "imaging": {"snr_db": (12.0, 12.0)}},
    },
}


def benchmark_cases() -> list[Case]:
    """All recordings of this version."""
    return [
        Case(f"{domain}-{difficulty}-{repeat + 1}", domain, difficulty, 1000 + repeat, {"grid": GRID, **settings})
        for domain, difficulties in DIFFICULTIES.items()
        for difficulty, settings in difficulties.items()
        for repeat in range(REPEATS)
    ]
