"""Wraps and outliers that were imposed on a known velocity are mended, and nothing else is touched."""

import numpy as np
import pytest

from myovivo.acquisition.acquire import acquire
from myovivo.acquisition.wraps import Wraps
from myovivo.errors import RecordingWarning
from myovivo.sequences.recording import Recording

RATE, BAND, NYQUIST = 2000.0, (5.0, 50.0), 0.1
FRAMES, ROWS, COLUMNS = 1500, 6, 5


def motion(amplitude, frequency=20.0, rate=RATE, frames=FRAMES):
    """(T, Z, X): phase per frame, rad, of tissue that swings, each pixel with a phase and strength of its own."""
    strength = np.linspace(0.2, 1, ROWS)[:, None] * np.linspace(1, 0.8, COLUMNS)[None, :]
    lag = np.linspace(0, 2, ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    t = np.arange(frames)[:, None, None] / rate
    return np.pi * amplitude * strength * np.sin(2 * np.pi * frequency * t + lag)


def folded(phase):
    return np.angle(np.exp(1j * phase))


def mended(phase, block=64, band=BAND):
    gain = NYQUIST / np.pi * np.linspace(0.95, 1.05, ROWS)[:, None]  # the local centre frequency differs
    wraps = Wraps(RATE, band, phase.shape[1:], NYQUIST)
    pairs = (
        ((gain * phase[i : i + block]).astype(np.float32), phase[i : i + block].astype(np.float32))
        for i in range(0, len(phase), block)
    )
    return np.concatenate(list(wraps.mended(pairs))) / gain, wraps


@pytest.mark.parametrize(("amplitude", "frequency"), [(1.6, 8.0), (1.6, 20.0), (1.5, 45.0), (2.8, 5.0)])
def test_motion_beyond_the_nyquist_velocity_is_unfolded(amplitude, frequency):
    truth = motion(amplitude, frequency)
    assert np.abs(folded(truth) - truth).max() > np.pi
    found, wraps = mended(folded(truth))
    within = slice(200, -200) if amplitude > 2 else slice(None)  # at the ends the window is half a period
    np.testing.assert_allclose(found[within], truth[within], atol=1e-5)
    if amplitude < 2:
        assert wraps.replaced.sum() == 0
        assert np.array_equal(wraps.unfolded, (np.abs(truth) > np.pi).sum(0))


def test_outliers_of_any_size_give_way_to_what_lies_around_them():
    rng = np.random.default_rng(0)
    truth = motion(0.4)
    seen, at = truth.copy(), []
    for start in range(20, FRAMES - 20, 37):  # bursts of one to four frames, in the lowest row as in real noise
        length = int(rng.integers(1, 5))
        seen[start : start + length, -1] = rng.uniform(-np.pi, np.pi, (length, COLUMNS))
        at += range(start, start + length)
    found, wraps = mended(folded(seen))
    assert np.abs(found - truth).max() < np.pi / 2 + 0.5  # what is left is within what tissue might do
    worst = np.abs(seen - truth) > np.pi / 2 + 0.5
    assert np.abs(found - truth)[worst].max() < 0.5
    assert wraps.replaced[-1].min() > 10
    assert wraps.replaced[:-1].sum() == wraps.unfolded[:-1].sum() == 0
    untouched = np.ones(FRAMES, bool)
    untouched[at] = False
    np.testing.assert_allclose(found[untouched], truth[untouched], atol=1e-5)
    note = wraps.notes((1e-3, 2e-3))[0]
    share = 100 * wraps.replaced.sum() / truth.size
    assert note.startswith(f"{share:.2g} % of the velocities were outliers")
    assert "5.5 mm deep" in note


def test_motion_under_the_nyquist_velocity_is_left_to_the_bit():
    for amplitude, frequency in ((0.99, 50.0), (0.99, 5.0), (0.3, 30.0)):
        phase = motion(amplitude, frequency).astype(np.float32)
        wraps = Wraps(RATE, BAND, phase.shape[1:], NYQUIST)
        out = np.concatenate(list(wraps.mended((block, block) for block in np.array_split(phase, 9))))
        assert out.tobytes() == phase.tobytes()
        assert wraps.notes((1e-3, 1e-3)) == []


def test_the_blocks_in_which_frames_come_do_not_matter():
    rng = np.random.default_rng(1)
    seen = motion(1.6, 12.0) + 0.3 * rng.standard_normal((FRAMES, ROWS, COLUMNS))
    seen[rng.uniform(size=seen.shape) < 0.003] += 2.5
    whole, all_of_it = mended(folded(seen), FRAMES)
    for block in (1, 64, 301):
        found, wraps = mended(folded(seen), block)
        assert found.tobytes() == whole.tobytes()
        assert np.array_equal(wraps.unfolded, all_of_it.unfolded)
        assert np.array_equal(wraps.replaced, all_of_it.replaced)


@pytest.mark.parametrize("echo", [0.0, 0.3, 0.6])
def test_noise_is_not_unfolded_into_speeds_beyond_those_it_had(echo):
    # Phases of a sum of four products of noise and a still echo, as the estimator's
    rng = np.random.default_rng(2)
    product = echo + rng.standard_normal((FRAMES, ROWS, COLUMNS)) + 1j * rng.standard_normal((FRAMES, ROWS, COLUMNS))
    noise = np.angle(product[:-3] + product[1:-2] + product[2:-1] + product[3:])
    found, wraps = mended(noise)
    assert wraps.unfolded.sum() < 1e-3 * noise.size
    assert found.std() <= noise.std()
    assert np.abs(found).max() < np.pi + 1e-3


def test_a_recording_that_folds_over_is_acquired_right_and_says_where(monkeypatch):
    # 400 frames/s: the Nyquist velocity is 20.5 mm/s, the tissue swings at up to 27 mm/s.
    rate, frequency, f0, c, rows = 400.0, 20.0, 7.5e6, 1540.0, 64
    t = np.arange(800) / rate
    pattern = np.linspace(0.3, 1, rows)[:, None] * np.ones(24)
    u = 27e-3 / (2 * np.pi * frequency) * np.sin(2 * np.pi * frequency * t)
    rng = np.random.default_rng(0)
    speckle = rng.standard_normal((rows, 24)) + 1j * rng.standard_normal((rows, 24))
    iq = speckle * np.exp(4j * np.pi * f0 / c * u[:, None, None] * pattern)
    recording = Recording.of_array(iq.astype(np.complex64), frame_rate=rate, spacing=(3e-4, 3e-4), centre_frequency=f0)
    settings = {"output.rows": 16, "output.columns": 8, "velocity.axial_window": 6e-4, "velocity.lateral_window": 1e-3}
    with pytest.warns(RecordingWarning, match="had folded over at the Nyquist velocity, 20.5 mm/s"):
        found = acquire(recording, settings, quiet=True)
    middle = slice(200, 600)
    wave = np.exp(-2j * np.pi * frequency * np.arange(800)[middle] / found.frame_rate)
    measured = np.abs(2 * np.tensordot(wave, found.velocity[middle], 1) / len(wave)).mean(1)
    expected = 27e-3 * np.linspace(0.3, 1, 16)
    np.testing.assert_allclose(measured[1:-1], expected[1:-1], rtol=0.06)
    monkeypatch.setattr(Wraps, "mended", lambda self, pairs: (velocity for velocity, _ in pairs))
    as_it_came = acquire(recording, settings, quiet=True)
    measured = np.abs(2 * np.tensordot(wave, as_it_came.velocity[middle], 1) / len(wave)).mean(1)
    assert measured[-2] < 0.5 * expected[-2]
