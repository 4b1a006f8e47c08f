"""True firings against translated motion: 1 where units move as simulated, 0 by chance, whatever neighbours do."""

import dataclasses

import numpy as np
import pytest

import myovivo as mv
from myovivo.errors import InputError
from myovivo.evaluation import evaluate as evaluate_module
from myovivo.evaluation.nulls import gain_matched, phase_randomised

GRID = {"grid.rows": 24, "grid.columns": 24, "grid.frames": 256}


@pytest.fixture(scope="module")
def sequence():
    return mv.simulate(seed=3, **GRID)


def moving(sequence):
    return np.abs(sequence.labels.source).max(axis=1) > 0


def test_a_simulation_without_noise_agrees_with_its_firings_and_so_with_any_gain(sequence):
    agreement = mv.firing_agreement(sequence)
    np.testing.assert_allclose(agreement[moving(sequence)], 1.0, atol=1e-4)
    stronger = gain_matched(sequence, np.full(sequence.shape[1:], 1e-6))
    assert np.nanmean(mv.firing_agreement(stronger)) > 0.8  # pixels of several units are scaled alike


def test_other_motion_and_late_motion_and_noise_do_not_agree(sequence):
    other = phase_randomised(sequence, seed=1).replace(labels=sequence.labels)
    assert abs(np.nanmean(mv.firing_agreement(other))) < 0.4
    late = sequence.replace(velocity=np.roll(sequence.velocity, 20, axis=0))
    assert np.nanmean(mv.firing_agreement(late)) < 0.3
    upside_down = sequence.replace(velocity=-sequence.velocity)
    np.testing.assert_allclose(mv.firing_agreement(upside_down), -mv.firing_agreement(sequence), atol=1e-4)


def test_a_unit_that_no_longer_moves_is_noticed_though_its_neighbours_move_its_territory(sequence):
    labels = sequence.labels
    silent = int(np.argmax(np.square(labels.source).sum(axis=1)))
    weight = labels.weight.copy()
    weight[silent] = 0
    rng = np.random.default_rng(0)
    velocity = dataclasses.replace(labels, weight=weight).velocity()
    velocity += 0.01 * velocity.std() * rng.standard_normal(velocity.shape).astype(np.float32)
    agreement = mv.firing_agreement(sequence.replace(velocity=velocity))
    others = np.delete(agreement, silent)
    assert abs(agreement[silent]) < 0.3
    assert np.nanmedian(others) > 0.8


def test_the_column_is_of_all_units_of_translations(sequence):
    silico = [mv.simulate(seed=seed, **GRID) for seed in range(3)]
    rng = np.random.default_rng(1)
    noisy = [
        each.replace(velocity=each.velocity + each.velocity.std() * rng.standard_normal(each.shape, np.float32))
        for each in silico
    ]
    table = evaluate_module.evaluate(noisy, silico, silico, quiet=True, workers=1)
    expected = np.concatenate([mv.firing_agreement(each) for each in noisy])
    cell = table.row("translated").columns["firings"]
    assert cell.mean == pytest.approx(np.nanmean(expected))
    assert cell.n == np.isfinite(expected).sum()
    assert cell.mean < 1


def test_weights_are_refitted_to_what_was_made_of_the_simulation(sequence):
    gain = np.random.default_rng(2).uniform(0.2, 3.0, sequence.shape[1:]).astype(np.float32)
    translated = sequence.replace(velocity=gain * sequence.velocity + 1e-4)
    fitted = mv.refit_weights(translated)
    known = moving(sequence)
    np.testing.assert_allclose(fitted[known], gain * sequence.labels.weight[known], atol=2e-3)
    refitted = dataclasses.replace(sequence.labels, weight=fitted)
    np.testing.assert_allclose(refitted.velocity(), gain * sequence.velocity, atol=1e-3 * sequence.velocity.std())


def test_labels_must_be_there_and_of_these_frames(sequence):
    with pytest.raises(InputError, match="without; keep them"):
        mv.refit_weights(sequence.replace(labels=None))
    cut = sequence.replace(velocity=sequence.velocity[:100])
    with pytest.raises(InputError, match="256 for 100"):
        mv.firing_agreement(cut)
