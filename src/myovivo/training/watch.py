"""Notice losses that are finite and yet gone astray."""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Mapping


class LossWatch:
    """Notices losses that are finite and yet gone astray: beyond `FACTOR` times their median for `PATIENCE` steps."""

    FACTOR, PATIENCE, WARM_UP, MEMORY = 100.0, 20, 200, 200

    def __init__(self) -> None:
        self._past: dict[str, deque[float]] = {}
        self._high: dict[str, int] = {}

    def astray(self, losses: Mapping[str, float]) -> str | None:
        """The name of a loss that is, once `losses` is seen; a loss that is high does not move its own median."""
        for name, value in losses.items():
            past = self._past.setdefault(name, deque(maxlen=self.MEMORY))
            # A loss near zero, such as that of a judge that is rarely wrong, may well grow a hundredfold.
            limit = self.FACTOR * max(statistics.median(past), 0.1) if len(past) >= self.WARM_UP else math.inf
            high = value > limit
            self._high[name] = self._high.get(name, 0) + 1 if high else 0
            if not high:
                past.append(value)
            if self._high[name] >= self.PATIENCE:
                return name
        return None
