"""What a translation needs of a training, in one file; those that come with the package, too."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import ValidationError
from torch import Tensor

from ..errors import CheckpointError
from ..models.settings import TrainSettings
from ..runtime.recipe import digest
from ..runtime.settings import explain
from ..runtime.tensors import read_tensors, write_tensors
from ..runtime.words import did_you_mean
from ..sequences.scale import DomainScale
from ..sequences.traits import DomainBand, DomainTraits
from ..version import __version__

WEIGHTS = "weights.safetensors"  # in a run folder

_SMALL = 256  # sizes of a network that nobody need look at

BUNDLED = Path(__file__).parents[1] / "weights"  # trained networks that come with the package, each with its card


class Weights(NamedTuple):
    """What a translation needs: see `load_weights`."""

    settings: TrainSettings
    standards: dict[str, DomainScale]
    frame_rate: float
    spacing: tuple[float, float]
    step: int
    seed: int
    tensors: dict[str, Tensor]
    path: Path
    digest: str  # SHA-256 of the file: what tells one set of weights from another
    traits: Mapping[str, DomainTraits] = MappingProxyType({})  # of the domains trained on; none in older files

    def facts(self) -> dict[str, str]:
        """What a translator with these weights reads, gives and comes from, in words."""
        dz, dx = (1e3 * step for step in self.spacing)
        rows = f"{self.settings.data.clip[1]} rows" if self.settings.knows_depth else "any number of rows"
        scales = ", ".join(f"{name} SD {1e3 * scale.std:.4g} mm/s" for name, scale in self.standards.items())
        facts = {
            "reads": f"{self.frame_rate:.6g} Hz, pixels of {dz:.4g} x {dx:.4g} mm, {rows}",
            "scales": f"{scales}; velocity in m/s",
            "trained": f"{self.settings.method}, {self.step} steps, seed {self.seed}",
            "weights": f"{self.path.name} in {self.path.parent.name or '.'}, SHA-256 {self.digest[:12] or 'unknown'}",
        }
        bands = [
            f"{name} {trait.band.low:g}-{trait.band.high:g} Hz" for name, trait in self.traits.items() if trait.band
        ]
        return facts | ({"bands": ", ".join(bands)} if bands else {})

    def band_towards(self, domain: str) -> DomainBand | None:
        """What a translation into a domain is band-passed to: as its recordings are, if the method does that."""
        trait = self.traits.get(domain) if self.settings.bands_output else None
        return trait.band if trait else None


def write_weights(path: str | Path, weights: Weights) -> None:
    """Write what `load_weights` reads, whole or not at all.

    Raises
    ------
    FileError : the disk is full or the folder cannot be written.
    """
    about = {
        "settings": weights.settings.model_dump(mode="json"),
        "seed": weights.seed,
        "step": weights.step,
        "standardisation": {name: scale.pair for name, scale in weights.standards.items()},
        "frame_rate": weights.frame_rate,
        "spacing": weights.spacing,
        "traits": {name: trait._asdict() for name, trait in weights.traits.items()},
        "version": __version__,
    }
    write_tensors(path, "weights", weights.tensors, about)


def load_weights(run: str | Path) -> Weights:
    """Read `weights.safetensors` of a run folder, the file itself, or weights that come with the package.

    Parameters
    ----------
    run : a folder, a file, or "house" (see `BUNDLED`) where no folder has that name

    Raises
    ------
    CheckpointError : missing, damaged, not from myovivo, or incomplete.
    """
    path = _weights_file(run)
    if not Path(run).exists() and path.parent != BUNDLED:
        raise CheckpointError(run, f"does not exist; give a run folder, a weights file or {_bundled(str(run))}")
    tensors, note = read_tensors(path, "weights")
    try:
        settings = TrainSettings.model_validate(note["settings"])
        rate, dz, dx = map(float, (note["frame_rate"], *note["spacing"]))
        if not all(0 < value < math.inf for value in (rate, dz, dx)):
            raise ValueError(f"{rate:g} Hz, pixels of {dz:g} x {dx:g} m")
        _require_room(settings, tensors)
        return Weights(
            settings=settings,
            standards={domain: _scale(note["standardisation"][domain]) for domain in ("silico", "vivo")},
            frame_rate=rate,
            spacing=(dz, dx),
            step=int(note["step"]),
            seed=int(note["seed"]),
            tensors=tensors,
            path=path,
            digest=digest(path),
            traits={name: DomainTraits.read(stored) for name, stored in note.get("traits", {}).items()},
        )
    except ValidationError as error:
        raise CheckpointError(path, f"has settings this version does not know: {explain(error)}; train again") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise CheckpointError(
            path, f"is incomplete ({type(error).__name__}: {error}); restore it or train again"
        ) from None


def _require_room(settings: TrainSettings, tensors: Mapping[str, Tensor]) -> None:
    """Refuse numbers of channels or layers that the tensors cannot be of, before such a network is laid out."""
    most = max([len(tensors), *(size for tensor in tensors.values() for size in tensor.shape)])
    for name in ("features", "blocks", "filter", "window", "subject"):
        if (number := getattr(settings.generator, name, 0)) > max(most, _SMALL):
            raise ValueError(f"{name} {number} of tensors no longer than {most}")


def _scale(pair: Any) -> DomainScale:
    mean, std = map(float, pair)
    if not (math.isfinite(mean) and 0 < std < math.inf):
        raise ValueError(f"mean {mean:g} and SD {std:g}")
    return DomainScale(mean, std, "training run")


def _bundled(name: str) -> str:
    """The names of the weights that come with the package, the nearest to `name` picked out."""
    names = sorted(path.stem for path in BUNDLED.glob("*.safetensors"))
    return f"bundled weights ({', '.join(names)}){did_you_mean(name, names)}"


def _weights_file(run: str | Path) -> Path:
    path = Path(run)
    if path.is_file():
        return path
    bundled = BUNDLED / f"{run}.safetensors"
    return bundled if not path.exists() and bundled.is_file() else path / WEIGHTS
