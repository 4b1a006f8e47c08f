"""A domain: a folder of files made in parallel, resumably, the same whatever the number of workers.

`domain.json` in the folder says what it was made of. The same call again keeps the good files and
makes the missing ones; a call with other settings is refused, so that a domain is never a mixture.
"""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from ..errors import ClusterError, FileError, MyovivoError, PartialError
from ..runtime.files import write_json
from ..runtime.parallel import in_parallel
from ..runtime.progress import track
from ..runtime.recipe import claimed, sources_of, state_of
from .header import read_header
from .recording import Recording

MANIFEST = "domain.json"


def make_domain(
    out: str | Path,
    makers: Mapping[str, Callable[[Path], object]],
    recipe: Mapping[str, Any],
    is_good: Callable[[Path], bool],
    title: str,
    workers: int = -1,
    quiet: bool = False,
    pattern: str = "*.h5",
    sources: Mapping[str, Path] | None = None,
) -> list[Path]:
    """Make each file of a folder that is not there yet.

    Parameters
    ----------
    out : the folder
    makers : file name -> function that writes that file to the path it is given; it must depend on
        nothing but what it carries, so that workers do not change the bytes
    recipe : stage, settings, seed: what the whole folder is made of
    is_good : whether an existing file can be kept
    title : shown beside the progress bar
    workers : processes, -1 for one per core; on a cluster (`on_cluster`) all its workers
    pattern : of the names of the folder's files
    sources : file name -> the file that it is made from, whose SHA-256 becomes part of the recipe

    Returns
    -------
    list of Path : the files, in the order of `makers`

    Raises
    ------
    RunFolderError : the folder holds a domain made of another recipe, or other sequence files.
    PartialError : some files could not be made; all the others were, and it says which.
    MyovivoError : no file could be made, or what was wrong was not a file.
    """
    out, sources = Path(out), dict(sources or {})
    states = {name: state_of(source) for name, source in sources.items()}
    content = {**recipe, "source": sources_of(sources.values())} if sources else recipe
    with claimed(out, MANIFEST, content, recipe_of=dict, results=pattern):
        paths = [out / name for name in makers]
        missing = [path for path in paths if not (path.exists() and is_good(path))]
        for path in set(paths) - set(missing):  # interrupted between the two writes
            if not path.with_suffix(".json").exists():
                with contextlib.suppress(FileError):
                    write_sidecar(path)
        calls = [(makers[path.name], path, sources.get(path.name), states.get(path.name)) for path in missing]
        failed: list[tuple[Path, Path, MyovivoError]] = []
        for number, error in track(in_parallel(_make, calls, workers), title, len(missing), quiet=quiet):
            if error is not None:
                path = missing[number]
                error = FileError(path, str(error)) if isinstance(error, ClusterError) else error
                # the file to look at: what the error blames, often an input, or else the one that was not made
                failed.append((path, error.path if isinstance(error, FileError) else path, error))
    if failed:
        unmade = {path for path, _, _ in failed}
        _raise([path for path in paths if path not in unmade], [(blamed, error) for _, blamed, error in failed])
    return paths


def _raise(made: list[Path], failed: list[tuple[Path, MyovivoError]]) -> NoReturn:
    """Raise the first error, with the names of the other files concerned, and with what was made all the same."""
    (_, first), *others = failed
    if not isinstance(first, FileError):
        raise first
    problem = first.problem
    if others:
        more = ", ".join(sorted(path.name for path, _ in others))
        problem = f"{problem} (and {len(others)} more failed: {more})"
    if made:
        raise PartialError(first.path, problem, made, {path: str(error) for path, error in failed})
    raise FileError(first.path, problem) if others else first


def _make(
    maker: Callable[[Path], object],
    path: Path,
    source: Path | None = None,
    state: tuple[int, int, int] | None = None,
) -> None:
    """Make a file; of a source that is no longer as it was when its digest was taken, nothing is kept."""
    if not path.with_name(MANIFEST).exists():  # it was written just now, by who asks for this file
        raise FileError(path.parent, f"not to be seen on {platform.node()}; workers must share the file system")
    maker(path)
    if source is not None and state_of(source) != state:
        path.unlink()
        raise FileError(source, "was replaced or changed while it was read; run the same command again")
    with contextlib.suppress(FileError):  # a recording is no sequence and has no sidecar
        write_sidecar(path)


def write_sidecar(path: Path) -> None:
    """Write beside a sequence, as JSON, what its file says of itself, for people and for tools without HDF5.

    Raises
    ------
    FileError : no readable sequence.
    """
    header = read_header(path)
    frames, rows, columns = header.shape
    content = {
        "Description": "axial tissue velocity (frame, depth, lateral), m/s, positive towards the probe",
        "Origin": header.origin,
        "Subject": header.subject,
        "FrameRate": header.frame_rate,
        "PixelSpacing": list(header.spacing),
        "Frames": frames,
        "Rows": rows,
        "Columns": columns,
        "Units": "m/s",
        "Provenance": header.provenance,
    }
    write_json(path.with_suffix(".json"), content)


def good_sequence(path: Path) -> bool:
    """Whether `path` is a complete sequence file."""
    with contextlib.suppress(FileError):
        read_header(path)
        return True
    return False


def good_recording(path: Path) -> bool:
    """Whether `path` is a complete recording file."""
    with contextlib.suppress(FileError):
        Recording.load(path)
        return True
    return False


def sequence_name(subject: str, run: int = 1) -> str:
    """File name of a sequence, in the manner of BIDS: `sub-01_task-isometric_run-01_tvi.h5`."""
    return f"sub-{subject}_task-isometric_run-{run:02d}_tvi.h5"
