"""What a folder is made of: one claim for every folder that a recipe makes.

A claim locks the folder, so that two commands never mix their files, and writes the recipe into it, or checks that the
same one stands there already. A recipe holds the SHA-256 of every source, so that results of one source are never kept
for another of the same name.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import ValidationError

from ..errors import FileError, RunFolderError
from .files import clear_parts, plain, read_json, write_json
from .settings import Settings

LOCK = ".lock"
READERS = 4  # files digested at a time; hashing lets go of the interpreter's lock


@contextlib.contextmanager
def locked(path: Path, what: Path, timeout: float = 0.0) -> Iterator[None]:
    """Hold the lock `path` of `what`.

    Raises
    ------
    FileError : another command holds it for longer than `timeout` s, or it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        lock.acquire(timeout=timeout)
    except Timeout:
        raise FileError(what, "another command works on it; wait until that has ended, or stop it") from None
    except (FileExistsError, NotADirectoryError):
        raise FileError(what, "is a file, not a folder; choose another name") from None
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EROFS) and path.parent.is_dir():
            yield  # nobody can write there: what is complete can be used
            return
        raise FileError(what, f"cannot be written ({error.strerror}); choose another folder") from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def claimed(
    folder: Path,
    manifest: str,
    content: Mapping[str, Any],
    *,
    recipe_of: Callable[[Any], dict[str, Any]],
    results: str = "*",
) -> Iterator[None]:
    """Hold a folder for what a recipe makes, and nothing else.

    Parameters
    ----------
    folder : made if it is not there
    manifest : name of the JSON file in it that says what the folder is made of
    content : of that file; settings in it may be `Settings`
    recipe_of : the part of a content that must be the same for the folder to be gone on with
    results : pattern of what is made; while nothing is, what stands in `manifest` binds nobody

    Raises
    ------
    RunFolderError : the folder holds something that another recipe made, or that nothing explains.
    FileError : another command works on the folder, or it cannot be written.
    """
    path = folder / manifest
    _require_explained(path, results)  # before anything is written, the lock included
    with locked(folder / LOCK, folder):
        clear_parts(folder)
        wanted = plain_recipe(content)
        if _require_explained(path, results):
            there = as_now(read_json(path), content)
            require_same(recipe_of(there) if isinstance(there, dict) else there, recipe_of(wanted), folder)
        if not path.exists() or read_json(path) != wanted:
            write_json(path, wanted)
        yield


def _require_explained(manifest: Path, results: str) -> bool:
    """Whether the folder of a manifest holds results; refused if nothing says of what they were made."""
    folder = manifest.parent
    has_results = folder.is_dir() and any(file.name[0] != "." for file in folder.glob(results))
    if has_results and not manifest.exists():
        held = "is not empty" if results == "*" else f"already holds {results.lstrip('*')} files"
        raise RunFolderError(folder, f"{held} and holds no {manifest.name}; choose an empty or new folder")
    return has_results


def require_same(there: Any, here: Any, what: Path, rule: str = "already holds another run") -> None:
    """Refuse what was made by another recipe.

    Raises
    ------
    RunFolderError : naming the first difference.
    """
    if not isinstance(there, dict):
        raise RunFolderError(what, "is not the description of what is made here; choose another folder")
    if there != here:
        raise RunFolderError(what, f"{rule} ({difference(there, here)}); choose another folder or delete this one")


def once(path: Path, recipe: Mapping[str, Any], make: Callable[[], Any]) -> Any:
    """What `make` gave, as JSON, when it was first asked for with this recipe; it stands in the file `path`.

    Raises
    ------
    RunFolderError : the file is of another recipe.
    """
    wanted = plain_recipe(recipe)
    if path.exists():
        content = read_json(path)
        there = as_now(content.get("recipe"), recipe) if isinstance(content, dict) and "result" in content else None
        require_same(there, wanted, path, "is of another comparison")
        return content["result"]
    write_json(path, {"recipe": wanted, "result": make()})
    return read_json(path)["result"]


def plain_recipe(recipe: Any) -> Any:
    """A recipe as JSON gives it back."""
    return json.loads(json.dumps(recipe, default=lambda value: _dumped(value)))


def _dumped(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, Settings) else plain(value)


def as_now(there: Any, here: Any) -> Any:
    """A recipe of an earlier version, in the words of this one: settings that have gone or come since stand at their
    defaults, and sources that were only named are taken for those of the same names."""
    if isinstance(here, Settings):
        with contextlib.suppress(ValidationError, TypeError):
            return type(here).model_validate(there).model_dump(mode="json")
        return there
    if isinstance(here, Sources):
        names = there.get("files") if isinstance(there, dict) else there
        return dict(here) if names == list(here) else there
    if isinstance(here, Mapping) and isinstance(there, dict):
        undigested = {name: dict(value) for name, value in here.items() if isinstance(value, Sources)}
        return undigested | {name: as_now(value, here.get(name)) for name, value in there.items()}
    return there


def difference(there: Mapping[str, Any], here: Mapping[str, Any], prefix: str = "") -> str:
    """The first setting in which two recipes differ, as `name is 1 there, 2 here`."""
    for name in sorted({*there, *here}):
        old, new = there.get(name), here.get(name)
        if old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            return difference(old, new, f"{prefix}{name}.")
        return f"{prefix}{name} is {_short(old)} there, {_short(new)} here"
    strangers = sorted(there.keys() ^ here.keys())
    return f"{prefix}{strangers[0]} is known to one of them only" if strangers else "the same"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 100 else f"{text[:60]}… ({len(text)} characters)"


# ----------------------------------------------------------------------------------------- sources


class Sources(dict[str, str]):
    """Name of each source file -> its SHA-256, in the order given."""


def sources_of(files: Iterable[Path]) -> Sources:
    """The digests of the files that something is made of.

    Raises
    ------
    FileError : a file cannot be read.
    """
    paths = list(files)
    with ThreadPoolExecutor(READERS) as pool:
        return Sources(zip((path.name for path in paths), pool.map(digest, paths), strict=True))


def state_of(path: Path) -> tuple[int, int, int]:
    """Which file stands at `path`, its size and when it was written: another after it is replaced or changed.

    Raises
    ------
    FileError : it is not there.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror}); check the path") from error
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def digest(path: Path) -> str:
    """SHA-256 of a file.

    Raises
    ------
    FileError : it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror}); check the path") from error
