"""Identification: imposed firings and maps come back, and what breaks a rule is said in one line."""

import json

import numpy as np
import pytest

import myovivo as mv
from myovivo.errors import FileError, InputError
from myovivo.identification.decompose import independent_courses, low_rank
from myovivo.identification.fitting import component_weights
from myovivo.identification.spikes import fit_twitches, two_means, wavelet_spikes
from myovivo.sequences.labels import superpose
from myovivo.signals.band_pass import Band
from myovivo.simulation.twitch import twitch_velocity

RATE, FRAMES, ROWS, COLUMNS = 512.0, 768, 24, 32
SPACING = (0.001, 0.001)


def firings(unit, rate=9.0):
    """Irregular, and each unit at its own rate."""
    rng = np.random.default_rng(unit)
    times = 0.03 + 0.02 * unit + np.cumsum(rng.normal(1 / (rate + unit), 0.012, 40))
    return times[times < FRAMES / RATE - 0.05]


def course(times, contraction_time=0.05, ratio=1.9):
    """(T,) m/s: twitches of 15 µm at these times."""
    t = np.arange(FRAMES) / RATE - np.asarray(times)[:, None]
    return 15e-6 * twitch_velocity(t, contraction_time, contraction_time * ratio).sum(0)


def disc(row, column, radius=3.0, tail=3.0):
    """(Z, X): 1 within `radius` pixels, fading outside of it."""
    r = np.hypot(np.arange(ROWS)[:, None] - row, np.arange(COLUMNS) - column)
    return np.exp(-np.maximum(r - radius, 0) / tail)


@pytest.fixture(scope="module")
def contraction():
    """Three units with overlapping maps, at 20 dB."""
    trains = [firings(unit) for unit in range(3)]
    sources = np.array([course(trains[0], 0.045), -course(trains[1], 0.05), course(trains[2], 0.06)])
    weights = np.array([disc(6, 6), disc(18, 14), disc(7, 26)])
    velocity = superpose(sources, weights)
    velocity += 0.1 * velocity.std() * np.random.default_rng(0).standard_normal(velocity.shape).astype(np.float32)
    nobody = tuple(np.full(len(times), -1) for times in trains)
    labels = mv.MotorUnits(
        tuple(trains), nobody, np.zeros((3, 2)), np.zeros(3), weights >= 1, weights.astype(np.float32), sources
    )
    return mv.Sequence(velocity, RATE, SPACING, labels=labels, origin="silico")


@pytest.fixture(scope="module")
def units(contraction):
    return mv.identify(contraction)


def test_imposed_firings_and_maps_come_back(contraction, units):
    agreement = units.agreement(contraction)
    assert len(units) == 3
    assert agreement.rate > 0.95
    assert abs(agreement.lag) <= 0.005
    assert agreement.overlap > 0.6
    for match in agreement.matches:
        weight, truth = units.weight[match.found], contraction.labels.weight[match.true]
        assert abs(np.corrcoef(weight.ravel(), truth.ravel())[0, 1]) > 0.97
    assert np.argsort(units.quality["residual"]).tolist() == [0, 1, 2]  # the clearest first


def test_weight_times_source_is_the_velocity_in_m_per_s(contraction, units):
    wanted = superpose(contraction.labels.source, contraction.labels.weight)
    given = superpose(units.source, units.weight)
    np.testing.assert_allclose(np.abs(units.source).max(1), 1, rtol=1e-6)
    error = np.linalg.norm(given - Band((5.0, 50.0), FRAMES, RATE)(wanted)) / np.linalg.norm(wanted)
    assert error < 0.15


def test_the_same_seed_gives_the_same_bytes_from_a_file_too(contraction, units, tmp_path):
    again = mv.identify(contraction.save(tmp_path / "s.h5"))
    assert again.weight.tobytes() == units.weight.tobytes()
    assert all(a.tobytes() == b.tobytes() for a, b in zip(again.spike_times, units.spike_times, strict=True))


@pytest.mark.parametrize("method", ["wavelet", "convolutive"])
def test_the_published_methods_find_units_far_above_chance(contraction, method):
    found = mv.identify(contraction, method=method)
    agreement = found.agreement(contraction)
    assert found.method == method
    assert agreement.identified >= 2
    assert agreement.rate > agreement.chance + 0.25


def test_what_cannot_be_a_unit_is_dropped(contraction, units):
    strict = float(units.quality["residual"][0]) + 1e-6
    assert len(mv.identify(contraction, **{"accept.residual": strict})) == 1
    nothing = mv.identify(contraction, method="wavelet", **{"accept.rate": (40.0, 50.0)})
    assert len(nothing) == 0
    assert nothing.weight.shape == (0, ROWS, COLUMNS)
    assert nothing.agreement(contraction).rate == 0


def test_one_component_is_one_unit(contraction):
    one = contraction.replace(velocity=superpose(contraction.labels.source[:1], contraction.labels.weight[:1]))
    found = mv.identify(one)
    assert len(found) == 1
    assert found.agreement(contraction).matches[0].rate > 0.95


# ------------------------------------------------------------------------------------- parts


def test_a_twitch_train_is_undone():
    times = firings(1)
    band = Band((5.0, 50.0), FRAMES, RATE)
    fit = fit_twitches(-band(course(times, 0.06, 1.8)), RATE, band)
    np.testing.assert_allclose(fit.times[fit.times > 0], times, atol=0.002)
    assert fit.contraction_time == pytest.approx(0.06, rel=0.05)
    assert fit.sign == -1
    assert fit.residual < 0.02


def test_a_firing_before_the_first_frame_is_found_by_what_it_leaves():
    times = np.concatenate([[-0.03], firings(0)])
    band = Band((5.0, 50.0), FRAMES, RATE)
    fit = fit_twitches(band(course(times)), RATE, band)
    assert np.abs(fit.times + 0.03).min() < 0.01


def test_wavelet_spikes_are_at_the_onsets_but_for_one_lag():
    times = firings(0)
    found = wavelet_spikes(course(times), RATE, 0.04, 0.9, 0.05)
    assert len(found) == len(times)
    assert np.ptp(found - times) < 0.02
    assert np.diff(found).min() >= 0.05


def test_the_band_keeps_what_lies_in_it_and_nothing_else():
    t = np.arange(2048) / RATE
    band = Band((5.0, 50.0), len(t), RATE)
    middle = slice(512, 1536)
    for frequency, share in ((1.0, 0), (20.0, 1), (120.0, 0)):
        wave = np.sin(2 * np.pi * frequency * t)
        np.testing.assert_allclose(band(wave)[middle], share * wave[middle], atol=0.02)
    assert np.abs(band(np.full(2048, 3.0))).max() < 1e-12
    assert Band(None, 4, RATE)(t) is t


def test_as_many_components_as_sources_where_noise_shows_and_energy_where_it_does_not():
    rng = np.random.default_rng(0)
    maps, courses = rng.standard_normal((4, 600)), rng.standard_normal((4, 200))
    noisy = (courses.T @ maps + 0.05 * rng.standard_normal((200, 600))).astype(np.float32).reshape(200, 20, 30)
    assert len(low_rank(noisy, None).courses) == 4
    assert len(low_rank(noisy, 2).courses) == 2
    steps = (0.6 ** np.arange(60))[:, None]  # energy falls by 0.36 each time: no gap, 99 % in five
    falling = np.linalg.qr(rng.standard_normal((200, 60)))[0] @ (
        steps * np.linalg.qr(rng.standard_normal((600, 60)))[0].T
    )
    assert len(low_rank(falling.astype(np.float32).reshape(200, 20, 30), None).courses) in (5, 6)


def test_independent_maps_separate_what_singular_values_mix():
    rng = np.random.default_rng(1)
    weights = np.array([disc(5, 5), disc(18, 26)]).reshape(2, -1)
    sources = rng.standard_normal((2, 300))
    found = low_rank((sources.T @ weights).astype(np.float32).reshape(300, ROWS, COLUMNS), 2)
    courses = independent_courses(found)
    correlation = np.abs(np.corrcoef(courses, sources)[:2, 2:])
    assert correlation.max(1).min() > 0.98
    maps = component_weights(sources, found.courses) @ found.maps
    maps -= maps.mean(1, keepdims=True)
    np.testing.assert_allclose(maps, weights - weights.mean(1, keepdims=True), atol=0.05)


def test_two_means_splits_between_the_clusters():
    assert 1.2 < two_means(np.array([1.0, 1.1, 1.2, 5.0, 5.2])) < 5.0


# ----------------------------------------------------------------------------------- exports


def test_bids_events_are_read_back(units, tmp_path):
    trains = mv.read_spike_trains(units.save(tmp_path / "a_events.tsv"))
    by_first = sorted(units.spike_times, key=lambda times: times[times >= 0][0])  # units in the order of their firing
    assert len(trains) == len(units)
    for read, times in zip(trains, by_first, strict=True):
        np.testing.assert_allclose(read, times[times >= 0], atol=1e-6)


def test_openhdemg_json_is_read_back(units, tmp_path):
    path = units.save(tmp_path / "a.json")
    for read, times in zip(mv.read_spike_trains(path), units.spike_times, strict=True):
        np.testing.assert_allclose(read, times[times >= 0], atol=0.5 / RATE + 1e-9)
    content = {name: json.loads(text) for name, text in json.loads(path.read_text()).items() if name[0] in "BIMNE"}
    assert content["NUMBER_OF_MUS"] == len(units)
    assert content["EMG_LENGTH"] == FRAMES
    assert np.sum(content["BINARY_MUS_FIRING"]["data"]) == sum(len(unit) for unit in content["MUPULSES"])
    np.testing.assert_allclose(np.array(content["IPTS"]["data"]).T, units.source, atol=1e-6)


# ------------------------------------------------------------------------------------ folders


def test_a_folder_is_identified_resumed_and_guarded(contraction, tmp_path, capsys):
    from myovivo.cli import main

    (tmp_path / "in").mkdir()
    small = {"components": 3, "rounds": 1}
    contraction.save(tmp_path / "in" / "known.h5")
    contraction.replace(labels=None).save(tmp_path / "in" / "unknown.h5")
    arguments = ["identify", tmp_path / "in", tmp_path / "out", "--components", 3, "--rounds", 1, "--workers", 1]
    command = [str(word) for word in (*arguments, "--quiet")]
    assert main(command) == 0
    known, unknown, total = capsys.readouterr().out.splitlines()
    assert "known: 3 units found; 3 of 3 units identified" in known
    assert "unknown: 3 units found; no labels to compare with" in unknown
    assert total.startswith("2 sequences")
    names = {path.name for path in (tmp_path / "out").iterdir() if path.name[0] != "."}
    endings = ("_events.tsv", "_events.json", ".json", ".png")
    assert names == {"domain.json"} | {stem + ending for stem in ("known", "unknown") for ending in endings}
    assert (tmp_path / "out" / "known.png").read_bytes()[:4] == b"\x89PNG"

    before = (tmp_path / "out" / "known_events.tsv").stat().st_mtime_ns
    (tmp_path / "out" / "unknown_events.tsv").unlink()
    files = mv.identify_domain(tmp_path / "in", tmp_path / "out", small, workers=1, quiet=True)
    assert [file.name for file in files] == ["known_events.tsv", "unknown_events.tsv"]
    assert files[0].stat().st_mtime_ns == before
    assert files[1].exists()
    assert main([*command, "--method", "wavelet"]) == 2
    assert "already holds another run (settings.method is fit there, wavelet here)" in capsys.readouterr().err


# ----------------------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("mistake", "error", "says"),
    [
        (lambda s, u, f: mv.identify(s, band=(5.0, 300.0)), InputError, "must end under half the frame rate, 256 Hz"),
        (lambda s, u, f: mv.identify(s.replace(velocity=0 * s.velocity + 1)), InputError, "nothing moves"),
        (lambda s, u, f: mv.identify(s, method="magic"), InputError, "method"),
        (lambda s, u, f: mv.identify(s, **{"accept.speed": 3}), InputError, "there is no setting 'accept.speed'"),
        (lambda s, u, f: mv.identify(f / "gone.h5"), FileError, "gone.h5: does not exist"),
        (lambda s, u, f: u.agreement(s.replace(labels=None)), InputError, "no labels to score against"),
        (lambda s, u, f: u.save(f / "a.xls"), InputError, "saved as .tsv, .json, .mat or .csv, got .xls"),
        (lambda s, u, f: mv.identify_domain([f / "a.h5", f / "b" / "a.h5"], f), InputError, "the same name"),
    ],
)
def test_what_breaks_a_rule_is_one_line(contraction, units, tmp_path, mistake, error, says):
    with pytest.raises(error, match=says) as raised:
        mistake(contraction, units, tmp_path)
    assert "\n" not in str(raised.value)
