"""
What two translators do differently
===================================

Train one translator on recordings of one group of people and another on those of a second group, and both turn the
same simulations into two kinds of muscle. Where their difference maps differ is what the groups differ in. Two
stand-ins take the place of trained translators here: both add noise, and the second also damps the motion below
18 mm, as a stiffer deep muscle would.
"""

import matplotlib.pyplot as plt
import numpy as np

import myovivo as mv
from myovivo import plot
from myovivo.evaluation import nulls
from myovivo.evaluation.bootstrap import mean_interval

grid = {"grid.depth": 0.03, "grid.width": 0.03, "grid.rows": 48, "grid.columns": 48, "grid.frames": 64}
simulations = [mv.simulate(seed=seed, **grid) for seed in range(24)]
depth = (np.arange(48) + 0.5) * simulations[0].spacing[0]
damping = np.where(depth > 0.018, 0.5, 1.0).astype(np.float32)[:, None]
young = [nulls.noise_added(one, 10, seed=k) for k, one in enumerate(simulations)]
old = [nulls.noise_added(one, 10, seed=50 + k) for k, one in enumerate(simulations)]
old = [one.replace(velocity=damping * one.velocity) for one in old]

# %%
# A difference map for each test sequence. Its mean has a confidence interval by subject: where other
# simulations would have put it.

a = mv.difference_maps(simulations, young, absolute=True)
b = mv.difference_maps(simulations, old, absolute=True)

# %%
# Both translated the same simulations, so every simulation is its own control, and signs are flipped at
# random. p is corrected for the number of pixels, and of depths.

result = mv.compare_groups(a, b)
print(result)

fig, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
for stack, colour in ((a, plot.TRANSLATED), (b, plot.SILICO)):
    interval = mean_interval(stack.profiles(), stack.subjects)
    plot.depth_band(depth, *interval, left, colour=colour, label="|translated − silico|")
left.set_title("young (blue) and old, 95 % intervals")
plot.difference_map(result.difference, result.spacing, middle, label="young − old")
plot.significance(result.p, result.spacing, middle)
middle.set_title("outlined: p ≤ 0.05")
plot.depth_band(result.depth, result.profile, result.low, result.high, right, label="young − old", p=result.profile_p)
right.set_title("depths with p ≤ 0.05 marked")
plt.show()
