"""Losses as functions of tensors, in float32, each headed by its equation."""

from __future__ import annotations

from typing import Literal

from torch import Tensor


def least_squares(scores: Tensor, target: float) -> Tensor:
    """L = mean((D(x) - target)²), with target 1 for real and 0 for translated.

    Mao et al. (2017), doi:10.1109/ICCV.2017.304.
    """
    return (scores.float() - target).square().mean()


def cycle_loss(original: Tensor, returned: Tensor, norm: Literal["l1", "l2"] = "l1") -> Tensor:
    """L = mean(|F(G(x)) - x|), or mean((F(G(x)) - x)²) for "l2".

    Zhu et al. (2017), equation 2, doi:10.1109/ICCV.2017.244. The square is ours: at the identity, where
    a residual generator starts, the absolute value has a kink that a small GAN gradient cannot leave.
    """
    return _distance(original, returned, norm)


def identity_loss(original: Tensor, translated: Tensor, norm: Literal["l1", "l2"] = "l1") -> Tensor:
    """L = mean(|G(y) - y|), or mean((G(y) - y)²) for "l2", where y is of G's target domain already.

    Zhu et al. (2017), section 5.2, and Ali et al. (2022), whose text prints the square.
    """
    return _distance(original, translated, norm)


def _distance(a: Tensor, b: Tensor, norm: Literal["l1", "l2"]) -> Tensor:
    difference = a.float() - b.float()
    return difference.abs().mean() if norm == "l1" else difference.square().mean()


def discriminator_loss(real_scores: Tensor, translated_scores: Tensor) -> Tensor:
    """L = mean((D(real) - 1)²) + mean(D(translated)²)."""
    return least_squares(real_scores, 1.0) + least_squares(translated_scores, 0.0)
