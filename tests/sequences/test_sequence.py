"""The sequence and its file: whole or absent, lazily read, with all that belongs to it."""

import errno
import resource
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myovivo.errors import FileError, InputError, WrongTypeError
from myovivo.identification.identify import identify
from myovivo.runtime.files import read_json, whole_file, write_json
from myovivo.sequences.header import read_header, read_velocity, sequence_files
from myovivo.sequences.labels import MotorUnits
from myovivo.sequences.recording import Recording
from myovivo.sequences.sequence import Sequence
from myovivo.simulation.simulate import simulate

SMALL = {"grid.rows": 12, "grid.columns": 10, "grid.frames": 100}


@pytest.fixture(scope="module")
def sequence():
    return simulate(seed=0, **SMALL)


def test_everything_survives_the_file(tmp_path, sequence):
    read = Sequence.load(sequence.save(tmp_path / "a.h5"))
    assert np.array_equal(read.velocity, sequence.velocity)
    assert read.velocity.dtype == np.float32
    assert (read.frame_rate, read.spacing, read.origin) == (sequence.frame_rate, sequence.spacing, "silico")
    assert read.provenance["settings"] == sequence.provenance["settings"]
    assert read.provenance["seed"] == 0
    assert read.provenance["version"]
    for name in ("centre", "diameter", "mask", "weight", "source"):
        assert np.array_equal(getattr(read.labels, name), getattr(sequence.labels, name)), name
    for a, b in zip(read.labels.spike_times, sequence.labels.spike_times, strict=True):
        assert np.array_equal(a, b)
    for a, b in zip(read.labels.sync_partner, sequence.labels.sync_partner, strict=True):
        assert np.array_equal(a, b)
    assert {name: value.tolist() for name, value in read.labels.twitch.items()} == {
        name: value.tolist() for name, value in sequence.labels.twitch.items()
    }


def test_the_file_can_be_read_without_this_package(tmp_path, sequence):
    with h5py.File(sequence.save(tmp_path / "a.h5")) as file:
        velocity = file["data/velocity"]
        assert velocity.chunks == (32, 12, 10)
        assert velocity.compression is None
        datasets = []
        file.visititems(lambda name, item: datasets.append(item) if isinstance(item, h5py.Dataset) else None)
        assert all(item.attrs["unit"] and item.attrs["description"] for item in datasets)
        time, inside = file["labels/spikes/time"][:], file["labels/spikes/in_window"][:]
        assert np.array_equal(inside, (time >= 0) & (time < sequence.duration))
        assert (~inside).any()


@given(start=st.integers(0, 99), length=st.integers(1, 100))
def test_clips_are_read_by_themselves(tmp_path_factory, start, length):
    path = tmp_path_factory.getbasetemp() / "clips.h5"
    if not path.exists():
        simulate(seed=0, **SMALL).save(path)
    whole = read_velocity(path)
    assert np.array_equal(read_velocity(path, start, start + length), whole[start : start + length])


@given(
    frames=st.integers(1, 70),
    rows=st.integers(1, 9),
    columns=st.integers(1, 9),
    dtype=st.sampled_from(["f8", "f4", "i2"]),
)
def test_any_shape_and_type_survives(tmp_path_factory, frames, rows, columns, dtype):
    values = (np.arange(frames * rows * columns) % 90).reshape(frames, rows, columns).astype(dtype)
    path = Sequence(values, 512, (1e-3, 1e-3)).save(tmp_path_factory.getbasetemp() / "any.h5")
    assert np.array_equal(Sequence.load(path).velocity, values.astype(np.float32))
    assert read_header(path).shape == (frames, rows, columns)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"velocity": np.zeros((3, 4))}, r"velocity must be \(T, Z, X\)"),
        ({"velocity": np.zeros((0, 4, 4))}, "at least one frame"),
        ({"velocity": np.full((2, 2, 2), np.nan)}, "must be finite, got 8 NaN or infinite of 8"),
        ({"velocity": np.full((2, 2, 2), np.inf)}, "must be finite"),
        ({"frame_rate": 0}, "frame_rate must be positive, in Hz, got 0"),
        ({"frame_rate": float("nan")}, "frame_rate must be positive"),
        ({"spacing": (1e-3, -1e-3)}, "spacing dx must be positive, in m"),
        ({"spacing": (1e-3,)}, r"spacing must be \(dz, dx\)"),
    ],
)
def test_bad_values_are_one_clear_line(changes, says):
    good = {"velocity": np.zeros((2, 3, 4)), "frame_rate": 512.0, "spacing": (1e-3, 1e-3)}
    with pytest.raises(InputError, match=says) as error:
        Sequence(**{**good, **changes})
    assert "\n" not in str(error.value)


def test_broken_files_are_one_clear_line(tmp_path, sequence):
    good = sequence.save(tmp_path / "good.h5")
    (tmp_path / "cut.h5").write_bytes(good.read_bytes()[:5000])
    (tmp_path / "text.h5").write_text("hello")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    shutil.copy(good, tmp_path / "half.h5")
    with h5py.File(tmp_path / "half.h5", "a") as file:
        del file["scan/spacing"]
    shutil.copy(good, tmp_path / "newer.h5")
    with h5py.File(tmp_path / "newer.h5", "a") as file:
        file.attrs["format_version"] = 99
    cases = [
        ("gone.h5", "does not exist"),
        ("cut.h5", "probably truncated"),
        ("text.h5", "not a readable HDF5 file"),
        ("other.h5", "not a myovivo sequence"),
        ("half.h5", "not a complete"),
        ("newer.h5", "upgrade myovivo"),
    ]
    for name, says in cases:
        with pytest.raises(FileError, match=says) as error:
            Sequence.load(tmp_path / name)
        assert name in str(error.value)
        assert "\n" not in str(error.value)


def test_an_interrupted_write_leaves_the_old_file_and_no_half_one(tmp_path, sequence):
    path = sequence.save(tmp_path / "a.h5")
    before = path.read_bytes()

    def interrupted():
        with whole_file(path) as part:
            part.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.h5"]


def test_a_full_disk_is_one_clear_line_and_loses_nothing(tmp_path, sequence):
    path = sequence.save(tmp_path / "a.h5")
    before = path.read_bytes()
    # A limit on the size of files stands for a full disk; it cannot be raised again, so in a process of its own.
    code = (
        "import resource, signal, sys, numpy as np\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from myovivo.sequences.sequence import Sequence\n"
        "from myovivo.errors import FileError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "try:\n"
        "    Sequence(np.ones((200, 40, 40)), 512, (1e-3, 1e-3)).save(sys.argv[1])\n"
        "except FileError as error:\n"
        "    print(error)\n"
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] != 0
    found = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert "a.h5: the disk is full" in found.stdout, found.stderr
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.h5"]


def test_no_space_left_is_told_from_other_errors(tmp_path):
    def fill():
        with whole_file(tmp_path / "x"):
            raise OSError(errno.ENOSPC, "No space left on device")

    def fail():
        with whole_file(tmp_path / "x"):
            raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(FileError, match="disk is full"):
        fill()
    with pytest.raises(OSError, match="Input/output"):
        fail()


def test_json_is_written_whole_and_read_with_a_clear_error(tmp_path):
    write_json(tmp_path / "deep" / "a.json", {"a": np.float32(1.5), "b": np.arange(3)})
    assert read_json(tmp_path / "deep" / "a.json") == {"a": 1.5, "b": [0, 1, 2]}
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(FileError, match="not valid JSON"):
        read_json(tmp_path / "bad.json")


def test_folders_without_sequences_are_said_so(tmp_path):
    with pytest.raises(FileError, match="holds no sequence files"):
        sequence_files(tmp_path)
    with pytest.raises(FileError, match="does not exist"):
        sequence_files(tmp_path / "gone")


def test_spike_trains_mark_the_nearest_frame(sequence):
    train = sequence.labels.spike_train(100, sequence.frame_rate)
    assert train.shape == (len(sequence.labels), 100)
    for row, times in zip(train, sequence.labels.spike_times, strict=True):
        frames = np.rint(times * sequence.frame_rate)
        assert np.array_equal(np.flatnonzero(row), frames[(frames >= 0) & (frames < 100)])


# ------------------------------------------------------------------------------------ as an array


def test_a_sequence_is_an_array_of_its_velocity(sequence):
    assert len(sequence) == 100
    assert np.shares_memory(np.asarray(sequence), sequence.velocity)
    assert not np.shares_memory(np.array(sequence), sequence.velocity)
    doubled = np.asarray(sequence, dtype=np.float64)
    assert doubled.dtype == np.float64
    np.testing.assert_array_equal(doubled, sequence.velocity)
    with pytest.raises(ValueError, match="copy"):
        np.array(sequence, dtype=np.float64, copy=False)
    assert np.std(sequence) == sequence.velocity.std()


@pytest.mark.parametrize("cut", [lambda s: s[0.5:1.0], lambda s: s[3], lambda s: s[:, 0], list, lambda s: 1.0 in s])
def test_brackets_are_refused_with_the_right_way(sequence, cut):
    with pytest.raises(TypeError, match=r"sequence\.crop\(start, stop\), in s; .*sequence\.velocity\[first:last\]"):
        cut(sequence)


# ------------------------------------------------------------------------------------------- crop


@given(first=st.integers(0, 99), length=st.integers(1, 100))
def test_a_crop_and_its_labels_are_those_frames_of_the_whole(first, length):
    whole = cropped_from()
    last = min(first + length, 100)
    part = whole.crop(first / whole.frame_rate, last / whole.frame_rate)
    np.testing.assert_array_equal(part.velocity, whole.velocity[first:last])
    np.testing.assert_allclose(part.labels.velocity(), whole.labels.velocity()[first:last], atol=1e-9)
    assert (part.frame_rate, part.spacing, part.subject) == (whole.frame_rate, whole.spacing, whole.subject)
    for name in ("mask", "weight", "centre", "diameter"):
        assert getattr(part.labels, name) is getattr(whole.labels, name)
    for cut, times in zip(part.labels.spike_times, whole.labels.spike_times, strict=True):
        kept = times[times < last / whole.frame_rate]
        np.testing.assert_allclose(cut, kept - first / whole.frame_rate, atol=1e-9)
    trains = whole.labels.spike_train(100, whole.frame_rate)[:, first:last]
    np.testing.assert_array_equal(part.labels.spike_train(last - first, whole.frame_rate), trains)


def cropped_from(made=[]):  # noqa: B006 (made once)
    if not made:
        made.append(simulate(seed=0, **SMALL))
    return made[0]


def test_a_crop_keeps_earlier_spikes_drops_later_ones_and_says_so(tmp_path):
    labels = MotorUnits(
        (np.array([-0.1, 0.2, 0.5, 0.7, 0.9]),),
        (np.array([-1, 3, -1, 4, -1]),),
        np.zeros((1, 2)),
        np.ones(1),
        np.ones((1, 2, 2), bool),
        np.ones((1, 2, 2), np.float32),
        np.arange(100, dtype=np.float32)[None],
        background_weight=np.ones((1, 2, 2), np.float32),
        background_source=-np.arange(100, dtype=np.float32)[None],
    )
    whole = Sequence(np.zeros((100, 2, 2)), 100.0, (1e-3, 1e-3), labels, provenance={"stage": "simulate"})
    part = whole.crop(0.4, 0.8)
    np.testing.assert_allclose(part.labels.spike_times[0], [-0.5, -0.2, 0.1, 0.3])
    np.testing.assert_array_equal(part.labels.sync_partner[0], [-1, 3, -1, 4])
    np.testing.assert_array_equal(part.labels.source[0], np.arange(40, 80))
    np.testing.assert_array_equal(part.labels.background_source[0], -np.arange(40, 80))
    note = part.provenance
    assert (note["stage"], note["start"], note["stop"], note["frames"]) == ("crop", 0.4, 0.8, [40, 80])
    assert note["source"] == {"stage": "simulate"}
    read = Sequence.load(part.save(tmp_path / "a.h5"))
    np.testing.assert_allclose(read.labels.spike_times[0], part.labels.spike_times[0])
    assert len(whole.crop(0.985)) == 1
    assert len(whole.crop()) == 100


@pytest.mark.parametrize(
    "times", [(0.5, 0.5), (0.6, 0.5), (-0.01, 0.5), (0.1, 1.01), (float("nan"), 0.5), (0.001, 0.009), (2.0, None)]
)
def test_a_crop_of_nothing_or_beyond_is_refused(times):
    with pytest.raises(InputError, match="a crop must hold a frame and lie within 0 to 1 s") as error:
        Sequence(np.zeros((100, 2, 2)), 100.0, (1e-3, 1e-3)).crop(*times)
    assert "\n" not in str(error.value)


# --------------------------------------------------------------------------------------- resample


def test_resampled_like_another_has_its_grid(sequence):
    dz, dx = sequence.spacing
    other = Sequence(np.zeros((7, 6, 20)), 300.0, (2 * dz, dx / 2), origin="vivo")
    made = sequence.resample(like=other)
    assert made.shape[1:] == other.shape[1:]
    assert made.frame_rate == 300.0
    np.testing.assert_allclose(made.spacing, other.spacing)
    assert made.labels.mask.shape[1:] == made.shape[1:]
    assert made.labels.source.shape[1] == len(made)
    assert made.origin == "silico"
    assert made.duration == pytest.approx(sequence.duration, abs=1 / 300)
    np.testing.assert_array_equal(made.velocity, sequence.resample(300.0, (6, 20)).velocity)


def test_a_slow_wide_wave_is_the_same_on_other_pixels_and_at_another_rate():
    def wave(frames, rate, rows):
        time, depth = np.arange(frames) / rate, (np.arange(rows) + 0.5) / rows
        course, shape = np.sin(2 * np.pi * 5 * time), np.sin(np.pi * depth)
        return Sequence(1e-3 * course[:, None, None] * shape[:, None] * np.ones(8), rate, (0.04 / rows, 1e-3))

    coarse, fine = wave(400, 400.0, 40), wave(800, 800.0, 80)
    for made, true in ((fine.resample(like=coarse), coarse), (coarse.resample(like=fine), fine)):
        assert made.shape == true.shape
        inner = (slice(20, -20), slice(4, -4))
        np.testing.assert_allclose(made.velocity[inner], true.velocity[inner], atol=2e-5)


def test_all_that_cannot_be_made_alike_is_named_at_once(sequence):
    with pytest.raises(InputError, match=r"the depth is 40 mm here, 30 mm .* and the width is 40 mm here, 50 mm"):
        sequence.resample(like=Sequence(np.zeros((9, 30, 25)), 512, (1e-3, 2e-3)))


def test_a_translator_s_rows_are_taken_and_its_columns_follow(sequence):
    class Reads:
        frame_rate, spacing, rows = 256.0, (1e-3, 2e-3), None

    assert sequence.resample(like=Reads()).shape[1:] == (40, 20)
    Reads.rows = 128
    with pytest.raises(InputError, match=r"the depth is 40 mm here, 128 mm \(128 pixels of 1 mm\) there;"):
        sequence.resample(like=Reads())


@pytest.mark.parametrize(
    ("options", "kind", "says"),
    [
        ({}, InputError, "needs a frame_rate, a size or both, or else like"),
        ({"frame_rate": 100.0, "like": 1}, InputError, "needs a frame_rate"),
        ({"like": 1}, WrongTypeError, "like must be a Sequence or a Translator, got int"),
        ({"frame_rate": 1.0}, InputError, "cannot be resampled to 1 Hz"),
        ({"frame_rate": float("nan")}, InputError, "cannot be resampled to nan Hz"),
        ({"size": (0, 4)}, InputError, "cannot be resampled"),
    ],
)
def test_resampling_without_sense_is_refused(sequence, options, kind, says):
    with pytest.raises(kind, match=says):
        sequence.resample(**options)


@pytest.mark.parametrize("frames", [4, 12, 27])
def test_fewer_frames_than_the_filter_likes_keep_their_level(frames):
    level = Sequence(np.full((frames, 4, 4), 2e-3, np.float32), 512.0, (1e-3, 1e-3))
    lowered = level.resample(256.0)
    assert lowered.shape == (frames // 2, 4, 4)
    np.testing.assert_allclose(lowered.velocity, 2e-3, rtol=1e-5)


# ------------------------------------------------------------------------------------- wrong files


@pytest.mark.parametrize(
    ("name", "head", "says"),
    [
        ("x.mat", b"MATLAB 5.0 MAT-file, Platform: GLNXA64", "is a MATLAB v5 file; read it with `myovivo acquire`"),
        ("x.npy", b"\x93NUMPY\x01\x00", "is a NumPy file; read it with `myovivo acquire`"),
        ("x.h5", b"\x00\x00\x00\x18ftypmp42", "is a video; read it with `myovivo acquire`"),
        ("x.dcm", 128 * b"\x00" + b"DICM", "is a DICOM file; read it with `myovivo acquire`"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path, name, head, says):
    (tmp_path / name).write_bytes(head + 2000 * b"\x00")
    for read in (Sequence.load, read_header, identify):
        with pytest.raises(FileError) as error:
            read(tmp_path / name)
        assert str(error.value) == f"{tmp_path / name}: {says}"


def test_a_matlab_file_that_is_hdf5_and_a_recording_are_named(tmp_path):
    with h5py.File(tmp_path / "x.mat", "w", userblock_size=512) as file:
        file["TVI"] = np.zeros((2, 2, 2))
    with (tmp_path / "x.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file")
    with pytest.raises(FileError, match=r"is a MATLAB v7.3 file but not a myovivo sequence; read it with `myovivo acq"):
        Sequence.load(tmp_path / "x.mat")
    scan = {"frame_rate": 1e3, "spacing": (1e-3, 1e-3), "centre_frequency": 7e6}
    path = Recording.of_array(np.ones((4, 3, 3), complex), **scan).save(tmp_path / "iq.h5")
    with pytest.raises(FileError, match="is a myovivo recording but not a myovivo sequence; read it with"):
        Sequence.load(path)


def test_a_folder_is_called_one(tmp_path):
    with pytest.raises(FileError, match=r"is a folder; give one of the sequences in it$"):
        Sequence.load(tmp_path)
    with pytest.raises(FileError, match=r"is a folder; give one of the recordings in it$"):
        Recording.load(tmp_path)


def test_identify_refuses_an_array_with_how_to_make_a_sequence():
    with pytest.raises(WrongTypeError, match=r"give a Sequence, got ndarray: mv.Sequence\(array, frame_rate=…"):
        identify(np.zeros((40, 8, 8)))
