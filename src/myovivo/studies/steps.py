"""A graph of steps, each a folder, that runs what is missing or changed and nothing else.

A step's recipe is its function, its arguments and the digests of what it is made from. Beside its folder stands a
record of the recipe and of every file in it. A step runs again if its recipe is another, or if a file of it is missing,
was added or was edited; what is in the way is moved into `replaced/`, never deleted. A step that was interrupted finds
its folder as it left it, and goes on.

Each step is a process of its own: it gets its share of the cores, saves and leaves when the command that started it has
gone, however that went, and keeps a log. `python -m myovivo.studies.steps` is that process.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError, MyovivoError
from ..runtime.console import console
from ..runtime.files import read_json, write_json
from ..runtime.progress import Bar
from ..runtime.recipe import LOCK, digest, locked, plain_recipe
from .records import files_with_states, importable, is_as_it_was, last_line, read_record, record_path

REPLACED = "replaced"

LOOK_EVERY_S = 0.5

ORPHAN_S = 60.0  # how long to wait for a process of an interrupted command to notice


class StepError(MyovivoError):
    """A step failed; the message says which, why, and where its log is."""


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes
    ----------
    name : its folder below that of the whole, such as `data/silico`
    work : function of a module, called as ``work(folder, inputs, runtime, **arguments)``: the step's folder, the
        folder of each step it needs by name, and what must not change the result (`workers`, `device`, …)
    arguments : plain values, which with `needs` make the recipe
    needs : names of the steps it is made from
    passes_on : patterns of the files that matter to steps after it; the others (logs, checkpoints) may differ
    remakes : patterns of the files that are made again beside the good ones where they are missing; if any other is
        missing or changed, the folder starts anew
    spreads : whether it uses all cores by itself, and so runs alone
    cost : expected core seconds, for the order and the time left
    """

    name: str
    work: Callable[..., None]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    passes_on: tuple[str, ...] = ("*",)
    remakes: tuple[str, ...] = ()
    spreads: bool = False
    cost: float = 1.0


def run_steps(
    root: Path,
    steps: Iterable[Step],
    *,
    jobs: int = 1,
    cores: int | None = None,
    runtime: Mapping[str, Any] | None = None,
    quiet: bool = False,
) -> dict[str, Path]:
    """Bring every step up to date.

    Parameters
    ----------
    root : folder of the whole
    steps : in any order; each need must be among them
    jobs : steps at a time
    cores : shared by them; all of the machine if None
    runtime : passed to each step, no part of its recipe
    quiet : no progress

    Returns
    -------
    dict : name of a step -> its folder

    Raises
    ------
    InputError : two steps of one name, an unknown need, or a circle.
    FileError : another command works in the folder, or it cannot be written.
    StepError : a step failed; those running beside it were let finish, and nothing is lost.
    """
    ordered = _ordered(steps)
    root.mkdir(parents=True, exist_ok=True)
    with locked(root / LOCK, root):
        _Run(root, ordered, max(jobs, 1), cores or os.cpu_count() or 1, dict(runtime or {}), quiet).to_the_end()
    return {name: root / name for name in ordered}


def _ordered(steps: Iterable[Step]) -> dict[str, Step]:
    """By name, each after its needs."""
    waiting: dict[str, Step] = {}
    for step in steps:
        if step.name in waiting:
            raise InputError(f"two steps are called {step.name!r}")
        waiting[step.name] = step
    known, ordered = set(waiting), {}
    for step in waiting.values():
        if missing := sorted(set(step.needs) - known):
            raise InputError(f"step {step.name!r} needs {missing[0]!r}, which is no step")
    while waiting:
        ready = [name for name, step in waiting.items() if set(step.needs) <= set(ordered)]
        if not ready:
            raise InputError(f"the steps {', '.join(sorted(waiting))} need each other in a circle")
        for name in ready:
            ordered[name] = waiting.pop(name)
    return ordered


def _longest_ways(steps: dict[str, Step]) -> dict[str, float]:
    """Cost of each step and of the dearest chain of steps after it: what is longest to go is to start first."""
    ways: dict[str, float] = {}
    for name, step in reversed(steps.items()):
        ways[name] = step.cost + max((ways[other.name] for other in steps.values() if name in other.needs), default=0.0)
    return ways


class _Run:
    """The state of a run: what is done, what is running."""

    def __init__(self, root: Path, steps: dict[str, Step], jobs: int, cores: int, runtime: dict[str, Any], quiet: bool):
        self.root, self.steps, self.quiet = root, steps, quiet
        self.jobs, self.cores, self.runtime = jobs, cores, runtime
        self.passed_on: dict[str, str] = {}  # digest of each step that is up to date
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.failed: list[str] = []
        self.remaining = _longest_ways(steps)

    def to_the_end(self) -> None:
        self._take_what_is_current()
        costs = {name: round(step.cost) for name, step in self.steps.items()}
        done = sum(costs[name] for name in self.passed_on)
        with Bar("steps", sum(costs.values()), done, self.quiet) as bar:
            try:
                while len(self.passed_on) < len(self.steps):
                    self._start_what_can()
                    if not self.running:
                        break
                    time.sleep(LOOK_EVERY_S)
                    before = set(self.passed_on)
                    self._collect()
                    self._take_what_is_current()
                    bar.advance(sum(costs[name] for name in self.passed_on if name not in before), self._note())
            except BaseException:
                self._stop()
                raise
        if self.failed:
            raise StepError(self.failed[0])

    def _ready(self) -> list[Step]:
        """Steps whose needs are up to date and which are not."""
        return [
            step
            for name, step in self.steps.items()
            if name not in self.passed_on and name not in self.running and set(step.needs) <= set(self.passed_on)
        ]

    def _take_what_is_current(self) -> None:
        while current := [step for step in self._ready() if self._is_current(step)]:
            for step in current:
                self.passed_on[step.name] = self._digest_of(step)

    def _start_what_can(self) -> None:
        while not self.failed and len(self.running) < self.jobs:
            ready = sorted(self._ready(), key=lambda step: (not step.spreads, -self.remaining[step.name]))
            alone = any(self.steps[name].spreads for name in self.running)
            if not ready or alone or (ready[0].spreads and self.running):
                return
            self._start(ready[0])

    # ------------------------------------------------------------------- one step

    def _recipe(self, step: Step) -> dict[str, Any]:
        return {
            "work": step.work.__name__,  # not where it lives: a module that moves makes no step stale
            "arguments": dict(step.arguments),
            "needs": {name: self.passed_on[name] for name in step.needs},
        }

    def _is_current(self, step: Step) -> bool:
        """Whether a step is as it was made, of what it would be made now; moves away what is in its way if not."""
        folder, wanted = self.root / step.name, self._recipe(step)
        record, recipe = read_record(self.root, step.name, wanted), plain_recipe(wanted)
        if record is not None and record["recipe"] == recipe and "files" not in record:
            return False  # it was interrupted, and goes on; or it waits for its turn
        if record is None or record["recipe"] != recipe:
            if folder.exists() and any(folder.iterdir()):
                self._set_aside(step.name, "was made of something else, or nothing says of what")
            self._begin(step.name, recipe)
            return False
        there, noted = files_with_states(folder), record["files"]
        changed = [name for name in noted if not is_as_it_was(folder / name, there.get(name), noted[name])]
        added = sorted(set(there) - set(noted))
        if not changed and not added:
            return True
        if all(any(Path(name).match(one) for one in step.remakes) for name in (*changed, *added)):
            for name in (*changed, *added):
                self._set_aside(f"{step.name}/{name}", "was edited" if name in changed else "was added")
        else:
            self._set_aside(step.name, f"has {(*changed, *added)[0]} not as it was made")
        self._begin(step.name, recipe)
        return False

    def _begin(self, name: str, recipe: dict[str, Any]) -> None:
        """Record that a step is to be done, or done again: what stands in its folder from now on is its own."""
        write_json(record_path(self.root, name), {"recipe": recipe})

    def _set_aside(self, name: str, why: str) -> None:
        source = self.root / name
        if not source.exists():
            self._say(f"{name} is missing: made again")
            return
        target, number = self.root / REPLACED / name, 1
        while target.exists():
            number += 1
            target = self.root / REPLACED / f"{name}-{number}"
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)
        self._say(f"{name} {why}: moved to {target.relative_to(self.root)}")

    def _start(self, step: Step) -> None:
        folder, record = self.root / step.name, record_path(self.root, step.name)
        cores = self.cores if step.spreads else max(self.cores // self.jobs, 1)
        order = {
            "work": importable(step.work),
            "arguments": dict(step.arguments),
            "folder": str(folder),
            "inputs": {name: str(self.root / name) for name in step.needs},
            "runtime": {**self.runtime, "workers": cores},
            "lock": str(record.with_suffix(".lock")),
        }
        # Where these are set, joblib gives each of its workers so many threads; a step that spreads shares them out.
        names = () if step.spreads else ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        threads = {name: str(cores) for name in names}
        with record.with_suffix(".log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "myovivo.studies.process"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **threads},
                start_new_session=True,  # an interrupt from the keyboard comes to it through us, once
            )
        assert process.stdin is not None
        process.stdin.write(json.dumps(plain_recipe(order)).encode() + b"\n")
        process.stdin.flush()  # and stays open: when it closes, the step knows that nobody waits for it
        self.running[step.name] = process
        self._say(f"{step.name} …")

    def _collect(self) -> None:
        """Record the steps that have just been done."""
        for name, process in list(self.running.items()):
            if process.poll() is None:
                continue
            del self.running[name]
            assert process.stdin is not None
            process.stdin.close()
            if process.returncode == 0:
                self._record(self.steps[name])
            else:
                log = record_path(self.root, name).with_suffix(".log")
                self.failed.append(f"step {name} failed: {last_line(log)} (log: {log})")

    def _record(self, step: Step) -> None:
        folder, path = self.root / step.name, record_path(self.root, step.name)
        files = {name: [*stat, digest(folder / name)] for name, stat in files_with_states(folder).items()}
        write_json(path, {**read_json(path), "files": files})

    def _digest_of(self, step: Step) -> str:
        """Of the files that matter to the steps after it."""
        files = read_json(record_path(self.root, step.name))["files"]
        matter = {name: value[2] for name, value in files.items() if any(Path(name).match(p) for p in step.passes_on)}
        return hashlib.sha256(json.dumps(matter, sort_keys=True).encode()).hexdigest()

    def _note(self) -> str:
        notes = []
        for name in self.running:
            line = last_line(record_path(self.root, name).with_suffix(".log"))
            notes.append(f"{name} ({line[:48]})" if line else name)
        return "; ".join(notes)

    def _stop(self) -> None:
        """Ask what is running to save and leave, as an interrupt from the keyboard does."""
        for process in self.running.values():
            with contextlib.suppress(OSError, ValueError):
                process.send_signal(signal.SIGINT)
        for process in self.running.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(ORPHAN_S)
            process.kill()

    def _say(self, text: str) -> None:
        if not self.quiet:
            console.print(text, highlight=False, soft_wrap=True)
