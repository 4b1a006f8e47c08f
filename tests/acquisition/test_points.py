"""Points that an independent simulator (pymust) insonifies with waves of all kinds: imaged where they are, and as other
beamformers (pymust, ustb) image them."""

import contextlib
import dataclasses
import io
from typing import NamedTuple

import numpy as np
import pytest
from arrays import FC, FS, WAVELENGTH, Array, C, channels_of, curved, delays_from, linear, one_wave, pixel

from myovivo.acquisition.beamform import beamform
from myovivo.acquisition.delays import insonified
from myovivo.acquisition.settings import Velocity
from myovivo.acquisition.velocity import autocorrelation_velocity

pymust = pytest.importorskip("pymust", reason="the oracle; pip install pymust")


class Scene(NamedTuple):
    """A scan of points: the array, the wave, and where the points are."""

    array: Array
    source: tuple[float, float] | None
    points: tuple[tuple[float, float], ...]
    angle: float = 0.0


SCENES = {
    "diverging": Scene(linear(), (0.0, -8e-3), ((0.0, 15e-3), (6e-3, 18e-3), (-8e-3, 22e-3))),
    "diverging, tilted": Scene(linear(), (4e-3, -8e-3), ((0.0, 15e-3), (-6e-3, 20e-3))),
    "focused, before": Scene(linear(), (0.0, 30e-3), ((0.0, 16e-3), (2e-3, 12e-3))),
    "focused, at": Scene(linear(), (1e-3, 20e-3), ((1e-3, 20e-3),)),
    "focused, beyond": Scene(linear(), (0.0, 12e-3), ((0.0, 20e-3), (-1.5e-3, 22e-3))),
    "curved, all at once": Scene(curved(), (0.0, -25e-3), ((0.0, 15e-3), (8e-3, 16e-3), (-12e-3, 18e-3))),
    "curved, plane": Scene(curved(), None, ((0.0, 15e-3), (5e-3, 18e-3)), np.deg2rad(4)),
    "curved, focused": Scene(curved(), (0.0, 25e-3), ((0.0, 15e-3), (1e-3, 12e-3))),
}


def firing(scene):
    """Delays of a scene's wave and when it passes the origin."""
    array = scene.array
    if scene.source is not None:
        return delays_from(array, scene.source)
    path = array.x * np.sin(scene.angle) + array.z * np.cos(scene.angle)
    return (path - path.min()) / C, -path.min() / C


def parameters_of(array):
    return pymust.utils.Param(
        fc=FC, fs=FS, c=C, pitch=array.pitch, kerf=array.pitch / 10, Nelements=len(array.x), radius=array.radius,
        bandwidth=70, TXnow=1,
    )  # fmt: skip


def received(scene):
    """RF (S, E), and the time of its first sample since the wave passed the origin."""
    array = scene.array
    delays, crossing = firing(scene)
    x, z = np.array(scene.points).T
    # pymust puts the ends of a curved array at depth 0; a silent point far away makes the records long enough.
    x, z = np.append(x, 0.0), np.append(z, 32e-3) - array.z.min()
    rf, _ = pymust.simus(x, z, np.append(np.ones(len(scene.points)), 0.0), delays[None], parameters_of(array))
    return rf, -crossing


def near(point, pixels=121):
    return {
        "beamforming.depth": (point[1] - 1.5e-3, point[1] + 1.5e-3),
        "beamforming.width": (point[0] - 1.8e-3, point[0] + 1.8e-3),
        "beamforming.rows": 4 * pixels - 4,
        "beamforming.columns": pixels,
    }


def envelope(scene, rf, start, grid):
    channels = channels_of(scene.array, rf, scene.source, scene.angle, start)
    recording = beamform(channels, device="cpu", **grid)
    dz, dx = recording.spacing
    depth, width = grid["beamforming.depth"], grid["beamforming.width"]
    z = depth[0] + (np.arange(recording.shape[1]) + 0.5) * dz
    x = width[0] + (np.arange(recording.shape[2]) + 0.5) * dx
    return np.abs(recording.iq[0]), z, x


@pytest.fixture(scope="module", params=SCENES, ids=lambda name: name.replace(", ", "-"))
def scene(request):
    chosen = SCENES[request.param]
    return chosen, *received(chosen)


def test_points_are_imaged_where_they_are(scene):
    scene, rf, start = scene
    for point in scene.points:
        image, z, x = envelope(scene, rf, start, near(point))
        row, column = np.unravel_index(image.argmax(), image.shape)
        assert abs(z[row] - point[1]) < WAVELENGTH / 2
        assert abs(x[column] - point[0]) < scene.array.pitch  # an image line


def overlap(ours, theirs):
    """Correlation where the wave passes: elsewhere ours is zero."""
    passed = ours > 0
    return np.corrcoef(ours[passed], theirs[passed])[0, 1]


def test_envelopes_are_those_of_pymust(scene):
    scene, rf, start = scene
    if scene.source is not None and scene.source[1] > 0:
        pytest.skip("pymust takes the quickest element, which behind and beside a focus is not the wave")
    point = scene.points[-1]
    image, z, x = envelope(scene, rf, start, near(point) | {"beamforming.f_number": 0.0})
    delays, _ = firing(scene)
    xx, zz = np.meshgrid(x, z - scene.array.z.min())
    param = parameters_of(scene.array)
    iq = pymust.rf2iq(rf, pymust.utils.Param(fc=FC, fs=FS, bandwidth=120))
    param.fnumber, param.t0 = 0, np.zeros(1)
    matrix = pymust.dasmtx(1j * np.array(iq.shape), xx, zz, delays[None], param)
    theirs = np.abs(matrix @ iq.ravel(order="F")).reshape(xx.shape, order="F")
    assert overlap(image, theirs) > 0.98


def test_envelopes_are_those_of_ustb(scene):
    pytest.importorskip("ustb", reason="ustb is not installed")
    from pyuff_ustb import ChannelData as Theirs
    from pyuff_ustb import LinearScan, Point, Probe, Pulse, Wave, Wavefront
    from ustb.enums import Window
    from ustb.midprocess import DAS

    scene, rf, start = scene
    array, point = scene.array, scene.points[-1]
    image, z, x = envelope(scene, rf, start, near(point) | {"beamforming.f_number": 0.0})
    ones = np.full(len(array.x), array.pitch)
    probe = Probe(geometry=np.stack([array.x, 0 * array.x, array.z, array.look, 0 * array.x, ones, ones]))
    distance, azimuth = (np.inf, scene.angle) if scene.source is None else _polar(scene.source)
    wave = Wave(
        wavefront=Wavefront.plane if scene.source is None else Wavefront.spherical,
        source=Point(distance=distance, azimuth=azimuth, elevation=0.0),
        sound_speed=C,
        delay=0.0,
    )
    das = DAS()
    das.scan = LinearScan(x_axis=x, z_axis=z)
    das.channel_data = Theirs(
        sampling_frequency=FS, initial_time=start, sound_speed=C, modulation_frequency=0.0,
        pulse=Pulse(center_frequency=FC), probe=probe, sequence=[wave], data=rf[:, :, None, None],
    )  # fmt: skip
    das.receive_apodization.window = Window.none
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = np.abs(das.go().data).reshape(len(x), len(z)).T
    assert overlap(image, theirs) > 0.98


def _polar(source):
    """Distance and azimuth as UFF counts them: of a source behind the array, too, from the depth axis."""
    return np.hypot(*source), np.arctan2(*source)


@pytest.mark.parametrize("name", ["diverging", "curved, all at once"])
def test_the_image_of_a_sector_is_zero_beside_it(name):
    scene = SCENES[name]
    rf, start = received(scene)
    channels = channels_of(scene.array, rf, scene.source, scene.angle, start)
    grid = {"beamforming.depth": (1e-3, 20e-3)}
    recording = beamform(channels, device="cpu", **grid, **{"beamforming.width": (-20e-3, 20e-3)})
    _, waves = one_wave(scene.array, scene.source)
    dz, dx = recording.spacing
    z, x = 1e-3 + (np.arange(recording.shape[1]) + 0.5) * dz, -20e-3 + (np.arange(recording.shape[2]) + 0.5) * dx
    passed = insonified(*pixel(z.astype("f4"), x.astype("f4")), waves)[:, :, 0, 0].numpy()
    assert 0.2 < passed.mean() < 0.95
    assert np.all(recording.iq[0][~passed] == 0)
    if not np.isinf(scene.array.radius):  # unasked, the image is as wide as the sector
        recording = beamform(channels, device="cpu", **grid)
        half = recording.shape[2] * recording.spacing[1] / 2
        assert half == pytest.approx((scene.array.radius + 20e-3) * np.sin(scene.array.look[-1]), rel=0.02)


@pytest.mark.parametrize("name", ["diverging", "curved, all at once"])
def test_motion_along_depth_is_measured_right_beside_the_middle(name):
    """Where waves and echoes run aslant, the phase per displacement is smaller; Loupas' estimator knows by how much."""
    scene, speed, rate = SCENES[name], 10e-3, 1000.0
    x, z = scene.points[-1]
    rng = np.random.default_rng(0)
    cloud = np.stack([x + rng.uniform(-1.5e-3, 1.5e-3, 40), z + rng.uniform(-1.5e-3, 1.5e-3, 40)], 1)
    records = []
    for frame in range(6):
        moved = cloud - np.array([0, speed * frame / rate])
        rf, start = received(scene._replace(points=tuple(map(tuple, moved))))
        records.append(rf)
    shortest = min(map(len, records))
    channels = channels_of(scene.array, records[0][:shortest], scene.source, scene.angle, start)
    data = np.stack([rf[:shortest] for rf in records])[:, None]
    channels = dataclasses.replace(channels, blocks=lambda: iter([data]), shape=data.shape)
    recording = beamform(channels, device="cpu", **near((x, z), 41))
    windows = {"axial_window": 1e-3, "lateral_window": 1e-3, "ensemble_window": 2e-3}
    speeds = {}
    for estimator in ("loupas", "kasai"):
        found = autocorrelation_velocity(recording, Velocity(estimator=estimator, **windows), quiet=True)
        rows, columns = found.velocity.shape[1] // 4, found.velocity.shape[2] // 4
        speeds[estimator] = float(np.median(found.velocity[1:-1, rows:-rows, columns:-columns]))
    assert speeds["loupas"] == pytest.approx(speed, rel=0.03)
    assert speeds["kasai"] < 0.97 * speeds["loupas"]
