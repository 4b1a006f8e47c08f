"""Two versions of the code side by side: the same work, in turns, by the processor's time of one thread.

A script that offers `serve` lets `compare` start it once under each source tree and ask for a round of each in turn,
so that whatever else the machine does weighs on both.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SERVE = "--serve"


class Side:
    """The work of a script under one source tree, in a process of one thread."""

    def __init__(self, script: str, src: Path, *arguments: str):
        alone = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        self.process = subprocess.Popen(
            [sys.executable, script, SERVE, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **alone, "PYTHONPATH": str(src.resolve())},
        )

    def round(self) -> dict[str, Any]:
        """What the script's work gives, with its `seconds`."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(map(str, self.process.args))} ended early")  # type: ignore[arg-type]
        return json.loads(line)

    def close(self) -> None:
        """Let it end."""
        self.process.communicate()


def serve(work: Callable[[], dict[str, Any]]) -> None:
    """Do the work whenever a line comes, and answer with what it gives and its seconds of processor time."""
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever the work prints is no answer
    for _ in sys.stdin:
        started = time.process_time()
        result = work()
        print(json.dumps({"seconds": time.process_time() - started, **result}), file=answers, flush=True)


def compare(script: str, before: Path, after: Path, rounds: int, *arguments: str) -> dict[str, Any]:
    """So many rounds in turn: the median ratio of the seconds before and after, and the first answers of both.

    The first round of each side warms up and is not counted.
    """
    sides = [Side(script, src, *arguments) for src in (before, after)]
    first = [side.round() for side in sides]
    seconds = [[side.round()["seconds"] for side in sides] for _ in range(rounds)]
    for side in sides:
        side.close()
    ratios = [old / new for old, new in seconds]
    quarters = statistics.quantiles(ratios, n=4) if rounds > 1 else [ratios[0]] * 3
    old, new = (statistics.median(column) for column in zip(*seconds, strict=True))
    return {"ratio": quarters[1], "quartiles": quarters[::2], "before_s": old, "after_s": new, "first": first}


def source_tree(given: str) -> Path:
    """The folder to import from: `given`, or the `src` in it."""
    path = Path(given)
    inner = path / "src"
    tree = inner if (inner / "myovivo").is_dir() else path
    if not (tree / "myovivo").is_dir():
        raise SystemExit(f"{given} holds no myovivo; give the checkout to compare with, or its src")
    return tree
