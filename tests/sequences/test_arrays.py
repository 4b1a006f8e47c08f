"""Somebody's own simulation: an array and plain lists become a sequence with its truth."""

import json

import numpy as np
import pytest

import myovivo as mv
from myovivo.acquisition.acquire import acquire, acquire_domain
from myovivo.errors import FileError, InputError, UnitWarning
from myovivo.sequences.sequence import Sequence

RATE, PIXEL, SHAPE = 500.0, 0.5e-3, (100, 20, 24)
TIMES = [[0.05, 0.1, 0.15], [0.02, 0.12]]
PLACES = {"centre": [[0.003, 0.004], [0.007, 0.008]], "diameter": [0.003, 0.004]}
LABELS = {"spike_times": TIMES, **PLACES}
ARRAY = {"frame_rate": RATE, "spacing": PIXEL}


def moving():
    """Velocity (T, Z, X) of two units, m/s, with the masks and courses that it is made of."""
    z, x = (np.arange(SHAPE[1])[:, None] + 0.5) * PIXEL, (np.arange(SHAPE[2]) + 0.5) * PIXEL
    discs = zip(PLACES["centre"], PLACES["diameter"], strict=True)
    mask = np.stack([np.hypot(z - c[0], x - c[1]) <= d / 2 for c, d in discs])
    course = 1e-3 * np.random.default_rng(0).standard_normal((2, SHAPE[0]))
    return np.einsum("kt,kzx->tzx", course, mask), mask, course


def test_labels_from_lists_are_those_that_made_the_velocity():
    velocity, mask, course = moving()
    sequence = Sequence.from_array(velocity, **ARRAY, labels=LABELS, subject="a")
    units = sequence.labels
    assert (sequence.origin, sequence.subject, sequence.spacing) == ("silico", "a", (PIXEL, PIXEL))
    assert [times.tolist() for times in units.spike_times] == TIMES
    assert np.array_equal(units.mask, mask)
    np.testing.assert_allclose(units.source, course, atol=1e-8)
    np.testing.assert_allclose(units.velocity(), velocity, atol=1e-8)
    assert all((partner == -1).all() for partner in units.sync_partner)


def test_discs_follow_from_masks():
    velocity, mask, _ = moving()
    units = Sequence.from_array(velocity, **ARRAY, labels={"spike_times": TIMES, "mask": mask.tolist()}).labels
    np.testing.assert_allclose(units.centre, PLACES["centre"], atol=PIXEL / 2)
    np.testing.assert_allclose(units.diameter, PLACES["diameter"], rtol=0.1)


def test_units_that_overlap_share_the_velocity_by_their_weights():
    rng = np.random.default_rng(1)
    weight, course = rng.random((2, *SHAPE[1:])), 1e-3 * rng.standard_normal((2, SHAPE[0]))
    velocity = np.einsum("kt,kzx->tzx", course, weight)
    units = Sequence.from_array(velocity, **ARRAY, labels={**LABELS, "weight": weight}).labels
    np.testing.assert_allclose(units.source, course, atol=1e-7)


@pytest.mark.parametrize(("unit", "factor"), [("m/s", 1.0), ("cm/s", 1e2), ("mm/s", 1e3)])
@pytest.mark.parametrize("sign", [1, -1])
def test_units_and_sign_are_brought_to_ours(unit, factor, sign):
    velocity, _, _ = moving()
    sequence = Sequence.from_array(sign * factor * velocity, **ARRAY, unit=unit, sign=sign)
    np.testing.assert_allclose(sequence.velocity, velocity, atol=1e-9)


def test_firings_out_of_order_keep_their_partners():
    velocity, _, _ = moving()
    labels = {"spike_times": [[0.1, 0.05], [0.1]], "sync_partner": [[1, -1], [0]], **PLACES}
    units = Sequence.from_array(velocity, **ARRAY, labels=labels).labels
    assert units.spike_times[0].tolist() == [0.05, 0.1]
    assert units.sync_partner[0].tolist() == [-1, 1]
    assert labels["spike_times"] == [[0.1, 0.05], [0.1]]


def test_labels_survive_a_file_and_resampling(tmp_path):
    velocity, mask, _ = moving()
    sequence = Sequence.from_array(velocity, **ARRAY, labels=LABELS)
    read = Sequence.load(sequence.save(tmp_path / "a.h5"))
    assert np.array_equal(read.labels.mask, mask)
    assert np.shape(sequence.resample(250.0, (10, 12)).labels.source) == (2, 50)
    # Ready labels are taken as they are.
    assert Sequence.from_array(velocity, **ARRAY, labels=read.labels).labels is read.labels
    with pytest.raises(InputError, match=r"labels are of \(T, Z, X\) \(100, 20, 24\) but the velocity has \(90,"):
        Sequence.from_array(velocity[:90], **ARRAY, labels=read.labels)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"spike_times": [[50, 100, 150], [20, 120]]},
            "in s from the first frame .* up to 150; are they in frames or ms",
        ),
        ({"spike_times": [["a"], []]}, "unit 0 must be a list of numbers"),
        ({"spike_times": [[0.1], [np.nan]]}, "unit 1 must be a list of finite times"),
        ({"spike_times": [0.1, 0.2]}, "unit 0 must be a list of finite times"),
        ({"spike_times": [[], []]}, "empty for all units"),
        ({"spike_times": []}, "need spike_times"),
        ({"spike_times": {"1": [0.1]}}, "need spike_times"),
        ({"spike_times": [[0.1]]}, r"centre must be finite numbers of shape \(1, 2\), got shape \(2, 2\)"),
        ({"centre": [[3, 4], [7, 8]]}, "unit 0 covers no pixel .*; are centre and diameter in m"),
        ({"diameter": [300, 400]}, "every unit covers the whole picture; is its diameter in m"),
        ({"diameter": [0.003, np.inf]}, "diameter must be finite"),
        ({"spikes": TIMES}, "know nothing of 'spikes'; the names are spike_times"),
        ({"weight": np.ones((2, 3, 3))}, r"weight must be finite numbers of shape \(2, 20, 24\)"),
        ({"source": "x"}, "source must be numbers"),
        ({"sync_partner": [[1], [0]]}, "must name a unit, or -1, for each firing"),
        ({"twitch": 3}, "twitch must be values by name"),
    ],
)
def test_labels_that_do_not_fit_are_named(changes, message):
    with pytest.raises(InputError, match=message) as raised:
        Sequence.from_array(moving()[0], **ARRAY, labels=LABELS | changes)
    assert "\n" not in str(raised.value)


def test_labels_without_a_place_are_refused():
    for given in ({}, {"centre": PLACES["centre"]}):
        with pytest.raises(InputError, match="need the place of each unit"):
            Sequence.from_array(moving()[0], **ARRAY, labels={"spike_times": TIMES, **given})


@pytest.mark.parametrize(
    ("array", "changes", "message"),
    [
        (np.ones((3, 4)), {}, r"numbers \(T, Z, X\): .* got float64 of shape \(3, 4\)"),
        ([[[1.0], [2.0, 3.0]]], {}, "all frames of one size"),
        (np.full(SHAPE, np.nan), {}, "must be finite, got 48000 NaN"),
        (np.ones(SHAPE, complex), {}, "must be numbers"),
        (np.ones(SHAPE), {}, r"root-mean-square velocity of 1 m/s cannot be; .* give unit='mm/s'"),
        (np.zeros(SHAPE), {"unit": "m"}, "unit must be one of m/s, cm/s, mm/s, got 'm'"),
        (np.zeros(SHAPE), {"sign": 0}, "sign must be 1, or -1"),
        (np.zeros(SHAPE), {"origin": "mine"}, "origin must be one of silico"),
        (np.zeros(SHAPE), {"spacing": (1e-3, 1e-3, 1e-3)}, "spacing must be positive"),
        (np.zeros(SHAPE), {"spacing": 0.5}, "spacing dz of 0.5 m cannot be"),
        (np.zeros(SHAPE), {"frame_rate": -1.0}, "frame_rate must be positive"),
    ],
)
def test_arrays_that_cannot_be_are_refused(array, changes, message):
    with pytest.raises(InputError, match=message):
        Sequence.from_array(array, **ARRAY | changes)


def test_a_speed_that_is_unusual_is_warned_of():
    with pytest.warns(UnitWarning, match="is unusual"):
        Sequence.from_array(np.full(SHAPE, 0.1), **ARRAY)


# -------------------------------------------------------------------------------------- files

GRID = {"output.rows": SHAPE[1], "output.columns": SHAPE[2], "output.frame_rate": None, "quiet": True}
SCAN = {"frame_rate": RATE, "spacing": (PIXEL, PIXEL), "scan.axes": "frame depth lateral"}


def test_acquire_takes_a_simulation_as_it_is(tmp_path):
    velocity, mask, course = moving()
    np.save(tmp_path / "m1.npy", velocity)
    (tmp_path / "m1_labels.json").write_text(json.dumps(LABELS), encoding="utf-8-sig")
    sequence = acquire(tmp_path / "m1.npy", role="silico", **SCAN, **GRID)
    np.testing.assert_allclose(sequence.velocity, velocity, atol=1e-9)  # neither band-passed nor smoothed
    assert (sequence.origin, sequence.subject) == ("silico", "m1")
    assert np.array_equal(sequence.labels.mask, mask)
    np.testing.assert_allclose(sequence.labels.source, course, atol=1e-8)
    # What is asked for is done, and given labels win over those beside the file.
    smooth = acquire(tmp_path / "m1.npy", role="silico", **SCAN, **GRID, **{"conditioning.band": (5, 50)})
    assert smooth.velocity.std() < 0.7 * velocity.std()
    other = acquire(
        tmp_path / "m1.npy", role="silico", labels={**LABELS, "spike_times": [[0.1], [0.2]]}, **SCAN, **GRID
    )
    assert [len(times) for times in other.labels.spike_times] == [1, 1]
    assert acquire(tmp_path / "m1.npy", **SCAN, **GRID).labels is None


def test_a_folder_of_simulations_is_made_anew_when_labels_change(tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    velocity, _, _ = moving()
    for name in ("m1", "m2"):
        np.save(source / f"{name}.npy", velocity)
        (source / f"{name}_labels.json").write_text(json.dumps(LABELS))
    how = {"role": "silico", "workers": 1, **SCAN, **GRID}
    files = acquire_domain(source, out, **how)
    assert [file.name for file in files] == ["sub-m1_tvi.h5", "sub-m2_tvi.h5"]
    before = files[0].stat().st_mtime_ns
    (source / "m2_labels.json").write_text(json.dumps(LABELS | {"spike_times": [[0.1], [0.15]]}))
    acquire_domain(source, out, **how)
    assert len(Sequence.load(files[1]).labels.spike_times[0]) == 1
    assert files[0].stat().st_mtime_ns == before


def test_labels_where_they_mean_nothing_or_are_broken_are_refused(tmp_path):
    np.save(tmp_path / "m1.npy", moving()[0])
    with pytest.raises(FileError, match=r"m1\.npy: labels are for velocity of your own simulator; give role='silico'"):
        acquire(tmp_path / "m1.npy", labels=LABELS, **SCAN, **GRID)
    iq = mv.Recording.of_array(np.ones((9, 8, 8), complex), frame_rate=RATE, spacing=(1e-3, 1e-3), centre_frequency=5e6)
    with pytest.raises(InputError, match="role silico is for files of velocity"):
        acquire(iq, role="silico", quiet=True)
    beside = tmp_path / "m1_labels.json"
    for text, message in (
        ("{", "is no readable JSON file of labels"),
        ("[1]", "holds no labels"),
        ("[" * 100_000, "is no readable JSON file of labels"),
        (json.dumps(LABELS | {"diameter": [1]}), "diameter must be finite numbers"),
    ):
        beside.write_text(text)
        with pytest.raises(FileError, match=message) as raised:
            acquire(tmp_path / "m1.npy", role="silico", **SCAN, **GRID)
        assert str(beside) in str(raised.value)
