"""The mechanics of the phantom against analytic cases."""

import numpy as np
import pytest
from scipy.fft import dctn, idctn

from myovivo.errors import InputError
from myovivo.phantoms.elasticity import Boundary, ElasticSlice

BOX = Boundary("roller", "roller", "roller", "roller")


def test_swelling_layers_between_rollers_solve_the_one_dimensional_problem_exactly():
    rows, spacing, poisson = 24, (0.5e-3, 0.7e-3), 0.49
    young = np.repeat([1.0, 5.0, 0.3, 2.0], rows // 4)
    strain = np.repeat([0.0, 0.01, 0.0, 0.004], rows // 4)
    slice_ = ElasticSlice(np.tile(young[:, None], (1, 10)), spacing, poisson, BOX)
    downward, lateral = slice_.displacement(np.tile(strain[None, :, None], (1, 1, 10)))
    # Stress is constant in depth and the layers' thickness changes add up to nothing.
    lame, shear = young * poisson / ((1 + poisson) * (1 - 2 * poisson)), young / (2 * (1 + poisson))
    modulus, blocked = lame + 2 * shear, 2 * (lame + shear) * strain
    stress = -np.sum(blocked / modulus) / np.sum(1 / modulus)
    stretch = (stress + blocked) / modulus * spacing[0]
    expected = np.cumsum(stretch) - stretch / 2
    assert np.allclose(downward[0], expected[:, None], atol=1e-12)
    assert np.allclose(lateral, 0, atol=1e-12)


def test_rows_of_any_height_solve_the_one_dimensional_problem_exactly():
    height, poisson = np.array([0.5, 0.3, 1.7, 0.4, 2.0, 0.9]) * 1e-3, 0.49
    young, strain = np.array([1.0, 5.0, 0.3, 2.0, 1.0, 0.7]), np.array([0.0, 0.01, 0.0, 0.004, 0.002, 0.0])
    widths = np.array([1.0, 0.2, 3.0, 0.7]) * 1e-3
    slice_ = ElasticSlice(np.tile(young[:, None], (1, 4)), (height, widths), poisson, BOX)
    downward, lateral = slice_.displacement(np.tile(strain[None, :, None], (1, 1, 4)))
    lame, shear = young * poisson / ((1 + poisson) * (1 - 2 * poisson)), young / (2 * (1 + poisson))
    modulus, blocked = lame + 2 * shear, 2 * (lame + shear) * strain
    stress = -np.sum(blocked / modulus * height) / np.sum(height / modulus)
    stretch = (stress + blocked) / modulus * height
    assert np.allclose(downward[0], (np.cumsum(stretch) - stretch / 2)[:, None], atol=1e-12)
    assert np.allclose(lateral, 0, atol=1e-12)


def test_a_disc_moves_cells_that_grow_outside_of_it_as_it_moves_small_ones():
    step, n = 0.5e-3, 40
    growing = step * 1.2 ** np.arange(1, 14)
    sides = {"small": np.full(round(growing.sum() / step), step), "growing": growing}
    moved = {}
    for name, side in sides.items():
        widths = np.concatenate([side[::-1], np.full(n, step), side])
        middle = np.cumsum(widths) - widths / 2 - side.sum() - n * step / 2
        strain = 0.01 * (np.hypot(middle[:, None], middle[None, :] + 0.004) <= 0.004)
        slice_ = ElasticSlice(np.ones((len(widths), len(widths))), (widths, widths), 0.49, Boundary())
        image = slice(len(side), len(side) + n)
        moved[name] = slice_.displacement(strain[None])[0][0][image, image]
    assert np.abs(moved["growing"] - moved["small"]).max() < 0.03 * np.abs(moved["small"]).max()


@pytest.mark.parametrize("poisson", [0.3, 0.45, 0.49])
def test_a_swelling_disc_in_a_box_matches_the_potential_solution(poisson):
    # In homogeneous tissue u = grad(phi), (lambda + 2 mu) laplace(phi) = 2 (lambda + mu) e + constant,
    # and rollers make phi even across each side: a cosine series solves it.
    n, step = 96, 0.4e-3
    z, x = (np.indices((n, n)) + 0.5) * step
    eigenstrain = 0.01 / (1 + np.exp((np.hypot(z - 0.016, x - 0.022) - 0.005) / (1.5 * step)))  # a soft-edged disc
    lame, shear = poisson / ((1 + poisson) * (1 - 2 * poisson)), 1 / (2 * (1 + poisson))
    source = dctn(2 * (lame + shear) / (lame + 2 * shear) * eigenstrain, norm="ortho")
    k = np.pi * np.arange(n) / (n * step)
    k2 = k[:, None] ** 2 + k[None, :] ** 2
    k2[0, 0] = 1.0
    source[0, 0] = 0.0
    phi = idctn(-source / k2, norm="ortho")
    expected = np.gradient(phi, step)
    found = ElasticSlice(np.ones((n, n)), (step, step), poisson, BOX).displacement(eigenstrain[None])
    inner = (slice(2, -2), slice(2, -2))
    scale = np.abs(expected[0]).max()
    for a, b in zip(found, expected, strict=True):
        assert np.abs(a[0] - b)[inner].max() < 0.02 * scale


def test_nearly_incompressible_tissue_does_not_lock_and_keeps_its_area():
    # Far from everything, a disc of in-plane strain e in incompressible tissue moves its rim by e R and the
    # tissue at r by e R^2 / r: what it gains in area passes through every circle.
    n, step, radius = 160, 0.5e-3, 0.006
    z, x = (np.indices((n, n)) + 0.5) * step - n * step / 2
    r = np.hypot(z, x)
    free = Boundary("free", "free", "free", "free")
    free = free._replace(
        bottom="roller", left="roller"
    )  # a quarter turn of symmetry is not needed, only no rigid motion
    slice_ = ElasticSlice(np.ones((n, n)), (step, step), 0.499, free)
    down, right = slice_.displacement(0.01 * (r <= radius)[None].astype(float))
    down, right = down[0] - down[0][n // 2, n // 2], right[0] - right[0][n // 2, n // 2]
    ring = (r > 1.5 * radius) & (r < 2 * radius)
    radial = (down * z + right * x) / r
    assert np.mean((radial * r)[ring]) == pytest.approx(0.01 * radius**2, rel=0.05)


def test_stiffness_must_be_positive():
    with pytest.raises(InputError, match="stiffness must be positive"):
        ElasticSlice(np.zeros((4, 4)), (1e-3, 1e-3), 0.45)
