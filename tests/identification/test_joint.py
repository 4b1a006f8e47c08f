"""Joint separation: all units of ten seconds come back, none out of noise, and a twitch is undone from its overlap."""

import numpy as np
import pytest

import myovivo as mv
from myovivo.identification.joint import undone
from myovivo.identification.pulse_trains import amplitude_silhouette, shifted_agreement
from myovivo.identification.templates import (
    firing_pulses,
    fitted_twitch,
    modelled_course,
    template_lags,
    twitch_template,
)
from myovivo.signals.band_pass import Band
from myovivo.simulation.twitch import twitch_velocity

RATE, BAND = 512.0, (5.0, 50.0)
SMALL = {"grid.rows": 32, "grid.columns": 32, "noise.snr_db": 20.0}


@pytest.fixture(scope="module")
def contraction():
    return mv.simulate(seed=1, **SMALL, **{"grid.frames": 5120, "firing.units": (8, 8)})


@pytest.fixture(scope="module")
def units(contraction):
    return mv.identify(contraction, method="joint")


def test_all_units_of_ten_seconds_come_back_and_no_other(contraction, units):
    agreement = units.agreement(contraction)
    assert len(units) == 8
    assert agreement.rate >= 0.97
    assert agreement.chance < 0.3
    assert agreement.overlap > 0.5
    for match in agreement.matches:
        true = contraction.labels.twitch["contraction_time"][match.true]
        assert units.quality["contraction_time"][match.found] == pytest.approx(true, abs=0.012)
    assert np.all(np.diff(units.quality["silhouette"]) <= 0)


def test_maps_and_courses_of_joint_separation_are_those_imposed(contraction, units):
    labels, filtering = contraction.labels, Band(BAND, len(contraction), RATE)
    for match in units.agreement(contraction).matches:
        given = np.corrcoef(units.weight[match.found].ravel(), labels.weight[match.true].ravel())[0, 1]
        course = np.corrcoef(units.source[match.found], filtering(labels.source[match.true]))[0, 1]
        assert abs(given) > 0.98
        assert abs(course) > 0.95
        assert given * course > 0  # the sign may be in either, not in one alone


def test_noise_holds_no_units():
    noise = np.random.default_rng(0).standard_normal((3072, 24, 24)).astype(np.float32) * 1e-3
    sequence = mv.Sequence(noise, RATE, (0.00125, 0.00125), origin="silico")
    assert len(mv.identify(sequence, method="joint")) == 0


def test_a_short_sequence_is_searched_in_few_dimensions_and_does_not_fail():
    short = mv.simulate(seed=0, **SMALL, **{"grid.frames": 256, "firing.units": (2, 2)})
    assert mv.identify(short, method="joint").agreement(short).chance < 0.7


# ------------------------------------------------------------------------------------- parts


def firings(seed=0, count=80, interval=0.1):
    return 0.1 + np.cumsum(np.random.default_rng(seed).normal(interval, 0.2 * interval, count))


def twitches(times, frames, contraction_time=0.05):
    t = np.arange(frames) / RATE
    return twitch_velocity(t[:, None] - times, contraction_time, 1.9 * contraction_time).sum(1)


def test_a_twitch_is_undone_to_pulses_at_the_firings():
    times = firings()
    frames = int(RATE * (times[-1] + 0.5))
    pulses, rate = undone(twitches(times, frames)[None], RATE, 0.05)
    at = np.rint(times * rate).astype(int)
    assert rate == pytest.approx(128, rel=0.01)
    assert pulses[0, at].min() > 3 * pulses[0].std() / 2
    assert (
        np.corrcoef(pulses[0], Band((5.0, 50.0), len(pulses[0]), rate)(firing_pulses(times, rate, len(pulses[0]))))[
            0, 1
        ]
        > 0.8
    )


def test_overlapping_twitches_are_told_apart_by_least_squares():
    times = firings(1)  # ten a second, and a twitch lasts three tenths
    frames = int(RATE * (times[-1] + 0.5))
    course = Band(BAND, frames, RATE)(twitches(times, frames))
    template = twitch_template(course, times, RATE)
    lone = Band(BAND, 1024, RATE)(twitches(np.array([1.0]), 1024))[512 + template_lags(RATE)]
    averaged = np.mean([course[round(time * RATE) + template_lags(RATE)] for time in times[2:-4]], 0)
    assert np.corrcoef(template, lone)[0, 1] > 0.99 > np.corrcoef(averaged, lone)[0, 1]
    assert np.linalg.norm(modelled_course(template, times, RATE, frames) - course) < 0.06 * np.linalg.norm(course)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_onset_and_contraction_time_of_a_train_are_found(sign):
    times = firings(2)
    frames = int(RATE * (times[-1] + 0.5))
    course = Band(BAND, frames, RATE)(sign * twitches(times, frames, 0.06))
    fit = fitted_twitch(course, times + 0.012, RATE, BAND)
    assert fit.onset == pytest.approx(-0.012, abs=0.005)
    assert fit.contraction_time == pytest.approx(0.06, abs=0.006)
    assert sign * fit.correlation > 0.99


def test_a_firing_before_the_first_frame_reaches_into_it():
    template = np.ones(len(template_lags(RATE)))
    assert modelled_course(template, np.array([-0.1]), RATE, 512)[:20].min() > 0.9


def test_agreement_is_taken_at_the_lag_of_most_firings():
    times = firings(3)
    assert shifted_agreement(times + 0.03, times) == 1
    assert shifted_agreement(times + 0.03, firings(4)) < 0.4
    assert shifted_agreement(times, np.zeros(0)) == 0


def test_the_silhouette_is_of_amplitudes_and_grows_with_the_gap():
    upper = np.array([True] * 4 + [False] * 4)
    near = np.array([2.0, 2.1, 1.9, 2.0, 1.0, 1.1, 0.9, 1.0])
    assert amplitude_silhouette(near, upper) == pytest.approx((4.02 - 0.02) / 4.06, abs=0.02)
    assert amplitude_silhouette(near + 3 * upper, upper) > amplitude_silhouette(near, upper)
    assert amplitude_silhouette(near, np.ones(8, bool)) == 0
