"""
Train and translate, in miniature
=================================

Every step of a training, with tiny networks and eight optimiser steps. **This is far too short to learn
anything**: the translator has barely left the identity it starts from. It shows the calls, and that the
labels arrive at the other end. ``make demo`` trains longer; the paper's presets want a GPU.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import myovivo as mv
from myovivo import plot

scratch = tempfile.TemporaryDirectory()  # gone when the script ends
folder = Path(scratch.name)
grid = {"grid.depth": 0.02, "grid.width": 0.02, "grid.rows": 32, "grid.columns": 32, "grid.frames": 64}
scanner = {"imaging.rows": 128, "imaging.columns": 64, "imaging.frame_rate": 1000.0}
mv.simulate_domain(folder / "silico", sequences=3, workers=1, quiet=True, **grid)
mv.phantom_domain(folder / "vivo", subjects=2, runs=1, workers=1, quiet=True, **grid, **scanner)

# %%
# The preset ``house``, made smaller. A setting has one dotted name everywhere: here, in YAML and as
# an option on the command line. The same call again would resume the run.

networks = {"local.features": 8, "local.cell": 2, "discriminator.features": 8, "discriminator.layers": 1}
pace = {"data.clip": (16, 32, 32), "data.workers": 0, "optimiser.steps": 8}
run = mv.train(
    "house",
    silico=folder / "silico",
    vivo=folder / "vivo",
    out=folder / "run",
    device="cpu",
    quiet=True,
    **networks,
    **pace,
)
print(sorted(path.name for path in run.iterdir()))

# %%
# Translate a simulated sequence. The noise that the generator takes is drawn from ``seed``; the labels are
# carried along, since a unit stays where it is and fires when it fired.

to_vivo = mv.Translator.load(run, device="cpu")
simulated = mv.Sequence.load(folder / "silico" / "sub-silico0000_task-isometric_run-01_tvi.h5")
translated = to_vivo(simulated, seed=0)
print(translated.origin, translated.shape, len(translated.labels), "motor units")

# %%
# Both standardised by the constants of the training run, as in the paper's figure 5: what was changed?
# Hardly anything but the pass band, which a filter takes over from the recordings' spectrum before the first step.

constants = to_vivo.weights.standards
difference = mv.difference_map(simulated, translated, absolute=True, standardisation=constants)
fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
plot.difference_map(difference, simulated.spacing, left, unit="SD", label="|translated − silico|")
busiest = np.unravel_index(np.argmax(mv.variance_map(simulated)), simulated.shape[1:])
before = constants["silico"].apply(simulated.velocity)[:, *busiest]
after = constants["vivo"].apply(translated.velocity)[:, *busiest]
plot.time_signals(before[:, None], after[:, None], simulated.frame_rate, right, unit="SD")
plt.show()
