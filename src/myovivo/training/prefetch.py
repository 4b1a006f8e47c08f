"""Batches read ahead by threads, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def read_ahead(read: Callable[[int], T], steps: Iterable[int], workers: int) -> Iterator[T]:
    """Yield `read(step)` in order, with `workers` threads reading the next ones meanwhile.

    Threads suffice: reading and standardising release the interpreter's lock, and unlike worker
    processes they raise a file's error as itself.
    """
    if workers == 0:
        yield from map(read, steps)
        return
    pool = ThreadPoolExecutor(workers)
    waiting: deque = deque()
    try:
        for step in steps:
            waiting.append(pool.submit(read, step))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
