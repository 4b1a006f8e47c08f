"""A folder of sequences translated into a folder of the same names."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

from ..errors import FileError, InputError
from ..runs.folder import RUN, test_files
from ..runs.weights import BUNDLED
from ..sequences.domain import good_sequence, make_domain
from ..sequences.header import sequence_files
from .translator import Direction, Translator


def translate_domain(
    run: str | Path,
    source: str | Path | Iterable[str | Path] | None,
    out: str | Path,
    seed: int = 0,
    *,
    direction: Direction = "silico_to_vivo",
    frames_at_once: int | None = None,
    band: tuple[float, float] | None = None,
    device: str = "auto",
    workers: int = 1,
    quiet: bool = False,
) -> list[Path]:
    """Translate a folder of sequences into a folder of sequences of the same names.

    Interrupt it at will: the same call again keeps the good files and makes the missing ones.

    Parameters
    ----------
    run : run folder of a training
    source : a folder, a list of files, or None for the test sequences that the run held out
    out : the folder to write, new or of this very call
    seed : file number n gets the noise of seed (seed, n)
    direction : "silico_to_vivo" or "vivo_to_silico"
    frames_at_once, band, device : as in `Translator`
    workers : processes; one uses all cores already
    quiet : show no progress

    Returns
    -------
    list of Path : the files written, in the order of `source`

    Raises
    ------
    CheckpointError : as `Translator.load`.
    InputError : a sequence of another frame rate or spacing, or too short for the band; two files of one name.
    FileError : a file cannot be read or written, or the run held out no files.
    RunFolderError : `out` holds something else.
    """
    translator = Translator.load(run, direction, device)
    if source is None:
        if not (Path(run) / RUN).is_file():  # weights without the run that they come from
            what = "bundled weights hold" if translator.weights.path.parent == BUNDLED else "weights alone hold"
            raise FileError(run, f"{what} nothing out; name the sequences to translate (--source)")
        files = test_files(run, "silico" if translator.source == "silico" else "vivo")
        if not files:
            raise FileError(
                run, "held out no sequences; name a folder to translate, or train with data.held_out above 0"
            )
    elif isinstance(source, str | Path):
        files = sequence_files(source)
    else:
        files = [Path(path) for path in source]
    if len({path.name for path in files}) < len(files):
        raise InputError("two of the files to translate have the same name; rename one, since results keep the names")
    recipe = {
        "stage": "translate",
        "weights": translator.weights.digest,
        "direction": direction,
        "frames_at_once": frames_at_once,
        "band": band and list(band),
        "seed": seed,
    }
    makers = {
        path.name: functools.partial(_translate_file, translator, path, (seed, number), frames_at_once, band)
        for number, path in enumerate(files)
    }
    sources = {path.name: path for path in files}
    return make_domain(out, makers, recipe, good_sequence, "translate", workers, quiet, sources=sources)


def _translate_file(
    translator: Translator,
    source: Path,
    seed: tuple[int, int],
    frames: int | None,
    band: tuple[float, float] | None,
    path: Path,
) -> None:
    translator.file(source, path, seed, frames, band=band)
