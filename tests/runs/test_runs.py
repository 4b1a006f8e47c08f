"""Checkpoints: what is written is read back; what is not ours is refused and runs nothing."""

import json
import pickle
import struct

import pytest
import torch
from domains import tiny
from safetensors.torch import save_file

from myovivo.errors import CheckpointError, RunFolderError
from myovivo.runs.folder import Run, claimed_run, train_files
from myovivo.runs.weights import load_weights
from myovivo.runtime.files import write_json
from myovivo.runtime.recipe import claimed
from myovivo.runtime.tensors import fill, fill_optimiser, optimiser_tensors, read_tensors, write_tensors


def test_tensors_and_description_come_back(tmp_path):
    tensors = {"a": torch.arange(6.0).reshape(2, 3).T, "b": torch.tensor(3)}  # one not contiguous, one a scalar
    write_tensors(tmp_path / "x.safetensors", "checkpoint", tensors, {"step": 4})
    found, about = read_tensors(tmp_path / "x.safetensors", "checkpoint")
    assert about["step"] == 4
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def _pickle(path):
    path.write_bytes(pickle.dumps(Bomb(path.with_name("exploded"))))


def _torch_pickle(path):
    torch.save({"bomb": Bomb(path.with_name("exploded"))}, path)


def _truncated(path):
    write_tensors(path, "weights", {"a": torch.zeros(100)}, {})
    path.write_bytes(path.read_bytes()[:-50])


def _huge_header(path):
    path.write_bytes(struct.pack("<Q", 2**62) + b"{}")


def _other_software(path):
    save_file({"a": torch.zeros(1)}, path)


def _note_is_a_list(path):
    save_file({"a": torch.zeros(1)}, path, metadata={"myovivo": "[1, 2]"})


def _note_is_not_json(path):
    save_file({"a": torch.zeros(1)}, path, metadata={"myovivo": "{"})


def _other_kind(path):
    write_tensors(path, "checkpoint", {"a": torch.zeros(1)}, {})


def _newer(path):
    note = {"format": "myovivo weights", "format_version": 99}
    save_file({"a": torch.zeros(1)}, path, metadata={"myovivo": json.dumps(note)})


def _incomplete(path):
    write_tensors(path, "weights", {"a": torch.zeros(1)}, {"spacing": [1, 1]})


def _unknown_settings(path):
    note = {"settings": {"generator": {"magic": 1}}, "standardisation": {"silico": [0, 1], "vivo": [0, 1]}}
    write_tensors(path, "weights", {"a": torch.zeros(1)}, {"spacing": [1, 1], **note})


def _empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_pickle, "not a readable safetensors file"),
        (_torch_pickle, "not a readable safetensors file"),
        (_truncated, "not a readable safetensors file"),
        (_huge_header, "not a readable safetensors file"),
        (_empty, "not a readable safetensors file"),
        (_other_software, "not from myovivo"),
        (_note_is_not_json, "not from myovivo"),
        (_note_is_a_list, "not a myovivo weights file"),
        (_other_kind, "not a myovivo weights file"),
        (_newer, "format version 99, newer than 1; upgrade"),
        (_incomplete, "is incomplete"),
        (_unknown_settings, "generator.magic"),
        (lambda path: None, "does not exist"),
    ],
)
def test_what_is_no_weights_file_is_one_clear_line_and_runs_nothing(tmp_path, make, message):
    path = tmp_path / "weights.safetensors"
    make(path)
    with pytest.raises(CheckpointError, match=message) as caught:
        load_weights(tmp_path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert not (tmp_path / "exploded").exists()


def test_weights_of_another_shape_name_the_first_difference_and_change_nothing():
    network = torch.nn.Linear(3, 2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(CheckpointError, match=r"weight is \(2, 4\) there, \(2, 3\) here"):
        fill(network, {"weight": torch.zeros(2, 4), "bias": torch.ones(2)}, "x")
    with pytest.raises(CheckpointError, match="bias is absent there"):
        fill(network, {"weight": torch.zeros(2, 3)}, "x")
    with pytest.raises(CheckpointError, match="not finite in bias"):
        fill(network, {"weight": torch.zeros(2, 3), "bias": torch.tensor([0, torch.nan])}, "x")
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_optimiser_goes_on_where_it_was():
    def run(steps, state=None):
        weight = torch.nn.Parameter(torch.ones(3) if state is None else state[0].clone())
        adam = torch.optim.Adam([weight], 0.1)
        if state is not None:
            fill_optimiser(adam, state[1], "x")
        for _ in range(steps):
            adam.zero_grad()
            (weight**2 * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
            adam.step()
        return weight.detach(), {name: value.clone() for name, value in optimiser_tensors(adam).items()}

    assert torch.equal(run(4, run(3))[0], run(7)[0])
    assert not torch.equal(run(4, (run(3)[0], {}))[0], run(7)[0])


def test_optimiser_state_of_other_networks_is_refused():
    adam = torch.optim.Adam([torch.nn.Parameter(torch.ones(3))])
    for name in ("0/exp_avg", "5/step", "x/step"):
        with pytest.raises(CheckpointError, match="other networks"):
            fill_optimiser(adam, {name: torch.zeros(4)}, "x")


def _recipe(**changes):
    return {"recipe": {"settings": tiny(**changes).model_dump(mode="json"), "seed": 0}}


def claim(run, content):
    with claimed_run(run, content):
        pass


def test_a_run_folder_is_claimed_once(tmp_path):
    run = tmp_path / "run"
    claim(run, _recipe())
    claim(run, _recipe())
    claim(run, _recipe(**{"optimiser.steps": 99, "data.workers": 0}))  # longer, or more readers: the same run
    before = (run / "run.json").read_bytes()
    with pytest.raises(RunFolderError, match=r"generator\.features is 8 there, 4 here"):
        claim(run, _recipe(**{"generator.features": 4}))
    assert (run / "run.json").read_bytes() == before


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(RunFolderError, match="not empty"):
        claim(tmp_path, _recipe())
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(RunFolderError, match="not the description"):
        claim(tmp_path, _recipe())
    assert (tmp_path / "run.json").read_text() == "[]"


SIDE = {"train": ["a.h5"], "test": ["b.h5"], "subjects": {}}
BROKEN = [
    {"recipe": []},
    {"folders": "here"},
    {"folders": {"silico": 3, "vivo": "b"}},
    {"recipe": {"silico": {}, "vivo": {}}},
    {"recipe": {"silico": SIDE | {"train": [1]}, "vivo": SIDE}},
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_description_of_a_run_that_was_edited_is_one_clear_line(broken, tmp_path):
    whole = {
        "recipe": {"settings": {}, "seed": 0, "silico": SIDE, "vivo": SIDE},
        "folders": {"silico": "a", "vivo": "b"},
    }
    write_json(tmp_path / "run.json", whole)
    assert [path.name for path in train_files(tmp_path, "vivo")] == ["a.h5"]
    write_json(tmp_path / "run.json", whole | broken)
    for read in (Run.load, lambda run: train_files(run, "vivo")):
        with pytest.raises(CheckpointError, match=r"run\.json"):
            read(tmp_path)


@pytest.mark.parametrize("text", ["[1]", "3", '{"stage": [["test"]]}'])
def test_a_manifest_that_was_edited_is_one_clear_line(text, tmp_path):
    (tmp_path / "a.h5").touch()
    (tmp_path / "domain.json").write_text(text)
    content = {"stage": "test"}
    with pytest.raises(RunFolderError), claimed(tmp_path, "domain.json", content, recipe_of=dict, results="*.h5"):
        pass
