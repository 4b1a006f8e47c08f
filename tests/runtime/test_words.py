"""What is said to users: times, counts, names that were probably meant; and the progress that says them."""

import pytest

from myovivo.runtime.progress import Bar
from myovivo.runtime.words import counted, did_you_mean, nearest, spoken_time

NAMES = ["model", "grid.frames", "grid.frame_rate", "grid.rows", "output.rows", "firing.rate"]


@pytest.mark.parametrize(
    ("seconds", "spoken"),
    [
        (0, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (150, "2 min"), (3599, "59 min"), (3600, "1 h"),
        (132037, "36 h 40 min"), (48 * 3600, "2 days"),
    ],
)  # fmt: skip
def test_times_are_spoken(seconds, spoken):
    assert spoken_time(seconds) == spoken


def test_counts_agree_with_their_nouns():
    assert [counted(n, "sequence") for n in (0, 1, 2)] == ["0 sequences", "1 sequence", "2 sequences"]
    assert [counted(n, "axis", "axes") for n in (1, 2)] == ["1 axis", "2 axes"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("grid.frame", ["grid.frames"]),
        ("frames", ["grid.frames"]),
        ("rows", ["grid.rows", "output.rows"]),
        ("firing.rates", ["firing.rate"]),
        ("gird.rows", ["grid.rows"]),
        ("modle", ["model"]),
        ("frame_rat", ["grid.frame_rate"]),
        ("grid", ["grid.frames", "grid.frame_rate", "grid.rows"]),
        ("xyzzy", []),
    ],
)
def test_the_name_that_was_meant(name, meant):
    assert nearest(name, NAMES) == meant


def test_how_it_is_proposed():
    assert did_you_mean("rows", NAMES) == "; did you mean grid.rows or output.rows?"
    assert did_you_mean("frames", NAMES, "--") == "; did you mean --grid.frames?"
    assert did_you_mean("xyzzy", NAMES) == ""


def test_progress_in_a_log_says_the_time_left_in_hours_and_minutes(capsys, monkeypatch):
    clock = iter([0.0, 60.0, 61.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    with Bar("train", 1000) as bar:
        bar.advance(1, "loss 3")
    first, last = capsys.readouterr().err.splitlines()
    assert first == "train: 1/1000, 1 min, 16 h 39 min left loss 3"
    assert last.startswith("train: 1/1000, 1 min,")
