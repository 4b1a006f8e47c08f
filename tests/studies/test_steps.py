"""The graph of steps: what runs again, what does not, and that nothing is lost."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from myovivo.errors import FileError, InputError
from myovivo.studies.steps import Step, StepError, run_steps

WORK = """
import time
from pathlib import Path
from myovivo.errors import InputError

def write(out, inputs, runtime, text, names=("a.txt",), also=()):
    out.mkdir(parents=True, exist_ok=True)
    with (out.parent / f"{out.name}.runs").open("a") as runs:
        runs.write("x")
    parts = [path.joinpath("a.txt").read_text() for path in inputs.values()]
    for name in names:
        if not (out / name).exists():
            (out / name).write_text("".join([*parts, text]))
            with (out.parent / f"{out.name}.made").open("a") as made:
                made.write(name + " ")
    for name in also:
        (out / name).write_text(str(time.time()))

def fail(out, inputs, runtime):
    raise InputError("this cannot work: 1 must be 2, got 1; give 2")

def slow(out, inputs, runtime, seconds, again=""):
    out.mkdir(parents=True, exist_ok=True)
    with (out / "log.txt").open("a") as log:
        log.write("begun ")
    (out / "begun").touch()
    for _ in range(int(seconds / 0.05)):
        if (out.parent / "go").exists():
            break
        time.sleep(0.05)
    (out / "a.txt").write_text("slow")

def interrupted(out, inputs, runtime):
    out.mkdir(parents=True, exist_ok=True)
    (out / "begun").touch()
    try:
        time.sleep(60)
    finally:
        (out / "saved").touch()
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "made_up_work.py").write_text(WORK)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "made_up_work", raising=False)
    import made_up_work

    return made_up_work


@pytest.fixture
def root(tmp_path):
    return tmp_path / "out"


def runs(root, name):
    path = root / f"{name}.runs"
    return len(path.read_text()) if path.exists() else 0


def chain(work, first="1", second="2", **options):
    return [Step("b", work.write, {"text": second}, ("a",)), Step("a", work.write, {"text": first}, **options)]


def go(root, steps, **options):
    return run_steps(root, steps, quiet=True, **options)


def test_steps_run_after_their_needs_and_only_once(work, root):
    folders = go(root, chain(work), jobs=2)
    assert (folders["b"] / "a.txt").read_text() == "12"
    go(root, chain(work))
    assert (runs(root, "a"), runs(root, "b")) == (1, 1)


def test_a_changed_argument_runs_its_step_and_those_after_it(work, root):
    go(root, chain(work))
    go(root, chain(work, second="3"))
    assert (runs(root, "a"), runs(root, "b")) == (1, 2)
    folders = go(root, chain(work, first="9", second="3"))
    assert (folders["b"] / "a.txt").read_text() == "93"
    assert (runs(root, "a"), runs(root, "b")) == (2, 3)
    assert (root / "replaced/a/a.txt").read_text() == "1"  # nothing is deleted


def test_what_comes_out_the_same_runs_nothing_after_it(work, root):
    go(root, chain(work))
    (root / "a/a.txt").unlink()
    go(root, chain(work))
    assert (runs(root, "a"), runs(root, "b")) == (2, 1)


def test_an_output_edited_by_hand_is_found_kept_and_made_again(work, root):
    folders = go(root, chain(work))
    (root / "a/a.txt").write_text("7")
    go(root, chain(work))
    assert (folders["a"] / "a.txt").read_text() == "1"
    assert (folders["b"] / "a.txt").read_text() == "12"
    assert (root / "replaced/a/a.txt").read_text() == "7"
    assert (runs(root, "a"), runs(root, "b")) == (2, 1)


def test_an_edit_of_equal_size_is_found_and_a_new_date_alone_is_none(work, root):
    folders = go(root, chain(work))
    os.utime(root / "a/a.txt", (1, 1))
    go(root, chain(work))
    assert runs(root, "a") == 1
    (root / "a/a.txt").write_text("8")  # one character as before
    go(root, chain(work))
    assert (runs(root, "a"), (folders["a"] / "a.txt").read_text()) == (2, "1")


def test_a_file_put_among_the_outputs_is_moved_away(work, root):
    go(root, chain(work))
    (root / "a/extra.txt").write_text("mine")
    go(root, chain(work))
    assert not (root / "a/extra.txt").exists()
    assert (root / "replaced/a/extra.txt").read_text() == "mine"


def test_of_many_files_only_the_damaged_one_is_made_again(work, root):
    names = ["a.txt", "b.txt", "c.txt"]
    steps = [Step("a", work.write, {"text": "1", "names": names}, remakes=("*.txt",))]
    go(root, steps)
    (root / "a/b.txt").write_text("edited")
    (root / "a/c.txt").unlink()
    go(root, steps)
    assert (root / "a.made").read_text().split() == [*names, "b.txt", "c.txt"]
    assert (root / "replaced/a/b.txt").read_text() == "edited"


def test_files_that_do_not_matter_do_not_run_what_comes_after(work, root):
    def steps(text):
        first = Step("a", work.write, {"text": "1", "also": ["clock.log"], "names": ["a.txt"]}, passes_on=("*.txt",))
        return [first, Step("b", work.write, {"text": text}, ("a",))]

    go(root, steps("2"))
    (root / "a/clock.log").write_text("edited")
    go(root, steps("2"))
    assert (runs(root, "a"), runs(root, "b")) == (2, 1)


def test_a_failure_names_step_reason_and_log_and_keeps_what_is_done(work, root):
    steps = [*chain(work), Step("c", work.fail, {}, ("b",)), Step("d", work.write, {"text": "4"}, ("c",))]
    with pytest.raises(StepError, match=r"step c failed: this cannot work: 1 must be 2, got 1; give 2 \(log: .*c\.log"):
        go(root, steps)
    assert (runs(root, "a"), runs(root, "b"), runs(root, "d")) == (1, 1, 0)
    with pytest.raises(StepError):
        go(root, steps)
    assert (runs(root, "a"), runs(root, "b")) == (1, 1)


def test_what_waits_for_its_turn_is_looked_at_and_spoken_of_once(work, root, capsys, monkeypatch):
    def steps(text):
        (root.parent / "go").unlink(missing_ok=True)
        return [Step("b", work.write, {"text": text}), Step("a", work.slow, {"seconds": 2, "again": text}, cost=9)]

    monkeypatch.setattr("myovivo.studies.steps.LOOK_EVERY_S", 0.05)
    go(root, steps("1"))
    run_steps(root, steps("2"))
    said = capsys.readouterr().err
    assert said.count("b was made of something else") == 1
    assert "missing" not in said


def test_results_without_a_record_are_not_trusted(work, root):
    (root / "a").mkdir(parents=True)
    (root / "a/a.txt").write_text("from where?")
    folders = go(root, chain(work))
    assert (folders["a"] / "a.txt").read_text() == "1"
    assert (root / "replaced/a/a.txt").read_text() == "from where?"


@pytest.mark.parametrize(
    ("needs", "rule"),
    [({"a": ("b",), "b": ("a",)}, "circle"), ({"a": ("z",)}, "needs 'z', which is no step")],
)
def test_a_graph_that_is_none_is_refused(work, root, needs, rule):
    with pytest.raises(InputError, match=rule):
        go(root, [Step(name, work.write, {"text": ""}, after) for name, after in needs.items()])
    with pytest.raises(InputError, match="two steps are called 'a'"):
        go(root, [Step("a", work.fail), Step("a", work.fail)])


COMMAND = """
import sys
sys.path.insert(0, {module!r})
import made_up_work
from pathlib import Path
from myovivo.studies.steps import Step, run_steps
run_steps(Path({root!r}), [Step("a", made_up_work.{name}, {arguments!r})], quiet=True)
"""


def started(root, tmp_path, name, arguments):
    text = COMMAND.format(module=str(tmp_path / "module"), root=str(root), name=name, arguments=arguments)
    process = subprocess.Popen([sys.executable, "-c", text])
    wait_for(root / "a/begun")
    return process


def wait_for(path, seconds=30.0):
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.02)


def test_a_killed_command_takes_its_step_along_which_saves_first(work, root, tmp_path):
    process = started(root, tmp_path, "interrupted", {})
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(root / "a/saved")
    assert "files" not in json.loads((root / "steps/a.json").read_text())


def test_an_interrupted_step_goes_on_in_its_folder(work, root, tmp_path):
    process = started(root, tmp_path, "slow", {"seconds": 60})
    process.send_signal(signal.SIGINT)
    process.wait()
    (root / "go").touch()
    go(root, [Step("a", work.slow, {"seconds": 60})])
    assert (root / "a/log.txt").read_text() == "begun begun "
    assert not (root / "replaced").exists()


def test_two_commands_in_one_folder_are_refused(work, root, tmp_path):
    process = started(root, tmp_path, "slow", {"seconds": 60})
    try:
        with pytest.raises(FileError, match="another command works on it"):
            go(root, [Step("a", work.slow, {"seconds": 60})])
    finally:
        (root / "go").touch()
        assert process.wait(30) == 0


def test_a_record_that_names_the_module_of_its_work_is_still_current(work, root):
    """As versions before 0.2 wrote it: the modules of this package have moved since."""
    go(root, chain(work))
    path = root / "steps" / "a.json"
    record = json.loads(path.read_text())
    record["recipe"]["work"] = f"myovivo.studies.work:{record['recipe']['work']}"
    path.write_text(json.dumps(record))
    go(root, chain(work))
    assert (runs(root, "a"), runs(root, "b")) == (1, 1)
