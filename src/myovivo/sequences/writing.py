"""What a sequence file holds, in the order in which it is written."""

from __future__ import annotations

import h5py

from .exchange.parts import SequenceParts, provenance_text
from .hdf5 import FORMAT, FORMAT_VERSION, describe
from .header import CHUNK_FRAMES
from .labels import write_labels


def write_sequence(file: h5py.File, sequence: SequenceParts) -> None:
    """Write a sequence into an HDF5 file."""
    frames, rows, columns = sequence.shape
    velocity = file.create_dataset(
        "data/velocity", data=sequence.velocity, chunks=(min(CHUNK_FRAMES, frames), rows, columns)
    )
    write_about(file, velocity, sequence, sequence.duration)


def write_about(file: h5py.File, velocity: h5py.Dataset, sequence: SequenceParts, duration: float) -> None:
    """Everything but the velocity itself."""
    file.attrs.update(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        origin=sequence.origin,
        subject=sequence.subject,
        provenance=provenance_text(sequence.provenance),
    )
    describe(velocity, "m/s", "axial tissue velocity (frame, depth, lateral), positive towards the probe")
    describe(file.create_dataset("scan/frame_rate", data=sequence.frame_rate), "Hz", "frames per second")
    describe(file.create_dataset("scan/spacing", data=sequence.spacing), "m", "pixel size in depth and laterally")
    if sequence.labels is not None:
        write_labels(file.create_group("labels"), sequence.labels, duration)
