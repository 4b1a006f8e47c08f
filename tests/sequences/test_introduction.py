"""What objects say of themselves: a few lines with true numbers, whatever names they hold, and a table."""

import base64
import html
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from domains import domain, labels, tiny

import myovivo as mv
from myovivo.acquisition.inspection import inspect
from myovivo.errors import CheckpointError, FileError
from myovivo.runtime.introduction import LONGEST, Introduction, between, maker, shortened, spread

HOSTILE = "<script>alert('x')</script>\n\x1b[31mred\u2028\x00&\"" + 300 * "long "


def units(count=3):
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((count, 6, 5)).astype(np.float32) * 1e-3
    return mv.Units(
        tuple(np.array([-0.1, 0.1, 0.2]) for _ in range(count)),
        weight,
        rng.standard_normal((count, 40)).astype(np.float32),
        weight > 1e-3,
        {"firing_rate": np.linspace(8, 12, count)},
        100.0,
        (1e-3, 2e-3),
        HOSTILE,
    )


def things():
    note = {"stage": HOSTILE, "seed": list(range(500)), "software": HOSTILE, "version": HOSTILE, "source": HOSTILE}
    about = {"origin": HOSTILE, "subject": HOSTILE, "provenance": note}
    scan = {"frame_rate": 1000.0, "centre_frequency": 7.5e6, **about}
    iq = np.ones((10, 4, 4), complex)
    return {
        "sequence": mv.Sequence(np.ones((9, 4, 4)), 512, (1e-3, 1e-3), labels(9, 4, 4), **about),
        "unlabelled": mv.Sequence(np.zeros((1, 1, 1)), 512, (1e-3, 1e-3)),
        "recording": mv.Recording.of_array(iq, spacing=(1e-3, 1e-3), **scan),
        "channels": mv.ChannelData.of_array(np.zeros((4, 16, 8)), pitch=3e-4, sampling_frequency=3e7, **scan),
        "units": units(),
        "no units": units(0),
        "bare units": mv.Units((), *(np.zeros((0, 3, 3), np.float32),) * 2, np.zeros((0, 3, 3), bool)),
        "labels": labels(),
        "no labels": labels(9, 4, 4).__class__((), (), *(np.zeros((0, 2)),) * 2, *(np.zeros((0, 4, 4)),) * 3),
    }


THINGS = things()


class Tags(HTMLParser):
    """The tags opened and not closed, all tags, and the text of a page."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], set(), ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def page(thing):
    tags = Tags()
    tags.feed(thing._repr_html_())
    assert not tags.open
    return tags


@pytest.mark.parametrize("name", THINGS)
def test_an_introduction_is_six_short_printable_lines_whatever_the_names(name):
    for text in (repr(THINGS[name]), str(THINGS[name])):
        lines = text.split("\n")
        assert 2 <= len(lines) <= 6
        assert text.splitlines() == lines  # no other line break of Unicode
        assert all(line.isprintable() and len(line) <= LONGEST for line in lines)
        assert lines[0].startswith(type(THINGS[name]).__name__)


@pytest.mark.parametrize("name", THINGS)
def test_a_notebook_gets_a_table_with_everything_escaped(name):
    tags = page(THINGS[name])
    assert tags.tags <= {"div", "table", "caption", "b", "tbody", "tr", "th", "td", "img"}  # no script
    for fact in THINGS[name]._introduction().facts.values():
        assert shortened(fact) in tags.text


def test_the_table_escapes_title_names_and_facts():
    made = Introduction('<i>"&', {"<b>'": "</td><script>"}).table(b"png")
    for text in ('<i>"&', "<b>'", "</td><script>"):
        assert html.escape(text) in made
        assert text not in made


@pytest.mark.parametrize(("name", "pictured"), [("sequence", 1), ("unlabelled", 1), ("units", 3), ("no units", 0)])
def test_the_picture_is_a_png_with_a_panel_for_each_map(name, pictured):
    found = re.search(r'src="data:image/png;base64,([^"]+)"', THINGS[name]._repr_html_())
    assert (found is not None) == bool(pictured)
    if found is not None:
        picture = matplotlib.image.imread(io.BytesIO(base64.b64decode(found[1])))
        assert picture.shape[1] == pictured * picture.shape[0]
        assert len(found[1]) < 100_000


def test_the_picture_of_a_sequence_is_its_variance_map_depth_downwards():
    velocity = np.random.default_rng(0).standard_normal((50, 20, 20)) * np.linspace(1, 30, 20)[:, None]
    thing = mv.Sequence(velocity * 1e-3, 512, (1e-3, 1e-3))
    picture = matplotlib.image.imread(io.BytesIO(thing._picture()))[..., :3].mean(-1)
    inner = picture[10:-10, 10:-10].mean(1)
    assert inner[-5:].mean() > inner[:5].mean() + 0.3  # magma: bright is strong


def test_a_sequence_says_its_shape_rate_extent_origin_subject_sd_and_maker():
    rng = np.random.default_rng(1)
    velocity = (rng.normal(5e-3, 2e-3, (100, 12, 10))).astype(np.float32)
    note = {"stage": "simulate", "seed": 7, "software": "myovivo", "version": "1.2.3"}
    thing = mv.Sequence(velocity, 200, (5e-4, 2e-4), labels(100, 12, 10), "phantom", "s-01", note)
    text = repr(thing)
    for words in (
        "Sequence: phantom, subject s-01",
        "100 at 200 Hz, 0.5 s",
        "12 x 10 pixels",
        "6 x 2 mm",
        "0.5 x 0.2 mm",
        "m/s",
        "2 motor units",
        "simulate (seed 7); myovivo 1.2.3",
    ):
        assert words in text
    said = float(re.search(r"SD ([\d.]+) mm/s", text)[1])
    assert said == pytest.approx(1e3 * velocity.std(dtype=np.float64), rel=1e-3)


def test_the_sd_is_exact_over_blocks_and_a_large_mean():
    values = (100 + 1e-3 * np.random.default_rng(0).standard_normal((201, 5, 4))).astype(np.float32)
    assert spread(values) == pytest.approx(values.std(dtype=np.float64), rel=1e-9)


def test_the_maker_names_the_stages_down_to_the_first():
    one = mv.simulate(seed=3, **{"grid.frames": 64, "grid.rows": 8, "grid.columns": 8})
    cut = one.crop(0.0, 0.1).resample(size=(4, 4))
    assert maker(cut.provenance) == f"resample of crop of simulate (seed 3); myovivo {mv.__version__}"
    assert maker({}) == "unknown, no provenance"


def test_a_range_is_one_number_where_there_is_one():
    assert (between([2.0, 1.0]), between([3.0, 3.0]), between([]), between([np.nan])) == (
        "1 to 2",
        "3",
        "unknown",
        "unknown",
    )


def test_units_and_labels_say_their_firings():
    assert "3 motor units" in repr(units())
    assert "firings  9; 8 to 12 Hz" in repr(units())
    assert "3, 1 of them before the first frame" in repr(labels())


def test_recordings_and_channels_say_their_echo():
    assert "IQ at 7.5 MHz, sound at 1540 m/s" in repr(THINGS["recording"])
    assert "RF sampled at 30 MHz, centre 7.5 MHz" in repr(THINGS["channels"])
    assert "8 elements, 2.1 mm wide" in repr(THINGS["channels"])


def test_a_translator_says_what_it_reads():
    text = repr(mv.Translator.load("house", device="cpu"))
    assert len(text.splitlines()) <= 6
    for words in ("silico_to_vivo, on cpu", "512 Hz", "0.3125 x 0.3125 mm", "128 rows", "one-sided, 2500 steps"):
        assert words in text
    assert "house.safetensors" in page(mv.Translator.load("house", device="cpu")).text


def test_an_inspection_is_short_and_its_table_stays(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((40, 8, 8)))
    found = inspect(path)
    assert len(repr(found).splitlines()) <= 6
    assert "x.npy" in repr(found)
    assert "says nothing of its scan" in repr(found)
    assert str(found) != repr(found)
    assert "arrays" in str(found)


# --------------------------------------------------------------------------------------- runs


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    silico, vivo = domain(folder / "silico", "silico", 6, 1), domain(folder / "vivo", "vivo", 6, 2)
    settings = tiny(**{"optimiser.steps": 3})
    return mv.train(settings, silico, vivo, folder / "run", seed=5, device="cpu", quiet=True)


def test_a_run_says_what_was_trained_on_whom_and_how_far(run):
    found = mv.Run.load(run)
    assert (found.step, found.steps, found.finished, found.seed, found.preset) == (3, 3, True, 5, None)
    assert found.settings == tiny(**{"optimiser.steps": 3})
    manifest = json.loads((run / "run.json").read_text())
    assert (found.device, found.precision) == (manifest["device"], manifest["precision"])
    assert found.version == mv.__version__
    for side, subjects in (("train", found.trained), ("test", found.tested)):
        for name in ("silico", "vivo"):
            files = mv.train_files(run, name) if side == "train" else mv.test_files(run, name)
            assert {mv.Sequence.load(file).subject for file in files} == set(subjects[name])
            assert len(subjects[name]) == len(set(subjects[name])) > 0
    assert not set(found.trained["vivo"]) & set(found.tested["vivo"])


def test_a_run_introduces_itself_and_stands_for_its_folder(run):
    found = mv.Run.load(run)
    assert len(repr(found).splitlines()) <= 6
    for words in ("settings of its own", "3 of 3, finished", f"{len(found.tested['vivo'])} held out", mv.__version__):
        assert words in repr(found)
    assert "3 of 3, finished" in page(found).text
    assert Path(found) == run
    assert mv.test_files(found, "vivo") == mv.test_files(run, "vivo")
    assert mv.Translator.load(found, device="cpu").weights.step == 3


def copied(run, to, **changes):
    """A run folder of the same training with other settings in its `run.json`, by dotted name."""
    to.mkdir()
    for path in run.iterdir():
        if path.is_file():
            (to / path.name).write_bytes(path.read_bytes())
    manifest = json.loads((run / "run.json").read_text())
    for name, value in changes.items():
        group, setting = name.split(".")
        manifest["recipe"]["settings"][group][setting] = value
    (to / "run.json").write_text(json.dumps(manifest))
    return to


def test_a_run_is_not_finished_before_its_steps_or_its_epochs_are_taken(run, tmp_path):
    assert mv.Run.load(copied(run, tmp_path / "longer", **{"optimiser.steps": 10})).finished is False
    clips = min(len(mv.train_files(run, name)) for name in ("silico", "vivo")) * (24 // 8)
    changes = {"optimiser.steps": None, "optimiser.epochs": 2.0, "optimiser.batch": 1}
    found = mv.Run.load(copied(run, tmp_path / "epochs", **changes))
    assert (found.steps, found.finished) == (2 * clips, False)
    gone = copied(run, tmp_path / "gone", **changes)
    manifest = json.loads((gone / "run.json").read_text())
    manifest["folders"]["vivo"] = str(tmp_path / "moved")
    (gone / "run.json").write_text(json.dumps(manifest))
    assert (mv.Run.load(gone).steps, mv.Run.load(gone).finished) == (None, None)
    assert "unknown" in repr(mv.Run.load(gone))


@pytest.mark.parametrize(("scores", "finished"), [([3.0, 1.0, 2.0, 1.5], True), ([3.0, 2.0, 2.5, 1.0], False)])
def test_a_run_that_validation_stopped_is_finished(run, tmp_path, scores, finished):
    stopped = copied(run, tmp_path / "run", **{"optimiser.steps": 10, "validation.every": 1, "validation.patience": 2})
    lines = [json.dumps({"step": step, "score": score}) for step, score in enumerate(scores)]
    (stopped / "validation.jsonl").write_text("\n".join([*lines, '{"step": 9, "sc']))
    assert mv.Run.load(stopped).finished is finished


def test_a_run_that_saved_nothing_has_taken_no_step(run, tmp_path):
    folder = copied(run, tmp_path / "run")
    (folder / "checkpoint.safetensors").unlink()
    assert mv.Run.load(folder).step == 3  # of the weights
    (folder / "weights.safetensors").unlink()
    assert (mv.Run.load(folder).step, mv.Run.load(folder).finished) == (0, False)


def test_what_is_no_run_is_refused_in_a_line(run, tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        mv.Run.load(tmp_path)
    (tmp_path / "run.json").write_text('{"recipe": {"settings": {}}, "folders": {}}')
    with pytest.raises(CheckpointError, match="is incomplete"):
        mv.Run.load(tmp_path)
    with pytest.raises(CheckpointError, match="settings this version does not know"):
        mv.Run.load(copied(run, tmp_path / "newer", **{"optimiser.colour": "red"}))
