"""Ultrasonix: synthetic `.rf` files and DAQ folders, whose echoes come back as they were written."""

import numpy as np
import pytest
from test_readers import ELEMENTS, FC, FRAMES, FS, PITCH, QUICK, RATE, SPEED, T0, TILTS, C, all_frames, echoes, rf

from myovivo.acquisition.acquire import acquire, acquire_domain
from myovivo.acquisition.formats import format_of, recordings_in
from myovivo.acquisition.inspection import inspect
from myovivo.acquisition.parameters import complete
from myovivo.acquisition.recordings import open_recording
from myovivo.acquisition.settings import Scan
from myovivo.errors import FileError

WIRES = np.array([16 * (channel % 8) + channel // 8 for channel in range(128)])  # the element of each channel


def write_rf(path, data=None, tag=False, **fields):
    """Header and frames of lines; version 5 puts the number of the frame before each."""
    data = rf()[:, 0].transpose(0, 2, 1) if data is None else data  # frame, line, sample
    frames, lines, samples = data.shape
    told = {"type": 16, "frames": frames, "w": lines, "h": samples, "ss": 16, "txf": FC, "sf": FS, "dr": RATE} | fields
    names = ("type", "frames", "w", "h", "ss", *range(8), "probe", "txf", "sf", "dr", "ld", "extra")
    head = np.array([told.get(name, 0) for name in names], "<i4")
    assert head.nbytes == 76
    numbers = (np.array(k, "<i4").tobytes() if tag else b"" for k in range(frames))
    path.write_bytes(
        head.tobytes() + b"".join(n + frame.astype("<i2").tobytes() for n, frame in zip(numbers, data, strict=True))
    )


def write_daq(folder, data, order=None, header=3):
    """A file for each channel of (frame, sample, element)."""
    folder.mkdir(parents=True)
    frames, samples, elements = data.shape
    for channel in range(elements):
        element = channel if order is None else order[channel]
        head = np.zeros(header, "<i4")
        head[:3] = elements - 1, frames, samples
        record = np.ascontiguousarray(data[:, :, element]).astype("<i2")
        (folder / f"CH{channel:03d}.daq").write_bytes(head.tobytes() + record.tobytes())


def wide_echoes(seed=0):
    """(frame, sample, element) of points under a plane wave on 128 elements, with noise."""
    rng = np.random.default_rng(seed)
    x = (np.arange(128) - 63.5) * PITCH
    t = np.arange(600)[:, None] / FS
    data = rng.normal(0, 20, (4, 600, 128))
    for px, pz in zip(rng.uniform(-18e-3, 18e-3, 60), rng.uniform(5e-3, 20e-3, 60), strict=True):
        for frame in range(4):
            late = t - (pz - frame * 1e-5 + np.hypot(pz - frame * 1e-5, px - x)) / C
            data[frame] += 300 * np.exp(-((late / 0.2e-6) ** 2)) * np.cos(2 * np.pi * FC * late)
    return np.rint(data).astype(np.int16)


DAQ = {"scan.sampling_frequency": FS, "scan.centre_frequency": FC, "scan.frame_rate": RATE, "scan.pitch": PITCH}
SCAN = Scan(sampling_frequency=FS, centre_frequency=FC, frame_rate=RATE, pitch=PITCH)


@pytest.mark.parametrize("tag", [False, True], ids=["version 6", "version 5"])
def test_the_lines_of_a_file_are_its_elements_if_one_says_so(tmp_path, tag):
    write_rf(tmp_path / "a.rf", tag=tag)
    assert format_of(tmp_path / "a.rf") == "ultrasonix"
    content = open_recording(tmp_path / "a.rf", Scan(content="rf", pitch=PITCH, start_time=T0))
    assert np.array_equal(all_frames(content), rf())
    given = complete(content)
    assert [given[name].value for name in ("sampling_frequency", "centre_frequency", "frame_rate")] == [FS, FC, RATE]
    assert given["frame_rate"].origin == "file (header.dr)"
    changes = {"scan.content": "rf", "scan.pitch": PITCH, "scan.start_time": T0}
    tvi = acquire(tmp_path / "a.rf", {**QUICK, **changes}, quiet=True, device="cpu")
    assert np.median(tvi.velocity[4:-4, 1:-1, 1:-1]) == pytest.approx(SPEED, rel=0.03)


def test_lines_of_nobody_knows_what_are_refused(tmp_path):
    write_rf(tmp_path / "a.rf")
    with pytest.raises(FileError, match=r"of a beamformer or of single elements; give scan\.content rf"):
        open_recording(tmp_path / "a.rf")


def test_what_a_header_does_not_tell_is_asked_for(tmp_path):
    write_rf(tmp_path / "a.rf", sf=0, txf=0, dr=0)
    missing = inspect(tmp_path / "a.rf", **{"scan.content": "rf"}).missing
    assert set(missing) == {"sampling_frequency", "centre_frequency", "frame_rate", "element_x"}


@pytest.mark.parametrize("fields", [{"type": 2}, {"ss": 8}, {"frames": 5}, {"h": -1}])
def test_another_file_is_no_rf(tmp_path, fields):
    write_rf(tmp_path / "a.rf", **fields)
    assert format_of(tmp_path / "a.rf") is None
    with pytest.raises(FileError, match="none of the formats read"):
        open_recording(tmp_path / "a.rf")


@pytest.mark.parametrize("header", [3, 19])
def test_a_folder_of_channels_is_one_recording(tmp_path, header):
    folder = tmp_path / "day" / "sub-03_push"
    write_daq(folder, rf()[:, 0], header=header)
    assert recordings_in(tmp_path / "day") == [folder]
    assert recordings_in(folder) == [folder]
    content = open_recording(folder, SCAN)
    assert np.array_equal(all_frames(content), rf())
    quick = QUICK | DAQ | {"scan.start_time": T0}
    paths = acquire_domain(tmp_path / "day", tmp_path / "out", quick, quiet=True, device="cpu")
    assert [path.name for path in paths] == ["sub-03_push_tvi.h5"]
    tvi = acquire(folder, quick, quiet=True, device="cpu")
    assert tvi.subject == "03"
    assert np.median(tvi.velocity[4:-4, 1:-1, 1:-1]) == pytest.approx(SPEED, rel=0.03)


def test_one_folder_alone_becomes_one_sequence(tmp_path):
    write_daq(tmp_path / "s1_a", rf()[:, 0])
    quick = QUICK | DAQ | {"scan.start_time": T0}
    first = acquire_domain(tmp_path / "s1_a", tmp_path / "out", quick, quiet=True, device="cpu")
    stamp = first[0].stat().st_mtime_ns
    acquire_domain(tmp_path / "s1_a", tmp_path / "out", quick, quiet=True, device="cpu")
    assert first[0].stat().st_mtime_ns == stamp  # done already
    channel = tmp_path / "s1_a" / "CH003.daq"
    channel.write_bytes(channel.read_bytes()[:-2] + b"\x05\x00")
    acquire_domain(tmp_path / "s1_a", tmp_path / "out", quick, quiet=True, device="cpu")
    assert first[0].stat().st_mtime_ns != stamp  # another recording


def test_a_folder_is_inspected_and_asks_for_what_it_lacks(tmp_path):
    write_daq(tmp_path / "a", rf()[:, 0])
    found = inspect(tmp_path / "a")
    assert set(found.missing) == {"sampling_frequency", "centre_frequency", "frame_rate", "element_x"}
    assert "Ultrasonix DAQ" in str(found)
    with pytest.raises(FileError, match=r"give scan\.sampling_frequency in Hz; .*scan\.pitch"):
        acquire(tmp_path / "a", quiet=True)


def test_what_stands_beside_a_folder_is_heard(tmp_path):
    write_daq(tmp_path / "a", rf()[:, 0])
    told = f"sampling_frequency: {FS}\ncentre_frequency: {FC}\nframe_rate: {RATE}\npitch: {PITCH}\n"
    (tmp_path / "a.yaml").write_text(told)
    given = complete(open_recording(tmp_path / "a"))
    assert (given["frame_rate"].value, given["frame_rate"].origin) == (RATE, "sidecar (a.yaml)")


def test_frames_of_several_angles_take_turns(tmp_path):
    data = echoes(tuple(TILTS))
    write_daq(tmp_path / "a", data.reshape(FRAMES * 3, -1, ELEMENTS))
    content = open_recording(tmp_path / "a", SCAN.model_copy(update={"angles": tuple(TILTS)}))
    assert np.array_equal(all_frames(content), data)
    with pytest.raises(FileError, match="no multiple of 5 waves"):
        open_recording(tmp_path / "a", SCAN.model_copy(update={"angles": (0.0,) * 5}))


@pytest.mark.parametrize("order", [None, WIRES], ids=["as numbered", "as wired"])
@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_128_channels_shows_in_the_echoes(tmp_path, order, seed):
    data = wide_echoes(seed)
    write_daq(tmp_path / "a", data, order)
    content = open_recording(tmp_path / "a", SCAN)
    assert np.array_equal(all_frames(content)[:, 0], data)
    assert complete(content)["axes"].origin.startswith("data (as numbered" if order is None else "data (wired")
    told = "channels" if order is None else "elements"
    content = open_recording(tmp_path / "a", SCAN.model_copy(update={"variable": told}))
    assert np.array_equal(all_frames(content)[:, 0], data)


def test_channels_of_noise_have_no_order(tmp_path):
    write_daq(tmp_path / "a", np.random.default_rng(0).normal(0, 100, (3, 200, 128)).astype(np.int16))
    with pytest.raises(FileError, match=r"as alike .* give scan\.variable channels or elements"):
        open_recording(tmp_path / "a", SCAN)


def lose(folder):
    (folder / "CH005.daq").unlink()


def cut(folder):
    path = folder / "CH005.daq"
    path.write_bytes(path.read_bytes()[:-20])


def mix(folder):
    head = np.array([15, 12, 128], "<i4").tobytes()
    (folder / "CH005.daq").write_bytes(head + np.zeros((12, 128), "<i2").tobytes())


def empty(folder):
    (folder / "CH005.daq").write_bytes(b"")


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lose, "has no CH005.daq"),
        (cut, "CH005.daq.* bytes, not of"),
        (mix, "other frames or samples"),
        (empty, "CH005"),
    ],
)
def test_a_broken_folder_is_refused_in_one_line(tmp_path, harm, says):
    write_daq(tmp_path / "a", rf()[:, 0])
    harm(tmp_path / "a")
    with pytest.raises(FileError, match=says) as error:
        open_recording(tmp_path / "a", SCAN)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("word", [{"axes": "frame sample element"}, {"content": "rf"}, {"buffer": 1}])
def test_a_folder_of_channels_needs_no_telling_where_things_are(tmp_path, word):
    write_daq(tmp_path / "a", rf()[:, 0])
    with pytest.raises(FileError, match=f"scan.{next(iter(word))} means nothing for a folder of channels"):
        open_recording(tmp_path / "a", SCAN.model_copy(update=word))


def test_any_other_folder_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(FileError, match="is a folder"):
        open_recording(tmp_path / "a")
    with pytest.raises(FileError, match="nothing that is read"):
        inspect(tmp_path / "a")
