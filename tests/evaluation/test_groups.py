"""Two translators compared: a planted difference is found where it is, and none is found where there is none."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from myovivo.errors import InputError
from myovivo.evaluation.groups import compare_groups
from myovivo.evaluation.maps import MapStack

SPACING = (0.0005, 0.00025)
SIZE = (8, 6)
PLANTED = np.zeros(SIZE, bool)
PLANTED[5:7, 1:5] = True


def stack(maps, group=""):
    names = tuple(f"{group}{k:02d}" for k in range(len(maps)))
    return MapStack(np.asarray(maps, float), names, names, SPACING)


def noise(rng, count):
    """Maps whose pixels resemble their neighbours', as real ones do."""
    return gaussian_filter(rng.standard_normal((count, *SIZE)), (0, 1, 1)) * 3


def pairs(seed, count=12, size=0.0):
    """Two translators of the same simulations: what each simulation's maps share is no difference."""
    rng = np.random.default_rng((seed, 1))
    shared = 10 * noise(rng, count)
    return stack(shared + noise(rng, count) + size * PLANTED), stack(shared + noise(rng, count))


def strangers(seed, count=10, size=0.0):
    rng = np.random.default_rng((seed, 1))
    return stack(noise(rng, count) + size * PLANTED, "a"), stack(noise(rng, count + 2), "b")


@pytest.mark.parametrize(("make", "paired"), [(pairs, True), (strangers, False)])
def test_a_planted_difference_is_found_where_it_is(make, paired):
    result = compare_groups(*make(1, size=5.0))
    assert result.paired is paired
    found = result.p <= 0.05
    assert found[PLANTED].all()
    assert not found[~PLANTED].any()
    np.testing.assert_allclose(result.difference[PLANTED], 5.0, atol=1.5)
    assert set(np.flatnonzero(result.profile_p <= 0.05)) == {5, 6}
    # The difference fills four of six columns.
    assert np.all((result.low[5:7] < 5 * 4 / 6) & (result.high[5:7] > 5 * 4 / 6))
    assert result.depth[5] == pytest.approx(5.5 * SPACING[0])
    assert "2 of 8 depths differ" in str(result)


def test_the_direction_is_a_minus_b():
    a, b = pairs(2, size=5.0)
    there, back = compare_groups(a, b), compare_groups(b, a)
    np.testing.assert_allclose(there.difference, -back.difference)
    np.testing.assert_array_equal(there.p, back.p)  # two-sided


@pytest.mark.parametrize("make", [pairs, strangers])
def test_without_a_difference_anything_is_found_as_rarely_as_promised(make):
    least, over_depth = np.array(
        [
            (result.p.min(), result.profile_p.min())
            for result in (compare_groups(*make(seed), permutations=200, seed=seed) for seed in range(300))
        ]
    ).T
    for p in (least, over_depth):
        for alpha in (0.05, 0.2, 0.5):
            share = np.mean(p <= alpha)
            # The share of 300 comparisons that find anything anywhere: alpha, within three of its SDs.
            assert abs(share - alpha) < 3 * np.sqrt(alpha * (1 - alpha) / 300)


def test_a_subject_counts_once_and_its_sequences_are_no_evidence_of_their_own():
    a, b = pairs(3, count=6)
    twenty = [np.repeat(one.maps, 20, axis=0) for one in (a, b)]
    names, subjects = tuple(f"n{k}" for k in range(120)), tuple(np.repeat(a.subjects, 20).tolist())
    many = [MapStack(maps, names, subjects, SPACING) for maps in twenty]
    once, often = compare_groups(a, b), compare_groups(*many)
    assert often.subjects == (6, 6)
    np.testing.assert_allclose(often.p, once.p)


def test_pixels_that_do_not_differ_at_all_have_no_say():
    a, b = pairs(4, size=5.0)
    for one in (a, b):
        one.maps[:, 0] = 0.0
    assert np.all(compare_groups(a, b).p[0] == 1.0)


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (stack(np.zeros((8, 4, 4))), stack(np.zeros((8, 4, 5))), "must share a size"),
        (stack(np.zeros((8, 4, 4))), stack(np.zeros((9, 4, 4))), "8 common subjects of 8 and 9"),
        (stack(np.zeros((5, 4, 4))), stack(np.zeros((5, 4, 4))), "take 6 pairs"),
        (stack(np.zeros((3, 4, 4)), "a"), stack(np.zeros((3, 4, 4)), "b"), "got 3 and 3"),
    ],
)
def test_groups_that_cannot_be_compared(a, b, words):
    with pytest.raises(InputError, match=words) as caught:
        compare_groups(a, b)
    assert "\n" not in str(caught.value)
