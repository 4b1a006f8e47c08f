"""Motor units out of a sequence: `identify`, and how well they agree with the true ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Series
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..runtime.arrays import Floats
from ..runtime.settings import settings_from
from ..sequences.header import open_sequence
from ..sequences.sequence import Sequence, require_sequence
from .agreement import rate_of_agreement
from .convolutive import separate
from .decoding import averaged_course, factorised, firing_times, refined
from .fitting import component_weights, fit_units
from .joint import separate_jointly
from .moving import Moving
from .repeatability import map_repeatability
from .settings import Acceptance, IdentifySettings
from .spikes import wavelet_spikes
from .units import Units


def identify(
    sequence: Sequence | str | Path,
    settings: IdentifySettings | str | Path | Mapping[str, Any] | None = None,
    **changes: Any,
) -> Units:
    """Find the motor units that move in a sequence: when each fired, and where its fibres are.

    The sequence is band-passed and reduced to a few components with independent maps. Then, by `method`:

    - `fit` (ours): firings of one twitch per unit, fitted in turns with the maps;
    - `wavelet`: spikes by a Haar wavelet in each component's course (Rohlén et al. 2020);
    - `convolutive`: blind source separation of each course, as in surface EMG (Rohlén et al. 2023);
    - `joint` (ours): blind source separation of all courses together, for sequences of five seconds and more.

    A fifth method, `network`, looks at the sequence itself: a trained network sees when units fire where, see
    `train_identifier`.

    What cannot be a motor unit is dropped: see the settings' group `accept`.

    Parameters
    ----------
    sequence : or its file, of which a long one is read bit by bit; labels are not looked at
    settings : `IdentifySettings`, a YAML file, a mapping, or None for the defaults
    **changes : single settings by dotted name, as ``identify(sequence, method="wavelet")``

    Returns
    -------
    Units : the clearest first; may be empty

    Raises
    ------
    FileError : the file is missing or no sequence.
    CheckpointError : weights that cannot be read, or were trained at another frame rate or pixel size.
    InputError : a setting that breaks a rule, a band beyond half the frame rate, or nothing that moves.
    WrongTypeError : neither a `Sequence` nor a path.

    References
    ----------
    Rohlén, Stålberg, Grönlund (2020), IEEE Access 8:50299. Rohlén et al. (2023), doi:10.1186/s12938-023-01076-0. Klotz,
    Rohlén (2025), arXiv 2502.04065.
    """
    options = settings_from(IdentifySettings, settings, **changes)
    if not isinstance(sequence, str | Path):
        return found_in(Moving(require_sequence(sequence)), options)
    with open_sequence(sequence) as source:
        return found_in(Moving(source), options)


def found_in(moving: Moving, options: IdentifySettings) -> Units:
    """`identify`, keeping in `moving` what other settings of the same sequence can use again."""
    joint = options.joint.components if options.method == "joint" else None
    components = moving.low_rank(options.band, options.components or joint)
    candidates = moving.once(_but_for_acceptance(options), lambda: _METHODS[options.method](moving, options))
    quality = candidates.quality | firing_statistics(candidates.trains)
    chosen = _accepted(candidates.trains, quality, options.accept)
    frames, *size = moving.shape
    source = np.array([candidates.courses[k] / np.abs(candidates.courses[k]).max() for k in chosen])
    source = source.reshape(-1, frames)
    weight = np.zeros((len(chosen), *size), np.float32)
    if chosen:
        weight = (component_weights(source, components.courses) @ components.maps).reshape(-1, *size).astype(np.float32)
    if candidates.masks is None:
        strength = np.abs(weight)
        mask = strength >= options.mask_level * strength.max((1, 2), keepdims=True, initial=0)
    else:
        mask = candidates.masks[chosen]
    measured = {name: values[chosen] for name, values in quality.items()}
    measured["repeatability"] = map_repeatability(source, components, moving.frame_rate)
    return Units(
        tuple(candidates.trains[k] for k in chosen),
        weight,
        source.astype(np.float32),
        mask,
        measured,
        moving.frame_rate,
        moving.spacing,
        options.method,
    )


class Candidates(NamedTuple):
    """What may be units: trains, s, courses (T,), quality, and masks (K, Z, X) where the method knows them."""

    trains: list[Floats]
    courses: list[Floats]
    quality: dict[str, Floats]
    masks: NDArray[np.bool_] | None = None


def _but_for_acceptance(options: IdentifySettings) -> str:
    return options.model_dump_json(exclude={"accept", "mask_level"})


def _by_fit(moving: Moving, options: IdentifySettings) -> Candidates:
    components, band = moving.low_rank(options.band, options.components), moving.band(options.band)
    fits = fit_units(components, band, moving.frame_rate, options.rounds, options.seed)
    quality = {
        "residual": np.array([fit.residual for fit in fits]),
        "contraction_time": np.array([fit.contraction_time for fit in fits]),
    }
    return Candidates([fit.times for fit in fits], [fit.course for fit in fits], quality)


def _by_wavelet(moving: Moving, options: IdentifySettings) -> Candidates:
    courses, rate = moving.independent_courses(options), moving.frame_rate
    wavelet = options.wavelet
    trains = [wavelet_spikes(course, rate, wavelet.scale, wavelet.threshold, wavelet.apart) for course in courses]
    return Candidates(trains, list(courses), {})


def _by_separation(moving: Moving, options: IdentifySettings) -> Candidates:
    courses, rate = moving.independent_courses(options), moving.frame_rate
    separated = [separate(course, rate, options.convolutive.extension) for course in courses]
    silhouette = np.array([one.silhouette for one in separated])
    return Candidates([one.times for one in separated], list(courses), {"silhouette": silhouette})


def _by_joint_separation(moving: Moving, options: IdentifySettings) -> Candidates:
    components = moving.low_rank(options.band, options.components or options.joint.components)
    sources = separate_jointly(
        components, moving.shape[1:], moving.spacing, moving.frame_rate, options.band, options.joint
    )
    quality = {
        "silhouette": np.array([source.silhouette for source in sources]),
        "contraction_time": np.array([source.contraction_time for source in sources]),
    }
    return Candidates([source.times for source in sources], [source.course for source in sources], quality)


def _by_network(moving: Moving, options: IdentifySettings) -> Candidates:
    from .learning import load_identifier  # torch takes seconds to load, and the other methods do without

    decoding, rate = options.decoding, moving.frame_rate
    identifier = load_identifier(str(options.network))
    frames, *cell = identifier.network.cell
    factors = moving.once(
        f"{identifier.digest} {decoding.units}",
        lambda: factorised(identifier.fields(moving.sequence)[0], decoding.units),
    )
    firings = [firing_times(train, rate / frames, decoding.height) for train in factors.trains]
    courses = moving.low_rank(options.band, options.components).courses
    maps = refined(factors.maps, (cell[0], cell[1]), moving.shape[1:])
    return Candidates(
        [times for times, _ in firings],
        [averaged_course(times, courses, rate) for times, _ in firings],
        {"chance": np.array([height for _, height in firings])},
        maps >= decoding.mask_level,
    )


_METHODS: dict[str, Callable[[Moving, IdentifySettings], Candidates]] = {
    "fit": _by_fit,
    "wavelet": _by_wavelet,
    "convolutive": _by_separation,
    "joint": _by_joint_separation,
    "network": _by_network,
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
    if "chance" in quality:
        clearness = quality["chance"]
    chosen: list[int] = []
    for k in np.argsort(-clearness, kind="stable"):
        if fine[k] and all(rate_of_agreement(np.sort(trains[k]), np.sort(trains[j])) < accept.same for j in chosen):
            chosen.append(int(k))
    return chosen
