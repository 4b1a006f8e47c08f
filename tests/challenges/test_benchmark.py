"""The open benchmark: the same bytes on any number of workers, and scores that tell answers apart."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

import myovivo as mv
from myovivo.challenges.cases import VERSION, Case, benchmark_cases
from myovivo.challenges.making import RECORDINGS, TRUTH, make_cases
from myovivo.challenges.scoring import read_events
from myovivo.errors import FileError, InputError
from myovivo.runtime.matlab import read_matlab

GRID = {"frames": 1536, "rows": 16, "columns": 16}
DOCS = Path(__file__).parents[2] / "docs" / "howto" / "benchmark.rst"


def small_cases():
    settings = {"grid": GRID, "firing": {"units": (3, 3)}, "noise": {"snr_db": 20.0}}
    return [Case(f"simulated-easy-{n + 1}", "simulated", "easy", n, settings) for n in range(3)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("set")
    make_cases(out, small_cases(), True, 1, True)
    return out


def answer(folder, out, late=0.0, drop=0):
    """The truth as an answer, later, and without the last units."""
    out.mkdir()
    for path in sorted((folder / TRUTH).glob("*_events.tsv")):
        trains = read_events(path)
        kept = sorted(trains)[: len(trains) - drop]
        rows = [f"{time + late:.6f}\t0\t{unit}" for unit in kept for time in trains[unit]]
        (out / path.name).write_text("\n".join(["onset\tduration\tmotor_unit", *rows]) + "\n")
    return out


def test_two_numbers_of_workers_give_the_same_bytes(folder, tmp_path):
    make_cases(tmp_path, small_cases(), True, 2, True)
    names = sorted(path.relative_to(folder) for part in (RECORDINGS, TRUTH) for path in (folder / part).glob("[!.]*"))
    assert {path.suffix for path in names} == {".h5", ".json", ".mat", ".npy", ".tsv"}
    for name in names:
        if name.name != "domain.json":
            assert (folder / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_recordings_hold_no_labels_and_go_to_matlab(folder):
    sequence = mv.Sequence.load(folder / RECORDINGS / "simulated-easy-1.h5")
    content = read_matlab(folder / RECORDINGS / "simulated-easy-1.mat")
    assert sequence.labels is None
    np.testing.assert_array_equal(content["velocity"], sequence.velocity)
    assert float(content["frame_rate"].item()) == 512


def test_the_truth_scores_one_and_less_of_it_less(folder, tmp_path):
    score = mv.score_benchmark(folder, answer(folder, tmp_path / "all", late=0.03))
    assert [row.group for row in score.rows] == ["simulated-easy", "all"]
    whole, part = score.rows[-1], mv.score_benchmark(folder, answer(folder, tmp_path / "some", drop=1)).rows[-1]
    assert (whole.units, whole.recordings) == (9, 3)
    assert whole.rate == pytest.approx(1, abs=0.03)
    assert (whole.found, whole.precision) == (1, 1)
    assert np.isnan(whole.jaccard)
    assert part.found == pytest.approx(2 / 3)
    assert part.precision == 1
    assert part.rate_low <= part.rate <= part.rate_high
    assert whole.chance < 0.7


def test_maps_are_scored_from_numpy_and_matlab(folder, tmp_path):
    answers = answer(folder, tmp_path / "maps")
    for number, path in enumerate(sorted((folder / TRUTH).glob("*.npy"))):
        maps = np.load(path)
        if number:
            np.save(answers / path.name, maps)
        else:
            savemat(answers / f"{path.stem}.mat", {"maps": np.moveaxis(maps, 0, -1)})
    assert mv.score_benchmark(folder, answers).rows[-1].jaccard == 1


def test_an_answer_that_knows_nothing_is_at_chance(folder, tmp_path):
    (tmp_path / "null").mkdir()
    rng = np.random.default_rng(0)
    for path in (folder / TRUTH).glob("*_events.tsv"):
        times = [(unit, time) for unit in range(3) for time in np.cumsum(rng.normal(0.1, 0.02, 28))]
        rows = [f"{time:.4f}\t0\t{unit}" for unit, time in times]
        (tmp_path / "null" / path.name).write_text("\n".join(["onset\tduration\tmotor_unit", *rows]))
    row = mv.score_benchmark(folder, tmp_path / "null").rows[-1]
    assert row.rate == pytest.approx(row.chance, abs=0.12)
    assert row.found == 0


def test_the_ten_lines_of_the_page_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("myovivo.challenges.making.benchmark_cases", small_cases)
    page = DOCS.read_text(encoding="utf-8")
    code = page.split(".. code-block:: python\n")[1].split("From MATLAB")[0]
    lines = [line[3:] for line in code.splitlines() if line.strip()]
    assert len(lines) <= 11
    exec("\n".join(lines), {})
    assert "simulated-easy" in capsys.readouterr().out


def test_the_set_is_three_domains_of_three_difficulties():
    cases = benchmark_cases()
    assert VERSION == "1"
    assert len({case.name for case in cases}) == len(cases) == 27
    assert {case.name.rpartition("-")[0] for case in cases} == {
        f"{domain}-{difficulty}"
        for domain in ("simulated", "translated", "phantom")
        for difficulty in ("easy", "medium", "hard")
    }


def test_the_command_makes_and_scores(folder, tmp_path, capsys):
    from myovivo.cli import main

    answers = answer(folder, tmp_path / "a")
    table = tmp_path / "t.csv"
    assert main(["benchmark", "score", str(folder), "--answers", str(answers), "--csv", str(table)]) == 0
    assert "rate of agreement" in capsys.readouterr().out
    assert len(table.read_text().splitlines()) == 3
    assert main(["benchmark", "score", str(folder)]) == 2
    assert "--answers DIR" in capsys.readouterr().err
    assert main(["benchmark", "make", str(tmp_path / "s"), "--only", "magic"]) == 2
    assert "there are phantom-easy" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("onset\tunit\n0.1\t1\n", "needs columns onset"),
        ("onset\tmotor_unit\nlater\t1\n", "with numbers"),
        ("onset\tmotor_unit\n0.1\t-1\n", "unit -1"),
    ],
)
def test_an_answer_that_breaks_a_rule_is_refused(folder, tmp_path, content, says):
    (tmp_path / "simulated-easy-1_events.tsv").write_text(content)
    with pytest.raises(FileError, match=says):
        mv.score_benchmark(folder, tmp_path)


def test_answers_of_another_name_or_size_are_refused(folder, tmp_path):
    with pytest.raises(FileError, match="holds no answer"):
        mv.score_benchmark(folder, tmp_path)
    answers = answer(folder, tmp_path / "a")
    np.save(answers / "simulated-easy-1_maps.npy", np.ones((3, 8, 8)))
    with pytest.raises(FileError, match="must be numbers of the shape"):
        mv.score_benchmark(folder, answers)
    (answers / "other_events.tsv").write_text("onset\tmotor_unit\n")
    with pytest.raises(FileError, match="not in the set: other"):
        mv.score_benchmark(folder, answers)
    with pytest.raises(InputError, match="only must be the beginning"):
        mv.make_benchmark(tmp_path / "s", only=["vivo"])
