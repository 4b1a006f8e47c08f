"""Looking at held-out subjects while training: the table's columns every so many steps, and the best weights kept.

The subjects are set apart from those trained on and are not those held out for testing: a checkpoint chosen by its
test result would make that result too good.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from ..errors import FileError
from ..evaluation.columns import PAPERS, PAPERS_LIKENESS
from ..evaluation.evaluate import evaluate
from ..evaluation.rows import Row
from ..models.settings import TrainSettings
from ..runs.weights import Weights, load_weights, write_weights
from ..sequences.sequence import Sequence
from ..translation.translator import Translator

BEST_WEIGHTS, VALIDATIONS = "best.safetensors", "validation.jsonl"

MATCHED = tuple(column.name for column in PAPERS_LIKENESS)  # DBhat, Corr, SSI, Corr Psd

_SHOWN = tuple(column.name for column in PAPERS)  # those, xCorr and lag

CONTENT = 0.95  # xCorr below which the score pays


class Validation:
    """Translates the validation sequences, compares them, and keeps the weights that did best.

    Parameters
    ----------
    run : run folder, for `validation.jsonl` and `best.safetensors`
    settings, seed : of the training
    silico, vivo : files of the validation subjects
    """

    def __init__(self, run: Path, settings: TrainSettings, seed: int, silico: list[Path], vivo: list[Path]):
        self.run, self.settings, self.seed = run, settings.validation, seed
        self.silico, self.vivo = (self._sequences(files) for files in (silico, vivo))
        self.best, self.since, self.note = math.inf, 0, ""

    def _sequences(self, files: list[Path]) -> list[Sequence]:
        # Spread over the subjects, in the order of the files.
        count = min(len(files), self.settings.sequences)
        chosen = [files[k * len(files) // count] for k in range(count)]
        return [Sequence.load(path, 0, self.settings.frames, labels=False) for path in chosen]

    @property
    def enough(self) -> bool:
        """Whether `patience` is used up."""
        return self.settings.patience is not None and self.since >= self.settings.patience

    def __call__(self, weights: Weights) -> dict[str, float]:
        """The columns of the translated row; writes the log, and the weights if they are the best so far.

        Raises
        ------
        FileError : the disk is full.
        """
        translate = Translator(weights)
        translated = [translate(sequence, (self.seed, number)) for number, sequence in enumerate(self.silico)]
        scales = weights.standards
        comparison = evaluate(translated, self.vivo, self.silico, standardisation=scales, quiet=True)
        rows = {row.name: row for row in comparison.rows}
        columns = _columns(rows["translated"])
        value = score(rows["translated"], rows["vivo-vivo"])
        better = value <= self.best
        self.since = 0 if better else self.since + 1
        if better:
            self.best = value
            write_weights(self.run / BEST_WEIGHTS, weights)
        line = {"step": weights.step, "score": value, "best": self.best, **columns}
        line |= {"none": _columns(rows["none"]), "vivo-vivo": _columns(rows["vivo-vivo"])}
        try:
            with (self.run / VALIDATIONS).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        except OSError as error:
            raise FileError(
                self.run / VALIDATIONS, f"cannot be written ({error.strerror}); free space and run again"
            ) from None
        shown = " ".join(f"{name} {columns[name]:.2f}" for name in _SHOWN[:-1])
        self.note = f"validation {value:.3f} (best {self.best:.3f}): {shown}"
        return columns

    def resume(self, step: int) -> None:
        """Go back to what was known at `step`: later lines are dropped, since their steps will be taken again.

        The best weights may be later than the checkpoint, if the process was killed between writing the two. They
        stay, with their score: the same steps lead to them again.
        """
        path = self.run / VALIDATIONS
        if not path.exists():
            return
        lines = [line for line in map(_read, path.read_text(encoding="utf-8").splitlines()) if line]
        kept = [line for line in lines if line["step"] <= step]
        path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        best = load_weights(self.run / BEST_WEIGHTS).step if (self.run / BEST_WEIGHTS).exists() else None
        for line in kept:
            self.since = 0 if line["score"] < self.best else self.since + 1
            self.best = min(self.best, line["score"])
        self.best = min([self.best, *(line["score"] for line in lines if line["step"] == best)])


def _read(text: str) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
        return line if isinstance(line["step"], int) and isinstance(line["score"], float) else None
    except (ValueError, KeyError, TypeError):
        return None  # half a line, written as the process ended


def score(translated: Row, vivo: Row) -> float:
    """How far a model is from vivo-vivo: the lower the better.

    The mean over DBhat, Corr, SSI and Corr Psd of the distance to the row vivo-vivo, and what xCorr lacks to 0.95.
    Ours.
    """
    distance = sum(abs(translated.columns[name].mean - vivo.columns[name].mean) for name in MATCHED) / len(MATCHED)
    return distance + max(0.0, CONTENT - translated.columns["xCorr"].mean)


def _columns(row: Row) -> dict[str, float]:
    return {name: row.columns[name].mean for name in _SHOWN if name in row.columns}
