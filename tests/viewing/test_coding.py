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
    quantised,
    whole_steps,
)
from myovivo.viewing.colours import ANCHORS, LEVELS, colour_table, coloured

SIZE = (6, 5)


def velocities(frames, seed=0):
    return np.random.default_rng(seed).normal(0, 1e-3, (frames, *SIZE)).astype(np.float32)


@pytest.mark.parametrize("frames", [1, BLOCK_FRAMES, BLOCK_FRAMES + 1, 3 * BLOCK_FRAMES - 1])
def test_every_frame_comes_back_to_half_a_step(frames):
    velocity = velocities(frames)
    scale = quantised(velocity)
    blocks = list(coded_blocks(velocity, scale.step))
    assert len(blocks) == -(-frames // BLOCK_FRAMES)
    steps = np.concatenate([decoded_block(block.text, SIZE) for block in blocks])
    np.testing.assert_array_equal(steps, whole_steps(velocity, scale.step))
    assert np.abs(steps * scale.step - velocity).max() <= 0.5001 * scale.step
    assert np.abs(steps).max() == 127
    assert scale.beyond == 0


def test_the_sums_of_the_blocks_are_those_of_the_velocity():
    velocity = velocities(150)
    blocks = list(coded_blocks(velocity, 1e-5))
    np.testing.assert_allclose(sum(block.total for block in blocks), velocity.sum(0, dtype=float))
    np.testing.assert_allclose(sum(block.squares for block in blocks), np.square(velocity.astype(float)).sum(0))


def test_the_frames_of_a_block_are_coded_as_differences():
    velocity = np.broadcast_to(velocities(1), (BLOCK_FRAMES, *SIZE))
    (block,) = coded_blocks(velocity, quantised(velocity).step)
    raw = np.frombuffer(zlib.decompress(base64.b64decode(block.text)), np.uint8).reshape(-1, *SIZE)
    assert raw[0].any()
    assert not raw[1:].any()


def test_an_outlier_takes_no_steps_from_the_rest_and_is_counted():
    velocity = velocities(600)
    usual = quantised(velocity)
    velocity[3, 2, 1], velocity[4, 2, 1] = 0.142, -0.1
    scale = quantised(velocity)
    assert scale.peak == pytest.approx(0.142)
    assert scale.beyond == 2
    assert scale.step < 4.5 * usual.step
    assert whole_steps(velocity, scale.step)[3, 2, 1] == 127
    assert whole_steps(velocity, scale.step)[4, 2, 1] == -127


def test_a_sequence_that_stands_still_can_be_coded():
    velocity = np.zeros((3, *SIZE), np.float32)
    scale = quantised(velocity)
    assert scale.step > 0
    (block,) = coded_blocks(velocity, scale.step)
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
