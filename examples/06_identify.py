"""
Motor units out of a sequence
=============================

Three motor units contract under noise. ``identify`` gets only the velocity; the labels come back in afterwards,
to say how much of the truth was found. Recorded sequences are identified alike, without the second part.
"""

import matplotlib.pyplot as plt

import myovivo as mv
from myovivo import plot

small = {"grid.frames": 640, "grid.rows": 40, "grid.columns": 40, "firing.units": (3, 3), "noise.snr_db": 20.0}
sequence = mv.simulate(seed=4, **small)
units = mv.identify(sequence)
print(f"{len(units)} units found; firing rates {units.quality['firing_rate'].round(1)} Hz")

# %%
# How much is true
# ----------------
# Spikes agree if they are within 10 ms after one lag for the whole sequence. Unrelated trains of the same rates
# agree by chance, too: the second number says how much.

agreement = units.agreement(sequence)
print(agreement)

# %%
# Maps and courses
# ----------------
# Each map over its peak. The yellow outline is the mask that was found, the dashed one the labelled territory.

fig, axes = plt.subplots(1, len(units), figsize=(4 * len(units), 3.8), sharey=True, layout="constrained", squeeze=False)
true_of = {match.found: match.true for match in agreement.matches}
for unit, ax in enumerate(axes[0]):
    truth = sequence.labels.mask[true_of[unit]] if unit in true_of else None
    plot.unit_map(units.weight[unit], units.spacing, ax, units.mask[unit], truth, colourbar=False)
    ax.set_title(f"unit {unit + 1}: contraction time {1e3 * units.quality['contraction_time'][unit]:.0f} ms")
    ax.label_outer()
fig.colorbar(axes[0, 0].images[0], ax=axes, label=plot.SHARE)

fig, ax = plt.subplots(figsize=(8, 3), layout="constrained")
plot.unit_courses(units.source, units.spike_times, units.frame_rate, ax)

# %%
# Found and true firings
# ----------------------
# A row for each true unit, labelled with its rate of agreement.

fig, ax = plt.subplots(figsize=(8, 2.6), layout="constrained")
plot.raster(units.spike_times, units.duration, ax, sequence.labels.spike_times, agreement)
plt.show()
