"""What the comparison needs of a sequence, worked out once, in one pass, and small.

A 67 MB sequence becomes a `Summary` of some hundred kilobytes in SI units. When all summaries of a
domain are there, so are its mean and SD, and each summary becomes the `SequenceFeatures` of the
standardised sequence, without a second look at the file.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from collections.abc import Sequence as Series
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from ..errors import FileError, InputError
from ..runtime.arrays import Floats
from ..runtime.progress import track
from ..runtime.words import counted
from ..sequences.scale import DomainScale
from ..sequences.source import Domain, Source, sources
from . import frechet, map_features
from .coherence import coherence_from
from .moments import Moments, log_psd


@dataclass(frozen=True)
class Summary:
    """One pass through one sequence, in SI units.

    Attributes
    ----------
    name, origin, subject : as in its file
    frames, frame_rate, spacing : length, Hz, (dz, dx) in m
    mean : (Z, X), m/s, over time
    variance : (Z, X), (m/s)², over time
    frequency : (T // 2,) Hz
    psd : (T // 2,) (m/s)²/Hz, averaged over the pixels
    coherence : (Z // 2 + X // 2,) as `Coherence.curve`
    """

    name: str
    origin: str
    subject: str
    frames: int
    frame_rate: float
    spacing: tuple[float, float]
    mean: Floats
    variance: Floats
    frequency: Floats
    psd: Floats
    coherence: Floats


@dataclass(frozen=True)
class SequenceFeatures:
    """What the columns compare, of one standardised sequence.

    Attributes
    ----------
    name, origin, subject : as in its file
    frame_rate, spacing : Hz, (dz, dx) in m
    log_variance : (Z, X), L = ln(V + 1e-6), V in squared SDs
    frequency : (T // 2,) Hz
    log_psd : (T // 2,) ln of the mean PSD, in squared SDs per Hz
    coherence : (Z // 2 + X // 2,) correlation of pixels by their axial, then their lateral separation
    histogram, kspace, kspace_normalised : as in `map_features`
    map_bands, psd_bands : ln power of the map over spatial, of the motion over temporal frequency, as in `frechet`
    """

    name: str
    origin: str
    subject: str
    frame_rate: float
    spacing: tuple[float, float]
    log_variance: Floats
    frequency: Floats
    log_psd: Floats
    coherence: Floats

    @cached_property
    def histogram(self) -> Floats:
        return map_features.histogram(self.log_variance)

    @cached_property
    def kspace(self) -> Floats:
        return map_features.kspace(self.log_variance)

    @cached_property
    def kspace_normalised(self) -> Floats:
        return map_features.kspace_normalised(self.log_variance)

    @cached_property
    def map_bands(self) -> Floats:
        return frechet.map_spectrum(self.log_variance)

    @cached_property
    def psd_bands(self) -> Floats:
        return frechet.band_means(self.frequency, np.exp(self.log_psd), self.frequency[0], self.frequency[-1])


def summarise(source: Source, frames: int | None = None) -> Summary:
    """Read a sequence once and keep what the comparison needs.

    Parameters
    ----------
    source : one of `sources`
    frames : use only the first so many frames

    Raises
    ------
    FileError : the file is truncated or holds NaN.
    """
    taken = moments_of(source, frames)
    for _ in taken.rows():
        pass
    return summary_of(source, taken)


def moments_of(source: Source, frames: int | None = None) -> Moments:
    """Of a sequence, read whole; its rows are still to be gone through.

    Raises
    ------
    FileError : the file is truncated or holds NaN.
    """
    with _told_by_file(source):
        return Moments(source.velocity(frames))


def summary_of(source: Source, taken: Moments) -> Summary:
    """The summary of a sequence whose rows have been gone through.

    Raises
    ------
    FileError : a file of fewer than 4 frames, or of fewer than 2 pixels a side; InputError for what is in memory.
    """
    header = source.header
    with _told_by_file(source):
        frequency, psd = taken.psd(header.frame_rate)
        curve = coherence_from(taken.velocity, taken.mean, taken.variance).curve()
    return Summary(
        source.name, header.origin, header.subject, len(taken.velocity), header.frame_rate, header.spacing,
        taken.mean, taken.variance, frequency, psd, curve,
    )  # fmt: skip


@contextlib.contextmanager
def _told_by_file(source: Source) -> Iterator[None]:
    """What is wrong with a file's content is told with its name."""
    try:
        yield
    except InputError as error:
        if isinstance(source.item, Path):
            raise FileError(source.item, str(error)) from None
        raise


def scale_of(summaries: Series[Summary]) -> DomainScale:
    """Mean and SD over every value of a domain, all its sequences counted by their length.

    Raises
    ------
    InputError : nothing moves in any of the sequences.
    """
    weight = np.array([summary.frames * summary.mean.size for summary in summaries], np.float64)
    means = np.array([summary.mean.mean() for summary in summaries])
    squares = np.array([np.mean(summary.variance + summary.mean**2) for summary in summaries])
    mean = float(np.average(means, weights=weight))
    spread = float(np.average(squares, weights=weight)) - mean**2
    if not spread > 0:
        raise InputError(f"a domain must move to be standardised, got SD 0 in {counted(len(summaries), 'sequence')}")
    return DomainScale(mean, math.sqrt(spread), "these files")


def features_of(summary: Summary, standardisation: DomainScale) -> SequenceFeatures:
    """The features of the standardised sequence (v − mean) / SD, from the summary of v.

    The mean changes neither a temporal variance nor a spectrum without its DC bin; the SD divides the
    first, and the PSD, by its square.
    """
    scale = 1 / standardisation.std**2
    return SequenceFeatures(
        name=summary.name,
        origin=summary.origin,
        subject=summary.subject,
        frame_rate=summary.frame_rate,
        spacing=summary.spacing,
        log_variance=map_features.log_variance(summary.variance * scale),
        frequency=summary.frequency,
        log_psd=log_psd(summary.psd * scale),
        coherence=summary.coherence,
    )


def domain_features(
    domain: Domain,
    standardisation: DomainScale | None = None,
    frames: int | None = None,
    workers: int = -1,
    quiet: bool = False,
) -> list[SequenceFeatures]:
    """Features of each sequence of a domain, in parallel; no more than one sequence per worker is in memory.

    Parameters
    ----------
    domain : a folder, a list of files, or sequences
    standardisation : the domain's mean and SD; worked out from these very sequences if None
    frames : use only the first so many frames of each
    workers : threads, −1 for one per core; a `joblib.parallel_config` around the call overrides them
    quiet : no progress

    Raises
    ------
    FileError, InputError : a sequence that cannot be read, is not finite, or a domain without motion.
    """
    listed = sources(domain)
    jobs = (joblib.delayed(summarise)(source, frames) for source in listed)
    # Threads: nearly all the time goes to FFTs and sums that release the interpreter lock.
    results = joblib.Parallel(n_jobs=workers, prefer="threads", return_as="generator")(jobs)
    with threadpool_limits(1, "blas"):
        summaries: list[Summary] = list(track(results, "reading", len(listed), quiet=quiet))  # type: ignore[arg-type]
    chosen = standardisation or scale_of(summaries)
    return [features_of(summary, chosen) for summary in summaries]
