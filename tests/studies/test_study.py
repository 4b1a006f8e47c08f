"""The study: its plan, what it refuses, its tables, and once the whole way."""

import csv
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import yaml
from scipy.ndimage import gaussian_filter

from myovivo.cli import main
from myovivo.errors import FileError, InputError
from myovivo.models.presets import TRAIN_PRESETS
from myovivo.reporting.tables import Table
from myovivo.runs.folder import read_run
from myovivo.sequences.header import read_header
from myovivo.sequences.labels import MotorUnits
from myovivo.sequences.sequence import Sequence
from myovivo.studies.plan import steps_of
from myovivo.studies.presets import STUDY_PRESETS
from myovivo.studies.study import study, study_settings

RATE, SPACING = 128.0, (0.001, 0.001)
MODELS = {
    "paper-2d": {
        "generator.features": 4,
        "discriminator.features": 4,
        "data.clip": (1, 32, 32),
        "optimiser.steps": 2,
    }
}


def sequence(seed, origin, subject, shape=(32, 32, 32), rate=RATE, spacing=SPACING, labelled=True):
    rng = np.random.default_rng(seed)
    velocity = gaussian_filter(rng.standard_normal(shape), (2, 2, 2))
    mask = np.zeros((1, *shape[1:]), bool)
    mask[0, 4:9, 4:9] = True
    labels = MotorUnits(
        spike_times=(np.array([0.05, 0.15]),),
        sync_partner=(np.array([-1, -1]),),
        centre=np.array([[0.006, 0.006]]),
        diameter=np.array([0.005]),
        mask=mask,
        weight=mask.astype(np.float32),
        source=np.zeros((1, shape[0]), np.float32),
    )
    return Sequence(1e-3 * velocity / velocity.std(), rate, spacing, labels if labelled else None, origin, subject)


def domain(folder, origin, subjects=4, runs=2, **options):
    folder.mkdir(parents=True)
    for number in range(subjects * runs):
        subject = f"{origin}{number // runs}"
        sequence(number, origin, subject, **options).save(folder / f"sub-{subject}_run-{number % runs}_tvi.h5")
    return folder


@pytest.fixture
def folders(tmp_path):
    return {
        "silico.folder": str(domain(tmp_path / "silico", "silico")),
        "vivo.folder": str(domain(tmp_path / "vivo", "vivo")),
    }


# ------------------------------------------------------------------------------------ the plan


@pytest.mark.parametrize("preset", STUDY_PRESETS)
def test_a_preset_makes_a_plan_with_all_models_of_the_paper_and_ours(preset):
    settings = study_settings(preset)
    names = {step.name for step in steps_of(settings)}
    assert {f"models/{name}" for name in TRAIN_PRESETS} <= names
    assert {f"translated/{name}" for name in TRAIN_PRESETS} <= names
    assert {"data/silico-simplified", "data/vivo-slow", "models/simplified", "models/slow", "results"} <= names


def test_the_paper_preset_changes_no_network_of_the_paper():
    assert all(not changes for changes in STUDY_PRESETS["paper"]["models"].values())
    assert study_settings("paper").grid.frames == 1024


def test_settings_come_from_yaml_and_dotted_changes(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"models": {"mine": {"preset": "paper-2d", "optimiser.steps": 7}}, "seed": 3}))
    settings = study_settings(path, **{"grid.rows": 64})
    assert settings.seed == 3
    assert settings.grid.rows == 64
    assert settings.training("mine").optimiser.steps == 7
    assert settings.training("mine").dimensions == 2


BAD = [
    ({}, {}, "at least one model"),
    ("mine", {}, "mine: is neither a preset nor a file; presets: small, paper"),
    ({"models": {"mine": {}}}, {}, "neither a preset nor a file"),
    ({"models": {"paper-2d": {"optimiser.stepps": 1}}}, {}, "no setting 'optimiser.stepps'"),
    ({"models": MODELS, "experiments": {"slow": "house"}}, {}, "'house' is none of the models, paper-2d"),
    ({"models": MODELS, "vivo": {"subjects": 1}}, {}, "vivo.subjects: .*greater than or equal to 2"),
    ({"models": MODELS, "vivo": {"subjects": 2, "runs": 1}, "held_out": 0.5}, {}, "at least two recordings .* got 1"),
    ({"models": {"house": {"data.clip": (64, 128, 64)}}, "grid": {"rows": 64}}, {}, "needs clips of all 64 rows"),
    ({"models": MODELS}, {"subjects": 1, "runs": 3}, "at least two subjects, to test on others, got 1: vivo0"),
    ({"models": MODELS}, {"rate": 256.0}, "256 frames/s but .*silico has 128; .*or set resample to yes"),
    ({"models": MODELS}, {"spacing": (0.002, 0.001)}, "pixels of 2 x 1 mm but .*set resample to yes"),
    ({"models": MODELS}, {"shape": (32, 24, 32)}, r"must share a size, got \(24, 32\) and \(32, 32\) pixels"),
    ({"models": MODELS, "resample": True}, {"spacing": (0.002, 0.001)}, "shows 64 x 32 mm and .* 32 x 32 mm"),
    (
        {"models": MODELS, "experiments": {"identification": "paper-2d"}},
        {"subjects": 4},
        "at least 3 held-out subjects, got 1 of 4; take more subjects",
    ),
    (
        {"models": MODELS, "experiments": {"identification": "paper-2d"}, "held_out": 0.75},
        {"labelled": False},
        "has no labels, so identification cannot be scored on it; set experiments.identification to none",
    ),
]


@pytest.mark.parametrize(("settings", "recorded", "rule"), BAD)
def test_what_cannot_work_is_refused_before_anything_is_made(tmp_path, settings, recorded, rule):
    if recorded:
        settings = {
            **settings,
            "silico": {"folder": str(domain(tmp_path / "silico", "silico"))},
            "vivo": {"folder": str(domain(tmp_path / "vivo", "vivo", **recorded))},
        }
    with pytest.raises((InputError, FileError), match=rule):
        study(settings, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_recordings_alone_set_the_grid_of_the_simulation(tmp_path):
    folder = domain(tmp_path / "vivo", "vivo", shape=(40, 32, 16), rate=61.0)
    settings = study_settings({"models": MODELS, "vivo": {"folder": str(folder)}})
    (simulate,) = [step for step in steps_of(settings) if step.name == "data/silico"]
    grid = simulate.arguments["settings"].grid
    assert (grid.frames, grid.frame_rate, grid.rows, grid.columns) == (40, 61.0, 32, 16)
    assert (grid.depth, grid.width) == pytest.approx((0.032, 0.016))


# ------------------------------------------------------------------------------------ resampling


def test_resampling_keeps_slow_motion_and_filters_what_the_new_rate_cannot_hold():
    time = np.arange(1024) / 512
    slow, fast = np.sin(2 * np.pi * 10 * time), np.sin(2 * np.pi * 200 * time)
    one = Sequence((slow + fast)[:, None, None] * np.ones((1, 4, 4)), 512.0, SPACING)
    half = one.resample(256.0)
    middle = slice(64, -64)
    assert half.frame_rate == 256.0
    assert half.shape == (512, 4, 4)
    np.testing.assert_allclose(half.velocity[middle, 0, 0], slow[::2][middle], atol=0.01)


def test_resampling_keeps_extent_labels_and_spike_times():
    one = sequence(0, "silico", "a")
    half = one.resample(RATE / 2, (16, 16))
    assert half.spacing == pytest.approx((0.002, 0.002))
    assert half.labels.mask.shape == (1, 16, 16)
    assert half.labels.source.shape == (1, 16)
    np.testing.assert_array_equal(half.labels.spike_times[0], one.labels.spike_times[0])
    assert half.provenance["source"] == dict(one.provenance)


def test_resampling_to_nothing_is_refused():
    with pytest.raises(InputError, match="cannot be resampled to 1 Hz"):
        sequence(0, "silico", "a").resample(1.0)


# ------------------------------------------------------------------------------------ tables

TABLE = Table("one", "50 % & more_of it", ("row", "x"), (("a_b", "0.10 ± 0.05"), ("c", "1,000")), (1,))


def test_a_table_reads_back_from_csv():
    assert list(csv.reader(TABLE.csv().splitlines())) == [["row", "x"], ["a_b", "0.10 ± 0.05"], ["c", "1,000"]]


def test_latex_escapes_what_would_be_commands_and_draws_the_groups():
    text = TABLE.latex()
    assert r"\caption{50 \% \& more\_of it}" in text
    assert r"a\_b & 0.10 $\pm$ 0.05 \\" in text
    assert text.count(r"\midrule") == 2
    assert text.count("{") == text.count("}")


def test_html_escapes():
    assert "<th>a&lt;b</th>" in Table("one", "", ("row",), (("a<b",),)).html()


# ------------------------------------------------------------------------------------ the whole way


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.images = [], 0

    def handle_starttag(self, tag, attributes):
        self.images += tag == "img"
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_study_of_ones_own_sequences_from_folders_to_the_page(tmp_path, folders, capsys):
    config = tmp_path / "mine.yaml"
    config.write_text(yaml.safe_dump({"models": json.loads(json.dumps(MODELS)), **folders}))
    out = tmp_path / "out"
    assert main(["study", str(config), str(out), "--quiet", "--jobs", "1", "--device", "cpu"]) == 0
    printed = capsys.readouterr().out
    assert "vivo-vivo" in printed

    # Split by subject, and judged on subjects that no training has seen.
    recipe = read_run(out / "models/paper-2d")["recipe"]["vivo"]
    seen = {read_header(out / "data/vivo" / name).subject for name in recipe["train"]}
    tested = {read_header(out / "data/vivo" / name).subject for name in recipe["test"]}
    assert seen
    assert tested
    assert not seen & tested

    results = out / "results"
    rows = {row["row"]: row for row in csv.DictReader((results / "table1.csv").read_text().splitlines())}
    assert {"none", "paper-2d", "vivo-vivo", "paper: vivo-vivo"} <= set(rows)
    exact = json.loads((results / "metrics.json").read_text())["family"]["rows"]
    for row in exact:  # the table is what was measured
        mean, sd = (row["columns"]["DBhat"][key] for key in ("mean", "sd"))
        assert rows[row["name"]]["DBhat"] == f"{mean:.2f} ± {sd:.2f}"
    page = Tags()
    page.feed((results / "index.html").read_text())
    assert page.open == []
    assert page.images == 6
    assert re.search(r"<svg", (results / "figure5.svg").read_text())
    assert (results / "table2.tex").exists()


def test_numbers_without_end_are_refused_by_the_settings():
    with pytest.raises(InputError, match=r"vivo\.subjects: .*less than or equal to 1000000"):
        study_settings({"models": MODELS, "vivo": {"subjects": 10**400}})
