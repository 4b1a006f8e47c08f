"""Figures: what is drawn has the right units, direction, limits and values."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from myovivo import plot
from myovivo.errors import InputError
from myovivo.sequences.labels import MotorUnits
from myovivo.sequences.recording import Recording
from myovivo.sequences.sequence import Sequence

SPACING = (0.0005, 0.00025)  # 0.5 mm deep, 0.25 mm wide


@pytest.fixture
def ax():
    return Figure().subplots()


def test_variance_is_in_decibel_of_squared_mm_per_s_and_depth_runs_down(ax):
    variance = np.array([[1e-6, 1e-5], [1e-4, 1e-8], [1e-6, 1e-6], [1e-6, 1e-6]])  # (m/s)²
    assert plot.variance_map(variance, SPACING, ax, limits=(-30, 20)) is ax
    image = ax.images[0]
    np.testing.assert_allclose(image.get_array()[:2], [[0, 10], [20, -20]], atol=1e-9)
    assert image.get_clim() == (-30, 20)
    assert image.get_extent() == pytest.approx([0, 0.5, 2.0, 0])  # mm
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("lateral (mm)", "depth (mm)")


def test_standardised_variance_is_not_scaled(ax):
    plot.variance_map(np.full((4, 4), 10.0), SPACING, ax, "SD", limits=(0, 20))
    np.testing.assert_allclose(ax.images[0].get_array(), 10.0)
    assert "SD²" in ax.figure.axes[1].get_ylabel()


def test_a_frame_is_in_mm_per_s_about_zero(ax):
    plot.frame(np.array([[1e-3, -4e-3], [0, 2e-3]]), SPACING, ax)
    np.testing.assert_allclose(ax.images[0].get_array(), [[1, -4], [0, 2]])
    assert ax.images[0].get_clim() == (-4, 4)


def test_b_mode_is_in_decibel_of_amplitude(ax):
    echo = np.full((4, 6), 1 + 0j)
    echo[0, 0] = 0.1j
    plot.b_mode(echo, SPACING, ax)
    image = ax.images[0]
    assert image.get_array()[0, 0] == pytest.approx(-20)
    assert image.get_clim() == (-50, 0)


def test_signed_differences_are_symmetric_and_absolute_ones_start_at_zero(ax):
    plot.difference_map(np.linspace(-1e-3, 3e-3, 16).reshape(4, 4), SPACING, ax)
    low, high = ax.images[0].get_clim()
    assert low == -high == pytest.approx(-3.0, rel=0.03)
    other = Figure().subplots()
    plot.difference_map(np.linspace(0, 3e-3, 16).reshape(4, 4), SPACING, other, limit=2.0)
    assert other.images[0].get_clim() == (0, 2)


def test_correlation_and_lag_leave_undefined_pixels_out(ax):
    values = np.array([[0.5, np.nan], [1.0, 0.25]])
    plot.correlation_map(values, SPACING, ax)
    assert ax.images[0].get_clim() == (0, 1)
    assert np.ma.getmaskarray(np.ma.masked_invalid(ax.images[0].get_array())).sum() == 1
    other = Figure().subplots()
    plot.lag_map(values / 10, SPACING, other, limit=0.1)
    np.testing.assert_allclose(other.images[0].get_array().max(), 100.0)  # ms
    assert other.images[0].get_clim() == (-100, 100)


def test_territory_outlines_lie_around_the_territory_in_mm(ax):
    mask = np.zeros((2, 20, 20), bool)
    mask[0, 5:10, 4:12] = True  # the second has no pixel and no outline
    plot.territories(mask, SPACING, ax)
    points = np.concatenate([path.vertices for one in ax.collections for path in one.get_paths()])
    assert points[:, 0].min() == pytest.approx(4 * 0.25)
    assert points[:, 1].min() == pytest.approx(5 * 0.5)
    assert points[:, 1].max() == pytest.approx(10 * 0.5)


@pytest.mark.parametrize(("size", "shown"), [(128, 63), (40, 20)])
def test_kspace_axis_is_in_cycles_per_mm_up_to_nyquist(ax, size, shown):
    spacing = (0.0005, 0.0005)
    magnitude = np.ones((min(64, size) - 1,) * 2)
    magnitude[4, 9] = 10.0
    plot.kspace(magnitude, (size, size), spacing, ax)
    image = ax.images[0]
    assert image.get_array().shape == (shown, shown)
    assert image.get_array().max() == pytest.approx(20.0)  # dB of a magnitude
    step = 1 / (size * 0.5)
    assert image.get_extent() == pytest.approx([0.5 * step, (shown + 0.5) * step, (shown + 0.5) * step, 0.5 * step])
    assert (shown - 1) * step < 1.0 + 1e-9  # the Nyquist frequency of 0.5 mm pixels


def test_psd_draws_mean_and_sd_in_decibel(ax):
    frequency = np.arange(1.0, 5.0)
    curves = np.log(10.0) * np.array([[1, 2, 3, 4], [3, 2, 3, 0]])
    plot.psd(frequency, {"vivo": curves, "none": curves[:1]}, ax, {"vivo": plot.VIVO}, highest=3)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [20, 20, 30, 20])
    assert ax.lines[0].get_color() == plot.VIVO
    assert ax.get_xlim() == (0, 3)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["vivo", "none"]


def test_time_signals_share_one_scale_and_do_not_touch(ax):
    rng = np.random.default_rng(0)
    silico = rng.standard_normal((50, 3)) * [1.0, 5.0, 0.2]
    plot.time_signals(silico, 0.5 * silico, 1000.0, ax, ["a", "b", "c"], "SD")
    curves = [line for line in ax.lines if len(line.get_xdata()) == 50]
    assert len(curves) == 6
    np.testing.assert_allclose(curves[0].get_xdata(), np.arange(50))  # ms
    for index in range(3):
        drawn = curves[2 * index].get_ydata()
        np.testing.assert_allclose(drawn - drawn.mean(), silico[:, index] - silico[:, index].mean(), atol=1e-12)
    for upper, lower in ((0, 2), (2, 4)):
        assert curves[upper].get_ydata().min() > curves[lower].get_ydata().max()
    assert {"a", "b", "c"} <= {text.get_text() for text in ax.texts}


def test_depth_profile_runs_down_in_mm(ax):
    plot.depth_profile([0.001, 0.003], [1e-3, -2e-3], [0, 1e-3], ax)
    np.testing.assert_allclose(ax.lines[0].get_xdata(), [1, -2])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [1, 3])
    assert ax.get_ylim() == (4, 0)


def test_a_band_marks_the_depths_that_differ_at_the_left_edge(ax):
    plot.depth_band([0.001, 0.002, 0.003], [1e-3] * 3, [0] * 3, [3e-3] * 3, ax, label="a − b", p=[0.2, 0.05, 0.001])
    band = ax.collections[0].get_paths()[0].vertices
    assert (band[:, 0].min(), band[:, 0].max()) == (0, 3)
    np.testing.assert_allclose(ax.lines[-1].get_ydata(), [2, 3])
    assert ax.get_xlabel() == "a − b (mm/s)"
    plot.depth_band([0.001, 0.002], [0, 0], [0, 0], [0, 0], ax)
    assert ax.get_xlabel() == "a − b (mm/s)"  # a second band over the first keeps what it says


def test_significance_is_outlined_where_p_is_small(ax):
    p = np.ones((20, 20))
    p[5:10, 4:12] = 0.05
    plot.significance(p, SPACING, ax)
    points = np.concatenate([path.vertices for one in ax.collections for path in one.get_paths()])
    assert points.min(axis=0) == pytest.approx([4 * 0.25, 5 * 0.5])
    assert not plot.significance(np.ones((5, 5)), SPACING, Figure().subplots()).collections


def test_losses_are_smoothed_over_a_fiftieth(ax):
    plot.losses(np.arange(200), {"gan": np.tile([0.0, 2.0], 100)}, ax)
    drawn = ax.lines[0].get_ydata()
    assert len(drawn) == 197
    np.testing.assert_allclose(drawn, 1.0)


def test_common_limits_cover_all_maps_together():
    assert plot.common_limits([np.array([0.0, 1.0]), np.array([5.0, np.nan])], 0, 100) == (0.0, 5.0)
    assert plot.common_limits([np.zeros(3)]) == (0.0, 1.0)


def test_without_axes_a_figure_is_made(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    from matplotlib import pyplot

    ax = plot.frame(np.ones((3, 3)), SPACING)
    assert ax.figure in [pyplot.figure(number) for number in pyplot.get_fignums()]
    pyplot.close("all")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda ax: plot.frame(np.ones(3), SPACING, ax), r"\(Z, X\)"),
        (lambda ax: plot.difference_map(np.ones((3, 3)), SPACING, ax, unit="m/s"), "unit must be"),
        (lambda ax: plot.time_signals(np.ones((5, 2)), np.ones((5, 3)), 10.0, ax), r"\(T, N\)"),
    ],
)
def test_what_breaks_a_rule_is_refused(ax, call, words):
    with pytest.raises(InputError, match=words):
        call(ax)


# ----------------------------------------------------------------------------- sequences as they are


def moving(frames=150, mean=1.0):
    """A sequence whose pixel (z, x) has the variance (z + x + 1)², (mm/s)², with a territory of four pixels."""
    course = np.tile([1.0, -1.0], frames // 2)[:, None, None]
    amplitude = np.add.outer(np.arange(8), np.arange(6)) + 1.0
    mask = np.zeros((1, 8, 6), bool)
    mask[0, 2:4, 1:3] = True
    units = MotorUnits(
        (np.array([0.1]),), (np.array([-1]),), np.zeros((1, 2)), np.ones(1), mask, mask * 1.0, np.zeros((1, frames))
    )
    return Sequence(1e-3 * (mean + course * amplitude), 500.0, SPACING, units), amplitude


def test_the_variance_of_a_sequence_is_drawn_with_its_own_spacing(ax):
    sequence, amplitude = moving()
    assert plot.variance_map(sequence, ax=ax) is ax
    np.testing.assert_allclose(ax.images[0].get_array(), 20 * np.log10(amplitude), atol=1e-4)
    assert ax.images[0].get_extent() == pytest.approx([0, 6 * 0.25, 8 * 0.5, 0])


def test_a_frame_of_a_sequence_is_picked_by_its_number(ax):
    sequence, _ = moving()
    plot.frame(sequence, index=3, ax=ax)
    np.testing.assert_allclose(ax.images[0].get_array(), 1e3 * sequence.velocity[3])
    for index, options in ((0, {}), (-1, {"index": -1})):
        other = plot.frame(sequence, ax=Figure().subplots(), **options)
        np.testing.assert_allclose(other.images[0].get_array(), 1e3 * sequence.velocity[index])


def test_a_frame_of_a_recording_is_read_from_its_blocks(ax):
    iq = np.exp(np.random.default_rng(0).standard_normal((130, 4, 6))) + 0j
    recording = Recording.of_array(iq, frame_rate=1e3, spacing=SPACING, centre_frequency=7e6)
    plot.b_mode(recording, ax=ax, index=100)
    direct = plot.b_mode(iq[100], SPACING, Figure().subplots())
    np.testing.assert_allclose(ax.images[0].get_array(), direct.images[0].get_array(), atol=1e-4)
    assert ax.images[0].get_extent() == direct.images[0].get_extent()
    with pytest.raises(InputError, match="there is no frame 130; the recording has 130"):
        plot.b_mode(recording, index=130)


def test_territories_come_from_a_sequence_or_its_labels_and_need_no_map(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    from matplotlib import pyplot

    sequence, _ = moving()
    ax = plot.territories(sequence)
    pyplot.close("all")
    assert ax.get_ylim() == (4.0, 0.0)  # mm, depth runs down
    other = plot.territories(sequence.labels, SPACING, Figure().subplots())
    for drawn in (ax, other):
        points = np.concatenate([path.vertices for one in drawn.collections for path in one.get_paths()])
        assert points.min(0) == pytest.approx([1 * 0.25, 2 * 0.5])
        assert points.max(0) == pytest.approx([3 * 0.25, 4 * 0.5])


def test_signals_of_two_sequences_are_those_of_the_pixels_asked_for(ax):
    sequence, _ = moving()
    twice = sequence.replace(velocity=2 * sequence.velocity)
    plot.time_signals(sequence, twice, ax=ax, pixels=[(0, 1), (7, 5)])
    curves = [line.get_ydata() for line in ax.lines if len(line.get_xdata()) == len(sequence)]
    assert len(curves) == 4
    assert np.ptp(curves[1]) == pytest.approx(2 * np.ptp(curves[0])) == pytest.approx(2 * 4)  # mm/s, peak to peak
    assert np.ptp(curves[2]) == pytest.approx(2 * 13)
    busiest = plot.time_signals(sequence, twice, ax=Figure().subplots())
    (first, _) = [line.get_ydata() for line in busiest.lines if len(line.get_xdata()) == len(sequence)]
    assert np.ptp(first) == pytest.approx(2 * 13)


def test_a_sequence_draws_its_variance_and_its_territories(ax):
    sequence, _ = moving()
    assert sequence.plot(ax) is ax
    direct = plot.variance_map(sequence, ax=Figure().subplots())
    np.testing.assert_array_equal(ax.images[0].get_array(), direct.images[0].get_array())
    assert ax.collections
    assert not sequence.replace(labels=None).plot(Figure().subplots()).collections


def test_what_is_no_sequence_but_looks_like_one_is_drawn_alike(ax):
    class Mine:
        velocity, frame_rate, spacing = moving()[0].velocity, 500.0, SPACING

    assert len(plot.variance_map(Mine(), ax=ax).images) == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda s, ax: plot.variance_map(np.ones((3, 3))), r"give spacing=\(dz, dx\) in m, or a Sequence"),
        (lambda s, ax: plot.frame(np.ones((3, 3)), ax=ax), r"give spacing=\(dz, dx\) in m, or a Sequence"),
        (lambda s, ax: plot.b_mode(np.ones((3, 3)), ax=ax), r"give spacing=\(dz, dx\) in m, or a Sequence"),
        (lambda s, ax: plot.territories(s.labels, ax=ax), r"give spacing=\(dz, dx\) in m, or a Sequence"),
        (lambda s, ax: plot.variance_map(s, ax), "has its own spacing, got Axes.* name the axes ax="),
        (lambda s, ax: plot.variance_map(np.ones((3, 3)), ax), r"spacing must be \(dz, dx\) in m, got Axes"),
        (lambda s, ax: plot.frame(np.ones((3, 3)), (0.0, 1e-3), ax), "spacing must be positive"),
        (lambda s, ax: plot.variance_map(s, ax=ax, unit="SD"), "a Sequence is in m/s"),
        (lambda s, ax: plot.frame(s, ax=ax, unit="SD"), "a Sequence is in m/s"),
        (lambda s, ax: plot.frame(s, ax=ax, index=150), "no frame 150; the sequence has 150"),
        (lambda s, ax: plot.frame(np.ones((3, 3)), SPACING, ax, index=2), "index=2 picks a frame of a Sequence"),
        (lambda s, ax: plot.territories(s.replace(labels=None), ax=ax), "has no labels"),
        (lambda s, ax: plot.territories(np.ones((3, 3)), SPACING, ax), r"masks \(K, Z, X\)"),
        (lambda s, ax: plot.time_signals(s, s.velocity[:, 0], ax=ax), "got one of each"),
        (lambda s, ax: plot.time_signals(np.ones((9, 1)), np.ones((9, 1)), ax=ax), "need frame_rate"),
        (lambda s, ax: plot.time_signals(s, s, 500.0, ax), "have their own frame rate"),
        (lambda s, ax: plot.time_signals(s, s.crop(0.1), ax=ax), "must be alike"),
        (lambda s, ax: plot.time_signals(s, s, ax=ax, pixels=[(8, 0)]), r"within \(8, 6\), got \[\[8, 0\]\]"),
    ],
)
def test_what_does_not_belong_together_is_refused(ax, call, words):
    with pytest.raises(InputError, match=words) as error:
        call(moving()[0], ax)
    assert "\n" not in str(error.value)
