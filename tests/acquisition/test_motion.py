"""Displacement of pictures: known ones are measured back, and nothing is made up where nothing is seen."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, map_coordinates

from myovivo.acquisition.inputs import Images
from myovivo.acquisition.lucas_kanade import box_sum, displacement
from myovivo.acquisition.motion import Motion

SIZE, MARGIN = (96, 112), 20


def texture(seed=0):
    rng = np.random.default_rng(seed)
    picture = gaussian_filter(rng.standard_normal([side + 2 * MARGIN for side in SIZE]), 1.5)
    return (picture - picture.min()) / np.ptp(picture)


def moved_pair(down, right, picture=None):
    """Two pictures (1, Z, X): what the first shows at p the second shows at p + d."""
    picture = texture() if picture is None else picture
    z, x = np.mgrid[: SIZE[0], : SIZE[1]] + MARGIN
    first = map_coordinates(picture, [z + down, x + right], order=3)
    second = picture[MARGIN:-MARGIN, MARGIN:-MARGIN]
    return [torch.from_numpy(frame.astype(np.float32))[None] for frame in (first, second)]


@pytest.mark.parametrize("down", [0.0, 0.3, -0.5, 2.0, -7.4])
def test_a_shift_is_measured_back(down):
    moved = displacement(*moved_pair(down, -0.7 * down), radius=6)[0].numpy()
    inner = np.s_[10:-10, 10:-10]
    assert np.sqrt(np.mean((moved[0][inner] - down) ** 2)) < 0.02
    assert np.sqrt(np.mean((moved[1][inner] + 0.7 * down) ** 2)) < 0.02
    # At the edges, where the match lies beyond the picture, no pixel makes anything up.
    assert np.abs(moved[0] - down).max() < 0.5


def test_a_strain_is_measured_back():
    z, x = np.mgrid[: SIZE[0], : SIZE[1]] - np.array(SIZE)[:, None, None] / 2
    moved = displacement(*moved_pair(0.02 * z, -0.02 * x), radius=6)[0].numpy()
    inner = np.s_[8:-8, 8:-8]
    assert np.polyfit(z[inner].ravel(), moved[0][inner].ravel(), 1)[0] == pytest.approx(0.02, rel=0.02)
    assert np.polyfit(x[inner].ravel(), moved[1][inner].ravel(), 1)[0] == pytest.approx(-0.02, rel=0.02)


def test_where_nothing_is_seen_nothing_moves_wildly():
    # A corner without echoes but for the rounding noise of a video: its equations are all but singular.
    picture = texture()
    before, after = moved_pair(0.5, 0.2, picture)
    rng = np.random.default_rng(3)
    for frame in (before, after):
        frame[:, 50:, 60:] = torch.from_numpy(rng.integers(0, 2, frame[:, 50:, 60:].shape).astype(np.float32) / 255)
    moved = displacement(before, after, radius=6)[0]
    assert moved.abs().max() < 1.5
    still = torch.zeros(1, *SIZE)
    assert displacement(still, still, radius=6).abs().max() == 0


def test_sums_of_windows():
    values = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 9, 11)).astype(np.float32))
    for radius in (0, 1, 2, 3, 8):
        sums = box_sum(values, radius)
        for z, x in ((0, 0), (4, 5), (8, 10)):
            window = values[:, max(0, z - radius) : z + radius + 1, max(0, x - radius) : x + radius + 1]
            assert torch.allclose(sums[:, z, x], window.sum((1, 2)), atol=1e-5)


def clip_of(frames, count):
    """A clip that comes `count` frames at a time."""
    blocks = [frames[start : start + count] for start in range(0, len(frames), count)]
    return Images(lambda: iter(blocks), frames.shape, 50.0, (1e-4, 1e-4))


def swinging(frames=12):
    shifts = np.cumsum(np.linspace(-1, 1, frames))
    pairs = [moved_pair(-down, 0.0)[0].numpy()[0] for down in shifts]
    return np.rint(255 * np.clip(pairs, 0, 1)).astype(np.uint8)


def test_velocity_is_the_same_in_any_blocks_and_threads():
    frames = swinging()
    whole = np.concatenate(list(Motion(clip_of(frames, 12), 1.5e-3, quiet=True).blocks()))
    assert whole.shape[0] == 11
    before = torch.get_num_threads()
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            for count in (1, 5, 12):
                velocity = np.concatenate(list(Motion(clip_of(frames, count), 1.5e-3, quiet=True).blocks()))
                assert np.array_equal(velocity, whole)
    finally:
        torch.set_num_threads(before)
    # Towards the probe is upwards; the pictures of 0.1 mm came 50 times a second.
    expected = -np.diff(np.cumsum(np.linspace(-1, 1, 12))) * 1e-4 * 50
    assert whole[:, 3:-3, 3:-3].mean((1, 2)) == pytest.approx(expected, abs=0.02 * np.abs(expected).max())


def test_grey_levels_of_16_bits_move_as_those_of_8():
    frames = swinging()
    fine = frames.astype(np.uint16) * 16  # 12 bits used of 16
    velocities = [
        np.concatenate(list(Motion(clip_of(some, 6), 1.5e-3, quiet=True).blocks())) for some in (frames, fine)
    ]
    assert np.abs(velocities[0] - velocities[1]).max() < 1e-3 * np.abs(velocities[0]).max()


def test_the_extent_of_the_picture_stays():
    frames = np.zeros((3, 95, 111), np.uint8)
    motion = Motion(clip_of(frames, 3), 1.5e-3, 0.15e-3, quiet=True)
    assert np.multiply(motion.shape[1:], motion.spacing) == pytest.approx((95e-4, 111e-4))
    assert max(motion.spacing) <= 0.15e-3 + 1e-9
