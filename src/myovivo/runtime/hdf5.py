"""HDF5 files opened so that one from a stranger is data and nothing else, and what goes wrong is one clear error.

An HDF5 file can name other files, whose content then seems its own, and can promise arrays that no disk holds. Every
file is looked through before it is handed out: links to other files, external storage and virtual datasets are
refused, and so are sizes far beyond what is stored. Within a file, links and references may run in circles: whoever
follows them does so within a `LinkWalk`.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import h5py.h5l as h5l
import h5py.h5o as h5o

from ..errors import FileError, MyovivoError
from .file_kinds import FILE_TITLES, file_kind_of
from .recipe import state_of
from .unfolding import FREE, MOST_PARTS, require_allowed

_AGAIN = 8  # times that one group or cell array may be met on different ways

_REMEMBERED = 1024  # files that were looked through

_looked_through: dict[tuple[str, tuple[int, int, int]], None] = {}


@contextlib.contextmanager
def opened(path: str | Path, kind: str = "sequence") -> Iterator[Any]:
    """Open an HDF5 file for reading; what goes wrong inside becomes one clear `FileError`.

    Read everything of a file within one block: it stays the same file if another takes its place.

    Parameters
    ----------
    path : the file
    kind : what it should be, `sequence` or `recording`

    Raises
    ------
    FileError : missing, broken, reaching into other files, or promising more than it holds.
    """
    path = Path(path)
    if not path.exists():
        raise FileError(path, "does not exist; check the path")
    if path.is_dir():
        raise FileError(path, f"is a folder; give one of the {kind}s in it")
    before = state_of(path)
    try:
        with h5py.File(path, "r") as file:
            _look_through_once(file, path, before)
            yield file
        _require_unchanged(path, before)
    except (OSError, RuntimeError) as error:
        if (title := title_of(path)) not in ("", FILE_TITLES["hdf5"], FILE_TITLES["matlab73"]):
            raise FileError(path, f"is {title}; read it with `myovivo acquire`") from error
        problem = f"is not a readable HDF5 file, probably truncated ({last_clause(error)}); make it again"
        raise FileError(path, problem) from error
    except (KeyError, json.JSONDecodeError) as error:
        raise FileError(path, f"is not a complete myovivo {kind} file ({last_clause(error)}); make it again") from error


@contextlib.contextmanager
def created(path: Path) -> Iterator[h5py.File]:
    """An HDF5 file to be written, in place of what is there.

    Its `flush` tells whether what was written so far has found room; whoever writes for long calls it now and then.

    Raises
    ------
    OSError : the disk is full; the file is then of no use.
    """
    with path.open("w+b", buffering=0) as disk:
        writing = _Writing(disk)
        with h5py.File(writing, "w") as file:
            try:
                yield file
            finally:
                writing.is_closing = True
        if writing.error is not None:
            raise writing.error


class _Writing:
    """A file that HDF5 writes to, which can always be closed.

    HDF5 that cannot write what it still holds complains in many lines, and ends the process by a signal when Python
    leaves. The first failure is therefore kept to be told, and what comes after it is thrown away.
    """

    def __init__(self, disk: Any):
        self._disk, self.is_closing = disk, False
        self.error: OSError | None = None
        self.seek, self.tell, self.read, self.readinto = disk.seek, disk.tell, disk.read, disk.readinto
        self.write, self.truncate = self._kept(self._write_all), self._kept(disk.truncate)

    def flush(self) -> None:
        if self.error is not None and not self.is_closing:
            raise self.error

    def _write_all(self, content: Any) -> None:
        view = memoryview(content).cast("B")
        while len(view):
            view = view[self._disk.write(view) :]

    def _kept(self, act: Callable[[Any], Any]) -> Callable[[Any], None]:
        def kept(argument: Any) -> None:
            if self.error is None:
                try:
                    act(argument)
                except OSError as error:
                    self.error = error

        return kept


@contextlib.contextmanager
def understood(path: str | Path, kind: str = "sequence") -> Iterator[None]:
    """Within the block, a file's content is told apart, and nothing else is done: what a part of another kind or size
    than ours makes of that becomes one clear `FileError`.
    """
    try:
        yield
    except MyovivoError:
        raise
    except MemoryError as error:
        raise FileError(path, "needs more memory than there is; read a part of it, or use a larger machine") from error
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        problem = f"is not a complete myovivo {kind} file ({last_clause(error)}); make it again"
        raise FileError(path, problem) from error


def title_of(path: str | Path) -> str:
    """What a file is by its first bytes, as `a MATLAB v7.3 file`; empty if it is of no kind known."""
    with contextlib.suppress(OSError):
        kind = file_kind_of(path)
        return FILE_TITLES[kind] if kind is not None else ""
    return ""


def last_clause(error: BaseException) -> str:
    """The end of a library's complaint, on one line."""
    return " ".join(str(error).strip("'\"").split())[-120:] or type(error).__name__


def is_whole(dataset: Any) -> bool:
    """Whether every value of a dataset was written: one never written, or cut short, reads as zeros."""
    stored = dataset.id.get_storage_size()
    if dataset.chunks is None or not dataset.size:
        return stored > 0 or not dataset.size
    chunks = math.prod(-(-size // step) for size, step in zip(dataset.shape, dataset.chunks, strict=True))
    return dataset.id.get_num_chunks() >= chunks


class LinkWalk:
    """A way through groups and references that comes to an end, whatever they refer to.

    Parameters
    ----------
    path : of the file, for messages
    """

    def __init__(self, path: str | Path):
        self._path = Path(path)
        self._inside: set[tuple[int, int]] = set()
        self._met: dict[tuple[int, int], int] = {}
        self._parts, self._bytes, self._size = MOST_PARTS, 0, self._path.stat().st_size

    @contextlib.contextmanager
    def within(self, item: Any) -> Iterator[None]:
        """While the content of a group, or what a dataset refers to, is gone through.

        Raises
        ------
        FileError : it lies within itself, or is met again and again.
        """
        info = h5o.get_info(item.id)
        place = (info.fileno, info.addr)
        self._met[place] = self._met.get(place, 0) + 1
        if place in self._inside or self._met[place] > _AGAIN:
            raise FileError(self._path, f"has links that run in a circle, at {item.name}; save it without them")
        self._inside.add(place)
        try:
            yield
        finally:
            self._inside.discard(place)

    def count(self) -> None:
        """Count a part that is about to be listed or read.

        Raises
        ------
        FileError : there are too many.
        """
        self._parts -= 1
        if self._parts < 0:
            raise FileError(self._path, f"has over {MOST_PARTS} parts, too many for one recording; save fewer of them")

    def take(self, item: Any) -> None:
        """Count a dataset that is about to be read whole.

        Raises
        ------
        FileError : there are too many, or all together are too large.
        """
        self.count()
        self.require(item.nbytes)

    def require(self, size: int) -> None:
        """Count bytes that are about to be made of what the file says.

        Raises
        ------
        FileError : they are too many, together with those before.
        """
        self._bytes += size
        require_allowed(self._path, self._bytes, self._size, "what it refers to")


def referred(item: Any, reference: Any) -> Any:
    """What a reference in a dataset stands for; None for an empty one.

    Raises
    ------
    OSError : it stands for nothing, or for data of another file.
    """
    if not reference:
        return None
    try:
        held = item.file[reference]
    except (ValueError, KeyError) as error:
        raise OSError(f"a reference leads nowhere: {error}") from error
    if isinstance(held, h5py.Dataset) and (reach := _reach(held.id.get_create_plist())):
        raise OSError(f"a reference leads to {reach}")
    return held


# ------------------------------------------------------------------------------------- look through


def _look_through_once(file: Any, path: Path, state: tuple[int, int, int]) -> None:
    """Look through a file unless it was since it last changed."""
    key = (str(path.resolve()), state)
    if key in _looked_through:
        return
    try:
        _look_through(file, path)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:  # in h5py's own words
        raise OSError(last_clause(error)) from error
    while len(_looked_through) >= _REMEMBERED:
        with contextlib.suppress(StopIteration, KeyError):  # another thread was faster
            del _looked_through[next(iter(_looked_through))]
    _looked_through[key] = None


def _look_through(file: Any, path: Path) -> None:
    """Refuse a file that reaches into others, or whose datasets promise far more than is stored.

    Objects that no link leads to are not met here; `referred` looks at what a reference leads to.
    """
    links: list[tuple[bytes, int]] = []
    file.id.links.visit(lambda name, info: links.append((name, info.type)), info=True)
    for name, kind in links:
        if kind not in (h5l.TYPE_HARD, h5l.TYPE_SOFT):
            raise FileError(path, f"links to another file at {_text(name)}; copy into it what it links to")
    datasets: list[bytes] = []
    is_dataset = h5o.TYPE_DATASET
    h5o.visit(file.id, lambda name, info: datasets.append(name) if info.type == is_dataset else None, info=True)
    total, size = 0, path.stat().st_size
    for name in datasets:
        dataset = h5py.h5d.open(file.id, name)
        layout = dataset.get_create_plist()
        if reach := _reach(layout):
            raise FileError(path, f"keeps {_text(name)} in {reach}; copy the values into the file itself")
        promised = math.prod(dataset.get_space().shape or (0,)) * dataset.get_type().get_size()
        if promised > FREE:
            stored = dataset.get_storage_size()
            if not layout.get_nfilters() and promised > stored:  # nothing unfolds here
                rule = f"{promised >> 20} MB are promised and {stored >> 20} MB there"
                raise FileError(path, f"holds {_text(name)} in part only ({rule}); write it again")
            require_allowed(path, promised, stored, _text(name))
        total += promised
        require_allowed(path, total, size, "all datasets together")


def _reach(layout: Any) -> str:
    """Which other files a dataset lies in; empty if its own."""
    if layout.get_external_count():
        return f"the file {_text(layout.get_external(0)[0])}"
    return "parts of other datasets (it is virtual)" if layout.get_layout() == h5py.h5d.VIRTUAL else ""


def _text(name: bytes) -> str:
    text = name.decode("utf-8", "replace")
    return text if len(text) <= 80 else f"{text[:80]}…"


def _require_unchanged(path: Path, before: tuple[int, int, int]) -> None:
    """Refuse what was read of a file that was written to meanwhile; one that another took the place of stays whole."""
    with contextlib.suppress(FileError):  # gone: what was read of it is whole, too
        after = state_of(path)
        if after[0] == before[0] and after != before:
            raise OSError("it was changed while it was read")
