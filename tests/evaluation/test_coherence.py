"""Coherence over distance: a known correlation length is measured back, and a gain changes nothing."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from myovivo.errors import InputError
from myovivo.evaluation import coherence as module
from myovivo.evaluation.coherence import coherence
from myovivo.evaluation.crossing import cross_rms


def test_it_is_the_mean_correlation_of_all_pairs():
    velocity = np.random.default_rng(0).standard_normal((100, 6, 5)).astype(np.float32)
    velocity[:, 1:] += velocity[:, :-1]
    found = coherence(velocity + 3)
    r = np.corrcoef(velocity.reshape(100, -1).T).reshape(6, 5, 6, 5)
    axial = [np.mean([r[z, x, z + d, x] for z in range(6 - d) for x in range(5)]) for d in (1, 2, 3)]
    lateral = [np.mean([r[z, x, z, x + d] for z in range(6) for x in range(5 - d)]) for d in (1, 2)]
    np.testing.assert_allclose(found.axial, axial, atol=1e-5)
    np.testing.assert_allclose(found.lateral, lateral, atol=1e-5)


@pytest.mark.parametrize("size", [(2, 2), (9, 4), (7, 26), (33, 13)])
def test_products_of_whole_lines_add_up_what_the_pairs_do_whatever_the_size_the_blocks_and_the_still_pixels(
    size, monkeypatch
):
    rng = np.random.default_rng(3)
    velocity = rng.standard_normal((50, *size)) + rng.standard_normal((50, 1, 1))
    velocity[:, rng.random(size) < 0.3] = 0.3
    monkeypatch.setattr(module, "_BLOCK_VALUES", 7 * size[0] * size[1])  # 50 frames are no multiple of 7
    unit = velocity - velocity.mean(axis=0)
    norm = np.sqrt(np.square(unit).sum(axis=0))
    moving = norm > 1e-9
    unit = np.where(moving, unit / np.where(moving, norm, 1.0), 0.0)

    def by_pairs(unit, moving):  # along the rows
        for d in range(1, len(moving) // 2 + 1):
            pairs = (moving[d:] & moving[:-d]).sum()
            yield (unit[:, d:] * unit[:, :-d]).sum() / pairs if pairs else 0.0

    found = coherence(velocity)
    np.testing.assert_allclose(found.axial, list(by_pairs(unit, moving)), atol=1e-12)
    np.testing.assert_allclose(found.lateral, list(by_pairs(unit.swapaxes(1, 2), moving.T)), atol=1e-12)


def test_single_precision_is_enough():
    white = np.random.default_rng(4).standard_normal((200, 40, 30))
    velocity = (gaussian_filter1d(white, 3.0, axis=1) + 20.0).astype(np.float32)
    np.testing.assert_allclose(coherence(velocity).curve(), coherence(velocity.astype(float)).curve(), atol=1e-7)


def test_a_known_correlation_length_is_measured_back():
    """White noise smoothed by a Gaussian of SD s correlates as exp(−d² / 4 s²)."""
    white = np.random.default_rng(1).standard_normal((300, 60, 40))
    velocity = gaussian_filter1d(gaussian_filter1d(white, 4.0, axis=1, mode="wrap"), 2.0, axis=2, mode="wrap")
    found = coherence(velocity)
    for curve, width in ((found.axial, 4.0), (found.lateral, 2.0)):
        distance = np.arange(1, len(curve) + 1)
        wrapped = np.exp(-(distance**2) / (4 * width**2)) + np.exp(-((2 * len(curve) - distance) ** 2) / (4 * width**2))
        np.testing.assert_allclose(curve, wrapped, atol=0.02)


def test_no_gain_or_offset_of_a_pixel_changes_it_but_still_pixels_are_left_out():
    rng = np.random.default_rng(2)
    velocity = rng.standard_normal((80, 8, 8)) + 2 * rng.standard_normal((80, 1, 1))
    scaled = velocity * rng.uniform(0.1, 10, (8, 8)) + rng.standard_normal((8, 8))
    np.testing.assert_allclose(coherence(scaled).curve(), coherence(velocity).curve(), atol=1e-12)
    still = velocity.copy()
    still[:, :4] = 0.3
    np.testing.assert_allclose(coherence(still).lateral, coherence(velocity[:, 4:]).lateral)
    assert not coherence(np.zeros((8, 4, 4))).curve().any()


def test_tissue_pushed_apart_counts_against_tissue_that_moves_together():
    course = np.sin(np.arange(64))[:, None, None]
    velocity = course * np.where(np.arange(8) < 4, 1.0, -1.0)[:, None] * np.ones(8)
    np.testing.assert_allclose(coherence(velocity).axial, [5 / 7, 2 / 6, -1 / 5, -1.0])
    np.testing.assert_allclose(coherence(velocity).lateral, 1.0)


def test_crossing_is_the_root_mean_square():
    a, b = np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 0.0]])
    np.testing.assert_allclose(cross_rms(a, b), [[0.0], [np.sqrt(12.5)]])


def test_an_image_of_one_row_is_refused():
    with pytest.raises(InputError, match="at least 2 pixels a side"):
        coherence(np.ones((8, 1, 5)))
