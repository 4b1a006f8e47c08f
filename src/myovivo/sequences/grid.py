"""How many frames and pixels a sequence has, and how far they reach."""

from __future__ import annotations

from pydantic import Field

from ..runtime.settings import Count, Settings
from .quantities import FrameRate, Length

# ---------------------------------------------------------------------------------- simulate


class Grid(Settings):
    frames: Count = Field(default=1024, description="frames in a sequence [P]")
    frame_rate: FrameRate = Field(default=512.0, description="frames per second, Hz [P]")
    depth: Length = Field(default=0.040, description="extent in depth, m [P]")
    width: Length = Field(default=0.040, description="lateral extent, m [P]")
    rows: Count = Field(default=128, description="pixels in depth, Z [P]")
    columns: Count = Field(default=128, description="pixels laterally, X [P]")

    @property
    def spacing(self) -> tuple[float, float]:
        """Pixel size (dz, dx) in m."""
        return self.depth / self.rows, self.width / self.columns

    @property
    def duration(self) -> float:
        """Length of a sequence in s."""
        return self.frames / self.frame_rate
