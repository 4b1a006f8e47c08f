"""What a file or folder is that is no recording: sequences, domains, training runs, spike trains."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from collections import Counter
from pathlib import Path

from ..errors import FileError
from ..runtime.files import read_json
from ..runtime.hdf5 import opened
from ..runtime.words import counted
from ..sequences.header import header_in
from .formats import Format, format_of
from .readers.store import Store

_LOOKED_AT = 1 << 20  # bytes of a text

_USE = "they drive a simulation: --firing.measured FILE, or read_spike_trains"

_MUEDIT = ("edition.Distimeclean", "edition.Dischargetimes", "signal.Dischargetimes")


def described_folder(folder: Path) -> str:
    """What a folder holds.

    Raises
    ------
    FileError : nothing that is read.
    """
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and file.name[0] != "."]
    if (folder / "run.json").is_file():
        has = "with weights" if (folder / "weights.safetensors").is_file() else "without weights yet"
        return f"a training run {has}; translate with `myovivo translate {folder} OUT`"
    sequences = [file for file in files if file.suffix == ".h5" and _format(file) == "sequence"]
    if sequences:
        manifest = folder / "domain.json"
        title = f"a domain{_stage(manifest)}" if manifest.is_file() else "a folder"
        headers = [_header(file) for file in sequences]
        subjects = counted(len({who for _, who in headers}), "subject")
        return f"{title} of {counted(len(sequences), 'sequence')} of {subjects}, the first {headers[0][0]}"
    kinds = Counter(kind for file in files if (kind := _format(file) or _short(spike_trains_in_text(file))))
    if not kinds:
        raise FileError(folder, "holds nothing that is read; check the path")
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return f"a folder of {listed}; inspect one of the files, or acquire the recordings in it"


def described_sequence(path: Path) -> str:
    """What a sequence file holds, without its frames."""
    text, who = _header(path)
    return f"a TVI sequence of subject {who or 'unnamed'}, {text}; it needs no acquisition"


def spike_trains_in_store(store: Store) -> str:
    """Whether a MATLAB file holds decomposed EMG, and how much; empty if not."""
    top = {name.split(".")[0] for name in (*store.shapes, *store.series)}
    if "MUPulses" in top:
        units = [name for name in store.shapes if name.startswith("MUPulses.")]
        return f"spike trains (MUPulses of {counted(len(units) or 1, 'unit')}); {_USE}"
    if any(store.has(f"{name}*") for name in _MUEDIT):
        return f"spike trains (a save of MUedit); {_USE}"
    words = [store.value(name) for name in store.shapes if name.split(".")[0] == "Description"]
    columns = [word.lower() for word in words if isinstance(word, str) and "decomposition of" in word.lower()]
    if "Data" in top and (units := sum("source for" not in word for word in columns)):
        return f"spike trains (an export of OTBioLab+ with {counted(units, 'decomposed unit')}); {_USE}"
    return ""


def spike_trains_in_text(path: Path) -> str:
    """Whether a text file holds decomposed EMG; empty if not."""
    try:
        with path.open("rb") as file:
            head = file.read(_LOOKED_AT)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path) as file:
                head = file.read(_LOOKED_AT)
    except (OSError, EOFError, zlib.error):
        return ""
    text = head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")
    titles = text.split("\n", 1)[0].rstrip("\r").split("\t")
    if text.lstrip().startswith("{") and ('"SOURCE"' in text or '"MUPULSES"' in text):
        return f"spike trains (JSON of openhdemg); {_USE}"
    if path.suffix.lower() == ".tsv" and "onset" in titles:
        return f"spike trains (events of BIDS); {_USE}"
    if path.suffix.lower() == ".txt" and "firing" in path.stem.lower():
        return f"spike trains (a table of firings, as Delsys NeuroMap exports it); {_USE}"
    return ""


def _short(about: str) -> str:
    return about.split(";")[0]


def _header(path: Path) -> tuple[str, str]:
    with opened(path) as file:
        header = header_in(file, path)
        labelled = "with labels" if "labels" in file else "without labels"
    frames, rows, columns = header.shape
    depth, width = (1e3 * step * pixels for step, pixels in zip(header.spacing, (rows, columns), strict=True))
    text = (
        f"{header.origin}, {frames} x {rows} x {columns} at {header.frame_rate:g} Hz ({frames / header.frame_rate:.3g} "
        f"s), {depth:.3g} x {width:.3g} mm, {labelled}"
    )
    return text, header.subject


def _stage(manifest: Path) -> str:
    with contextlib.suppress(FileError, AttributeError):
        stage = read_json(manifest).get("stage")
        return f" (made by {stage})" if stage else ""
    return ""


def _format(file: Path) -> Format | None:
    try:
        return format_of(file)
    except FileError:
        return None
