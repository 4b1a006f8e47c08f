"""MATLAB files: every value is read as it was saved, and no file, however broken, ends the process."""

import struct
import zlib
from random import Random

import numpy as np
import pytest
import scipy.io
from scipy.sparse import csc_array

from myovivo.errors import FileError
from myovivo.runtime.matlab import names_in_matlab, read_matlab
from myovivo.runtime.matlab5 import Opaque


def cells(*values):
    array = np.empty((1, len(values)), object)
    array[0, :] = values
    return array


STRUCTS = np.array([[(1.0, "a"), (2.0, "bc")]], [("x", object), ("name", object)])
SPARSE = csc_array(np.array([[0, 2.5, 0], [1, 0, 0]]))

VALUES = {
    "number": 2.5,
    "whole": np.array([[-3, 4], [5, 600]], np.int16),
    "large": np.array([[2**40]], np.int64),
    "cube": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "complex": np.array([[1 + 2j, 3 - 4j]]),
    "single": np.array([[1 + 2j]], np.complex64),
    "logical": np.array([[True, False]]),
    "text": "Müller µ",
    "rows": np.array(["ab ", "cde"]),
    "nothing": "",
    "empty": np.zeros((0, 3)),
    "cells": cells("a", np.arange(3.0)[None], cells(1.0)),
    "lone": cells(np.arange(2.0)[None]),
    "struct": {"fs": 2e7, "inner": {"name": "x"}},
    "structs": STRUCTS,
    "sparse": SPARSE,
}


@pytest.mark.parametrize("compressed", [False, True])
def test_values_of_every_kind_are_read_as_they_were_saved(compressed, tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", VALUES, do_compression=compressed)
    read = read_matlab(tmp_path / "a.mat")
    assert read.keys() == VALUES.keys() == names_in_matlab(tmp_path / "a.mat", is_hdf5=False)
    for name in ("number", "whole", "large", "cube", "complex", "single", "logical", "empty"):
        assert np.array_equal(read[name], np.atleast_2d(VALUES[name])), name
    assert read["whole"].dtype == np.int16
    assert read["logical"].dtype == bool
    assert (read["text"], read["rows"], read["nothing"]) == ("Müller µ", ["ab ", "cde"], "")
    assert read["cells"][0] == "a"
    assert np.array_equal(read["cells"][1], [[0, 1, 2]])
    assert read["cells"][2] == [1.0]
    assert len(read["lone"]) == 1
    assert read["struct"] == {"fs": 2e7, "inner": {"name": "x"}}
    assert read["structs"] == [{"x": 1.0, "name": "a"}, {"x": 2.0, "name": "bc"}]
    assert np.array_equal(read["sparse"], SPARSE.toarray())


def test_values_of_v4_are_read_as_they_were_saved(tmp_path):
    values = {name: VALUES[name] for name in ("number", "complex", "rows", "sparse")}
    scipy.io.savemat(tmp_path / "a.mat", values, format="4")
    read = read_matlab(tmp_path / "a.mat")
    assert (read["number"], read["rows"]) == (2.5, ["ab ", "cde"])
    assert np.array_equal(read["complex"], VALUES["complex"])
    assert np.array_equal(read["sparse"], SPARSE.toarray())


def element(kind, content):
    return struct.pack(">II", kind, len(content)) + content + bytes(-len(content) % 8)


def test_a_file_of_a_machine_of_the_other_order_of_bytes_is_read(tmp_path):
    head = element(6, struct.pack(">II", 6, 0)) + element(5, struct.pack(">ii", 1, 2)) + element(1, b"x")
    variable = element(14, head + element(9, struct.pack(">dd", 1.5, -2.0)))
    (tmp_path / "a.mat").write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI" + variable)
    assert np.array_equal(read_matlab(tmp_path / "a.mat")["x"], [[1.5, -2.0]])


def little(kind, content):
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def save(path, *variables):
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM" + b"".join(variables))
    return path


def head(kind, name, dims=(1, 1)):
    flags = little(6, struct.pack("<II", kind, 0))
    return flags + little(5, struct.pack(f"<{len(dims)}i", *dims)) + little(1, name.encode())


def test_what_only_matlab_can_read_is_told_by_its_class(tmp_path):
    flags = little(6, struct.pack("<II", 17, 0))
    opaque = flags + little(1, b"when") + little(1, b"MCOS") + little(1, b"datetime") + little(14, b"")
    function = head(16, "f") + little(14, head(6, "") + little(9, b""))
    path = save(tmp_path / "a.mat", little(14, opaque), little(14, function))
    assert read_matlab(path) == {"when": Opaque("datetime"), "f": Opaque("function")}


def test_fields_that_are_of_no_use_are_not_read(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"signal": {"SIG": np.ones((50, 50)), "fsamp": 2048.0}, "SIG": 1.0, "x": 2.0})
    assert read_matlab(tmp_path / "a.mat", without=("SIG",)) == {"signal": {"fsamp": 2048.0}, "x": 2.0}


# ---------------------------------------------------------------------------------------- attacks


def promised(size):
    """A compressed variable whose tag promises `size` bytes, of which none are there."""
    content = zlib.compress(struct.pack("<II", 14, size) + head(6, "RF"))
    return struct.pack("<II", 15, len(content)) + content


def bomb(size):
    """A compressed variable of `size` bytes, all 0."""
    stream = zlib.compressobj()
    inner = head(9, "RF", (1, size)) + struct.pack("<II", 2, size)
    content = stream.compress(struct.pack("<II", 14, len(inner) + size) + inner)
    for _ in range(size >> 20):
        content += stream.compress(bytes(1 << 20))
    content += stream.flush()
    return struct.pack("<II", 15, len(content)) + content


ATTACKS = {
    "bomb": (bomb(300 << 20), "RF would unfold from .* kB to 300 MB, at most 256 MB are allowed"),
    "promise": (promised(2**32 - 8), "RF would unfold from .* to 4 GB"),
    "short promise": (promised(200 << 20), r"is not a readable MATLAB file \(ValueError\)"),
    "dimensions": (little(14, head(6, "RF", (2**31 - 1,) * 4) + little(9, bytes(8))), "ValueError"),
    "negative": (little(14, head(6, "RF", (-1, -1)) + little(9, bytes(8))), "ValueError"),
    "cells": (little(14, head(1, "RF", (2**20, 2**10))), "ValueError"),
    "structs": (
        little(14, head(2, "RF", (2**20, 2**10)) + struct.pack("<II", 4 << 16 | 5, 8) + little(1, b"")),
        "ValueError",
    ),
    "sparse": (
        little(14, head(5, "RF", (2**30, 2**30)) + little(5, b"") + little(5, bytes(8)) + little(9, b"")),
        "would unfold",
    ),
    "length": (struct.pack("<II", 14, 2**32 - 1) + head(6, "RF"), "ValueError"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_sizes_are_held_against_the_bytes_that_are_there(name, tmp_path):
    content, message = ATTACKS[name]
    path = save(tmp_path / "a.mat", content)
    assert path.stat().st_size < 1e6
    with pytest.raises(FileError, match=message):
        read_matlab(path)


def test_nesting_without_end_is_refused(tmp_path):
    inner = little(14, head(6, "") + little(9, bytes(8)))
    for _ in range(5000):
        inner = little(14, head(1, "") + inner)
    with pytest.raises(FileError, match="ValueError"):
        read_matlab(save(tmp_path / "a.mat", little(14, head(1, "RF") + inner)))


@pytest.mark.parametrize("compressed", [False, True])
def test_any_byte_may_be_another(compressed, tmp_path):
    # SciPy's reader ended the process by a signal on one in fifty of these.
    path, random = tmp_path / "a.mat", Random(0)
    scipy.io.savemat(path, VALUES, do_compression=compressed)
    whole = path.read_bytes()
    refused = 0
    for _ in range(600):
        content = bytearray(whole)
        for _ in range(random.choice((1, 2, 8))):
            content[random.randrange(128, len(content))] = random.choice((0, 1, 2, 5, 127, 255, random.randrange(256)))
        if random.random() < 0.1:
            content = content[: random.randrange(128, len(content))]
        path.write_bytes(content)
        try:
            read_matlab(path)
        except FileError:
            refused += 1
    assert refused > 100
