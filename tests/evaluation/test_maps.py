"""Maps with known values, and what they refuse."""

import numpy as np
import pytest

from myovivo.errors import FileError, InputError
from myovivo.evaluation import maps
from myovivo.sequences.sequence import Sequence

SPACING = (0.0005, 0.00025)


def sequence(velocity, frame_rate=512.0, origin="silico"):
    return Sequence(velocity, frame_rate, SPACING, origin=origin)


def unequal(one):
    return [one, one.replace(velocity=one.velocity[:, 1:])]


@pytest.fixture
def pair():
    rng = np.random.default_rng(1)
    return tuple(sequence(1e-3 * rng.standard_normal((150, 6, 5))) for _ in range(2))


def test_variance_of_a_known_oscillation_in_si_units():
    amplitude = np.outer([1e-3, 2e-3], [1.0, 3.0])
    velocity = amplitude * np.tile([1.0, -1.0], 20)[:, None, None]
    np.testing.assert_allclose(maps.variance_map(sequence(velocity)), amplitude**2, rtol=1e-6)


def test_signed_difference_of_a_constant_offset_is_the_offset(pair):
    silico, _ = pair
    translated = silico.replace(velocity=silico.velocity + np.float32(2e-3))
    np.testing.assert_allclose(maps.difference_map(silico, translated), 2e-3, rtol=1e-4)
    np.testing.assert_allclose(maps.difference_map(translated, silico), -2e-3, rtol=1e-4)
    np.testing.assert_allclose(maps.difference_map(translated, silico, absolute=True), 2e-3, rtol=1e-4)


def test_an_alternating_difference_cancels_only_when_signed(pair):
    silico, _ = pair
    alternating = 1e-3 * np.tile([1.0, -1.0], 75)[:, None, None].astype(np.float32)
    translated = silico.replace(velocity=silico.velocity + alternating)
    np.testing.assert_allclose(maps.difference_map(silico, translated), 0.0, atol=1e-9)
    np.testing.assert_allclose(maps.difference_map(silico, translated, absolute=True), 1e-3, rtol=1e-4)


def test_difference_equals_its_definition(pair):
    silico, translated = pair
    difference = translated.velocity.astype(float) - silico.velocity
    np.testing.assert_allclose(maps.difference_map(silico, translated), difference.mean(axis=0), atol=1e-15)
    np.testing.assert_allclose(maps.difference_map(silico, translated, True), np.abs(difference).mean(axis=0))


def test_similarity_is_the_sum_over_frames(pair):
    silico, translated = pair
    difference = translated.velocity.astype(float) - silico.velocity
    np.testing.assert_allclose(maps.similarity_map(silico, translated), difference.sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(maps.similarity_map(silico, translated, True), np.abs(difference).sum(axis=0))


def test_standardised_difference_uses_the_constants_of_each_domain(pair):
    silico, translated = pair
    constants = {"silico": (1e-4, 1e-3), "vivo": {"mean": -2e-4, "std": 5e-4}}
    expected = (translated.velocity.astype(float) + 2e-4) / 5e-4 - (silico.velocity.astype(float) - 1e-4) / 1e-3
    np.testing.assert_allclose(
        maps.difference_map(silico, translated, standardisation=constants), expected.mean(axis=0)
    )


def test_difference_maps_are_those_of_the_pairs_found_by_name(pair, tmp_path):
    silico, translated = pair
    for name, one in {"a": silico.replace(subject="s1"), "b": translated, "c": silico}.items():
        one.save(tmp_path / "silico" / f"{name}.h5")
    for name, one in {"b": silico, "a": translated}.items():
        one.save(tmp_path / "translated" / f"{name}.h5")
    found = maps.difference_maps(tmp_path / "silico", tmp_path / "translated", absolute=True)
    expected = [maps.difference_map(silico, translated, True), maps.difference_map(translated, silico, True)]
    np.testing.assert_allclose(found.maps, expected, atol=1e-12)
    assert (found.names, found.subjects, found.spacing) == (("a", "b"), ("s1", "b"), SPACING)
    np.testing.assert_allclose(found.profiles()[0], maps.depth_profile(expected[0], SPACING)[1])
    memory = maps.difference_maps([silico, translated], [translated, silico], absolute=True)
    np.testing.assert_allclose(memory.maps, found.maps, atol=1e-12)


def test_depth_profile_runs_over_depth_in_metres():
    values = np.array([[1.0, 3.0], [5.0, 5.0], [-2.0, 0.0]])
    depth, mean, sd = maps.depth_profile(values, SPACING)
    np.testing.assert_allclose(depth, [0.00025, 0.00075, 0.00125])
    np.testing.assert_allclose(mean, [2.0, 5.0, -1.0])
    np.testing.assert_allclose(sd, [1.0, 0.0, 1.0])


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda a, b: maps.difference_map(a, b.replace(velocity=b.velocity[1:])), InputError, "same shape"),
        (lambda a, b: maps.difference_map(a, b.replace(frame_rate=256.0)), InputError, "frame rate"),
        (lambda a, b: maps.difference_map(a, b, standardisation={"vivo": (0, 1)}), InputError, "no silico"),
        (lambda a, b: maps.variance_map("missing.h5"), FileError, "does not exist"),
        (lambda a, b: maps.difference_maps([a], [b, b][:0]), InputError, "at least one sequence"),
        (lambda a, b: maps.difference_maps(unequal(a), unequal(b)), InputError, "must share a size"),
        (lambda a, b: maps.depth_profile(a.velocity, SPACING), InputError, r"\(Z, X\)"),
        (lambda a, b: maps.depth_profile(a.velocity[0], (0.0, 1.0)), InputError, "spacing must be positive"),
    ],
)
def test_what_breaks_a_rule_is_refused_in_one_line(pair, call, kind, words):
    with pytest.raises(kind, match=words) as caught:
        call(*pair)
    assert "\n" not in str(caught.value)
