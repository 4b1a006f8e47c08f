"""What discriminators see in the place of the newest translations: past ones."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


class ImagePool:
    """Up to `size` past translations, so that discriminators do not forget old mistakes.

    Shrivastava et al. (2017), doi:10.1109/CVPR.2017.241, as CycleGAN has it: a full pool answers half
    of the clips with an old one, whose place the new one takes.
    """

    def __init__(self, size: int):
        self.size = size
        self.clips: list[Tensor] = []

    def exchange(self, clips: Tensor, rng: np.random.Generator) -> Tensor:
        """Clips (B, 1, …) to show the discriminator, in place of the new ones given."""
        shown = []
        for clip in clips.detach():
            if len(self.clips) < self.size:
                self.clips.append(clip.clone())
                shown.append(clip)
            elif self.size and rng.random() < 0.5:
                k = int(rng.integers(self.size))
                shown.append(self.clips[k])
                self.clips[k] = clip.clone()
            else:
                shown.append(clip)
        return torch.stack(shown)
