"""Firings that are given become maps; units are known again in another recording."""

import json

import numpy as np
import pytest

import myovivo as mv
from myovivo.errors import FileError, InputError, WrongTypeError
from myovivo.runtime.matlab import read_matlab

LATER = 0.045  # s, motion after the firings, on top of the simulator's 4 ms
SMALL = {"grid.rows": 32, "grid.columns": 32, "grid.frames": 4096, "firing.units": (6, 6), "noise.snr_db": 10.0}
SMALL["territory.tail"] = 0.005  # m, narrow: six units on so small a field overlap little


@pytest.fixture(scope="module")
def contraction():
    return mv.simulate(seed=2, **SMALL)


@pytest.fixture(scope="module")
def trains(contraction):
    return [times - LATER for times in contraction.labels.spike_times]


@pytest.fixture(scope="module")
def units(contraction, trains):
    return mv.map_units(contraction, trains)


def alike(units, truth):
    return [abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) for a, b in zip(units.weight, truth.weight, strict=True)]


def test_imposed_maps_twitches_and_lag_come_back(contraction, units, trains):
    labels = contraction.labels
    assert units.method == "trains"
    assert min(alike(units, labels)) > 0.99
    assert np.median(units.quality["lag"]) == pytest.approx(LATER + 0.004, abs=0.004)
    np.testing.assert_allclose(units.quality["contraction_time"], labels.twitch["contraction_time"], atol=0.01)
    assert units.quality["one_map"].min() > 0.8
    for given, kept in zip(trains, units.spike_times, strict=True):
        np.testing.assert_array_equal(given, kept)


def test_what_overlaps_is_undone_where_an_average_is_not(contraction, units, trains):
    average = mv.map_units(contraction, trains, deconvolve=False)
    assert np.mean(alike(units, contraction.labels)) > np.mean(alike(average, contraction.labels)) + 0.005
    assert units.quality["one_map"].mean() > average.quality["one_map"].mean()


def test_a_lag_that_is_given_is_taken(contraction, trains):
    given = mv.map_units(contraction, trains, lag=LATER)
    np.testing.assert_allclose(given.quality["lag"], LATER + 0.004, atol=0.012)
    assert min(alike(given, contraction.labels)) > 0.99


def test_maps_of_true_units_repeat_and_of_other_firings_do_not(contraction, units):
    rng = np.random.default_rng(0)
    false = [np.sort(rng.uniform(0, 8, 80)) for _ in range(4)]
    both = mv.map_units(contraction, [*contraction.labels.spike_times, *false])
    repeated = both.quality["repeatability"]
    assert repeated[:6].min() > 0.38
    assert repeated[:6].min() > repeated[6:].max()
    assert units.repeatability > 0.6


def test_repeatability_needs_two_epochs(contraction):
    short = contraction.crop(0, 3)
    units = mv.map_units(short, short.labels.spike_times)
    assert np.isnan(units.repeatability)


def test_units_are_known_again_though_they_fire_anew_and_the_probe_moved(contraction):
    again = mv.simulate(seed=2, **SMALL | {"noise.snr_db": 15.0})
    labels = again.labels
    moved = np.roll(again.velocity, (2, -1), (1, 2))
    a = mv.map_units(contraction.crop(0, 4), contraction.crop(0, 4).labels.spike_times)
    second = again.replace(velocity=moved).crop(4)
    b = mv.map_units(second, [second.labels.spike_times[unit] for unit in (3, 0, 5, 1)])
    tracking = mv.track_units(a, b)
    assert {(unit.a, unit.b) for unit in tracking.units} == {(3, 0), (0, 1), (5, 2), (1, 3)}
    dz, dx = contraction.spacing
    assert tracking.shift == pytest.approx((2 * dz, -1 * dx), abs=1e-9)
    assert tracking.chance < 0.6
    assert "4 units in both" in str(tracking)
    assert len(labels) == 6


def test_other_units_are_not_known_again(contraction, units):
    others = mv.simulate(seed=7, **SMALL)
    tracking = mv.track_units(units, mv.map_units(others, others.labels.spike_times))
    assert len(tracking) <= 2
    assert len(mv.track_units(units, mv.identify(contraction, method="wavelet", **{"accept.rate": (29.0, 30.0)}))) == 0


def test_a_file_of_firings_is_mapped_from_the_command_line(contraction, units, tmp_path, capsys):
    from myovivo.cli import main

    sequence = contraction.save(tmp_path / "s.h5")
    firings = units.save(tmp_path / "emg.mat")
    assert main(["identify", str(sequence), str(tmp_path / "out"), "--trains", str(firings), "--quiet"]) == 0
    assert "s: 6 units found; 6 of 6 units identified" in capsys.readouterr().out
    quality = json.loads((tmp_path / "out" / "s_events.json").read_text())["Quality"]
    assert np.median(quality["lag"]) == pytest.approx(LATER + 0.004, abs=0.005)
    with pytest.raises(InputError, match="belong to one sequence, got 2"):
        mv.identify_domain([sequence, contraction.save(tmp_path / "t.h5")], tmp_path / "b", trains=firings, quiet=True)


def test_units_go_to_matlab_a_table_and_pandas(units, tmp_path):
    path = units.save(tmp_path / "a.mat")
    assert path.read_bytes() == units.save(tmp_path / "b.mat").read_bytes()
    assert b"Created" not in path.read_bytes()[:116]
    for read, times in zip(mv.read_spike_trains(path), units.spike_times, strict=True):
        np.testing.assert_allclose(read, times[times >= 0], atol=0.5 / 512 + 1e-9)
    content = read_matlab(path)
    np.testing.assert_array_equal(content["weight"], np.moveaxis(units.weight, 0, -1))
    rows = units.save(tmp_path / "a.csv").read_text().splitlines()
    assert rows[0].startswith("motor_unit,firings,peak_mm_per_s,mask_mm2,")
    assert len(rows) == 1 + len(units)
    assert float(rows[1].split(",")[2]) == pytest.approx(1e3 * np.abs(units.weight[0]).max(), rel=1e-4)
    pytest.importorskip("pandas")
    table = units.to_pandas()
    assert table["firings"].tolist() == [len(times) for times in units.spike_times]
    assert table.index.name == "motor_unit"


@pytest.mark.parametrize(
    ("mistake", "error", "says"),
    [
        (lambda s, u, f: mv.map_units(s, []), InputError, "no spike trains to map"),
        (lambda s, u, f: mv.map_units(s, [np.arange(5) * 1000.0]), InputError, "unit 1 has 1; leave it out"),
        (lambda s, u, f: mv.map_units(f / "gone.h5", [[0.1]]), FileError, "does not exist"),
        (lambda s, u, f: mv.map_units(3, [[0.1]]), WrongTypeError, "give a Sequence"),
        (
            lambda s, u, f: mv.track_units(u, mv.map_units(s.resample(size=(16, 16)), s.labels.spike_times)),
            InputError,
            "alike, got 512 frames/s, 32 x 32",
        ),
    ],
)
def test_a_mistake_in_mapping_is_one_line(contraction, units, tmp_path, mistake, error, says):
    with pytest.raises(error, match=says) as raised:
        mistake(contraction, units, tmp_path)
    assert "\n" not in str(raised.value)
