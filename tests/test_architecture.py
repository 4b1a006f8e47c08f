"""Data flows one way: a module imports from its own stage or from stages before it."""

import ast
from pathlib import Path

import pytest

import myovivo

ROOT = Path(myovivo.__file__).parent

# Stages in the order of the data. A stage may import itself and those on earlier lines.
STAGES = [
    {"version", "errors", "_callable"},
    {"runtime"},
    {"signals"},
    {"sequences"},
    {"steps"},
    {"simulation"},
    {"simulate"},
    {"acquisition"},
    {"acquire"},
    {"phantoms"},
    {"phantom"},
    {"dataset"},
    {"models"},
    {"checkpoint"},
    {"translate"},
    {"identification"},
    {"identify"},
    {"evaluate"},
    {"processes", "journal", "validation"},
    {"train"},
    {"estimate", "export"},
    {"maps"},
    {"groups", "learned"},
    {"plot"},
    {"plot_units"},
    {"identified"},
    {"figures"},
    {"page"},
    {"report"},
    {"study"},
    {"demo"},
    {"__init__"},
    {"cli"},
]
LEVEL = {name: level for level, names in enumerate(STAGES) for name in names}
MODULES = sorted(ROOT.rglob("*.py"))


def stage(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0]


def imported_stages(path: Path) -> set[str]:
    """The stages of this package that a module imports, at its top or within functions."""
    package = path.relative_to(ROOT).parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - (node.level - 1)]
            full = (*base, *(node.module.split(".") if node.module else ()))
            # `from . import name`: the module of that name, or else a name of the front door
            names = [full] if full else [(alias.name if alias.name in LEVEL else "__init__",) for alias in node.names]
            found |= {name[0] for name in names if name[0] in LEVEL}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("myovivo"):
            raise AssertionError(f"{path}: import relatively, not from {node.module}")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_to_earlier_stages_only(path):
    own = stage(path)
    assert own in LEVEL, f"{own} has no place in the order of the stages"
    later = {name for name in imported_stages(path) if LEVEL[name] > LEVEL[own]}
    assert not later, f"{own} imports {later}, which come after it"


def test_the_order_is_a_real_one():
    # The check would pass on anything if no module imported another.
    edges = {(stage(path), name) for path in MODULES for name in imported_stages(path)}
    assert ("phantom", "acquire") in edges
    assert ("cli", "runtime") in edges
    assert len(edges) > 30


def test_no_module_is_a_drawer():
    assert not [path for path in MODULES if path.stem in {"utils", "helpers", "common", "misc"}]
