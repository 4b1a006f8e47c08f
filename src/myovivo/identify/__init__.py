"""Motor units out of a sequence: `identify`, and how well they agree with the true ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Series
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._callable import make_callable
from ..config import Acceptance, IdentifySettings, settings_from
from ..errors import InputError
from ..sequence import Sequence
from .agreement import Agreement, Match, compare_units, rate_of_agreement
from .convolutive import separate
from .decompose import Band, LowRank, independent_courses, low_rank
from .fitting import component_weights, fit_units
from .spikes import wavelet_spikes
from .units import Units

__all__ = ["Agreement", "Match", "Units", "compare_units", "identify", "rate_of_agreement"]

Floats = NDArray[Any]

ROWS_AT_ONCE = 8  # filtered together, to bound memory


def identify(
    sequence: Sequence | str | Path,
    settings: IdentifySettings | str | Path | Mapping[str, Any] | None = None,
    **changes: Any,
) -> Units:
    """Find the motor units that move in a sequence: when each fired, and where its fibres are.

    The sequence is band-passed and reduced to a few components with independent maps. Then, by `method`:

    - `fit` (ours): firings of one twitch per unit, fitted in turns with the maps;
    - `wavelet`: spikes by a Haar wavelet in each component's course (Rohlén et al. 2020);
    - `convolutive`: blind source separation of each course, as in surface EMG (Rohlén et al. 2023).

    What cannot be a motor unit is dropped: see the settings' group `accept`.

    Parameters
    ----------
    sequence : or its file; labels are not looked at
    settings : `IdentifySettings`, a YAML file, a mapping, or None for the defaults
    **changes : single settings by dotted name, as ``identify(sequence, method="wavelet")``

    Returns
    -------
    Units : the clearest first; may be empty

    Raises
    ------
    FileError : the file is missing or no sequence.
    InputError : a setting that breaks a rule, a band beyond half the frame rate, or nothing that moves.

    References
    ----------
    Rohlén, Stålberg, Grönlund (2020), IEEE Access 8:50299. Rohlén et al. (2023), doi:10.1186/s12938-023-01076-0.
    """
    options = settings_from(IdentifySettings, settings, **changes)
    sequence = sequence if isinstance(sequence, Sequence) else Sequence.load(sequence, labels=False)
    band = Band(options.band, len(sequence.velocity), sequence.frame_rate)
    if not np.ptp(sequence.velocity, axis=0).any():
        raise InputError("nothing moves in the sequence, so there are no motor units to find")
    found = low_rank(_filtered(sequence.velocity, band), options.components)
    trains, sources, quality = _METHODS[options.method](found, band, sequence.frame_rate, options)
    quality |= firing_statistics(trains)
    chosen = _accepted(trains, quality, options.accept)
    frames, *size = sequence.velocity.shape
    source = np.array([sources[k] / np.abs(sources[k]).max() for k in chosen]).reshape(-1, frames)
    weight = np.zeros((len(chosen), *size), np.float32)
    if chosen:
        weight = (component_weights(source, found.courses) @ found.maps).reshape(-1, *size).astype(np.float32)
    strength = np.abs(weight)
    return Units(
        tuple(trains[k] for k in chosen),
        weight,
        source.astype(np.float32),
        strength >= options.mask_level * strength.max((1, 2), keepdims=True, initial=0),
        {name: values[chosen] for name, values in quality.items()},
        sequence.frame_rate,
        sequence.spacing,
        options.method,
    )


Found = tuple[list[Floats], list[Floats], dict[str, Floats]]  # trains, courses, quality


def _by_fit(found: LowRank, band: Band, frame_rate: float, options: IdentifySettings) -> Found:
    fits = fit_units(found, band, frame_rate, options.rounds, options.seed)
    quality = {
        "residual": np.array([fit.residual for fit in fits]),
        "contraction_time": np.array([fit.contraction_time for fit in fits]),
    }
    return [fit.times for fit in fits], [fit.course for fit in fits], quality


def _by_wavelet(found: LowRank, band: Band, frame_rate: float, options: IdentifySettings) -> Found:
    courses = independent_courses(found, options.seed)
    wavelet = options.wavelet
    trains = [wavelet_spikes(course, frame_rate, wavelet.scale, wavelet.threshold, wavelet.apart) for course in courses]
    return trains, list(courses), {}


def _by_separation(found: LowRank, band: Band, frame_rate: float, options: IdentifySettings) -> Found:
    courses = independent_courses(found, options.seed)
    separated = [separate(course, frame_rate, options.convolutive.extension) for course in courses]
    silhouette = np.array([one.silhouette for one in separated])
    return [one.times for one in separated], list(courses), {"silhouette": silhouette}


_METHODS: dict[str, Callable[[LowRank, Band, float, IdentifySettings], Found]] = {
    "fit": _by_fit,
    "wavelet": _by_wavelet,
    "convolutive": _by_separation,
}


def firing_statistics(trains: Series[Floats]) -> dict[str, Floats]:
    """Firing rate, Hz, and coefficient of variation of the inter-pulse intervals, of each train; NaN if too short."""
    rate, variation = np.full(len(trains), np.nan), np.full(len(trains), np.nan)
    for k, train in enumerate(trains):
        intervals = np.diff(np.sort(train))
        if len(intervals) >= 2:
            rate[k], variation[k] = 1 / intervals.mean(), intervals.std() / intervals.mean()
    return {"firing_rate": rate, "ipi_cv": variation}


def _accepted(trains: list[Floats], quality: Mapping[str, Floats], accept: Acceptance) -> list[int]:
    """The units that can be units, the clearest first, each once."""
    rate, variation = quality["firing_rate"], quality["ipi_cv"]
    fine = (rate >= accept.rate[0]) & (rate <= accept.rate[1]) & (variation <= accept.ipi_cv)
    clearness = -quality.get("residual", variation)
    if "residual" in quality:
        fine &= quality["residual"] <= accept.residual
    if "silhouette" in quality:
        fine &= quality["silhouette"] >= accept.silhouette
        clearness = quality["silhouette"]
    chosen: list[int] = []
    for k in np.argsort(-clearness, kind="stable"):
        if fine[k] and all(rate_of_agreement(np.sort(trains[k]), np.sort(trains[j])) < accept.same for j in chosen):
            chosen.append(int(k))
    return chosen


def _filtered(velocity: NDArray[np.float32], band: Band) -> NDArray[np.float32]:
    result = np.empty_like(velocity)
    for low in range(0, velocity.shape[1], ROWS_AT_ONCE):
        result[:, low : low + ROWS_AT_ONCE] = band(velocity[:, low : low + ROWS_AT_ONCE])
    return result


make_callable(__name__, identify)
