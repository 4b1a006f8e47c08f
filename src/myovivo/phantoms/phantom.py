"""A recording made by the phantom: motor-unit activity, rendered by a subject's tissue, imaged as IQ."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator

from ..acquisition.acquire import acquire
from ..acquisition.settings import AcquireSettings
from ..errors import InputError
from ..runtime.arrays import Floats
from ..runtime.provenance import made_by
from ..runtime.settings import check_counts, settings_from
from ..sequences.domain import good_recording, good_sequence, make_domain, sequence_name
from ..sequences.labels import MotorUnits
from ..sequences.recording import Recording
from ..sequences.sequence import Sequence
from ..simulation.firing import SpikeTrains
from ..simulation.simulate import Twitches, draw_activity, draw_twitches, label
from ..simulation.territory import Territories, draw_territories
from .background import drift, pulsation, units_beyond
from .imaging import Scanner, resize
from .patterns import Patterns, contracted, joined, strengths
from .settings import PhantomSettings
from .tissue import TissueSlice, draw_tissue, tissue_grid

_LEAST_MUSCLE = 0.01  # share of the image

PhantomSource = PhantomSettings | str | Path | Mapping[str, Any] | None


class Activity(NamedTuple):
    """What contracts: when, where and how."""

    trains: SpikeTrains
    territories: Territories
    twitches: Twitches


class Subject(NamedTuple):
    """Whose muscle: its tissue, how well the scanner sees it (dB), and whether it drifts and pulsates."""

    tissue: TissueSlice
    snr_db: float
    drifts: bool
    pulsates: bool


def phantom(
    settings: PhantomSource = None,
    *,
    seed: int = 0,
    subject: int = 0,
    run: int = 0,
    activity: Sequence | None = None,
    **changes: Any,
) -> Recording:
    """Record a contraction of the tissue phantom: a stand-in for in vivo, never to be called in vivo.

    A motor unit swells in its territory (its fibres shorten across the image); elastic,
    heterogeneous tissue answers with a displacement, and ultrasound images scatterers that follow it.

    Parameters
    ----------
    settings : `PhantomSettings`, a YAML file, a mapping, or None for the defaults
    seed, subject, run : same seed and subject, same tissue and noise level; another run, other activity
    activity : a simulated sequence whose motor units contract instead of newly drawn ones, so that
        the same activity exists both in silico and as phantom; then none contract beyond the image
    **changes : single settings by dotted name

    Returns
    -------
    Recording
        IQ frames at 2 kHz, rendered block by block when they are asked for, with ground truth:
        `labels.velocity()` is the true axial velocity in m/s at the recording's frame rate; units beyond the image,
        drift and pulsation are in its background. A contraction up to twice
        too strong for the imaging model is softened; its `provenance["softened"]` says by what.

    Raises
    ------
    InputError : a setting breaks a rule, the image shows no muscle, or `activity` has no labels or another extent.
    """
    settings = settings_from(PhantomSettings, settings, **changes)
    grid, imaging = settings.grid, settings.imaging
    who = _subject(settings, seed, subject)  # pyright: ignore[reportArgumentType]
    tissue = who.tissue
    rng = np.random.default_rng([seed, subject, run, 1])
    parts = _draw(settings, tissue, rng) if activity is None else _borrow(settings, activity)
    frames = math.ceil(grid.duration * imaging.frame_rate)

    # How the tissue moves, by the units of the image and by what else there is
    territory = parts.territories.weight * tissue.muscle[tissue.image]
    units, largest = contracted(settings, tissue, parts.trains, parts.twitches, territory, frames, rng)
    beyond = len(largest) if activity is None else 0
    background = _background(settings, who, beyond, frames, np.random.default_rng([seed, subject, run, 3]))
    softened = _softening(joined([units, background]), imaging.axial_resolution / 2)
    units, background = units.softened(softened), background.softened(softened)

    # Scatterers rest where the tissue is on average, so that the imaging model has least to move.
    everything = joined([units, background])
    moving = everything.displacement - everything.displacement.mean(1, keepdims=True)
    scanner_rng = np.random.default_rng([seed, subject, run, 2])
    scanner = Scanner(imaging, grid, tissue.echo[tissue.image], who.snr_db, scanner_rng)
    lateral = everything.lateral if imaging.lateral_motion else None
    noise_seed = int(scanner_rng.integers(2**62))
    shape = (imaging.rows, imaging.columns)
    note = {"softened": softened} if softened < 1 else {}
    return Recording(
        blocks=functools.partial(scanner.image, moving, everything.weight, noise_seed, lateral),
        shape=(frames, *shape),
        frame_rate=imaging.frame_rate,
        spacing=scanner.spacing,
        centre_frequency=imaging.centre_frequency,
        sound_speed=imaging.sound_speed,
        labels=_labels(
            parts, units, background, softened * largest, softened * strengths(settings, parts.twitches), shape
        ),
        origin="phantom",
        subject=f"phantom{subject:02d}",
        provenance=made_by("phantom", settings, seed, subject=subject, run=run, snr_db=who.snr_db, **note),
    )


def _labels(
    parts: Activity,
    units: Patterns,
    background: Patterns,
    amplitude: Floats,
    eigenstrain: Floats,
    shape: tuple[int, int],
) -> MotorUnits:
    """Ground truth on the pixels of the IQ image."""
    source = units.velocity.astype(np.float32)
    labels = label(parts.trains, parts.territories, parts.twitches, resize(units.weight, shape), source)
    as_moved = {"amplitude": amplitude, "sign": np.ones(len(amplitude)), "eigenstrain": eigenstrain}
    is_still = len(background.velocity) == 0
    return replace(
        labels,
        mask=resize(parts.territories.mask, shape) >= 0.5,
        twitch={**labels.twitch, **as_moved},
        background_weight=None if is_still else resize(background.weight, shape),
        background_source=None if is_still else background.velocity.astype(np.float32),
    )


def phantom_domain(
    out: str | Path,
    subjects: int = 8,
    runs: int = 3,
    settings: PhantomSource = None,
    *,
    acquire_settings: AcquireSettings | str | Path | Mapping[str, Any] | None = None,
    iq: bool = False,
    seed: int = 0,
    workers: int = -1,
    quiet: bool = False,
    **changes: Any,
) -> list[Path]:
    """Make a folder of phantom sequences in parallel; run again to finish what was interrupted.

    Parameters
    ----------
    out : the folder
    subjects, runs : tissue realisations, and sequences of each
    settings, **changes : as for `phantom`
    acquire_settings : how the recordings become TVI sequences, by the same chain as measured ones;
        None takes the frames, rate and size of `settings.grid`
    iq : write the IQ recordings themselves instead (about 1 GB per 2 s), for `acquire` to read
    seed : of the whole domain
    workers : processes, -1 for one per core; the bytes do not depend on it
    quiet : no progress

    Returns
    -------
    list of Path : the files

    Raises
    ------
    InputError : no subject or run is asked for, or a setting breaks a rule.
    RunFolderError : the folder holds a domain made with other settings.
    """
    check_counts(subjects=subjects, runs=runs)
    settings = settings_from(PhantomSettings, settings, **changes)
    chain = settings_from(AcquireSettings, acquire_settings or acquired_like(settings))
    makers = {}
    for subject in range(subjects):
        for run in range(runs):
            name = sequence_name(f"phantom{subject:02d}", run + 1)
            name = name.replace("_tvi", "_iq") if iq else name
            makers[name] = functools.partial(
                _phantom_to, settings=settings, chain=None if iq else chain, seed=seed, subject=subject, run=run
            )
    recipe = {
        "stage": "phantom",
        "settings": settings,
        "acquire": "iq" if iq else chain,
        "seed": seed,
    }
    good = good_recording if iq else good_sequence
    return make_domain(out, makers, recipe, good, "phantom", workers, quiet)


def acquired_like(settings: PhantomSettings) -> dict[str, Any]:
    """Acquisition settings that give sequences of the size and rate of `settings.grid`."""
    grid = settings.grid
    output = {"rows": grid.rows, "columns": grid.columns, "frame_rate": grid.frame_rate, "frames": grid.frames}
    return {"output": output}


def _phantom_to(
    path: Path, settings: PhantomSettings, chain: AcquireSettings | None, seed: int, subject: int, run: int
) -> None:
    recording = phantom(settings, seed=seed, subject=subject, run=run)
    if chain is None:
        recording.save(path)
    else:
        acquire(recording, chain, quiet=True).save(path)


def _softening(patterns: Patterns, limit: float) -> float:
    """By what to multiply a contraction so that the imaging model holds for it; 1 for nearly all.

    The model allows displacements up to a limit, in m, which of many contractions at the default strength a few pass by
    some tens of percent, when strong units fire together. Beyond twice the limit it is the settings that are wrong, and
    imaging says so.
    """
    moving = (patterns.displacement - patterns.displacement.mean(1, keepdims=True)).T.astype(np.float32)
    flat = patterns.weight.reshape(len(patterns.weight), -1).astype(np.float32)
    blocks = (moving[start : start + 256] @ flat for start in range(0, len(moving), 256))
    largest = max((float(np.abs(block).max(initial=0)) for block in blocks), default=0.0)
    return 0.99 * limit / largest if limit < largest <= 2 * limit else 1.0


@functools.lru_cache(maxsize=2)  # the runs of a subject share its tissue, and factorising it takes half a second
def _subject(settings: PhantomSettings, seed: int, subject: int) -> Subject:
    rng, contraction = np.random.default_rng([seed, subject]), settings.contraction
    tissue, snr_db = draw_tissue(settings.tissue, settings.grid, rng), float(rng.uniform(*settings.imaging.snr_db))
    drifts, pulsates = rng.uniform(size=2) < (contraction.drift_probability, contraction.pulsation_probability)
    return Subject(tissue, snr_db, bool(drifts and contraction.drift), bool(pulsates and contraction.pulsation))


def _draw(settings: PhantomSettings, tissue: TissueSlice, rng: Generator) -> Activity:
    """Draw activity; units whose centre is not in muscle are drawn again."""
    trains = draw_activity(settings.firing, settings.grid.duration, rng)
    twitches = draw_twitches(settings.twitch, len(trains.times), rng)
    cells = tissue_grid(settings.grid)
    muscle = tissue.muscle[tissue.image]
    if muscle.mean() < _LEAST_MUSCLE:
        raise InputError("the image shows next to no muscle; deepen the grid or thin tissue.fat")
    territories: list[Territories] = []
    while len(territories) < len(trains.times):
        territory = draw_territories(settings.territory, cells, 1, rng)
        row, column = (territory.centre[0] / cells.spacing).astype(int)
        if muscle[row, column]:
            territories.append(territory)
    return Activity(trains, Territories(*(np.concatenate(parts) for parts in zip(*territories, strict=True))), twitches)


def _borrow(settings: PhantomSettings, activity: Sequence) -> Activity:
    """The activity of a simulated sequence, on the cells of the tissue."""
    labels, grid = activity.labels, settings.grid
    if labels is None:
        raise InputError("activity must be a sequence with labels, got none; use one made by `simulate`")
    extent = (activity.shape[1] * activity.spacing[0], activity.shape[2] * activity.spacing[1])
    if not np.allclose(extent, (grid.depth, grid.width), rtol=1e-3):
        size = f"{grid.depth * 1e3:g} x {grid.width * 1e3:g} mm"
        got = f"{extent[0] * 1e3:g} x {extent[1] * 1e3:g} mm"
        raise InputError(f"activity must cover {size}, got {got}; set grid to match")
    cells = tissue_grid(grid)
    mask = resize(labels.mask, (cells.rows, cells.columns)) >= 0.5
    twitches = Twitches(*(np.asarray(labels.twitch[name]) for name in Twitches._fields))
    trains = SpikeTrains(labels.spike_times, labels.sync_partner, np.asarray(labels.twitch["firing_rate"]))
    return Activity(trains, Territories(labels.centre, labels.diameter, mask, mask.astype(np.float32)), twitches)


def _background(settings: PhantomSettings, who: Subject, units: int, frames: int, rng: Generator) -> Patterns:
    """Motion that no labelled unit causes; `units` are those in the image, whose like lie beyond it."""
    contraction, rate, tissue = settings.contraction, settings.imaging.frame_rate, who.tissue
    parts = [units_beyond(settings, tissue, units, frames, rng)]
    if who.drifts:
        parts.append(drift(contraction, tissue, frames, rate, rng))
    if who.pulsates:
        parts.append(pulsation(contraction, tissue, frames, rate, rng))
    return joined(parts)
