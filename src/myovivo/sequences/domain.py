"""A domain: a folder of files made in parallel, resumably, the same whatever the number of workers.

`domain.json` in the folder says what it was made of. The same call again keeps the good files and
makes the missing ones; a call with other settings is refused, so that a domain is never a mixture.
"""

from __future__ import annotations

import contextlib
import json
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import ClusterError, FileError, MyovivoError, RunFolderError
from ..runtime.files import read_json, write_json
from ..runtime.parallel import in_parallel
from ..runtime.progress import track
from ..runtime.recipe import difference
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
    pattern : of the names of the folder's files
    workers : processes, -1 for one per core; on a cluster (`on_cluster`) all its workers

    Returns
    -------
    list of Path : the files, in the order of `makers`

    Raises
    ------
    RunFolderError : the folder holds a domain made of another recipe, or other sequence files.
    MyovivoError : a file could not be made; all the others were.
    """
    out = Path(out)
    claim_folder(out, recipe, pattern)
    paths = [out / name for name in makers]
    missing = [path for path in paths if not (path.exists() and is_good(path))]
    for path in set(paths) - set(missing):  # interrupted between the two writes
        if not path.with_suffix(".json").exists():
            with contextlib.suppress(FileError):
                write_sidecar(path)
    results = in_parallel(_make, [(makers[path.name], path) for path in missing], workers)
    failed: list[tuple[Path, MyovivoError]] = []
    for number, error in track(results, title, len(missing), quiet=quiet):
        if error is not None:
            path = missing[number]
            error = FileError(path, str(error)) if isinstance(error, ClusterError) else error
            # the file to look at: what the error blames, often an input, or else the one that was not made
            failed.append((error.path if isinstance(error, FileError) else path, error))
    if failed:
        (_, first), *others = failed
        if others and isinstance(first, FileError):
            more = ", ".join(sorted(path.name for path, _ in others))
            raise FileError(first.path, f"{first.problem} (and {len(others)} more failed: {more})")
        raise first
    return paths


def _make(maker: Callable[[Path], object], path: Path) -> None:
    if not path.with_name(MANIFEST).exists():  # it was written just now, by who asks for this file
        raise FileError(path.parent, f"not to be seen on {platform.node()}; workers must share the file system")
    maker(path)
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


def claim_folder(out: Path, recipe: Mapping[str, Any], pattern: str = "*.h5") -> None:
    """Write `recipe` into the folder, or check that it stands there already.

    A recipe whose first file was never made binds nobody: it is replaced.

    Raises
    ------
    RunFolderError : another recipe stands there, or sequences that no recipe explains.
    """
    wanted = json.loads(json.dumps(dict(recipe), default=str))
    manifest = out / MANIFEST
    has_files = out.is_dir() and any(out.glob(pattern))
    if manifest.exists() and has_files:
        found = read_json(manifest)
        if found != wanted:
            problem = (
                f"already holds another run ({difference(found, wanted)}); choose another folder or delete this one"
            )
            raise RunFolderError(out, problem)
    elif has_files:
        raise RunFolderError(
            out, f"already holds {pattern.lstrip('*')} files but no {MANIFEST}; choose an empty folder"
        )
    else:
        if out.exists() and not out.is_dir():
            raise FileError(out, "is a file, not a folder; choose another name")
        write_json(manifest, wanted)


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
