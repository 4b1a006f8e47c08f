"""Progress with time left, on a terminal as a bar and in a log as a line every ten seconds."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

T = TypeVar("T")

_LINE_EVERY_S = 10.0

console = Console(stderr=True)


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
        self._rich: Progress | None = None
        if console.is_terminal and not self.quiet:
            self._rich = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
                console=console,
            )
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
        left = f"{(self.total - self.done) / rate:.0f} s left" if rate else "time left unknown"
        console.print(
            f"{self.title}: {self.done}/{self.total}, {elapsed:.0f} s, {left} {note}", highlight=False, soft_wrap=True
        )

    def __exit__(self, *exception: object) -> None:
        now = time.monotonic()
        if self._rich:
            self._rich.stop()
        elif not self.quiet and now - self._start >= 2.0:
            self._print_line(now, "")


def track(items: Iterable[T], title: str, total: int, quiet: bool = False) -> Iterator[T]:
    """Yield `items` while a bar counts them."""
    with Bar(title, total, quiet=quiet) as bar:
        for item in items:
            yield item
            bar.advance()
