"""ONNX files give what torch gives, at any length."""

import json

import numpy as np
import pytest
import torch
from domains import domain, tiny

from myovivo.errors import InputError, MissingExtraError
from myovivo.models.local import local_reach
from myovivo.training.train import train
from myovivo.translation.export import export
from myovivo.translation.translator import Translator

KINDS = {
    "house": {"method": "one-sided", "local.features": 8, "local.blocks": 2, "local.cell": 2, "local.filter": 9},
    "paper": {},
    "stride2": {"generator.temporal_stride": 2},
    "flat": {"generator.dimensions": 2, "data.clip": (1, 16, 16)},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    domains = domain(folder / "silico", "silico"), domain(folder / "vivo", "phantom", per_subject=2)
    few = {"optimiser.steps": 2, "optimiser.precision": "fp32"}
    return {
        name: train(tiny(**(few | changes)), *domains, folder / name, quiet=True) for name, changes in KINDS.items()
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("direction", ["silico_to_vivo", "vivo_to_silico"])
def test_onnx_gives_what_torch_gives_at_any_length(runs, tmp_path, kind, direction):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    if kind == "house" and direction == "vivo_to_silico":
        with pytest.raises(InputError, match="knows only silico_to_vivo"):
            export(runs[kind], tmp_path / "net.onnx", direction)
        return
    path = export(runs[kind], tmp_path / "net.onnx", direction)
    session = onnxruntime.InferenceSession(str(path))
    network = Translator.load(runs[kind], direction).generator
    for frames in (12, 40):
        shape = (frames, 1, 16, 16) if kind == "flat" else (1, 1, frames, 16, 16)
        x = torch.randn(shape, generator=torch.Generator().manual_seed(frames))
        noise = network.draw_noise(x[:1] if kind == "flat" else x, torch.Generator().manual_seed(1))
        with torch.no_grad():
            expected = network(x) if noise is None else network(x, noise)
        inputs = {"velocity": x.numpy()}
        if kind == "house":
            inputs |= {"tissue": noise.tissue.numpy(), "frames": noise.frames.numpy()}
        elif noise is not None:
            inputs["noise"] = noise.numpy()
        (found,) = session.run(None, inputs)
        np.testing.assert_allclose(found, expected.numpy(), atol=1e-4)


def test_the_file_says_what_it_needs(runs, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    path = export(runs["house"], tmp_path / "net.onnx")
    about = onnxruntime.InferenceSession(str(path)).get_modelmeta().custom_metadata_map
    weights = Translator.load(runs["house"]).weights
    assert json.loads(about["frames_around"]) == local_reach(weights.settings.local)
    assert json.loads(about["standardisation_m_per_s"])["vivo"] == list(weights.standards["vivo"].pair)
    assert json.loads(about["frame_rate_hz"]) == weights.frame_rate


def test_sizes_that_the_network_cannot_take(runs, tmp_path):
    pytest.importorskip("onnxscript")
    with pytest.raises(InputError, match=r"size \(18, 16\) must be multiples of"):
        export(runs["paper"], tmp_path / "net.onnx", size=(18, 16))
    with pytest.raises(InputError, match="trained on 16 rows, got 20"):
        export(runs["house"], tmp_path / "net.onnx", size=(20, 16))
    assert not list(tmp_path.iterdir())


def test_a_missing_extra_says_what_to_install(runs, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'myovivo\[export\]'"):
        export(runs["paper"], tmp_path / "net.onnx")
