"""Figures of identified motor units: what is drawn has the right units, order and outlines."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure

from myovivo import plot
from myovivo.errors import InputError
from myovivo.identification.agreement import compare_units
from myovivo.identification.figure import MOST_ROWS, PER_ROW, units_figure
from myovivo.identification.units import Units
from myovivo.plot import FOUND, TRUE
from myovivo.sequences.labels import MotorUnits
from myovivo.sequences.sequence import Sequence

SPACING = (0.001, 0.002)


@pytest.fixture
def ax():
    return Figure().subplots()


def drawn(ax, colour):
    """Times of the ticks of this colour, one array per line."""
    return [line.get_xdata() for line in ax.lines if line.get_color() == colour and len(line.get_xdata())]


def test_a_map_is_drawn_over_its_peak_with_both_outlines(ax):
    weight = np.zeros((10, 10))
    weight[2:6, 2:6] = -4e-4
    found, true = weight < 0, np.roll(weight, 1, 1) < 0
    plot.unit_map(weight, SPACING, ax, found, true)
    assert ax.images[0].get_array().min() == -1
    assert ax.images[0].get_clim() == (-1, 1)
    left = [min(p.vertices[:, 0].min() for p in one.get_paths()) for one in ax.collections]
    assert left == pytest.approx([4.0, 6.0])  # mm: two pixels of 2 mm, and one more for the truth


def test_courses_are_of_peak_1_with_a_tick_at_each_firing_within(ax):
    source = np.array([[0, 2.0, -1, 0], [0, 0, 0, -5.0]])
    plot.unit_courses(source, [[-0.1, 0.001], [0.002, 9.0]], 1000.0, ax, ["a", "b"])
    first, second = (line.get_ydata() for line in ax.lines if len(line.get_xdata()) == 4)
    np.testing.assert_allclose(first, [0, 1, -0.5, 0])
    assert first.min() > second.max()
    assert [list(times) for times in drawn(ax, FOUND)] == [[1.0], [2.0]]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a", "b"]


def test_a_raster_puts_found_firings_under_their_true_ones_less_the_lag(ax):
    true = [np.arange(0.05, 2, 0.1), np.arange(0.08, 2, 0.13)]
    found = [np.array([0.5, 1.1]), true[1] + 0.02, true[0] + 0.02]
    agreement = compare_units(found, true, 2.1)
    plot.raster(found, 2.1, ax, true, agreement)
    blue, red = drawn(ax, FOUND), drawn(ax, TRUE)
    assert len(red) == 2
    assert len(blue) == 3
    np.testing.assert_allclose(blue[0], red[0], atol=5)  # ms
    np.testing.assert_allclose(blue[1], red[1], atol=5)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["1.00", "1.00", "–"]


def test_a_raster_without_truth_has_a_row_per_found_unit(ax):
    plot.raster([[0.1], [0.2, 0.3]], 1.0, ax)
    assert [list(times) for times in drawn(ax, FOUND)] == [[100.0], [200.0, 300.0]]
    assert not drawn(ax, TRUE)


@pytest.mark.parametrize("count", [0, 1, 7, 12])
def test_a_figure_is_drawn_of_any_number_of_units(count):
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((count, 6, 6)).astype(np.float32)
    units = Units(
        tuple(np.array([0.1, 0.2]) for _ in range(count)),
        weight,
        rng.standard_normal((count, 40)).astype(np.float32),
        weight > 1,
        {"firing_rate": np.full(count, 10.0)},
        100.0,
        SPACING,
    )
    figure = units_figure(units)
    figure.savefig(io.BytesIO(), format="png", dpi=30)
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert len(titles) == min(count, PER_ROW * MOST_ROWS)
    if count:
        assert titles[0].startswith("1: 10.0 Hz")


def test_units_draw_their_own_figure_with_the_truth_if_it_is_given():
    weight = np.zeros((2, 6, 6), np.float32)
    weight[0, :2], weight[1, 4:] = 1e-3, -2e-3
    trains = (np.arange(0.1, 4, 0.1), np.arange(0.15, 4, 0.17))
    quality = {"firing_rate": np.array([10.0, 6.0])}
    units = Units(trains, weight, np.ones((2, 400), np.float32), weight != 0, quality, 100.0, SPACING)
    alone = units.plot()
    assert [axes.get_title() for axes in alone.axes if axes.get_title()] == ["1: 10.0 Hz, 1 mm/s", "2: 6.0 Hz, 2 mm/s"]
    assert not any(axes.get_ylabel() == "rate of agreement" for axes in alone.axes)
    masks = weight != 0
    labels = MotorUnits(trains, trains, np.zeros((2, 2)), np.ones(2), masks, weight, np.zeros((2, 400), np.float32))
    sequence = Sequence(np.zeros((400, 6, 6)), 100.0, SPACING, labels)
    for truth in (sequence, labels):
        (raster,) = [axes for axes in units.plot(truth).axes if axes.get_ylabel() == "rate of agreement"]
        assert [text.get_text() for text in raster.get_yticklabels()] == ["1.00", "1.00"]
    with pytest.raises(InputError, match="the sequence has no labels"):
        units.plot(sequence.replace(labels=None))
    assert len(plot.territories(units, ax=Figure().subplots()).collections) >= 2
