"""Channel data that an independent simulator (pymust) makes of known motion, against what the chain measures."""

import numpy as np
import pytest
from scipy.signal import filtfilt, firwin

from myovivo.acquisition.acquire import acquire
from myovivo.acquisition.beamform import beamform
from myovivo.acquisition.channel_data import ChannelData
from myovivo.acquisition.settings import Velocity
from myovivo.acquisition.velocity import autocorrelation_velocity

pymust = pytest.importorskip("pymust", reason="the oracle; pip install pymust")

C, FC, FS = 1540.0, 5e6, 20e6
ELEMENTS, PITCH = 32, 0.3e-3
FRAME_RATE, SPEED = 2000.0, 10e-3
IMAGE = {"beamforming.depth": (10e-3, 18e-3), "beamforming.width": (-4e-3, 4e-3)}
GRID = IMAGE | {"beamforming.rows": 96, "beamforming.columns": 32}
ANGLES = np.deg2rad([-6.0, 0.0, 6.0])


def simulated(x, z, strength, angle=0.0):
    """RF (S, E) of point scatterers and the time of its first sample as `ChannelData` counts it."""
    param = pymust.utils.Param(
        fc=FC, fs=FS, c=C, pitch=PITCH, kerf=PITCH / 10, Nelements=ELEMENTS, radius=np.inf, bandwidth=60, TXnow=2
    )
    # The 60 % band and two-cycle pulse fit into the 67 % that sampling at 4/3 of the frequency can hold.
    delays = pymust.txdelayPlane(param, angle)
    # A silent scatterer in the far corner: the length of a record depends on the farthest one.
    x, z, strength = np.append(x, 5e-3), np.append(z, 20e-3), np.append(strength, 0.0)
    rf, _ = pymust.simus(x, z, strength, delays, param)
    # The simulator's clock starts when the first element fires, its pulses are centred on that moment, and
    # a plane wave passes the middle of the array at the mean of the delays.
    return rf, -float(delays.mean())


@pytest.fixture(scope="module")
def speckle():
    rng = np.random.default_rng(1)
    x, z = rng.uniform(-5e-3, 5e-3, 500), rng.uniform(9e-3, 19e-3, 500)
    return x, z, rng.standard_normal(500)


@pytest.fixture(scope="module")
def approaching(speckle):
    """(T, S, E): speckle on its way to the probe at 10 mm/s; backwards in time it moves away."""
    x, z, strength = speckle
    frames = [simulated(x, z - SPEED / FRAME_RATE * frame, strength)[0] for frame in range(16)]
    return np.stack(frames)


def channels_of(data, **changes):
    scan = {"frame_rate": FRAME_RATE, "sampling_frequency": FS, "centre_frequency": FC, "start_time": np.zeros(1)}
    return ChannelData.of_array(data, pitch=PITCH, sound_speed=C, **(scan | changes))


def velocity_of(data, estimator="loupas", **changes):
    """Velocity over time and pixels, without the edges, where windows are cut."""
    settings = Velocity(estimator=estimator, axial_window=1e-3, lateral_window=1e-3, ensemble_window=1e-3)
    recording = beamform(channels_of(data, **changes), **GRID)
    return autocorrelation_velocity(recording, settings, quiet=True).velocity[2:-2, 3:-3, 4:-4]


def noisy(rf, snr_db):
    scale = np.sqrt(np.mean(np.square(rf))) * 10 ** (-snr_db / 20)
    return rf + np.random.default_rng(0).normal(0, scale, rf.shape)


@pytest.mark.parametrize("snr_db", [np.inf, 20, 10, 0])
@pytest.mark.parametrize("direction", [1, -1])
def test_speed_and_sign_come_back_also_from_noise(approaching, direction, snr_db):
    found = velocity_of(noisy(approaching[::direction], snr_db))
    assert found.mean() == pytest.approx(direction * SPEED, rel=0.02)


@pytest.mark.parametrize("detuning", [0.92, 1.0, 1.08])
def test_loupas_does_not_need_the_centre_frequency_that_kasai_needs(approaching, detuning):
    found = {e: velocity_of(approaching, e, centre_frequency=FC * detuning).mean() for e in ("loupas", "kasai")}
    assert found["loupas"] == pytest.approx(SPEED, rel=0.02)
    assert abs(found["loupas"] - SPEED) <= abs(found["kasai"] - SPEED)
    # The simulated pulse is centred below FC itself, so Kasai is compared with Kasai as declared.
    assert found["kasai"] * detuning == pytest.approx(velocity_of(approaching, "kasai").mean(), rel=0.01)


@pytest.fixture(scope="module", params=[(1.3e-3, 15.2e-3), (-2.0e-3, 12.33e-3)], ids=["right", "left"])
def point(request):
    """One scatterer's place and its records for three plane waves, each cut so that it starts at another time."""
    x, z = request.param
    records, start = [], []
    for angle, cut in zip(ANGLES, (90, 60, 75), strict=True):
        rf, first = simulated(np.array([x]), np.array([z]), np.ones(1), angle)
        records.append(rf[cut:])
        start.append(first + cut / FS)
    samples = min(len(record) for record in records)
    data = np.stack([record[:samples] for record in records])
    return x, z, np.stack([data, data]), np.array(start)


def image_of(point, waves):
    x, z, data, start = point
    channels = channels_of(data[:, waves], angles=ANGLES[waves], start_time=start[waves])
    near = {"beamforming.depth": (z - 1.5e-3, z + 1.5e-3), "beamforming.width": (x - 1.5e-3, x + 1.5e-3)}
    recording = beamform(channels, **near, **{"beamforming.rows": 150, "beamforming.columns": 150})
    image = np.abs(recording.iq[0])
    row, column = np.unravel_index(image.argmax(), image.shape)
    dz, dx = recording.spacing
    return image.max(), (row + 0.5) * dz - 1.5e-3, (column + 0.5) * dx - 1.5e-3


@pytest.mark.parametrize("waves", [[0], [1], [2], [0, 1, 2]], ids=["-6", "0", "6", "compound"])
def test_a_point_is_imaged_where_it_is(point, waves):
    _, below, beside = image_of(point, waves)
    assert abs(below) < 1e-4
    assert abs(beside) < 1e-4


def test_waves_of_different_angles_and_start_times_add_up_in_phase(point):
    compound, *_ = image_of(point, [0, 1, 2])
    single = np.mean([image_of(point, [wave])[0] for wave in range(3)])
    assert compound == pytest.approx(single, rel=0.05)


def test_an_oscillation_comes_back_with_its_amplitude_and_phase(speckle):
    frequency, amplitude, rate = 20.0, 10e-6, 500.0
    x, z, strength = speckle
    period = round(rate / frequency)
    # A cosine passes every place twice in its period of 25 frames: 13 are simulated.
    frame = np.arange(period)
    half = [simulated(x, z - amplitude * np.cos(2 * np.pi * k / period), strength)[0] for k in range(period // 2 + 1)]
    rf = np.stack(half)[np.minimum(frame, period - frame)]
    # A trace of noise, as two equal frames in a row, around the turning point, would count as a dropped one.
    channels = channels_of(noisy(np.tile(rf, (16, 1, 1)), 80), frame_rate=rate)
    sequence = acquire(
        channels,
        quiet=True,
        **GRID,
        **{"output.rows": 24, "output.columns": 32, "output.frame_rate": None},
        **{"velocity.axial_window": 1e-3, "velocity.lateral_window": 1e-3, "velocity.ensemble_window": 0.004},
    )
    assert sequence.shape == (16 * period, 24, 32)
    # Whole periods, away from where the filter sets in.
    frames = np.arange(4 * period, 12 * period)
    course = sequence.velocity[frames, 3:-3, 4:-4].mean((1, 2))
    found = 2 * np.mean(course * np.exp(-2j * np.pi * frequency * frames / rate))
    assert abs(found) == pytest.approx(2 * np.pi * frequency * amplitude, rel=0.03)
    delay = np.angle(found / 1j) / (2 * np.pi * frequency)  # the velocity of a cosine is i times it
    assert abs(delay) < 0.2e-3


@pytest.mark.parametrize("first", [0, 1, 2])
def test_band_pass_sampling_shows_and_measures_the_same(approaching, first):
    sampling = {"sampling_frequency": FS / 3, "start_time": np.array([first / FS])}
    undersampled = approaching[:, first::3]  # 4/3 of the centre frequency
    assert velocity_of(undersampled, **sampling).mean() == pytest.approx(velocity_of(approaching).mean(), rel=0.01)
    images = [
        np.abs(beamform(channels_of(data[:2], **changes), **GRID).iq).ravel()
        for data, changes in ((approaching, {}), (undersampled, sampling))
    ]
    assert np.corrcoef(*images)[0, 1] > 0.99


@pytest.mark.parametrize("thin", [1, 4])
def test_channel_iq_measures_what_its_rf_does(approaching, thin):
    t = np.arange(approaching.shape[1]) / FS
    mixed = approaching * np.exp(-2j * np.pi * FC * t)[:, None]
    iq = filtfilt(firwin(61, 2.4e6, fs=FS), 1.0, mixed, axis=1)[:, ::thin]
    found = velocity_of(iq, sampling_frequency=FS / thin)
    reference = velocity_of(approaching)
    assert found.mean() == pytest.approx(reference.mean(), rel=0.01)
    assert np.sqrt(np.mean(np.square(found - reference))) < 0.01 * SPEED
