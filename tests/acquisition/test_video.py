"""Video files: the clock behind rounded time stamps, gaps, deep grey levels, colour, and outliers of the velocity."""

import numpy as np
import pytest

from myovivo.acquisition.acquire import acquire
from myovivo.acquisition.checks import Peaks
from myovivo.acquisition.parameters import resolved
from myovivo.acquisition.readers.stamps import unrounded
from myovivo.acquisition.readers.video import read_video
from myovivo.acquisition.recordings import open_recording
from myovivo.errors import RecordingWarning

cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")

SETTINGS = {"video.pixel": 1e-4, "conditioning.band": (5, 20), "output.rows": 12, "output.columns": 10, "quiet": True}


def written(path, frames, rate, codec="FFV1", deep=False):
    size = frames.shape[2:0:-1]
    options = [cv2.VIDEOWRITER_PROP_DEPTH, cv2.CV_16U, cv2.VIDEOWRITER_PROP_IS_COLOR, 0] if deep else []
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*codec), rate, size, options)
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def noise(frames, deep=False):
    rng = np.random.default_rng(0)
    if deep:
        return rng.integers(0, 2**16, (frames, 48, 64)).astype(np.uint16)
    return np.repeat(rng.integers(0, 256, (frames, 48, 64, 1)), 3, 3).astype(np.uint8)


@pytest.mark.parametrize("rate", [25, 29.97, 61.6, 120, 300, 450, 640, 700, 800, 900, 1000, 1200])
def test_a_container_with_stamps_in_whole_ms_has_its_frame_rate(tmp_path, rate):
    found = resolved(open_recording(written(tmp_path / "clip.mkv", noise(80), rate)))[0]["frame_rate"]
    assert found.value == pytest.approx(rate, rel=1e-3)
    assert "whole ms" in found.origin


@pytest.mark.parametrize("rate", [61.6, 120.0, 450.0, 700.0])
@pytest.mark.parametrize("announced", [True, False])
def test_frames_missing_between_rounded_stamps_are_counted(rate, announced):
    if not announced and rate > 300:
        pytest.skip("steps of 1 and 2 ms alone tell no gap of 2 ms from a step")
    numbers = np.delete(np.arange(400), [100, 101, 250])
    times, _ = unrounded(np.rint(numbers / rate * 1e3), rate if announced else 0.0)
    assert np.array_equal(np.rint(times * rate), numbers)


def test_a_rate_announced_wrongly_gives_way_to_the_mean_one():
    stamps = np.rint(np.arange(500) / 61.6 * 1e3)
    times, clock = unrounded(stamps, 61.0)
    assert 1 / np.diff(times).mean() == pytest.approx(61.6, rel=1e-3)
    assert "mean" in clock


def test_stamps_that_keep_no_steady_clock_or_are_not_rounded_are_left():
    rng = np.random.default_rng(0)
    jittered = np.cumsum(np.rint(rng.uniform(10, 30, 200)))
    assert unrounded(jittered, 50.0) is None
    assert unrounded(np.arange(50) * 16.39, 61.0) is None
    assert unrounded(np.zeros(5), 25.0) is None


def test_grey_levels_of_16_bits_are_kept(tmp_path):
    frames = noise(5, deep=True)
    for ending in ("mkv", "avi"):
        content = read_video(written(tmp_path / f"deep.{ending}", frames, 25, deep=True))
        assert content.frames.dtype == np.uint16
        blocks = list(content.frames.blocks(("frame", "depth", "lateral"), 2))
        assert np.array_equal(np.concatenate(blocks), frames)


def test_colour_over_the_picture_is_said(tmp_path):
    frames = noise(30)
    frames[:, 10:14, 20:40] = (0, 255, 255)
    path = written(tmp_path / "p1_doppler.avi", frames, 50)
    with pytest.warns(RecordingWarning, match=r"2\.6 % of the image region is in colour"):
        acquire(path, **SETTINGS, **{"video.window": 5e-4})
    notes = acquire(path, **SETTINGS, **{"video.window": 5e-4, "video.crop": (16, 48, 0, 64)}).provenance["notes"]
    assert not [note for note in notes if "colour" in note]


def test_an_isolated_outlier_is_named_by_its_place():
    velocity = np.random.default_rng(0).standard_normal((60, 40, 50)).astype(np.float32) * 1e-3
    for wild in (False, True):
        if wild:
            velocity[33, 10, 45] = -0.05
        peaks = Peaks()
        passed = np.concatenate(list(peaks(velocity[start : start + 7] for start in range(0, 60, 7))))
        assert np.array_equal(passed, velocity)
        notes = peaks.notes(500.0, (0.5e-3, 0.4e-3))
        assert len(notes) == wild
    assert "up to -50 mm/s, 49 times its SD: frame 33 at 66 ms, 5.25 mm deep, 18.2 mm from the left" in notes[0]


def test_acquire_warns_of_an_outlier(tmp_path):
    t = np.arange(2000) / 1000
    velocity = 1e-3 * np.sin(2 * np.pi * 20 * t)[:, None, None] * np.ones((1, 12, 10), np.float32)
    velocity[1000, 6, 5] = 1.0
    np.save(tmp_path / "v.npy", velocity.astype(np.float32))
    settings = {"conditioning.median": 0, "output.rows": 12, "output.columns": 10, "quiet": True}
    with pytest.warns(RecordingWarning, match=r"outliers in .* at 1... ms, 3\.25 mm deep, 2\.75 mm from the left"):
        acquire(tmp_path / "v.npy", frame_rate=1000.0, spacing=(0.5e-3, 0.5e-3), **settings)
