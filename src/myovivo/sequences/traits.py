"""What the sequences of a domain are like: how strong, of how many units, in which pass band."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .header import Header, open_sequence
from .scale import DomainScale, PooledMoments, file_moments, pooled_scale

WIDER = 1.5  # times the strongest, or the weakest over it: beyond that, a sequence is unlike those of a domain


class DomainBand(NamedTuple):
    """The pass band of recordings, low to high, Hz, and the order of the Butterworth filter that made it."""

    low: float
    high: float
    order: int


class DomainTraits(NamedTuple):
    """What the sequences of a domain are like.

    Attributes
    ----------
    amplitude : the least and the greatest SD of a sequence, m/s
    units : the least and the greatest number of labelled motor units, or None if not all have labels
    band : what they were band-passed to when they were acquired, or None if not all were
    """

    amplitude: tuple[float, float]
    units: tuple[int, int] | None
    band: DomainBand | None

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> DomainTraits:
        """From what JSON made of `_asdict()`.

        Raises
        ------
        KeyError, TypeError, ValueError : something else.
        """
        low, high = map(float, stored["amplitude"])
        units, band = stored["units"], stored["band"]
        return cls(
            (low, high),
            None if units is None else (int(units[0]), int(units[1])),
            None if band is None else DomainBand(float(band[0]), float(band[1]), int(band[2])),
        )

    def strangeness(self, amplitude: float, units: int | None, band: DomainBand | None) -> list[str]:
        """In which ways a sequence is unlike all of these, in words; empty if in none.

        Parameters
        ----------
        amplitude : SD, m/s
        units : labelled, or None if nobody knows
        band : that it was band-passed to
        """
        unlike = []
        low, high = self.amplitude
        if not low / WIDER <= amplitude <= high * WIDER:
            unlike.append(f"an SD of {1e3 * amplitude:.3g} mm/s (they had {1e3 * low:.3g} to {1e3 * high:.3g})")
        if units is not None and self.units is not None and not self.units[0] <= units <= self.units[1]:
            unlike.append(f"{units} motor units (they had {self.units[0]} to {self.units[1]})")
        if band != self.band:
            unlike.append(f"the pass band {_spoken(band)} (they had {_spoken(self.band)})")
        return unlike


def band_of(provenance: Mapping[str, Any]) -> DomainBand | None:
    """The pass band that a sequence was acquired with, also if it was cropped or resampled since; None if with none."""
    note: Any = provenance
    while isinstance(note, Mapping):
        if note.get("stage") == "acquire":
            try:
                conditioning = note["settings"]["conditioning"]
                low, high = map(float, conditioning["band"])
                return DomainBand(low, high, int(conditioning["order"]))
            except (KeyError, TypeError, ValueError):
                return None
        note = note.get("source") if note.get("stage") in ("crop", "resample") else None
    return None


def measured_domain(files: Iterable[str | Path]) -> tuple[DomainScale, DomainTraits]:
    """The scale and the traits of a domain, in one pass over its files.

    A domain has a band if every file has one: from the lowest to the highest frequency that any of them passes.

    Raises
    ------
    InputError : no file was given, or the velocity is the same everywhere.
    FileError : a file cannot be read.
    """
    moments: list[PooledMoments] = []
    units: list[int | None] = []
    bands: list[DomainBand | None] = []
    for path in files:
        moments.append(file_moments(path))
        with open_sequence(path) as sequence:
            units.append(sequence.units())
            bands.append(band_of(sequence.header.provenance))
    scale = pooled_scale(moments)
    amplitudes = [each.std for each in moments]
    counted = [count for count in units if count is not None]
    passed = [band for band in bands if band is not None]
    return scale, DomainTraits(
        (min(amplitudes), max(amplitudes)),
        (min(counted), max(counted)) if len(counted) == len(units) else None,
        _hull(passed) if len(passed) == len(bands) else None,
    )


class Watched:
    """What a sequence turns out to be like while its frames pass by in order; those seen already are skipped.

    Parameters
    ----------
    header : of the sequence
    units : labelled motor units, or None
    """

    def __init__(self, header: Header, units: int | None):
        self.band, self.units = band_of(header.provenance), units
        self._moments, self._seen = PooledMoments(0, 0.0, 0.0), 0

    def watch(self, low: int, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same frames, number `low` and following."""
        fresh = frames[max(self._seen - low, 0) :]
        if len(fresh):
            self._moments = self._moments.with_values(fresh)
            self._seen = low + len(frames)
        return frames

    def strangeness(self, traits: DomainTraits) -> list[str]:
        """In which ways it is unlike a domain; see `DomainTraits.strangeness`."""
        return traits.strangeness(self._moments.std, self.units, self.band)


def _hull(bands: list[DomainBand]) -> DomainBand:
    lows, highs, orders = zip(*bands, strict=True)
    return DomainBand(min(lows), max(highs), min(orders))


def _spoken(band: DomainBand | None) -> str:
    return "none" if band is None else f"{band.low:g}-{band.high:g} Hz"
