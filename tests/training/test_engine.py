"""The training engine: the same weights from many processes, in parts, and with an eye on other subjects."""

import importlib
import json
import os
import subprocess
import sys

import pytest
import torch
from domains import ROOT, SPACING, TINY, domain, tiny

from myovivo.errors import InputError
from myovivo.models.settings import TrainSettings
from myovivo.runs.folder import read_run
from myovivo.runs.weights import load_weights
from myovivo.runtime.device import precision_for
from myovivo.runtime.settings import settings_from
from myovivo.runtime.tensors import read_tensors
from myovivo.sequences.header import Header, read_header
from myovivo.sequences.scale import DomainScale
from myovivo.training.estimate import estimate
from myovivo.training.processes import fabric_for, prepare_gpu
from myovivo.training.step import DivergedError, Training
from myovivo.training.train import train
from myovivo.training.watch import LossWatch
from myovivo.translation.translator import Translator

# Networks without instance norm: a bias that it takes away again has no gradient but rounding, which Adam makes as
# large as any other.
EXACT = {
    "method": "one-sided",
    "local.features": 8,
    "local.blocks": 2,
    "local.cell": 2,
    "discriminator.norm": "group",
    "discriminator.variance_map": True,
    "optimiser.precision": "fp32",
    "optimiser.batch": 2,
    "optimiser.learning_rate": 1e-3,
    "optimiser.steps": 4,
}


@pytest.fixture(scope="module")
def domains(tmp_path_factory):
    folder = tmp_path_factory.mktemp("domains")
    return domain(folder / "silico", "silico"), domain(folder / "vivo", "phantom", per_subject=2)


@pytest.fixture(scope="module")
def one_process(domains, tmp_path_factory):
    return train(tiny(**EXACT), *domains, tmp_path_factory.mktemp("runs") / "one", quiet=True)


def weights(run):
    tensors, about = read_tensors(run / "checkpoint.safetensors", "checkpoint")
    return {name: value for name, value in tensors.items() if name.startswith("model/")}, about


def assert_close(run, other):
    (found, about), (expected, also) = weights(run), weights(other)
    assert about["step"] == also["step"]
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-3, atol=2e-5, msg=name)


def test_a_batch_in_parts_gives_the_same_weights(domains, one_process, tmp_path):
    run = train(tiny(**EXACT, **{"optimiser.accumulate": 2}), *domains, tmp_path / "run", quiet=True)
    assert_close(run, one_process)


def command(domains, out, *more, **changes):
    options = [part for name, value in (TINY | EXACT | changes).items() for part in (f"--{name}", json.dumps(value))]
    silico, vivo = map(str, domains)
    folders = ["--silico", silico, "--vivo", vivo, "--out", str(out)]
    return [sys.executable, "-m", "myovivo.cli", "train", "paper-3d", *folders, *options, *more]


def test_two_processes_give_the_weights_of_one_and_resume(domains, one_process, tmp_path):
    """gloo on a CPU, over the loopback interface; interrupted after two steps."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    for steps in (2, 4):
        parts = command(domains, tmp_path / "run", "--devices", "2", "--device", "cpu", **{"optimiser.steps": steps})
        done = subprocess.run(parts, env=environment, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
    assert_close(tmp_path / "run", one_process)
    assert read_run(tmp_path / "run")["processes"] == 2
    tensors, _ = read_tensors(tmp_path / "run" / "checkpoint.safetensors", "checkpoint")
    whole, _ = read_tensors(one_process / "checkpoint.safetensors", "checkpoint")
    assert tensors["pool/vivo"].shape == whole["pool/vivo"].shape  # both processes' clips


@pytest.mark.parametrize(
    ("options", "changes", "message"),
    [
        ({"devices": 2}, {"optimiser.batch": 3}, "optimiser.batch, 3, must be divisible by .*, 2; try 4"),
        ({}, {"optimiser.accumulate": 4}, "optimiser.batch, 2, must be divisible by .*, 4; try 4"),
        ({"devices": 0}, {}, "must be divisible"),
    ],
)
def test_batches_that_cannot_be_shared(domains, tmp_path, options, changes, message):
    with pytest.raises(InputError, match=message):
        train(tiny(**changes), *domains, tmp_path / "run", quiet=True, **options)
    assert not (tmp_path / "run").exists()


def test_validation_uses_subjects_of_its_own_and_keeps_the_best(domains, tmp_path):
    silico, vivo = (
        domain(tmp_path / "silico", "silico", count=8, shape=(32, 16, 16)),
        domain(tmp_path / "vivo", "phantom", count=8, shape=(32, 16, 16)),
    )
    changes = {"validation.every": 2, "validation.held_out": 0.4, "validation.frames": 32, "optimiser.steps": 6}
    run = train(tiny(**changes), silico, vivo, tmp_path / "run", quiet=True)
    for name in ("silico", "vivo"):
        split = read_run(run)["recipe"][name]
        groups = [split["train"], split["validation"], split["test"]]
        assert all(groups)
        subjects = [{read_header(tmp_path / name / file).subject for file in group} for group in groups]
        assert len(subjects[0] | subjects[1] | subjects[2]) == sum(map(len, subjects))
    lines = [json.loads(line) for line in (run / "validation.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4, 6]
    assert {"DBhat", "Corr", "SSI", "Corr Psd", "xCorr", "lag", "none", "vivo-vivo"} <= set(lines[0])
    best = min(lines, key=lambda line: (line["score"], -line["step"]))
    assert load_weights(run / "best.safetensors").step == best["step"]
    assert lines[-1]["best"] == best["score"]
    assert Translator.load(run / "best.safetensors").weights.step == best["step"]

    # Interrupted and resumed, the choice is the same.
    train(tiny(**(changes | {"optimiser.steps": 3})), silico, vivo, tmp_path / "again", quiet=True)
    train(tiny(**changes), silico, vivo, tmp_path / "again", quiet=True)
    assert [json.loads(line) for line in (tmp_path / "again" / "validation.jsonl").read_text().splitlines()] == lines
    again, first = (load_weights(folder / "best.safetensors").tensors for folder in (tmp_path / "again", run))
    assert all(torch.equal(again[name], first[name]) for name in first)


def test_patience_stops_early(domains, tmp_path, monkeypatch):
    changes = {"validation.every": 1, "validation.frames": 16, "validation.patience": 2, "optimiser.steps": 50}
    scores = iter([0.5, 0.6, 0.7, 0.8])
    monkeypatch.setattr("myovivo.training.validation.score", lambda translated, vivo: next(scores))
    run = train(tiny(**changes), *domains, tmp_path / "run", quiet=True)
    assert weights(run)[1]["step"] == 3
    train(tiny(**changes), *domains, tmp_path / "run", quiet=True)  # again: it had enough, and stays as it is
    assert weights(run)[1]["step"] == 3
    assert load_weights(run / "best.safetensors").step == 1


def test_a_loss_that_goes_astray_is_noticed_and_a_single_peak_is_not():
    watch, calm = LossWatch(), {"gan": 1.0}
    for _ in range(LossWatch.WARM_UP):
        assert watch.astray(calm) is None
    assert watch.astray({"gan": 1e4}) is None
    assert watch.astray(calm) is None
    found = [watch.astray({"gan": 1e4}) for _ in range(LossWatch.PATIENCE)]
    assert found == [None] * (LossWatch.PATIENCE - 1) + ["gan"]


def test_the_log_says_how_long_it_waited_for_data(one_process):
    line = json.loads((one_process / "log.jsonl").read_text().splitlines()[-1])
    assert 0 <= line["data_wait"] <= 1


def test_bfloat16_gives_way_where_a_cpu_only_imitates_it(monkeypatch):
    cpu = torch.device("cpu")
    monkeypatch.setattr("myovivo.runtime.device._cpu_has_bfloat16", lambda: False)
    assert precision_for("bf16", cpu) == "fp32"
    monkeypatch.setattr("myovivo.runtime.device._cpu_has_bfloat16", lambda: True)
    assert precision_for("bf16", cpu) == "bf16"
    assert precision_for("fp32", cpu) == "fp32"


@pytest.mark.parametrize("preset", ["paper-3d-noise", "house"])
def test_an_estimate_counts_and_writes_nothing(domains, tmp_path, preset):
    small = {"generator.features": 2, "local.features": 4, "local.cell": 2, "discriminator.features": 2}
    changes = small | {"data.clip": (24, 16, 16), "optimiser.epochs": 3, "optimiser.steps": None, "optimiser.batch": 2}
    changes |= {"discriminator.layers": 1}
    before = sorted(path.name for path in domains[0].parent.rglob("*"))
    found = estimate(preset, *domains, device="cpu", **changes)
    assert found.steps == 6  # 4 or 5 sequences of one clip in the smaller domain, 3 times, 2 at a time
    assert found.flops_per_sample > 1e6
    assert found.seconds == pytest.approx(found.steps * found.seconds_per_step)
    assert found.parameters["silico_to_vivo"] > 100
    assert "s per step" in str(found)
    assert sorted(path.name for path in domains[0].parent.rglob("*")) == before


def test_twice_the_work_is_twice_the_flops(domains):
    small = {"generator.features": 2, "discriminator.features": 2, "discriminator.layers": 1, "data.workers": 0}
    found = [
        estimate(
            "paper-3d-stride1", *domains, device="cpu", **small, **{"data.clip": (frames, 16, 16)}
        ).flops_per_sample
        for frames in (12, 24)
    ]
    assert found[1] / found[0] == pytest.approx(2, rel=0.1)


def test_tensorboard_writes_what_the_log_says(domains, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = train(tiny(), *domains, tmp_path / "run", tensorboard=True, quiet=True)
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    line = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
    (event,) = events.Scalars("gan_vivo")
    assert event.step == line["step"]
    assert event.value == pytest.approx(line["gan_vivo"])


def test_house_at_its_own_size_can_be_made():
    settings = settings_from(TrainSettings, "house")
    assert settings.local.cell * 0.3125 == 1.25  # mm


def stepping(folder, device="cpu", **changes):
    """A training without files, and clips for it."""
    settings = tiny(**(EXACT | changes))
    clip = settings.data.clip
    scales = {name: DomainScale(0.0, 1.0) for name in ("silico", "vivo")}
    header = Header(clip, 512.0, SPACING, "silico", "", {})
    training = Training(folder, settings, 0, header, scales, fabric_for(settings, device))
    clips = torch.randn((2, settings.optimiser.batch, 1, *clip), generator=torch.Generator().manual_seed(0))
    return training, training.fabric.to_device(clips)


def test_losses_that_are_read_later_are_the_same(tmp_path):
    now, clips = stepping(tmp_path)
    read = [now.advance(*clips) for _ in range(3)]
    later, _ = stepping(tmp_path)
    assert [later.advance(*clips, False) for _ in range(2)] == [{}, {}]
    assert later.advance(*clips) == read[2]


def test_a_loss_gone_wrong_between_two_looks_is_told_with_its_step(tmp_path):
    training, clips = stepping(tmp_path)
    training.advance(*clips, False)
    training.advance(clips[0] * torch.nan, clips[1], False)
    with pytest.raises(DivergedError, match=r"diverged at step 2: the loss .* is nan"):
        training.advance(*clips)


@pytest.fixture
def flags():
    """What torch computes with, put back afterwards."""
    cudnn, products = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.benchmark, cudnn.allow_tf32, products.allow_tf32
    yield cudnn
    cudnn.benchmark, cudnn.allow_tf32, products.allow_tf32 = before


def test_what_a_gpu_is_prepared_with_changes_no_result(tmp_path, flags):
    changes = {"method": "cycle", "discriminator.variance_map": False}
    plain, clips = stepping(tmp_path, **changes)
    ready, _ = stepping(tmp_path, **changes)
    prepare_gpu(ready.model)
    assert ready.model.vivo_judge.convs[1].conv.weight.is_contiguous(memory_format=torch.channels_last_3d)
    assert flags.benchmark
    assert ready.advance(*clips) == pytest.approx(plain.advance(*clips), rel=1e-4)


@pytest.mark.parametrize("model", ["house", "paper-3d-noise"])
def test_the_benchmark_of_a_gpu_runs_at_toy_size_without_one(model, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    gpu = importlib.import_module("gpu")
    monkeypatch.setattr(
        gpu,
        "TOY",
        {**gpu.TOY, "local.blocks": 1, "generator.blocks": 1, "data.clip": (8, 24, 24), "discriminator.features": 2},
    )
    row = gpu.run(model, "cpu", batch=2, toy=True)
    assert row["batch"] == 2
    assert row["samples_per_s"] == pytest.approx(2e3 / row["ms_per_step"])
    assert 0 < row["share_of_peak"] < 1
    if not torch.cuda.is_available():
        monkeypatch.setattr(sys, "argv", ["gpu.py"])
        with pytest.raises(SystemExit, match="there is no CUDA device here"):
            gpu.main()


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("method", ["one-sided", "cycle"])
def test_a_step_never_waits_for_the_gpu(tmp_path, method):
    changes = {} if method == "one-sided" else {"discriminator.variance_map": False}
    training, clips = stepping(tmp_path, "cuda", method=method, **changes)
    training.advance(*clips)
    torch.cuda.set_sync_debug_mode("error")
    try:
        training.advance(*clips, False)
    finally:
        torch.cuda.set_sync_debug_mode("default")
