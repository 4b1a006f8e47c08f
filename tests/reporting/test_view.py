"""Sequences and files as a page: only what is shown is read, and maps, names and units are those of the sequences."""

import base64
import json
import re

import numpy as np
import pytest
from domains import sequence

import myovivo as mv
from myovivo.cli import main
from myovivo.errors import FileError, InputError, WrongTypeError
from myovivo.viewing.coding import Steps, decoded_block

SIZE = (16, 16)


def payload_of(page):
    return json.loads(re.search(r'<script type="application/json" id="payload">(.*?)</script>', page.html, re.S)[1])


def frames_of(page, pane=0):
    """What the page carries of a pane, m/s."""
    texts = re.findall(rf'class="block" data-pane="{pane}" data-number="\d+">([^<]*)</script>', page.html)
    described = payload_of(page)["panes"][pane]
    steps = Steps(1e-3 * described["knee"], 1e-3 * described["peak"])
    return steps.velocity(np.concatenate([decoded_block(text, SIZE) for text in texts]))


def values_of(described):
    return np.frombuffer(base64.b64decode(described["values"]), "<f4").reshape(SIZE)


@pytest.fixture
def files(tmp_path):
    silico = sequence(shape=(700, *SIZE))
    translated = silico.replace(velocity=silico.velocity + np.float32(2e-4), origin="translated")
    return [silico.save(tmp_path / "silico.h5"), translated.save(tmp_path / "translated.h5")]


def test_a_file_and_its_sequence_make_the_same_page(files):
    of_file = mv.view(*files, start=0.25, stop=1.1, every=3, quiet=True)
    in_memory = [mv.Sequence.load(path) for path in files]
    of_memory = mv.view(*in_memory, names=["silico", "translated"], start=0.25, stop=1.1, every=3, quiet=True)
    assert of_file.html == of_memory.html
    shown = in_memory[0].velocity[128:564:3]
    frames = frames_of(of_file)
    assert frames.shape == shown.shape
    assert (frames - shown).std() < 0.02 * shown.std()


def test_the_maps_are_those_of_the_package(files):
    first, second = (pane["maps"] for pane in payload_of(mv.view(*files, quiet=True))["panes"])
    assert first.keys() == {"sd"}
    np.testing.assert_allclose(values_of(second["sd"]), 1e3 * np.sqrt(mv.variance_map(files[1])), rtol=1e-4)
    np.testing.assert_allclose(values_of(second["difference"]), 1e3 * mv.difference_map(*files), rtol=1e-4)
    np.testing.assert_allclose(values_of(second["absolute"]), 1e3 * mv.difference_map(*files, absolute=True), rtol=1e-4)
    np.testing.assert_allclose(values_of(second["similarity"]), 1e3 * mv.similarity_map(*files), rtol=1e-4)


def test_units_come_from_objects_lists_and_files_and_belong_to_what_shares_the_contraction(files, tmp_path):
    trains = [np.array([0.1, 0.3, 0.5]), np.array([0.2, 0.45])]
    events = tmp_path / "a_events.tsv"
    rows = sorted((time, unit) for unit, train in enumerate(trains) for time in train)
    events.write_text("onset\tduration\tmotor_unit\n" + "".join(f"{time}\t0\t{unit}\n" for time, unit in rows))
    recorded = sequence("vivo", shape=(700, *SIZE))
    for units in (trains, events, str(events)):
        found, true = payload_of(mv.view(*files, recorded, units=units, quiet=True))["trains"]
        assert (found["title"], found["panes"]) == ("found units of A, B", [0, 1])
        assert (true["title"], true["panes"]) == ("true units of A, B", [0, 1])
        assert sorted(unit["times"] for unit in found["units"]) == sorted(train.tolist() for train in trains)
        assert [unit["mask"] for unit in found["units"]] == [None, None]


def test_a_shorter_sequence_is_shown_without_difference_maps(files):
    short = sequence("vivo", shape=(100, *SIZE))
    panes = payload_of(mv.view(files[0], short, quiet=True))["panes"]
    assert [pane["frames"] for pane in panes] == [700, 100]
    assert panes[1]["maps"].keys() == {"sd"}


def test_what_is_no_sequence_is_refused(files, tmp_path):
    with pytest.raises(InputError, match="1 to 4 sequences, got none"):
        mv.view()
    with pytest.raises(WrongTypeError, match="give a Sequence, got ndarray"):
        mv.view(np.zeros((4, 4, 4)))
    with pytest.raises(FileError, match="is a folder; name up to 4 of its files"):
        mv.view(tmp_path)
    with pytest.raises(InputError, match="names must be one for each of 2"):
        mv.view(*files, names=["a"])
    with pytest.raises(FileError, match="none"):
        mv.view(tmp_path / "none.h5")


def test_the_command_writes_a_page_says_where_and_opens_it_when_asked(files, tmp_path, capsys, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.chdir(tmp_path)
    assert main(["view", "silico.h5", "translated.h5", "--from", "0.5", "--to", "1", "--every", "2", "--quiet"]) == 0
    assert capsys.readouterr() == ("view: view.html\n", "")
    payload = payload_of(type("Page", (), {"html": (tmp_path / "view.html").read_text(encoding="utf-8")}))
    assert (payload["start"], payload["every"], payload["panes"][0]["frames"]) == (0.5, 2, 128)
    assert not opened
    assert main(["view", "silico.h5", "--out", "b.html", "--title", "mine", "--open", "--quiet"]) == 0
    assert opened == [(tmp_path / "b.html").as_uri()]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["silico.h5", "--from", "5"], "must hold a frame of the 1.367 s there are, got 5 to 1.36719 s"),
        (["silico.h5"] * 5, "1 to 4 sequences, got 5"),
        (["silico.h5", "other.h5"], "other has 256 frames/s but silico has 512"),
        (["."], ".: is a folder"),
        (["silico.h5", "--out", "page.pdf"], "saved as .html"),
        (["silico.h5", "--units", "silico.h5"], "spike trains come as"),
    ],
)
def test_what_cannot_be_shown_is_one_line(words, says, files, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sequence(frame_rate=256.0).save("other.h5")
    assert main(["view", *words, "--quiet"]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
