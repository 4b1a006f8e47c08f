"""Files that are either whole or absent: write under a temporary name, then rename."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import FileError
from .texts import json_of, read_text

_PART = ".part-"  # in the name of what is not yet whole


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` only if the block succeeds.

    A crash, a full disk or an interrupt leaves `path` as it was, whether absent or old. The temporary name cannot be
    foretold, and no link of that name is followed; what is renamed has reached the disk.

    Raises
    ------
    FileError : the disk is full, or the folder cannot be written.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}{_PART}{os.getpid()}-{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(path.parent, f"cannot be made ({error.strerror}); choose another folder") from error
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        yield part
        _flush(part)
        os.replace(part, path)
        _flush(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        if _is_full(error):
            problem = "the disk is full, so it was not written and nothing was replaced; free space and run again"
            raise FileError(path, problem) from error
        if isinstance(error, PermissionError | FileExistsError | NotADirectoryError):
            raise FileError(path, f"cannot be written ({error.strerror}); choose another folder") from error
        raise


def clear_parts(folder: Path) -> None:
    """Remove what processes that were killed left half written, in a folder that this process alone holds."""
    with contextlib.suppress(OSError):
        for part in folder.glob(f".*{_PART}*"):
            writer = part.name.rpartition(_PART)[2].split("-")[0]
            if not (writer.isdigit() and _is_running(int(writer))):
                with contextlib.suppress(OSError):
                    part.unlink()


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's, or none that can be
        return True
    return True


def _flush(path: Path) -> None:
    """Let a file's bytes, or a folder's names, reach the disk; not every file system knows of the latter."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # a folder under Windows
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EROFS):
            raise
    finally:
        os.close(handle)


def _is_full(error: BaseException) -> bool:
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return True
    # HDF5 and safetensors wrap the system's error in one of their own and keep only its text.
    words = str(error)
    return any(word in words for word in ("No space left", "errno = 28", "File too large", "errno = 27"))


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all."""
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON to `path`, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, default=plain) + "\n")


def read_json(path: str | Path) -> Any:
    """Read JSON from `path`.

    Raises
    ------
    FileError : it is missing or is not JSON.
    """
    try:
        return json_of(read_text(path))
    except FileNotFoundError as error:
        raise FileError(path, "does not exist; check the path") from error
    except OSError as error:
        raise FileError(path, f"cannot be read ({error.strerror}); check the path") from error
    except ValueError as error:
        raise FileError(path, f"is not valid JSON ({error}); restore or delete it") from error


def plain(value: Any) -> Any:
    """Turn NumPy scalars, arrays and paths into what JSON knows."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)
