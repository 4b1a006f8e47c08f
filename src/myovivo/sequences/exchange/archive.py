"""A sequence as a NumPy archive, and back."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FileError
from ...runtime.files import whole_file
from .parts import TITLE, SequenceParts, flat_labels, labels_of_flat, provenance_text


def write_npz(sequence: SequenceParts, path: Path) -> Path:
    """Write a NumPy archive, uncompressed: each attribute under its name, those of labels as `labels.NAME`."""
    content: dict[str, Any] = {
        "format": np.array(TITLE),
        "velocity": sequence.velocity,
        "frame_rate": np.float64(sequence.frame_rate),
        "spacing": np.asarray(sequence.spacing, float),
        "origin": np.array(sequence.origin),
        "subject": np.array(sequence.subject),
        "provenance": np.array(provenance_text(sequence.provenance)),
    }
    if sequence.labels is not None:
        content |= {f"labels.{name}": value for name, value in flat_labels(sequence.labels).items()}
    with whole_file(path) as part, part.open("wb") as file:
        np.savez(file, **content)
    return path


def read_npz(path: Path) -> dict[str, Any] | None:
    """The attributes of a sequence that `write_npz` wrote; None if it did not."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        packed = [member.filename for member in archive.infolist() if member.compress_type != zipfile.ZIP_STORED]
    with np.load(path, allow_pickle=False) as content:
        if "format" not in content or str(content["format"]) != TITLE:
            return None
        if packed:  # what is stored cannot be larger than the file
            raise FileError(path, f"holds compressed {packed[0]}; a sequence is saved uncompressed, with numpy.savez")
        labels = {name.removeprefix("labels."): content[name] for name in content if name.startswith("labels.")}
        return {
            "velocity": content["velocity"],
            "frame_rate": float(content["frame_rate"]),
            "spacing": tuple(content["spacing"].tolist()),
            "origin": str(content["origin"]),
            "subject": str(content["subject"]),
            "provenance": json.loads(str(content["provenance"])),
            "labels": labels_of_flat(labels) if labels else None,
        }
