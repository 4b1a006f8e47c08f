"""A recording in blocks gives what it gives whole, in memory that does not grow."""

import pickle
import tracemalloc

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfiltfilt

from myovivo.acquisition.acquire import acquire, acquire_domain, acquire_to, acquired_name
from myovivo.acquisition.beamform import beamform
from myovivo.acquisition.channel_data import ChannelData
from myovivo.acquisition.settings import Velocity
from myovivo.acquisition.velocity import autocorrelation_velocity, local_coherence, window_matrix
from myovivo.errors import FileError, InputError, PartialError, RecordingWarning
from myovivo.runtime.files import read_json
from myovivo.sequences.blocks import save_blocks
from myovivo.sequences.recording import Recording
from myovivo.sequences.sequence import Sequence
from myovivo.signals.band_pass import band_pass, band_passed
from myovivo.signals.banded import Banded
from myovivo.signals.resample import resample_time, resampled_in_time


def in_blocks(values, size):
    return (values[start : start + size] for start in range(0, len(values), size))


# --------------------------------------------------------------------------------- conditioning


@pytest.mark.parametrize(
    ("frames", "rate", "band", "block"),
    [(9000, 2000.0, (5, 50), 64), (1300, 2000.0, (5, 50), 37), (900, 512.0, (5, 50), 333), (60, 61.0, (5, 25), 7)],
)
def test_the_band_pass_of_a_stream_is_scipys_of_the_whole(frames, rate, band, block):
    velocity = (np.random.default_rng(0).standard_normal((frames, 3, 2)) + 3).astype(np.float32)
    sos = butter(4, band, "bandpass", fs=rate, output="sos")
    whole = sosfiltfilt(sos, velocity.astype(float), axis=0, padlen=min(round(rate / band[0]), frames - 1))
    found = np.concatenate(list(band_passed(in_blocks(velocity, block), velocity.shape, rate, band)))
    assert found.shape == velocity.shape
    assert np.abs(found - whole).max() < 1e-5 * whole.std()


def test_a_stream_that_ends_early_is_no_shorter_sequence():
    velocity = np.zeros((500, 2, 2), np.float32)
    with pytest.raises(InputError, match="600 frames were announced but 500 came"):
        list(band_passed([velocity], (600, 2, 2), 512.0, (5.0, 50.0)))


@settings(deadline=None, max_examples=40)
@given(st.integers(3, 200), st.integers(1, 50), st.floats(0.02, 1.0))
def test_resampling_a_stream_is_resampling_the_whole(frames, block, ratio):
    values = np.random.default_rng(frames).standard_normal((frames, 1, 2)).astype(np.float32)
    whole = resample_time(values, 1000.0, 1000.0 * ratio)
    parts = list(resampled_in_time(in_blocks(values, block), frames, 1000.0, 1000.0 * ratio))
    assert sum(map(len, parts)) == len(whole)
    if parts:
        assert np.array_equal(np.concatenate(parts), whole)


def test_no_band_leaves_the_velocity_as_it_is():
    velocity = np.random.default_rng(0).standard_normal((5, 2, 2)).astype(np.float32)
    assert np.array_equal(band_pass(velocity, 10.0, None), velocity)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 150), st.integers(1, 150), st.integers(1, 40))
def test_a_banded_product_is_the_dense_one(rows, columns, width):
    rng = np.random.default_rng(rows)
    middle = np.arange(rows)[:, None] * columns / rows
    matrix = rng.standard_normal((rows, columns)) * (np.abs(np.arange(columns) - middle) < width)
    banded = Banded(matrix)
    left = rng.standard_normal((2, columns, 3)).astype(np.float32)
    right = rng.standard_normal((2, 3, columns)).astype(np.float32)
    assert np.allclose(banded.left(torch.from_numpy(left)).numpy(), matrix @ left, atol=1e-4)
    assert np.allclose(banded.left(torch.from_numpy(left[0])).numpy(), matrix @ left[0], atol=1e-4)
    assert np.allclose(banded.right(torch.from_numpy(right)).numpy(), right @ matrix.T, atol=1e-4)


# ------------------------------------------------------------------------------- channels to file

QUICK = {"output.rows": 8, "output.columns": 8, "velocity.axial_window": 0.001, "beamforming.rows": 32}


def channels(frames=640, samples=96, elements=12, block=32, seed=0):
    """Noise that drifts a little from frame to frame; made as it is asked for."""

    def blocks():
        for start in range(0, frames, block):
            t = np.arange(start, min(start + block, frames))[:, None, None, None]
            rng = np.random.default_rng(seed)
            phase = rng.uniform(0, 2 * np.pi, (1, 1, samples, elements))
            yield (1000 * np.cos(phase + 0.01 * t + 0.3 * np.sin(0.05 * t))).astype(np.float32)

    scan = {"frame_rate": 500.0, "sampling_frequency": 20e6, "centre_frequency": 5e6}
    pitch = (np.arange(elements) - (elements - 1) / 2) * 3e-4
    return ChannelData(blocks, (frames, 1, samples, elements), element_x=pitch, **scan)


def test_a_recording_written_as_it_streams_is_the_one_in_memory(tmp_path):
    whole = acquire(channels(), quiet=True, **QUICK)
    other = acquire(channels(block=50), quiet=True, **QUICK)
    assert np.allclose(other.velocity, whole.velocity, atol=1e-6 * np.abs(whole.velocity).max())
    written = Sequence.load(acquire_to(tmp_path / "a.h5", channels(), quiet=True, **QUICK))
    assert np.array_equal(written.velocity, whole.velocity)
    assert (written.frame_rate, written.spacing) == (whole.frame_rate, whole.spacing)
    assert written.provenance["parameters"]["angles"]["origin"] == "argument"
    assert written.provenance["parameters"]["velocity.axial_window"]["origin"] == "argument"
    assert written.provenance["parameters"]["conditioning.band"]["origin"] == "default"


def test_memory_does_not_grow_with_the_recording(tmp_path):
    # A fast frame rate's filter forgets slowly; a slow one shows the plateau in a small test.
    peaks = []
    for frames in (1600, 6400):
        tracemalloc.start()
        acquire_to(tmp_path / "a.h5", channels(frames), quiet=True, **QUICK)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_a_write_that_fails_leaves_nothing(tmp_path):
    def broken():
        yield np.zeros((3, 2, 2), np.float32)
        raise OSError("No space left on device")

    with pytest.raises(FileError, match="the disk is full"):
        save_blocks(tmp_path / "a.h5", broken(), (2, 2), 100.0, (1e-3, 1e-3), dict)
    assert not list(tmp_path.iterdir())


def test_blocks_of_any_size_lie_in_whole_chunks(tmp_path):
    velocity = np.random.default_rng(0).standard_normal((101, 3, 4)).astype(np.float32)
    path = save_blocks(tmp_path / "a.h5", in_blocks(velocity, 7), (3, 4), 100.0, (1e-3, 2e-3), dict)
    assert np.array_equal(Sequence.load(path).velocity, velocity)
    with h5py.File(path) as file:
        assert file["data/velocity"].chunks == (32, 3, 4)


def test_each_sequence_of_a_folder_has_a_sidecar_and_says_where_its_parameters_came_from(tmp_path):
    recordings = tmp_path / "in"
    recordings.mkdir()
    data = np.concatenate(list(channels(200).blocks()))[:, 0]
    np.save(recordings / "sub-03_task-hold_run-02_rf.npy", data)
    scan = {"scan.sampling_frequency": 20e6, "scan.centre_frequency": 5e6, "scan.pulse_rate": 500.0, "scan.pitch": 3e-4}
    (path,) = acquire_domain(recordings, tmp_path / "out", workers=1, quiet=True, **QUICK, **scan)
    assert path.name == "sub-03_task-hold_run-02_tvi.h5"
    note = read_json(path.with_suffix(".json"))
    assert (note["Subject"], note["FrameRate"], note["Rows"]) == ("03", 500.0, 8)
    parameters = note["Provenance"]["parameters"]
    assert parameters["frame_rate"] == {"value": 500.0, "unit": "Hz", "origin": "argument"}
    assert parameters["sound_speed"] == {"value": 1540.0, "unit": "m/s", "origin": "default"}


def folder_of_arrays(folder, names, shape=(60, 8, 8)):
    folder.mkdir()
    for number, name in enumerate(names):
        np.save(folder / name, 0.01 * np.random.default_rng(number).standard_normal(shape))
    return {"frame_rate": 200.0, "spacing": (1e-3, 1e-3), "quiet": True, **QUICK, "conditioning.band": (5, 50)}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_broken_recording_does_not_keep_the_others_from_being_made(tmp_path, workers):
    how = folder_of_arrays(tmp_path / "in", ["a.npy", "c.npy", "e.npy"])
    (tmp_path / "in" / "b.npy").write_bytes((tmp_path / "in" / "a.npy").read_bytes()[:100])
    np.save(tmp_path / "in" / "d.npy", np.full((60, 8, 8), np.nan))
    with pytest.raises(FileError, match=r"[bd]\.npy: .*and 1 more failed: [bd]\.npy"):
        acquire_domain(tmp_path / "in", tmp_path / "out", workers=workers, **how)
    assert [path.stem for path in sorted((tmp_path / "out").glob("*.h5"))] == ["sub-a_tvi", "sub-c_tvi", "sub-e_tvi"]


def test_what_was_made_beside_a_broken_recording_is_warned_of_and_said(tmp_path):
    how = folder_of_arrays(tmp_path / "in", ["a.npy", "c.npy"])
    (tmp_path / "in" / "b.npy").write_bytes((tmp_path / "in" / "a.npy").read_bytes()[:100])
    wild = np.random.default_rng(0).standard_normal((600, 8, 8)) * 1e-3
    wild[300, 4:6, 4:6] = 1.0
    np.save(tmp_path / "in" / "c.npy", wild)
    with (
        pytest.warns(RecordingWarning, match=r"c\.npy: the velocity has outliers"),
        pytest.raises(PartialError) as raised,
    ):
        acquire_domain(tmp_path / "in", tmp_path / "out", workers=1, **how)
    error = pickle.loads(pickle.dumps(raised.value))  # as it comes from another process
    assert [path.name for path in error.made] == ["sub-a_tvi.h5", "sub-c_tvi.h5"]
    assert all(path.exists() for path in error.made)
    assert [path.name for path in error.failed] == ["b.npy"]
    assert str(error) == str(raised.value)
    assert str(error).startswith(f"{tmp_path / 'in' / 'b.npy'}: ")
    # With nothing made beside it there is nothing to say beyond what is wrong.
    for name in ("a", "c"):
        (tmp_path / "in" / f"{name}.npy").unlink()
    with pytest.raises(FileError) as alone:
        acquire_domain(tmp_path / "in", tmp_path / "other", workers=1, **how)
    assert not isinstance(alone.value, PartialError)


def test_a_recording_that_changed_is_acquired_anew_and_the_others_are_kept(tmp_path):
    how = folder_of_arrays(tmp_path / "in", ["b.npy", "c.npy"])
    out = tmp_path / "out"
    b, c = acquire_domain(tmp_path / "in", out, subject="01", workers=1, **how)
    before = {path: (path.stat().st_mtime_ns, Sequence.load(path).velocity) for path in (b, c)}
    np.save(
        tmp_path / "in" / "a.npy", 0.01 * np.random.default_rng(7).standard_normal((60, 8, 8))
    )  # comes first by name
    np.save(tmp_path / "in" / "c.npy", 0.01 * np.random.default_rng(8).standard_normal((61, 8, 8)))
    b.with_suffix(".json").unlink()  # as after an interruption between the two writes
    paths = acquire_domain(tmp_path / "in", out, subject="01", workers=1, **how)
    assert [path.name for path in paths] == [f"sub-01_task-{name}_tvi.h5" for name in "abc"]
    assert b.stat().st_mtime_ns == before[b][0]
    assert Sequence.load(c).shape[0] == 61
    assert all(path.with_suffix(".json").exists() for path in paths)


def test_recordings_that_would_be_called_the_same_are_refused_before_anything_is_made(tmp_path):
    how = folder_of_arrays(tmp_path / "in", ["sub-a.npy", "a.npy"])
    with pytest.raises(FileError, match=r"would become sub-a_tvi\.h5 as another recording"):
        acquire_domain(tmp_path / "in", tmp_path / "out", workers=1, **how)
    assert not (tmp_path / "out").exists()


def test_files_of_unknown_formats_are_named(tmp_path):
    how = folder_of_arrays(tmp_path / "in", ["a.npy"])
    (tmp_path / "in" / "scan.rf").write_bytes(b"Ultrasound 1.0" * 10)
    (tmp_path / "in" / "notes.txt").write_text("said by nobody")
    with pytest.warns(UserWarning, match=r"passed over, as of no format read: scan\.rf$"):
        acquire_domain(tmp_path / "in", tmp_path / "out", workers=1, **how)


def test_a_lower_frame_rate_must_hold_the_band():
    with pytest.raises(InputError, match="ends at 90 Hz, but 100 frames per second hold up to 50 Hz"):
        acquire(channels(), quiet=True, **QUICK, **{"conditioning.band": (5, 90), "output.frame_rate": 100.0})


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("sub-01_task-isometric_run-02_rf.mat", "sub-01_task-isometric_run-02_tvi.h5"),
        ("sub-01_run-01.mp4", "sub-01_run-01_tvi.h5"),
        ("p6_isometric_max_01.mp4", "sub-p6_task-isometricmax01_tvi.h5"),
        ("scan.mat", "sub-scan_tvi.h5"),
        ("a b-c.mat", "sub-abc_tvi.h5"),
    ],
)
def test_sequences_are_named_in_the_manner_of_bids(tmp_path, file, name):
    assert acquired_name(tmp_path / file) == name
    assert acquired_name(tmp_path / file, "07").startswith("sub-07_")


# ------------------------------------------------------------------------------------ velocity


def speckle(frames=40, shift=0.2, seed=0):
    """IQ frames (T, Z, X) whose phase grows by `shift` from frame to frame, on a smooth random pattern."""
    rng = np.random.default_rng(seed)
    pattern = rng.standard_normal((64, 24)) + 1j * rng.standard_normal((64, 24))
    kernel = np.hanning(9)[1:-1]
    pattern = np.apply_along_axis(np.convolve, 0, pattern, kernel / kernel.sum(), "same")
    return pattern * np.exp(1j * shift * np.arange(frames))[:, None, None]


SCAN = {"frame_rate": 1000.0, "spacing": (1e-4, 3e-4), "centre_frequency": 5e6}


def test_an_echo_that_never_moves_is_taken_out():
    # Reverberation ten times as strong as the tissue holds the estimate at zero; without it, the tissue's.
    shift = 2 * np.pi / 20  # whole turns, so that the tissue's own mean is zero
    tissue = speckle(shift=shift)
    still = 10 * speckle(1, seed=1)
    windows = {"estimator": "kasai", "axial_window": 0.001, "lateral_window": 0.001}
    true = shift * 1000.0 * 1540.0 / (4 * np.pi * 5e6)
    found = {}
    for clutter in ("none", "mean"):
        settings = Velocity(clutter=clutter, **windows)
        estimate = autocorrelation_velocity(Recording.of_array(tissue + still, **SCAN), settings, quiet=True)
        found[clutter] = np.median(estimate.velocity) / true
    assert abs(found["none"]) < 0.1
    assert found["mean"] == pytest.approx(1, abs=0.02)


def test_coherence_tells_repeated_from_unrelated_frames():
    alike = local_coherence(Recording.of_array(speckle(), **SCAN), Velocity(axial_window=0.002, lateral_window=0.002))
    assert alike.min() > 0.999
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((8, 64, 24)) + 1j * rng.standard_normal((8, 64, 24))
    found = local_coherence(Recording.of_array(noise, **SCAN), Velocity(axial_window=0.002, lateral_window=0.002))
    assert np.median(found) < 0.2


def test_window_matrices_are_as_banded_as_they_look():
    banded = Banded(window_matrix(512, 1e-4, 512, 1, 0.001))
    assert sum(block.weight.numel() for block in banded.blocks) < 512 * 80


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_graphics_processor_computes_the_same():
    changes = {"beamforming.rows": 64}
    cpu, gpu = (beamform(channels(64), device=device, **changes).iq for device in ("cpu", "cuda"))
    assert np.abs(gpu - cpu).max() < 1e-3 * np.abs(cpu).max()
    slow, fast = (acquire(channels(), device=device, quiet=True, **QUICK).velocity for device in ("cpu", "cuda"))
    assert np.abs(fast - slow).max() < 1e-3 * np.abs(slow).max()


def test_cuda_where_there_is_none_is_said():
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(InputError, match="no CUDA device"):
        acquire(channels(), device="cuda", quiet=True, **QUICK)
    with pytest.raises(InputError, match="device must be auto, cpu or cuda, got 'gpu'"):
        acquire(channels(), device="gpu", quiet=True, **QUICK)
