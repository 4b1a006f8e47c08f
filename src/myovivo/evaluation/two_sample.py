"""Can a classifier tell translated sequences from recorded ones? The two-sample test that sees the motion itself."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from ..errors import InputError
from ..runtime.progress import Bar
from ..runtime.words import counted
from ..sequences.source import Domain, Source, sources

FEATURES = 16

_RESAMPLES = 2000

TRANSLATED, VIVO = 0, 1


class Scored(NamedTuple):
    """One sequence: whose it is, and how the classifiers that never saw its subject judged its clips."""

    name: str
    vivo: bool
    subject: str
    score: float  # mean logit, positive for vivo
    correct: float  # share of clips


@dataclass(frozen=True)
class TwoSample:
    """Result of `two_sample_test`.

    Attributes
    ----------
    accuracy : share of clips told right, mean of both domains; 0.5 = cannot tell, 1 = always
    interval : 95 % interval of it, by resampling subjects
    auc : of the sequences' mean scores, 0.5 = cannot tell
    sequences : each with its score
    folds, steps : how it was trained
    """

    accuracy: float
    interval: tuple[float, float]
    auc: float
    sequences: tuple[Scored, ...]
    folds: int
    steps: int

    def __str__(self) -> str:
        low, high = self.interval
        recorded = [each for each in self.sequences if each.vivo]
        subjects = len({each.subject for each in recorded})
        return (
            f"two-sample accuracy {self.accuracy:.2f} (95 % {low:.2f} to {high:.2f}; 0.5 = cannot tell), "
            f"AUC {self.auc:.2f}; {len(self.sequences) - len(recorded)} translated, "
            f"{len(recorded)} recorded of {counted(subjects, 'subject')}, {self.folds} folds"
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain numbers and text."""
        return {**asdict(self), "sequences": [each._asdict() for each in self.sequences]}


def two_sample_test(
    translated: Domain,
    vivo: Domain,
    standardisation: tuple[float, float] | None = None,
    *,
    clip: tuple[int, int, int] = (32, 64, 64),
    folds: int = 4,
    steps: int = 200,
    batch: int = 8,
    seed: int = 0,
    quiet: bool = False,
) -> TwoSample:
    """Train small 3-D CNNs to tell the two domains apart, and score each on subjects it never saw.

    The columns of the table are statistics of maps and spectra, which a translation can match and still look wrong;
    a classifier finds what differs by itself. It only bounds the difference from below: a larger network, or more
    sequences, may tell what this one cannot.

    Parameters
    ----------
    translated, vivo : folders, files or sequences, alike in size and frame rate; each subject's sequences are
        in one fold. A sequence without a subject is a subject of its own
    standardisation : mean and SD of the vivo domain, m/s, applied to both; if none, of these very recordings
    clip : frames, rows, columns that the classifier sees at once, at most those of the sequences
    folds : groups of subjects; each is scored by a classifier trained on the others
    steps, batch : of each classifier's training; half of a batch is of either domain
    seed : of everything random; the same seed gives the same result on the same machine
    quiet : no progress

    Returns
    -------
    TwoSample : printed, one line

    Raises
    ------
    InputError : fewer subjects than folds, sequences of different size or frame rate, or a clip larger than they are.

    References
    ----------
    Lopez-Paz, Oquab (2017), "Revisiting classifier two-sample tests", arXiv:1610.06545.
    """
    domains = {TRANSLATED: sources(translated), VIVO: sources(vivo)}
    everything = [*domains[TRANSLATED], *domains[VIVO]]
    _require_alike(everything, clip)
    fold_of = {label: _folds(domain, folds, seed, label) for label, domain in domains.items()}
    velocities = {id(source): source.velocity() for source in everything}
    if standardisation is None:
        recorded = np.concatenate([velocities[id(source)].ravel() for source in domains[VIVO]])
        standardisation = float(recorded.mean(dtype=np.float64)), float(recorded.std(dtype=np.float64))
    mean, std = standardisation
    standardised = {key: ((value - mean) / std).astype(np.float32) for key, value in velocities.items()}

    scores: dict[int, Scored] = {}
    with Bar("two-sample test", folds * steps, quiet=quiet) as bar:
        for fold in range(folds):
            seen = {
                label: [
                    standardised[id(source)] for source, at in zip(domain, fold_of[label], strict=True) if at != fold
                ]
                for label, domain in domains.items()
            }
            network = _trained(seen, clip, steps, batch, (seed, fold), bar)
            for label, domain in domains.items():
                for source, at in zip(domain, fold_of[label], strict=True):
                    if at == fold:
                        scores[id(source)] = _score(network, source, standardised[id(source)], label, clip)
    scored = [scores[id(source)] for source in everything]
    rng = np.random.default_rng((seed, folds))
    return TwoSample(_accuracy(scored), _interval(scored, rng), _auc(scored), tuple(scored), folds, steps)


def _require_alike(listed: list[Source], clip: tuple[int, int, int]) -> None:
    first = listed[0]
    for source in listed:
        if source.header.shape[1:] != first.header.shape[1:] or source.header.frame_rate != first.header.frame_rate:
            rule = (
                f"{source.name} has {source.header.shape[1:]} px at {source.header.frame_rate:g} Hz, but {first.name}"
            )
            there = f"{first.header.shape[1:]} at {first.header.frame_rate:g}"
            raise InputError(f"{rule} has {there}; a classifier would only have to look at that: make them alike")
        if any(size > there for size, there in zip(clip, source.header.shape, strict=True)):
            raise InputError(
                f"clip {clip} must fit into {source.name}, which is {source.header.shape}; take a smaller one"
            )


def _folds(domain: list[Source], folds: int, seed: int, label: int) -> list[int]:
    """The fold of each sequence; all of a subject have one."""
    subjects = [source.header.subject or source.name for source in domain]
    names = sorted(set(subjects))
    if folds < 2 or len(names) < folds:
        which = "recorded" if label == VIVO else "translated"
        rule = f"{folds} folds need at least 2 folds and as many {which} subjects, got {counted(len(names), 'subject')}"
        raise InputError(f"{rule}; lower folds or add subjects")
    order = np.random.default_rng((seed, label)).permutation(len(names))
    fold = {names[k]: place % folds for place, k in enumerate(order)}
    return [fold[subject] for subject in subjects]


class _Classifier(nn.Module):
    """Three convolutions of stride 2, the mean over the clip, one score: positive for vivo."""

    def __init__(self) -> None:
        super().__init__()
        widths = (2, FEATURES, 2 * FEATURES, 4 * FEATURES)
        self.convs = nn.ModuleList(
            nn.Conv3d(narrow, wide, (3, 5, 5) if k == 0 else 3, (1, 2, 2) if k == 0 else 2, (1, 2, 2) if k == 0 else 1)
            for k, (narrow, wide) in enumerate(pairwise(widths))
        )
        self.score = nn.Linear(widths[-1], 1)

    def forward(self, x: Tensor) -> Tensor:  # (B, 1, T, Z, X)
        y = torch.cat([x, torch.asinh(20 * x) / 3], 1)  # the second shows motion far below the domain's SD
        for conv in self.convs:
            y = F.silu(F.group_norm(conv(y), 4))
        return self.score(y.mean((2, 3, 4)))[:, 0]  # (B,)


def _trained(
    seen: dict[int, list[NDArray[np.float32]]],
    clip: tuple[int, int, int],
    steps: int,
    batch: int,
    seed: tuple[int, int],
    bar: Bar,
) -> _Classifier:
    with torch.device("meta"):  # the global generator stays as it was
        network = _Classifier()
    network.to_empty(device="cpu")
    rng = np.random.default_rng(seed)
    weights = torch.Generator().manual_seed(int(rng.integers(2**63)))
    for module in network.modules():
        if isinstance(module, nn.Conv3d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, module.weight[0].numel() ** -0.5, generator=weights)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]  # all have one
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=1e-2)
    half = max(batch // 2, 1)
    target = torch.tensor([float(TRANSLATED)] * half + [float(VIVO)] * half)
    for _ in range(steps):
        clips = [_random_clip(seen[label], clip, rng) for label in (TRANSLATED, VIVO) for _ in range(half)]
        loss = F.binary_cross_entropy_with_logits(network(torch.from_numpy(np.stack(clips)[:, None])), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        bar.advance()
    return network.eval()


def _random_clip(
    domain: list[NDArray[np.float32]], clip: tuple[int, int, int], rng: np.random.Generator
) -> NDArray[np.float32]:
    sequence = domain[rng.integers(len(domain))]
    corner = [int(rng.integers(there - size + 1)) for there, size in zip(sequence.shape, clip, strict=True)]
    t, z, x = (slice(start, start + size) for start, size in zip(corner, clip, strict=True))
    cut = sequence[t, z, x]
    return cut[:, :, ::-1] if rng.random() < 0.5 else cut


@torch.no_grad()
def _score(
    network: _Classifier, source: Source, velocity: NDArray[np.float32], label: int, clip: tuple[int, int, int]
) -> Scored:
    """All clips of a sequence that do not overlap in time, from the middle of the image."""
    z, x = ((there - size) // 2 for there, size in zip(velocity.shape[1:], clip[1:], strict=True))
    middle = velocity[:, z : z + clip[1], x : x + clip[2]]
    starts = range(0, len(velocity) - clip[0] + 1, clip[0])
    logits = [network(torch.from_numpy(middle[start : start + clip[0]].copy())[None, None]).item() for start in starts]
    vivo = label == VIVO
    correct = float(np.mean([(logit > 0) == vivo for logit in logits]))
    return Scored(source.name, vivo, source.header.subject or source.name, float(np.mean(logits)), correct)


def _accuracy(scored: list[Scored]) -> float:
    shares = [[sequence.correct for sequence in scored if sequence.vivo == vivo] for vivo in (False, True)]
    return float(np.mean([float(np.mean(domain)) for domain in shares]))


def _auc(scored: list[Scored]) -> float:
    """How often a recorded sequence scores above a translated one; ties count half."""
    return float(roc_auc_score([sequence.vivo for sequence in scored], [sequence.score for sequence in scored]))


def _interval(scored: list[Scored], rng: np.random.Generator) -> tuple[float, float]:
    halves = []
    for vivo in (False, True):
        subjects = sorted({each.subject for each in scored if each.vivo == vivo})
        own = [[each.correct for each in scored if each.vivo == vivo and each.subject == name] for name in subjects]
        sums, counts = np.array([sum(each) for each in own]), np.array([len(each) for each in own])
        drawn = rng.integers(len(subjects), size=(_RESAMPLES, len(subjects)))
        halves.append(sums[drawn].sum(1) / counts[drawn].sum(1))
    low, high = np.quantile(np.mean(halves, axis=0), (0.025, 0.975))
    return (float(low), float(high)) if math.isfinite(low) else (math.nan, math.nan)
