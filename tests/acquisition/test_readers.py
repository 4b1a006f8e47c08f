"""Recordings of every format: the same scan read back from each, what is refused, and what is warned of."""

import functools
import json
import tempfile
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, shift

import myovivo
from myovivo.acquisition.acquire import acquire
from myovivo.acquisition.beamform import beamform
from myovivo.acquisition.channel_data import ChannelData
from myovivo.acquisition.content import AXES, CHANNEL_AXES, PARTS, Content, axes_of
from myovivo.acquisition.demodulate import demodulate
from myovivo.acquisition.formats import format_of
from myovivo.acquisition.inspection import inspect
from myovivo.acquisition.parameters import complete
from myovivo.acquisition.recordings import open_recording
from myovivo.acquisition.settings import Scan
from myovivo.errors import FileError, InputError, RecordingWarning
from myovivo.sequences.recording import Recording
from myovivo.sequences.sequence import Sequence

# One small scan: 24 frames of 128 samples from 16 elements, 3.1 to 8 mm deep.
FS, FC, RATE, PITCH, C, T0 = 20e6, 5e6, 1000.0, 0.3e-3, 1540.0, 4e-6
FRAMES, SAMPLES, ELEMENTS = 24, 128, 16
X = (np.arange(ELEMENTS) - (ELEMENTS - 1) / 2) * PITCH
SPEED = 0.01  # m/s towards the probe
QUICK = {
    "conditioning.band": None,
    "output.frame_rate": None,
    "output.rows": 8,
    "output.columns": 8,
    "velocity.axial_window": 0.001,
}
SCAN = {"sampling_frequency": FS, "centre_frequency": FC, "frame_rate": RATE, "pitch": PITCH, "start_time": T0}
PLAIN = {**QUICK, **{f"scan.{name}": value for name, value in SCAN.items()}}
TILTS = np.deg2rad([-10.0, 0.0, 10.0])
acquire_quietly = functools.partial(acquire, quiet=True, device="cpu")


@functools.cache
def echoes(angles=(0.0,), speed=SPEED, is_iq=False):
    """(T, W, S, E) of point scatterers under plane waves: int16 RF, or complex64 IQ at FC."""
    rng = np.random.default_rng(3)
    x, z0 = rng.uniform(-2.5e-3, 2.5e-3, 40), rng.uniform(3e-3, 8.5e-3, 40)
    strength = rng.standard_normal(40)
    found = np.zeros((FRAMES, len(angles), SAMPLES, ELEMENTS), complex)
    t = T0 + np.arange(SAMPLES)[:, None] / FS
    for frame in range(FRAMES):
        z = z0 - speed * frame / RATE
        for wave, angle in enumerate(angles):
            for one in range(len(x)):
                late = (z[one] * np.cos(angle) + x[one] * np.sin(angle) + np.hypot(z[one], x[one] - X)) / C
                found[frame, wave] += strength[one] * np.exp(
                    -(((t - late) / 0.2e-6) ** 2) - 2j * np.pi * FC * (late - T0)
                )
    if is_iq:
        return (1e3 * found).astype(np.complex64)
    return np.rint(1e3 * (found * np.exp(2j * np.pi * FC * (t - T0))).real).astype(np.int16)


def rf():
    return echoes()


def write_matlab73(path, variables):
    """HDF5 behind MATLAB's user block: axes reversed, structs as groups, scalars (1, 1), complex as pairs."""

    def put(group, name, value):
        if isinstance(value, dict):
            inner = group.create_group(name)
            inner.attrs["MATLAB_class"] = np.bytes_("struct")
            for key, one in value.items():
                put(inner, key, one)
            return
        value = np.atleast_2d(np.asarray(value)).T
        if value.dtype.kind == "c":
            part = value.real.dtype
            pairs = np.empty(value.shape, [("real", part), ("imag", part)])
            pairs["real"], pairs["imag"] = value.real, value.imag
            value = pairs
        group.create_dataset(name, data=value).attrs["MATLAB_class"] = np.bytes_("double")

    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            put(file, name, value)
    head = b"MATLAB 7.3 MAT-file".ljust(124, b" ") + b"\x00\x02IM"
    path.write_bytes(head.ljust(512, b"\x00") + path.read_bytes()[512:])


def must(data=None, name="RF", **changes):
    """Variables of the MUST layout; a change to None leaves a field out."""
    data = rf() if data is None else data
    waves = data.shape[1]
    matlab = data.transpose(2, 3, 1, 0)  # sample, element, wave, frame
    param = {"fs": FS, "fc": FC, "pitch": PITCH, "c": C, "t0": T0, "PRF": RATE * waves, "Nelements": ELEMENTS}
    param |= {"TXdelay": np.zeros((waves, ELEMENTS)), **changes}
    param = {key: value for key, value in param.items() if value is not None}
    return {name: matlab if waves > 1 else matlab[:, :, 0], "param": param}


# ------------------------------------------------------------------------- one scan in many files
# Each writes the scan and returns how it must be opened, and the first word of each parameter's origin.

FILE = dict.fromkeys(
    ("sampling_frequency", "centre_frequency", "frame_rate", "element_x", "start_time", "sound_speed", "angles"), "file"
)


def as_matlab5(path):
    scipy.io.savemat(path, must(), appendmat=False)
    return {}, FILE


def as_matlab73(path):
    write_matlab73(path, must())
    return {}, FILE


def as_gastrocnemius(path, data=None):
    data = rf() if data is None else data
    with h5py.File(path, "w") as file:
        for frame, waves in enumerate(data, 1):
            for shot, record in enumerate(waves, 1):
                file[f"data/rf_data/frame_{frame}/shot_{shot}"] = record.T  # element, sample
        file["data/fps"] = RATE
        file["hardware_params/f_sampling_hz"] = FS
        file["hardware_params/start_time"] = T0
        file["trans_params/f_central"] = FC
        file["trans_params/x_pitch"] = PITCH
    return {}, {**FILE, "sound_speed": "default", "angles": "default"}


def as_zea(path, data=None, delays=None):
    data = rf() if data is None else data
    frames, waves, _, elements = data.shape
    parts = np.stack([data.real, data.imag], -1) if np.iscomplexobj(data) else data[..., None]
    with h5py.File(path, "w") as file:
        file["data/raw_data"] = parts
        file["scan/sampling_frequency"] = FS
        file["scan/center_frequency"] = FC
        file["scan/initial_times"] = np.full(waves, T0)
        file["scan/t0_delays"] = np.zeros((waves, elements)) if delays is None else delays
        file["scan/time_to_next_transmit"] = np.full((frames, waves), 1 / RATE / waves)
        file["scan/sound_speed"] = C
        file["probe/probe_geometry"] = np.stack([X, 0 * X, 0 * X], 1)
        file["metadata/subject/id"] = "s5"
    return {}, FILE


def as_uff(path, data=None, angles=(0.0,), plane=True, **changes):
    uff = pytest.importorskip("pyuff_ustb", reason="pyuff-ustb is not installed")
    data = rf() if data is None else data
    probe = uff.LinearArray(N=ELEMENTS, pitch=PITCH, element_width=PITCH, element_height=5e-3)
    waves = [
        uff.Wave(
            wavefront=uff.Wavefront.plane if plane else uff.Wavefront.spherical,
            source=uff.Point(distance=np.inf if plane else 0.01, azimuth=angle, elevation=0.0),
            origin=uff.Point(distance=0.0, azimuth=0.0, elevation=0.0),
            probe=probe,
            sound_speed=C,
            delay=0.0,
        )
        for angle in angles
    ]
    told = {
        "data": data.transpose(2, 3, 1, 0),
        "sampling_frequency": FS,
        "initial_time": T0,
        "sound_speed": C,
        "modulation_frequency": 0.0,
        "sequence": waves if len(waves) > 1 else waves[0],  # a list of one is not read back by pyuff-ustb itself
        "probe": probe,
        "pulse": uff.Pulse(center_frequency=FC),
        "PRF": RATE * len(angles),
    } | changes
    channels = uff.ChannelData(**told)
    channels.write(str(path), "channel_data", overwrite=True, ignore_missing_compulsory_fields=True)
    return {}, FILE


WORDS = {**SCAN, "content": "rf", "axes": "frame sample element"}
SIDECAR = {**dict.fromkeys(FILE, "sidecar"), "sound_speed": "default", "angles": "default"}


def save_npy(path, array):
    with path.open("wb") as file:  # np.save would add an ending
        np.save(file, array)


def save_npz(path, **arrays):
    with path.open("wb") as file:
        np.savez(file, **arrays)


def as_npy_yaml(path):
    save_npy(path, rf()[:, 0])
    path.with_suffix(".yaml").write_text(yaml.safe_dump(WORDS))
    return {}, SIDECAR


def as_npy_json(path):
    save_npy(path, rf().transpose(3, 2, 0, 1))
    words = {**WORDS, "axes": "element sample frame wave", "angles": [0.0], "sound_speed": C}
    path.with_suffix(".json").write_text(json.dumps(words))
    return {}, dict.fromkeys(FILE, "sidecar")


def as_npz_mapping(path):
    # What a scanner might write: MHz, a period in place of a rate, positions with three columns.
    positions = np.stack([X + 0.01, 0 * X, 0 * X], 1)
    save_npz(path, echoes=rf()[:, 0].transpose(1, 2, 0), mhz=FC / 1e6, fs=FS, period=1 / RATE, where=positions)
    words = {
        "data": ["none", "echoes"],
        "content": "rf",
        "axes": "sample element frame",
        "sampling_frequency": "fs",
        "centre_frequency": {"at": "mhz", "times": 1.0e6},
        "frame_rate": ["rate", {"at": "period", "inverse": True}],
        "element_x": {"at": "where", "column": 0},
        "start_time": T0,
    }
    mapping = path.parent / "words.yaml"
    mapping.write_text(yaml.safe_dump(words))
    return {"mapping": mapping}, {**FILE, "start_time": "mapping", "sound_speed": "default", "angles": "default"}


def as_hdf5_mapping(path):
    with h5py.File(path, "w") as file:
        file["probe/samples"] = rf()[:, 0].transpose(2, 1, 0)
        file["setup/fs"] = np.array([[FS]])
        file["setup/prf"] = RATE
    mapping = path.parent / "words.json"
    words = {"data": "probe.samples", "content": "rf", "axes": "element sample frame", "pulse_rate": "setup.prf"}
    words |= {"sampling_frequency": "setup.fs", "centre_frequency": FC, "pitch": PITCH, "start_time": T0}
    mapping.write_text(json.dumps(words))
    constants = {"centre_frequency": "mapping", "element_x": "mapping", "start_time": "mapping"}
    return {"mapping": mapping}, {**FILE, **constants, "sound_speed": "default", "angles": "default"}


def as_npy_arguments(path):
    save_npy(path, rf()[:, 0])
    origins = dict.fromkeys(FILE, "argument") | {"sound_speed": "default", "angles": "default"}
    return {"scan": SCAN}, origins


WRITERS = [
    as_matlab5,
    as_matlab73,
    as_gastrocnemius,
    as_zea,
    as_uff,
    as_npy_yaml,
    as_npy_json,
    as_npz_mapping,
    as_hdf5_mapping,
    as_npy_arguments,
]


@functools.cache
def velocity_in_memory():
    scan = {"frame_rate": RATE, "sampling_frequency": FS, "centre_frequency": FC, "pitch": PITCH, "start_time": [T0]}
    channels = ChannelData.of_array(rf(), sound_speed=C, **{k: v for k, v in scan.items() if k != "start_time"})
    object.__setattr__(channels, "start_time", np.array([T0]))
    return acquire_quietly(channels, QUICK).velocity


def all_frames(content: Content, count=7):
    return np.concatenate(list(content.frames.blocks(AXES[content.kind], count)))


def test_the_simulated_echoes_move_as_they_should():
    assert np.median(velocity_in_memory()[4:-4, 1:-1, 1:-1]) == pytest.approx(SPEED, rel=0.03)


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.__name__[3:])
def test_the_same_scan_is_read_from_every_format(tmp_path, writer):
    path = tmp_path / "recording.dat"  # the ending says nothing
    how, origins = writer(path)
    content = open_recording(path, Scan(**how.get("scan", {})), how.get("mapping"))
    assert isinstance(content, Content)
    assert content.kind == "rf"
    frames = all_frames(content)
    assert frames.dtype == np.int16
    assert np.array_equal(frames, rf())
    found = complete(content)
    expected = {
        "sampling_frequency": FS,
        "centre_frequency": FC,
        "frame_rate": RATE,
        "sound_speed": C,
        "element_x": X,
        "start_time": T0,
        "angles": 0.0,
    }
    for name, value in expected.items():
        assert np.ravel(found[name].value) == pytest.approx(np.ravel(value), rel=1e-9, abs=1e-12), name
    assert set(found.pop("axes").value.split()) >= {"frame", "sample", "element"}
    assert {name: one.origin.split()[0].rstrip(":") for name, one in found.items()} == origins

    changes = {**QUICK, **{f"scan.{name}": value for name, value in how.get("scan", {}).items()}}
    with warnings.catch_warnings():
        warnings.simplefilter("error", RecordingWarning)  # a clean recording gives none
        sequence = acquire_quietly(path, changes, mapping=how.get("mapping"))
    assert np.abs(sequence.velocity - velocity_in_memory()).max() < 1e-6
    assert sequence.provenance["notes"] == []
    told = sequence.provenance["parameters"]
    assert {name: told[name]["origin"].split()[0].rstrip(":") for name in origins} == origins


FORMAT_NAMES = {
    as_matlab5: "matlab5",
    as_matlab73: "matlab73",
    as_gastrocnemius: "hdf5",
    as_uff: "uff",
    as_npy_yaml: "npy",
    as_npz_mapping: "npz",
}


@pytest.mark.parametrize("ending", ["dat", "mat", "npy", "h5", "mp4", "dcm"])
def test_no_ending_misleads(tmp_path, ending):
    path = tmp_path / f"recording.{ending}"
    for writer, name in FORMAT_NAMES.items():
        path.unlink(missing_ok=True)
        writer(path)
        assert format_of(path) == name


def test_arguments_replace_what_a_file_says_and_are_said_to(tmp_path):
    path = tmp_path / "a.mat"
    as_matlab5(path)
    scan = Scan(frame_rate=500.0, pitch=0.2e-3, sound_speed=1500.0)
    found = complete(open_recording(path, scan))
    assert (found["frame_rate"].value, found["frame_rate"].origin) == (500.0, "argument")
    assert (found["sound_speed"].value, found["sound_speed"].origin) == (1500.0, "argument")
    assert found["element_x"].value == pytest.approx(X / 1.5)
    assert found["element_x"].origin.startswith("argument")


def test_a_sidecar_wins_over_a_layout_and_a_mapping_over_both(tmp_path):
    path = tmp_path / "a.mat"
    as_matlab5(path)
    words = {**WORDS, "data": "RF", "axes": "sample element frame"}
    path.with_suffix(".yaml").write_text(yaml.safe_dump({**words, "frame_rate": 700.0}))
    assert complete(open_recording(path))["frame_rate"].value == 700.0
    mapping = tmp_path / "b.yaml"
    mapping.write_text(yaml.safe_dump({**words, "frame_rate": 800.0}))
    assert complete(open_recording(path, None, mapping))["frame_rate"].value == 800.0


def test_one_of_several_arrays_is_chosen_by_name(tmp_path):
    path = tmp_path / "two.npz"
    save_npz(path, a=rf()[:, 0], b=2 * rf()[:, 0])
    content = open_recording(path, Scan(**SCAN, variable="b"))
    assert np.array_equal(all_frames(content), 2 * rf())


def test_naming_the_array_keeps_the_layouts_parameters(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {**must(), "SIG": 2 * must()["RF"]})
    content = open_recording(tmp_path / "a.mat", Scan(variable="SIG"))
    assert np.array_equal(all_frames(content), 2 * rf())
    assert complete(content)["sampling_frequency"].value == FS


def test_a_sidecar_adds_what_a_layout_misses(tmp_path):
    path, _ = must_file(PRF=None)(tmp_path)
    path.with_suffix(".yaml").write_text(f"frame_rate: {RATE}\n")
    found = complete(open_recording(path))
    assert (found["frame_rate"].value, found["frame_rate"].origin) == (RATE, "sidecar (a.yaml)")
    assert found["sampling_frequency"].value == FS


def test_the_first_name_that_is_there_tells_the_content(tmp_path):
    save_npz(tmp_path / "a.npz", echoes=rf()[:, 0])
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({"data": ["none", "echoes"]}))
    assert np.array_equal(all_frames(open_recording(tmp_path / "a.npz", Scan(**SCAN))), rf())


def test_axes_may_be_a_list_of_words(tmp_path):
    path, _ = sidecar_file({"axes": ["frame", "sample", "element"]})(tmp_path)
    assert np.array_equal(all_frames(open_recording(path)), rf())


def test_a_sidecar_tells_the_subject(tmp_path):
    path, _ = sidecar_file({"subject": "p7"})(tmp_path)
    assert acquire_quietly(path, QUICK).subject == "p7"


def test_zeas_rf_may_have_no_demodulation_frequency(tmp_path):
    as_zea(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["scan/demodulation_frequency"] = 0.0
    assert complete(open_recording(tmp_path / "a.h5"))["centre_frequency"].value == FC


def test_a_file_mapped_into_memory_is_read_without_a_warning_of_torch(tmp_path):
    save_npy(tmp_path / "a.npy", rf()[:, 0])
    torch.set_warn_always(True)  # else it warns once per process
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            acquire_quietly(tmp_path / "a.npy", PLAIN)
    finally:
        torch.set_warn_always(False)


def test_a_big_endian_recording_is_computed_with(tmp_path):
    save_npy(tmp_path / "a.npy", rf()[:, 0].astype(">i2"))
    found = acquire_quietly(tmp_path / "a.npy", PLAIN).velocity
    assert np.abs(found - velocity_in_memory()).max() < 1e-6


def test_a_file_with_an_empty_variable_beside_is_read(tmp_path):
    as_gastrocnemius(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["comment"] = h5py.Empty("f")
    assert complete(open_recording(tmp_path / "a.h5"))["frame_rate"].value == RATE
    assert "frames" in str(inspect(tmp_path / "a.h5"))


@pytest.mark.parametrize("number", ["20e6", "20.0e6", "2e+7", "20_000_000", "20.0e+6"])
def test_numbers_are_numbers_however_yaml_takes_them(tmp_path, number):
    # YAML 1.1 takes 20e6 as text: it wants 20.0e+6.
    path = tmp_path / "a.npy"
    save_npy(path, rf()[:, 0])
    words = {name: value for name, value in WORDS.items() if name != "sampling_frequency"}
    path.with_suffix(".yaml").write_text(yaml.safe_dump(words) + f"sampling_frequency: {number}\n")
    assert complete(open_recording(path))["sampling_frequency"].value == FS


def test_a_factor_is_a_number_however_yaml_takes_it(tmp_path):
    path, mapping = tmp_path / "a.npz", tmp_path / "m.yaml"
    save_npz(path, data=rf()[:, 0], mhz=FC / 1e6)
    words = {name: value for name, value in WORDS.items() if name != "centre_frequency"}
    mapping.write_text(yaml.safe_dump(words) + "centre_frequency: {at: mhz, times: 1e6}\n")
    assert complete(open_recording(path, None, mapping))["centre_frequency"].value == FC


def test_numbered_arrays_stack_in_the_order_of_their_numbers(tmp_path):
    path, mapping = tmp_path / "a.h5", tmp_path / "m.yaml"
    with h5py.File(path, "w") as file:
        for number, frame in enumerate(rf()[:, 0]):
            file[f"shot{number}"] = frame
    mapping.write_text(yaml.safe_dump({**WORDS, "data": "shot*"}))
    assert np.array_equal(all_frames(open_recording(path, None, mapping)), rf())


@pytest.mark.parametrize("name", ["a.rf", "a/rf", "hard.rf", "soft"])
def test_arrays_of_hdf5_go_by_path_or_dots_and_through_links(tmp_path, name):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a/rf"] = rf()[:, 0]
        file["hard/rf"], file["soft"] = file["a/rf"], h5py.SoftLink("/a/rf")
    assert np.array_equal(all_frames(open_recording(tmp_path / "a.h5", Scan(**SCAN, variable=name))), rf())


@pytest.mark.parametrize("writer", ["v5", "v7.3"])
def test_an_empty_field_of_matlab_is_as_none(tmp_path, writer):
    path = tmp_path / "a.mat"
    if writer == "v5":
        scipy.io.savemat(path, must(t0=np.zeros((0, 0))))
    else:
        write_matlab73(path, must(t0=None))
        with h5py.File(path, "a") as file:  # MATLAB stores the size of what is empty
            file["param"].create_dataset("t0", data=np.zeros(2, np.uint64)).attrs["MATLAB_empty"] = 1
    start = complete(open_recording(path))["start_time"]
    assert (float(start.value), start.origin) == (0.0, "default")


def test_a_name_without_a_number_among_numbered_ones_is_no_traceback(tmp_path):
    path, mapping = tmp_path / "a.h5", tmp_path / "m.yaml"
    with h5py.File(path, "w") as file:
        for name in ("shot1", "shot2", "shot_mean"):
            file[name] = rf()[0, 0]
    mapping.write_text(yaml.safe_dump({**WORDS, "data": "shot*"}))
    assert open_recording(path, None, mapping).shape == (3, 1, SAMPLES, ELEMENTS)


# ------------------------------------------------------------------------------------------ IQ


def iq():
    return echoes(is_iq=True)


def iq_matlab73(path):
    write_matlab73(path, must(iq(), "IQ"))


def iq_matlab5(path):
    scipy.io.savemat(path, must(iq(), "IQ"), appendmat=False)


def iq_zea(path):
    as_zea(path, iq())


def iq_uff(path):
    as_uff(path, iq(), modulation_frequency=FC)


@pytest.mark.parametrize("writer", [iq_matlab73, iq_matlab5, iq_zea, iq_uff])
def test_channel_iq_is_read_from_every_format(tmp_path, writer):
    path = tmp_path / "a.dat"
    writer(path)
    content = open_recording(path)
    assert content.kind == "channel_iq"
    assert np.array_equal(all_frames(content), iq())
    assert complete(content)["centre_frequency"].value == FC
    velocity = acquire_quietly(path, QUICK).velocity
    assert np.median(velocity[4:-4, 1:-1, 1:-1]) == pytest.approx(SPEED, rel=0.03)


def test_an_analytic_signal_in_uff_is_rf(tmp_path):
    # No modulation: the imaginary part is the Hilbert transform, and the real one the RF.
    as_uff(tmp_path / "a.uff", (rf() + 1j * rf()[::-1]).astype(np.complex64))
    content = open_recording(tmp_path / "a.uff")
    assert content.kind == "rf"
    assert np.array_equal(all_frames(content), rf())


@functools.cache
def beamformed():
    scan = {"frame_rate": RATE, "sampling_frequency": FS, "centre_frequency": FC, "pitch": PITCH}
    channels = ChannelData.of_array(rf(), start_time=np.array([T0]), **scan)
    recording = beamform(channels, QUICK, device="cpu")
    return recording, recording.iq


def save_iq_npz(path, frames=None, **changes):
    recording, values = beamformed()
    values = values if frames is None else frames
    (dz, dx), (_, rows, columns) = recording.spacing, recording.shape
    depth, lateral = 3e-3 + dz * np.arange(rows), dx * (np.arange(columns) - columns / 2)
    save_npz(path, frames=values.transpose(1, 2, 0), depth=depth, lateral=lateral)
    words = {
        "data": "frames",
        "content": "iq",
        "axes": "depth lateral frame",
        "depth_axis": "depth",
        "lateral_axis": "lateral",
        "frame_rate": RATE,
        "centre_frequency": FC,
        **changes,
    }
    path.with_suffix(".yaml").write_text(yaml.safe_dump(words))


def test_beamformed_iq_takes_its_spacing_from_its_axes(tmp_path):
    recording, values = beamformed()
    save_iq_npz(tmp_path / "a.npz")
    content = open_recording(tmp_path / "a.npz")
    assert content.kind == "iq"
    assert np.array_equal(all_frames(content), values)
    found = complete(content)
    assert found["spacing"].value == pytest.approx(recording.spacing, rel=1e-9)
    assert found["spacing"].origin == "file (depth), file (lateral)"
    assert np.abs(acquire_quietly(tmp_path / "a.npz", QUICK).velocity - velocity_in_memory()).max() < 1e-6


def test_beamformed_iq_in_npy_with_a_sidecar(tmp_path):
    recording, values = beamformed()
    save_npy(tmp_path / "a.npy", np.stack([values.real, values.imag], 1))
    words = {"content": "iq", "axes": "frame parts depth lateral", "frame_rate": RATE, "centre_frequency": FC}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({**words, "spacing": list(recording.spacing)}))
    assert np.array_equal(all_frames(open_recording(tmp_path / "a.npy")), values)
    assert np.abs(acquire_quietly(tmp_path / "a.npy", QUICK).velocity - velocity_in_memory()).max() < 1e-6


def test_sign_conjugates_iq(tmp_path):
    save_iq_npz(tmp_path / "a.npz", beamformed()[1].conj(), sign=-1)
    assert np.abs(acquire_quietly(tmp_path / "a.npz", QUICK).velocity - velocity_in_memory()).max() < 1e-6


def test_sign_conjugates_channel_iq(tmp_path):
    save_npy(tmp_path / "a.npy", iq()[:, 0].conj())
    velocity = acquire_quietly(tmp_path / "a.npy", {**PLAIN, "scan.sign": -1}).velocity
    assert np.median(velocity[4:-4, 1:-1, 1:-1]) == pytest.approx(SPEED, rel=0.03)


def test_sign_flips_velocity(tmp_path):
    values = 0.01 * np.random.default_rng(0).standard_normal((30, 8, 8)).astype(np.float32)
    save_npy(tmp_path / "a.npy", values)
    changes = {**QUICK, "conditioning.median": 0, "scan.frame_rate": 100.0, "scan.spacing": (1e-3, 1e-3)}
    kept = acquire_quietly(tmp_path / "a.npy", changes).velocity
    flipped = acquire_quietly(tmp_path / "a.npy", {**changes, "scan.sign": -1}).velocity
    assert np.allclose(kept, values, atol=1e-6)
    assert np.array_equal(flipped, -kept)


# --------------------------------------------------------------------------------- several waves


def delays_of(angles):
    delays = np.sin(np.asarray(angles))[:, None] * X / C
    return delays - delays.min(1, keepdims=True)  # none before the trigger


def tilted_matlab5(path):
    data = echoes(tuple(TILTS))
    scipy.io.savemat(path, must(data, TXdelay=delays_of(TILTS)), appendmat=False)


def tilted_matlab73(path):
    write_matlab73(path, must(echoes(tuple(TILTS)), TXdelay=delays_of(TILTS)))


def tilted_zea(path):
    as_zea(path, echoes(tuple(TILTS)), delays_of(TILTS))


@pytest.mark.parametrize("writer", [tilted_matlab5, tilted_matlab73, tilted_zea])
def test_angles_and_start_follow_from_the_delays_of_tilted_waves(tmp_path, writer):
    path = tmp_path / "a.dat"
    writer(path)
    content = open_recording(path)
    assert np.array_equal(all_frames(content), echoes(tuple(TILTS)))
    found = complete(content)
    assert found["angles"].value == pytest.approx(TILTS, abs=1e-6)
    # Samples count from the first element to fire; the wave is at the middle of the array half a sweep later.
    assert found["start_time"].value == pytest.approx(T0 - np.abs(np.sin(TILTS)) * X[-1] / C, abs=1e-10)
    assert found["frame_rate"].value == pytest.approx(RATE)


def test_tilted_waves_compound_to_the_same_velocity(tmp_path):
    data = echoes(tuple(TILTS))
    late = delays_of(TILTS).mean(1)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["rf"], file["delays"], file["start"] = data, delays_of(TILTS), T0 + late
    words = {**SCAN, "content": "rf", "axes": "frame wave sample element", "data": "rf", "start_time": "start"}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({**words, "transmit_delays": "delays"}))
    found = complete(open_recording(tmp_path / "a.h5"))
    assert found["start_time"].value == pytest.approx(np.full(3, T0), abs=1e-10)
    velocity = acquire_quietly(tmp_path / "a.h5", QUICK).velocity
    assert np.median(velocity[4:-4, 1:-1, 1:-1]) == pytest.approx(SPEED, rel=0.03)


def test_uff_tells_the_angle_of_each_wave(tmp_path):
    as_uff(tmp_path / "a.uff", echoes(tuple(TILTS)), tuple(TILTS))
    content = open_recording(tmp_path / "a.uff")
    found = complete(content)
    assert np.array_equal(all_frames(content), echoes(tuple(TILTS)))
    assert found["angles"].value == pytest.approx(TILTS)
    assert found["start_time"].value == pytest.approx(np.full(3, T0))
    assert found["frame_rate"].value == pytest.approx(RATE)
    velocity = acquire_quietly(tmp_path / "a.uff", QUICK).velocity
    assert np.median(velocity[4:-4, 1:-1, 1:-1]) == pytest.approx(SPEED, rel=0.03)


def test_shots_of_a_frame_are_its_waves(tmp_path):
    path = tmp_path / "a.h5"
    as_gastrocnemius(path, echoes(tuple(TILTS)))
    content = open_recording(path)
    assert np.array_equal(all_frames(content, 5), echoes(tuple(TILTS)))
    with pytest.raises(InputError, match=r"3 waves per frame need as many angles; give scan\.angles"):
        complete(content)


def test_angles_given_as_an_argument_are_radians(tmp_path):
    path = tmp_path / "a.h5"
    as_gastrocnemius(path, echoes(tuple(TILTS)))
    velocity = acquire_quietly(path, {**QUICK, "scan.angles": tuple(TILTS)}).velocity
    assert np.median(velocity[4:-4, 1:-1, 1:-1]) == pytest.approx(SPEED, rel=0.03)


def test_the_pulse_rate_is_shared_by_the_waves(tmp_path):
    tilted_matlab5(tmp_path / "a.mat")
    found = complete(open_recording(tmp_path / "a.mat", Scan(pulse_rate=6000.0)))["frame_rate"]
    assert (found.value, found.origin) == (2000.0, "argument, over 3 waves")


def test_a_start_given_as_an_argument_counts_from_the_middle_of_the_array(tmp_path):
    # The file counts from the first element that fires, the argument from the wave at the middle.
    tilted_matlab5(tmp_path / "a.mat")
    found = complete(open_recording(tmp_path / "a.mat", Scan(start_time=5e-6)))["start_time"]
    assert np.ravel(found.value) == pytest.approx(5e-6, abs=1e-12)


def test_angles_given_as_an_argument_leave_the_start_to_the_delays(tmp_path):
    tilted_matlab5(tmp_path / "a.mat")
    content = open_recording(tmp_path / "a.mat", Scan(angles=(-10.0, 0.0, 10.0)))
    start = np.ravel(complete(content)["start_time"].value)
    assert start == pytest.approx(T0 - np.abs(np.sin(TILTS)) * X[-1] / C, abs=1e-10)


# --------------------------------------------------------------------------------------- DICOM

PIXEL, VIDEO_RATE, REGION = 0.1e-3, 50.0, (8, 72, 4, 84)


def write_dicom(path, kind="grey", frames=50, **changes):
    """A speckle pattern in a region of a still picture that oscillates by two pixels at 10 Hz."""
    pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed")
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    z0, z1, x0, x1 = REGION
    pattern = gaussian_filter(np.random.default_rng(0).standard_normal((z1 - z0 + 40, x1 - x0)), 2)
    pattern = (pattern - pattern.min()) / np.ptp(pattern) * 255
    pictures = np.full((frames, 80, 90), 40, np.uint8)
    for frame, down in enumerate(2 * np.sin(2 * np.pi * 10 * np.arange(frames) / VIDEO_RATE)):
        pictures[frame, z0:z1, x0:x1] = shift(pattern, (down, 0), order=3, mode="nearest")[20:-20].clip(0, 255)

    head = Dataset()
    head.file_meta = FileMetaDataset()
    head.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    head.file_meta.MediaStorageSOPClassUID = head.SOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    head.file_meta.MediaStorageSOPInstanceUID = head.SOPInstanceUID = generate_uid()
    head.PatientID, head.Modality, head.NumberOfFrames, head.FrameTime = "p3", "US", frames, 1e3 / VIDEO_RATE
    head.Rows, head.Columns = pictures.shape[1:]
    head.SamplesPerPixel, head.PhotometricInterpretation, head.PixelRepresentation = 1, "MONOCHROME2", 0
    stored = pictures
    if kind in ("rgb", "ybr"):
        stored = np.repeat(pictures[..., None], 3, -1)
        head.SamplesPerPixel, head.PhotometricInterpretation, head.PlanarConfiguration = 3, "RGB", 0
        if kind == "ybr":
            head.PhotometricInterpretation = "YBR_FULL"
            stored = pydicom.pixels.convert_color_space(stored, "RGB", "YBR_FULL")
    bits = {"12 bit": 12, "16 bit": 16}.get(kind, 8)
    if bits > 8:
        stored = np.rint(pictures * ((2**bits - 1) / 255)).astype("<u2")
    head.BitsAllocated, head.BitsStored, head.HighBit = 8 if bits == 8 else 16, bits, bits - 1
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType = 1, 1
    region.RegionLocationMinY0, region.RegionLocationMaxY1 = z0, z1 - 1
    region.RegionLocationMinX0, region.RegionLocationMaxX1 = x0, x1 - 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = PIXEL * 100
    head.SequenceOfUltrasoundRegions = [region]
    head.PixelData = stored.tobytes()
    for name, value in changes.items():
        where = region if name in region else head
        if value is None:
            delattr(where, name)
        else:
            setattr(where, name, value)
    head.save_as(path, enforce_file_format=True)
    return pictures


DICOM = {**QUICK, "conditioning.band": (5, 20)}


@pytest.mark.parametrize(
    "kind",
    [
        "grey",
        "rgb",
        "ybr",
        "16 bit",
        pytest.param("12 bit"),
    ],
)
def test_the_pictures_of_a_dicom_are_read(tmp_path, kind):
    path = tmp_path / "a.dat"
    pictures = write_dicom(path, kind, frames=9)
    content = open_recording(path)
    assert content.kind == "bmode"
    assert np.abs(all_frames(content, 4).astype(int) - pictures).max() <= 2
    found = complete(content)
    assert found["frame_rate"].value == pytest.approx(VIDEO_RATE)
    assert found["spacing"].value == pytest.approx((PIXEL, PIXEL))
    assert found["crop"].value == REGION
    assert found["crop"].origin.startswith("file")


@pytest.mark.parametrize("kind", ["grey", "rgb"])
def test_motion_in_a_dicom_is_measured_back(tmp_path, kind):
    path = tmp_path / "a.dcm"
    write_dicom(path, kind)
    sequence = acquire_quietly(path, DICOM)
    assert sequence.subject == path.stem  # not the header's, which may be a name, or the same for everybody
    assert sequence.shape == (49, 8, 8)
    assert sequence.spacing == pytest.approx((64 * PIXEL / 8, 80 * PIXEL / 8))
    # Frame t is the motion from t to t + 1; down in the picture is away from the probe, so negative.
    moved = 2 * np.sin(2 * np.pi * 10 * np.arange(50) / VIDEO_RATE)
    expected = (-np.diff(moved) * PIXEL * VIDEO_RATE)[12:-12]
    found = sequence.velocity[12:-12, 2:-2, 2:-2].mean((1, 2))
    assert np.dot(found, expected) / np.dot(expected, expected) == pytest.approx(1, abs=0.05)


def test_the_frame_times_of_a_dicom_tell_of_a_gap(tmp_path):
    steps = [0.0] + [20.0] * 49
    steps[30] = 60.0
    write_dicom(tmp_path / "a.dcm", FrameTime=None, FrameTimeVector=steps)
    assert complete(open_recording(tmp_path / "a.dcm"))["frame_rate"].value == pytest.approx(VIDEO_RATE)
    with pytest.warns(RecordingWarning, match=r"2 frames are missing by the time stamps \(after frame 29\)"):
        acquire_quietly(tmp_path / "a.dcm", DICOM)


def test_settings_replace_what_a_dicom_says(tmp_path):
    write_dicom(tmp_path / "a.dcm", frames=9)
    said = inspect(tmp_path / "a.dcm", {"video.pixel": 2e-4, "video.frame_rate": 25.0, "video.crop": (0, 40, 0, 40)})
    assert said.parameters["spacing"].value == (2e-4, 2e-4)
    assert said.parameters["frame_rate"].value == 25.0
    assert said.parameters["crop"].value == (0, 40, 0, 40)


# ------------------------------------------------------------------------------------ bad input
# Each writes a file into a folder and returns it, with what else `acquire` is given.


def must_file(**changes):
    def write(folder):
        scipy.io.savemat(folder / "a.mat", must(**changes))
        return folder / "a.mat", {}

    return write


def npy_file(array, /, **changes):
    def write(folder):
        save_npy(folder / "a.npy", array() if callable(array) else array)
        words = {**PLAIN, **changes}
        if (kind := changes.get("scan.content")) in ("iq", "bmode", "velocity"):  # which have no channels
            left_out = {"scan.sampling_frequency", "scan.pitch", "scan.start_time"}
            left_out |= {"scan.centre_frequency"} if kind != "iq" else set()
            words = {name: value for name, value in words.items() if name not in left_out}
        return folder / "a.npy", words

    return write


def sidecar_file(text, array=None):
    """A text, or words to change in a sidecar; None leaves one out."""

    def write(folder):
        save_npy(folder / "a.npy", rf()[:, 0] if array is None else array)
        words = text
        if not isinstance(text, str):
            words = yaml.safe_dump({name: value for name, value in {**WORDS, **text}.items() if value is not None})
        (folder / "a.yaml").write_text(words)
        return folder / "a.npy", {}

    return write


def mapping_file(text, wanted="words.yaml"):
    """A mapping beside a NPZ of one array `data`."""

    def write(folder):
        save_npz(folder / "a.npz", data=rf()[:, 0])
        words = text if isinstance(text, str) else yaml.safe_dump({**WORDS, **text})
        (folder / "words.yaml").write_text(words)
        return folder / "a.npz", {"mapping": folder / wanted}

    return write


def cut_file(writer, keep=0.5):
    def write(folder):
        path = folder / "a.dat"
        made = writer(path)
        how = made[0] if isinstance(made, tuple) else {}
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
        return path, how

    return write


def made_by(writer, ending="dat", **changes):
    def write(folder):
        writer(folder / f"a.{ending}")
        return folder / f"a.{ending}", {**QUICK, **changes}

    return write


def unknown_mat(folder):
    scipy.io.savemat(folder / "a.mat", {"left": rf()[:, 0], "right": rf()[:, 0], "n": 3})
    return folder / "a.mat", {}


def swapped_axes(folder):
    save_npz(folder / "a.npz", data=rf()[:, 0], x=X)
    words = {name: value for name, value in WORDS.items() if name != "pitch"}
    (folder / "m.yaml").write_text(yaml.safe_dump({**words, "axes": "frame element sample", "element_x": "x"}))
    return folder / "a.npz", {"mapping": folder / "m.yaml"}


def empty(folder):
    (folder / "a.mat").touch()
    return folder / "a.mat", {}


def directory(folder):
    (folder / "a.mat").mkdir()
    return folder / "a.mat", {}


def sequence_file(folder):
    Sequence(np.zeros((4, 4, 4), np.float32), 100.0, (1e-3, 1e-3)).save(folder / "a.h5")
    return folder / "a.h5", {}


def uff_without_data(path):
    as_uff(path)
    with h5py.File(path, "a") as file:
        del file["channel_data/data"]


def uneven_frames(path):
    as_gastrocnemius(path)
    with h5py.File(path, "a") as file:
        del file["data/rf_data/frame_5/shot_1"]
        file["data/rf_data/frame_5/shot_1"] = rf()[0, 0, :-3].T


def cells(path):
    parts = np.empty(2, object)
    parts[0], parts[1] = rf()[0, 0], rf()[0, 0, :-1]
    scipy.io.savemat(path, {**must(), "RF": parts}, appendmat=False)


def plain_zip(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("letter.txt", "no arrays here")


def floats(value, *, everywhere=False):
    data = rf()[:, 0].astype(np.float32)
    data[... if everywhere else (5, 60, 3)] = value
    return data


def nan_iq(path):
    values = beamformed()[1].copy()
    values[5, 3, 3] = np.nan
    save_iq_npz(path, values)


FOCUS = (np.hypot(X, 0.01).max() - np.hypot(X, 0.01))[None] / C
ZIGZAG = np.where(np.arange(ELEMENTS) % 2, 0.0, 0.4e-6)[None]
HALF_DEAD = np.where(np.arange(ELEMENTS) < 8, np.nan, 0.0)[None]  # as MUST marks elements that do not fire
COMPLEX = np.ones((24, 32, 32), np.complex64)
BMODE = {"scan.content": "bmode", "scan.spacing": (1e-4, 1e-4)}


BAD = {
    "missing fc": (
        must_file(fc=None),
        r"centre_frequency is missing \(looked for param.fc or param.f0\): give",
    ),
    "missing PRF": (must_file(PRF=None), r"frame_rate is missing .*: .*scan.pulse_rate \(PRF\)"),
    "missing pitch": (must_file(pitch=None), "element_x is missing .*: give scan.pitch"),
    "two things missing": (must_file(fs=None, fc=None), "sampling_frequency is missing.*centre_frequency is missing"),
    "negative fs": (must_file(fs=-FS), r"sampling_frequency must be positive, in Hz, got -2e\+07"),
    "several fs": (must_file(fs=[FS, 2 * FS]), "sampling_frequency must be one finite number"),
    "text for a number": (must_file(fs="fast"), "param.fs should be numbers"),
    "waves of no source": (must_file(TXdelay=ZIGZAG), "no plane, diverging or focused wave: the nearest is .* us off"),
    "delays of fewer elements": (must_file(TXdelay=np.zeros((1, 12))), "describes 12 elements but the data has 16"),
    "delays in microseconds": (must_file(TXdelay=1e6 * delays_of([0.1])), "delays|faster|steer"),
    "a cell array": (made_by(cells), "RF|arrays|numbers"),
    "swapped axes": (swapped_axes, "describes 16 elements but the data has 128; samples and elements look swapped"),
    "an unknown mat": (unknown_mat, r"no layout fits.*scan\.variable.*left \(24, 128, 16\), right"),
    "a wrong variable": (npy_file(rf()[:, 0], **{"scan.variable": "b"}), "there is no array b; arrays in it: data"),
    "a cut MATLAB v5": (cut_file(as_matlab5), "not a readable MATLAB file .*cut short"),
    "a cut MATLAB v7.3": (cut_file(as_matlab73), "truncated"),
    "a cut HDF5": (cut_file(as_gastrocnemius), "truncated"),
    "a cut NPY": (cut_file(as_npy_yaml), "not a readable NPY file"),
    "a cut NPZ": (cut_file(as_npz_mapping), "not a readable NPZ file"),
    "a cut UFF": (cut_file(as_uff), "truncated"),
    "a UFF without data": (made_by(uff_without_data), "UFF"),
    "a cut DICOM": (cut_file(write_dicom), "decoded|not a readable DICOM"),
    "a DICOM cut in its head": (cut_file(write_dicom, 0.0009), "not a readable DICOM"),
    "a DICOM picture": (made_by(lambda path: write_dicom(path, frames=1)), "a DICOM of 1 frame"),
    "a DICOM without a region's place": (
        made_by(lambda path: write_dicom(path, RegionLocationMinX0=None)),
        "region|DICOM",
    ),
    "a DICOM without a scale": (
        made_by(lambda path: write_dicom(path, SequenceOfUltrasoundRegions=None)),
        "give video.pixel",
    ),
    "an empty file": (empty, "is empty"),
    "a directory": (directory, "folder|directory|is no file"),
    "no file": (lambda folder: (folder / "a.mat", {}), "does not exist"),
    "a zip of something else": (made_by(plain_zip), "NPZ|arrays"),
    "a sequence": (sequence_file, "is a TVI sequence already"),
    "no mapping": (mapping_file({}, "gone.yaml"), "gone.yaml: does not exist"),
    "an unknown word": (mapping_file({"fs": 1.0}), "words.yaml: there is no word 'fs' in a mapping"),
    "bad content": (mapping_file({"content": "sound"}), "words.yaml: content must be one of rf"),
    "a list of contents": (mapping_file({"content": ["rf"]}), "words.yaml: content must be one of rf"),
    "a number of axes": (mapping_file({"axes": 5}), "axes"),
    "a number for a name": (mapping_file({"data": 5}), "data"),
    "an unknown axis": (mapping_file({"axes": "frame depths element"}), "axes are words of .* got 'depths'"),
    "a wrong number of axes": (mapping_file({"axes": "frame element"}), r"name 2 axes .* \(24, 128, 16\)"),
    "a repeated axis": (mapping_file({"axes": "frame frame element"}), "must not repeat"),
    "axes of images for channels": (mapping_file({"axes": "frame depth lateral"}), "channel RF has axes"),
    "an array that is not there": (mapping_file({"data": "rf"}), "there is no array rf; arrays in it: data"),
    "a pattern in an NPZ": (mapping_file({"data": "dat*"}), r"name 3 axes .* \(1, 24, 128, 16\)"),
    "a list for a mapping": (mapping_file("- 1\n- 2\n"), "must hold `word: value` lines, got list"),
    "words that are no text": (mapping_file("1: 2\nfoo: 3\n"), "there is no word"),
    "broken YAML": (mapping_file("a: [1,\n"), "not readable YAML"),
    "a list for a sidecar": (sidecar_file("- 1\n- 2\n"), "a.yaml: must hold `word: value` lines, got list"),
    "an endless value": (sidecar_file({"centre_frequency": float("inf")}), "must be a finite number"),
    "a place without a name": (sidecar_file({"centre_frequency": {"times": 2}}), "a place is {at: name"),
    "three spacings": (
        sidecar_file({"content": "velocity", "axes": "frame depth lateral", "spacing": [1.0, 1.0, 1.0]}),
        "spacing",
    ),
    "a sign of two": (
        sidecar_file({"content": "velocity", "axes": "frame depth lateral", "spacing": 1e-3, "sign": 2}),
        "sign",
    ),
    "frame times that fall": (
        sidecar_file({"frame_rate": None, "frame_times": list(range(24, 0, -1))}),
        "frame times must ascend",
    ),
    "frame times of another number": (
        sidecar_file({"frame_rate": None, "frame_times": [0.0, 0.001, 0.002]}),
        "frame time",
    ),
    "one frame time": (sidecar_file({"frame_rate": None, "frame_times": 0.1}), "frame time"),
    "NaN": (npy_file(floats(np.nan)), "the frames must be finite"),
    "NaN in beamformed IQ": (made_by(nan_iq, "npz"), "finite"),
    "nothing but zeros": (npy_file(floats(0.0, everywhere=True)), "all frames are zero throughout"),
    "no samples": (npy_file(np.zeros((24, 0, 16), np.int16)), "samples|empty|at least"),
    "text for samples": (npy_file(np.full((24, 128, 16), "a")), "number"),
    "truths for samples": (npy_file(rf()[:, 0] > 0), "number|bool"),
    "complex velocity": (
        npy_file(COMPLEX, **{"scan.content": "velocity", "scan.spacing": (1e-3, 1e-3)}),
        "velocity must be a real array",
    ),
    "complex pictures": (npy_file(COMPLEX, **BMODE, **{"video.window": 5e-4}), "real|complex"),
    "real beamformed IQ": (
        npy_file(COMPLEX.real, **{"scan.content": "iq", "scan.spacing": (1e-3, 1e-3)}),
        "beamformed IQ must be complex",
    ),
    "real channel IQ": (npy_file(rf()[:, 0], **{"scan.content": "channel_iq"}), "must be complex"),
    "sampled onto its mirror image": (
        npy_file(rf()[:, 0], **{"scan.sampling_frequency": 2 * FC / 3}),
        "folds onto its own mirror image",
    ),
    "sampled at the centre": (npy_file(rf()[:, 0], **{"scan.sampling_frequency": FC}), "folds onto its own mirror"),
    "a band up to the mirror image": (
        npy_file(rf()[:, 0], **{"demodulation.half_band": 8e6}),
        "half-way to the mirror",
    ),
    "a depth beyond the record": (
        npy_file(rf()[:, 0], **{"beamforming.depth": (0.02, 0.04)}),
        "outside of the recorded",
    ),
    "a depth before the record": (
        npy_file(rf()[:, 0], **{"beamforming.depth": (0.0, 0.002)}),
        "outside of the recorded",
    ),
    "a width beside the array": (npy_file(rf()[:, 0], **{"beamforming.width": (0.01, 0.02)}), "lies beside the array"),
    "one frame": (npy_file(rf()[:1, 0]), "at least two frames, got 1"),
    "one frame of MATLAB": (made_by(lambda path: write_matlab73(path, must(rf()[:1])), "mat"), "frames|axes"),
    "frames of several sizes": (made_by(uneven_frames), "frame_5|shape|size"),
    "too many angles": (npy_file(rf()[:, 0], **{"scan.angles": (0.0, 5.0)}), "as many angles, got 2"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line(tmp_path, case):
    write, says = BAD[case]
    path, how = write(tmp_path)
    mapping = how.get("mapping")
    changes = {**QUICK, **{name: value for name, value in how.items() if "." in name}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nor is a warning of NumPy's what a user should see
        warnings.simplefilter("ignore", RecordingWarning)
        warnings.simplefilter("ignore", ResourceWarning)
        with pytest.raises(FileError, match=says) as error:
            acquire_quietly(path, changes, mapping=mapping)
    assert "\n" not in str(error.value)
    assert error.value.path.parent == tmp_path
    assert error.value.path.name in str(error.value)
    assert str(error.value).count(str(path)) <= 1


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"element_x": X[:-1]}, "the array has 15 elements but the data 16"),
        ({"element_x": X[::-1]}, "must ascend"),
        ({"pitch": -1.0}, "pitch must be positive"),
        ({"pitch": PITCH, "frame_rate": 0.0}, "frame_rate must be positive"),
        ({"pitch": PITCH, "angles": [0.0, 0.1]}, "1 waves per frame need as many angles, got 2"),
        ({"pitch": PITCH, "angles": [1.2]}, "less than 60 degrees"),
        ({"pitch": PITCH, "start_time": [np.nan]}, "start_time must be one finite number"),
        ({}, "say where the elements are"),
    ],
)
def test_channel_data_in_memory_are_checked(changes, says):
    scan = {"frame_rate": RATE, "sampling_frequency": FS, "centre_frequency": FC, **changes}
    with pytest.raises(InputError, match=says) as error:
        ChannelData.of_array(rf(), **scan)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (lambda: rf()[0, 0], "must be numbers"),
        (lambda: rf() > 0, "must be numbers"),
        (lambda: floats(np.inf), "finite"),
        (lambda: rf()[:, :, :4], "at least 2 elements and 8 samples"),
        (lambda: rf()[:1], "at least two frames"),
    ],
)
def test_arrays_that_are_no_channel_data_are_refused(data, says):
    with pytest.raises(InputError, match=says):
        ChannelData.of_array(data(), frame_rate=RATE, sampling_frequency=FS, centre_frequency=FC, pitch=PITCH)


# ------------------------------------------------------------------------------------- warnings


def saturated(data):
    data[..., 3:6] = np.clip(data[..., 3:6].astype(int) * 60, -32768, 32767)


def repeated(data):
    data[10] = data[9]


def empty_frame(data):
    data[10] = 0


def silent_channel(data):
    data[..., 4] = 0


def nothing(data):
    pass


@pytest.mark.parametrize(
    ("change", "speed", "says"),
    [
        (nothing, 0.075, r"aliased|Nyquist velocity, 77 mm/s"),
        (repeated, SPEED, r"1 frame is an exact repetition of the one before \(frame 10\)"),
        pytest.param(
            empty_frame,
            SPEED,
            r"1 frame is zero \(frame 10\)",
        ),
        (silent_channel, SPEED, r"1 channel is constant throughout \(element 4\)"),
        (saturated, SPEED, r"% of the samples are saturated \(element 3, 4, 5\)"),
    ],
)
def test_what_cannot_be_trusted_is_warned_of(tmp_path, change, speed, says):
    data = echoes(speed=speed)[:, 0].copy()
    change(data)
    save_npy(tmp_path / "a.npy", data)
    with pytest.warns(RecordingWarning, match=says) as found:
        sequence = myovivo.acquire(tmp_path / "a.npy", PLAIN, quiet=True, device="cpu")
    assert len(found) == 1
    assert sequence.provenance["notes"] == [str(found[0].message)]
    assert found[0].filename == __file__  # it points at the caller


def test_repeated_frames_of_beamformed_iq_are_warned_of(tmp_path):
    values = beamformed()[1].copy()
    values[10] = values[9]
    save_iq_npz(tmp_path / "a.npz", values)
    with pytest.warns(RecordingWarning, match=r"1 frame is an exact repetition of the one before \(frame 10\)"):
        acquire_quietly(tmp_path / "a.npz", QUICK)


def test_two_empty_frames_are_both_told(tmp_path):
    data = rf()[:, 0].copy()
    data[10:12] = 0
    save_npy(tmp_path / "a.npy", data)
    with pytest.warns(RecordingWarning, match=r"2 frames are zero \(frame 10, 11\)"):
        acquire_quietly(tmp_path / "a.npy", PLAIN)


def test_a_gap_in_the_frame_times_is_warned_of(tmp_path):
    times = np.arange(FRAMES) / RATE
    times[12:] += 1 / RATE
    path, how = sidecar_file({"frame_rate": None, "frame_times": times.tolist()})(tmp_path)
    assert complete(open_recording(path))["frame_rate"].value == pytest.approx(RATE)
    with pytest.warns(RecordingWarning, match=r"1 frame is missing by the time stamps \(after frame 11\)"):
        acquire_quietly(path, {**QUICK, **how})


def test_a_gap_between_transmits_is_warned_of_and_leaves_the_frame_rate(tmp_path):
    as_zea(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["scan/time_to_next_transmit"][11] = 3 / RATE
    with pytest.warns(RecordingWarning, match=r"2 frames are missing by the time stamps \(after frame 11\)"):
        sequence = acquire_quietly(tmp_path / "a.h5", QUICK)
    assert sequence.frame_rate == pytest.approx(RATE)


# ----------------------------------------------------------------------------------- properties

DTYPES = ["int8", "int16", "uint8", "uint16", "int32", "float32", "float64", "complex64"]
QUICKLY = settings(deadline=None, max_examples=25)


@st.composite
def stored_arrays(draw, waves, parts):
    """An array in canonical order, in stored order, and the words of the latter's axes."""
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    ranges = {"frame": (2, 6), "wave": waves, "sample": (8, 40), "element": (2, 12)}
    sizes = {axis: draw(st.integers(*bounds)) for axis, bounds in ranges.items()}
    pair = draw(st.sampled_from(parts)) if dtype.kind != "c" else 0
    shape = [*(sizes[axis] for axis in CHANNEL_AXES), *([pair] if pair else [])]
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    if dtype.kind in "iu":
        values = rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    else:
        values = rng.standard_normal(shape).astype(dtype)
        values = values + (1j * rng.standard_normal(shape)).astype(dtype) if dtype.kind == "c" else values
    axes = [*CHANNEL_AXES, *([PARTS] if pair else [])]
    order = draw(st.permutations(range(len(axes))))
    expected = values
    if pair:
        expected = values[..., 0] + 1j * values[..., 1] if pair == 2 else values[..., 0]
    return expected, values.transpose(order), " ".join(axes[place] for place in order)


def reads_back(write, found, count):
    expected, stored, axes = found
    with tempfile.TemporaryDirectory() as folder:
        path, mapping = Path(folder) / "a.dat", Path(folder) / "m.yaml"
        write(path, stored)
        mapping.write_text(yaml.safe_dump({"content": "rf", "axes": axes}))
        content = open_recording(path, None, mapping)
        assert content.kind == ("channel_iq" if expected.dtype.kind == "c" else "rf")
        assert content.shape == expected.shape
        blocks = list(content.frames.blocks(CHANNEL_AXES, count))
        assert max(map(len, blocks)) <= count
        frames = np.concatenate(blocks)
        assert frames.dtype == expected.dtype
        assert np.array_equal(frames, expected)


def write_hdf5(path, array):
    with h5py.File(path, "w") as file:
        file["group/data"] = array


def write_mat5(path, array):
    scipy.io.savemat(path, {"data": array}, appendmat=False)


@pytest.mark.parametrize("write", [save_npy, write_hdf5, lambda path, array: write_matlab73(path, {"data": array})])
def test_axes_in_any_order_are_read_in_ours(write):
    @QUICKLY
    @given(stored_arrays(waves=(1, 3), parts=(0, 1, 2)), st.integers(1, 7))
    def check(found, count):
        reads_back(write, found, count)

    check()


@QUICKLY
@given(stored_arrays(waves=(2, 3), parts=(0, 2)), st.integers(1, 7))
def test_axes_in_any_order_are_read_in_ours_from_matlab_5(found, count):
    reads_back(write_mat5, found, count)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 3, 1, 0), (1, 2, 3, 0), (2, 3, 0, 1)])
def test_an_axis_of_one_is_an_axis_in_matlab_5(tmp_path, order):
    axes = " ".join(CHANNEL_AXES[place] for place in order)
    reads_back(write_mat5, (rf(), rf().transpose(order), axes), 5)


@given(st.permutations(CHANNEL_AXES), st.integers(0, 3), st.text("abcdefgh", min_size=1, max_size=8))
def test_axes_are_known_words_each_said_once(words, place, other):
    shape = (2, 3, 4, 5)
    assert axes_of(" ".join(words), shape, "rf") == tuple(words)
    assert axes_of(", ".join(words), shape, "rf") == tuple(words)
    replaced = [*words]
    replaced[place] = words[place - 1]
    with pytest.raises(InputError, match="must not repeat"):
        axes_of(" ".join(replaced), shape)
    replaced[place] = other + "x"
    with pytest.raises(InputError, match="axes are words of"):
        axes_of(" ".join(replaced), shape)
    with pytest.raises(InputError, match="name 3 axes"):
        axes_of(" ".join(words[:3]), shape)
    with pytest.raises(InputError, match="beamformed IQ has axes"):
        axes_of(" ".join(words), shape, "iq")
    with pytest.raises(InputError, match="must hold 1 or 2 values"):
        axes_of(" ".join([*words, PARTS]), (*shape, 3), "rf")


@settings(deadline=None, max_examples=60)
@given(
    st.floats(0.55, 6.0),
    st.floats(1e6, 12e6),
    st.floats(-0.7, 0.7),
    st.floats(0, 2 * np.pi),
)
def test_a_tone_in_the_band_keeps_its_amplitude_and_frequency(ratio, f0, offset, phase):
    fs = ratio * f0
    image = abs((2 * f0 + fs / 2) % fs - fs / 2)  # of the band, once f0 is at 0
    if image < 0.1 * f0:
        with pytest.raises(InputError, match="mirror"):
            demodulate(np.zeros((64, 1)), fs, f0)
        return
    half_band = min(image / 2, 0.6 * f0)
    df = offset * half_band
    samples = int(20 / half_band * fs) + 2
    t = np.arange(samples) / fs
    found, rate = demodulate(np.cos(2 * np.pi * (f0 + df) * t + phase)[:, None], fs, f0)
    # Inside, away from the ends that the filter's length blurs.
    inside = slice(len(found) // 3, -(len(found) // 3))
    expected = np.exp(1j * (2 * np.pi * df * np.arange(len(found)) / rate + phase))
    assert np.abs(found[inside, 0] - expected[inside]).max() < 0.02


# ----------------------------------------------------------------------------------- inspection


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.__name__[3:])
def test_an_inspection_tells_all_there_is(tmp_path, writer):
    path = tmp_path / "a.dat"
    how, origins = writer(path)
    changes = {f"scan.{name}": value for name, value in how.get("scan", {}).items()}
    said = inspect(path, {"conditioning.band": None, **changes}, mapping=how.get("mapping"))
    assert said.complete
    assert not said.missing
    assert not said.problem
    lines = str(said).splitlines()
    assert lines[0].startswith(f"{path}: ")
    content = next(line for line in lines if "content" in line)
    assert all(words in content for words in ("channel RF", "24 frames", "1 wave,", "128 samples", "16 elements"))
    for name, origin in origins.items():
        line = next(line for line in lines if line.strip().startswith(name))
        assert origin in line
    assert "nothing is missing" in lines[-1]
    if said.arrays:
        assert "24" in next(line for line in lines if line.strip().startswith("arrays"))


def test_an_inspection_tells_how_to_give_what_is_missing(tmp_path):
    path, _ = must_file(PRF=None)(tmp_path)
    said = inspect(path)
    assert said.missing == {"frame_rate": "give scan.frame_rate in Hz, or scan.pulse_rate (PRF)"}
    assert "missing   frame_rate: give scan.frame_rate in Hz, or scan.pulse_rate (PRF)" in str(said)
    assert "nothing is missing" not in str(said)
    assert not inspect(path, {"scan.pulse_rate": 500.0}).missing


def test_an_inspection_of_an_unknown_file_lists_its_arrays(tmp_path):
    path, _ = unknown_mat(tmp_path)
    said = str(inspect(path))
    assert "left 24 x 128 x 16; right 24 x 128 x 16" in said
    assert "scan.variable" in said
    assert "problem" in said


def scalars_only(path):
    scipy.io.savemat(path, {"a": 1.0, "b": [1.0, 2.0]}, appendmat=False)


def words_only(path):
    with h5py.File(path, "w") as file:
        file["name"] = "hello"


def sequence_at(path):
    Sequence(np.zeros((4, 4, 4), np.float32), 100.0, (1e-3, 1e-3)).save(path)


@pytest.mark.parametrize(
    "writer",
    [
        iq_matlab73,
        iq_zea,
        iq_uff,
        tilted_matlab5,
        tilted_zea,
        write_dicom,
        uneven_frames,
        pytest.param(cells),
        pytest.param(scalars_only),
        pytest.param(words_only),
        lambda path: save_npy(path, COMPLEX),
        lambda path: save_iq_npz(path),
        lambda path: beamformed()[0].save(path),
        lambda path: scipy.io.savemat(path, must(TXdelay=FOCUS), appendmat=False),
        lambda path: scipy.io.savemat(path, must(TXdelay=HALF_DEAD), appendmat=False),
        lambda path: scipy.io.savemat(path, must(fs=-1.0), appendmat=False),
    ],
)
def test_an_inspection_never_fails_on_a_readable_file(tmp_path, writer):
    path = tmp_path / "a.dat"
    writer(path)
    assert str(inspect(path)).startswith(str(path))


# ---------------------------------------------------------------------------------- cell arrays


def cell_array(path, writer, cells):
    """RF in a cell array `RcvData`, as some scanners save it, beside a struct array `Receive`."""
    if writer == "v5":
        held = np.empty(len(cells), object)
        held[:] = cells
        scipy.io.savemat(path, {"RcvData": held, "fs": FS}, appendmat=False)
        return
    with h5py.File(path, "w", userblock_size=512) as file:
        references = [file.create_dataset(f"#refs#/{k}", data=cell.T).ref for k, cell in enumerate(cells)]
        file.create_dataset("RcvData", data=np.array([references], dtype=h5py.ref_dtype))
        file["fs"] = [[FS]]
        rates = [file.create_dataset(f"#refs#/rate{k}", data=[[FS]]).ref for k in range(3)]
        file.create_dataset("Receive/decimSampleRate", data=np.array([rates], dtype=h5py.ref_dtype))
    head = b"MATLAB 7.3 MAT-file".ljust(124, b" ") + b"\x00\x02IM"
    path.write_bytes(head.ljust(512, b"\x00") + path.read_bytes()[512:])


@pytest.mark.parametrize("writer", ["v5", "v7.3"])
@pytest.mark.parametrize("count", [1, 2])
def test_frames_in_a_cell_array_of_matlab_are_found(tmp_path, writer, count):
    path, mapping = tmp_path / "a.mat", tmp_path / "m.yaml"
    recording = rf()[:, 0].transpose(1, 2, 0)  # sample, element, frame
    cell_array(path, writer, [np.zeros_like(recording), recording][-count:])
    name = "RcvData" if count == 1 else "RcvData.2"
    words = {
        **WORDS,
        "data": name,
        "axes": "sample element frame",
        "sampling_frequency": ["Receive.decimSampleRate", "fs"],
    }
    mapping.write_text(yaml.safe_dump(words))
    content = open_recording(path, None, mapping)
    assert np.array_equal(all_frames(content), rf())
    place = "fs" if writer == "v5" else "Receive.decimSampleRate"  # three times the same number
    assert complete(content)["sampling_frequency"] == (FS, "Hz", f"file ({place})")


# ------------------------------------------------------------------------------- the user's words


def test_what_the_user_says_of_a_recording_of_ours_replaces_what_it_says(tmp_path):
    scan = {"frame_rate": RATE, "spacing": (1e-4, 3e-4), "centre_frequency": FC}
    iq = np.random.default_rng(0).standard_normal((24, 32, 8)) + 0j
    path = Recording.of_array(iq, **scan).save(tmp_path / "a.h5")
    found = acquire_quietly(path, {**QUICK, "scan.sound_speed": 1480.0})
    assert found.provenance["parameters"]["sound_speed"] == {"value": 1480.0, "unit": "m/s", "origin": "argument"}
    assert found.provenance["parameters"]["frame_rate"]["origin"] == "file"
    assert found.provenance["parameters"]["conditioning.band"] == {"value": None, "unit": "", "origin": "argument"}
    slower = acquire_quietly(path, QUICK)
    assert np.allclose(found.velocity, slower.velocity * 1480 / 1540, rtol=0.02, atol=1e-3)
    with pytest.raises(FileError, match=r"scan\.pitch means nothing for beamformed IQ"):
        acquire_quietly(path, {**QUICK, "scan.pitch": 3e-4})
    with pytest.raises(InputError, match="scan settings are for files"):
        acquire_quietly(Recording.of_array(iq, **scan), {**QUICK, "scan.sound_speed": 1480.0})


def test_what_means_nothing_for_a_recording_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((40, 8, 8), np.float32))
    with pytest.raises(FileError, match=r"a.npy: scan\.start_time means nothing for velocity"):
        acquire_quietly(tmp_path / "a.npy", QUICK, frame_rate=200.0, spacing=(1e-3, 1e-3), **{"scan.start_time": 0.0})


@pytest.mark.parametrize(
    ("word", "value"),
    [("pitch", 0.3), ("centre_frequency", 5.0), ("sampling_frequency", 20.0), ("sound_speed", 1.54)],
)
def test_numbers_in_mm_or_mhz_are_noticed(tmp_path, word, value):
    np.save(tmp_path / "a.npy", rf()[:, 0])
    with pytest.raises(FileError, match=f"{word} of .* cannot be .argument.; is it in"):
        acquire_quietly(tmp_path / "a.npy", {**PLAIN, f"scan.{word}": value})


def test_iq_that_still_turns_with_depth_is_brought_to_baseband_or_warned_of(tmp_path):
    spacing = (4e-5, 3e-4)
    t = np.arange(24)[:, None, None]
    rng = np.random.default_rng(0)
    speckle = np.cumsum(rng.standard_normal((2, 128, 8)), 1) * 0.05 + 1
    still = (speckle[0] + 1j * speckle[1]) * np.exp(0.3j * t)
    z = np.arange(128) * spacing[0]
    np.save(tmp_path / "base.npy", still.astype(np.complex64))
    np.save(tmp_path / "turning.npy", (still * np.exp(4j * np.pi * FC * z / C)[:, None]).astype(np.complex64))
    scan = {
        "scan.centre_frequency": FC,
        "scan.frame_rate": RATE,
        "scan.spacing": spacing,
        "scan.axes": "frame depth lateral",
    }
    true = acquire_quietly(tmp_path / "base.npy", {**QUICK, **scan}).velocity
    found = acquire_quietly(tmp_path / "turning.npy", {**QUICK, **scan, "scan.baseband": False}).velocity
    assert np.allclose(found, true, rtol=1e-3)
    with pytest.warns(RecordingWarning, match=r"expected: check scan\.centre_frequency, and scan\.baseband"):
        acquire_quietly(tmp_path / "turning.npy", {**QUICK, **scan})


def test_axes_that_nobody_named_are_said_to_be_assumed(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((12, 16, 40)))  # MATLAB's usual order: depth, lateral, frame
    scan = {"frame_rate": 200.0, "spacing": (1e-3, 1e-3)}
    with pytest.warns(
        RecordingWarning, match=r"frame depth lateral was assumed, which makes 12 frames: give scan\.axes"
    ):
        found = acquire_quietly(tmp_path / "a.npy", QUICK, **scan)
    assert found.provenance["parameters"]["axes"]["origin"] == "default"
    named = acquire_quietly(tmp_path / "a.npy", {**QUICK, "scan.axes": "depth lateral frame"}, **scan)
    assert named.shape[0] == 40
    assert named.provenance["notes"] == []


def test_a_sidecars_word_replaces_the_layouts_other_way_of_saying_it(tmp_path):
    path = tmp_path / "a.h5"
    as_gastrocnemius(path)
    path.with_suffix(".yaml").write_text("pulse_rate: 700\n")  # the layout reads a frame rate
    assert complete(open_recording(path))["frame_rate"].value == 700.0


def test_rates_that_contradict_each_other_are_refused(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, rf()[:, 0])
    path.with_suffix(".yaml").write_text(yaml.safe_dump({**WORDS, "frame_rate": 100.0, "pulse_rate": 300.0}))
    with pytest.raises(FileError, match="100 Hz contradicts a pulse rate of 300 Hz"):
        acquire_quietly(path, QUICK)


def test_somebody_elses_json_beside_a_recording_is_no_sidecar(tmp_path):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, must())
    path.with_suffix(".json").write_text('{"Manufacturer": "ours"}')
    assert complete(open_recording(path))["frame_rate"].value == RATE


def test_an_offset_of_the_converter_is_no_echo(tmp_path):
    # At 4/3 of the centre frequency a constant lies at the edge of the band.
    true = acquire_quietly(channels_of(rf()), QUICK).velocity
    shifted = acquire_quietly(channels_of(rf().astype(np.int32) + 20000), QUICK).velocity
    assert np.abs(shifted - true).max() < 1e-3 * np.abs(true).max()


def channels_of(data):
    scan = {"frame_rate": RATE, "sampling_frequency": FS, "centre_frequency": FC, "start_time": [T0]}
    return ChannelData.of_array(data, pitch=PITCH, **scan)
