"""The error to a known truth: none for the truth itself, a known noise measured back, a phantom of the same units."""

import numpy as np
import pytest

import myovivo as mv
from myovivo.errors import InputError
from myovivo.evaluation.paired import paired_error
from myovivo.sequences.sequence import Sequence

GRID = {"grid.depth": 0.02, "grid.width": 0.02, "grid.rows": 24, "grid.columns": 24, "grid.frames": 256}
# A strong contraction seen almost without noise, so that the truth is not hidden by the scanner.
SCANNER = {"imaging.rows": 192, "imaging.columns": 64, "imaging.frame_rate": 1000.0, "imaging.snr_db": (60.0, 60.0)}
SCANNER |= {"contraction.eigenstrain": 0.01}


@pytest.fixture
def truth():
    rng = np.random.default_rng(0)
    amplitude = np.exp(rng.standard_normal((10, 9)))
    return Sequence(1e-3 * rng.standard_normal((2000, 10, 9)) * amplitude, 500.0, (1e-3, 1e-3), origin="phantom")


def test_the_truth_itself_at_any_gain_has_no_error(truth):
    result = paired_error(truth.replace(velocity=-4 * truth.velocity), truth)
    assert result.error == pytest.approx(0, abs=1e-3)
    assert result.gain == pytest.approx(-0.25)
    np.testing.assert_allclose(result.correlation, -1, atol=1e-5)
    assert result.log_variance_error == pytest.approx(0, abs=1e-5)
    assert result.log_variance_correlation == pytest.approx(1)


def test_a_known_noise_is_measured_back(truth):
    """Noise of as much power as the motion in every pixel: correlation 1/√2, error 1/√2."""
    noise = np.random.default_rng(1).standard_normal(truth.shape) * truth.velocity.std(axis=0)
    result = paired_error(truth.replace(velocity=truth.velocity + noise), truth)
    assert result.error == pytest.approx(0.5**0.5, abs=0.02)
    assert result.gain == pytest.approx(0.5, abs=0.02)
    assert np.mean(result.correlation) == pytest.approx(0.5**0.5, abs=0.01)
    assert result.log_variance_error < 0.1


def test_a_gain_of_each_pixel_changes_the_map_but_no_correlation(truth):
    gain = np.where(np.arange(10) < 5, 1.0, 10.0)[:, None]
    result = paired_error(truth.replace(velocity=gain * truth.velocity), truth)
    np.testing.assert_allclose(result.correlation, 1, atol=1e-5)
    assert 0.1 < result.error < 0.9
    assert result.log_variance_error == pytest.approx(np.log(10), rel=0.5)


def test_the_frames_that_only_one_has_are_left_out_and_still_pixels_have_no_correlation(truth):
    shorter = truth.velocity[:1500].copy()
    shorter[:, 0] = 0
    result = paired_error(truth.replace(velocity=shorter), truth)
    assert result.frames == 1500
    assert np.isnan(result.correlation[0]).all()
    assert "0 = the truth" in str(result)
    assert "\n" not in str(result)
    assert result.to_dict()["correlation"] == pytest.approx(1)


def test_a_phantom_of_the_same_units_is_nearer_to_its_truth_than_others_are():
    """A recording of a simulated activity against its own true motion, that simulation, and another one."""
    simulated, other = (mv.simulate(seed=seed, **GRID, **{"firing.units": (3, 3)}) for seed in (7, 8))
    chain = {"output.rows": 24, "output.columns": 24, "output.frame_rate": 512.0}
    truth = mv.acquire(mv.phantom(seed=0, subject=1, activity=simulated, **GRID, **SCANNER), quiet=True, **chain)
    own = truth.replace(velocity=truth.labels.velocity())
    found = {
        name: paired_error(one, truth).to_dict()
        for name, one in {"own": own, "simulated": simulated, "other": other}.items()
    }
    assert found["own"]["error"] < 0.6  # what the acquisition itself loses
    assert found["own"]["correlation"] > 0.8
    # The simulation has each unit's time course, though not the tissue's sign and pattern.
    size = [found[name]["correlation_either_sign"] for name in ("own", "simulated", "other")]
    assert size[0] > size[1] + 0.2 > size[2] + 0.4
    assert found["own"]["error"] < found["simulated"]["error"] < found["other"]["error"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda one: one.replace(velocity=one.velocity[:, 1:]), "must share size"),
        (lambda one: one.replace(frame_rate=400.0), "500 Hz"),
        (lambda one: one.replace(velocity=np.zeros(one.shape)), "must move"),
    ],
)
def test_what_is_no_pair_is_refused(truth, change, words):
    with pytest.raises(InputError, match=words):
        paired_error(change(truth), truth)
