"""Sequences for MATLAB, NumPy and xarray: what is written is read back whole, and lies as the others expect it."""

import numpy as np
import pytest
from scipy.io import loadmat, savemat

import myovivo as mv
from myovivo.errors import FileError, InputError


@pytest.fixture(scope="module")
def simulated():
    return mv.simulate(seed=3, **{"grid.frames": 96})


def require_same(first: mv.Sequence, second: mv.Sequence) -> None:
    np.testing.assert_array_equal(first.velocity, second.velocity)
    assert (first.origin, first.subject) == (second.origin, second.subject)
    assert first.frame_rate == pytest.approx(second.frame_rate, rel=1e-9)
    assert first.spacing == pytest.approx(second.spacing, rel=1e-9)
    assert first.provenance == second.provenance
    for name in ("centre", "diameter", "mask", "weight", "source"):
        np.testing.assert_array_equal(getattr(first.labels, name), getattr(second.labels, name), name)
    for name in ("spike_times", "sync_partner"):
        for one, other in zip(getattr(first.labels, name), getattr(second.labels, name), strict=True):
            np.testing.assert_array_equal(one, other, name)
    for name, value in first.labels.twitch.items():
        np.testing.assert_array_equal(value, second.labels.twitch[name], name)


@pytest.mark.parametrize("ending", [".mat", ".npz", ".h5"])
def test_a_file_of_any_kind_holds_the_whole_sequence(simulated, tmp_path, ending):
    require_same(simulated, mv.Sequence.load(simulated.save(tmp_path / f"a{ending}")))


@pytest.mark.parametrize("ending", [".mat", ".npz"])
def test_one_unit_and_one_frame_stay_one(simulated, tmp_path, ending):
    frame = np.zeros((1, 4, 5), np.float32)
    labels = {"spike_times": [[0.0]], "mask": np.ones((1, 4, 5), bool), "source": np.ones((1, 1))}
    made = mv.Sequence.from_array(frame, frame_rate=512, spacing=(1e-3, 2e-3), labels=labels, subject="a")
    require_same(made, mv.Sequence.load(made.save(tmp_path / f"a{ending}")))
    bare = made.replace(labels=None)
    assert mv.Sequence.load(bare.save(tmp_path / f"b{ending}")).labels is None


def test_some_frames_of_a_matlab_file(simulated, tmp_path):
    part = mv.Sequence.load(simulated.save(tmp_path / "a.mat"), 10, 20, labels=False)
    np.testing.assert_array_equal(part.velocity, simulated.velocity[10:20])
    assert part.labels is None


def test_matlab_finds_depth_lateral_frame_and_units_from_one(simulated, tmp_path):
    content = loadmat(simulated.save(tmp_path / "a.mat"), squeeze_me=True, simplify_cells=True)
    np.testing.assert_array_equal(content["velocity"][5, 7], simulated.velocity[:, 5, 7])
    assert content["frame_rate"] == 512
    labels = content["labels"]
    unit = int(np.argmax([np.max(partners, initial=-1) for partners in simulated.labels.sync_partner]))
    np.testing.assert_array_equal(labels["sync_partner"][unit], simulated.labels.sync_partner[unit] + 1)
    np.testing.assert_array_equal(labels["mask"][..., 2], simulated.labels.mask[2])
    np.testing.assert_allclose(labels["spike_times"][1], simulated.labels.spike_times[1])


def test_files_of_others_and_broken_ones_are_refused(simulated, tmp_path):
    savemat(tmp_path / "other.mat", {"TVI": np.zeros((3, 4, 5))})
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    for name, kind in (("other.mat", "MATLAB v5 file"), ("other.npz", "zip or NumPy archive")):
        with pytest.raises(FileError, match=rf"is a {kind}; read it with `myovivo acquire`"):
            mv.Sequence.load(tmp_path / name)
    packed = tmp_path / "packed.npz"
    np.savez_compressed(packed, format="myovivo sequence", velocity=np.zeros((2, 2, 2)))
    with pytest.raises(FileError, match="compressed"):
        mv.Sequence.load(packed)
    for ending in (".mat", ".npz"):
        whole = simulated.save(tmp_path / f"a{ending}").read_bytes()
        (tmp_path / f"cut{ending}").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(FileError, match=f"cut{ending}"):
            mv.Sequence.load(tmp_path / f"cut{ending}")


def test_what_matlab_cannot_hold_is_refused_before_anything_is_written(tmp_path):
    velocity = np.broadcast_to(np.float32(0), (2**22, 16, 16))  # takes no memory
    sequence = object.__new__(mv.Sequence)
    for name, value in {"velocity": velocity, "frame_rate": 512.0, "labels": None}.items():
        object.__setattr__(sequence, name, value)
    with pytest.raises(InputError, match=r"2 GB, the velocity takes 4\.3 GB; crop it to 4096 s"):
        sequence.save(tmp_path / "a.mat")
    assert not list(tmp_path.iterdir())


def test_an_xarray_dataset_has_coordinates_in_s_and_m_and_comes_back_whole(simulated):
    pytest.importorskip("xarray")
    data = simulated.to_xarray()
    inner = data.velocity.sel(depth=slice(0.010, 0.020), time=slice(0.05, 0.1))
    np.testing.assert_array_equal(inner.values, simulated.velocity[26:52, 32:64])
    assert data.velocity.attrs["units"] == "m/s"
    require_same(simulated, mv.Sequence.from_xarray(data))
    turned = mv.Sequence.from_xarray(data.velocity.transpose("lateral", "time", "depth"))
    np.testing.assert_array_equal(turned.velocity, simulated.velocity)
    assert turned.spacing == pytest.approx(simulated.spacing)


def test_an_xarray_array_that_is_no_sequence_is_refused(simulated):
    pytest.importorskip("xarray")
    data = simulated.to_xarray().velocity
    with pytest.raises(InputError, match="axes time, depth and lateral"):
        mv.Sequence.from_xarray(data.rename(lateral="x"))
    with pytest.raises(InputError, match="even steps"):
        mv.Sequence.from_xarray(data.isel(time=[0, 1, 5]))
    with pytest.raises(InputError, match="no coordinate"):
        mv.Sequence.from_xarray(data.drop_vars("depth"))
    with pytest.raises(InputError, match="mm/s"):
        mv.Sequence.from_xarray(data.assign_attrs(units="mm/s"))
