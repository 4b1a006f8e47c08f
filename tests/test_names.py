"""Names that need no comment: values are nouns, and a name means one thing in the whole package."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

import myovivo

ROOT = Path(myovivo.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
NAMELESS = {"one", "found", "each"}  # they say nothing of what they hold; in a comprehension of one line they may
REPEATED = {"T", "S", "main", "simulate"}  # type variables, what a process runs, and a step named as what it does
LONGEST_FILE, LONGEST_FUNCTION, UNPARAGRAPHED = 350, 60, 30


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def bound(node: ast.AST) -> list[str]:
    """Names that a node binds."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return [node.id]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        return [node.attr]
    return []


def in_a_line(tree: ast.AST) -> set[int]:
    """Nodes within comprehensions and lambdas that are written on one line."""
    small = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)
    whole = [node for node in ast.walk(tree) if isinstance(node, small) and node.lineno == node.end_lineno]
    return {id(part) for node in whole for part in ast.walk(node)}


def found_beside_true(tree: ast.AST) -> set[int]:
    """Where `found` is a term: found units, or their spikes, beside true ones, as an argument or a field."""
    terms = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and {"found", "true"} <= {arg.arg for arg in node.args.args}:
            terms |= {id(part) for part in ast.walk(node)}
        if isinstance(node, ast.ClassDef):
            terms |= {id(getattr(member, "target", member)) for member in node.body}
    return terms


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_value_s_name_says_what_it_holds(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    small, terms = in_a_line(tree), found_beside_true(tree)
    nameless = [
        f"line {node.lineno}: {name}"  # type: ignore[attr-defined]
        for node in ast.walk(tree)
        if id(node) not in small
        for name in bound(node)
        if name in NAMELESS and id(node) not in terms
    ]
    assert not nameless


def test_no_top_level_name_stands_twice():
    homes = defaultdict(list)
    for path in MODULES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", node)]
            parts = [part for target in targets for part in getattr(target, "elts", [target])]
            for name in [name for part in parts for name in bound(part)]:
                if (
                    not name.startswith("_") and path.parent.name != "plot"
                ):  # it draws, as `plot.X`, what others compute
                    homes[name].append(named(path))
    twice = {name: paths for name, paths in homes.items() if len(paths) > 1 and name not in REPEATED}
    assert not twice


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_no_private_name_is_used_across_files(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert not [name for name in imported if name.startswith("_") and not name.startswith("__")]


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_files_and_functions_are_short(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = code_lines(node, lines)
            assert len(body) <= LONGEST_FUNCTION, f"{node.name} has {len(body)} lines"
            comments = [line for line in body if line.lstrip().startswith("#")]
            assert len(body) <= UNPARAGRAPHED or comments, f"{node.name} needs headings"


def code_lines(node: ast.FunctionDef, lines: list[str]) -> list[str]:
    """Lines of a function's body without its docstring and empty ones."""
    first = node.body[1:] if ast.get_docstring(node) is not None else node.body
    if not first:
        return []
    return [line for line in lines[first[0].lineno - 1 : node.end_lineno] if line.strip()]
