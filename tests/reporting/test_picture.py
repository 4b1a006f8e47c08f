"""A file as one picture."""

import numpy as np
import pytest
from matplotlib import image, pyplot

import myovivo as mv
from myovivo.cli.entry import main
from myovivo.errors import FileError, InputError


@pytest.fixture(scope="module")
def simulated():
    return mv.simulate(seed=0, **{"grid.frames": 128})


def test_a_sequence_is_drawn_from_its_file_by_the_command(simulated, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    simulated.save("a.h5")
    assert main(["show", "a.h5"]) in (0, None)
    assert image.imread("a.png").shape[0] > 500
    assert main(["show", "a.h5", "-o", "b.pdf", "--width", "page"]) in (0, None)
    assert (tmp_path / "b.pdf").read_bytes().startswith(b"%PDF")
    assert capsys.readouterr().out.splitlines() == ["picture: a.png", "picture: b.pdf"]
    assert not pyplot.get_fignums()


def test_a_recording_is_drawn_as_b_mode(tmp_path):
    echo = np.exp(2j * np.pi * np.random.default_rng(0).random((4, 32, 16))).astype(np.complex64)
    scan = {"frame_rate": 2000.0, "spacing": (1e-3, 1e-3), "centre_frequency": 7.5e6, "origin": "phantom"}
    file = mv.Recording.of_array(echo, **scan).save(tmp_path / "iq.h5")
    assert mv.show(file, tmp_path / "iq.png").is_file()


def test_what_cannot_be_drawn_is_refused_and_leaves_nothing(simulated, tmp_path):
    with pytest.raises(InputError, match=r"a\.h5: a picture ends with one of"):
        mv.show(simulated, tmp_path / "a.h5")
    with pytest.raises(FileError, match="does not exist"):
        mv.show(tmp_path / "b.h5", tmp_path / "a.png")
    with pytest.raises(FileError, match="is a folder"):
        mv.show(tmp_path, tmp_path / "a.png")
    with pytest.raises(InputError, match="width"):
        mv.show(simulated, tmp_path / "a.png", width="wide")
    assert not list(tmp_path.iterdir())
