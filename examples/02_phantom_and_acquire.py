"""
The tissue phantom, and velocity from its IQ frames
===================================================

The phantom is elastic, heterogeneous tissue seen by a model of plane-wave ultrasound. It stands in where
no recordings are at hand and is no measurement. It gives IQ frames, which pass through the same
acquisition as a real recording, and it knows the true velocity.
"""

import matplotlib.pyplot as plt
import numpy as np

import myovivo as mv
from myovivo import plot

size = {"grid.depth": 0.025, "grid.width": 0.02, "grid.frames": 256}
scanner = {"imaging.rows": 160, "imaging.columns": 48, "imaging.frame_rate": 500.0}
recording = mv.phantom(seed=0, subject=2, **size, **scanner)
print(f"{recording.shape} IQ frames at {recording.frame_rate:g} Hz")

# %%
# B-mode
# ------
# The magnitude of the IQ frames in dB: subcutaneous fat, the aponeurosis under it, then muscle. The walls
# of its fascicles echo more, but at this resolution they drown in speckle.

fig, ax = plt.subplots(figsize=(4, 4.8), layout="constrained")
plot.b_mode(recording, ax=ax, span=40)

# %%
# Velocity
# --------
# ``acquire`` estimates velocity by 2-D autocorrelation (Loupas), band-passes it to 5-50 Hz, takes a
# 1 × 1 mm median and resamples. The labels travel along, resampled the same way; the true velocity is
# what they add up to.

measured = mv.acquire(recording, quiet=True, **{"output.rows": 80, "output.columns": 64})
true = measured.labels.velocity()
fig, axes = plt.subplots(1, 2, figsize=(8, 4.8), sharey=True, layout="constrained")
maps = {"true": true.var(axis=0), "measured": mv.variance_map(measured)}
limits = plot.common_limits([plot.decibel(1e6 * one) for one in maps.values()])
for ax, (title, variance) in zip(axes, maps.items(), strict=True):
    plot.variance_map(variance, measured.spacing, ax, limits=limits, colourbar=False)
    ax.set_title(title)
fig.colorbar(ax.images[0], ax=axes, shrink=0.8, label="variance (dB re 1 (mm/s)²)")

# %%
# At one pixel the two agree up to the noise, the averaging of the estimator and the band-pass, which
# takes the slow part of the motion away and is uncertain at both ends.

row, column = np.unravel_index(np.argmax(true.var(axis=0)), true.shape[1:])
time = 1e3 * np.arange(measured.shape[0]) / measured.frame_rate
fig, ax = plt.subplots(figsize=(8, 3), layout="constrained")
ax.plot(time, 1e3 * true[:, row, column], color="0.6", label="true")
ax.plot(time, 1e3 * measured.velocity[:, row, column], color=plot.TRANSLATED, label="measured")
ax.set(xlabel="time (ms)", ylabel="velocity (mm/s)")
ax.legend(frameon=False)
plt.show()
