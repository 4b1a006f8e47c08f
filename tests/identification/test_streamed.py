"""A long sequence is decomposed bit by bit, and comes out as if it had been at once."""

import numpy as np
import pytest

import myovivo as mv
from myovivo.errors import InputError
from myovivo.identification.decompose import low_rank
from myovivo.identification.streamed import BLOCK, OVERLAP, streamed_low_rank
from myovivo.signals.band_pass import Band, filtered

BAND = (5.0, 50.0)


@pytest.fixture(scope="module")
def long():
    """Four and a half seconds of five units, some of it noise."""
    grid = {"grid.frames": 2304, "grid.rows": 24, "grid.columns": 24, "firing.units": (5, 5)}
    return mv.simulate(seed=3, **grid, **{"noise.snr_db": 20.0})


def streamed(sequence, components, band=BAND):
    return streamed_low_rank(
        lambda start, stop: sequence.velocity[start:stop], len(sequence), sequence.frame_rate, band, components
    )


@pytest.mark.parametrize("band", [BAND, None])
def test_bit_by_bit_is_as_at_once(long, band):
    bits = streamed(long, 5, band)
    at_once = low_rank(filtered(long.velocity, Band(band, len(long), long.frame_rate)), 5)
    difference = bits.courses.T @ bits.maps - at_once.courses.T @ at_once.maps
    assert np.linalg.norm(difference) < 0.01 * np.linalg.norm(at_once.courses)
    assert len(streamed(long, None, band).maps) == len(low_rank(long.velocity, None).maps)
    np.testing.assert_allclose(bits.maps @ bits.maps.T, np.eye(5), atol=1e-5)


def test_no_more_frames_are_read_at_a_time_than_a_block_and_its_surroundings(long):
    spans = []

    def read(start, stop):
        spans.append(stop - start)
        return long.velocity[start:stop]

    streamed_low_rank(read, len(long), long.frame_rate, BAND, 5)
    assert max(spans) <= BLOCK + 2 * OVERLAP < len(long)


def test_a_file_gives_the_same_units_as_the_sequence_and_its_labels_are_not_needed(long, tmp_path):
    units, of_file = mv.identify(long), mv.identify(long.replace(labels=None).save(tmp_path / "long.h5"))
    assert units.source.shape == of_file.source.shape == (len(units), len(long))
    assert units.weight.tobytes() == of_file.weight.tobytes()
    assert units.agreement(long).rate > 0.9


def test_nothing_moves_in_a_long_sequence_either(long):
    with pytest.raises(InputError, match="nothing moves"):
        streamed(long.replace(velocity=0 * long.velocity), None)
