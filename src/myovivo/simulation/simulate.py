"""The in silico muscle: a contraction as the superposition of motor-unit twitches.

    v(x, t) = sum_i s_i A_i g_i(x) sum_j a_ij h_i(t - t_ij - tau_i) + n(x, t)

Ali et al. 2022, BioMed Eng OnLine 21:46, after Rohlén et al. 2020, IEEE Access 8:50299; theirs has gains a_ij = 1, as
have the defaults.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ..errors import InputError
from ..runtime.arrays import Floats
from ..runtime.provenance import Seed, made_by
from ..runtime.settings import check_counts, settings_from
from ..sequences.domain import good_sequence, make_domain, sequence_name
from ..sequences.labels import MotorUnits, superpose
from ..sequences.sequence import Sequence
from ..signals.decimate import decimate
from .firing import SpikeTrains, draw_spike_trains
from .gain import discharge_gains
from .measured import draw_measured_trains
from .settings import Firing, Noise, SimulateSettings, Twitch
from .territory import Territories, draw_territories
from .twitch import twitch_displacement, twitch_end, twitch_velocity

_SYNTHESIS_RATE = 2048.0  # Hz, the least at which twitches are drawn before anti-aliasing

_FILTER_FRAMES = 32  # drawn beyond both ends, so that the anti-aliasing filter has no edge in the sequence


class Twitches(NamedTuple):
    """(K,) arrays: contraction and half-relaxation time and delay in s, amplitude in m, sign of motion."""

    contraction_time: Floats
    half_relaxation_time: Floats
    amplitude: Floats
    delay: Floats
    sign: Floats


def simulate(
    settings: SimulateSettings | str | Path | Mapping[str, Any] | None = None, *, seed: Seed = 0, **changes: Any
) -> Sequence:
    """Simulate the TVI sequence of an isometric contraction at 1-5 % MVC, with its ground truth.

    Parameters
    ----------
    settings : `SimulateSettings`, a YAML file, a mapping, or None for the defaults
    seed : an int or list of ints (same seed, same bytes) or a `numpy.random.Generator`
    **changes : single settings by dotted name, as ``simulate(**{"grid.frames": 512})``

    Returns
    -------
    Sequence
        (T, Z, X) velocity in m/s with labels: spike times, territories, twitches, noise-free sources.
        In the simplified model the velocity is in pulses (dimensionless), as in the paper.

    Raises
    ------
    InputError : a setting breaks a rule, or the frame rate is too low for the twitches.
    FileError : the file of measured spike trains cannot be read.
    """
    settings = settings_from(SimulateSettings, settings, **changes)
    rng = np.random.default_rng(seed)
    grid = settings.grid
    trains = draw_activity(settings.firing, grid.duration, rng)
    if settings.model == "simplified":
        labels, velocity = _simplified(settings, trains, rng)
    else:
        territories = draw_territories(settings.territory, grid, len(trains.times), rng)
        twitches = draw_twitches(settings.twitch, len(trains.times), rng)
        gains = discharge_gains(trains, settings.twitch, rng)
        source = twitch_sources(trains, twitches, grid.frames, grid.frame_rate, gains)
        labels = label(trains, territories, twitches, territories.weight, source)
        velocity = superpose(source, territories.weight)
        if settings.noise.snr_db is not None:
            add_noise(velocity, settings.noise, grid.frame_rate, rng)
    name = "" if isinstance(seed, Generator) else "x".join(str(part) for part in np.ravel(seed))
    return Sequence(
        velocity,
        grid.frame_rate,
        grid.spacing,
        labels=labels,
        origin="silico",
        subject=f"silico{name}",
        provenance=made_by("simulate", settings, seed),
    )


def simulate_domain(
    out: str | Path,
    sequences: int = 16,
    settings: SimulateSettings | str | Path | Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    workers: int = -1,
    quiet: bool = False,
    **changes: Any,
) -> list[Path]:
    """Simulate a folder of sequences in parallel; run again to finish what was interrupted.

    Parameters
    ----------
    out : the folder; one HDF5 file per sequence, each its own subject
    sequences : how many
    settings, **changes : as for `simulate`
    seed : of the whole domain; sequence i is ``simulate(settings, seed=[seed, i])``
    workers : processes, -1 for one per core; the bytes do not depend on it
    quiet : no progress

    Returns
    -------
    list of Path : the files

    Raises
    ------
    InputError : no sequence is asked for, or a setting breaks a rule.
    RunFolderError : the folder holds a domain made with other settings.
    """
    check_counts(sequences=sequences)
    settings = settings_from(SimulateSettings, settings, **changes)
    makers = {
        sequence_name(f"silico{index:04d}"): functools.partial(_simulate_to, settings=settings, seed=seed, index=index)
        for index in range(sequences)
    }
    recipe = {"stage": "simulate", "settings": settings, "seed": seed}
    return make_domain(out, makers, recipe, good_sequence, "simulate", workers, quiet)


def _simulate_to(path: Path, settings: SimulateSettings, seed: int, index: int) -> None:
    simulate(settings, seed=[seed, index]).replace(subject=f"silico{index:04d}").save(path)


def draw_activity(firing: Firing, duration: float, rng: Generator) -> SpikeTrains:
    """Spike trains from the model, or from the file that `firing.measured` names."""
    if firing.measured is not None:
        return draw_measured_trains(firing.measured, firing, duration, rng)
    return draw_spike_trains(firing, duration, rng)


def draw_twitches(twitch: Twitch, units: int, rng: Generator) -> Twitches:
    """Twitch parameters of `units` motor units."""
    contraction = rng.uniform(*twitch.contraction_time, units)
    return Twitches(
        contraction_time=contraction,
        half_relaxation_time=contraction * rng.uniform(*twitch.half_relaxation_ratio, units),
        amplitude=twitch.amplitude * np.exp(twitch.amplitude_spread * rng.standard_normal(units)),
        delay=np.full(units, twitch.delay),
        sign=rng.choice([-1.0, 1.0], units) if twitch.random_sign else np.ones(units),
    )


def twitch_sources(
    trains: SpikeTrains,
    twitches: Twitches,
    frames: int,
    frame_rate: float,
    gains: tuple[Floats, ...],
    displacement: bool = False,
) -> NDArray[np.float32]:
    """Time course of each unit: its twitches summed over its firings, each with its gain (`discharge_gains`).

    Twitches are evaluated at the exact firing times at 2048 Hz or more, then low-pass filtered and
    decimated, so that no energy folds back.

    Returns
    -------
    (K, frames) float32, m/s, or m with `displacement`; positive is `twitches.sign`

    Raises
    ------
    InputError : the frame rate is under 20 Hz, too low for any twitch.
    """
    if frame_rate < 20:
        raise InputError(f"grid.frame_rate must be at least 20 Hz to follow a twitch, got {frame_rate} Hz")
    waveform = twitch_displacement if displacement else twitch_velocity
    factor = math.ceil(_SYNTHESIS_RATE / frame_rate)
    rate = factor * frame_rate
    margin = _FILTER_FRAMES / frame_rate
    samples = (frames + 2 * _FILTER_FRAMES) * factor
    source = np.zeros((len(trains.times), samples))
    for k, times in enumerate(trains.times):
        contraction, half = twitches.contraction_time[k], twitches.half_relaxation_time[k]
        onset = times + twitches.delay[k] + margin
        length = math.ceil(twitch_end(contraction, half) * rate) + 1
        first = np.ceil(onset * rate).astype(int)
        index = first[:, None] + np.arange(length)  # (firings, length)
        values = gains[k][:, None] * waveform(index / rate - onset[:, None], contraction, half)
        inside = (index >= 0) & (index < samples)
        np.add.at(source[k], index[inside], values[inside])
    decimated = decimate(source, factor)[:, _FILTER_FRAMES : _FILTER_FRAMES + frames]
    return (decimated * (twitches.sign * twitches.amplitude)[:, None]).astype(np.float32)


def label(
    trains: SpikeTrains, territories: Territories, twitches: Twitches, weight: NDArray[Any], source: NDArray[Any]
) -> MotorUnits:
    """Ground truth of a sequence from the parts it was made of."""
    return MotorUnits(
        spike_times=trains.times,
        sync_partner=trains.partner,
        centre=territories.centre,
        diameter=territories.diameter,
        mask=territories.mask,
        weight=weight,
        source=source,
        twitch=twitches._asdict() | {"firing_rate": trains.rate},
    )


def add_noise(velocity: NDArray[np.float32], noise: Noise, frame_rate: float, rng: Generator) -> None:
    """Add, in place, Gaussian noise limited to `noise.band` at `noise.snr_db` of the whole sequence.

    Raises
    ------
    InputError : the band does not lie under half the frame rate.
    """
    from scipy.fft import irfft, rfft, rfftfreq  # scipy takes longer to load than a sequence to simulate

    low, high = noise.band
    if high >= frame_rate / 2:
        raise InputError(f"noise.band must end under half the frame rate, {frame_rate / 2:g} Hz, got {high:g} Hz")
    frequency = rfftfreq(len(velocity), 1 / frame_rate)
    passed = ((frequency >= low) & (frequency <= high)).astype(np.float32)
    rows = velocity.shape[1]
    signal_power = float(np.mean(np.square(velocity, dtype=np.float64)))
    # White noise of SD 1 keeps the share of its power that the band keeps of the spectrum.
    kept = (2 * passed.sum() - passed[0]) / len(velocity)
    scale = np.float32(np.sqrt(signal_power * 10 ** (-(noise.snr_db or 0) / 10) / kept))
    for row in range(rows):  # a row at a time: the noise of a whole sequence twice over would be large
        white = rng.standard_normal(velocity[:, row].shape, np.float32)
        velocity[:, row] += scale * irfft(rfft(white, axis=0) * passed[:, None], len(velocity), axis=0)  # type: ignore[operator]


def _simplified(
    settings: SimulateSettings, trains: SpikeTrains, rng: Generator
) -> tuple[MotorUnits, NDArray[np.float32]]:
    """The paper's simplified simulation: a pixel per unit, a pulse per firing, white noise, 3-D low-pass."""
    from scipy.ndimage import gaussian_filter1d

    grid, simplified = settings.grid, settings.simplified
    units = len(trains.times)
    row, column = rng.integers(grid.rows, size=units), rng.integers(grid.columns, size=units)
    dz, dx = grid.spacing
    mask = np.zeros((units, grid.rows, grid.columns), bool)
    mask[np.arange(units), row, column] = True
    territories = Territories(
        centre=np.stack([(row + 0.5) * dz, (column + 0.5) * dx], 1),
        diameter=np.full(units, 2 * np.sqrt(dz * dx / np.pi)),
        mask=mask,
        weight=mask.astype(np.float32),
    )
    pulses = np.zeros((units, grid.frames), np.float32)
    for k, times in enumerate(trains.times):
        frame = np.rint(times * grid.frame_rate).astype(int)
        pulses[k, frame[(frame >= 0) & (frame < grid.frames)]] = 1
    velocity = superpose(pulses, territories.weight)
    velocity += simplified.noise * rng.standard_normal(velocity.shape, np.float32)
    # Filtered parts keep "velocity = sum of weight x source" true, as the low-pass is separable.
    sigma = (simplified.sigma_time * grid.frame_rate, simplified.sigma_space / dz, simplified.sigma_space / dx)
    for axis, width in enumerate(sigma):
        velocity = gaussian_filter1d(velocity, width, axis=axis)
    weight = gaussian_filter1d(gaussian_filter1d(territories.weight, sigma[1], axis=1), sigma[2], axis=2)
    source = gaussian_filter1d(pulses, sigma[0], axis=1)
    nothing = np.full(units, np.nan)
    twitches = Twitches(nothing, nothing, np.ones(units), np.zeros(units), np.ones(units))
    return label(trains, territories, twitches, weight, source), np.asarray(velocity, np.float32)
