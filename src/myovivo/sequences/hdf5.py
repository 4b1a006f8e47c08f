"""What our HDF5 files say of themselves; `runtime.hdf5` opens them, and is handed on here."""

from __future__ import annotations

import h5py

FORMAT = "myovivo sequence"

FORMAT_VERSION = 1


def describe(dataset: h5py.Dataset, unit: str, description: str) -> None:
    dataset.attrs.update(unit=unit, description=description)
