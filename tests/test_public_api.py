"""What a user types in a notebook, and what each public thing says of itself."""

import ast
import importlib
import inspect
import subprocess
import sys
from importlib.metadata import requires, version
from pathlib import Path

import pytest

import myovivo as mv

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"


STUB = Path(mv.__file__).with_suffix(".pyi")
PUBLIC = sorted({*mv.__all__} - {"plot"})


def test_all_names_are_there_and_nothing_else_is_promised():
    promised = {alias.asname for node in ast.parse(STUB.read_text()).body for alias in getattr(node, "names", ())}
    assert {*mv.__all__} == promised == {*dir(mv)}
    for name in mv.__all__:
        assert getattr(mv, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = mv.nothing


def test_no_public_function_can_be_hidden_by_a_room_of_its_name():
    """Importing a room binds it to its parent, so a function of that name would be there or not by who came first."""
    rooms = {path.parent.name for path in Path(mv.__file__).parent.glob("*/__init__.py")}
    assert rooms & {*mv.__all__} == {"plot"}
    assert inspect.ismodule(mv.plot)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_things_are_documented(name):
    text = inspect.getdoc(getattr(mv, name)) or ""
    assert len(text.split()) > 8, f"{name} needs a docstring"
    if name[0].islower():
        assert "Parameters" in text, f"{name} must describe its parameters"
        assert "Returns" in text or "Raises" in text


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
