"""Progress with time left, on a terminal as a bar and in a log as a line every ten seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from .words import spoken_time

if TYPE_CHECKING:
    from rich.progress import Progress

T = TypeVar("T")

_LINE_EVERY_S = 10.0


class Bar:
    """A running count towards `total`, shown to the user.

    Use as a context manager; `advance()` after each piece of work, with an optional `note` (losses,
    a file name) shown behind the count.
    """

    def __init__(self, title: str, total: int, done: int = 0, quiet: bool = False):
        self.title, self.total, self.done, self.quiet = title, total, done, quiet
        self._first = done

    def __enter__(self) -> Bar:
        self._start = self._last_line = time.monotonic()
        self._rich = None if self.quiet else _drawn_bar()
        if self._rich:
            self._rich.start()
            self._task = self._rich.add_task(self.title, total=self.total, completed=self.done, note="")
        return self

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Count `steps` more as done."""
        self.done += steps
        if self._rich:
            self._rich.update(self._task, completed=self.done, note=note)
        elif not self.quiet:
            now = time.monotonic()
            if now - self._last_line >= _LINE_EVERY_S:
                self._last_line = now
                self._print_line(now, note)

    def _print_line(self, now: float, note: str) -> None:
        elapsed = now - self._start
        rate = (self.done - self._first) / max(elapsed, 1e-9)
        left = f"{spoken_time((self.total - self.done) / rate)} left" if rate else "time left unknown"
        line = f"{self.title}: {self.done}/{self.total}, {spoken_time(elapsed)}, {left} {note}"
        print(line.rstrip(), file=sys.stderr, flush=True)

    def __exit__(self, *exception: object) -> None:
        now = time.monotonic()
        if self._rich:
            self._rich.stop()
        elif not self.quiet and now - self._start >= 2.0:
            self._print_line(now, "")


def _drawn_bar() -> Progress | None:
    """A bar of rich, which is loaded only here; None where there is no terminal to draw it on."""
    if not sys.stderr.isatty():
        return None
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from .console import console

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    return Progress(*columns, console=console) if console.is_terminal else None


def track(items: Iterable[T], title: str, total: int, quiet: bool = False) -> Iterator[T]:
    """Yield `items` while a bar counts them."""
    with Bar(title, total, quiet=quiet) as bar:
        for item in items:
            yield item
            bar.advance()
