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

from myovivo.errors import FileError, InputError
from myovivo.runtime.files import read_json, whole_file, write_json
from myovivo.sequences.header import read_header, read_velocity, sequence_files
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
