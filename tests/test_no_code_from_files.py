"""No file can make the package run code: no pickle, no eval, no shell, no YAML of objects; looked for, and tried."""

import ast
import json
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

import myovivo as mv
from myovivo.errors import MyovivoError
from myovivo.models.settings import TrainSettings
from myovivo.runtime.settings import settings_from

SOURCE = Path(mv.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))

# What would run code that a file or a user's text holds, by the name that is called.
BUILTINS = {"eval", "exec", "compile", "__import__"}  # as themselves: a network has an `eval` of its own
FORBIDDEN = {
    "system", "popen", "spawnl", "spawnv", "getoutput", "getstatusoutput", "unsafe_load", "full_load", "load_all",
}  # fmt: skip
MODULES_FORBIDDEN = {"pickle", "cPickle", "dill", "shelve", "marshal", "cloudpickle", "code", "runpy"}


def calls(path):
    """Each call of a module: its last name, the dotted name as written, and the names of its arguments."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            yield name.split(".")[-1], name, {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_module_calls_what_would_run_code_of_a_file(path):
    for last, name, arguments in calls(path):
        assert name not in BUILTINS
        assert last not in FORBIDDEN, name
        assert arguments.get("shell", "False") == "False", name
        assert arguments.get("allow_pickle", "False") == "False", name
        assert name not in ("torch.load", "yaml.load", "pickle.load", "np.loadtxt"), name
        if name == "np.load":
            assert arguments["allow_pickle"] == "False"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_module_imports_what_unpickles(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        imported += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        assert not {name.split(".")[0] for name in imported} & MODULES_FORBIDDEN


def test_processes_are_started_by_lists_of_words():
    started = [
        (path, name, given) for path in MODULES for _, name, given in calls(path) if name.startswith("subprocess.")
    ]
    assert all("shell" not in given for _, _, given in started)
    assert len(started) >= 1  # the steps of a study


class Evil:
    """What pickle would run."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def npy(path, evil):
    with path.open("wb") as file:
        np.save(file, np.array([evil], object), allow_pickle=True)


def npz(path, evil):
    with path.open("wb") as file:
        np.savez(file, data=np.array([evil], object))


def torch_file(path, evil):
    torch.save({"weights": evil}, path)


def plain_pickle(path, evil):
    path.write_bytes(pickle.dumps(evil))


ATTACKS = [
    (npy, "a.npy", mv.acquire),
    (npz, "a.npz", mv.acquire),
    (torch_file, "a.npz", mv.acquire),
    (plain_pickle, "a.npy", mv.acquire),
    (torch_file, "weights.safetensors", mv.Translator.load),
    (plain_pickle, "weights.safetensors", mv.Translator.load),
    (plain_pickle, "a.json", mv.read_spike_trains),
]


@pytest.mark.parametrize(("write", "name", "read"), ATTACKS)
def test_a_pickle_under_any_name_is_refused_and_runs_nothing(write, name, read, tmp_path):
    marker = tmp_path / "run"
    write(tmp_path / name, Evil(marker))
    with pytest.raises(MyovivoError):
        read(tmp_path / name)
    assert not marker.exists()


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!!python/object/new:os.system"])
def test_yaml_of_objects_is_refused_and_runs_nothing(tag, tmp_path):
    marker = tmp_path / "run"
    text = f"data: {tag} ['touch {marker}']\n"
    np.save(tmp_path / "a.npy", np.zeros((3, 4, 5)))
    (tmp_path / "a.yaml").write_text(text)
    for read in (lambda: settings_from(TrainSettings, tmp_path / "a.yaml"), lambda: mv.acquire(tmp_path / "a.npy")):
        with pytest.raises(MyovivoError):
            read()
    assert not marker.exists()


def test_numbers_in_the_header_of_weights_are_numbers(tmp_path):
    head = json.dumps({"__metadata__": {"myovivo": "__import__('os').system('touch run')"}}).encode()
    (tmp_path / "weights.safetensors").write_bytes(struct.pack("<Q", len(head)) + head)
    with pytest.raises(MyovivoError, match="not from myovivo"):
        mv.Translator.load(tmp_path / "weights.safetensors")
