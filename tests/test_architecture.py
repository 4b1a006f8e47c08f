"""Data flows one way: a module imports from its own room or from rooms before it."""

import ast
from pathlib import Path

import pytest

import myovivo

ROOT = Path(myovivo.__file__).parent

# Rooms in the order of the data. A room may import itself and those on earlier lines.
ROOMS = [
    ("version", "errors"),
    ("runtime",),
    ("signals", "plot", "viewing"),
    ("sequences",),
    ("simulation", "acquisition", "models"),
    ("phantoms", "runs"),
    ("evaluation", "translation"),
    ("training", "reporting", "identification"),
    ("studies", "challenges"),
    ("__init__",),  # the front door: nothing inside imports it
    ("cli",),
    ("__main__",),
]
FLOOR = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms}
MODULES = sorted(ROOT.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imports(path: Path) -> set[tuple[str, ...]]:
    """The modules of this package that a module imports, at its top or within functions, as parts of their path."""
    package = path.relative_to(ROOT).parts[:-1]
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - (node.level - 1)]
            full = (*base, *(node.module.split(".") if node.module else ()))
            # `from . import name`: the module of that name, or else a name of the front door
            for alias in node.names:
                whole = (*full, alias.name)
                is_module = (ROOT.joinpath(*whole)).is_dir() or (ROOT.joinpath(*whole).with_suffix(".py")).is_file()
                imported.add(whole if is_module else full or ("__init__",))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "myovivo":
            raise AssertionError(f"{path}: import relatively, not from {node.module}")
    return imported


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path):
    own = room_of(path)
    assert own in FLOOR, f"{own} has no place in the order of the rooms"
    upwards = {parts[0] for parts in imports(path) if parts[0] != own and FLOOR[parts[0]] >= FLOOR[own]}
    assert not upwards, f"{own} imports {upwards}, which come no earlier than it"


def test_the_order_is_a_real_one():
    # The check would pass on anything if no module imported another.
    edges = {(room_of(path), parts[0]) for path in MODULES for parts in imports(path)}
    assert ("phantoms", "acquisition") in edges
    assert ("cli", "runtime") in edges
    assert len(edges) > 30


def test_rooms_stand_on_at_most_twelve_floors():
    assert len(ROOMS) <= 12


def test_modules_import_each_other_in_no_circle():
    names = {path.relative_to(ROOT).with_suffix("").parts: path for path in MODULES}
    needs = {name: {other for other in imports(path) if other in names} for name, path in names.items()}
    while ready := [name for name, others in needs.items() if not others & needs.keys() - {name}]:
        for name in ready:
            del needs[name]
    assert not needs, f"these import each other in a circle: {sorted(map('.'.join, needs))}"


def test_no_module_is_a_drawer():
    assert not [path for path in MODULES if path.stem in {"utils", "helpers", "common", "misc"}]


def test_nothing_lies_loose_beside_the_rooms():
    assert {path.stem for path in ROOT.glob("*.py")} == {"__init__", "__main__", "version", "errors"}
