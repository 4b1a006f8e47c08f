"""Frames come back to half a step, outliers are told of, and colours are those of the table."""

import base64
import zlib

import numpy as np
import pytest

from myovivo.viewing.coding import (
    BLOCK_FRAMES,
    coded_blocks,
    coded_map,
    coded_mask,
    decoded_block,
    steps_for,
)
from myovivo.viewing.colours import ANCHORS, LEVELS, colour_table, coloured

SIZE = (6, 5)


def velocities(frames, seed=0):
    return np.random.default_rng(seed).normal(0, 1e-3, (frames, *SIZE)).astype(np.float32)


@pytest.mark.parametrize("frames", [1, BLOCK_FRAMES, BLOCK_FRAMES + 1, 3 * BLOCK_FRAMES - 1])
def test_every_frame_comes_back_to_half_a_step(frames):
    velocity = velocities(frames)
    steps = steps_for(velocity)
    blocks = list(coded_blocks(velocity, steps))
    assert len(blocks) == -(-frames // BLOCK_FRAMES)
    numbers = np.concatenate([decoded_block(block.text, SIZE) for block in blocks])
    np.testing.assert_array_equal(numbers, steps.numbers(velocity))
    assert np.abs(numbers).max() == 127
    size = steps.velocity(np.abs(numbers.astype(int)) + 1) - steps.velocity(np.abs(numbers.astype(int)))
    assert np.all(np.abs(steps.velocity(numbers) - velocity) <= 0.501 * size)
    assert steps.least == pytest.approx(steps.velocity(1))


def test_the_sums_of_the_blocks_are_those_of_the_velocity():
    velocity = velocities(150)
    blocks = list(coded_blocks(velocity, steps_for(velocity)))
    np.testing.assert_allclose(sum(block.total for block in blocks), velocity.sum(0, dtype=float))
    np.testing.assert_allclose(sum(block.squares for block in blocks), np.square(velocity.astype(float)).sum(0))


def test_the_frames_of_a_block_are_coded_as_differences():
    velocity = np.broadcast_to(velocities(1), (BLOCK_FRAMES, *SIZE))
    (block,) = coded_blocks(velocity, steps_for(velocity))
    raw = np.frombuffer(zlib.decompress(base64.b64decode(block.text)), np.uint8).reshape(-1, *SIZE)
    assert raw[0].any()
    assert not raw[1:].any()


def test_rounding_is_small_beside_the_motion_with_and_without_outliers():
    velocity = velocities(600)
    for outlier, most in ((None, 0.015), (0.142, 0.06)):
        if outlier:
            velocity[3, 2, 1], velocity[4, 2, 1] = outlier, -0.1
        steps = steps_for(velocity)
        wrong = steps.velocity(steps.numbers(velocity)) - velocity
        usual = np.abs(velocity) < 0.01
        assert wrong[usual].std() < most * velocity[usual].std()
        np.testing.assert_allclose((velocity + wrong)[~usual], velocity[~usual], rtol=0.02)  # nothing is cut off


def test_a_sequence_that_stands_still_can_be_coded():
    velocity = np.zeros((3, *SIZE), np.float32)
    (block,) = coded_blocks(velocity, steps_for(velocity))
    assert not decoded_block(block.text, SIZE).any()


def test_maps_and_masks_come_back():
    values = velocities(1)[0]
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(coded_map(values)), "<f4").reshape(SIZE), values)
    bits = np.unpackbits(np.frombuffer(base64.b64decode(coded_mask(values > 0)), np.uint8))[: values.size]
    np.testing.assert_array_equal(bits.reshape(SIZE).astype(bool), values > 0)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_colours_of_velocity_are_symmetric_in_lightness_and_go_from_blue_to_orange(name):
    table = colour_table(name).astype(int)
    light = table @ [0.2126, 0.7152, 0.0722]
    assert len(table) == LEVELS
    towards = np.sign(light[0] - light[127])  # away from zero both arms go the same way
    assert np.all(towards * np.diff(light[:127]) < 1)
    assert np.all(towards * np.diff(light[128:]) > -1)
    assert table[40, 2] > table[40, 0] + 40  # blue away from the probe
    assert table[214, 0] > table[214, 2] + 40  # orange towards it


def test_colours_start_and_end_with_their_anchors_and_hold_what_is_beyond():
    for name, anchors in ANCHORS.items():
        table = colour_table(name)
        for row, code in ((0, anchors[0]), (-1, anchors[-1])):
            expected = [int(code[at : at + 2], 16) for at in (1, 3, 5)]
            np.testing.assert_allclose(table[row].astype(int), expected, atol=1)
    table = colour_table("light")
    np.testing.assert_array_equal(coloured([-9, -1, 0, 1, 9], 1.0, "light"), table[[0, 0, 127, 254, 254]])
