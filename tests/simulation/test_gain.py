"""Twitches that do not add linearly: the gain that was imposed is measured back from the courses of the units."""

import numpy as np
import pytest

from myovivo.errors import InputError
from myovivo.simulation.gain import rate_gain, saturation_gain
from myovivo.simulation.simulate import simulate
from myovivo.simulation.twitch import twitch_velocity

STEADY = {"grid.rows": 8, "grid.columns": 8, "grid.frames": 4096, "firing.units": (6, 6), "firing.burn_in": 0.0}


def measured_gains(sequence):
    """Of each unit, its firing times and the amplitude of each twitch by least squares, over the unit's own."""
    labels = sequence.labels
    t = np.arange(sequence.shape[0]) / sequence.frame_rate
    for unit, times in enumerate(labels.spike_times):
        twitch = {name: values[unit] for name, values in labels.twitch.items()}
        shape = [twitch["contraction_time"], twitch["half_relaxation_time"]]
        design = np.stack([twitch_velocity(t - time - twitch["delay"], *shape) for time in times], 1)
        amplitude = np.linalg.lstsq(design, labels.source[unit], rcond=None)[0]
        inside = times < t[-1] - 0.1  # the last twitches are cut off
        yield times[inside], (amplitude / (twitch["sign"] * twitch["amplitude"]))[inside]


def test_without_the_settings_all_twitches_of_a_unit_are_alike():
    for _, gain in measured_gains(simulate(seed=0, **STEADY)):
        np.testing.assert_allclose(gain, 1, atol=0.02)


@pytest.mark.parametrize("exponent", [-0.6, 0.5])
def test_the_power_of_the_instantaneous_rate_is_measured_back(exponent):
    slopes = []
    for times, gain in measured_gains(simulate(seed=1, **STEADY, **{"twitch.rate_exponent": exponent})):
        slopes.append(np.polyfit(-np.log(np.diff(times)), np.log(gain[1:]), 1)[0])
        assert gain[0] == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(slopes, exponent, atol=0.05)


def test_twitches_shrink_with_the_number_of_active_units():
    sequence = simulate(seed=2, **STEADY, **{"twitch.saturation": 0.2})
    trains = sequence.labels.spike_times
    counts = set()
    for unit, (times, gain) in enumerate(measured_gains(sequence)):
        others = [train for k, train in enumerate(trains) if k != unit]
        active = np.array([sum(((train > t - 0.1) & (train <= t)).any() for train in others) for t in times])
        np.testing.assert_allclose(1 / gain - 1, 0.2 * active, atol=0.03)
        counts |= set(active.tolist())
    assert len(counts) >= 4
    few, many = (
        np.mean(np.concatenate([gain for _, gain in measured_gains(simulate(seed=2, **changes))]))
        for changes in (
            {**STEADY, "twitch.saturation": 0.2, "firing.units": (2, 2)},
            {**STEADY, "twitch.saturation": 0.2, "firing.units": (20, 20)},
        )
    )
    assert many < 0.5 * few


def test_jitter_of_single_discharges_has_the_size_asked_for_and_no_sign_turns():
    def gains(jitter):
        return np.concatenate(
            [g for _, g in measured_gains(simulate(seed=3, **STEADY, **{"twitch.discharge_jitter": jitter}))]
        )

    assert gains(0.1).std() == pytest.approx(0.1, abs=0.01)
    assert gains(0.1).mean() == pytest.approx(1, abs=0.02)
    assert gains(0.8).min() > -0.02


def test_gains_multiply():
    both = {"twitch.rate_exponent": -0.5, "twitch.saturation": 0.1}
    sequence = simulate(seed=4, **STEADY, **both)
    labels = sequence.labels
    for unit, (times, gain) in enumerate(measured_gains(sequence)):
        others = [train for k, train in enumerate(labels.spike_times) if k != unit]
        expected = rate_gain(times, labels.twitch["firing_rate"][unit], -0.5) * saturation_gain(times, others, 0.1)
        np.testing.assert_allclose(gain, expected, atol=0.03)


def test_labels_stay_the_truth_of_a_nonlinear_simulation():
    changes = {**STEADY, "grid.frames": 256, "twitch.rate_exponent": -0.5, "twitch.saturation": 0.1}
    changes |= {"twitch.discharge_jitter": 0.1}
    sequence, again = (simulate(seed=5, **changes) for _ in range(2))
    assert np.array_equal(sequence.velocity, sequence.labels.velocity())
    assert sequence.velocity.tobytes() == again.velocity.tobytes()


def test_the_first_firing_and_firings_at_once_have_a_gain():
    assert rate_gain(np.array([]), 10.0, -0.5).shape == (0,)
    assert rate_gain(np.array([1.0]), 0.0, -0.5).tolist() == [1.0]
    assert np.isfinite(rate_gain(np.array([1.0, 1.0, 2.0]), 10.0, 0.5)).all()


def test_a_power_that_no_muscle_has_is_refused():
    with pytest.raises(InputError, match=r"twitch\.rate_exponent"):
        simulate(seed=0, **STEADY, **{"twitch.rate_exponent": 5.0})
