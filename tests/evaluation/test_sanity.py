"""Which measure notices what: faults of a domain that are put in on purpose, beside one that is as good as can be."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from myovivo.evaluation.evaluate import evaluate
from myovivo.sequences.sequence import Sequence

SHAPE = (64, 24, 24)
SUBJECTS = 16


def recording(subject, seed):
    """One subject's tissue: how rough, how deep its map is; one of two kinds."""
    rng = np.random.default_rng((seed, subject))
    kind = subject % 2
    width = (1.0 if kind else 3.0) * rng.uniform(0.8, 1.2)
    log_gain = gaussian_filter(rng.standard_normal(SHAPE[1:]), width)
    log_gain *= 1.2 / log_gain.std()
    pace = (1.2 if kind else 2.0) * rng.uniform(0.9, 1.1)
    velocity = gaussian_filter(rng.standard_normal(SHAPE), (pace, 1, 1)) * np.exp(log_gain)
    return Sequence(
        1e-3 * velocity / velocity.std(), 128.0, (1e-3, 1e-3), origin="phantom", subject=f"{seed}-{subject}"
    )


def faulty(name, sequences, reference):
    """A fault put into as good a translation as there can be: other subjects of the same kinds."""
    rng = np.random.default_rng(9)
    match name:
        case "dropped mode":
            return [recording(2 * k, 3) for k in range(len(sequences))]
        case "copies":
            noise = [1e-5 * rng.standard_normal(SHAPE).astype(np.float32) for _ in reference]
            pairs = enumerate(zip(reference, noise, strict=True))  # of new names, as what a model makes has
            return [one.replace(velocity=one.velocity + more, subject=f"copy-{k}") for k, (one, more) in pairs]
        case "outliers":
            white = [1e-3 * rng.standard_normal(SHAPE).astype(np.float32) for _ in sequences]
            return [one.replace(velocity=more) if k % 4 == 0 else one for k, (one, more) in enumerate(zip(sequences, white, strict=True))]  # fmt: skip # noqa: E501
        case "one motion":
            course = rng.standard_normal((SHAPE[0], 1, 1)).astype(np.float32)
            return [one.replace(velocity=course * one.velocity.std(axis=0)) for one in sequences]
    raise AssertionError(name)


@pytest.fixture(scope="module")
def table():
    reference, good = ([recording(k, seed) for k in range(SUBJECTS)] for seed in (1, 2))
    names = ["dropped mode", "copies", "outliers", "one motion"]
    faults = {name: faulty(name, good, reference) for name in names}
    comparison = evaluate(faults | {"good": good}, reference, quiet=True, workers=1)
    return {row.name: {name: cell.mean for name, cell in row.columns.items()} for row in comparison.rows}


def test_as_good_as_can_be_is_as_near_as_vivo_to_itself(table):
    good, reference = table["good"], table["vivo-vivo"]
    for name in ("Density", "Coverage", "Authentic"):
        assert good[name] == pytest.approx(reference[name], abs=0.15)
    assert good["MMD"] == pytest.approx(reference["MMD"], abs=0.05)
    assert good["PR"] == pytest.approx(reference["PR"], rel=0.2)
    assert good["MMD p"] > 0.05


def test_a_dropped_mode_is_noticed_by_coverage_not_by_density(table):
    assert table["dropped mode"]["Coverage"] < table["good"]["Coverage"] - 0.2
    assert table["dropped mode"]["Density"] > table["good"]["Density"] - 0.1
    assert table["dropped mode"]["MMD p"] < 0.05
    assert table["dropped mode"]["FD maps"] > 1.5 * table["good"]["FD maps"]


def test_copies_are_noticed_by_authenticity_alone(table):
    assert table["copies"]["Authentic"] < table["good"]["Authentic"] - 0.15
    assert table["copies"]["MMD p"] > 0.05
    for name in ("Density", "Coverage"):
        assert table["copies"][name] > table["good"][name] - 0.1
    assert table["copies"]["FD maps"] < 1.2 * table["good"]["FD maps"]


def test_outliers_are_noticed_by_density(table):
    assert table["outliers"]["Density"] < table["good"]["Density"] - 0.15
    assert table["outliers"]["FD Psd"] > 1.5 * table["good"]["FD Psd"]


def test_motion_that_is_one_pattern_is_noticed_by_the_participation_ratio_and_the_coherence(table):
    assert table["one motion"]["PR"] == pytest.approx(1.0, abs=0.01)
    assert table["one motion"]["Coh dist"] > 3 * table["good"]["Coh dist"]
    for name in ("DBhat", "Corr", "SSI"):
        assert table["one motion"][name] == pytest.approx(table["good"][name], abs=0.05)  # no map is another
