"""Each metric against figures worked out by hand or by an independent library."""

import warnings

import numpy as np
import pytest
from scipy.signal import periodogram
from skimage.metrics import structural_similarity

from myovivo.errors import InputError
from myovivo.evaluation import content, crossing, map_features, metrics, moments

ROW, COLUMN = np.mgrid[0:12, 0:10]
MAP_A = ((ROW * 7 + COLUMN * 3) % 11) * 0.5 - 3.0
MAP_B = ((ROW * 5 + COLUMN * COLUMN) % 13) * 0.25 + 1.0
MAP_C = np.sin(0.7 * ROW) * np.cos(0.4 * COLUMN)

# cv2.compareHist (OpenCV 5.0.0) of the maps after cv2.normalize to 0..255 as CV_8U and cv2.calcHist with 256 bins.
OPENCV = [
    (MAP_A, MAP_B, 0.8615584167925526, 0.22794787034725075),
    (MAP_A, MAP_C, 0.8953451762415774, 0.07224688297540321),
    (MAP_B, MAP_C, 0.9217766723269814, 0.020730211173724606),
    (MAP_A, MAP_A, 0.0, 1.0),
]


@pytest.fixture
def rng():
    return np.random.default_rng(20)


# ------------------------------------------------------------------------------ variance and histogram


def test_log_variance_of_a_square_wave_is_that_of_its_amplitude():
    amplitude = np.array([[0.0, 0.5], [1.0, 2.0]])
    velocity = amplitude * np.array([1.0, -1.0, 1.0, -1.0])[:, None, None] + 7.0
    expected = np.log(np.array([[1e-6, 0.250001], [1.000001, 4.000001]]))
    np.testing.assert_allclose(map_features.log_variance_map(velocity), expected, rtol=1e-12)


def test_variance_is_the_same_whatever_the_blocks(rng, monkeypatch):
    velocity = rng.standard_normal((50, 12, 9)).astype(np.float32)
    monkeypatch.setattr(moments, "BLOCK_VALUES", 50 * 9 * 2)
    np.testing.assert_allclose(moments.temporal_variance(velocity), velocity.astype(float).var(axis=0), rtol=1e-12)


def test_variance_keeps_its_digits_under_a_large_mean_and_is_zero_where_nothing_moves(rng):
    velocity = 1e6 + rng.standard_normal((77, 5, 4))
    velocity[0] += 50  # the frame that the sums start from is far from the others
    velocity[:, 2] = 0.3
    variance = moments.temporal_variance(velocity)
    expected = (velocity - 1e6 - (velocity - 1e6).mean(axis=0)).var(axis=0)
    np.testing.assert_allclose(np.delete(variance, 2, axis=0), np.delete(expected, 2, axis=0), rtol=1e-9)
    assert not variance[2].any()
    assert not moments.temporal_variance(velocity.astype(np.float32))[2].any()


def test_histogram_rounds_and_counts_every_pixel():
    # 0..255 in steps of 0.6: levels round to the nearest, not down.
    values = np.array([[0.0, 0.4, 0.6, 1.4], [1.6, 254.4, 254.6, 255.0]])
    counts = map_features.histogram(values)
    assert {level: counts[level] for level in np.flatnonzero(counts)} == {0: 2, 1: 2, 2: 1, 254: 1, 255: 2}


def test_a_histogram_of_other_bins_scales_to_as_many_levels():
    np.testing.assert_array_equal(map_features.histogram(np.array([[0.0, 0.3, 0.6, 1.0]]), bins=3), [1, 2, 1])
    np.testing.assert_allclose(map_features.log_variance(np.zeros((2, 2)), offset=1e-4), np.log(1e-4))


def test_a_constant_map_is_all_in_the_first_bin():
    counts = map_features.histogram(np.full((8, 8), 3.3))
    assert counts[0] == 64
    assert counts.sum() == 64


@pytest.mark.parametrize(("map_a", "map_b", "distance", "correlation"), OPENCV)
def test_histogram_columns_equal_opencv(map_a, map_b, distance, correlation):
    assert metrics.bhattacharyya_distance(map_a, map_b) == pytest.approx(distance, abs=1e-9)
    assert metrics.histogram_correlation(map_a, map_b) == pytest.approx(correlation, abs=1e-9)


def test_crossed_histograms_equal_opencv_on_small_ones():
    first, second = np.array([[1, 2, 3, 4, 0, 0]]), np.array([[4, 0, 2, 2, 1, 3]])
    # sqrt(1 - (2 + 0 + sqrt 6 + sqrt 8) / sqrt(10 * 12)), which is what cv2.compareHist gives too.
    assert crossing.cross_bhattacharyya(first, second)[0, 0] == pytest.approx(0.5793273053014198, abs=1e-7)
    assert crossing.cross_pearson(first, second)[0, 0] == pytest.approx(-0.1732050807568877, abs=1e-12)


def test_disjoint_histograms_are_one_apart():
    first, second = np.eye(256)[:1], np.eye(256)[5:6]
    assert crossing.cross_bhattacharyya(first, second)[0, 0] == 1.0


def test_histogram_columns_ignore_gain_and_offset_of_a_map(rng):
    map_a, map_b = rng.standard_normal((2, 32, 32))
    for metric in (metrics.bhattacharyya_distance, metrics.histogram_correlation):
        assert metric(3.0 * map_a - 5.0, map_b) == pytest.approx(metric(map_a, map_b), abs=0.02)


# ------------------------------------------------------------------------------------------- K-space


def test_kspace_finds_a_ripple_at_its_spatial_frequency():
    size, down, across = 100, 5, 3  # cycles per map in depth and laterally
    z, x = np.mgrid[0:size, 0:size]
    magnitude = map_features.kspace(np.cos(2 * np.pi * (down * z + across * x) / size))
    assert np.unravel_index(magnitude.argmax(), magnitude.shape) == (down - 1, across - 1)
    assert magnitude.max() == pytest.approx(size * size / 2)


@pytest.mark.parametrize(("size", "crop"), [((128, 128), (63, 63)), ((64, 96), (63, 63)), ((32, 40), (31, 39))])
def test_kspace_of_small_maps_is_cropped_at_their_size(size, crop, rng):
    values = rng.standard_normal(size)
    assert map_features.kspace(values).shape == crop
    np.testing.assert_allclose(map_features.kspace(values), np.abs(np.fft.fft2(values))[1:64, 1:64])


@pytest.mark.parametrize("size", [(128, 128), (40, 24), (8, 8)])
def test_kspace_ssim_equals_scikit_image(size, rng):
    map_a, map_b = rng.standard_normal(size), 1.3 * rng.standard_normal(size)
    expected = structural_similarity(map_features.kspace(map_a), map_features.kspace(map_b), data_range=255)
    assert metrics.kspace_ssim(map_a, map_b) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("window", "data_range"), [(7, 255.0), (5, 64.0), (11, 1024.0)])
def test_crossed_ssim_equals_scikit_image_for_every_pair(rng, window, data_range):
    scale = np.array([1.0, 10.0, 300.0, 3000.0])[:, None, None]
    first, second = scale[:3] * rng.random((3, 63, 63)), scale * rng.random((4, 63, 63))
    second[3] = first[2] * 1.01
    options = {"data_range": data_range, "win_size": window}
    expected = [[structural_similarity(a, b, **options) for b in second] for a in first]
    np.testing.assert_allclose(crossing.cross_ssim(first, second, window, data_range), expected, atol=1e-6, rtol=0)


def test_crossed_ssim_is_the_same_in_any_blocks(rng, monkeypatch):
    a, b = rng.gamma(2.0, 40.0, (3, 20, 16)), rng.gamma(2.0, 40.0, (7, 20, 16))
    whole = crossing.cross_ssim(a, b)
    monkeypatch.setattr(crossing, "_BLOCK_IMAGES", 3)
    np.testing.assert_allclose(crossing.cross_ssim(a, b), whole, rtol=1e-12)
    np.testing.assert_allclose(whole[2, 6], structural_similarity(a[2], b[6], data_range=255), rtol=1e-9)


def test_normalised_kspace_ssim_ignores_contrast_where_the_plain_one_does_not(rng):
    map_a, map_b = np.cumsum(rng.standard_normal((2, 64, 64)), axis=1)
    map_b = map_a + 0.3 * map_b
    assert metrics.kspace_ssim_normalised(2.5 * map_a + 4, map_b) == pytest.approx(
        metrics.kspace_ssim_normalised(map_a, map_b), abs=1e-9
    )
    assert abs(metrics.kspace_ssim(2.5 * map_a + 4, map_b) - metrics.kspace_ssim(map_a, map_b)) > 0.05


def test_normalised_kspace_of_a_constant_map_is_zero():
    assert not map_features.kspace_normalised(np.full((16, 16), 2.0)).any()


# --------------------------------------------------------------------------------------------- spectra


@pytest.mark.parametrize("frames", [64, 65])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mean_psd_equals_scipy(frames, dtype, rng):
    velocity = (rng.standard_normal((frames, 12, 10)) + 3).astype(dtype)
    frequency, psd = moments.mean_psd(velocity, 512.0)
    expected_frequency, expected = periodogram(velocity.astype(float), 512.0, detrend="constant", axis=0)
    np.testing.assert_allclose(frequency, expected_frequency[1:])
    np.testing.assert_allclose(psd, expected.mean(axis=(1, 2))[1:], rtol=1e-5 if dtype == np.float32 else 1e-10)


def test_psd_correlation_equals_numpy_on_scipys_periodogram(rng):
    velocity_a, velocity_b = rng.standard_normal((2, 128, 9, 8))
    velocity_b = np.cumsum(velocity_b, axis=0)
    logs = [
        np.log(periodogram(v, 256.0, detrend="constant", axis=0)[1].mean(axis=(1, 2))[1:])
        for v in (velocity_a, velocity_b)
    ]
    expected = np.corrcoef(*logs)[0, 1]
    assert metrics.psd_correlation(velocity_a, velocity_b, 256.0) == pytest.approx(expected, abs=1e-9)


def test_psd_correlation_ignores_gain_and_offset(rng):
    velocity = rng.standard_normal((64, 9, 9))
    assert metrics.psd_correlation(velocity, -4 * velocity + 2, 512.0) == pytest.approx(1.0)


def test_moments_agree_with_their_parts(rng):
    velocity = rng.standard_normal((40, 11, 9)).astype(np.float32) * 1e-3
    mean, variance, _, psd = moments.moments(velocity, 512.0)
    np.testing.assert_allclose(mean, velocity.astype(float).mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(variance, moments.temporal_variance(velocity), rtol=1e-12)
    np.testing.assert_allclose(psd.sum() * 512.0 / 40, variance.mean(), rtol=1e-5)  # Parseval


# --------------------------------------------------------------------------------------- content, lag

FRAME_RATE = 512.0


def pulses(frames=400, rows=3, columns=4, seed=3):
    """Smooth random signals that are zero towards both ends, so that a shift loses nothing."""
    rng = np.random.default_rng(seed)
    signal = np.zeros((frames, rows, columns))
    signal[150:250] = rng.standard_normal((100, rows, columns))
    signal[150:250] -= signal[150:250].mean(axis=0)
    return signal


@pytest.mark.parametrize("shift", [-51, -7, 0, 1, 30, 51])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_imposed_shift_is_measured_back_with_its_sign(shift, dtype):
    silico = pulses()
    translated = 3.0 * np.roll(silico, shift, axis=0)  # positive: the translated signal comes later
    correlation, lag = content.content_correlation(silico.astype(dtype), translated.astype(dtype), FRAME_RATE)
    np.testing.assert_allclose(lag, shift / FRAME_RATE, rtol=1e-12)
    np.testing.assert_allclose(correlation, 1.0, atol=1e-5)


def test_each_pixel_has_its_own_lag():
    silico = pulses(rows=2, columns=3)
    shifts = np.array([[-20, -3, 0], [5, 17, 40]])
    translated = np.empty_like(silico)
    for (z, x), shift in np.ndenumerate(shifts):
        translated[:, z, x] = np.roll(silico[:, z, x], shift)
    _, lag = content.content_correlation(silico, translated, FRAME_RATE)
    np.testing.assert_allclose(lag, shifts / FRAME_RATE)


def test_a_lag_beyond_the_range_is_found_only_over_the_full_range():
    silico = pulses()
    translated = np.roll(silico, 90, axis=0)
    near, near_lag = content.content_correlation(silico, translated, FRAME_RATE)
    full, full_lag = content.content_correlation(silico, translated, FRAME_RATE, max_lag=None)
    assert near.max() < 0.8
    assert np.abs(near_lag).max() <= 51 / FRAME_RATE
    np.testing.assert_allclose(full, 1.0)
    np.testing.assert_allclose(full_lag, 90 / FRAME_RATE)


def test_inverted_motion_correlates_at_minus_one_without_lag():
    silico = pulses() + 2.0
    correlation, lag = content.content_correlation(silico, 1.0 - 0.2 * silico, FRAME_RATE, max_lag=0)
    np.testing.assert_allclose(correlation, -1.0)
    assert not lag.any()


def test_content_correlation_equals_a_direct_sum_in_any_blocks(rng, monkeypatch):
    silico, translated = rng.standard_normal((2, 60, 5, 3))
    monkeypatch.setattr(moments, "BLOCK_VALUES", 60 * 3 * 2)
    correlation, lag = content.content_correlation(silico, translated, 100.0, max_lag=0.08)
    for z in range(5):
        for x in range(3):
            a, b = silico[:, z, x] - silico[:, z, x].mean(), translated[:, z, x] - translated[:, z, x].mean()
            every = np.correlate(b, a, "full") / np.linalg.norm(a) / np.linalg.norm(b)  # lags -59 .. 59
            window = every[59 - 8 : 59 + 9]
            assert correlation[z, x] == pytest.approx(window.max(), abs=1e-12)
            assert lag[z, x] == pytest.approx((window.argmax() - 8) / 100.0)


def test_motionless_pixels_are_undefined_in_silico_and_zero_in_translation():
    silico, translated = pulses(rows=1, columns=3), pulses(rows=1, columns=3)
    silico[:, 0, 0] = 0.3
    translated[:, 0, 1] = 0.1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for dtype in (np.float32, np.float64):
            correlation, lag = content.content_correlation(silico.astype(dtype), translated.astype(dtype), FRAME_RATE)
            assert np.isnan(correlation[0, 0])
            assert correlation[0, 1] == 0.0
            assert correlation[0, 2] == pytest.approx(1.0, abs=1e-5)
            np.testing.assert_array_equal(np.isnan(lag), [[True, True, False]])


# ---------------------------------------------------------------------------------------------- refusal


def with_nan(array):
    array = np.array(array, float)
    array.flat[5] = np.nan
    return array


CUBE = np.random.default_rng(0).standard_normal((16, 9, 9))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: map_features.log_variance_map(with_nan(CUBE)), "must be finite"),
        (lambda: map_features.log_variance_map(CUBE[0]), r"\(T, Z, X\)"),
        (lambda: metrics.bhattacharyya_distance(with_nan(MAP_A), MAP_B), "must be finite"),
        (lambda: metrics.histogram_correlation(MAP_A[0], MAP_B), r"\(Z, X\)"),
        (lambda: metrics.kspace_ssim(np.ones((7, 20)), np.ones((7, 20))), "at least 8"),
        (lambda: metrics.kspace_ssim(np.ones((20, 20)), np.ones((22, 20))), "same size"),
        (lambda: metrics.psd_correlation(CUBE, CUBE[:10], 512.0), "equally long"),
        (lambda: metrics.psd_correlation(CUBE, with_nan(CUBE), 512.0), "must be finite"),
        (lambda: metrics.psd_correlation(CUBE[:3], CUBE[:3], 512.0), "at least 4 frames"),
        (lambda: metrics.psd_correlation(CUBE, CUBE, 0.0), "frame_rate must be positive"),
        (lambda: content.content_correlation(CUBE, CUBE[:, 1:], 512.0), "same shape"),
        (lambda: content.content_correlation(CUBE, with_nan(CUBE), 512.0), "translated must be finite"),
        (lambda: content.content_correlation(CUBE, CUBE, 512.0, max_lag=-0.001), "max_lag must be 0 or more"),
    ],
)
def test_what_breaks_a_rule_is_refused_in_one_line(call, words):
    with pytest.raises(InputError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)
