"""Diverging, focused and plane waves of linear and curved arrays: recognised by their delays, and where they pass."""

import numpy as np
import pytest
from arrays import FC, FS, WAVELENGTH, C, channels_of, curved, delays_from, linear, one_wave, pixel

from myovivo.acquisition.beamform import beamform
from myovivo.acquisition.channel_data import ChannelData
from myovivo.acquisition.delays import echo_time, insonified
from myovivo.acquisition.waves import fit_wave
from myovivo.errors import InputError

TOLERANCE = 0.125 / FC

# ------------------------------------------------------------------------------------ what delays are


@pytest.mark.parametrize("array", [linear(), curved()], ids=["linear", "curved"])
@pytest.mark.parametrize("source", [(0, -5e-3), (4e-3, -9e-3), (-2e-3, -0.1), (0, 15e-3), (-3e-3, 30e-3), (6e-3, 0.05)])
def test_the_source_of_delays_is_recovered(array, source):
    delays, crossing = delays_from(array, source)
    wave = fit_wave(array.x, array.z, delays + 3e-6, C, TOLERANCE)
    assert wave.source == pytest.approx(source, rel=1e-4, abs=1e-6)
    assert wave.crossing == pytest.approx(crossing + 3e-6, abs=1e-10)
    assert wave.residual < 1e-10


@pytest.mark.parametrize("array", [linear(), curved()], ids=["linear", "curved"])
@pytest.mark.parametrize("degrees", [-20, 0, 7])
def test_plane_waves_are_recognised(array, degrees):
    angle = np.deg2rad(degrees)
    delays = (array.x * np.sin(angle) + array.z * np.cos(angle)) / C + 1e-6
    wave = fit_wave(array.x, array.z, delays, C, TOLERANCE)
    assert wave.angle == pytest.approx(angle, abs=1e-7)
    assert np.isnan(wave.source).all()
    assert wave.crossing == pytest.approx(1e-6, abs=1e-10)


def test_equal_delays_of_a_curved_array_come_from_the_middle_of_its_circle():
    array = curved()
    wave = fit_wave(array.x, array.z, np.zeros(64), C, TOLERANCE)
    assert wave.source == pytest.approx((0, -array.radius), abs=1e-7)


@pytest.mark.parametrize("part", [slice(0, 24), slice(30, 64)])
def test_a_part_of_the_array_that_fires_is_enough(part):
    array, delays = linear(), np.full(64, np.nan)
    whole, crossing = delays_from(array, (-4e-3, 20e-3))
    delays[part] = whole[part]
    wave = fit_wave(array.x, array.z, delays, C, TOLERANCE)
    assert wave.source == pytest.approx((-4e-3, 20e-3), abs=2e-6)
    assert wave.crossing == pytest.approx(crossing, abs=1e-9)


def test_a_single_element_is_a_source():
    array, delays = linear(), np.full(64, np.nan)
    delays[10] = 2e-6
    wave = fit_wave(array.x, array.z, delays, C, TOLERANCE)
    assert wave.source == (array.x[10], 0)
    assert wave.crossing == pytest.approx(2e-6 + abs(array.x[10]) / C)


def test_clock_ticks_do_not_hide_a_wave():
    array = linear()
    delays, _ = delays_from(array, (1e-3, -12e-3))
    wave = fit_wave(array.x, array.z, np.round(delays / 12.5e-9) * 12.5e-9, C, TOLERANCE)
    assert wave.source == pytest.approx((1e-3, -12e-3), rel=0.01)
    assert wave.residual < 12.5e-9


def test_delays_of_no_wave_leave_a_residual():
    array = linear()
    two = np.minimum(delays_from(array, (-5e-3, 10e-3))[0], delays_from(array, (5e-3, 10e-3))[0])
    assert fit_wave(array.x, array.z, two, C, TOLERANCE).residual > 2 * TOLERANCE


# ---------------------------------------------------------------------------------------- the kernel


@pytest.mark.parametrize("source", [(3e-3, -8e-3), (-2e-3, 16e-3)], ids=["diverging", "focused"])
@pytest.mark.parametrize("make", [linear, curved], ids=["linear", "curved"])
def test_echo_times_are_those_of_the_quickest_element(make, source):
    """Of an array so fine that its elements make the wave: Fermat's principle, with no source in it."""
    array, fine = make(), make(6401, 3e-6)
    delays, crossing = delays_from(fine, source)
    z, x = np.array([5e-3, 9e-3]), np.array([-1e-3, 0.0, 1e-3])
    found = echo_time(*pixel(z.astype("f4"), x.astype("f4")), *one_wave(array, source), C)[:, :, 0].numpy()
    there = (delays + np.hypot(z[:, None, None] - fine.z, x[:, None] - fine.x) / C).min(-1)
    back = np.hypot(z[:, None, None] - array.z, x[:, None] - array.x) / C
    np.testing.assert_allclose(found, there[..., None] - crossing + back, atol=1e-3 / FC)


def test_the_wave_is_steady_through_its_focus():
    elements, wave = one_wave(linear(), (0.0, 20e-3))
    z = np.linspace(15e-3, 25e-3, 2001, dtype="f4")
    time = echo_time(*pixel(z, np.zeros(1, "f4")), elements, wave, C)[:, 0, 0, 0].numpy()
    assert np.abs(np.diff(time)).max() < 3 * (z[1] - z[0]) / C


def test_a_sector_is_insonified_and_no_more():
    array = curved()
    _, wave = one_wave(array, (0.0, -array.radius))
    edge = array.look[-1] + np.arcsin(array.pitch / 2 / array.radius)
    for depth in (10e-3, 40e-3):
        around = (array.radius + depth) * np.array([np.cos(edge), np.sin(edge)])
        z = np.array([around[0] - array.radius], "f4")
        x = around[1] + np.array([-0.3e-3, 0.3e-3], "f4")
        inside = insonified(*pixel(z, x.astype("f4")), wave)[0, :, 0, 0]
        assert inside.tolist() == [True, False]


def test_a_focused_beam_is_a_double_cone():
    array = linear()
    _, wave = one_wave(array, (0.0, 20e-3))
    z, x = np.array([1e-3, 10e-3, 20e-3, 30e-3], "f4"), np.linspace(-12e-3, 12e-3, 481, dtype="f4")
    wide = insonified(*pixel(z, x), wave)[:, :, 0, 0].sum(1).numpy() * (x[1] - x[0])
    aperture = 64 * array.pitch
    diffraction = 2 * WAVELENGTH * 20e-3 / aperture
    assert wide[[0, 1, 3]] == pytest.approx(aperture * np.array([0.95, 0.5, 0.5]), rel=0.08, abs=diffraction)
    assert wide[2] == pytest.approx(diffraction, rel=0.2)  # across slanted rays, in steps of 50 um


def test_what_does_not_fire_casts_a_shadow():
    _, wave = one_wave(linear(), None, apertures=np.array([[-9.6e-3, 0.0]]))
    x = np.array([-1e-3, 1e-3], "f4")
    assert insonified(*pixel(np.array([10e-3], "f4"), x), wave).ravel().tolist() == [True, False]


def test_an_image_that_no_wave_passes_is_refused():
    channels = channels_of(curved(), np.zeros((2000, 64)), (0.0, -25e-3))
    with pytest.raises(InputError, match="no wave passes the image"):
        beamform(channels, **{"beamforming.depth": (5e-3, 10e-3), "beamforming.width": (0.05, 0.06)})


@pytest.mark.parametrize(
    "scan",
    [
        {"sources": [(0.0, -1e-2), (0.0, -1e-2)]},
        {"sources": [(0.0, np.nan)]},
        {"element_z": np.zeros(5)},
        {"element_angles": np.full(64, 2.0)},
        {"apertures": [(1e-3, -1e-3)]},
    ],
)
def test_a_broken_geometry_is_refused(scan):
    with pytest.raises(InputError, match=next(iter(scan))):
        ChannelData.of_array(
            np.zeros((2, 64, 64)), pitch=3e-4, frame_rate=1e3, sampling_frequency=FS, centre_frequency=FC, **scan
        )


@pytest.mark.parametrize("broken", [np.nan, np.inf, 1e300])
def test_elements_that_lie_nowhere_are_refused(broken):
    x = np.linspace(-0.01, 0.01, 8)
    x[3] = broken
    with pytest.raises(InputError, match="elements must lie within 1 m"):
        fit_wave(x, np.zeros(8), np.zeros(8), 1540.0, 1e-9)
