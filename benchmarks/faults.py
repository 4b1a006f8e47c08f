"""Faults at random moments: killed, interrupted, a full disk, two commands on one folder. Nothing is half, all goes on.

Each command that writes is run undisturbed once, for its time and its bytes. Then it is disturbed at random moments,
and what lies under a final name is opened: it must be whole. The same command again must end with the bytes of the
undisturbed run (a training's log holds seconds, so it is left out), and clear away what was half written.

    python benchmarks/faults.py                      # 10 of each for each command; table, benchmarks/out/faults.json
    python benchmarks/faults.py --times 40 --only kill --commands simulate translate

Linux or macOS: signals, and limits of a process.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import h5py
from rich.console import Console
from rich.table import Table
from safetensors import safe_open

from myovivo.runtime.files import write_json

OUT = Path(__file__).parent / "out" / "faults.json"
GRID = ["--grid.frames", "200", "--grid.rows", "32", "--grid.columns", "32", "--quiet"]
TINY = ["--generator.features", "8", "--generator.blocks", "1", "--discriminator.features", "8"]
TINY += ["--discriminator.layers", "1", "--data.clip", "[8, 16, 16]", "--optimiser.steps", "30", "--device", "cpu"]
COMMANDS = {
    "simulate": ["simulate", "OUT", "--sequences", "8", "--workers", "2", *GRID],
    "translate": ["translate", "DATA/run", "OUT", "--source", "DATA/a", "--device", "cpu", "--quiet"],
    "identify": ["identify", "DATA/a", "OUT", "--workers", "2", "--quiet"],
    "train": ["train", "paper-3d", "--silico", "DATA/a", "--vivo", "DATA/b", "--out", "OUT", *TINY, "--quiet"],
}
LASTING = (".h5", ".json", ".csv", ".safetensors")  # whose bytes must be those of an undisturbed run
WAIT_S = 120.0


def start(words: list[str], data: Path, out: Path, before: Callable[[], Any] | None = None) -> subprocess.Popen[bytes]:
    filled = [word.replace("DATA", str(data)).replace("OUT", str(out)) for word in words]
    return subprocess.Popen(
        [sys.executable, "-m", "myovivo.cli", *filled],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=before,
    )


def finish(process: subprocess.Popen[bytes]) -> tuple[int, list[str]]:
    """Exit status and lines on standard error; a process that does not end is killed, and is a finding."""
    try:
        _, told = process.communicate(timeout=WAIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        _, told = process.communicate()
        told += b"\nhangs"
    return process.returncode, told.decode(errors="replace").strip().splitlines()


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.suffix in LASTING and path.name[0] != "."]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)}


def half_files(folder: Path) -> list[str]:
    """Files under a final name that cannot be read to their end."""
    half = []
    for path in folder.rglob("*"):
        if not path.is_file() or path.name[0] == ".":
            continue
        try:
            if path.suffix == ".h5":
                with h5py.File(path, "r") as file:
                    file["data/velocity"][-1]  # type: ignore[index]
            elif path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".safetensors":
                with safe_open(path, "np") as tensors:
                    [tensors.get_tensor(name) for name in tensors.keys()]  # noqa: SIM118
        except Exception as error:
            half.append(f"{path.name}: {type(error).__name__}")
    return half


class Trial:
    """A command disturbed again and again, and what is wrong with how it goes on."""

    def __init__(self, name: str, data: Path, folder: Path, random: Random):
        self.name, self.data, self.folder, self.random = name, data, folder, random
        self.findings: list[str] = []
        begin = time.monotonic()
        status, told = finish(start(COMMANDS[name], data, folder / "whole"))
        if status:
            raise SystemExit(f"{name} does not work undisturbed: {told}")
        self.seconds, self.wanted = time.monotonic() - begin, digests(folder / "whole")

    def disturb(self, fault: str, number: int) -> None:
        out = self.folder / f"{fault}-{number}"
        FAULTS[fault](self, out)
        if out.exists():
            self.findings += [f"half: {name}" for name in half_files(out)]
        status, told = finish(start(COMMANDS[self.name], self.data, out))
        if status:
            self.findings.append(f"did not go on: {status}, {told[-1:]}")
        elif (there := digests(out)) != self.wanted:
            other = [name for name in {*there, *self.wanted} if there.get(name) != self.wanted.get(name)]
            self.findings.append(f"other bytes: {sorted(other)[:3]}")
        self.findings += [f"left: {path.name}" for path in out.rglob(".*.part-*")]

    def kill(self, out: Path) -> None:
        """SIGKILL to all its processes."""
        process = start(COMMANDS[self.name], self.data, out)
        time.sleep(self.random.uniform(0.2, 1.0) * self.seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def interrupt(self, out: Path) -> None:
        """Ctrl-C, or what a queue sends before it kills: one line and 130, unless it had ended."""
        process = start(COMMANDS[self.name], self.data, out, lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        time.sleep(self.random.uniform(0.3, 1.0) * self.seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, self.random.choice((signal.SIGINT, signal.SIGTERM)))
        status, told = finish(process)
        if status not in (0, 130) or len(told) > 1:
            self.findings.append(f"interrupted: {status}, {len(told)} lines, {told[-1:]}")

    def full(self, out: Path) -> None:
        """A limit on the size of a file, as a quota or a full disk sets: one line and 2."""
        most = max((path.stat().st_size for path in (self.folder / "whole").rglob("*") if path.is_file()), default=1)
        limit = int(self.random.uniform(0.02, 0.9) * most)
        status, told = finish(
            start(
                COMMANDS[self.name], self.data, out, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            )
        )
        errors = [line for line in told if line.startswith("error: ")]
        if status != 2 or len(errors) != 1 or len(told) > 3:
            self.findings.append(f"full at {limit}: {status}, {len(told)} lines, {told[-1:]}")

    def twice(self, out: Path) -> None:
        """A second command on the folder at once: it waits, refuses, or finds all done."""
        first = start(COMMANDS[self.name], self.data, out)
        time.sleep(self.random.uniform(0.0, 1.0) * self.seconds)
        second = start(COMMANDS[self.name], self.data, out)
        for process in (first, second):
            status, told = finish(process)
            if status not in (0, 2) or (status == 2 and "another command works on it" not in told[-1]):
                self.findings.append(f"twice: {status}, {told[-1:]}")


FAULTS: dict[str, Callable[[Trial, Path], None]] = {
    "kill": Trial.kill,
    "interrupt": Trial.interrupt,
    "full": Trial.full,
    "twice": Trial.twice,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=10, help="of each fault, for each command")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=list(FAULTS), default=list(FAULTS), metavar="FAULT")
    parser.add_argument("--commands", nargs="+", choices=list(COMMANDS), default=list(COMMANDS), metavar="COMMAND")
    arguments = parser.parse_args()
    results: dict[str, Any] = {}
    table = Table("command", "fault", "times", "findings", title="faults at random moments")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        for seed, domain in enumerate("ab"):
            words = ["simulate", f"OUT/{domain}", "--sequences", "4", "--seed", str(seed), "--workers", "1", *GRID]
            assert finish(start(words, data, data))[0] == 0
        assert finish(start([word.replace("30", "2") for word in COMMANDS["train"]], data, data / "run"))[0] == 0
        for name in arguments.commands:
            (Path(folder) / name).mkdir()
            trial = Trial(name, data, Path(folder) / name, Random(f"{arguments.seed} {name}"))
            for fault in arguments.only:
                trial.findings = []
                for number in range(arguments.times):
                    trial.disturb(fault, number)
                results[f"{name} {fault}"] = {"times": arguments.times, "findings": trial.findings}
                table.add_row(name, fault, str(arguments.times), str(len(trial.findings)))
                write_json(OUT, results)
    Console().print(table)
    for place, result in results.items():
        for finding in sorted(set(result["findings"])):
            print(f"{place}: {finding}")
    return 1 if any(result["findings"] for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
