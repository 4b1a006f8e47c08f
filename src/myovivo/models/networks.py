"""What the networks of every method offer to a training."""

from __future__ import annotations

from torch import Tensor, nn


class TranslatorNetworks(nn.Module):
    """Generators and judges of a method, with what they lose; see `CycleGAN` for the rest of the interface.

    Attributes
    ----------
    first_look, last_look : clips of each domain that `begin` and `settled` are given; 0 if there is nothing to measure
    """

    first_look = last_look = 0

    def begin(self, silico: Tensor, vivo: Tensor) -> None:
        """Start from what needs no training, measured on clips (N, T, Z, X), standardised."""

    def settled(self, generators: nn.ModuleDict, silico: Tensor, vivo: Tensor, seed: int) -> nn.ModuleDict:
        """(Trained) generators as they are written: with whatever is better measured, on clips (N, 1, T, Z, X)."""
        return generators
