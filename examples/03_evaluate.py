"""
The paper's table, and what it can be made to say
=================================================

``evaluate`` compares domains. Here no network is involved: simulated sequences stand against the tissue
phantom, first as they are, then after changes so simple that nobody would call them a translation. A column
in which such a null baseline does well is no proof that a network has learned anything.

A handful of small sequences: the numbers only show how to read the table.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import myovivo as mv
from myovivo import plot
from myovivo.evaluation import nulls

scratch = tempfile.TemporaryDirectory()  # gone when the script ends
folder = Path(scratch.name)
silico, vivo = folder / "silico", folder / "vivo"
alone = {"workers": 1, "quiet": True}
size = {"grid.depth": 0.03, "grid.width": 0.03, "grid.rows": 64, "grid.columns": 64}
grid = {**size, "grid.frames": 128}
scanner = {"imaging.rows": 192, "imaging.columns": 64, "imaging.frame_rate": 1000.0}
phantoms = mv.phantom_domain(vivo, subjects=3, runs=1, **grid, **scanner, **alone)
simulations = mv.simulate_domain(silico, sequences=3, **grid, **alone)

# %%
# Two rows need no translation: ``none`` is the distance at the start, ``vivo-vivo`` how far the
# reference sequences are from each other, and so the best that can be asked for.

print(mv.evaluate(None, vivo=vivo, silico=silico, **alone))

# %%
# Null baselines
# --------------
# A gain per pixel that gives every sequence the mean variance map of the phantom, and white noise.
# Both keep the file's name, so that ``evaluate`` finds the simulation they came from.

variance = np.mean([mv.variance_map(path) for path in phantoms], axis=0)
for path in simulations:
    simulated = mv.Sequence.load(path)
    nulls.gain_matched(simulated, variance).save(folder / "gain" / path.name)
    nulls.noise_added(simulated, snr_db=10, seed=0).save(folder / "noise" / path.name)

models = {"gain matched": folder / "gain", "noise added": folder / "noise"}
comparison = mv.evaluate(models, vivo=vivo, silico=silico, **alone)
print(comparison)

# %%
# A positive gain leaves every pixel's motion perfectly correlated with the simulated one, however it
# changes the variance map. xCorr is therefore to be read beside the maps, never alone.

fig, axes = plt.subplots(1, 4, figsize=(11, 3.4), sharey=True, layout="constrained")
shown = {
    "simulated": comparison.features["silico"][0],
    "gain matched": comparison.features["gain matched"][0],
    "noise added": comparison.features["noise added"][0],
    "phantom": comparison.features["vivo"][0],
}
levels = [plot.decibel(np.exp(one.log_variance)) for one in shown.values()]
limits = plot.common_limits(levels, low=5)
for ax, (name, one) in zip(axes, shown.items(), strict=True):
    plot.variance_map(np.exp(one.log_variance), one.spacing, ax, "SD", limits, colourbar=False)
    ax.set_title(name)
    ax.label_outer()
fig.colorbar(ax.images[0], ax=axes, shrink=0.8, label="variance (dB re SD²)")
plt.show()
