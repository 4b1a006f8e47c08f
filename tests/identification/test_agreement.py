"""Rate of agreement, lag, matching, chance and Jaccard index: by hand, by property, and against an oracle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myovivo.errors import InputError
from myovivo.identification.agreement import Agreement, compare_units, jaccard, rate_of_agreement

DURATION = 4.0


def train(seed, rate=10.0, duration=DURATION):
    times = np.cumsum(np.random.default_rng(seed).normal(1 / rate, 0.2 / rate, int(2 * rate * duration)))
    return times[times < duration]


@pytest.mark.parametrize(
    ("found", "true", "rate"),
    [
        ([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], 1.0),
        ([0.1, 0.2], [0.1, 0.2, 0.3, 0.4], 0.5),  # 2 common, 2 missed
        ([0.1, 0.25], [0.1, 0.2], 1 / 3),  # 1 common, 1 of each alone
        ([0.105], [0.1], 1.0),
        ([0.111], [0.1], 0.0),
        ([0.100, 0.104], [0.102], 0.5),  # one true spike is matched once
        ([0.100, 0.118], [0.109, 0.127], 1.0),  # the earliest that fits leaves the next for the next
        ([], [0.1], 0.0),
        ([], [], 0.0),
    ],
)
def test_rate_of_agreement_by_hand(found, true, rate):
    assert rate_of_agreement(found, true) == pytest.approx(rate)


trains = st.lists(st.integers(0, 3000), max_size=40, unique=True).map(lambda ms: np.sort(ms) / 1000.0)


@settings(max_examples=60, deadline=None)
@given(trains, trains, st.integers(0, 40), st.floats(-1.0, 1.0))
def test_rate_of_agreement_is_symmetric_bounded_and_blind_to_a_common_shift(a, b, tolerance, shift):
    tolerance = tolerance / 1000
    rate = rate_of_agreement(a, b, tolerance)
    assert 0 <= rate <= 1
    assert rate == rate_of_agreement(b, a, tolerance)
    assert rate_of_agreement(a + shift, b + shift, tolerance + 1e-7) >= rate
    assert rate <= rate_of_agreement(a, b, tolerance + 0.005)
    if len(a):
        assert rate_of_agreement(a, a, tolerance) == 1


@pytest.mark.parametrize("lag", [-0.040, -0.007, 0.0, 0.012, 0.035])
def test_one_lag_of_the_sequence_is_found_and_taken_off(lag):
    true = [train(seed, 8 + seed) for seed in range(4)]
    agreement = compare_units([times + lag for times in true[::-1]], true, DURATION + 0.1)
    assert agreement.rate == pytest.approx(1.0)
    assert abs(agreement.lag - lag) <= 0.004
    assert [match.found for match in agreement.matches] == [3, 2, 1, 0]


def test_a_lag_of_each_units_own_is_not_taken_off():
    true = [train(seed) for seed in range(2)]
    agreement = compare_units([true[0] + 0.03, true[1] - 0.03], true, DURATION)
    assert agreement.rate < 0.75


def test_matching_is_one_to_one_and_the_best_in_sum():
    a, b = train(0), train(1)
    both = np.sort(np.concatenate([a, b]))
    agreement = compare_units([a, both], [a, b], DURATION)
    assert [match.found for match in agreement.matches] == [0, 1]
    only = compare_units([a], [a, b], DURATION)
    assert only.matches[1].found == -1
    assert only.rate == pytest.approx(0.5)
    assert (only.identified, only.found) == (1, 1)


def test_chance_rises_with_tolerance_and_stays_below_what_was_found():
    true = [train(seed) for seed in range(6)]
    unrelated = [train(100 + seed) for seed in range(6)]
    narrow, wide = (compare_units(unrelated, true, DURATION, tolerance=tolerance) for tolerance in (0.010, 0.030))
    assert 0.1 < narrow.chance < 0.45
    assert wide.chance > narrow.chance + 0.15
    assert narrow.rate == pytest.approx(narrow.chance, abs=0.08)  # unrelated trains do as well as chance
    right = compare_units(true, true, DURATION)
    assert right.rate == 1
    assert right.chance < 0.5
    assert f"by chance {right.chance:.2f}" in str(right)
    assert "6 of 6 units identified" in str(right)
    assert "\n" not in str(right)


def test_the_same_seed_gives_the_same_chance():
    true = [train(seed) for seed in range(3)]
    first, same, other = (compare_units(true, true, DURATION, seed=seed).chance for seed in (1, 1, 2))
    assert first == same != other


def test_jaccard_by_hand_and_of_matched_units():
    a, b = np.zeros((2, 4, 4), bool)
    a[:2], b[1:3] = True, True
    assert jaccard(a, b) == pytest.approx(4 / 12)
    assert jaccard(a, a) == 1
    assert np.isnan(jaccard(0 * a, 0 * b))
    times = [train(0), train(1)]
    agreement = compare_units(times[::-1], times, DURATION, np.array([b, a]), np.array([a, b]))
    assert agreement.overlap == 1
    assert np.isnan(compare_units(times, times, DURATION).overlap)


def test_spikes_outside_of_the_sequence_do_not_count():
    true = train(0)
    early = np.concatenate([[-0.2, -0.1], true])
    late = np.concatenate([true, [DURATION + 0.3]])
    assert compare_units([late], [early], DURATION).rate == 1


def test_an_agreement_survives_json():
    agreement = compare_units([train(0), train(5)], [train(0), train(1)], DURATION)
    again = Agreement.from_dict(agreement.to_dict())
    assert str(again) == str(agreement)
    assert again.to_dict().keys() == agreement.to_dict().keys()


def test_nothing_found_is_no_agreement_and_no_error():
    agreement = compare_units([], [train(0)], DURATION)
    assert (agreement.rate, agreement.chance, agreement.found, agreement.identified) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: compare_units([train(0)], [], DURATION), "no true motor units to compare with"),
        (lambda: compare_units([train(0)], [train(0)], 0.0), "duration must be positive"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, says):
    with pytest.raises(InputError, match=says):
        call()


# ------------------------------------------------------------------------------------- oracle


def binary(times, rate=1000.0):
    """(samples, units) as motor-unit-toolbox takes them."""
    result = np.zeros((int(DURATION * rate), len(times)))
    for column, unit in enumerate(times):
        result[np.rint(unit * rate).astype(int), column] = 1
    return result


def degraded(times, rng):
    """Some spikes lost, some invented, the rest jittered, in whole ms as the oracle has them."""
    kept = times[rng.uniform(size=len(times)) < 0.85] + rng.normal(0, 0.005, 1)[0]
    kept = kept + rng.normal(0, 0.004, len(kept))
    every = np.concatenate([kept, rng.uniform(0.1, DURATION - 0.1, 4)])
    return np.unique(np.rint(1000 * every[(every > 0.02) & (every < DURATION - 0.02)])) / 1000


def test_the_rate_is_that_of_motor_unit_toolbox():
    oracle = pytest.importorskip("motor_unit_toolbox.spike_comp")
    rng = np.random.default_rng(0)
    true = [np.unique(np.rint(1000 * train(seed, 8 + seed / 2))) / 1000 for seed in range(10)]
    found = [degraded(times, rng) for times in true]
    theirs, _, _ = oracle.rate_of_agreement_paired(binary(true), binary(found), 1000, tol_spike_ms=10, tol_train_ms=0)
    ours = [rate_of_agreement(a, b) for a, b in zip(found, true, strict=True)]
    assert 0.4 < np.mean(theirs) < 0.95  # neither everything nor nothing agrees
    np.testing.assert_allclose(ours, theirs, atol=0.01)


def test_lag_and_pairs_are_those_of_motor_unit_toolbox():
    oracle = pytest.importorskip("motor_unit_toolbox.spike_comp")
    true = [np.unique(np.rint(1000 * train(seed, 8 + seed))) / 1000 for seed in range(4)]
    true = [times[(times > 0.05) & (times < DURATION - 0.05)] for times in true]
    found = [np.delete(times, slice(None, None, 7)) + 0.020 for times in (true[2], true[0], true[3], true[1])]
    theirs, pairs, lags = oracle.rate_of_agreement(binary(true), binary(found), 1000, tol_spike_ms=10)
    ours = compare_units(found, true, DURATION)
    assert [(match.true, match.found) for match in ours.matches] == [tuple(map(int, pair)) for pair in pairs]
    assert abs(ours.lag + np.mean(lags) / 1000) <= 0.003  # theirs is what is added, ours what is taken off
    np.testing.assert_allclose([match.rate for match in ours.matches], theirs, atol=0.01)
