"""The whole way once, tiny: simulate, record, train, translate, evaluate, report."""

import json

import numpy as np
import pytest

from myovivo.acquisition.acquire import recorded_frame_rate
from myovivo.sequences.header import read_header, sequence_files
from myovivo.sequences.sequence import Sequence
from myovivo.studies import demo as demo_module


@pytest.fixture
def small_demo(monkeypatch):
    monkeypatch.setattr(demo_module, "SIZE", 16)
    monkeypatch.setattr(demo_module, "DEMO_FRAMES", 64)
    monkeypatch.setattr(demo_module, "SEQUENCES", 2)
    monkeypatch.setattr(demo_module, "TRAINING_SEQUENCES", 6)
    monkeypatch.setattr(demo_module, "SUBJECTS", 1)
    monkeypatch.setattr(demo_module, "RUNS", 2)
    real = demo_module.train

    def tiny(preset, silico, vivo, out, seed, **options):
        assert preset == "house"
        changes = {"local.features": 4, "discriminator.features": 4, "discriminator.layers": 1}
        changes |= {"data.clip": (16, 16, 16), "optimiser.steps": 3, "data.held_out": 0.5}
        return real(preset, silico, vivo, out, seed, **(options | changes))

    monkeypatch.setattr(demo_module, "train", tiny)


def check_report(page, out, origin):
    assert page == out / "report" / "report.html"
    html = page.read_text()
    assert "http://" not in html.replace("http://www.w3.org", "")  # nothing is fetched
    assert "https://" not in html.replace("https://doi.org", "")
    assert "data:image" in html or "<svg" in html
    metrics = json.loads((out / "report" / "metrics.json").read_text())
    rows = {row["name"] for row in metrics["rows"]}
    assert {"none", "vivo-vivo"} < rows
    files = sequence_files(out / "translated")
    for file in files:
        translated, silico = Sequence.load(file), Sequence.load(out / "silico" / file.name)
        assert translated.shape == silico.shape
        assert translated.origin == "translated"
        assert all(
            np.array_equal(a, b) for a, b in zip(translated.labels.spike_times, silico.labels.spike_times, strict=True)
        )
    assert read_header(sequence_files(out / "vivo")[0]).origin == origin


def test_demo_with_the_phantom_and_again_where_it_was(small_demo, tmp_path, capsys):
    page = demo_module.demo(tmp_path, quiet=True)
    printed = capsys.readouterr().out
    assert "vivo-vivo" in printed
    assert str(page) in printed
    check_report(page, tmp_path, "phantom")
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.h5")}
    demo_module.demo(tmp_path, quiet=True)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.h5")} == stamps


def test_demo_with_recorded_video_takes_its_rate_and_size(small_demo, tmp_path):
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    from clips import write_video

    scipy_io = pytest.importorskip("scipy.io")
    clips = tmp_path / "clips"
    clips.mkdir()
    for number in range(4):
        t = np.arange(40 + 6 * number) / 61
        write_video(clips / f"p1_{number}.avi", np.sin(2 * np.pi * (8 + number) * t), frame_rate=61.0)
    params = {"px2mmX": 0.1, "px2mmY": 0.1, "ulcornerx": 0, "ulcornery": 0, "nx": 128, "ny": 96}
    scipy_io.savemat(clips / "p1_params.mat", {"Params": params})
    assert cv2 is not None
    assert recorded_frame_rate(clips / "p1_0.avi") == pytest.approx(61)
    with pytest.warns(UserWarning, match="subject"):
        page = demo_module.demo(tmp_path / "out", clips, quiet=True)
    check_report(page, tmp_path / "out", "vivo")
    silico = read_header(sequence_files(tmp_path / "out" / "silico")[0])
    vivo = read_header(sequence_files(tmp_path / "out" / "vivo")[0])
    assert silico.frame_rate == vivo.frame_rate == pytest.approx(61)
    assert silico.shape[1:] == vivo.shape[1:]
    assert silico.spacing == pytest.approx(vivo.spacing)
    assert vivo.provenance["settings"]["conditioning"]["band"] == [5.0, 25.0]
