"""`inspect` helps: values are listed, parameters proposed and never used, a mapping drafted, other files described."""

import gzip
import json

import h5py
import numpy as np
import pytest
import scipy.io

import myovivo as mv
from myovivo.acquisition.mapping_draft import likely_axes
from myovivo.acquisition.readers.layout import read_layout
from myovivo.errors import FileError, InputError

SHAPE = (12, 10, 400)  # depth, lateral, frame: MATLAB's usual order
RATE, DZ, DX = 2000.0, 4e-4, 5e-4
TVI = 0.003 * np.sin(2 * np.pi * 20 * np.arange(SHAPE[2]) / RATE) * np.ones(SHAPE)
PLAIN = {"conditioning.median": 0.0, "output.rows": 12, "output.columns": 10, "output.frame_rate": None}


def write73(path, variables):
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            text = isinstance(value, str)
            data = [[ord(letter)] for letter in value] if text else np.atleast_2d(value).T
            dataset = file.create_dataset(name.replace(".", "/"), data=np.array(data, np.uint16) if text else data)
            dataset.attrs["MATLAB_class"] = np.bytes_("char" if text else "double")
    head = b"MATLAB 7.3 MAT-file".ljust(124, b" ") + b"\x00\x02IM"
    path.write_bytes(head.ljust(512, b"\x00") + path.read_bytes()[512:])


def write5(path, variables):
    nested = {}
    for name, value in variables.items():
        *structs, last = name.split(".")
        at = nested
        for struct in structs:
            at = at.setdefault(struct, {})
        at[last] = value
    scipy.io.savemat(path, nested)


WRITERS = {"v5": write5, "v7.3": write73}

UNKNOWN = {
    "flat, in SI": {"TVI": TVI, "fs": RATE, "dz": DZ, "dx": DX, "note": "biceps"},
    "a struct, in mm": {"s.TVI": TVI, "s.fs": RATE, "s.dz_mm": 1e3 * DZ, "s.dx_mm": 1e3 * DX, "s.note": "biceps"},
    "in mm, unsaid": {"TVI": TVI, "FrameRate": RATE, "dz": 1e3 * DZ, "dx": 1e3 * DX, "note": "biceps"},
    "axes": {"TVI": TVI, "fps": RATE, "z": DZ * np.arange(12), "x": DX * np.arange(10), "note": "biceps"},
    "axes in mm": {"TVI": TVI, "fps": RATE, "z": 1e3 * DZ * np.arange(12), "x": 1e3 * DX * np.arange(10), "note": "a"},
}


@pytest.mark.parametrize("version", WRITERS)
@pytest.mark.parametrize("layout", UNKNOWN)
def test_an_unknown_file_is_read_by_the_mapping_that_is_drafted_for_it(tmp_path, layout, version):
    path, mapping = tmp_path / "a.mat", tmp_path / "map.yaml"
    WRITERS[version](path, UNKNOWN[layout])
    said = mv.inspect(path, write_mapping=mapping)
    assert not said.complete
    text = str(said)
    assert f"{next(name for name in UNKNOWN[layout] if 'note' in name)} '" in text
    assert "perhaps   frame_rate: " in text
    lines = mapping.read_text().splitlines()
    assert all("#" in line for line in lines)
    assert "axes: depth lateral frame" in mapping.read_text()
    # What was drafted, once it is checked, reads the file right.
    assert mv.inspect(path, mapping=mapping).complete
    read = mv.acquire(path, mapping=mapping, quiet=True, **PLAIN)
    assert read.frame_rate == RATE
    assert read.spacing == pytest.approx((DZ, DX))
    assert read.velocity[50:-50].max() == pytest.approx(0.003, rel=0.02)


def test_proposals_are_never_used_unasked(tmp_path):
    write5(tmp_path / "a.mat", UNKNOWN["flat, in SI"])
    with pytest.raises(FileError, match="says nothing of its scan"):
        mv.acquire(tmp_path / "a.mat", quiet=True)


def test_channel_data_get_the_parameters_of_a_transducer_proposed(tmp_path):
    variables = {"RF": np.zeros((200, 16, 9)), "Fs": 40.0, "Fc": 5.2, "pitch": 0.3, "c0": 1540.0, "PRF": 4000.0}
    write5(tmp_path / "a.mat", variables)
    proposals = mv.inspect(tmp_path / "a.mat", write_mapping=tmp_path / "map.yaml").proposals
    values = {word: float(proposal.value[0]) for word, proposal in proposals.items()}
    right = {"sampling_frequency": 4e7, "centre_frequency": 5.2e6, "pitch": 3e-4, "sound_speed": 1540.0}
    assert values == pytest.approx({**right, "pulse_rate": 4000.0})
    text = (tmp_path / "map.yaml").read_text()
    assert "content: rf" in text
    with pytest.raises(FileError, match=r"axes are words of .*got '\?'"):  # which nobody could tell
        mv.acquire(tmp_path / "a.mat", mapping=tmp_path / "map.yaml", quiet=True)
    (tmp_path / "map.yaml").write_text(text.replace('"?"', "sample element frame"))
    scan = mv.inspect(tmp_path / "a.mat", {"conditioning.band": None}, mapping=tmp_path / "map.yaml")
    assert scan.complete
    assert scan.parameters["sampling_frequency"].value == pytest.approx(4e7)


def test_what_is_found_is_not_proposed_again(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"RF": np.zeros((200, 16, 9)), "param": {"fs": 4e7, "fc": 5e6, "pitch": 3e-4}})
    said = mv.inspect(tmp_path / "a.mat")
    assert set(said.missing) == {"frame_rate"}
    assert not said.proposals
    assert not said.complete


@pytest.mark.parametrize(
    ("kind", "shape", "axes"),
    [
        ("velocity", (12, 10, 400), "depth lateral frame"),
        ("velocity", (400, 12, 10), "frame depth lateral"),
        ("iq", (128, 128, 200), "?"),
        ("rf", (400, 12, 10), "?"),
    ],
)
def test_axes_are_proposed_only_where_one_is_far_longer(kind, shape, axes):
    assert likely_axes(kind, shape) == axes


@pytest.mark.parametrize("name", ["a b", "x: y", "no", "α", "1", "#1", "a/b"])
def test_a_mapping_that_is_drafted_can_be_read_whatever_the_names(tmp_path, name):
    np.savez(tmp_path / "a.npz", **{name: TVI, "fs": RATE})
    mv.inspect(tmp_path / "a.npz", write_mapping=tmp_path / "map.yaml")
    assert read_layout(tmp_path / "map.yaml").data == (name,)


def test_a_draft_replaces_nothing_and_is_refused_where_it_means_nothing(tmp_path):
    write5(tmp_path / "a.mat", UNKNOWN["axes"])
    (tmp_path / "map.yaml").write_text("mine")
    with pytest.raises(FileError, match=r"map\.yaml: is there already"):
        mv.inspect(tmp_path / "a.mat", write_mapping=tmp_path / "map.yaml")
    assert (tmp_path / "map.yaml").read_text() == "mine"
    with pytest.raises(InputError, match="a mapping means nothing for a folder"):
        mv.inspect(tmp_path, write_mapping=tmp_path / "new.yaml")
    assert not (tmp_path / "new.yaml").exists()


# ------------------------------------------------------------------------------ no recordings


@pytest.fixture
def silico(tmp_path):
    small = {"grid.frames": 64, "grid.rows": 16, "grid.columns": 12}
    return mv.simulate_domain(tmp_path / "silico", 2, seed=0, quiet=True, workers=1, **small)


def test_a_sequence_and_a_domain_say_what_they_are(silico):
    said = mv.inspect(silico[0])
    assert said.complete
    text = str(said)
    assert "a TVI sequence of subject silico0000, silico, 64 x 16 x 12 at 512 Hz" in text
    assert "40 x 40 mm, with labels" in text
    assert "a domain (made by simulate) of 2 sequences of 2 subjects" in str(mv.inspect(silico[0].parent))


def test_a_run_and_a_folder_of_recordings_say_what_they_are(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    assert "a training run without weights yet" in str(mv.inspect(tmp_path / "run"))
    (tmp_path / "in").mkdir()
    with pytest.raises(FileError, match="holds nothing that is read"):
        mv.inspect(tmp_path / "in")
    write5(tmp_path / "in" / "a.mat", UNKNOWN["axes"])
    np.save(tmp_path / "in" / "b.npy", TVI)
    assert "a folder of 1 matlab5, 1 npy" in str(mv.inspect(tmp_path / "in"))


def pulses(*units):
    held = np.empty((1, len(units)), object)
    held[0] = [np.atleast_2d(np.asarray(unit, float)) for unit in units]
    return held


def described(column):
    held = np.empty((len(column), 1), object)
    held[:, 0] = column
    return held


TRAINS = {
    "a.mat": (
        lambda path: scipy.io.savemat(path, {"MUPulses": pulses([1, 9], [4, 8]), "fsamp": 2048.0}),
        "MUPulses of 2 units",
    ),
    "b.mat": (
        lambda path: scipy.io.savemat(path, {"signal": {"fsamp": 2048.0, "Dischargetimes": pulses([1, 9], [4, 8])}}),
        "a save of MUedit",
    ),
    "c.mat": (
        lambda path: scipy.io.savemat(
            path,
            {"Data": np.zeros((50, 2)), "Description": described(["EMG", "Decomposition of IN1 MU 1"])},
        ),
        "an export of OTBioLab+ with 1 decomposed unit",
    ),
    "d.json": (lambda path: path.write_text(json.dumps({"SOURCE": "OTB", "MUPULSES": "[]"})), "JSON of openhdemg"),
    "e.json": (lambda path: path.write_bytes(gzip.compress(b'{"MUPULSES": "[]"}')), "JSON of openhdemg"),
    "f_events.tsv": (lambda path: path.write_bytes(b"\xef\xbb\xbfonset\tduration\tmotor_unit\n"), "events of BIDS"),
    "g_Firings.txt": (lambda path: path.write_text("MU 1\tMU 2\n0.1\t0.2\n"), "Delsys NeuroMap"),
}


@pytest.mark.parametrize("name", TRAINS)
def test_spike_trains_say_what_they_are(tmp_path, name):
    write, says = TRAINS[name]
    write(tmp_path / name)
    said = mv.inspect(tmp_path / name)
    assert said.complete
    assert says in str(said)
    assert "--firing.measured" in str(said)


def test_a_text_that_is_nothing_of_this_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(FileError, match="is of none of the formats read"):
        mv.inspect(tmp_path / "a.txt")
