"""What discriminators see besides the newest clips: past translations in their place, or past pairs beside them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


class ImagePool:
    """Up to `size` past translations, so that discriminators do not forget old mistakes.

    Shrivastava et al. (2017), doi:10.1109/CVPR.2017.241, as CycleGAN has it: a full pool answers half
    of the clips with an old one, whose place the new one takes.
    """

    def __init__(self, size: int, clips: Tensor | None = None):
        self.size = size
        self.clips = [] if clips is None else list(clips)

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

    def show(self, real: Tensor, translated: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """The real and the translated clips (B, 1, …) that the discriminators see for these new ones."""
        return real, self.exchange(translated, rng)


class Recall:
    """Up to `size` past pairs of a real and a translated clip, of which `count` are shown again beside each new pair.

    Ours. A generator's step may cost many times a discriminator's; so the discriminators, which are at a loss with a
    pair at a time, see several.
    """

    def __init__(self, size: int, count: int):
        self.size, self.count = size, count
        self.clips: list[Tensor] = []  # (2, 1, …) each, the real one first

    def show(self, real: Tensor, translated: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """A new pair (1, 1, …), and the past ones drawn with it: (1 + count, 1, …) each."""
        past = [self.clips[k] for k in rng.permutation(len(self.clips))[: self.count]]
        new = torch.cat([real, translated]).detach()
        if len(self.clips) < self.size:
            self.clips.append(new)
        else:
            self.clips[int(rng.integers(self.size))] = new
        shown = torch.stack([new, *past], 1)  # (2, 1 + count, 1, …)
        return shown[0], shown[1]
