"""Losses as functions of tensors, in float32, each headed by its equation."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor


def least_squares(scores: Tensor, target: float) -> Tensor:
    """L = mean((D(x) - target)²), with target 1 for real and 0 for translated.

    Mao et al. (2017), doi:10.1109/ICCV.2017.304.
    """
    return (scores.float() - target).square().mean()


def cycle_loss(original: Tensor, returned: Tensor) -> Tensor:
    """L = mean(|F(G(x)) - x|).

    Zhu et al. (2017), equation 2, doi:10.1109/ICCV.2017.244.
    """
    return (original.float() - returned.float()).abs().mean()


def identity_loss(original: Tensor, translated: Tensor, norm: Literal["l1", "l2"] = "l1") -> Tensor:
    """L = mean(|G(y) - y|), or mean((G(y) - y)²) for "l2", where y is of G's target domain already.

    Zhu et al. (2017), section 5.2, has the first for both domains; Ali et al. (2022) print ‖·‖₁ towards one domain and
    ‖·‖₂ towards the other, read as the mean square, which is per pixel as the first is.
    """
    difference = original.float() - translated.float()
    return difference.abs().mean() if norm == "l1" else difference.square().mean()


def relativistic(scores: Tensor, others: Tensor) -> Tensor:
    """L = mean(softplus(-(D(x) - mean D(y)))): x should look more real than y on average.

    The relativistic average loss of Jolicoeur-Martineau (2019), arXiv:1807.00734: the judge asks it of real clips over
    translated ones, the translator the other way round, so neither can run away from the other.
    """
    return F.softplus(others.float().mean() - scores.float()).mean()


def gradient_penalty(clips: Tensor, scores: Tensor) -> Tensor:
    """L = mean over clips of ‖∇ mean D(x)‖² · voxels, zero-centred: a judge flat at what it judges does not memorise.

    R1 of Mescheder et al. (2018), arXiv:1801.04406; times the number of voxels, since D is a mean over patches here,
    so that the weight does not depend on the size of the clips. `clips` must require a gradient.
    """
    (slope,) = torch.autograd.grad(scores.float().mean(), clips, create_graph=True)
    return slope.square().sum() * clips.numel()


def content_loss(source: Tensor, translated: Tensor, enough: float = 1.0) -> Tensor:
    """L = mean over pixels of max(0, enough - r), r the correlation in time of a pixel before and after.

    Ours. Blind to positive gains and to what is constant in time, so it leaves the translator free to change how
    strongly each place moves; at lag zero, so it also holds the timing. Clips (B, 1, T, Z, X).
    """
    a, b = (x.float() - x.float().mean(2, keepdim=True) for x in (source, translated))
    norms = a.square().sum(2).sqrt() * b.square().sum(2).sqrt()
    correlation = (a * b).sum(2) / (norms + 1e-4)
    return torch.relu(enough - correlation).mean()


def diversity_loss(first: Tensor, second: Tensor, enough: float, enough_fine: float, fine: int) -> Tensor:
    """L = mean over clips of max(0, r - enough) + max(0, r' - enough'), r the correlation of two maps.

    Ours. The maps (B, 1, Z, X) are log-variances of one clip with two tissues drawn for it; r' is of their fine
    texture, what is left of a map without its mean over `fine` pixels around. Nothing is asked of tissues that differ.
    """
    coarse = [F.avg_pool2d(each, fine, 1, fine // 2, count_include_pad=False) for each in (first, second)]
    alike = torch.relu(correlation(first, second) - enough)
    alike_fine = torch.relu(correlation(first - coarse[0], second - coarse[1]) - enough_fine)
    return (alike + alike_fine).mean()


def correlation(first: Tensor, second: Tensor) -> Tensor:
    """Of each clip's map with the other's, over the pixels: (B, 1, Z, X) twice -> (B,)."""
    a, b = (each.flatten(1) - each.flatten(1).mean(1, keepdim=True) for each in (first, second))
    return (a * b).sum(1) / (a.square().sum(1).sqrt() * b.square().sum(1).sqrt() + 1e-6)


def discriminator_loss(real_scores: Tensor, translated_scores: Tensor) -> Tensor:
    """L = mean((D(real) - 1)²) + mean(D(translated)²)."""
    return least_squares(real_scores, 1.0) + least_squares(translated_scores, 0.0)
