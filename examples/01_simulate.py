"""
A simulated contraction and its labels
======================================

A TVI sequence of a contracting muscle as the sum of motor-unit twitches. The simulation knows what a
recording never tells: where each motor unit lies and when it fired.
"""

import matplotlib.pyplot as plt
import numpy as np

import myovivo as mv
from myovivo import plot

sequence = mv.simulate(seed=1, **{"grid.rows": 64, "grid.columns": 64, "grid.frames": 512})
units = sequence.labels
print(sequence)

# %%
# Where it moves
# --------------
# The variance of each pixel over time. The outlines are the labelled territories, the crosses
# their centres. Motion fades outside a territory (``territory.profile`` is ``exp-tail``).

fig, ax = plt.subplots(figsize=(5.5, 4.5), layout="constrained")
plot.variance_map(sequence, ax=ax)
plot.territories(sequence, ax=ax, colour="black")
depth, lateral = 1e3 * units.centre.T
ax.plot(lateral, depth, "k+", markersize=8)
for unit, (z, x) in enumerate(1e3 * units.centre):
    ax.annotate(str(unit + 1), (x, z), (4, 4), textcoords="offset points", color="black")

# %%
# How it moves
# ------------
# Velocity at the centre of each territory, with the firings of that unit. A twitch is fast towards its
# peak and slower on its way back; the pixel also follows the units nearby.

train = units.spike_train(sequence.shape[0], sequence.frame_rate)
time = 1e3 * np.arange(sequence.shape[0]) / sequence.frame_rate
shown = range(min(4, len(units)))
fig, axes = plt.subplots(len(shown), 1, figsize=(8, 5), sharex=True, sharey=True)
for unit, ax in zip(shown, axes, strict=True):
    row, column = (units.centre[unit] / sequence.spacing).astype(int)
    ax.plot(time, 1e3 * sequence.velocity[:, row, column], color=plot.SILICO, linewidth=1)
    ax.plot(time[train[unit]], np.zeros(train[unit].sum()), "k|", markersize=10)
    ax.set_ylabel(f"unit {unit + 1}\n(mm/s)")
axes[-1].set_xlabel("time (ms)")

# %%
# When the units fire
# -------------------
# Spike times are in seconds from the first frame. Firings before it are kept, because their twitches
# reach into the sequence. A circle marks a firing that coincides with one of another unit
# (synchronisation).

fig, ax = plt.subplots(figsize=(8, 3), layout="constrained")
for unit, (times, partner) in enumerate(zip(units.spike_times, units.sync_partner, strict=True)):
    ax.plot(1e3 * times, np.full(len(times), unit + 1), "|", color="black", markersize=12)
    together = times[partner >= 0]
    ax.plot(1e3 * together, np.full(len(together), unit + 1), "o", color=plot.SILICO, fillstyle="none")
ax.axvspan(ax.get_xlim()[0], 0, color="0.92", zorder=0)
ax.set(xlabel="time (ms); grey: before the first frame", ylabel="motor unit", yticks=range(1, len(units) + 1))
plt.show()
