"""What files mean by their numbers: grey levels, cells, structs, time stamps, names of subjects, units."""

import warnings

import h5py
import numpy as np
import pytest
import scipy.io
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import myovivo as mv
from myovivo.acquisition.band import require_time
from myovivo.acquisition.parameters import complete
from myovivo.acquisition.readers.scan_notes import notes_beside
from myovivo.acquisition.readers.subject_name import subject_name
from myovivo.acquisition.recordings import open_recording
from myovivo.acquisition.settings import AcquireSettings, Scan
from myovivo.acquisition.timing import frame_increments
from myovivo.errors import FileError, InputError, MyovivoError, RecordingWarning

pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed")

FRAMES, ROWS, COLUMNS = 6, 40, 50
GREY = np.random.default_rng(0).integers(0, 256, (FRAMES, ROWS, COLUMNS)).astype(np.uint8)


def frames_of(path, scan=None, mapping=None):
    content = open_recording(path, scan, mapping)
    order = ("frame", "wave", "sample", "element") if len(content.shape) == 4 else ("frame", "depth", "lateral")
    return np.concatenate(list(content.frames.blocks(order, 4)))


def write_dicom(path, pixels=GREY, photometric="MONOCHROME2", bits=8, allocated=None, **changes):
    """A cine loop as stored; a change to None leaves an element out."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    head, head.file_meta = (head := Dataset()), FileMetaDataset()
    head.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    head.file_meta.MediaStorageSOPClassUID = head.SOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    head.file_meta.MediaStorageSOPInstanceUID = head.SOPInstanceUID = "1.2.3"
    head.Modality, head.NumberOfFrames, head.Rows, head.Columns = "US", *pixels.shape[:3]
    head.SamplesPerPixel, head.PhotometricInterpretation = pixels.shape[3] if pixels.ndim > 3 else 1, photometric
    head.PixelRepresentation = 0
    if pixels.ndim > 3:
        head.PlanarConfiguration = 0
    allocated = allocated or (8 if bits <= 8 else 16)
    head.BitsAllocated, head.BitsStored, head.HighBit, head.FrameTime = allocated, bits, bits - 1, "20"
    head.PixelData = pixels.tobytes()
    for name, value in changes.items():
        if value is None:
            delattr(head, name)
        else:
            setattr(head, name, value)
    head.save_as(path, enforce_file_format=True)
    return path


def palette(table, bits=16):
    """The elements of a palette (256 levels of grey), as 16-bit words."""
    words = table.astype("<u2") * (257 if bits == 16 else 1)
    changes = {}
    for colour in ("Red", "Green", "Blue"):
        changes[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        changes[f"{colour}PaletteColorLookupTableData"] = words.tobytes()
    return changes


TABLE = np.random.default_rng(1).permutation(256).astype(np.uint8)  # index -> level
INDEX = np.argsort(TABLE).astype(np.uint8)[GREY]
SIGNED = (GREY.astype(int) - 128).astype(np.int8)
TWELVE = np.rint(GREY * (4095 / 255)).astype("<u2")

GREYS = {
    "as they are": lambda path: write_dicom(path),
    "inverted": lambda path: write_dicom(path, 255 - GREY, "MONOCHROME1"),
    "a palette": lambda path: write_dicom(path, INDEX, "PALETTE COLOR", **palette(TABLE)),
    "a palette of 8-bit levels in words": lambda path: write_dicom(path, INDEX, "PALETTE COLOR", **palette(TABLE, 8)),
    "signed": lambda path: write_dicom(path, SIGNED, PixelRepresentation=1),
    "signed, inverted": lambda path: write_dicom(path, -1 - SIGNED, "MONOCHROME1", PixelRepresentation=1),
    "12 bits": lambda path: write_dicom(path, TWELVE, bits=12),
    "12 bits inverted": lambda path: write_dicom(path, 4095 - TWELVE, "MONOCHROME1", bits=12),
    "7 bits": lambda path: write_dicom(path, GREY // 2, bits=7, allocated=8),
    "rescaled": lambda path: write_dicom(path, RescaleSlope="2.5", RescaleIntercept="-17"),
    "rescaled downwards": lambda path: write_dicom(path, 255 - GREY, RescaleSlope="-1", RescaleIntercept="255"),
    "signed and rescaled": lambda path: write_dicom(
        path, SIGNED, PixelRepresentation=1, RescaleSlope="1", RescaleIntercept="128"
    ),
    "rgb": lambda path: write_dicom(path, np.repeat(GREY[..., None], 3, -1), "RGB"),
}


@pytest.mark.parametrize("kind", GREYS)
def test_grey_levels_of_a_dicom_are_those_that_a_viewer_shows(tmp_path, kind):
    read = frames_of(GREYS[kind](tmp_path / "a.dcm"))
    assert np.abs(read.astype(int) - GREY).max() <= (2 if kind == "7 bits" else 1)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"photometric": "YBR_PARTIAL_422", "pixels": np.repeat(GREY[..., None], 3, -1)}, "YBR_PARTIAL_422 with 3"),
        ({"photometric": "HSV", "pixels": np.repeat(GREY[..., None], 3, -1)}, "HSV with 3 samples are not read"),
        ({"photometric": "RGB"}, "RGB with 1 samples are not read"),
        ({"photometric": "PALETTE COLOR"}, "need the table RedPaletteColorLookupTable"),
        ({"BitsStored": None}, "says no BitsStored"),
        ({"HighBit": 6}, "end at bit 6"),
        ({"RescaleSlope": "0"}, "RescaleSlope of 0"),
    ],
)
def test_pixels_whose_meaning_is_open_are_refused(tmp_path, changes, says):
    with pytest.raises(FileError, match=says):
        frames_of(write_dicom(tmp_path / "a.dcm", **changes))


def region(z0, z1, x0, x1, pixel=0.1, **changes):
    from pydicom.dataset import Dataset

    part = Dataset()
    part.RegionSpatialFormat = part.RegionDataType = 1
    part.RegionLocationMinY0, part.RegionLocationMaxY1 = z0, z1 - 1
    part.RegionLocationMinX0, part.RegionLocationMaxX1 = x0, x1 - 1
    part.PhysicalUnitsXDirection = part.PhysicalUnitsYDirection = 3
    part.PhysicalDeltaX = part.PhysicalDeltaY = pixel / 10
    for name, value in changes.items():
        setattr(part, name, value)
    return part


SMALL, LARGE = region(0, 10, 0, 10, 0.2), region(5, 40, 10, 50)
MODE = region(0, 40, 0, 50, 0.3, RegionSpatialFormat=2)  # of a line over time


@pytest.mark.parametrize("regions", [[LARGE], [SMALL, LARGE], [LARGE, SMALL], [MODE, LARGE]])
def test_the_largest_picture_of_tissue_is_the_region(tmp_path, regions):
    write_dicom(tmp_path / "a.dcm", SequenceOfUltrasoundRegions=regions)
    used = complete(open_recording(tmp_path / "a.dcm"))
    assert used["crop"].value == (5, 40, 10, 50)
    assert used["spacing"].value == pytest.approx((1e-4, 1e-4))


def test_a_dicom_without_regions_may_say_its_pixel_spacing(tmp_path):
    write_dicom(tmp_path / "a.dcm", PixelSpacing=["0.1", "0.2"])
    assert complete(open_recording(tmp_path / "a.dcm"))["spacing"].value == pytest.approx((1e-4, 2e-4))


@pytest.mark.parametrize(
    ("changes", "rate"),
    [
        ({"FrameTime": "1", "CineRate": "700"}, 700),
        ({"FrameTime": "2", "CineRate": "450"}, 450),
        ({"FrameTime": "33", "CineRate": "30"}, 1000 / 33),  # the frame time is the more exact of the two
        ({"FrameTime": "16.667", "CineRate": "60"}, 1000 / 16.667),
        ({"FrameTime": "20", "CineRate": "10"}, 50),  # shown slower than it was taken
        ({"FrameTime": None, "CineRate": "450"}, 450),
        ({"FrameTime": None, "FrameTimeVector": ["0", "1", "1", "1", "1", "1"], "CineRate": "700"}, 700),
        ({"FrameTime": None, "FrameTimeVector": ["0", "20", "20", "20", "20", "20"]}, 50),
        ({"FrameTime": None, "FrameTimeVector": ["0", "2", "3", "2", "2", "2"]}, 5000 / 11),
    ],
)
def test_frame_times_rounded_to_ms_give_way_to_the_rate(tmp_path, changes, rate):
    write_dicom(tmp_path / "a.dcm", PixelSpacing=["0.1", "0.1"], **changes)
    assert complete(open_recording(tmp_path / "a.dcm"))["frame_rate"].value == pytest.approx(rate, rel=1e-4)


# ---------------------------------------------------------------------------------- time stamps


@settings(deadline=None, max_examples=200)
@given(
    rate=st.floats(20, 1200),
    frames=st.integers(60, 400),
    phase=st.floats(0, 1),
    floors=st.booleans(),
)
def test_stamps_in_whole_ms_give_the_mean_rate(rate, frames, phase, floors):
    exact = 1e3 * (phase + np.arange(frames)) / rate
    stamps = (np.floor(exact) if floors else np.rint(exact)) * 1e-3
    measured = frame_increments(stamps).sum() / (stamps[-1] - stamps[0])
    # Both ends are off by up to a ms; two longer steps among many are taken for gaps.
    assert measured == pytest.approx(rate, rel=1.1e-3 * rate / frames + 2.1 / frames)


@settings(deadline=None, max_examples=100)
@given(
    rate=st.sampled_from([60.0, 120.0, 300.0, 450.0, 640.0, 700.0, 900.0]),
    gaps=st.dictionaries(st.sampled_from([40, 80, 120, 160]), st.integers(3, 30), min_size=1, max_size=3),
)
def test_true_gaps_among_rounded_stamps_are_found(rate, gaps):
    increments = np.ones(199, int)
    for place, lost in gaps.items():
        increments[place] += lost
    stamps = np.rint(1e3 * np.concatenate([[0], np.cumsum(increments)]) / rate) * 1e-3
    read = frame_increments(stamps)
    assert abs(int(read.sum()) - int(increments.sum())) <= len(gaps)
    assert 1 / ((stamps[-1] - stamps[0]) / read.sum()) == pytest.approx(rate, rel=0.02)
    late = np.flatnonzero(read > 1)
    assert all(np.abs(late - place).min() <= 3 for place in gaps)


def test_exact_stamps_give_each_gap_its_place():
    increments = np.ones(50, int)
    increments[[7, 30]] = (2, 5)
    stamps = np.concatenate([[0], np.cumsum(increments)]) / 1000
    assert np.array_equal(frame_increments(stamps), increments)


@pytest.mark.parametrize("rate", [450.0, 700.0, 1200.0])
def test_an_array_with_rounded_frame_times_has_the_true_rate(tmp_path, rate):
    times = np.rint(1e3 * np.arange(80) / rate) * 1e-3  # frames at 1200 Hz share stamps
    np.save(tmp_path / "a.npy", np.zeros((80, 8, 8), np.float32))
    words = {"content": "velocity", "axes": "frame depth lateral", "spacing": 1e-3, "frame_times": times.tolist()}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(words))
    assert complete(open_recording(tmp_path / "a.npy"))["frame_rate"].value == pytest.approx(rate, rel=0.02)


# ------------------------------------------------------------------------------ cells and structs

SAMPLES, ELEMENTS, CELLS = 32, 5, 7
RF = np.random.default_rng(2).integers(-99, 99, (CELLS, SAMPLES, ELEMENTS)).astype(np.int16)
WORDS = {
    "content": "rf",
    "axes": "sample element frame",
    "sampling_frequency": 2e7,
    "centre_frequency": 5e6,
    "pitch": 3e-4,
    "frame_rate": 1000.0,
}


def mapping(folder, **words):
    (folder / "map.yaml").write_text(yaml.safe_dump({**WORDS, **words}))
    return folder / "map.yaml"


def in_cells(path, version, items, name="RcvData", beside=None):
    """A cell array, and a struct array `s` with the fields `rf`, `rate` and `delay`."""
    structs = {"rf": items, "rate": [1000.0] * len(items), "delay": [np.arange(3.0) + k for k in range(len(items))]}
    if version == "v5":
        held = np.empty((1, len(items)), object)
        array = np.empty((1, len(items)), [(field, object) for field in structs])
        for k, item in enumerate(items):
            held[0, k] = item
            for field, values in structs.items():
                array[field][0, k] = values[k]
        scipy.io.savemat(path, {name: held, "s": array})
        return
    with h5py.File(path, "w", userblock_size=512) as file:

        def references(values, label):
            made = [file.create_dataset(f"#refs#/{label}{k}", data=np.atleast_2d(v).T) for k, v in enumerate(values)]
            return np.array([[one.ref for one in made]], h5py.ref_dtype).T

        file.create_dataset(name, data=references(items, "c")).attrs["MATLAB_class"] = np.bytes_("cell")
        for field, values in structs.items():
            file.create_dataset(f"s/{field}", data=references(values, field))
    head = b"MATLAB 7.3 MAT-file".ljust(124, b" ") + b"\x00\x02IM"
    path.write_bytes(head.ljust(512, b"\x00") + path.read_bytes()[512:])


@pytest.mark.parametrize("version", ["v5", "v7.3"])
@pytest.mark.parametrize(
    ("data", "axes"),
    [
        ("RcvData", "sample element frame"),
        ("RcvData.*", "frame sample element"),
        ("s.rf", "sample element frame"),
        ("s.*.rf", "frame sample element"),
    ],
)
def test_a_frame_per_cell_or_struct_is_a_frame(tmp_path, version, data, axes):
    in_cells(tmp_path / "a.mat", version, list(RF))
    read = frames_of(tmp_path / "a.mat", None, mapping(tmp_path, data=data, axes=axes))
    assert np.array_equal(read, RF[:, None])


@pytest.mark.parametrize("version", ["v5", "v7.3"])
@pytest.mark.parametrize("name", ["RcvData.3", "s.3.rf", "s.rf.3"])
def test_one_cell_or_struct_of_several_goes_by_its_number(tmp_path, version, name):
    in_cells(tmp_path / "a.mat", version, list(RF))
    read = frames_of(tmp_path / "a.mat", None, mapping(tmp_path, data=name, axes="sample element"))
    assert np.array_equal(read[0, 0], RF[2])


@pytest.mark.parametrize("version", ["v5", "v7.3"])
def test_more_cells_than_are_listed_are_all_read(tmp_path, version):
    many = np.arange(90)[:, None, None] * np.ones((1, SAMPLES, ELEMENTS), np.int16)
    in_cells(tmp_path / "a.mat", version, list(many))
    assert np.array_equal(frames_of(tmp_path / "a.mat", None, mapping(tmp_path, data="RcvData"))[:, 0, 0, 0], range(90))


@pytest.mark.parametrize("version", ["v5", "v7.3"])
def test_a_parameter_of_each_struct_is_a_row(tmp_path, version):
    in_cells(tmp_path / "a.mat", version, list(RF))
    for place in ("s.delay", "s.*.delay"):
        words = {"data": "RcvData", "transmit_delays": place, "frame_rate": "s.rate"}
        content = open_recording(tmp_path / "a.mat", None, mapping(tmp_path, **words))
        assert np.array_equal(content.parameters["transmit_delays"].value, np.arange(3.0) + np.arange(CELLS)[:, None])
        assert complete_rate(content) == 1000.0


def complete_rate(content):
    return float(np.unique(content.parameters["frame_rate"].value)[0])


@pytest.mark.parametrize("version", ["v5", "v7.3"])
def test_cells_of_which_nobody_says_the_axes_are_refused(tmp_path, version):
    in_cells(tmp_path / "a.mat", version, list(RF))
    words = {name: value for name, value in WORDS.items() if name != "axes"}
    (tmp_path / "map.yaml").write_text(yaml.safe_dump({**words, "data": "RcvData"}))
    with pytest.raises(FileError, match=r"RcvData is 7 cells of \(32, 5\); say the order of the axes"):
        open_recording(tmp_path / "a.mat", None, tmp_path / "map.yaml")


@pytest.mark.parametrize("version", ["v5", "v7.3"])
def test_cells_of_several_shapes_are_refused_by_the_names_of_their_parts(tmp_path, version):
    in_cells(tmp_path / "a.mat", version, [RF[0], RF[1, :9]])
    with pytest.raises(FileError, match=r"there is no array RcvData; .*RcvData\.1 \(32, 5\), RcvData\.2 \(9, 5\)"):
        frames_of(tmp_path / "a.mat", None, mapping(tmp_path, data="RcvData"))


def test_a_star_in_a_parameter_stacks_what_matches(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["rf"] = np.zeros((8, 2, 32, 5), np.int16)
        for k in (2, 10):
            file[f"TX/Delay_{k}"] = np.full(5, k)
    words = {"data": "rf", "axes": "frame wave sample element", "transmit_delays": "TX.Delay_*"}
    content = open_recording(tmp_path / "a.h5", None, mapping(tmp_path, **words))
    assert content.parameters["transmit_delays"].value.tolist() == [[2.0] * 5, [10.0] * 5]


# ---------------------------------------------------------------------------------------- subjects


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("S01", "S01"),
        (b"S01", "S01"),
        (np.array([b"S01"]), "S01"),
        (np.array([b"S01"], object), "S01"),
        (np.array("S01"), "S01"),
        (["S01"], "S01"),
        (" S01 \0", "S01"),
        (np.array([[7.0]]), "7"),
        (7, "7"),
        ("", None),
        ("n/a", None),
        ("Anonymous", None),
        (np.nan, None),
        (np.zeros((0, 0)), None),
        (np.array([[3707764736, 2, 1]]), None),
        (["S01", "S02"], None),
    ],
)
def test_a_subject_is_a_text_or_nobody(value, name):
    assert subject_name(value) == name


def velocity_file(path, **more):
    scipy.io.savemat(path, {"tvi": 0.01 * np.random.default_rng(0).standard_normal((400, 9, 9)), **more})
    return path


VELOCITY = {"data": "tvi", "content": "velocity", "axes": "frame depth lateral", "frame_rate": 1000.0, "spacing": 1e-3}
QUICK = {"output.rows": 8, "output.columns": 8}


@pytest.mark.parametrize(
    ("more", "subject"),
    [({"who": "S7"}, "S7"), ({}, "01"), ({"who": ""}, "01"), ({"who": np.zeros((1, 3))}, "01"), ({"who": 7.0}, "7")],
)
def test_a_subject_that_a_file_does_not_say_is_its_name(tmp_path, more, subject):
    path = velocity_file(tmp_path / "sub-01_run-02.mat", **more)
    (tmp_path / "map.yaml").write_text(yaml.safe_dump({**VELOCITY, "subject": "who"}))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert mv.acquire(path, mapping=tmp_path / "map.yaml", quiet=True, **QUICK).subject == subject
    told = [str(one.message) for one in caught if issubclass(one.category, RecordingWarning)]
    assert [note for note in told if "no subject by who" in note] == [note for note in told if subject == "01"]


@pytest.mark.parametrize(("name", "subject"), [("_a.mat", "_a"), ("sub-_x.mat", "sub-_x"), ("scan.mat", "scan")])
def test_a_name_without_a_subject_is_taken_whole(tmp_path, name, subject):
    path = velocity_file(tmp_path / name)
    (tmp_path / "map.yaml").write_text(yaml.safe_dump(VELOCITY))
    assert mv.acquire(path, mapping=tmp_path / "map.yaml", quiet=True, **QUICK).subject == subject


def test_a_recording_of_ours_without_a_subject_goes_by_its_name(tmp_path):
    iq = np.random.default_rng(0).standard_normal((300, 32, 8)) + 0j
    recording = mv.Recording.of_array(iq, frame_rate=1000.0, spacing=(1e-4, 3e-4), centre_frequency=5e6)
    path = recording.save(tmp_path / "sub-09_run-01.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert mv.acquire(path, quiet=True, **QUICK).subject == "09"


def test_text_of_matlabs_string_class_is_refused_with_the_remedy(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        file["tvi"] = np.zeros((9, 9, 400))
        words = file.create_dataset("who", data=np.array([[3707764736], [2], [1]], "u4"))
        words.attrs["MATLAB_class"], words.attrs["MATLAB_object_decode"] = np.bytes_("string"), np.int32(3)
    head = b"MATLAB 7.3 MAT-file".ljust(124, b" ") + b"\x00\x02IM"
    (tmp_path / "a.mat").write_bytes(head.ljust(512, b"\x00") + (tmp_path / "a.mat").read_bytes()[512:])
    (tmp_path / "map.yaml").write_text(yaml.safe_dump({**VELOCITY, "subject": "who"}))
    with pytest.raises(FileError, match=r"who is an object of class string, .* text must be saved as char"):
        open_recording(tmp_path / "a.mat", None, tmp_path / "map.yaml")


# ------------------------------------------------------------------------------------------- units


@pytest.mark.parametrize(
    ("words", "factor"),
    [
        ({"unit": "mm/s"}, 1e3),
        ({"unit": "cm/s"}, 1e2),
        ({"unit": "m/s"}, 1.0),
        ({"data": {"at": "tvi", "times": 1e-3}}, 1e3),
        ({"data": {"at": "tvi", "times": "1e-6"}}, 1e6),
    ],
)
def test_velocity_in_other_units_is_brought_to_metres_per_second(tmp_path, words, factor):
    true = 0.01 * np.random.default_rng(0).standard_normal((400, 9, 9))
    scipy.io.savemat(tmp_path / "a.mat", {"tvi": factor * true})
    (tmp_path / "map.yaml").write_text(yaml.safe_dump({**VELOCITY, **words}))
    plain = {"conditioning.band": None, "conditioning.median": 0.0, "output.frame_rate": None}
    size = {"output.rows": 9, "output.columns": 9}
    read = mv.acquire(tmp_path / "a.mat", mapping=tmp_path / "map.yaml", quiet=True, **plain, **size)
    assert np.allclose(read.velocity, true, atol=1e-7)


@pytest.mark.parametrize(("word", "taken"), [("sound_speed", "1540 m/s"), ("sign", "1 1")])
def test_a_name_that_is_not_in_the_file_is_told_with_what_was_taken(tmp_path, word, taken):
    np.savez(tmp_path / "a.npz", iq=np.random.default_rng(0).standard_normal((300, 32, 8)) + 0j)
    words = {"data": "iq", "content": "iq", "axes": "frame depth lateral", "frame_rate": 1e3, "spacing": 1e-4}
    (tmp_path / "map.yaml").write_text(yaml.safe_dump({**words, "centre_frequency": 5e6, word: "gone"}))
    with pytest.warns(RecordingWarning, match=f"no {word} by gone in the file; {taken} was taken"):
        mv.acquire(tmp_path / "a.npz", mapping=tmp_path / "map.yaml", quiet=True, **QUICK)


def test_the_users_unit_replaces_the_mappings(tmp_path):
    velocity_file(tmp_path / "a.mat")
    (tmp_path / "map.yaml").write_text(yaml.safe_dump({**VELOCITY, "data": {"at": "tvi", "times": 1e-3}}))
    used = complete(open_recording(tmp_path / "a.mat", Scan(unit="mm/s"), tmp_path / "map.yaml"))
    assert used["unit"].value == "mm/s"
    assert "scale" not in used


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"unit": "furlong/s"}, "unit must be one of m/s, cm/s, mm/s, got 'furlong/s'"),
        ({"unit": 3}, "unit must be"),
        ({"data": {"at": "tvi", "times": 0}}, "a place is"),
        ({"data": {"at": "tvi", "times": "big"}}, "a place is"),
        ({"data": {"at": "tvi", "inverse": True}}, "data may be"),
        ({"data": {"at": "tvi", "times": 1e-3}, "unit": "mm/s"}, "either by its unit or by times"),
        ({"content": "iq", "unit": "mm/s"}, "are for velocity, not for beamformed IQ"),
        ({"frame_rate": {"at": "rate", "column": 4}}, r"rate has no column 4 \(frame_rate\)"),
        ({"frame_rate": {"at": "rate", "inverse": True}}, "frame_rate must be one finite number"),
        ({"frame_rate": {"at": "odd"}}, r"odd should be numbers \(frame_rate\)"),
        ({"subject": {"a": 1}}, "a place is"),
    ],
)
def test_words_that_make_no_sense_are_one_clear_line(tmp_path, words, says):
    velocity_file(tmp_path / "a.mat", rate=np.array([[0.0, 5.0]]), odd=1 + 2j)
    (tmp_path / "map.yaml").write_text(yaml.safe_dump({**VELOCITY, **words}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(MyovivoError, match=says) as error:
            complete(open_recording(tmp_path / "a.mat", None, tmp_path / "map.yaml"))
    assert "\n" not in str(error.value)


def test_velocity_in_millimetres_per_second_is_asked_after(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"tvi": np.random.default_rng(0).standard_normal((400, 9, 9))})
    (tmp_path / "map.yaml").write_text(yaml.safe_dump(VELOCITY))
    with pytest.raises(FileError, match=r"velocity of .* m/s cannot be; is it in mm/s\? give scan\.unit mm/s"):
        mv.acquire(tmp_path / "a.mat", mapping=tmp_path / "map.yaml", quiet=True, **QUICK)
    near = 0.1 * np.random.default_rng(0).standard_normal((400, 9, 9))
    scipy.io.savemat(tmp_path / "b.mat", {"tvi": near})
    with pytest.warns(RecordingWarning, match=r"velocity of 0\.09\d* m/s is unusual; is it in mm/s"):
        mv.acquire(tmp_path / "b.mat", mapping=tmp_path / "map.yaml", quiet=True, **QUICK)


# ---------------------------------------------------------------------------------------- duration


def test_a_recording_too_short_for_the_band_is_refused_before_anything_is_read(tmp_path):
    np.save(tmp_path / "a.npy", np.full((32, 64, 16), np.nan, np.float32))  # which reading would complain of
    scan = {"scan.pitch": 3e-4, "scan.sampling_frequency": 2e7, "scan.centre_frequency": 5e6, "scan.content": "rf"}
    with pytest.raises(FileError, match=r"32 frames at 10000 Hz are too few for 5 Hz: they last 3\.2 ms"):
        mv.acquire(tmp_path / "a.npy", frame_rate=1e4, quiet=True, **scan)
    assert "too few for 5 Hz" in mv.inspect(tmp_path / "a.npy", {**scan, "scan.frame_rate": 1e4}).problem


@pytest.mark.parametrize(("frames", "noted"), [(100, True), (199, True), (200, False)])
def test_less_than_an_oscillation_is_noted(frames, noted):
    assert bool(require_time(AcquireSettings(), frames, 1000.0)) == noted


# ---------------------------------------------------------------------------------------- raw errors


@pytest.mark.parametrize(
    "dtype", ["f2", "f4", "f8", "g", "i1", "u1", "i2", "u2", ">i2", "i4", "u4", "i8", "u8", "F", "G"]
)
def test_channel_data_of_every_type_of_number_are_acquired(tmp_path, dtype):
    rng = np.random.default_rng(0)
    values = (40 * rng.standard_normal((300, 64, 8)) + 100).astype(dtype)
    np.save(tmp_path / "a.npy", values)
    kind = "channel_iq" if values.dtype.kind == "c" else "rf"
    scan = {"scan.pitch": 3e-4, "scan.sampling_frequency": 2e7, "scan.centre_frequency": 5e6, "scan.content": kind}
    axes = {"scan.axes": "frame sample element", "velocity.axial_window": 0.0005}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RecordingWarning)
        assert mv.acquire(tmp_path / "a.npy", frame_rate=1e3, quiet=True, **scan, **axes, **QUICK).shape[1:] == (8, 8)


CROP = {"px2mmX": 0.1, "px2mmY": 0.1, "ulcornerx": 1.0, "ulcornery": 1.0, "nx": 50.0, "ny": 40.0}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"px2mmX": np.zeros((0, 0))}, r"Params\.px2mmX must be one positive number"),
        ({"px2mmX": np.nan}, r"Params\.px2mmX must be one positive number"),
        ({"px2mmY": -0.1}, r"Params\.px2mmY must be one positive number"),
        ({"px2mmY": 88.0}, "is it in mm"),
        ({"nx": 0.0}, r"Params\.nx must be one positive number"),
        ({"ny": "many"}, r"Params\.ny must be one positive number"),
        ({"ulcornerx": np.array([1.0, 2.0])}, r"Params\.ulcornerx must be one positive number"),
    ],
)
def test_notes_with_numbers_that_cannot_be_are_refused(tmp_path, changes, says):
    scipy.io.savemat(tmp_path / "clip_params.mat", {"Params": {**CROP, **changes}})
    with pytest.raises(FileError, match=says) as error:
        notes_beside(tmp_path / "clip.mp4")
    assert error.value.path.name == "clip_params.mat"


@pytest.mark.parametrize(
    "call",
    [
        lambda: mv.acquire(np.zeros((4, 4, 4))),  # type: ignore[arg-type]
        lambda: mv.acquire(None),  # type: ignore[arg-type]
        lambda: mv.Sequence("abc", 512, (1e-3, 1e-3)),  # type: ignore[arg-type]
        lambda: mv.Sequence(np.zeros((4, 4, 4), complex), 512, (1e-3, 1e-3)),
        lambda: mv.Sequence(np.zeros((4, 4, 4)), "fast", (1e-3, 1e-3)),  # type: ignore[arg-type]
        lambda: mv.Sequence(np.zeros((4, 4, 4)), 512, 1e-3),  # type: ignore[arg-type]
        lambda: mv.Sequence(np.zeros((4, 4, 4)), 512, (1e-3, 1e-3, 1e-3)),  # type: ignore[arg-type]
        lambda: mv.Recording.of_array([[1]], frame_rate=1.0, spacing=(1, 1), centre_frequency=1.0),  # type: ignore
        lambda: mv.Recording.of_array(np.ones((4, 4, 4), complex), frame_rate=1e3, spacing=1e-3, centre_frequency=5e6),
    ],
)
def test_wrong_arguments_are_told_in_one_line(call):
    with pytest.raises(InputError) as error:
        call()
    assert "\n" not in str(error.value)
