"""The in silico muscle: what was asked for is measured back from the labels."""

import itertools
import json

import numpy as np
import pytest
from domains import SHARED
from scipy.signal import periodogram

from myovivo.errors import FileError, InputError, RunFolderError
from myovivo.runtime.settings import settings_from
from myovivo.sequences.grid import Grid
from myovivo.sequences.sequence import Sequence
from myovivo.simulation.firing import draw_spike_trains, renewal_train
from myovivo.simulation.settings import Firing, SimulateSettings, Territory
from myovivo.simulation.simulate import simulate, simulate_domain
from myovivo.simulation.spike_trains.reading import read_spike_trains
from myovivo.simulation.territory import draw_territories, profile
from myovivo.simulation.twitch import twitch_displacement, twitch_velocity

SMALL = {"grid.rows": 24, "grid.columns": 20, "grid.frames": 128}


def trains(seed=0, duration=60.0, **changes):
    firing = settings_from(Firing, {"units": (8, 8), "burn_in": 0.0, **changes})
    return draw_spike_trains(firing, duration, np.random.default_rng(seed))


def test_firing_rate_and_interval_cv_are_what_was_asked_for():
    times = renewal_train(10.0, 0.2, 0.020, -1.0, 999.0, np.random.default_rng(0))
    ipi = np.diff(times)
    assert 1 / ipi.mean() == pytest.approx(10.0, rel=0.01)
    assert ipi.std() / ipi.mean() == pytest.approx(0.2, rel=0.03)
    assert ipi.min() >= 0.020


def test_drawn_rates_match_the_measured_ones_and_fill_their_range():
    found = trains(units=(40, 40), synchronisation=0.0)
    measured = [1 / np.diff(times).mean() for times in found.times]
    assert np.allclose(measured, found.rate, rtol=0.05)
    assert 8 <= found.rate.min() < 9 < 12 < found.rate.max() <= 13


def test_a_tenth_of_the_firings_coincide_partners_counted():
    together = total = 0
    for seed in range(200):
        found = trains(seed, duration=3.0, units=(4, 10))
        for unit, times in enumerate(found.times):
            others = np.concatenate([train for k, train in enumerate(found.times) if k != unit])
            together += np.isin(times, others).sum()
            total += len(times)
    assert together / total == pytest.approx(0.1, abs=0.005)


def test_both_firings_of_a_synchronised_pair_name_the_other_unit():
    found = trains()
    pairs = np.zeros((8, 8), int)
    for unit, (times, partner) in enumerate(zip(found.times, found.partner, strict=True)):
        assert np.mean(partner >= 0) == pytest.approx(0.1, abs=0.005)
        for time, mate in zip(times[partner >= 0], partner[partner >= 0], strict=True):
            assert mate != unit
            assert found.partner[mate][found.times[mate] == time].tolist() == [unit]
            pairs[unit, mate] += 1
        assert np.diff(times).min() >= 0.020  # de-duplicated: no firing stands twice
    assert np.array_equal(pairs, pairs.T)


def test_a_single_unit_has_nothing_to_coincide_with():
    found = trains(units=(1, 1))
    assert (found.partner[0] == -1).all()
    assert np.array_equal(found.times[0], trains(units=(1, 1), synchronisation=0.0).times[0])


def test_without_synchronisation_no_firings_coincide():
    found = trains(synchronisation=0.0)
    for a, b in itertools.combinations(found.times, 2):
        assert not np.intersect1d(a, b).size
    assert all((partner == -1).all() for partner in found.partner)


def test_synchronisation_jitter_spreads_moved_firings():
    found = trains(synchronisation_jitter=0.002)
    offset = [
        np.min(np.abs(found.times[mate] - time))
        for times, partner in zip(found.times, found.partner, strict=True)
        for time, mate in zip(times, partner, strict=True)
        if mate >= 0
    ]
    assert np.sqrt(np.mean(np.square(offset))) == pytest.approx(0.002, rel=0.15)


def test_twitch_has_the_check_values_of_the_specification():
    t = np.linspace(0, 1, 1_000_001)
    displacement, velocity = twitch_displacement(t, 0.050, 0.090), twitch_velocity(t, 0.050, 0.090)
    assert t[velocity.argmax()] == pytest.approx(0.0224, abs=1e-4)
    assert velocity.max() == pytest.approx(35.5, abs=0.1)
    assert t[velocity.argmin()] == pytest.approx(0.0776, abs=1e-4)
    assert -velocity.min() / velocity.max() == pytest.approx(0.45, abs=0.01)
    assert np.trapezoid(velocity, t) == pytest.approx(0, abs=1e-6)
    assert displacement.max() == pytest.approx(1)
    assert t[displacement.argmax()] == pytest.approx(0.050, abs=1e-5)
    assert np.interp(0.090, t, displacement) == pytest.approx(0.5, abs=1e-6)
    assert np.allclose(np.gradient(displacement, t), velocity, atol=1e-2)
    frequency, power = periodogram(velocity, 1e6, nfft=2**24)
    assert frequency[power.argmax()] == pytest.approx(5.8, abs=0.1)


def test_half_relaxation_before_the_peak_is_refused():
    with pytest.raises(InputError, match="half relaxation must come after"):
        twitch_velocity(0.01, 0.05, 0.05)


def test_a_single_firing_moves_its_territory_by_the_amplitude():
    sequence = simulate(
        seed=1,
        **SMALL,
        **{"firing.units": (1, 1), "firing.rate": (2.0, 2.0), "firing.ipi_cv": 0.0, "firing.burn_in": 0.0},
    )
    labels = sequence.labels
    row, column = np.argwhere(labels.weight[0] == labels.weight[0].max())[0]
    displacement = np.cumsum(sequence.velocity[:, row, column]) / sequence.frame_rate
    first = labels.spike_times[0][0] + labels.twitch["delay"][0] + labels.twitch["contraction_time"][0]
    peak = displacement[round(first * sequence.frame_rate)]
    expected = labels.twitch["sign"][0] * labels.twitch["amplitude"][0] * labels.weight[0].max()
    assert peak == pytest.approx(expected, rel=0.05)


def test_velocity_is_the_sum_of_its_labels():
    sequence = simulate(seed=0, **SMALL)
    assert np.array_equal(sequence.velocity, sequence.labels.velocity())
    assert 4 <= len(sequence.labels) <= 10
    assert any((times < 0).any() for times in sequence.labels.spike_times)  # burn-in spikes are kept


def test_noise_has_the_asked_snr_and_band():
    sequence = simulate(seed=0, **{**SMALL, "grid.frames": 1024, "noise.snr_db": 6.0})
    signal = sequence.labels.velocity()
    noise = sequence.velocity - signal
    assert 10 * np.log10(np.mean(signal**2) / np.mean(noise**2)) == pytest.approx(6.0, abs=0.1)
    frequency, power = periodogram(noise, sequence.frame_rate, axis=0)
    power = power.mean((1, 2))
    inside = (frequency >= 5) & (frequency <= 50)
    assert power[~inside].sum() < 1e-6 * power[inside].sum()


@pytest.mark.parametrize(
    ("kind", "at_edge", "at_twice"),
    [("disc", 1.0, 0.0), ("gauss", 0.5, 1 / 16), ("exp-tail", 1.0, np.exp(-3 / 10)), ("lorentz", 0.5, 0.2)],
)
def test_territory_profiles(kind, at_edge, at_twice):
    values = profile(np.array([0.0, 0.003, 0.006]), 0.003, Territory(profile=kind))
    assert values == pytest.approx([1.0, at_edge, at_twice])


def test_circular_masks_have_the_area_of_their_diameter():
    grid = Grid(rows=400, columns=400)
    found = draw_territories(Territory(), grid, 60, np.random.default_rng(0))
    inside = np.all((found.centre > 0.005) & (found.centre < 0.035), axis=1)
    area = found.mask.sum((1, 2)) * np.prod(grid.spacing)
    assert np.allclose(area[inside], np.pi * found.diameter[inside] ** 2 / 4, rtol=0.02)
    assert found.diameter.min() >= 0.0025
    assert found.diameter.max() <= 0.010


@pytest.mark.parametrize("shape", ["ellipse", "crescent"])
def test_other_shapes_have_the_area_they_were_drawn_with(shape):
    grid = Grid(rows=160, columns=160)
    found = draw_territories(Territory(shape=shape), grid, 120, np.random.default_rng(0))
    inside = np.all((found.centre > 0.012) & (found.centre < 0.028), axis=1)
    area = found.mask.sum((1, 2)) * np.prod(grid.spacing)
    assert np.allclose(area[inside], np.pi * found.diameter[inside] ** 2 / 4, rtol=0.06)
    assert np.pi / 4 * np.mean(found.diameter**2) == pytest.approx(26.7e-6, rel=0.1)


def test_simplified_model_filters_pulses_and_noise():
    sequence = simulate(seed=3, model="simplified", **{**SMALL, "simplified.noise": 0.0})
    assert np.allclose(sequence.velocity, sequence.labels.velocity(), atol=1e-6)
    assert sequence.labels.mask.sum((1, 2)).tolist() == [1] * len(sequence.labels)
    pulses = sum(((times >= 0) & (times < sequence.duration - 0.001)).sum() for times in sequence.labels.spike_times)
    assert sequence.velocity.sum() == pytest.approx(pulses, rel=0.05)  # a low-pass keeps the area of a pulse
    noisy = simulate(seed=3, model="simplified", **SMALL)
    assert np.std(noisy.velocity - sequence.velocity) > 0


def test_a_pulse_of_the_simplified_model_stands_above_its_noise():
    changes = {"model": "simplified", "grid.rows": 64, "grid.columns": 64, "grid.depth": 0.02, "grid.width": 0.02}
    changes |= {"grid.frames": 512, "firing.synchronisation": 0.0}
    ratio = []
    for seed in range(4):
        still, noisy = (simulate(seed=seed, **changes, **{"simplified.noise": level}) for level in (0.0, 0.1))
        noise = (noisy.velocity - still.velocity)[30:-30, 8:-8, 8:-8].std()
        labels = still.labels
        pulse = np.median([(w.max() * s.max()) for w, s in zip(labels.weight, labels.source, strict=True)])
        ratio.append(pulse / noise)
    assert np.mean(ratio) == pytest.approx(1.5, abs=0.1)


def test_same_seed_same_bytes_and_another_seed_other_ones():
    a, b, c = simulate(seed=5, **SMALL), simulate(seed=5, **SMALL), simulate(seed=6, **SMALL)
    assert a.velocity.tobytes() == b.velocity.tobytes()
    assert a.velocity.tobytes() != c.velocity.tobytes()


def test_domain_bytes_do_not_depend_on_workers_and_good_files_are_kept(tmp_path):
    settings = settings_from(SimulateSettings, SMALL)
    one = simulate_domain(tmp_path / "one", 4, settings, workers=1, quiet=True)
    two = simulate_domain(tmp_path / "two", 4, settings, workers=2, quiet=True)
    for a, b in zip(one, two, strict=True):
        assert Sequence.load(a).velocity.tobytes() == Sequence.load(b).velocity.tobytes()

    kept = one[0].stat().st_mtime_ns
    one[1].write_bytes(one[1].read_bytes()[:1000])  # truncated
    one[2].unlink()
    simulate_domain(tmp_path / "one", 4, settings, workers=1, quiet=True)
    assert one[0].stat().st_mtime_ns == kept
    assert all(
        Sequence.load(a).velocity.tobytes() == Sequence.load(b).velocity.tobytes()
        for a, b in zip(one, two, strict=True)
    )


def test_a_folder_that_holds_another_domain_is_refused_and_untouched(tmp_path):
    files = simulate_domain(tmp_path / "d", 1, SMALL, seed=0, quiet=True)
    before = files[0].read_bytes()
    with pytest.raises(RunFolderError, match="seed is 0 there, 1 here"):
        simulate_domain(tmp_path / "d", 1, SMALL, seed=1, quiet=True)
    assert files[0].read_bytes() == before


FIRINGS = SHARED / "motor_unit_firings"
needs_firings = pytest.mark.skipif(not FIRINGS.is_dir(), reason="the measured spike trains are not at hand")


@needs_firings
@pytest.mark.parametrize(
    ("name", "units", "rate"),
    [
        ("Caillet2022_GM_30.mat", 27, 9.6),
        ("Caillet2022_TA_35_D.mat", 32, 13.4),
        ("openhdemg_VL_otb_testfile.mat", 5, 8),
    ],
)
def test_measured_trains_are_read_with_their_rates(name, units, rate):
    found = read_spike_trains(FIRINGS / name)
    assert len(found) == units
    rates = [1 / np.median(np.diff(times)) for times in found]
    assert np.mean(rates) == pytest.approx(rate, rel=0.2)


@needs_firings
def test_measured_trains_drive_a_sequence():
    path = FIRINGS / "Caillet2022_GM_30.mat"
    sequence = simulate(seed=0, **SMALL, **{"firing.measured": path})
    measured = np.concatenate(read_spike_trains(path))
    fired = sequence.labels.spike_times[0]
    assert 4 <= len(sequence.labels) <= 10
    # The intervals are those of the file: some unit of it has all of them in a row.
    assert any(
        np.isin(np.round(np.diff(fired), 6), np.round(np.diff(np.sort(unit)), 6)).all()
        for unit in read_spike_trains(path)
    )
    assert len(measured) > len(fired)


def test_openhdemg_and_bids_files_give_the_times_written_into_them(tmp_path):
    times = [np.arange(20) * 0.1, np.arange(15) * 0.13 + 0.05]
    text = json.dumps(
        {"FSAMP": json.dumps(2000.0), "MUPULSES": json.dumps([np.rint(t * 2000).tolist() for t in times])}
    )
    (tmp_path / "emg.json").write_text(text)
    rows = ["onset\tduration\tmotor_unit"] + [f"{t:.4f}\t0\t{unit}" for unit, train in enumerate(times) for t in train]
    (tmp_path / "sub-01_events.tsv").write_text("\n".join(rows))
    for name in ("emg.json", "sub-01_events.tsv"):
        found = read_spike_trains(tmp_path / name)
        assert all(np.allclose(a, b, atol=1e-3) for a, b in zip(found, times, strict=True))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.mat", b"no matlab", "cannot be read as spike trains"),
        ("x.json", b"{}", "cannot be read as spike trains"),
        ("x.tsv", b"time\tunit\n1\t2\n", "needs the columns onset"),
        ("x.csv", b"1,2", "spike trains come as"),
    ],
)
def test_broken_spike_files_are_one_clear_line(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=says) as error:
        read_spike_trains(tmp_path / name)
    assert name in str(error.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"firing.rate": (13, 8)}, "swap the two"),
        ({"firing.shortest_ipi": 0.1}, "shortest_ipi must be under"),
        ({"grid.frame_rate": 10.0}, "at least 20 Hz"),
        ({"noise.snr_db": 3.0, "noise.band": (5, 300)}, "under half the frame rate"),
        ({"grid.frames": 0}, "grid.frames"),
        ({"firing.rates": 3}, "there is no setting 'firing.rates'"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes, says):
    with pytest.raises(InputError, match=says):
        simulate(**changes)
