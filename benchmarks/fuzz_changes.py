"""Changes to valid files that know their structure: each takes bytes and a seeded generator, and gives other bytes.

A change of any byte seldom passes the first check of a format. These go behind it: a tree with links in a circle or an
array too many, a header that promises more than there is, a number that is none.
"""

from __future__ import annotations

import io
import json
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np
import yaml

Change = Callable[[bytes, Random], bytes]

WHOLE = (0, 1, 2, 127, 255, 256, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1)
REAL = (0.0, -1.0, 1e-300, 1e300, float("nan"), float("inf"), -float("inf"))
WORDS = ("", "nan", "n/a", "-1", "1e999", "9" * 400, "x", "null", "\0", "é", "[" * 5000, "{}", "- a", "!!python/x 1")


def bytes_changed(data: bytes, random: Random) -> bytes:
    """A few bytes flipped, overwritten, left out, repeated; or the end cut off."""
    content = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8))):
        at = random.randrange(max(1, min(len(content), random.choice((64, 600, 10**9)))))
        kind = random.randrange(6)
        if kind == 0 and content:
            content[at] ^= 1 << random.randrange(8)
        elif kind == 1:
            size = random.choice((1, 2, 4, 8))
            content[at : at + size] = (random.choice(WHOLE) % 256**size).to_bytes(
                size, random.choice(("little", "big"))
            )
        elif kind == 2:
            del content[at : at + random.choice((1, 4, 100))]
        elif kind == 3:
            content[at:at] = content[at : at + random.choice((1, 8, 64))]
        elif kind == 4:
            content[at : at + 8] = struct.pack("<d", random.choice(REAL))
        elif random.random() < 0.3:
            content = content[:at]
    return bytes(content)


# ----------------------------------------------------------------------------------------- HDF5


def odd_value(random: Random) -> Any:
    """Something that a dataset or a variable of that name was not meant to be."""
    return random.choice(
        (
            *REAL,
            *(2**62, -5, True, "text", "", "é" * 20, 1 + 2j),
            np.zeros(0),
            np.zeros((3, 0)),
            np.zeros((2, 2, 2, 2, 2)),
            np.full((3, 4, 5), np.nan),
            np.array([b"bytes", b""]),
            np.zeros(3, [("real", "f4"), ("imag", "f4")]),
            np.zeros(3, [("a", "f4"), ("b", "S3")]),
            np.arange(24, dtype=">i4").reshape(2, 3, 4),
            np.arange(24, dtype="f2").reshape(2, 3, 4),
        )
    )


def tree_changed(data: bytes, random: Random) -> bytes:
    """A node of an HDF5 tree removed, replaced, emptied, grown, linked to itself or nowhere; or an attribute."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.h5"
        path.write_bytes(data)
        head = data[:512] if data.startswith(b"MATLAB") else b""
        with h5py.File(path, "r+") as file:
            names: list[str] = []
            file.visit(names.append)
            for _ in range(random.choice((1, 1, 2))):
                _node_changed(file, random.choice(names), random)
        changed = path.read_bytes()
    return head + changed[len(head) :]


def _node_changed(file: Any, name: str, random: Random) -> None:
    if name not in file:
        return
    node, kind = file[name], random.randrange(12)
    attributes = dict(node.attrs)
    is_array = isinstance(node, h5py.Dataset)
    if kind == 0 and attributes:
        node.attrs[random.choice(list(attributes))] = odd_value(random)
    elif kind == 1:
        file[f"{name}_again"] = file["/"]
    elif kind == 2:
        file.create_group(name + "_deep" + "/g" * random.choice((5, 300)))
    elif kind == 3 and is_array and node.size and node.dtype.kind in "fiu":
        values = np.array(node[()])
        values.reshape(-1)[random.randrange(values.size)] = random.choice((0, 1, 100))
        node[...] = values if values.dtype.kind != "f" else values * random.choice((1.0, -1.0, *REAL))
    elif kind == 4 and is_array and node.ndim:
        values = node[()]
        del file[name]
        file[name] = random.choice((values[:1], values[..., :1], values.T, values[0], values[None], values[:0]))
        file[name].attrs.update(attributes)
    elif kind == 5 and is_array and node.ndim:
        shape = [random.choice((0, 1, 10**5, 2**33, 2**40)) if random.random() < 0.5 else size for size in node.shape]
        dtype = node.dtype
        del file[name]
        file.create_dataset(name, shape, dtype, chunks=tuple(max(1, min(size, 8)) for size in shape))
    else:
        del file[name]
        if kind == 6:
            file.create_group(name)
        elif kind == 7:
            file[name] = h5py.SoftLink(random.choice(("/", "/nowhere", f"/{name}")))
        elif kind == 8:
            file[name] = h5py.ExternalLink("nowhere.h5", "/")
        elif kind == 9:
            file.create_dataset(name, data=h5py.Empty("f4"))
        elif kind == 10:
            file[name] = odd_value(random)


# --------------------------------------------------------------------------------------- MATLAB


def matlab_changed(data: bytes, random: Random) -> bytes:
    """Tags of a MATLAB v5 file: types, sizes, dimensions and classes, inside the compressed parts too."""
    parts, at = [data[:128]], 128
    while at + 8 <= len(data):
        kind, size = struct.unpack("<II", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        at += 8 + size
        if kind == 15:
            body = zlib.compress(_tags_changed(zlib.decompress(body), random))
        else:
            body = _tags_changed(body, random)
        told = random.choice(WHOLE) % 2**32 if random.random() < 0.05 else len(body)
        parts.append(struct.pack("<II", kind, told) + body)
    return b"".join(parts)


def _tags_changed(data: bytes, random: Random) -> bytes:
    content = bytearray(data)
    for _ in range(random.choice((0, 1, 1, 2))):
        at = random.randrange(max(1, min(len(content) - 8, random.choice((80, 300, 3000))))) & ~3
        kind = random.randrange(3)
        if kind == 0:
            content[at : at + 4] = struct.pack("<I", random.choice(WHOLE) % 2**32)
        elif kind == 1:
            content[at : at + 4] = struct.pack("<I", random.randrange(24))
        else:
            del content[at : at + random.choice((4, 8, 64))]
    return bytes(content)


# ---------------------------------------------------------------------------------------- NumPy


def npy_changed(data: bytes, random: Random) -> bytes:
    """The header: shapes that the file does not hold, types of Python's own, words that do not belong."""
    array = np.load(io.BytesIO(data), allow_pickle=False)
    head = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
    kind = random.randrange(4)
    if kind == 0:
        head["shape"] = tuple(
            random.choice((0, 1, 3, 10**6, 2**40, -1)) for _ in range(random.choice((0, 1, 3, 5, 40)))
        )
    elif kind == 1:
        head["descr"] = random.choice(
            ("|O", "<c16", "<U10", "<M8[s]", [("real", "<f4"), ("imag", "<f4")], "|V8", "<f2", "|b1")
        )
    elif kind == 2:
        head |= random.choice(
            ({"shape": "x"}, {"fortran_order": 3}, {"extra": 1}, {"shape": (1.5,)}, {"descr": {"a": 1}})
        )
    else:
        return bytes_changed(data, random)
    text = repr(head).encode("latin1", "replace")[:60000].ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data[128:]


def npz_changed(data: bytes, random: Random) -> bytes:
    """Members left out, renamed, emptied, or arrays of another kind."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content, kind = old.read(name), random.randrange(8)
            if kind == 0:
                continue
            if kind == 1:
                content = npy_changed(content, random)
            elif kind == 2:
                name = random.choice(("../x.npy", "/abs/x.npy", "a/b.npy", "x", "é.npy", name + ".npy"))
            elif kind == 3:
                content = random.choice((b"", b"\x93NUMPY", b"no array", content[:100]))
            elif kind == 4:
                other = io.BytesIO()
                np.save(other, odd_value(random))
                content = other.getvalue()
            new.writestr(name, content)
    changed = result.getvalue()
    return bytes_changed(changed, random) if random.random() < 0.2 else changed


# ---------------------------------------------------------------------------------------- DICOM


def dicom_changed(data: bytes, random: Random) -> bytes:
    """Elements left out or of values that contradict the pixels."""
    import pydicom

    image = pydicom.dcmread(io.BytesIO(data))
    names = (
        "NumberOfFrames",
        "Rows",
        "Columns",
        "BitsAllocated",
        "BitsStored",
        "HighBit",
        "SamplesPerPixel",
        "FrameTime",
    )
    names += ("PixelRepresentation", "PhotometricInterpretation", "PixelData", "SequenceOfUltrasoundRegions")
    for name in random.choices(names, k=random.choice((1, 1, 2))):
        if name not in image:
            continue
        if random.random() < 0.25:
            delattr(image, name)
        elif name == "PixelData":
            image.PixelData = random.choice((b"", bytes(100), image.PixelData[:5000], image.PixelData * 2))
        elif name == "SequenceOfUltrasoundRegions":
            region = image.SequenceOfUltrasoundRegions[0]
            word = random.choice(("RegionLocationMinY0", "RegionLocationMaxX1", "PhysicalUnitsXDirection"))
            setattr(region, word, random.choice((0, 1, 70000)))
            region.PhysicalDeltaX = random.choice((0.0, -0.02, 1e300, 0.02, float("nan")))
        elif name == "PhotometricInterpretation":
            image.PhotometricInterpretation = random.choice(("RGB", "YBR_FULL", "PALETTE COLOR", "MONOCHROME1", "X"))
        elif name in ("NumberOfFrames", "FrameTime"):
            setattr(image, name, random.choice(("0", "1", "-1", "1000000000", "3")))
        else:
            setattr(image, name, random.choice((0, 1, 2, 3, 8, 12, 16, 32, 65535)))
    result = io.BytesIO()
    image.save_as(result, enforce_file_format=True)
    return result.getvalue()


# ----------------------------------------------------------------------------------------- text


def text_changed(data: bytes, random: Random) -> bytes:
    """Lines and numbers replaced, left out, repeated, cut; other encodings."""
    lines, kind = data.decode("utf-8", "replace").split("\n"), random.randrange(8)
    for _ in range(random.choice((1, 2, 4))):
        at, word = random.randrange(len(lines)), random.choice(WORDS)
        if kind == 0:
            lines[at] = word
        elif kind == 1:
            lines.insert(at, lines[random.randrange(len(lines))])
        elif kind in (2, 3):
            lines[at] = re.sub(r"[\d.]+", lambda _: word, lines[at], count=1)  # noqa: B023
        elif kind == 4:
            lines = lines[:at] or [""]
        elif kind == 5:
            lines[at] = lines[at][: random.randrange(len(lines[at]) + 1)]
        elif kind == 6:
            lines[at] = lines[at].replace(random.choice('\t:,["'), random.choice(("", " ", "\t\t", "]")), 1)
    text = "\n".join(lines)
    return text.encode(random.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16"))) if kind == 7 else text.encode("utf-8")


def tensors_changed(data: bytes, random: Random) -> bytes:
    """The header of a safetensors file: types, shapes and places of tensors, and what is said of them."""
    length = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8 : 8 + length])
    name = random.choice(list(head))
    kind = random.randrange(6)
    if kind == 0 and name != "__metadata__":
        entry = random.choice(("dtype", "shape", "data_offsets"))
        odd = {"dtype": ("F64", "I8", "BF16", "X", 3), "shape": ([], [0], [2**40], [-1], "x")}
        head[name][entry] = random.choice(odd.get(entry, ([0, 2**40], [5, 3], [0], "x")))
    elif kind == 1:
        del head[name]
    elif kind == 2:
        head["more"] = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    elif kind == 5:
        return data[:8] + bytes_changed(data[8:], random)
    else:
        note = json.dumps(_value_changed(json.loads(head["__metadata__"]["myovivo"]), random))
        head["__metadata__"] = {"myovivo": note}
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def yaml_changed(data: bytes, random: Random) -> bytes:
    """A value somewhere in the tree of settings, or the text itself."""
    if random.random() < 0.3:
        return text_changed(data, random)
    return yaml.safe_dump(_value_changed(yaml.safe_load(data), random), sort_keys=False).encode()


def json_changed(data: bytes, random: Random) -> bytes:
    """A value somewhere in the tree, texts that hold JSON included."""
    content = json.loads(data)
    name = random.choice(list(content))
    inner = content[name]
    if isinstance(inner, str) and inner[:1] == "[":
        content[name] = json.dumps(_value_changed(json.loads(inner), random))
    else:
        content[name] = _value_changed(inner, random)
    if random.random() < 0.1:
        del content[name]
    return text_changed(data, random) if random.random() < 0.3 else json.dumps(content).encode()


def _value_changed(value: Any, random: Random) -> Any:
    if isinstance(value, dict) and value and random.random() < 0.9:
        name = random.choice(list(value))
        left = {other: inner for other, inner in value.items() if other != name}
        chosen = random.random()
        if chosen < 0.1:
            return left
        return left | {"odd" if chosen < 0.2 else name: _value_changed(value[name], random)}
    if isinstance(value, list) and value and random.random() < 0.8:
        at = random.randrange(len(value))
        return [*value[:at], _value_changed(value[at], random), *value[at + 1 :]]
    return random.choice((*REAL, *WORDS[:9], None, [], {}, [[1], [2, [3]]], True, -5, 2**70))


CHANGES: dict[str, tuple[Change, ...]] = {
    ".mat": (matlab_changed, matlab_changed, bytes_changed),
    ".h5": (tree_changed, tree_changed, tree_changed, bytes_changed),
    ".uff": (tree_changed, tree_changed, tree_changed, bytes_changed),
    ".npy": (npy_changed,),
    ".npz": (npz_changed,),
    ".dcm": (dicom_changed, dicom_changed, bytes_changed),
    ".json": (json_changed,),
    ".yaml": (yaml_changed,),
    ".safetensors": (tensors_changed, tensors_changed, bytes_changed),
    ".jsonl": (text_changed,),
    ".txt": (text_changed,),
    ".tsv": (text_changed,),
}


def changed(data: bytes, ending: str, random: Random) -> bytes:
    """`data` changed in the way of its kind; where that cannot be stored, in any way."""
    ways: tuple[Change, ...] = CHANGES.get(ending, (bytes_changed,))
    if data.startswith(b"MATLAB 7.3"):
        ways = CHANGES[".h5"]
    try:
        return random.choice(ways)(data, random)
    except Exception:  # h5py, pydicom and NumPy each refuse some of it in their own words
        return bytes_changed(data, random)
