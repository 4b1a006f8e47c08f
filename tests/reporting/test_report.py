"""The page: whole, self-contained, honest about its data, and in step with the table."""

import base64
import json
import re
import struct
from html.parser import HTMLParser

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import myovivo.reporting.report
from myovivo.errors import InputError
from myovivo.evaluation import maps
from myovivo.evaluation.columns import COLUMNS
from myovivo.evaluation.evaluate import evaluate, evaluate_illustrated
from myovivo.evaluation.illustrations import illustrate
from myovivo.reporting.report import report
from myovivo.sequences.labels import MotorUnits
from myovivo.sequences.sequence import Sequence
from myovivo.sequences.source import read_velocity

SHAPE, FRAME_RATE, SPACING = (64, 24, 20), 128.0, (0.001, 0.0015)


def make(seed, origin, subject="", labels=None):
    rng = np.random.default_rng(seed)
    velocity = gaussian_filter(rng.standard_normal(SHAPE), (2, 2, 2)) * np.exp(rng.standard_normal(SHAPE[1:]) / 2)
    return Sequence(1e-3 * velocity / velocity.std(), FRAME_RATE, SPACING, labels, origin, subject)


def units():
    mask = np.zeros((2, *SHAPE[1:]), bool)
    mask[0, 4:10, 4:10] = mask[1, 12:18, 8:14] = True
    return MotorUnits(
        spike_times=(np.array([0.1]), np.array([0.2])),
        sync_partner=(np.array([-1]), np.array([-1])),
        centre=np.array([[0.007, 0.0105], [0.015, 0.0165]]),
        diameter=np.full(2, 0.006),
        mask=mask,
        weight=mask.astype(np.float32),
        source=np.zeros((2, SHAPE[0]), np.float32),
    )


@pytest.fixture(scope="module")
def domains(tmp_path_factory):
    folder = tmp_path_factory.mktemp("domains")
    noise = np.random.default_rng(1).standard_normal(SHAPE).astype(np.float32)
    for index in range(2):
        silico = make(index, "silico", f"silico{index}", units())
        translated = silico.replace(velocity=0.5 * silico.velocity + 1e-4 * noise, origin="translated")
        for name, one in (
            ("silico", silico),
            ("translated", translated),
            ("phantom", make(9 + index, "phantom", "p0")),
        ):
            (folder / name).mkdir(exist_ok=True)
            one.save(folder / name / f"sequence-{index}.h5")
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def page(domains, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    run = out / "run"
    run.mkdir()
    lines = [json.dumps({"step": step, "seconds": 1.0, "gan": 1 / step, "cycle": 2 / step}) for step in range(1, 30)]
    (run / "log.jsonl").write_text("\n".join(lines) + '\n{"step": 30, "ga')  # an interrupted run
    report(out, domains["silico"], domains["translated"], domains["phantom"], run=run, quiet=True, workers=1)
    return out


class Page(HTMLParser):
    """Tags left open, what is loaded from elsewhere, images, and the text."""

    VOID = frozenset({"meta", "img", "br", "link", "input"})

    def __init__(self, text):
        super().__init__()
        self.open, self.loads, self.images, self.tags, self.text = [], [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        values = dict(attributes)
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "img":
            self.images.append(values["src"])
        self.loads += [v for k, v in values.items() if k in ("src", "href", "action") and not v.startswith("data:")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def words(self):
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def parsed(page):
    return Page((page / "report.html").read_text(encoding="utf-8"))


def test_the_page_is_complete_and_needs_nothing_else(parsed, page):
    assert parsed.open == []
    assert parsed.loads == []
    assert not parsed.tags & {"script", "link", "iframe", "object"}
    assert "url(" not in (page / "report.html").read_text()
    assert not re.search(r"https?://", (page / "report.html").read_text())
    assert sorted(path.name for path in page.iterdir()) == ["metrics.json", "report.html", "run"]  # no part files


def test_every_figure_is_a_readable_picture(parsed):
    assert len(parsed.images) == 8
    for source in parsed.images:
        data = base64.b64decode(source.removeprefix("data:image/png;base64,"))
        assert data.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", data[16:24])
        assert width == 1500
        assert height > 300


def test_the_table_on_the_page_is_that_of_evaluate(parsed, page, domains):
    comparison = evaluate(domains["translated"], domains["phantom"], domains["silico"], quiet=True, workers=1)
    words = parsed.words()
    for row in comparison.rows:
        for name in ("DBhat", "Corr", "SSI", "SSI norm", "Corr Psd"):
            assert row.columns[name].text() in words
    metrics = json.loads((page / "metrics.json").read_text())
    assert metrics.pop("software") == "myovivo"
    assert metrics.pop("version")
    assert metrics == json.loads(json.dumps(comparison.to_dict()))


def test_the_papers_figures_stand_beside_labelled_as_other_data(parsed):
    words = parsed.words()
    assert "paper, other data none .33 .54 .32 – .96" in words
    assert "best model .25 .69 .65 – .97 – .93 ≈ 0" in words
    assert words.count("paper, other data") == 1  # not below columns that are all ours
    assert "vivo-vivo .26 .66 .74 – .98" in words


def test_a_phantom_is_called_a_phantom(parsed):
    words = parsed.words()
    assert "Read this first The reference domain is a tissue phantom, not measured in vivo." in words
    assert "All reference sequences are of one subject" in words
    assert "tissue phantom: simulated tissue and ultrasound, not measured" in words
    assert "vivo-vivo (phantom)" in words
    # Beside these denials "in vivo" stands only in the name of the paper.
    assert words.count("in vivo") == words.count("not measured in vivo") + words.count("in silico to in vivo domain")


def test_measured_recordings_are_called_in_vivo(domains, tmp_path):
    measured = [make(20 + index, "vivo", f"s{index}") for index in range(8)]
    text = report(tmp_path, domains["silico"], domains["translated"], measured, quiet=True, workers=1).read_text()
    words = Page(text).words()
    assert "8 reference sequences (in vivo)" in words
    assert "measured in vivo" in words
    assert "Read this first" not in words
    assert "phantom" not in words


def test_the_same_data_make_the_same_page(page, domains, tmp_path):
    inputs = (domains["silico"], domains["translated"], domains["phantom"])
    path = myovivo.report(tmp_path, *inputs, run=page / "run", quiet=True)  # the module is its main function
    assert path == tmp_path / "report.html"
    assert path.read_bytes() == (page / "report.html").read_bytes()


def test_several_models_without_labels_from_memory(domains, tmp_path):
    silico = [make(index, "silico") for index in range(2)]
    models = {"a <b>": [one.replace(origin="translated") for one in silico], "flat": silico}
    vivo = [make(30 + index, "vivo", f"s{index}") for index in range(2)]
    comparison = evaluate(models, vivo, silico, quiet=True, workers=1)
    path = report(tmp_path, silico, models, vivo, comparison, title="Two & more", quiet=True, workers=1)
    parsed = Page(path.read_text())
    assert "a <b>" in parsed.words()  # a name is text, not a tag
    assert parsed.words().startswith("Two & more")
    assert len(parsed.images) == 3 + 2 * 4
    assert "percentile of the silico variance" in parsed.words()


def test_what_it_cannot_show_is_refused(domains, tmp_path):
    alone = evaluate(domains["translated"], domains["phantom"], quiet=True, workers=1)
    with pytest.raises(InputError, match="made with silico"):
        report(tmp_path, domains["silico"], domains["translated"], domains["phantom"], alone, quiet=True)
    with pytest.raises(InputError, match="carries the name of a silico one"):
        report(tmp_path, domains["silico"], [make(1, "translated")], domains["phantom"], quiet=True)
    whole = evaluate(None, domains["phantom"], domains["silico"], quiet=True, workers=1)
    with pytest.raises(InputError, match="made without 'translated'"):
        report(tmp_path, domains["silico"], domains["translated"], domains["phantom"], whole, quiet=True)
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------- each sequence is read once


@pytest.mark.parametrize("known", [True, False])
def test_each_sequence_is_read_once_where_the_constants_are_known(known, domains, tmp_path, monkeypatch):
    reads = []

    def counted(path, *frames):
        reads.append(path)
        return read_velocity(path, *frames)

    monkeypatch.setattr("myovivo.sequences.source.read_velocity", counted)
    constants = {"silico": (0.0, 1e-3), "vivo": (1e-5, 2e-3)} if known else None
    inputs = (domains["silico"], domains["translated"], domains["phantom"])
    report(tmp_path, *inputs, standardisation=constants, quiet=True, workers=1)
    again = sum(reads.count(path) - 1 for path in set(reads))
    assert len(set(reads)) == 6
    assert again == (0 if known else 4)  # the pairs, for their differences


def test_what_figures_show_is_the_same_in_one_pass_and_read_again(domains):
    inputs = (domains["translated"], domains["phantom"], domains["silico"])
    for constants in ({"silico": (1e-5, 1e-3), "vivo": (-2e-5, 5e-4)}, None):
        comparison, once = evaluate_illustrated(*inputs, standardisation=constants, quiet=True, workers=1)
        again = illustrate(comparison, domains["silico"], domains["translated"], domains["phantom"], 1, True)
        scales = {"silico": comparison.domains["silico"].standardisation}
        scales["vivo"] = comparison.domains["translated"].standardisation
        files = [(domains["silico"] / f"sequence-{k}.h5", domains["translated"] / f"sequence-{k}.h5") for k in range(2)]
        for shown in (once, again):
            for absolute, stack in enumerate(shown.similarity["translated"]):
                expected = [maps.similarity_map(*pair, bool(absolute), scales) for pair in files]
                np.testing.assert_allclose(stack.maps, expected, rtol=1e-12, atol=1e-12)
            example = shown.examples["translated"]
            np.testing.assert_array_equal(example.silico.velocity, Sequence.load(files[0][0]).velocity)
            np.testing.assert_array_equal(example.translated.velocity, Sequence.load(files[0][1]).velocity)
            assert len(example.silico.labels) == 2
            reference = Sequence.load(domains["phantom"] / "sequence-0.h5")
            np.testing.assert_array_equal(shown.reference.velocity, reference.velocity)
        np.testing.assert_allclose(
            once.examples["translated"].content.correlation, again.examples["translated"].content.correlation
        )


def test_every_column_is_in_the_legend_with_its_meaning(parsed):
    words = parsed.words()
    filled = [column for column in COLUMNS[:10] if not column.name.startswith("FD")]  # those need eight sequences
    for column in filled:
        assert " ".join(f"{column.head} {column.arrow} {column.meaning}".split()) in words


def test_captions_are_escaped_but_for_what_is_markup_on_purpose(domains, tmp_path):
    run = tmp_path / "<i>run"
    run.mkdir()
    lines = [json.dumps({"step": step, "gan": 1.0 / step}) for step in (1, 2, 3)]
    (run / "log.jsonl").write_text("\n".join(lines))
    inputs = (domains["silico"], domains["translated"], domains["phantom"])
    text = report(tmp_path, *inputs, run=run, title="<b>", quiet=True, workers=1).read_text()
    assert "<code>&lt;i&gt;run</code>" in text
    assert "<h1>&lt;b&gt;</h1>" in text
