"""Everything myovivo can complain about, as one small tree.

Each message is one line: what was read, the rule, the value got, the remedy. The command line
prints that line and leaves with status 2.
"""

from __future__ import annotations

from pathlib import Path


class MyovivoError(Exception):
    """Any problem a user can mend; everything myovivo raises on purpose derives from it."""


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

    def __reduce__(self):  # the default would call FileError(message), which takes two arguments
        return type(self), (self.path, self.problem)


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
