"""The documentation says what is true: examples run, names, commands, options and links exist."""

import ast
import builtins
import gc
import importlib
import inspect
import re
import runpy
import shlex
import warnings
from pathlib import Path

import matplotlib
import pytest

import myovivo as mv
from myovivo.cli.catalogue import COMMANDS, command_class
from myovivo.cli.completion import options_for
from myovivo.cli.parse import parse
from myovivo.errors import InputError, RecordingWarning
from myovivo.runtime.settings import Settings, settings_from

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
BUILT = {"_build", "gallery", "sg_execution_times.rst"}  # by `make docs`
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "examples" / "GALLERY_HEADER.rst"]
    + [page for page in DOCS.rglob("*.rst") if page.name not in BUILT and not BUILT & set(page.relative_to(DOCS).parts)]
)
TEXTS = [*PAGES, *EXAMPLES, *DOCS.glob("figures/*.py"), *DOCS.glob("_ext/*.py"), DOCS / "conf.py"]
MADE = {DOCS / "figures" / name for name in ("overview.png", "viewer.png")}  # from the output of `make demo`

LANGUAGES = {"python": "python", "sh": "sh", "bash": "sh", "console": "sh"}


def named(page):
    return str(page.relative_to(ROOT))


def blocks(page, language):
    """The code blocks of a Markdown or reStructuredText page, without their indentation."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".md":
        return [code for name, code in re.findall(r"```(\w+)\n(.*?)```", text, re.S) if LANGUAGES.get(name) == language]
    found = []
    for match in re.finditer(r"^( *)\.\. code-block:: (\w+)\n((?:\1 +.*\n|\s*\n)*)", text, re.M):
        if LANGUAGES.get(match[2]) == language:
            found.append(inspect.cleandoc("\n" + match[3]) + "\n")
    return found


def commands(page):
    """Each `myovivo …` command line of a page's shell blocks, as arguments."""
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            for submitted in [word for word in words if " myovivo " in f" {word} " and " " in word]:
                words = shlex.split(submitted)  # what a scheduler is asked to run
            if "myovivo" in words:
                words = words[words.index("myovivo") + 1 :]
                yield words[: words.index(">")] if ">" in words else words


def options_of(command):
    return {option.name for option in options_for(command_class(command))}


def setting_names():
    kinds = (
        mv.SimulateSettings,
        mv.PhantomSettings,
        mv.AcquireSettings,
        mv.TrainSettings,
        mv.IdentifySettings,
        mv.LearnSettings,
        mv.StudySettings,
    )
    for kind in kinds:
        for name, field in kind.model_fields.items():
            default = field.get_default(call_default_factory=True)
            if isinstance(default, Settings):
                yield from (f"{name}.{inner}" for inner in type(default).model_fields)
            else:
                yield name


# ----------------------------------------------------------------------------------- examples


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_an_example_runs_draws_and_leaves_nothing_behind(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    matplotlib.use("Agg", force=True)
    from matplotlib import pyplot

    pyplot.close("all")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*non-interactive.*")
        space = runpy.run_path(str(example), run_name="__main__")
    assert pyplot.get_fignums()
    assert all(figure.axes for figure in map(pyplot.figure, pyplot.get_fignums()))
    pyplot.close("all")
    del space  # with it goes the example's temporary folder, at once or with the next collection
    gc.collect()
    assert [path.name for path in tmp_path.iterdir()] == ["scratch"]
    left = [path.name for path in (tmp_path / "scratch").iterdir()]
    assert not [name for name in left if not name.startswith("torchinductor")]  # torch's own cache


def test_there_are_examples_and_each_has_a_heading_and_a_text():
    assert len(EXAMPLES) >= 4
    for example in EXAMPLES:
        heading, line, blank, *text = ast.get_docstring(ast.parse(example.read_text())).splitlines()
        assert set(line) == {"="}, example
        assert len(line) >= len(heading), example
        assert not blank, example
        assert text, example


# ------------------------------------------------------------------------------------- python


class Names(ast.NodeVisitor):
    """What a block of code defines, and what it uses."""

    def __init__(self):
        self.defined, self.used = set(), set()

    def visit_Name(self, node):
        (self.used if isinstance(node.ctx, ast.Load) else self.defined).add(node.id)

    def visit_alias(self, node):
        self.defined.add((node.asname or node.name).split(".")[0])


def resolve(node, space):
    """The object that `mv.plot.frame` names, from what a block imports; None if it is not an import's."""
    if isinstance(node, ast.Name):
        return space.get(node.id)
    if isinstance(node, ast.Attribute) and (owner := resolve(node.value, space)) is not None:
        assert hasattr(owner, node.attr), f"{ast.unparse(node)} does not exist"
        return getattr(owner, node.attr)
    return None


def imported(tree):
    """Carry out the imports of a block."""
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    space = {}
    exec(compile(ast.Module(imports, []), "<docs>", "exec"), space)
    return space


def check_call(node, space, known_settings):
    function = resolve(node.func, space)
    if function is None or not str(getattr(function, "__module__", "")).startswith("myovivo"):
        return False
    parameters = inspect.signature(function).parameters
    anything = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values())
    for keyword in node.keywords:
        where = f"{keyword.arg} of {ast.unparse(node)}"
        assert keyword.arg is None or keyword.arg in parameters or anything, f"there is no {where}"
        if keyword.arg is None and isinstance(keyword.value, ast.Dict):
            for key in keyword.value.keys:
                assert key.value in known_settings, f"there is no setting {key.value}"
    return True


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=named)
def test_python_on_a_page_uses_names_that_exist(page):
    known_settings = set(setting_names())
    space, defined = {"mv": mv}, set(dir(builtins))
    for block in blocks(page, "python"):
        tree = ast.parse(block, named(page))
        space |= imported(tree)
        names = Names()
        names.visit(tree)
        defined |= names.defined
        assert names.used <= defined, f"{names.used - defined} defined nowhere above in {page.name}"
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                resolve(node, space)
            if isinstance(node, ast.Call):
                check_call(node, space, known_settings)


def test_the_page_on_own_simulators_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space = {}
    for block in blocks(DOCS / "howto" / "own_simulator.rst", "python"):
        with warnings.catch_warnings():  # that 1000 frames per second are thinned out, of which the page speaks
            warnings.simplefilter("ignore", RecordingWarning)
            exec(compile(block, "own_simulator.rst", "exec"), space)
    assert space["translated"].origin == "translated"
    assert len(space["translated"].labels) == 2


def test_the_page_for_users_of_matlab_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space = {}
    for block in blocks(DOCS / "howto" / "matlab.rst", "python"):
        exec(compile(block, "matlab.rst", "exec"), space)
    assert (space["again"].velocity == space["sequence"].velocity).all()
    from scipy.io import loadmat

    content = loadmat("contraction.mat")
    assert content["velocity"].shape == (128, 128, 1024)  # as the page's MATLAB takes it
    assert content["labels"]["spike_times"][0, 0].shape == (1, len(space["sequence"].labels))


def test_the_check_of_python_notices_what_is_wrong():
    known, space = set(setting_names()), {"mv": mv}
    with pytest.raises(AssertionError, match="does not exist"):
        resolve(ast.parse("mv.no_such_name").body[0].value, space)
    with pytest.raises(AssertionError, match="there is no speed"):
        check_call(ast.parse("mv.evaluate('a', speed=1)").body[0].value, space, known)
    with pytest.raises(AssertionError, match=r"there is no setting grid\.frame"):
        check_call(ast.parse("mv.simulate(**{'grid.frame': 1})").body[0].value, space, known)
    assert check_call(ast.parse("mv.simulate(seed=0, **{'grid.frames': 1})").body[0].value, space, known)


# ------------------------------------------------------------------------------- command line


@pytest.mark.parametrize("page", [page for page in PAGES if list(commands(page))], ids=named)
def test_command_lines_on_a_page_parse(page):
    for words in commands(page):
        if words[0] == "--version" or "--help" in words:
            continue
        try:
            command = parse(words[0], command_class(words[0]), words[1:])
        except InputError as error:
            pytest.fail(str(error))
        if command.changes:
            preset = getattr(command, "preset", None)
            settings_from(command.SETTINGS, preset if preset in mv.TrainSettings.PRESETS else None, **command.changes)
        if words[0] == "train" and not command.preset.endswith(".yaml"):
            assert command.preset in mv.TrainSettings.PRESETS


def test_the_check_of_command_lines_notices_what_is_wrong():
    with pytest.raises(InputError, match=r"there is no option --grid\.frame; did you mean --grid\.frames\?"):
        parse("simulate", command_class("simulate"), ["out", "--grid.frame", "3"])


def test_command_lines_are_found_also_behind_a_scheduler(tmp_path):
    page = tmp_path / "page.rst"
    lines = ['   myovivo train a --out "b c" > d   # why', '   sbatch --wrap "srun myovivo demo e"']
    page.write_text("\n".join(["Text", "", ".. code-block:: sh", "", *lines, ""]))
    assert list(commands(page)) == [["train", "a", "--out", "b c"], ["demo", "e"]]
    assert sum(len(list(commands(page))) for page in PAGES) > 20


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command):
    assert any(f"myovivo {command}" in page.read_text(encoding="utf-8") for page in PAGES)


def test_settings_and_options_named_in_the_text_exist():
    names = set(setting_names())
    groups = {name.split(".")[0] for name in names if "." in name}
    options = set().union(*map(options_of, COMMANDS)) | {"--version"}
    others = {"--docs", "--search", "--nnodes", "--nproc-per-node", "--branch"}  # of benchmarks/, torchrun, coverage
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        literals = re.findall(r"``([^`]+)``" if page.suffix == ".rst" else r"`([^`]+)`", text)
        for literal in literals:
            for group, name in re.findall(r"(?<![\w./])([a-z]+)\.([a-z_]+)\b", literal):
                if group in groups and name not in ("h5", "json", "jsonl", "mat", "mp4", "npy", "py", "yaml"):
                    assert f"{group}.{name}" in names, f"{page.name}: there is no setting {group}.{name}"
            for option in re.findall(r"(?<!\S)--[a-z][\w.-]*", literal):
                assert option in options | others, f"{page.name}: there is no option {option}"
            command = re.match(r"myovivo ([a-z]+)", literal)
            assert command is None or command[1] in COMMANDS, f"{page.name}: {literal}"


# ---------------------------------------------------------------------------------- reference


@pytest.mark.parametrize("name", mv.__all__)
def test_every_public_name_has_its_place_in_the_reference(name):
    pages = [page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.rst")]
    directive = re.compile(rf"^\.\. auto(function|class|exception|module):: myovivo\.{name}(\(\))?$", re.M)
    assert sum(len(directive.findall(page)) for page in pages) == 1
    assert re.search(rf"^   {name}$", (DOCS / "reference" / "index.rst").read_text(encoding="utf-8"), re.M)


def test_what_the_reference_describes_exists():
    found = []
    for page in (DOCS / "reference").glob("*.rst"):
        found += re.findall(r"^\.\. auto\w+:: (myovivo[\w.]+)", page.read_text(encoding="utf-8"), re.M)
    assert len(found) > 60
    assert len(found) == len(set(found))
    for name in found:
        module, _, attribute = name.rpartition(".")
        owner = importlib.import_module(module)
        thing = getattr(owner, attribute, None) or importlib.import_module(name)
        assert inspect.getdoc(thing), f"{name} has no docstring"


# -------------------------------------------------------------------------------------- links


def targets(page):
    """Files that a page points to, as paths; what the gallery makes is left out."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".md":
        for link in re.findall(r"\]\(([^)#\s]+)", text):
            if "://" not in link:
                yield page.parent / link
        return
    for link in re.findall(r"^ *\.\. (?:image|figure|drawn|include|literalinclude):: (\S+)", text, re.M):
        yield page.parent / link
    for link in re.findall(r"^ +:file: (\S+)", text, re.M):
        yield page.parent / link
    documents = re.findall(r":doc:`(?:[^`<]*<)?([^`>]+)>?`", text)
    for tree in re.findall(r"^\.\. toctree::\n(?:   :.*\n)*\n((?:   \S.*\n)+)", text, re.M):
        documents += tree.split()
    for document in documents:
        folder = DOCS if document.startswith("/") else page.parent
        target = (folder / f"{document.strip('/')}.rst").resolve()
        if target.parent == DOCS / "gallery":
            example = target.with_suffix(".py").name.replace("index.py", "GALLERY_HEADER.rst")
            target = ROOT / "examples" / example
        yield target


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_and_images_lead_somewhere(page):
    for target in targets(page):
        assert target.exists() or target.resolve() in MADE, f"{named(page)} points to {target}"


def test_every_page_is_linked_from_a_table_of_contents():
    linked = {DOCS / "index.rst"}
    for page in PAGES:
        if page.suffix == ".rst":
            linked |= {target.resolve() for target in targets(page)}
    assert {page for page in PAGES if page.is_relative_to(DOCS)} <= linked


# ------------------------------------------------------------------------------------ wording


@pytest.mark.parametrize("page", TEXTS, ids=named)
def test_wording(page):
    text = " ".join(page.read_text(encoding="utf-8").lower().split())
    for word in ("../shared", "in vivo phantom", "in-vivo phantom"):
        assert word not in text, f"{word!r} in {named(page)}"
    assert not re.search(r"\b(todo|fixme|tbd)\b", text)


def test_the_phantom_is_said_not_to_be_in_vivo_where_people_start():
    for page in (ROOT / "README.md", DOCS / "index.rst", DOCS / "quickstart.rst", DOCS / "explanation" / "phantom.rst"):
        text = " ".join(page.read_text(encoding="utf-8").split())
        assert re.search(r"(phantom is not|never|, not) in vivo|\*\*never in vivo\*\*", text), page


# ------------------------------------------------------------------------------------ formats

FORMATS = DOCS / "howto" / "formats.rst"
INFRASTRUCTURE = {"__init__", "store"}  # of readers: what they share


def readers():
    """Every reader by the name that the table gives it: modules, ready layouts, and readers of spike trains."""
    folder = ROOT / "src" / "myovivo" / "acquisition" / "readers"
    spike_trains = importlib.import_module("myovivo.simulation.spike_trains.reading").BY_ENDING.values()
    names = {path.stem for path in folder.glob("*.py")} | {path.stem for path in folder.glob("layouts/*.yaml")}
    names |= {path.parent.name for path in folder.glob("*/__init__.py")}
    return (names | {reader.__name__ for reader in spike_trains}) - INFRASTRUCTURE


def table_rows():
    """The rows of the tables of formats as lists of cells, without the headings."""
    text = FORMATS.read_text(encoding="utf-8")
    parts = re.split(r"^   \* - ", text, flags=re.M)[1:]
    return [
        cells for part in parts if (cells := re.split(r"^     - ", part, flags=re.M))[0].strip() != "format (reader)"
    ]


def test_every_reader_has_a_row_in_the_table_of_formats():
    named_there = {name for cells in table_rows() for name in re.findall(r"``(\w+)``", cells[0])}
    assert named_there == readers()


def test_every_row_says_what_is_read_what_it_was_checked_against_and_what_is_refused():
    assert len(table_rows()) >= 12
    for cells in table_rows():
        assert len(cells) == 4, cells[0]
        assert all(cell.strip() for cell in cells), cells[0]
