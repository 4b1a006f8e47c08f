"""
From channel RF to motion
=========================

Two frames of channel RF from a living calf muscle (gastrocnemius; plane waves at 0 degrees, 192
elements) become a B-mode image and the motion between them. The time between the two frames is not known,
so this is displacement, not velocity.

The data are two frames of the repository soleym/ml-muscle-feature-extraction, CC BY-ND 4.0.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import myovivo as mv
from myovivo import plot
from myovivo.acquisition.settings import Velocity
from myovivo.acquisition.velocity import autocorrelation_velocity, local_coherence

here = Path(__file__).parent if "__file__" in globals() else Path()  # a notebook has no file of its own
file = here / "data" / "gastrocnemius_rf.hdf5"
print(str(mv.inspect(file)).replace(str(file), file.name))

# %%
# B-mode
# ------
# The RF is demodulated and beamformed by delay-and-sum. Bright stripes are the connective tissue between
# fascicles; the double line across the picture is the deep aponeurosis.

image = mv.beamform(file, **{"beamforming.depth": (0.0, 0.052), "beamforming.columns": 192})
iq = image.iq  # (T, Z, X), complex

fig, ax = plt.subplots(figsize=(6, 6.4), layout="constrained")
plot.b_mode(iq[0], image.spacing, ax)

# %%
# Displacement
# ------------
# Loupas' estimator measures the frequency of the echo where it is. The pulse was sent at 5.2 MHz, but what comes
# back is lower: a velocity computed with 5.2 MHz would be wrong by that share. With one frame a second,
# velocity in m/s is displacement in m. Grey is where the frames do not resemble each other: there the muscle
# moved by more than half a cycle, or out of the image.

still = mv.Recording.of_array(
    iq, frame_rate=1.0, spacing=image.spacing, centre_frequency=image.centre_frequency, sound_speed=image.sound_speed
)
windows = Velocity(axial_window=0.002, lateral_window=0.001, ensemble_window=0.0)
motion = autocorrelation_velocity(still, windows, quiet=True)
alike = local_coherence(still, windows)

height, width = 1e3 * np.multiply(image.shape[1:], image.spacing)
fig, axes = plt.subplots(1, 3, figsize=(11, 4.2), sharey=True, layout="constrained")
thinned = alike[:: alike.shape[0] // motion.velocity.shape[1]]
displacement = np.where(thinned >= 0.8, 1e6 * motion.velocity[0], np.nan)
panels = [
    (alike, "viridis", (0, 1), "coherence"),
    (1e-6 * motion.centre_frequency, "magma", (3.5, 5.2), "local centre frequency (MHz)"),
    (displacement, "RdBu_r", (-75, 75), "towards the probe (µm)"),
]
for ax, (values, colours, limits, label) in zip(axes, panels, strict=True):
    ax.set_facecolor("0.7")
    shown = ax.imshow(values, cmap=colours, vmin=limits[0], vmax=limits[1], extent=(0, width, height, 0))
    fig.colorbar(shown, ax=ax, label=label, orientation="horizontal")
    ax.set_xlabel("lateral (mm)")
axes[0].set_ylabel("depth (mm)")
plt.show()
