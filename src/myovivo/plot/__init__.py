"""One function per figure: each takes data and an axes, draws, and returns the axes.

Data come in SI units as everywhere, and are drawn in mm, mm/s and ms. Velocities of standardised
sequences are drawn in SDs (`unit="SD"`). Depth runs downwards from the probe. Give the same `limits`
to panels that are to be compared. The colours are those of Okabe and Ito (2008), told apart with
any kind of colour vision and in print.
"""

from .curves import depth_band, depth_profile, losses, psd, time_signals
from .maps import (
    b_mode,
    correlation_map,
    difference_map,
    frame,
    kspace,
    lag_map,
    significance,
    territories,
    variance_map,
)
from .style import OTHERS, SILICO, TRANSLATED, VIVO, common_limits, decibel

__all__ = [
    "OTHERS",
    "SILICO",
    "TRANSLATED",
    "VIVO",
    "b_mode",
    "common_limits",
    "correlation_map",
    "decibel",
    "depth_band",
    "depth_profile",
    "difference_map",
    "frame",
    "kspace",
    "lag_map",
    "losses",
    "psd",
    "significance",
    "territories",
    "time_signals",
    "variance_map",
]
