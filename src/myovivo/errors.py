"""Everything myovivo can complain about, as one small tree.

Each message is one line: what was read, the rule, the value got, the remedy. The command line
prints that line and leaves with status 2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_LINES = re.compile(r"\s*[\n\r\v\f\u2028\u2029\x85]\s*")


class MyovivoError(Exception):
    """Any problem a user can mend; everything myovivo raises on purpose derives from it.

    What a message quotes of a file or a library may have several lines; the message has one.
    """

    def __init__(self, *arguments: object):
        super().__init__(*(_LINES.sub(" ", one) if isinstance(one, str) else one for one in arguments))


class InputError(MyovivoError, ValueError):
    """An array, argument or setting that breaks a rule."""


class WrongTypeError(MyovivoError, TypeError):
    """An object of another kind than is asked for, or one asked for what it does not do."""


class FileError(MyovivoError):
    """A file that cannot be read or written.

    Parameters
    ----------
    path : the file or folder concerned
    problem : the rule it breaks, the value got and what to do about it
    """

    def __init__(self, path: str | Path, problem: str):
        super().__init__(f"{path}: {problem}")
        self.path = Path(path)
        self.problem = problem

    def __reduce__(self) -> tuple[Any, ...]:  # the default would call FileError(message), which takes two arguments
        return type(self), (self.path, self.problem)


class PartialError(FileError):
    """Some files of a folder could not be made; the others were, and are kept.

    Parameters
    ----------
    path, problem : the first file concerned and what is wrong with it, with the names of the others
    made : the files that are there, in the order of the whole folder's
    failed : each file to look at, and its own line
    """

    def __init__(self, path: str | Path, problem: str, made: Sequence[Path], failed: Mapping[Path, str]):
        super().__init__(path, problem)
        self.made, self.failed = list(made), dict(failed)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.path, self.problem, self.made, self.failed)


class RecordingWarning(UserWarning):
    """A recording that can be computed with, but not everywhere trusted."""


class UnitWarning(RecordingWarning):
    """A number that is possible, but unusual: it may be in another unit."""


class RunFolderError(FileError):
    """An output folder that already holds something else."""


class CheckpointError(FileError):
    """A checkpoint that does not fit what it is asked to do."""


class ClusterError(MyovivoError):
    """A cluster that does not answer, has no workers, or lost them."""


class MissingExtraError(MyovivoError, ImportError):
    """An optional library is not installed."""

    def __init__(self, library: str, extra: str):
        super().__init__(f"{library} is not installed; run: pip install 'myovivo[{extra}]'")
        self.library, self.extra = library, extra

    def __reduce__(self):
        return type(self), (self.library, self.extra)
