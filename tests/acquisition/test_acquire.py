"""Velocity arrays, B-mode video and the conditioning chain."""

import h5py
import numpy as np
import pytest
import scipy.io
from clips import write_video
from domains import SHARED
from scipy.ndimage import median_filter

from myovivo.acquisition.acquire import acquire, acquire_domain, recorded_frame_rate
from myovivo.acquisition.velocity import window_matrix
from myovivo.errors import FileError, InputError
from myovivo.sequences.recording import Recording
from myovivo.sequences.sequence import Sequence
from myovivo.signals.band_pass import band_pass
from myovivo.signals.median import median
from myovivo.signals.resample import resample_space, resample_time

SPACING = (1e-3, 1e-3)
SMALL = {"output.rows": 12, "output.columns": 10}


def oscillation(frequency, rate=2000.0, frames=4000, shape=(12, 10)):
    t = np.arange(frames) / rate
    return np.broadcast_to(np.sin(2 * np.pi * frequency * t)[:, None, None], (frames, *shape)).astype(np.float32)


@pytest.mark.parametrize(
    ("frequency", "gain"), [(0.5, 0.0), (2.0, 0.001), (5.0, 0.5), (15.0, 1.0), (30.0, 1.0), (50.0, 0.5), (150.0, 0.0)]
)
def test_band_pass_is_a_zero_phase_butterworth(frequency, gain):
    wave = oscillation(frequency)
    found = band_pass(wave, 2000.0, (5.0, 50.0))[500:-500, 3, 4]
    reference = wave[500:-500, 3, 4]
    # Forwards and backwards: the power gain of one pass, half at the corners, and no delay.
    assert np.dot(found, reference) / np.dot(reference, reference) == pytest.approx(gain, abs=0.01)


def test_a_band_beyond_half_the_frame_rate_is_refused_with_one_that_fits():
    with pytest.raises(InputError, match=r"5-50 Hz must end under half the frame rate, 30.5 Hz; .* try \[5, 24\]"):
        band_pass(np.zeros((100, 4, 4), np.float32), 61.0, (5.0, 50.0))
    with pytest.raises(InputError, match=r"0\.5 Hz; record faster or try none"):
        band_pass(np.zeros((100, 4, 4), np.float32), 1.0, (5.0, 50.0))


def test_median_equals_scipys_for_its_sizes():
    velocity = np.random.default_rng(0).standard_normal((40, 17, 13)).astype(np.float32)
    for spacing, size in (((0.3125e-3, 0.3125e-3), (3, 3)), ((0.2e-3, 0.35e-3), (5, 3)), ((1e-3, 0.6e-3), (1, 1))):
        expected = median_filter(velocity, (1, *size), mode="nearest")
        assert np.array_equal(median(velocity, spacing, 1e-3), expected), (spacing, size)


def test_resampling_keeps_a_band_limited_wave():
    wave = oscillation(30.0)[:, :, 0]
    found = resample_time(wave, 2000.0, 512.0)
    assert len(found) == 1024
    expected = np.sin(2 * np.pi * 30 * np.arange(1024) / 512)
    assert np.abs(found[5:-5, 0] - expected[5:-5]).max() < 0.002


def test_resampling_in_space_keeps_a_linear_field_and_its_extent():
    ramp = np.broadcast_to(np.arange(32.0)[None, :, None], (4, 32, 24)).astype(np.float32)
    found = resample_space(ramp, (16, 12))
    assert np.allclose(found[:, 2:-2], (np.arange(16) * 2 + 0.5)[None, 2:-2, None], atol=1e-3)


def test_windows_average_whole_and_cut_samples():
    matrix = window_matrix(8, 1.0, 8, 1, 3.0)
    assert np.allclose(matrix.sum(1), 1)
    assert np.allclose(matrix[4], [0, 0, 0, 1 / 3, 1 / 3, 1 / 3, 0, 0])
    assert np.allclose(window_matrix(8, 1.0, 8, 1, 2.0)[4], [0, 0, 0, 0.25, 0.5, 0.25, 0, 0])
    thinned = window_matrix(8, 1.0, 4, 2, 2.0)
    assert np.allclose(thinned[1], [0, 0, 0.5, 0.5, 0, 0, 0, 0])


@pytest.mark.parametrize("kind", [".npy", ".mat"])
def test_velocity_arrays_go_through_the_chain(tmp_path, kind):
    wave = 1e-3 * oscillation(20.0)
    path = tmp_path / f"sub-07_run-01{kind}"
    if kind == ".npy":
        np.save(path, wave)
    else:
        scipy.io.savemat(path, {"tvi": wave, "fs": 2000.0})
    sequence = acquire(path, frame_rate=2000.0, spacing=SPACING, **SMALL)
    assert sequence.shape == (1024, 12, 10)
    assert (sequence.frame_rate, sequence.subject, sequence.origin) == (512.0, "07", "vivo")
    assert sequence.velocity[100:-100].max() == pytest.approx(1e-3, rel=0.01)
    assert sequence.provenance["settings"]["conditioning"]["band"] == [5.0, 50.0]


def test_a_matlab_73_file_is_read_in_matlabs_order(tmp_path):
    # MATLAB v7.3 is HDF5 with the axes reversed: what is (T, Z, X) in MATLAB lies there as (X, Z, T).
    wave = 1e-3 * oscillation(20.0)
    path = tmp_path / "new.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("tvi", data=wave.transpose(2, 1, 0)).attrs["MATLAB_class"] = np.bytes_("single")
    head = b"MATLAB 7.3 MAT-file".ljust(124, b" ") + b"\x00\x02IM"  # version 2, little-endian
    path.write_bytes(head.ljust(512, b"\x00") + path.read_bytes()[512:])
    sequence = acquire(path, frame_rate=2000.0, spacing=SPACING, **SMALL)
    assert sequence.shape == (1024, 12, 10)
    assert sequence.velocity[100:-100].max() == pytest.approx(1e-3, rel=0.01)


def test_a_mat_with_several_arrays_needs_a_name(tmp_path):
    path = tmp_path / "two.mat"
    scipy.io.savemat(path, {"a": 0.01 * oscillation(20.0), "b": 0.02 * oscillation(20.0)})
    with pytest.raises(FileError, match=r"name the array with scan\.variable, .* a \(4000, 12, 10\), b"):
        acquire(path, frame_rate=2000.0, spacing=SPACING, **SMALL)
    chosen = acquire(path, frame_rate=2000.0, spacing=SPACING, variable="b", **SMALL)
    assert chosen.velocity[100:-100].max() == pytest.approx(0.02, rel=0.01)


# --------------------------------------------------------------------------------------- video

cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")


@pytest.mark.parametrize(("ending", "codec"), [(".avi", "MJPG"), (".mp4", "mp4v")])
def test_motion_in_a_video_is_measured_back(tmp_path, ending, codec):
    rate, frequency, amplitude, pixel = 50.0, 10.0, 2.0, 0.1e-3  # Hz, Hz, pixels, m
    t = np.arange(100) / rate
    path = tmp_path / f"clip{ending}"
    write_video(path, amplitude * np.sin(2 * np.pi * frequency * t), rate, codec=codec)
    assert recorded_frame_rate(path) == pytest.approx(rate)
    sequence = acquire(path, **{**SMALL, "video.pixel": pixel, "conditioning.band": (5, 20)})
    assert sequence.frame_rate == pytest.approx(rate)
    assert sequence.shape == (99, 12, 10)
    assert sequence.spacing == pytest.approx((96 * pixel / 12, 128 * pixel / 10))
    # Frame t is the motion from t to t + 1; down in the picture is away from the probe, so negative.
    expected = -np.diff(amplitude * np.sin(2 * np.pi * frequency * t)) * pixel * rate
    middle = (slice(20, -20), slice(3, -3), slice(2, -2))
    found = sequence.velocity[middle].mean((1, 2))
    assert np.dot(found, expected[20:-20]) / np.dot(expected[20:-20], expected[20:-20]) == pytest.approx(1, abs=0.05)


def test_notes_beside_a_video_give_pixel_size_and_region(tmp_path):
    write_video(tmp_path / "p9_run.avi", np.sin(np.arange(40)))
    params = {"px2mmX": 0.1, "px2mmY": 0.1, "ulcornerx": 8, "ulcornery": 16, "nx": 100, "ny": 64}
    scipy.io.savemat(tmp_path / "p9_params.mat", {"Params": params})
    files = acquire_domain(tmp_path, tmp_path / "out", quiet=True, workers=1, **{**SMALL, "conditioning.band": (5, 20)})
    assert [file.name for file in files] == ["sub-p9_task-run_tvi.h5"]
    sequence = Sequence.load(files[0])
    assert sequence.subject == "p9"
    assert sequence.spacing == pytest.approx((6.4e-3 / 12, 10e-3 / 10))


def test_broken_recordings_are_one_clear_line(tmp_path):
    band = {**SMALL, "conditioning.band": (5, 20)}
    (tmp_path / "empty.mp4").write_bytes(b"no video at all")
    write_video(tmp_path / "still.avi", np.zeros(2))
    write_video(tmp_path / "good.avi", np.zeros(30))
    np.save(tmp_path / "nan.npy", np.full((100, 4, 4), np.nan, np.float32))
    np.save(tmp_path / "flat.npy", np.zeros((100, 4), np.float32))
    np.save(tmp_path / "wave.npy", np.zeros((100, 4, 4), np.float32))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "wave.npy").read_bytes()[:300])
    (tmp_path / "cut.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(50))
    (tmp_path / "cut.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    (tmp_path / "notes.txt").write_text("hello")
    array = {"frame_rate": 2000.0, "spacing": SPACING}
    cases = [
        ("gone.mp4", band, "does not exist"),
        ("empty.mp4", {**band, "video.pixel": 1e-4}, "of none of the formats read"),
        ("good.avi", band, "give video.pixel in m"),
        ("still.avi", {**band, "video.pixel": 1e-4}, "at least three frames"),
        ("good.avi", {**SMALL, "video.pixel": 1e-4}, "must end under half the frame rate"),
        ("good.avi", {**band, "video.pixel": 1e-4, "video.crop": (0, 500, 0, 50)}, "must lie within 96 x 128 pixels"),
        ("good.avi", {**band, "video.pixel": 1e-4, "video.window": 0.02}, "does not fit"),
        ("nan.npy", {**SMALL, **array}, "must be finite, got 1600 NaN"),
        ("flat.npy", {**SMALL, **array}, "axes"),
        ("cut.npy", {**SMALL, **array}, "not a readable NPY file"),
        ("wave.npy", SMALL, "give frame_rate"),
        ("wave.npy", {**SMALL, **array, "output.frames": 1024}, "output.frames is 1024, got 25"),
        ("cut.mat", {**SMALL, **array}, "not a readable MATLAB file"),
        ("cut.h5", SMALL, "not a readable HDF5 file, probably truncated"),
        ("notes.txt", SMALL, "of none of the formats read"),
    ]
    for name, changes, says in cases:
        with pytest.raises(FileError, match=says) as error:
            acquire(tmp_path / name, quiet=True, **changes)
        assert name in str(error.value)
        assert "\n" not in str(error.value)


def test_recordings_that_are_no_iq_are_refused():
    scan = {"frame_rate": 2000.0, "spacing": SPACING, "centre_frequency": 5e6}
    with pytest.raises(InputError, match="complex array"):
        Recording.of_array(np.zeros((4, 4, 4)), **scan)
    with pytest.raises(InputError, match="finite"):
        Recording.of_array(np.full((4, 4, 4), np.nan + 0j), **scan)
    with pytest.raises(InputError, match="centre_frequency must be positive"):
        Recording.of_array(np.zeros((4, 4, 4), complex), **{**scan, "centre_frequency": 0.0})
    with pytest.raises(InputError, match="at least two frames"):
        Recording.of_array(np.zeros((1, 4, 4), complex), **scan)


CLIPS = SHARED / "gastroc_bmode"


@pytest.mark.skipif(not CLIPS.is_dir(), reason="the measured in vivo clips are not at hand")
def test_a_measured_clip_moves_as_it_was_seen_to():
    clip = CLIPS / "p6_isokinetic500_01_push_01.mp4"
    changes = {"output.rows": 64, "output.columns": 64, "conditioning.band": (5, 25), "video.window": 0.006}
    sequence = acquire(clip, quiet=True, **changes)
    assert sequence.shape == (58, 64, 64)
    assert sequence.subject == "p6"
    assert sequence.spacing == pytest.approx((574 * 88.3e-6 / 64, 720 * 88.3e-6 / 64), rel=0.01)
    # A coarse window, for speed; an independent optical flow of this kind of clip had an RMS of 2.0 mm/s.
    assert 0.5e-3 < sequence.velocity.std() < 4e-3
