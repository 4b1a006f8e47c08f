"""One function per figure: each takes data and an axes, draws, and returns the axes.

Where it makes sense, `Sequence` and `Recording` objects are drawn as they are, and bring their own spacing and frame
rate. Other data come in SI units as everywhere, and are drawn in mm, mm/s and ms. Velocities of standardised
sequences are drawn in SDs (`unit="SD"`). Depth runs downwards from the probe. Give the same `limits`
to panels that are to be compared. The colours are those of Okabe and Ito (2008), told apart with
any kind of colour vision and in print.
"""

from .curves import depth_band, depth_profile, losses, psd, time_signals
from .journal import WIDTHS, journal_style
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
from .overview import overview
from .style import OTHERS, SILICO, TRANSLATED, VIVO, common_limits, decibel
from .units import FOUND, SHARE, TRUE, raster, unit_courses, unit_map

__all__ = [
    "FOUND",
    "OTHERS",
    "SHARE",
    "SILICO",
    "TRANSLATED",
    "TRUE",
    "VIVO",
    "WIDTHS",
    "b_mode",
    "common_limits",
    "correlation_map",
    "decibel",
    "depth_band",
    "depth_profile",
    "difference_map",
    "frame",
    "journal_style",
    "kspace",
    "lag_map",
    "losses",
    "overview",
    "psd",
    "raster",
    "significance",
    "territories",
    "time_signals",
    "unit_courses",
    "unit_map",
    "variance_map",
]
