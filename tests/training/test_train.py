"""Training: the same run however often it is interrupted, and nothing lost when something is wrong."""

import itertools
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from domains import TINY, domain, tiny

import myovivo.training.train as training_module
from myovivo.errors import CheckpointError, FileError, InputError, RunFolderError
from myovivo.runs.folder import read_run, test_files, train_files
from myovivo.runs.weights import load_weights
from myovivo.runtime.tensors import read_tensors
from myovivo.sequences.header import read_header
from myovivo.sequences.split import SplitWarning
from myovivo.training.step import DivergedError
from myovivo.training.train import train


@pytest.fixture(scope="module")
def domains(tmp_path_factory):
    folder = tmp_path_factory.mktemp("domains")
    return domain(folder / "silico", "silico"), domain(folder / "vivo", "phantom", per_subject=2)


@pytest.fixture(scope="module")
def uninterrupted(domains, tmp_path_factory):
    return train(tiny(), *domains, tmp_path_factory.mktemp("runs") / "whole", quiet=True)


def checkpoint(run):
    return read_tensors(run / "checkpoint.safetensors", "checkpoint")


def assert_same_bytes(run, other):
    (first, about), (second, also) = checkpoint(run), checkpoint(other)
    assert about["step"] == also["step"]
    assert set(first) == set(second)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert (run / "weights.safetensors").read_bytes() == (other / "weights.safetensors").read_bytes()


def log_of(run):
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name not in ("seconds", "data_wait")} for line in lines]


def test_training_changes_both_generators_and_logs_every_loss(uninterrupted):
    tensors, about = checkpoint(uninterrupted)
    assert about["step"] == 6
    for direction in ("silico_to_vivo", "vivo_to_silico"):
        assert tensors[f"model/{direction}.last.conv.weight"].abs().max() > 0  # it started at zero
    assert tensors["model/silico_to_vivo.blocks.0.noise_scale"].abs().max() > 0
    (line,) = log_of(uninterrupted)
    losses = {f"{kind}_{domain}" for kind in ("gan", "cycle", "identity", "judge") for domain in ("vivo", "silico")}
    assert set(line) == {"step", *losses}


@pytest.mark.parametrize("stop", [1, 4])
def test_resumed_equals_uninterrupted_to_the_bit(domains, uninterrupted, tmp_path, monkeypatch, stop):
    """Killed in the middle of a step, after a checkpoint: the same command again ends the same."""
    advance = training_module.Training.advance
    calls = itertools.count()

    def killed(self, *pair):
        if next(calls) == stop:
            raise KeyboardInterrupt
        return advance(self, *pair)

    settings = tiny(**{"optimiser.checkpoint_minutes": 0})
    monkeypatch.setattr(training_module.Training, "advance", killed)
    with pytest.raises(KeyboardInterrupt):
        train(settings, *domains, tmp_path / "run", quiet=True)
    assert checkpoint(tmp_path / "run")[1]["step"] == stop
    monkeypatch.undo()
    train(tiny(), *domains, tmp_path / "run", quiet=True)
    assert log_of(tmp_path / "run") == log_of(uninterrupted)
    tensors, whole = checkpoint(tmp_path / "run")[0], checkpoint(uninterrupted)[0]
    assert all(torch.equal(tensors[name], whole[name]) for name in whole)


def test_lengthened_equals_long_from_the_start(domains, uninterrupted, tmp_path):
    train(tiny(**{"optimiser.steps": 2}), *domains, tmp_path / "run", quiet=True)
    train(tiny(), *domains, tmp_path / "run", quiet=True)
    assert_same_bytes(tmp_path / "run", uninterrupted)


def test_number_of_readers_does_not_change_the_weights(domains, uninterrupted, tmp_path):
    train(tiny(**{"data.workers": 0}), *domains, tmp_path / "run", quiet=True)
    tensors, whole = checkpoint(tmp_path / "run")[0], checkpoint(uninterrupted)[0]
    assert all(torch.equal(tensors[name], whole[name]) for name in whole)


def test_the_average_of_the_weights_is_what_translates_and_resumes(domains, uninterrupted, tmp_path):
    changes = {"optimiser.average": 0.9}
    whole = train(tiny(**changes), *domains, tmp_path / "whole", quiet=True)
    train(tiny(**(changes | {"optimiser.steps": 3})), *domains, tmp_path / "run", quiet=True)
    assert_same_bytes(train(tiny(**changes), *domains, tmp_path / "run", quiet=True), whole)
    tensors, plain = checkpoint(whole)[0], checkpoint(uninterrupted)[0]
    name = "silico_to_vivo.last.conv.weight"
    assert torch.equal(tensors[f"model/{name}"], plain[f"model/{name}"])  # it does not change the training
    mean = load_weights(whole).tensors["silico_to_vivo/last.conv.weight"]
    assert torch.equal(mean, tensors["averaged/silico_to_vivo.last.conv.weight"])
    assert not torch.equal(mean, plain[f"model/{name}"])


def test_another_seed_is_another_run(domains, uninterrupted, tmp_path):
    run = train(tiny(), *domains, tmp_path / "run", seed=1, quiet=True)
    name = "model/silico_to_vivo.last.conv.weight"
    assert not torch.equal(checkpoint(run)[0][name], checkpoint(uninterrupted)[0][name])


def test_a_finished_run_is_left_as_it_is(domains, uninterrupted):
    before = {path.name: path.read_bytes() for path in uninterrupted.iterdir()}
    train(tiny(), *domains, uninterrupted, quiet=True)
    assert {path.name: path.read_bytes() for path in uninterrupted.iterdir()} == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"generator.features": 4}, r"generator\.features is 8 there, 4 here"),
        ({"loss.cycle_vivo": 1}, r"loss\.cycle_vivo is 10\.0 there, 1\.0 here"),
        ({"seed": 5}, "seed is 0 there, 5 here|silico.mean"),
        ({"optimiser.steps": 2}, "holds 6 steps already, more than the 2 asked for"),
    ],
)
def test_a_folder_of_another_run_is_refused_and_kept(domains, uninterrupted, changes, message):
    before = {path.name: path.read_bytes() for path in uninterrupted.iterdir() if path.name != "run.json"}
    seed = changes.pop("seed", 0)
    with pytest.raises(RunFolderError, match=message):
        train(tiny(**changes), *domains, uninterrupted, seed=seed, quiet=True)
    assert {path.name: path.read_bytes() for path in uninterrupted.iterdir() if path.name != "run.json"} == before


def test_other_data_are_refused(domains, uninterrupted, tmp_path):
    other = domain(tmp_path / "vivo", "vivo", count=5)
    with pytest.raises(RunFolderError, match=r"already holds another run \(vivo\."):
        train(tiny(), domains[0], other, uninterrupted, quiet=True)


def test_a_checkpoint_of_another_preset_is_refused(domains, uninterrupted, tmp_path):
    settings = tiny(**{"generator.features": 4, "optimiser.steps": 1})
    run = train(settings, *domains, tmp_path / "run", quiet=True)
    (run / "checkpoint.safetensors").write_bytes((uninterrupted / "checkpoint.safetensors").read_bytes())
    with pytest.raises(CheckpointError, match=r"other settings \(generator\.features is 8 there, 4 here\)"):
        train(settings, *domains, run, quiet=True)


def test_a_pickle_in_place_of_the_checkpoint_is_data_and_not_run(domains, uninterrupted, tmp_path):
    run, bomb = shutil.copytree(uninterrupted, tmp_path / "run"), tmp_path / "exploded"

    class Bomb:
        def __reduce__(self):
            return open, (str(bomb), "w")

    (run / "checkpoint.safetensors").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        train(tiny(), *domains, run, quiet=True)
    assert not bomb.exists()


def test_nan_stops_with_a_clear_line_and_the_last_good_checkpoint(domains, tmp_path, monkeypatch):
    train(tiny(**{"optimiser.steps": 2}), *domains, tmp_path / "run", quiet=True)
    good = (tmp_path / "run" / "checkpoint.safetensors").read_bytes()
    monkeypatch.setattr("myovivo.models.cyclegan.cycle_loss", lambda a, b: (a - b).sum() * torch.nan)
    with pytest.raises(DivergedError, match=r"at step 3: the loss cycle_silico is nan; the last good checkpoint"):
        train(tiny(), *domains, tmp_path / "run", quiet=True)
    assert (tmp_path / "run" / "checkpoint.safetensors").read_bytes() == good


def test_the_run_folder_says_who_was_trained_on(domains, uninterrupted):
    for name, folder in zip(("silico", "vivo"), domains, strict=True):
        train_side, test_side = train_files(uninterrupted, name), test_files(uninterrupted, name)
        assert sorted(train_side + test_side) == sorted(folder.glob("*.h5"))
        subjects = [{read_header(path).subject for path in side} for side in (train_side, test_side)]
        assert subjects[0].isdisjoint(subjects[1])
    manifest = read_run(uninterrupted)
    assert manifest["recipe"]["vivo"]["split"] == "subject"
    assert manifest["versions"]["torch"] == torch.__version__
    assert manifest["device"].startswith("cpu") or torch.cuda.is_available()


def test_one_subject_is_warned_of_and_recorded(domains, tmp_path):
    one = domain(tmp_path / "vivo", "vivo", count=4, per_subject=4)
    with pytest.warns(SplitWarning):
        run = train(tiny(**{"optimiser.steps": 1}), domains[0], one, tmp_path / "run", quiet=True)
    assert read_run(run)["recipe"]["vivo"]["split"] == "recording"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data.clip": (8, 15, 16)}, "divisible by"),
        ({"data.clip": (32, 16, 16)}, "must fit into every sequence"),
        ({"data.clip": (8, 8, 16), "method": "one-sided"}, "knowing depth needs clips of all 16 rows"),
    ],
)
def test_clips_that_cannot_be_are_refused_before_anything_is_written(domains, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        train(tiny(**changes), *domains, tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"frame_rate": 62}, "512 frames/s but .* has 62"), ({"spacing": (0.001, 0.001)}, "pixels of 1 x 0.5 mm but")],
)
def test_domains_of_two_scales_are_refused(domains, tmp_path, options, message):
    other = domain(tmp_path / "vivo", "vivo", **options)
    with pytest.raises(InputError, match=message):
        train(tiny(), domains[0], other, tmp_path / "run", quiet=True)


def test_missing_folders_and_devices_are_named(domains, tmp_path):
    with pytest.raises(FileError, match="nowhere: does not exist"):
        train(tiny(), tmp_path / "nowhere", domains[1], tmp_path / "run", quiet=True)
    with pytest.raises(InputError, match="device must be auto, cpu or cuda, got 'gpu'"):
        train(tiny(), *domains, tmp_path / "run", device="gpu", quiet=True)
    with pytest.raises(InputError, match="fp16 needs a CUDA device"):
        train(tiny(**{"optimiser.precision": "fp16"}), *domains, tmp_path / "run", device="cpu", quiet=True)
    with pytest.raises(FileError, match=r"neither a preset nor a file; presets: paper-2d, .*; did you mean paper-3d\?"):
        train("papr-3d", *domains, tmp_path / "run", quiet=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"generator.dimensions": 2, "data.clip": (1, 16, 16)},
        {"optimiser.precision": "fp32", "optimiser.batch": 1},
        {"discriminator.norm": "group", "generator.tanh": True},
        {"optimiser.image_pool": 0, "loss.identity_norm": "l2", "discriminator.temporal_stride_first": 1},
    ],
)
def test_switches_train(domains, tmp_path, changes):
    run = train(tiny(**(changes | {"optimiser.steps": 2})), *domains, tmp_path / "run", quiet=True)
    assert checkpoint(run)[1]["step"] == 2


def test_epochs_count_the_smaller_domain(domains, tmp_path):
    """5 silico and 4 vivo training sequences of 3 clips: one epoch at batch 2 is 6 steps."""
    settings = tiny(**{"optimiser.steps": None, "optimiser.epochs": 1, "data.held_out": 0.2})
    assert checkpoint(train(settings, *domains, tmp_path / "run", quiet=True))[1]["step"] == 6


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM cannot be caught there")
def test_sigterm_saves_and_the_same_command_goes_on(domains, uninterrupted, tmp_path):
    silico, vivo, run = (str(path) for path in (*domains, tmp_path / "run"))
    changes = TINY | {"optimiser.steps": 1_000_000}
    code = (
        "import torch; torch.set_num_threads(1)\n"
        "from myovivo import train\n"
        f"train('paper-3d', {silico!r}, {vivo!r}, {run!r}, quiet=True, **{changes!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    log, deadline = tmp_path / "run" / "log.jsonl", time.monotonic() + 60
    while not log.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, printed = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, printed
    assert "run the same command again" in printed
    step = checkpoint(tmp_path / "run")[1]["step"]
    assert step >= 10
    # One step more, from the checkpoint, is the step of a run that was never stopped.
    one_more = tiny(**{"optimiser.steps": step + 1})
    train(one_more, *domains, tmp_path / "run", quiet=True)
    assert checkpoint(tmp_path / "run")[1]["step"] == step + 1


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("precision", ["bf16", "fp16", "fp32"])
def test_trains_and_resumes_on_a_gpu(domains, tmp_path, precision):
    settings = {"optimiser.precision": precision, "optimiser.steps": 2}
    train(tiny(**settings), *domains, tmp_path / "run", device="cuda", quiet=True)
    train(tiny(**(settings | {"optimiser.steps": 4})), *domains, tmp_path / "run", device="cuda", quiet=True)
    assert checkpoint(tmp_path / "run")[1]["step"] == 4
