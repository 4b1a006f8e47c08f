"""Broken files for every reader: each ends in frames or in one of our own one-line errors, in bounded time and memory.

Valid files of every kind (`fuzz_files.py`; those of our own: `fuzz_runs.py`) are changed in ways that know their
structure (`fuzz_changes.py`), and read as a user would: inspected, opened, acquired. Each change is made of the seed,
the kind and its number alone. Forked processes read some files one after the other; a process that dies, or takes more
time of the processor than the limit, is a finding, as is every error that is not ours, has more than one line, or takes
more memory than the limit.

    python benchmarks/fuzz.py                             # 300 of each kind; table, and benchmarks/out/fuzz.json
    python benchmarks/fuzz.py --count 1000 --only video NPY
    python benchmarks/fuzz.py --count 5000 --go-on        # hours; goes on where it was interrupted
    python benchmarks/fuzz.py --only HDF5 --keep 17       # write the 17th file, and show how it ends

Linux only: memory is measured, and limited, in /proc and by rlimit.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from fuzz_changes import changed
from fuzz_files import BASES as FOREIGN
from fuzz_runs import OWN, read_own
from rich.console import Console
from rich.table import Table

import myovivo as mv
from myovivo.acquisition.given_labels import labels_beside
from myovivo.errors import MyovivoError
from myovivo.runtime.files import read_json, write_json
from myovivo.sequences.header import read_header
from myovivo.sequences.sequence import Sequence

BASES = FOREIGN | OWN
OUT = Path(__file__).parent / "out" / "fuzz.json"
BATCH, ROUND = 50, 250  # files of a process, and of a kind before the next one's turn
SECONDS, PATIENCE_S, BYTES = 5, 60, 3 << 30  # of the processor, and of the clock; memory beyond what Python has
SPIKES = ("BIDS events", "openhdemg", "MUPulses")
BESIDE = {"notes beside video": "p1_clip.mp4", "mapping": "wave.npy", "labels": "wave.npy"}  # what is read of a folder
SETTINGS = {
    "output.rows": 8,
    "output.columns": 8,
    "output.frame_rate": None,
    "conditioning.band": None,
    "velocity.axial_window": 1e-3,
    "quiet": True,
    "device": "cpu",
}


class Ending(NamedTuple):
    """How the reading of a file ended: well, with an error of ours, or with a finding; and after how long, s."""

    number: int
    way: str
    text: str
    seconds: float


def read(kind: str, path: Path) -> None:
    """Read a file as a user would."""
    if kind in OWN:
        read_own(kind, path)
    elif kind in SPIKES:
        mv.read_spike_trains(path)
    elif kind == "sequence":
        read_header(path)
        repr(Sequence.load(path))
    else:
        is_bmode = kind in ("video", "notes beside video")
        more = {"video.pixel": 2e-4} if kind == "video" else {"video.window": 2e-3} if is_bmode else {}
        more |= {"role": "silico"} if labels_beside(path) else {}
        mv.inspect(path)
        mv.acquire(path, **SETTINGS, **more)


def write_changed(kind: str, number: int, seed: int, bases: list[Path], folder: Path) -> Path:
    """Write the file of that number; what is read of it."""
    base = bases[number % len(bases)]
    content = changed(base.read_bytes(), base.suffix, Random(f"{seed} {kind} {number}"))
    shutil.copytree(base.parent, folder, dirs_exist_ok=True)
    (folder / base.name).write_bytes(content)
    return folder / BESIDE.get(kind, base.name)


def ending_of(kind: str, number: int, path: Path) -> Ending:
    """Read a file, and say how it ended."""
    begin = time.process_time()
    way, text = "read", ""
    signal.alarm(PATIENCE_S)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        read(kind, path)
    except MyovivoError as error:
        text = str(error)
        way = "refused" if "\n" not in text else "finding"
    except BaseException as error:
        places = [frame for frame in traceback.extract_tb(error.__traceback__) if "myovivo/" in frame.filename]
        place = f"{Path(places[-1].filename).name}:{places[-1].lineno}" if places else "?"
        way, text = "finding", f"{type(error).__name__} at {place}: {str(error)[:200]}"
    signal.alarm(0)
    signal.setitimer(signal.ITIMER_PROF, 0)
    return Ending(number, way, text, time.process_time() - begin)


def batch(kind: str, numbers: range, seed: int, bases: list[Path]) -> Iterator[Ending]:
    """Endings of some files, from a process of their own; if it dies, the file it was at is the last."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _in_child(kind, numbers, seed, bases, writing)
        os._exit(0)
    os.close(writing)
    begun = numbers[0]
    with os.fdopen(reading) as lines:
        for line in lines:
            number, *rest = json.loads(line)
            begun = number
            if rest:
                begun += 1
                yield Ending(number, *rest)
    _, status = os.waitpid(child, 0)
    if status and begun in numbers:
        killed_by = status & 127
        hangs = killed_by in (signal.SIGALRM, signal.SIGPROF)
        why = f"takes over {SECONDS} s" if hangs else f"the process dies (status {status})"
        yield Ending(begun, "finding", why, float(SECONDS) if hangs else 0.0)


def _in_child(kind: str, numbers: range, seed: int, bases: list[Path], writing: int) -> None:
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)  # threads that the parent had are not here
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in numbers:
        os.write(writing, f"[{number}]\n".encode())
        with tempfile.TemporaryDirectory() as folder:
            ending = ending_of(kind, number, write_changed(kind, number, seed, bases, Path(folder)))
        os.write(writing, (json.dumps(ending) + "\n").encode())


def campaign(kind: str, result: dict[str, Any], count: int, seed: int) -> None:
    """Add the endings of `count` further changed files of a kind to its result: counts, and a finding of each place."""
    with tempfile.TemporaryDirectory() as folder:
        bases = written_bases(kind, Path(folder))
        for base in bases:  # what is valid must be read, else the rest says nothing; libraries are loaded meanwhile
            read(kind, base.parent / BESIDE.get(kind, base.name))
        last = result["files"] + count
        while result["files"] < last:
            numbers = range(result["files"], min(result["files"] + BATCH, last))
            for ending in batch(kind, numbers, seed, bases):
                result["files"] += 1
                result[ending.way] += 1
                result["slowest_s"] = max(result["slowest_s"], ending.seconds)
                if ending.way == "finding":
                    place = ending.text.split(": ")[0]
                    result["findings"].setdefault(place, [0, ending.number, ending.text])[0] += 1


def written_bases(kind: str, folder: Path) -> list[Path]:
    """The valid files of a kind, each in a folder of its own."""
    bases = []
    for number, write in enumerate(BASES[kind]):
        (folder / str(number)).mkdir()
        bases.append(write(folder / str(number)))
    return bases


def show(kind: str, number: int, seed: int) -> None:
    """Write one changed file into the current folder, and read it, with a traceback if it ends in one."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_changed(kind, number, seed, written_bases(kind, Path(folder)), Path.cwd())
    print(path)
    read(kind, path)


def went_so_far(seed: int, kinds: list[str]) -> dict[str, Any]:
    """Results of an earlier call, as far as they are of this seed."""
    results = read_json(OUT) if OUT.exists() else {}
    return {kind: result for kind, result in results.items() if kind in kinds and result["seed"] == seed}


def main() -> int:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300, help="files of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=list(BASES), default=list(BASES), metavar="KIND")
    parser.add_argument("--go-on", action="store_true", help="add to the results that are there, up to --count")
    parser.add_argument("--keep", type=int, metavar="NUMBER", help="write and read one file alone")
    arguments = parser.parse_args()
    if arguments.keep is not None:
        show(arguments.only[0], arguments.keep, arguments.seed)
        return 0
    results = went_so_far(arguments.seed, arguments.only) if arguments.go_on else {}
    for kind in arguments.only:
        empty = {"files": 0, "read": 0, "refused": 0, "finding": 0, "slowest_s": 0.0, "findings": {}}
        results.setdefault(kind, {"seed": arguments.seed, **empty})
    while unfinished := [kind for kind in arguments.only if results[kind]["files"] < arguments.count]:
        for kind in unfinished:  # each a little, so that an interrupted campaign has looked at all
            left = arguments.count - results[kind]["files"]
            campaign(kind, results[kind], min(left, ROUND), arguments.seed)
            write_json(OUT, results)
    table = Table("kind", "files", "read", "refused", "findings", "slowest (s)", title="broken files")
    for kind, result in results.items():
        counts = [str(result[way]) for way in ("files", "read", "refused", "finding")]
        table.add_row(kind, *counts, f"{result['slowest_s']:.1f}")
    Console().print(table)
    for kind, result in results.items():
        for count, number, text in result["findings"].values():
            print(f"{kind}: {count} x {text}   (--keep {number})")
    return 1 if any(result["findings"] for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
