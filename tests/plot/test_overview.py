"""The overview of a sequence, and figures at the size of journals."""

import numpy as np
import pytest
from matplotlib import pyplot

from myovivo import plot
from myovivo.errors import InputError
from myovivo.plot.overview import overview
from myovivo.sequences.sequence import Sequence


@pytest.fixture(autouse=True)
def _close():
    yield
    pyplot.close("all")


def sine(amplitude: float = 2e-3, frequency: float = 16.0) -> Sequence:
    """A row that moves twice as fast as the others, m/s."""
    course = amplitude * np.sin(2 * np.pi * frequency * np.arange(512) / 512)
    velocity = np.broadcast_to(course[:, None, None], (512, 8, 6)).astype(np.float32).copy()
    velocity[:, 5, 2] *= 2
    return Sequence(velocity, frame_rate=512.0, spacing=(1e-3, 2e-3), origin="silico", subject="a")


def panels(figure) -> dict:
    return {ax.get_xlabel() or ax.get_ylabel(): ax for ax in figure.axes}


def test_the_power_integrates_to_the_mean_square_at_the_right_frequency():
    ax = panels(overview(sine()))["frequency (Hz)"]
    frequency, level = ax.lines[0].get_data()
    power = 10 ** (level / 10)
    mean_square = (47 * 2.0**2 + 4.0**2) / 48 / 2  # (mm/s)²
    assert frequency[power.argmax()] == 16
    assert power.sum() * (frequency[1] - frequency[0]) == pytest.approx(mean_square, rel=1e-3)


def test_the_speed_by_depth_is_the_rms_in_mm_per_s():
    ax = panels(overview(sine()))["RMS velocity (mm/s)"]
    speed, depth = ax.lines[0].get_data()
    slow, fast = 2 / np.sqrt(2), (5 * 2 + 4) / 6 / np.sqrt(2)
    np.testing.assert_allclose(speed, [slow] * 5 + [fast] + [slow] * 2, rtol=1e-3)
    np.testing.assert_allclose(depth, np.arange(8) + 0.5)


def test_the_course_is_that_of_the_pixel_that_moves_most():
    ax = panels(overview(sine()))["time (ms)"]
    assert np.abs(ax.lines[-1].get_ydata()).max() == pytest.approx(4.0, rel=1e-3)
    assert "5.5 mm deep, 5.0 mm from the left" in ax.get_title()


def test_a_journals_figure_has_its_width_and_letters_that_can_be_edited(tmp_path):
    with plot.journal_style("column", aspect=0.5) as size:
        ax = plot.variance_map(sine())
        ax.figure.savefig(tmp_path / "a.pdf")
        ax.figure.savefig(tmp_path / "a.svg")
    assert size == pytest.approx((0.085 / 0.0254, 0.0425 / 0.0254))
    assert ax.figure.get_size_inches() == pytest.approx(size)
    assert ax.xaxis.label.get_size() == 8
    pdf = (tmp_path / "a.pdf").read_bytes()
    assert b"/Type0" in pdf
    assert b"/Type3" not in pdf
    assert "lateral (mm)</text>" in (tmp_path / "a.svg").read_text()
    assert pyplot.rcParams["pdf.fonttype"] != 42  # as it was, outside


@pytest.mark.parametrize("width", ["wide", 85, 0.0])
def test_a_width_that_cannot_be_is_refused(width):
    with pytest.raises(InputError, match="width must be"), plot.journal_style(width):
        pass
