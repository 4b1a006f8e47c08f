"""Measured recordings: a rotating disk, whose velocity is known, and a living muscle."""

import warnings

import numpy as np
import pytest
from domains import ROOT, SHARED

import myovivo as mv
from myovivo.acquisition.beamform import beamform
from myovivo.acquisition.settings import Velocity
from myovivo.acquisition.velocity import autocorrelation_velocity, local_coherence

DATA = SHARED
DISK = DATA / "rotating_disk_planewave_rf" / "PWI_disk.mat"
MUSCLE = ROOT / "examples" / "data" / "gastrocnemius_rf.hdf5"

DEPTH, WIDTH = (0.010, 0.035), (-0.0125, 0.0125)
SPIN = 2 * np.pi * 10  # ten turns a second: dv_z / dx, 1/s


def rotation(velocity, spacing):
    """Least squares of v = a z + b x + c inside 8 mm around the disk's middle: a, b, R2."""
    z = DEPTH[0] + (np.arange(velocity.shape[0]) + 0.5) * spacing[0]
    x = WIDTH[0] + (np.arange(velocity.shape[1]) + 0.5) * spacing[1]
    inside = np.hypot(z[:, None] - 0.0225, x) < 0.008
    z, x = (np.broadcast_to(axis, velocity.shape)[inside] for axis in (z[:, None] - 0.0225, x))
    design = np.stack([z, x, np.ones_like(x)], 1)
    fit, *_ = np.linalg.lstsq(design, velocity[inside], rcond=None)
    rest = velocity[inside] - design @ fit
    return fit[0], fit[1], 1 - rest.var() / velocity[inside].var()


@pytest.fixture(scope="module")
def disk():
    if not DISK.is_file():
        pytest.skip("the measured rotating disk is not at hand")
    image = {"beamforming.depth": DEPTH, "beamforming.width": WIDTH}
    recording = beamform(DISK, **image, **{"beamforming.rows": 1024, "beamforming.columns": 128})
    scan = {"frame_rate": recording.frame_rate, "spacing": recording.spacing, "sound_speed": recording.sound_speed}
    return mv.Recording.of_array(recording.iq, centre_frequency=recording.centre_frequency, **scan)


WINDOWS = {"axial_window": 0.001, "lateral_window": 0.001, "ensemble_window": 0.002}


def test_a_rotating_disk_rotates_rigidly_at_ten_turns_a_second(disk):
    found = autocorrelation_velocity(disk, Velocity(**WINDOWS), quiet=True)
    along_z, along_x, r2 = rotation(found.velocity[16], found.spacing)
    assert abs(along_x) == pytest.approx(SPIN, rel=0.01)
    assert abs(along_z) < 0.01 * abs(along_x)
    assert r2 >= 0.998
    assert np.median(found.centre_frequency) == pytest.approx(4.92e6, rel=0.02)


def test_the_nominal_frequency_reads_the_disk_too_slow(disk):
    # The echo comes back lower than it was sent, and the receiving aperture looks from the side, too.
    found = autocorrelation_velocity(disk, Velocity(estimator="kasai", **WINDOWS), quiet=True)
    _, along_x, _ = rotation(found.velocity[16], found.spacing)
    assert -0.04 < abs(along_x) / SPIN - 1 < -0.01


def test_ustb_finds_the_same_rotation(disk):
    pytest.importorskip("ustb", reason="ustb is not installed")
    from pyuff_ustb import BeamformedData, ChannelData, LinearScan, Pulse
    from ustb.postprocess import autocorrelation_displacement_estimation as theirs

    dz, dx = disk.spacing
    z = DEPTH[0] + (np.arange(disk.shape[1]) + 0.5) * dz
    x = WIDTH[0] + (np.arange(disk.shape[2]) + 0.5) * dx
    analytic = disk.iq[10:24] * np.exp(4j * np.pi * disk.centre_frequency * z / disk.sound_speed)[:, None]
    estimator = theirs.ModifiedAutocorrelationDisplacementEstimation()
    estimator.channel_data = ChannelData(
        sound_speed=disk.sound_speed, pulse=Pulse(center_frequency=disk.centre_frequency)
    )
    estimator.z_gate, estimator.x_gate, estimator.packet_size = 40, 4, 13
    data = analytic.transpose(2, 1, 0).reshape(-1, 1, 1, len(analytic))  # pixels with depth running fastest
    estimator.input = BeamformedData(scan=LinearScan(x_axis=x, z_axis=z), data=data)
    moved = np.asarray(estimator.go().data)[:, 0, 0, 0].reshape(len(x), len(z)).T * disk.frame_rate
    *_, their_slope, their_r2 = rotation(moved, disk.spacing)
    ours = autocorrelation_velocity(disk, Velocity(**WINDOWS), quiet=True)
    _, along_x, r2 = rotation(ours.velocity[16], ours.spacing)
    assert abs(along_x) == pytest.approx(abs(their_slope), rel=0.01)
    assert r2 >= their_r2 - 1e-4


def test_the_disk_goes_through_the_whole_chain_from_its_file(tmp_path):
    if not DISK.is_file():
        pytest.skip("the measured rotating disk is not at hand")
    changes = {
        "conditioning.band": None,
        "conditioning.median": 0.0,
        "output.frame_rate": None,
        "velocity.axial_window": 0.001,
        "velocity.lateral_window": 0.001,
        "beamforming.depth": DEPTH,
        "beamforming.width": WIDTH,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing is wrong with this recording, and nothing must be said of it
        sequence = mv.acquire(DISK, quiet=True, **changes)
    along_z, along_x, r2 = rotation(sequence.velocity[16], sequence.spacing)
    assert abs(along_x) == pytest.approx(SPIN, rel=0.01)
    assert abs(along_z) < 0.01 * abs(along_x)
    assert r2 >= 0.998
    parameters = sequence.provenance["parameters"]
    assert parameters["sampling_frequency"]["origin"] == "file (param.fs)"
    assert parameters["frame_rate"]["value"] == 1e4
    assert parameters["velocity.axial_window"]["origin"] == "argument"
    assert parameters["beamforming.f_number"]["origin"] == "default"


# ------------------------------------------------------------------------------------- muscle


@pytest.fixture(scope="module")
def muscle():
    recording = beamform(MUSCLE, **{"beamforming.depth": (0.0, 0.054)})
    scan = {"frame_rate": recording.frame_rate, "spacing": recording.spacing, "sound_speed": recording.sound_speed}
    return mv.Recording.of_array(recording.iq, centre_frequency=recording.centre_frequency, **scan)


def test_a_living_muscle_echoes_lower_than_it_was_insonified(muscle):
    found = autocorrelation_velocity(muscle, Velocity(**(WINDOWS | {"ensemble_window": 0.0})), quiet=True)
    assert np.median(found.centre_frequency) == pytest.approx(4.36e6, abs=0.1e6)


def test_a_living_muscle_moves_as_it_was_seen_to_move(muscle):
    # An independent estimate, over pixels whose echo stays alike: median -7 um, 5th to 95th percentile -58 to +26.
    windows = Velocity(axial_window=0.002, lateral_window=0.001, ensemble_window=0.0)
    found = autocorrelation_velocity(muscle, windows, quiet=True)
    alike = local_coherence(muscle, windows)
    thin = alike.shape[0] // found.velocity.shape[1]
    depth = (np.arange(found.velocity.shape[1]) + 0.5) * found.spacing[0]
    superficial = ((depth > 0.002) & (depth < 0.035))[:, None]
    alike = alike[thin // 2 :: thin]
    moved = 1e6 * found.velocity[0][superficial & (alike >= 0.8)]
    assert np.median(alike[superficial[:, 0]]) >= 0.85
    assert np.median(moved) == pytest.approx(-7, abs=2)
    low, high = np.percentile(moved, [5, 95])
    assert low == pytest.approx(-58, rel=0.1)
    assert high == pytest.approx(26, rel=0.1)


def test_a_living_muscle_is_imaged_sharply(muscle):
    # The deep aponeurosis, a bright line across the picture at 20 to 25 mm, is under a millimetre thick.
    echo = np.abs(muscle.iq[0])
    dz = muscle.spacing[0]
    rows = slice(round(0.019 / dz), round(0.026 / dz))
    line = echo[rows].argmax(0) * dz + 0.019
    slope, start = np.polyfit(np.arange(len(line)), line, 1)
    away = np.abs(line - (start + slope * np.arange(len(line))))
    assert np.percentile(away, 90) < 0.001
    brightness = echo[rows].max(0).mean() / np.median(echo[rows])
    assert brightness > 4
