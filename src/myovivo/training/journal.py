"""What a training says of itself as it goes: the losses, and how long it waited for data."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..errors import FileError, MissingExtraError
from ..runs.folder import LOG

T = TypeVar("T")


class Journal:
    """Appends to `log.jsonl` of a run folder, and to a folder for TensorBoard if asked.

    Parameters
    ----------
    run : run folder; None in a process that leaves the writing to another
    tensorboard : write to `run`/tensorboard too

    Raises
    ------
    MissingExtraError : TensorBoard is not installed.
    """

    def __init__(self, run: Path | None, tensorboard: bool = False):
        self._path = None if run is None else run / LOG
        self._board = _board(run / "tensorboard") if run is not None and tensorboard else None
        self._started = self._written = time.monotonic()
        self._waited = self._waited_in_all = 0.0

    def resume(self, step: int) -> None:
        """Drop lines of steps after the checkpoint: they will be taken, and logged, again."""
        if self._path is not None and self._path.exists():
            lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
            self._path.write_text("".join(line for line in lines if _step_of(line) <= step), encoding="utf-8")

    def timed(self, batches: Iterable[T]) -> Iterator[T]:
        """The same, with the time it takes to come by each one counted as waiting."""
        waiting = iter(batches)
        while True:
            asked = time.monotonic()
            batch = next(waiting, None)
            self._waited += time.monotonic() - asked
            if batch is None:
                return
            yield batch

    def write(self, step: int, losses: Mapping[str, float]) -> None:
        """A line of losses, with the seconds since the start and the share of time spent waiting since the last line.

        Raises
        ------
        FileError : the disk is full.
        """
        now = time.monotonic()
        share = self._waited / max(now - self._written, 1e-9)
        self._waited_in_all, self._waited, self._written = self._waited_in_all + self._waited, 0.0, now
        line = {"step": step, "seconds": round(now - self._started, 3), "data_wait": round(share, 4), **losses}
        if self._path is None:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            problem = f"cannot be written ({error.strerror}); free space and run the same command again"
            raise FileError(self._path, problem) from error
        self.draw(step, losses)

    def draw(self, step: int, values: Mapping[str, float]) -> None:
        """A point on the curve of each name, in TensorBoard alone."""
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)
            self._board.flush()

    @property
    def data_wait(self) -> float:
        """Share of the whole time so far that went by waiting for data."""
        return self._waited_in_all / max(time.monotonic() - self._started, 1e-9)


def _board(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtraError("tensorboard", "tensorboard") from error
    return SummaryWriter(str(folder))


def _step_of(line: str) -> int:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return sys.maxsize  # half a line, written as the process ended
