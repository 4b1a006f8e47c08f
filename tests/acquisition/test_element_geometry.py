"""Curved, matrix and turned probes: computed right or refused in one line, in every format and wherever it is said."""

import h5py
import numpy as np
import pytest
import scipy.io
import yaml
from test_readers import ELEMENTS, FC, FRAMES, FS, PITCH, RATE, SCAN, T0, C, as_uff, as_zea, must, rf, save_npz

from myovivo.acquisition.acquire import acquire
from myovivo.acquisition.parameters import complete
from myovivo.acquisition.recordings import open_recording
from myovivo.acquisition.settings import Scan
from myovivo.errors import FileError, MyovivoError

RADIUS = 0.02
LOOK = (np.arange(ELEMENTS) - (ELEMENTS - 1) / 2) * 2 * np.arcsin(PITCH / 2 / RADIUS)
X, Z = RADIUS * np.sin(LOOK), RADIUS * (np.cos(LOOK) - 1)
Z0 = Z - Z.max()  # the middle of the array is at depth 0
CURVED = np.stack([X, 0 * X, Z], 1)


def zea(path, geometry, **more):
    as_zea(path)
    with h5py.File(path, "a") as file:
        del file["probe/probe_geometry"]
        file["probe/probe_geometry"] = geometry
        for name, value in more.items():
            file[f"probe/{name}"] = value


def uff(path, probe, **changes):
    as_uff(path, probe=probe, **changes)


def probe_of(geometry):
    from pyuff_ustb import Probe

    return Probe(geometry=geometry)


def seven(x, y=0.0, z=0.0, theta=0.0):
    rows = np.broadcast_arrays(x, y, z, theta, 0.0, PITCH, 5e-3)
    return np.stack([np.asarray(row, float) for row in rows])


def curvilinear():
    from pyuff_ustb import CurvilinearArray

    return CurvilinearArray(N=ELEMENTS, pitch=PITCH, radius=RADIUS)


def must_file(path, **changes):
    scipy.io.savemat(path, must(**changes), appendmat=False)


def mapped(path, arrays, **words):
    save_npz(path, echoes=rf()[:, 0], **arrays)
    scan = {name: value for name, value in SCAN.items() if name != "pitch"}
    told = {"data": "echoes", "content": "rf", "axes": "frame sample element", **scan, **words}
    path.with_suffix(".yaml").write_text(yaml.safe_dump(told))


def pybf(path, **more):
    with h5py.File(path, "w") as file:
        for frame in range(FRAMES):
            file[f"data/rf_data/frame_{frame + 1}/shot_1"] = rf()[frame, 0].T
        file["data/fps"], file["hardware_params/f_sampling_hz"] = RATE, FS
        file["hardware_params/start_time"], file["trans_params/f_central"] = T0, FC
        file["trans_params/x_pitch"] = PITCH
        for name, value in more.items():
            file[f"trans_params/{name}"] = value


WHERE = {"element_x": {"at": "where", "column": 0}}
# Each writes a curved array of which x, z (and directions) can be told.
CURVES = {
    "zea": lambda path: zea(path, CURVED),
    "zea, ends at depth 0": lambda path: zea(path, CURVED - [0, 0, Z.min()]),
    "zea, off the middle": lambda path: zea(path, CURVED + np.array([0.01, 0, 0.002])),
    "UFF": lambda path: uff(path, curvilinear()),
    "UFF of positions": lambda path: uff(path, probe_of(seven(X, z=Z, theta=LOOK))),
    "MUST": lambda path: must_file(path, radius=RADIUS),
    "PyBF": lambda path: pybf(path, radius=RADIUS),
    "a mapping to the first of three columns": lambda path: mapped(path, {"where": CURVED}, **WHERE),
    "a mapping to the first of five columns": lambda path: mapped(
        path, {"where": np.c_[CURVED * 1e3, LOOK, 0 * LOOK]}, element_x={"at": "where", "column": 0, "times": 1e-3}
    ),
    "a mapping to x and z": lambda path: mapped(
        path, {"x": X, "z": Z, "a": LOOK}, element_x="x", element_z="z", element_angles="a"
    ),
    "a mapping to pitch and radius": lambda path: mapped(path, {}, pitch=PITCH, radius=RADIUS),
    "a mapping to x and radius": lambda path: mapped(path, {"x": X}, element_x="x", radius=RADIUS),
}


@pytest.mark.parametrize("write", CURVES.values(), ids=CURVES)
def test_a_curved_array_is_read_from_every_format(tmp_path, write):
    write(tmp_path / "a.dat")
    given = complete(open_recording(tmp_path / "a.dat"))
    assert given["element_x"].value == pytest.approx(X, abs=1e-9)
    assert given["element_z"].value == pytest.approx(Z0, abs=1e-9)
    if "element_angles" in given:
        assert given["element_angles"].value == pytest.approx(LOOK, abs=1e-9)


def test_equal_delays_of_a_curved_zea_array_make_a_diverging_wave(tmp_path):
    zea(tmp_path / "a.dat", CURVED)
    given = complete(open_recording(tmp_path / "a.dat"))
    assert given["sources"].value == pytest.approx(np.array([[0.0, -RADIUS - Z.max()]]), abs=1e-6)
    # The clock starts with the elements, which lie before the origin: the ends by most.
    assert float(given["start_time"].value) == pytest.approx(T0 - 0.0 + Z.max() / C, abs=1e-9)


FLAT = np.stack([np.arange(16) * PITCH, 0 * X, 0 * X], 1)
STRAIGHT = {
    "zea": lambda path: zea(path, FLAT + np.array([0, 0, 2e-3])),
    "zea named as a linear probe": lambda path: zea(path, FLAT, name="L11-4v"),
    "a compact linear probe": lambda path: zea(path, FLAT, name="CL15-7"),
    "MUST": lambda path: must_file(path, radius=np.inf),
    "a mapping that says so": lambda path: mapped(path, {"x": X}, element_x="x", element_z=0.0),
}


@pytest.mark.parametrize("write", STRAIGHT.values(), ids=STRAIGHT)
def test_a_linear_array_stays_one(tmp_path, write):
    write(tmp_path / "a.dat")
    assert not {"element_z", "element_angles", "sources"} & set(complete(open_recording(tmp_path / "a.dat")))


TWO_ROWS = np.stack([np.repeat(np.arange(8), 2) * PITCH, np.tile([0, 1], 8) * PITCH, np.zeros(16)], 1)
TURNED = FLAT[:, [1, 0, 2]]
REFUSED = {
    "zea of a matrix": (lambda path: zea(path, TWO_ROWS), "across the image .*matrix"),
    "zea of a turned probe": (lambda path: zea(path, TURNED), "across the image .*turned"),
    "zea named as a curved probe": (lambda path: zea(path, FLAT, name="C5-2v"), "C5-2v .*element_z or radius"),
    "UFF of a matrix": (lambda path: uff(path, probe_of(seven(*TWO_ROWS.T))), "across the image"),
    "UFF of slanted elements": (lambda path: uff(path, probe_of(seven(X, theta=5 * LOOK))), "look up to .* rad aside"),
    "MUST of a matrix": (lambda path: must_file(path, elements=TWO_ROWS[:, :2].T), "several rows"),
    "MUST with a radius in mm": (lambda path: must_file(path, radius=1e-3), "cannot have a radius of 1 mm"),
    "MUST with a negative radius": (lambda path: must_file(path, radius=-RADIUS), "cannot have a radius"),
    "MUST named as a curved probe": (lambda path: must_file(path, probe="C5-2v"), "C5-2v .*element_z or radius"),
    "PyBF named as a curved probe": (lambda path: pybf(path, name="convex"), "convex .*element_z or radius"),
    "PyBF of a matrix": (lambda path: pybf(path, num_of_y_elements=4), "several rows"),
    "PyBF named as a matrix": (lambda path: pybf(path, name="Matrix1024-3"), "Matrix1024-3 .*matrix"),
    "a mapping to two of three columns": (lambda path: mapped(path, {"where": TWO_ROWS}, **WHERE), "across the image"),
    "a mapping to x of a curved array": (
        lambda path: mapped(path, {"x": 0.03 * np.sin(8 * LOOK)}, element_x="x"),
        "curved array seen from the front",
    ),
    "a mapping to a column that is not there": (
        lambda path: mapped(path, {"where": CURVED}, element_x={"at": "where", "column": 5}),
        "has no column 5",
    ),
    "a mapping to depths of other elements": (
        lambda path: mapped(path, {"x": X, "z": Z[:8]}, element_x="x", element_z="z"),
        "8 depths of elements",
    ),
    "a mapping to angles in degrees": (
        lambda path: mapped(
            path, {"x": X, "z": Z, "a": np.rad2deg(LOOK)}, element_x="x", element_z="z", element_angles="a"
        ),
        "angles must be in rad",
    ),
    "a mapping to directions alone": (
        lambda path: mapped(path, {"a": 5 * LOOK}, pitch=PITCH, element_angles="a"),
        "positions in z",
    ),
    "a mapping to pitch and depths": (
        lambda path: mapped(path, {"z": Z}, pitch=PITCH, element_z="z"),
        "pitch is of a linear",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_array_across_the_image_is_refused(tmp_path, case):
    write, says = REFUSED[case]
    write(tmp_path / "a.dat")
    with pytest.raises(MyovivoError, match=says) as error:
        complete(open_recording(tmp_path / "a.dat"))
    assert "\n" not in str(error.value)
    with pytest.raises(FileError, match=says):
        acquire(tmp_path / "a.dat", quiet=True, device="cpu")


def test_virtual_sources_are_told_in_a_mapping(tmp_path):
    mapped(tmp_path / "a.dat", {}, pitch=PITCH, sources=[[1e-3, -8e-3]])
    given = complete(open_recording(tmp_path / "a.dat"))
    assert given["sources"].value.tolist() == [[1e-3, -8e-3]]
    assert float(given["start_time"].value) == T0


def test_sources_of_other_waves_are_refused(tmp_path):
    mapped(tmp_path / "a.dat", {}, pitch=PITCH, sources=[[0, -8e-3], [0, -9e-3]])
    with pytest.raises(MyovivoError, match="1 waves per frame need as many sources"):
        complete(open_recording(tmp_path / "a.dat"))


def test_delays_of_a_focus_are_recognised(tmp_path):
    focus = (0.0, 0.01)
    straight = (np.arange(ELEMENTS) - (ELEMENTS - 1) / 2) * PITCH
    way = np.hypot(straight - focus[0], focus[1])
    must_file(tmp_path / "a.dat", TXdelay=(way.max() - way)[None] / C)
    given = complete(open_recording(tmp_path / "a.dat"))
    assert given["sources"].value[0] == pytest.approx(focus, abs=1e-5)
    assert float(given["start_time"].value) == pytest.approx(T0 - (way.max() - focus[1]) / C, abs=1e-9)


def test_angles_contradict_virtual_sources(tmp_path):
    straight = (np.arange(ELEMENTS) - (ELEMENTS - 1) / 2) * PITCH
    way = np.hypot(straight, 0.01)
    must_file(tmp_path / "a.dat", TXdelay=(way - way.min())[None] / C)
    with pytest.raises(MyovivoError, match=r"make diverging or focused ones; leave scan\.angles out"):
        complete(open_recording(tmp_path / "a.dat", Scan(angles=(0.1,))))


@pytest.mark.parametrize("distance", [-0.01, 0.02], ids=["diverging", "focused"])
def test_virtual_sources_of_uff_count_from_its_origin(tmp_path, distance):
    """A probe beside the origin: the wave passes the middle of the array at another time."""
    from pyuff_ustb import Point, Wave, Wavefront

    x = np.arange(ELEMENTS) * PITCH + 2e-3
    middle = (x[0] + x[-1]) / 2
    wave = Wave(
        wavefront=Wavefront.spherical,
        source=Point(distance=distance, azimuth=0.0, elevation=0.0),
        origin=Point(distance=0.0, azimuth=0.0, elevation=0.0),
        probe=probe_of(seven(x)),
        sound_speed=C,
        delay=0.0,
    )
    uff(tmp_path / "a.dat", probe_of(seven(x)), sequence=wave)
    given = complete(open_recording(tmp_path / "a.dat"))
    assert given["sources"].value[0] == pytest.approx((-middle, distance), abs=1e-9)
    later = (np.hypot(middle, distance) - abs(distance)) / C * (1 if distance < 0 else -1)
    assert float(np.squeeze(given["start_time"].value)) == pytest.approx(T0 - later, abs=1e-10)
