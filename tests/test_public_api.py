"""What a user types in a notebook, and what each public thing says of itself."""

import importlib
import inspect
import subprocess
import sys
from importlib.metadata import requires, version
from pathlib import Path

import pytest

import myovivo as mv

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"


def test_all_names_are_there_and_nothing_else_is_promised():
    assert sorted(mv.__all__) == sorted(mv._HOME)
    for name in mv.__all__:
        assert getattr(mv, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = mv.nothing


@pytest.mark.parametrize("name", mv.__all__)
def test_public_things_are_documented(name):
    text = inspect.getdoc(getattr(mv, name)) or ""
    assert len(text.split()) > 8, f"{name} needs a docstring"
    if name[0].islower():
        assert "Parameters" in text, f"{name} must describe its parameters"
        assert "Returns" in text or "Raises" in text


@pytest.mark.parametrize("name", [name for name in mv.__all__ if mv._HOME[name] == name])
def test_a_stage_is_both_a_module_and_its_function(name):
    module = importlib.import_module(f"myovivo.{name}")
    assert getattr(mv, name) is module
    assert callable(module)
    assert inspect.signature(module).parameters
    with pytest.raises((TypeError, mv.MyovivoError)):
        module(no_such_argument=1)


def test_submodules_can_be_reached_every_way():
    import myovivo.evaluate.metrics as metrics

    assert mv.evaluate.metrics.log_variance_map is metrics.log_variance_map
    for name in (
        "log_variance_map",
        "bhattacharyya_distance",
        "histogram_correlation",
        "kspace_ssim",
        "psd_correlation",
        "content_correlation",
    ):
        assert callable(getattr(metrics, name))


def test_importing_is_quick_because_torch_is_left_for_later():
    code = "import sys, myovivo, myovivo.cli; assert 'torch' not in sys.modules; assert 'scipy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_tested_torch_is_the_pinned_one_and_torchvision_is_absent():
    pinned = dict(line.split("==") for line in CONSTRAINTS.read_text().split() if "==" in line)
    if sys.version_info[:2] == (3, 11):
        assert version("torch").split("+")[0] == pinned["torch"]
    needed = " ".join(requires("myovivo") or [])
    assert "torchvision" not in pinned
    assert "torchvision" not in needed
    with pytest.raises(ImportError):
        importlib.import_module("torchvision")


def test_every_dependency_has_a_lower_bound_and_a_tested_version():
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in CONSTRAINTS.read_text().split() if "==" in line}
    for requirement in requires("myovivo") or []:
        assert ">=" in requirement, requirement
        name = requirement.split(">=")[0].split("[")[0].strip().lower()
        assert name in pinned, f"{name} has no tested version in constraints.txt"
