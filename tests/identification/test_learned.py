"""Learning identification: the network sees what it should, its training resumes, the comparison's sums are right."""

import csv
import io

import numpy as np
import pytest
import torch

import myovivo as mv
from myovivo.errors import CheckpointError, FileError, InputError, RunFolderError
from myovivo.identification import comparison as learned
from myovivo.identification import learning
from myovivo.identification.agreement import Agreement, Match, compare_units
from myovivo.identification.decoding import averaged_course, factorised, firing_times, refined
from myovivo.identification.network import FiringNetwork, truth
from myovivo.identification.settings import IdentifySettings, LearnSettings
from myovivo.identification.tuning import tune_identification
from myovivo.runtime.settings import settings_from
from myovivo.sequences.labels import superpose
from myovivo.simulation.twitch import twitch_velocity

RATE, SPACING = 256.0, (0.002, 0.002)
TINY = {"features": 12, "blocks": 3, "cell": 0.004, "clip": 128, "precision": "fp32"}


def contraction(seed=0, frames=384, rows=12, columns=16, subject="a"):
    """Three units, one of them across the others, at their own rates."""
    rng = np.random.default_rng(seed)
    trains = [0.03 + np.cumsum(rng.normal(1 / rate, 0.012, 30)) for rate in (8, 10, 12)]
    trains = tuple(train[train < frames / RATE - 0.05] for train in trains)
    t = np.arange(frames) / RATE
    source = np.array([15e-6 * twitch_velocity(t - train[:, None], 0.05, 0.095).sum(0) for train in trains])
    z, x = np.mgrid[:rows, :columns]
    mask = np.array([np.hypot(z - a, x - b) <= 3.2 for a, b in ((3, 3), (8, 7), (3, 12))])
    weight = mask.astype(np.float32)
    velocity = superpose(source, weight)
    velocity += 0.1 * velocity.std() * rng.standard_normal(velocity.shape).astype(np.float32)
    nobody = tuple(np.full(len(times), -1) for times in trains)
    labels = mv.MotorUnits(trains, nobody, np.zeros((3, 2)), np.zeros(3), mask, weight, source)
    return mv.Sequence(velocity, RATE, SPACING, labels=labels, origin="phantom", subject=subject)


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A sequence file, and a network that has learnt it by heart."""
    folder = tmp_path_factory.mktemp("known")
    file = contraction().save(folder / "a.h5")
    return file, mv.train_identifier([file], folder / "out", TINY, steps=80, learning_rate=6e-3, quiet=True)


# ------------------------------------------------------------------------------------ network


def network(cell=(2, 3, 4)):
    torch.manual_seed(0)
    return FiringNetwork(8, 3, cell)


@pytest.mark.parametrize(("shape", "field"), [((64, 9, 12), (32, 3, 3)), ((33, 10, 13), (17, 4, 4))])
def test_any_length_and_size_can_be_looked_at(shape, field):
    firing, territory = network()(torch.randn(2, *shape))
    assert firing.shape == (2, *field)
    assert territory.shape == (2, *field[1:])


def test_a_moment_depends_on_the_frames_within_reach_and_on_no_others():
    net, middle = network(), 60
    x = torch.randn(1, 240, 9, 12, requires_grad=True)
    net(x)[0][0, middle].sum().backward()
    seen = torch.nonzero(x.grad.abs().sum((0, 2, 3))).ravel()
    assert seen.min() == 2 * middle - net.reach
    assert seen.max() == 2 * middle + net.reach


def test_the_default_network_looks_at_a_whole_twitch():
    settings = LearnSettings()
    cell = learning.cell_of(settings, 512.0, (0.000625, 0.000625))
    assert cell == (2, 4, 4)
    assert 2 * FiringNetwork(4, settings.blocks, cell).reach / 512 >= 0.1


def test_truth_is_the_share_of_the_cell_at_the_firing():
    labels = contraction().labels
    firing, territory = truth(labels, (384, 12, 16), RATE, 0.005, (2, 2, 2))
    assert firing.shape == (192, 6, 8)
    share = labels.mask[0, 2:4, 2:4].mean()  # of the cell in the middle of the first unit, that no other reaches
    moment = round(labels.spike_times[0][3] * RATE / 2)
    late = (moment * 2 / RATE - labels.spike_times[0][3]) / 0.005
    assert firing[moment, 1, 1] == pytest.approx(share * np.exp(-(late**2) / 2), rel=1e-5)
    assert territory[1, 1] == pytest.approx(share)
    assert firing[:, 5, 0].max() == territory[5, 0] == 0


# ----------------------------------------------------------------------------------- decoding


def test_units_that_overlap_are_told_apart():
    labels = contraction().labels
    firing, _ = truth(labels, (384, 12, 16), RATE, 0.005, (2, 2, 2))
    factors = factorised(firing, 3)
    trains = [firing_times(train, RATE / 2, 0.3)[0] for train in factors.trains]
    maps = refined(factors.maps, (2, 2), (12, 16))
    agreement = compare_units(trains, labels.spike_times, 1.5, maps >= 0.5, labels.mask)
    assert agreement.rate > 0.95
    assert agreement.overlap > 0.6


def test_the_averaged_course_is_that_of_the_unit():
    labels = contraction().labels
    found = averaged_course(labels.spike_times[1], labels.source, RATE)
    correlation = np.abs(np.corrcoef(np.vstack([found, labels.source]))[0, 1:])
    assert correlation.argmax() == 1
    assert correlation[1] > 0.9


# ----------------------------------------------------------------------------------- learning


def test_what_was_learnt_by_heart_is_found_back(known):
    file, weights = known
    units = mv.identify(file, method="network", network=weights, **{"decoding.units": 5})
    agreement = units.agreement(mv.Sequence.load(file))
    assert units.method == "network"
    assert agreement.identified == 3
    assert agreement.rate > agreement.chance + 0.4
    assert agreement.overlap > 0.4
    assert not (weights.parent / learning.LEARNING).exists()


def test_a_user_can_give_the_weights_to_the_command(known, tmp_path, capsys):
    from myovivo.cli import main

    file, weights = known
    command = ["identify", str(file), str(tmp_path / "units"), "--method", "network", "--network", str(weights)]
    assert main([*command, "--decoding.units", "5", "--workers", "1", "--quiet"]) == 0
    assert "3 of 3 units identified" in capsys.readouterr().out


def test_an_interrupted_training_ends_with_the_same_weights(tmp_path, monkeypatch):
    file = contraction().save(tmp_path / "a.h5")
    few = {**TINY, "steps": 6, "checkpoint_minutes": 0}
    whole = mv.train_identifier([file], tmp_path / "whole", few, quiet=True)
    pace = learning.pace

    def interrupted(step, steps):
        if step == 4:
            raise KeyboardInterrupt
        return pace(step, steps)

    monkeypatch.setattr(learning, "pace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mv.train_identifier([file], tmp_path / "parts", few, quiet=True)
    assert not (tmp_path / "parts" / learning.IDENTIFIER).exists()
    seen = []
    monkeypatch.setattr(learning, "pace", lambda step, steps: seen.append(step) or pace(step, steps))
    parts = mv.train_identifier([file], tmp_path / "parts", few, quiet=True)
    assert seen == [4, 5]
    assert parts.read_bytes() == whole.read_bytes()
    other = mv.train_identifier([file], tmp_path / "other", few, seed=1, quiet=True)
    assert other.read_bytes() != whole.read_bytes()
    with pytest.raises(RunFolderError, match="seed is 1 there, 0 here"):
        mv.train_identifier([file], tmp_path / "other", few, quiet=True)


def test_the_rate_rises_and_falls():
    paces = [learning.pace(step, 100) for step in range(100)]
    assert np.argmax(paces) in (9, 10)
    assert max(paces) == 1
    assert 0 < paces[-1] < 0.01


# ------------------------------------------------------------------------------------- tuning


def test_tuning_takes_what_finds_the_units(tmp_path):
    file = contraction(frames=512).save(tmp_path / "a.h5")
    grid = [{"method": ("wavelet",), "components": (3,), "wavelet.threshold": (6.0, 1.0)}]  # nothing exceeds six SDs
    tuned = tune_identification([file], grid, workers=1, quiet=True)
    assert tuned.changes == {"method": "wavelet", "components": 3, "wavelet.threshold": 1.0}
    assert tuned.settings == settings_from(IdentifySettings, None, **tuned.changes)
    alone = mv.identify(file, tuned.settings).agreement(mv.Sequence.load(file))
    assert (tuned.rate, tuned.chance) == pytest.approx((alone.rate, alone.chance))
    assert [one["rate"] for one in tuned.tried] == pytest.approx([0, alone.rate])


# --------------------------------------------------------------------------------- comparison


def agreement(rates, chance, overlap=0.5, found=3):
    matches = tuple(Match(k, k, rate, overlap) for k, rate in enumerate(rates))
    return Agreement(matches, found, 0.0, 0.01, chance)


def test_the_table_is_what_a_hand_computes():
    subjects, units = ["a", "a", "b", "c"], [2, 2, 2, 2]
    low = [agreement((0.2, 0.4), 0.1), agreement((0.0, 0.4), 0.1), agreement((0.6, 0.2), 0.2), agreement((0, 0), 0.0)]
    high = [agreement((one.matches[0].rate + 0.3, one.matches[1].rate), one.chance + 0.1) for one in low]
    results = {("network", "raw"): [low], ("network", "translated"): [low, high]}
    comparison = learned.summarised(results, units, subjects, {})
    raw, translated = comparison.rows
    assert raw.rate == pytest.approx((0.3 + 0.2 + 0.4 + 0) / 4)
    assert raw.chance == pytest.approx(0.1)
    assert raw.above == pytest.approx(0.125)
    assert raw.identified == pytest.approx(1 / 8)
    assert raw.units == 8
    assert raw.rate_low <= raw.rate <= raw.rate_high
    assert translated.rate == pytest.approx(raw.rate + 0.075)  # half of the repeats are 0.15 better everywhere
    assert translated.identified == pytest.approx((1 + 2) / 16)  # 0.2, 0, 0.6 and 0 become 0.5, 0.3, 0.9 and 0.3
    (difference,) = comparison.differences
    assert (difference.a, difference.b) == ("translated", "raw")
    assert (difference.rate, difference.rate_low, difference.rate_high) == pytest.approx((0.075,) * 3)
    assert difference.above == pytest.approx(0.025)
    first = next(csv.DictReader(io.StringIO(comparison.to_csv())))
    assert first["rate of agreement"].startswith("0.225 (")
    assert first["identified"] == "12 %"


@pytest.fixture(scope="module")
def domains(tmp_path_factory):
    """Two training sets of one sequence each, and three subjects to test on."""
    folder = tmp_path_factory.mktemp("domains")
    files = [contraction(k, 256, subject=f"s{k}").save(folder / f"{k}.h5") for k in range(5)]
    return {"raw": files[:1], "translated": files[1:2]}, files[2:]


def test_a_comparison_goes_on_where_it_was(domains, tmp_path, monkeypatch):
    training, test = domains
    monkeypatch.setattr(learned, "CLASSICAL", [{"method": ("wavelet",), "wavelet.threshold": (0.9, 1.4)}])
    monkeypatch.setattr(learned, "NETWORK", [{"method": ("network",), "decoding.units": (5,)}])
    monkeypatch.setattr(learned, "DEFAULTS", ("wavelet",))

    def compare(**changes):
        return mv.compare_identification(training, test, tmp_path, TINY | {"steps": 2} | changes, workers=1, quiet=True)

    first = compare()
    assert [(row.method, row.trained_on) for row in first.rows] == [
        ("wavelet", "–"),
        ("classical, tuned", "raw"),
        ("network", "raw"),
        ("classical, tuned", "translated"),
        ("network", "translated"),
    ]
    assert {(one.a, one.b) for one in first.differences} == {("translated", "raw")}
    assert (tmp_path / "identification.csv").read_text() == first.to_csv()

    def nothing(*_, **__):
        raise AssertionError("done once already")

    for name in ("agreements", "tune_identification"):
        monkeypatch.setattr(learned, name, nothing)
    monkeypatch.setattr(learning, "_trained", nothing)
    assert compare().to_dict() == first.to_dict()
    with pytest.raises(RunFolderError, match=r"settings.blocks is 3 there, 2 here"):
        compare(blocks=2)


# ----------------------------------------------------------------------------------- mistakes


def test_labels_that_are_missing_are_named_before_anything_is_trained(domains, tmp_path):
    training, test = domains
    bare = mv.Sequence.load(test[0]).replace(labels=None).save(tmp_path / "bare.h5")
    for sets, tests in ((training | {"more": [bare]}, test), (training, [*test, bare])):
        with pytest.raises(FileError, match=r"bare.h5: has no labels") as raised:
            mv.compare_identification(sets, tests, tmp_path / "out", quiet=True)
        assert "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()
    with pytest.raises(FileError, match=r"bare.h5: has no labels"):
        mv.train_identifier([bare], tmp_path / "out", quiet=True)
    with pytest.raises(FileError, match=r"bare.h5: has no labels"):
        tune_identification([bare], workers=1, quiet=True)


def test_what_breaks_a_rule_is_one_line(domains, known, tmp_path):
    training, test = domains
    file, weights = known
    coarse = mv.Sequence.load(file).replace(spacing=(0.004, 0.004))
    other = coarse.save(tmp_path / "coarse.h5")
    rest = coarse.replace(velocity=0 * coarse.velocity).save(tmp_path / "rest.h5")
    mistakes = [
        (lambda: mv.identify(file, method="network"), InputError, "needs trained weights"),
        (lambda: mv.identify(coarse, method="network", network=weights), CheckpointError, "pixels of 2 x 2 mm but"),
        (lambda: mv.identify(file, method="network", network=file), CheckpointError, "not a readable safetensors"),
        (lambda: mv.train_identifier([], tmp_path / "out"), InputError, "no sequences to learn"),
        (lambda: mv.train_identifier([file, other], tmp_path / "out"), InputError, "coarse.h5 has pixels of 4 x 4 mm"),
        (lambda: mv.train_identifier([rest], tmp_path / "out"), FileError, "rest.h5: nothing moves"),
        (lambda: mv.compare_identification({}, test, tmp_path / "out"), InputError, "one is empty"),
        (lambda: mv.compare_identification({"a": test}, test, tmp_path / "out"), InputError, "both trained and tested"),
        (lambda: mv.compare_identification(training, test[:2], tmp_path / "out"), InputError, "at least 3 test"),
        (lambda: mv.compare_identification({"../a": test}, test, tmp_path / "out"), InputError, "become folders"),
    ]
    for mistake, error, says in mistakes:
        with pytest.raises(error, match=says) as raised:
            mistake()
        assert "\n" not in str(raised.value)
