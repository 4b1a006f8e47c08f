"""MATLAB workspaces as MATLAB saves them: structs, struct arrays and cells, v5 and v7.3."""

import h5py
import numpy as np
import scipy.io


class Cell(list):
    """A cell array of one row; a plain list of dicts is a struct array."""


def save_v5(path, variables):
    scipy.io.savemat(path, {name: _v5(value) for name, value in variables.items()}, appendmat=False)


def _v5(value):
    if isinstance(value, Cell):
        held = np.empty((1, len(value)), object)
        for place, one in enumerate(value):
            held[0, place] = one
        return held
    if isinstance(value, list):
        names = list(value[0])
        held = np.empty((1, len(value)), [(name, object) for name in names])
        for place, one in enumerate(value):
            for name in names:
                held[0, place][name] = _v5(one[name])
        return held
    if isinstance(value, dict):
        return {name: _v5(one) for name, one in value.items()}
    return value


def save_v73(path, variables):
    """HDF5 behind MATLAB's user block: axes reversed, what cells and struct arrays hold in `#refs#`, with its class."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            _v73(file, file, name, value)
    head = b"MATLAB 7.3 MAT-file".ljust(124, b" ") + b"\x00\x02IM"
    path.write_bytes(head.ljust(512, b"\x00") + path.read_bytes()[512:])


def _v73(file, group, name, value):
    if isinstance(value, Cell):
        references = [_reference(file, one) for one in value]
        held = group.create_dataset(name, data=np.array(references, dtype=h5py.ref_dtype)[:, None])
        held.attrs["MATLAB_class"] = np.bytes_("cell")
    elif isinstance(value, list):
        inner = group.create_group(name)
        inner.attrs["MATLAB_class"] = np.bytes_("struct")
        for field in value[0]:
            references = [_reference(file, one[field]) for one in value]
            inner.create_dataset(field, data=np.array(references, dtype=h5py.ref_dtype)[:, None])
    elif isinstance(value, dict):
        inner = group.create_group(name)
        inner.attrs["MATLAB_class"] = np.bytes_("struct")
        for field, one in value.items():
            _v73(file, inner, field, one)
    elif isinstance(value, str):
        held = group.create_dataset(name, data=np.array([[ord(letter)] for letter in value], np.uint16))
        held.attrs["MATLAB_class"] = np.bytes_("char")
    else:
        array = np.atleast_2d(np.asarray(value))
        empty = array.size == 0
        held = group.create_dataset(name, data=np.array(array.shape, np.uint64) if empty else array.T)
        held.attrs["MATLAB_class"] = np.bytes_("int16" if array.dtype == np.int16 else "double")
        if empty:
            held.attrs["MATLAB_empty"] = np.uint8(1)


def _reference(file, value):
    place = f"#refs#/{len(file.require_group('#refs#'))}"
    _v73(file, file, place, value)
    return file[place].ref
