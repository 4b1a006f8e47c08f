"""HDF5 files from strangers: they reach into no other file, come to an end, and promise no more than they hold."""

import re
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

import myovivo as mv
from myovivo.errors import FileError
from myovivo.runtime.hdf5 import opened, referred
from myovivo.runtime.matlab import read_matlab
from myovivo.sequences.header import read_header, read_velocity
from myovivo.sequences.recording import Recording

SECRET = b"what nobody else may read" * 40


@pytest.fixture
def secret(tmp_path):
    (tmp_path / "secret.txt").write_bytes(SECRET)
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["velocity"] = np.ones((8, 4, 4), np.float32)
    return tmp_path


def external_storage(file, name, folder):
    file.create_dataset(name, (8, 4, 4), "u1", external=[(str(folder / "secret.txt"), 0, h5py.h5f.UNLIMITED)])


def external_link(file, name, folder):
    file[name] = h5py.ExternalLink(str(folder / "secret.h5"), "/velocity")


def through_external_link(file, name, folder):
    file["elsewhere"] = h5py.ExternalLink(str(folder / "secret.h5"), "/")
    file[name] = h5py.SoftLink("/elsewhere/velocity")


def virtual(file, name, folder):
    layout = h5py.VirtualLayout((8, 4, 4), "f4")
    layout[...] = h5py.VirtualSource(str(folder / "secret.h5"), "velocity", (8, 4, 4))
    file.create_virtual_dataset(name, layout)


REACHING = [external_storage, external_link, through_external_link, virtual]


def recording(path):
    iq = np.random.default_rng(0).standard_normal((8, 4, 4)).astype(np.complex64)
    return Recording.of_array(iq, frame_rate=500.0, spacing=(1e-4, 3e-4), centre_frequency=5e6).save(path)


@pytest.mark.parametrize("reach", REACHING)
def test_a_recording_reaches_into_no_other_file(reach, secret):
    path = secret / "a.h5"
    with h5py.File(path, "w") as file:
        reach(file, "frames", secret)
    (secret / "a.yaml").write_text("data: frames\ncontent: velocity\nframe_rate: 500\nspacing: [1.0e-3, 1.0e-3]\n")
    for use in (mv.inspect, lambda path: mv.acquire(path, quiet=True), read_matlab):
        with pytest.raises(FileError, match=r"a\.h5: .*(another file|the file|other datasets)"):
            use(path)


@pytest.mark.parametrize("reach", REACHING)
@pytest.mark.parametrize("place", ["data/velocity", "labels/mask", "aside"])
def test_a_sequence_reaches_into_no_other_file(reach, place, secret):
    path = mv.Sequence(np.ones((8, 4, 4)), 500.0, (1e-3, 1e-3)).save(secret / "a.h5")
    with h5py.File(path, "r+") as file:
        if place in file:
            del file[place]
        reach(file, place, secret)
    for use in (mv.Sequence.load, read_header, read_velocity):
        with pytest.raises(FileError, match=r"(another file|the file|other datasets)"):
            use(path)


@pytest.mark.parametrize("reach", REACHING)
def test_a_recording_of_ours_reaches_into_no_other_file(reach, secret):
    path = recording(secret / "a.h5")
    with h5py.File(path, "r+") as file:
        del file["data/beamformed_data"]
        reach(file, "data/beamformed_data", secret)
    with pytest.raises(FileError, match=r"(another file|the file|other datasets)"):
        Recording.load(path)


def test_what_no_link_leads_to_is_looked_at_where_a_reference_does(secret, monkeypatch):
    path = secret / "a.h5"
    with h5py.File(path, "w") as file:
        external_storage(file, "hidden", secret)
        file["cells"] = np.array([file["hidden"].ref], h5py.ref_dtype)
    monkeypatch.setattr("myovivo.runtime.hdf5._look_through", lambda file, path: None)
    with pytest.raises(FileError, match=r"a reference leads to the file"), opened(path) as file:
        referred(file["cells"], file["cells"][0])


def test_a_file_is_looked_through_again_when_it_has_changed(secret):
    path = mv.Sequence(np.ones((8, 4, 4)), 500.0, (1e-3, 1e-3)).save(secret / "a.h5")
    read_header(path)
    with h5py.File(path, "r+") as file:
        external_link(file, "aside", secret)
    with pytest.raises(FileError, match="another file"):
        read_header(path)


def test_links_within_a_file_are_followed(tmp_path):
    path = mv.Sequence(np.ones((8, 4, 4)), 500.0, (1e-3, 1e-3)).save(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        file["raw"] = file["data/velocity"]
        del file["data/velocity"]
        file["data/velocity"] = h5py.SoftLink("/raw")
        file["dangling"] = h5py.SoftLink("/nowhere")
    assert np.array_equal(mv.Sequence.load(path).velocity, np.ones((8, 4, 4)))


# ------------------------------------------------------------------------------------------ circles


def circle_of_groups(file):
    for name in "abcd":
        file.create_group(name)
    for name in "abcd":
        for other in "abcd":
            file[name][other] = file[other]
    file["frames"] = np.zeros((4, 5, 6))


def circle_of_soft_links(file):
    file.create_group("a")["b"] = h5py.SoftLink("/a")
    file["a"]["c"] = h5py.SoftLink("/a")


def circle_of_references(file):
    cells = [file.create_dataset(f"r{number}", (64,), h5py.ref_dtype) for number in range(3)]
    for cell in cells:
        cell[:] = [cells[number % 3].ref for number in range(64)]


def fan_of_references(file):
    below = file.create_dataset("end", data=1.0)
    for number in range(20):
        below = file.create_dataset(f"r{number:02d}", data=[below.ref] * 64, dtype=h5py.ref_dtype)


CIRCLES = [circle_of_groups, circle_of_soft_links, circle_of_references, fan_of_references]


@pytest.mark.parametrize("make", CIRCLES)
def test_circles_end_at_once(make, tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        make(file)
    begin = time.process_time()
    for read in (mv.inspect, read_matlab):
        with pytest.raises(FileError, match=r"a\.h5: .*circle"):
            read(tmp_path / "a.h5")
    assert time.process_time() - begin < 5


def test_a_group_that_is_met_twice_is_no_circle(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a/x"] = 1.0
        file["b"] = file["a"]
    assert read_matlab(tmp_path / "a.h5") == {"a": {"x": 1.0}, "b": {"x": 1.0}}


def test_references_to_one_array_are_not_multiplied_without_end(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        large = file.create_dataset("large", data=np.zeros(100_000))
        file.create_dataset("cells", data=[large.ref] * 3000, dtype=h5py.ref_dtype)
    with pytest.raises(FileError, match=r"would unfold from 8.* kB to .* MB"):
        read_matlab(tmp_path / "a.h5")


# -------------------------------------------------------------------------------------------- sizes


def replaced(path, name, shape, dtype, **options):
    with h5py.File(path, "r+") as file:
        if name in file:
            del file[name]
        file.create_dataset(name, shape, dtype, **options)
    return path


@pytest.fixture
def sequence(tmp_path):
    labels = {"spike_times": [[0.01], [0.02]], "centre": [[2e-3, 2e-3]] * 2, "diameter": [2e-3, 3e-3]}
    velocity = np.random.default_rng(0).standard_normal((40, 8, 8)) * 1e-3
    return mv.Sequence.from_array(velocity, frame_rate=500.0, spacing=5e-4, labels=labels).save(tmp_path / "a.h5")


REFUSED = r"a\.h5: (holds .* in part only|holds frames that were never written|.* would unfold)"

HUGE = [
    ("data/velocity", (10**6, 128, 128), "f4", {"chunks": (32, 128, 128)}),
    ("data/velocity", (10**9, 128, 128), "f4", {"chunks": (32, 128, 128)}),
    ("data/velocity", (10**4, 8, 8), "f4", {"chunks": (32, 8, 8)}),  # of no size at all, but never written
    ("data/velocity", (4, 10**5, 10**5), "f4", {"chunks": (1, 1000, 1000), "compression": "gzip"}),
    ("labels/mask", (2, 10**6, 10**5), "u1", {"chunks": (1, 1000, 1000)}),
    ("scan/spacing", (10**10,), "f8", {"chunks": (1000,)}),
    ("aside", (10**5, 10**5), "f8", {}),
]


@pytest.mark.parametrize(("name", "shape", "dtype", "options"), HUGE)
def test_frames_that_are_promised_but_not_there_are_refused_before_anything_is_allocated(
    name, shape, dtype, options, sequence
):
    replaced(sequence, name, shape, dtype, **options)
    assert sequence.stat().st_size < 1e6
    for read in (read_header, mv.Sequence.load):
        with pytest.raises(FileError, match=REFUSED):
            read(sequence)


def test_constant_values_unfold_to_a_bound(sequence):
    with h5py.File(sequence, "r+") as file:
        aside = file.create_dataset("aside", (300, 1 << 20), "u1", chunks=(1, 1 << 20), compression="gzip")
        for row in range(300):
            aside[row] = 0
    with pytest.raises(FileError, match=r"aside would unfold from .* kB to 300 MB, at most 256 MB are allowed"):
        read_header(sequence)


def test_many_arrays_count_together(sequence):
    with h5py.File(sequence, "r+") as file:
        for number in range(3):
            file.create_dataset(f"aside/{number}", (100 << 20,), "u1", chunks=(1 << 20,))
    with pytest.raises(FileError, match=r"all datasets together would unfold from .* to 300 MB"):
        read_header(sequence)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("origin", "mars"),
        ("subject", 5),
        ("provenance", "[1]"),
        ("provenance", "[" * 20000),
        ("format_version", "x"),
    ],
)
def test_what_a_sequence_says_of_itself_is_of_the_right_kind(name, value, sequence):
    with h5py.File(sequence, "r+") as file:
        file.attrs[name] = value
    with pytest.raises(FileError, match=r"a\.h5: is not a complete myovivo sequence file"):
        mv.Sequence.load(sequence)


@pytest.mark.parametrize("name", ["source", "mask", "weight", "diameter", "spikes/time"])
def test_labels_of_another_length_are_refused(name, sequence):
    with h5py.File(sequence, "r+") as file:
        values = file[f"labels/{name}"][()]
        del file[f"labels/{name}"]
        file[f"labels/{name}"] = values[..., :1]
    with pytest.raises(FileError, match=r"labels"):
        mv.Sequence.load(sequence)


def test_every_hdf5_file_is_opened_by_the_one_function():
    source = Path(mv.__file__).parent
    opening = {
        f"{path.relative_to(source)}: {line.strip()}"
        for path in source.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"h5py\.File\(|pyuff_ustb\.Uff\(|h5f\.open", line)
    }
    uff = "acquisition/readers/uff.py: channels: Any = pyuff_ustb.Uff(str(path)).read(location)"
    opening -= {'runtime/hdf5.py: with h5py.File(writing, "w") as file:'}
    assert opening == {'runtime/hdf5.py: with h5py.File(path, "r") as file:', uff}  # the latter, once looked through
