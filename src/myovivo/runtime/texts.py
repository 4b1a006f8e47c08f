"""Text, JSON and YAML from files, bounded: how long, how deeply nested, and what YAML's aliases may unfold to."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

import yaml

from ..errors import FileError
from .unfolding import allowed

LONGEST_TEXT = 512 << 20  # bytes of text or JSON; the EMG of a recording, has some hundred MB [ours]

LONGEST_TABLE = 64 << 20  # bytes of a table of firings; an hour of thirty units has about 30 MB [ours]

LONGEST_YAML = 256 << 10  # characters; its reader takes two seconds for so many [ours]

DEEPEST = 60  # levels within levels [ours]

MOST_NODES = 200_000  # values of a YAML file, aliases unfolded [ours]

_GZIP = b"\x1f\x8b"


def read_bytes(path: str | Path, longest: int = LONGEST_TEXT) -> bytes:
    """A file's bytes, unzipped where they are a gzip.

    Parameters
    ----------
    path : the file
    longest : bytes that are read at most; what is zipped is further bounded by `unfolding.allowed`

    Raises
    ------
    FileError : too long, or a broken gzip.
    OSError : it cannot be read.
    """
    path = Path(path)
    with path.open("rb") as file:
        is_zipped = file.read(2) == _GZIP
    if is_zipped:
        longest = min(longest, allowed(path.stat().st_size))
    try:
        with gzip.open(path) if is_zipped else path.open("rb") as file:
            content = file.read(longest + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileError(path, f"is a broken gzip ({' '.join(str(error).split())[:80]}); copy it again") from error
    if len(content) > longest:
        rule = f"is too long: at most {longest >> 20} MB are read{' of what it unfolds to' if is_zipped else ''}"
        raise FileError(path, f"{rule}; split it")
    return content


def read_text(path: str | Path, longest: int = LONGEST_TEXT) -> str:
    """A file's text; a byte-order mark tells how it is written and is no part of it.

    Raises
    ------
    FileError : too long, or no UTF-8.
    OSError : it cannot be read.
    """
    content = read_bytes(path, longest)
    coding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(coding)
    except UnicodeDecodeError as error:
        raise FileError(path, "is no text in UTF-8; save it as UTF-8") from error


def json_of(text: str | bytes) -> Any:
    """What a JSON text says.

    Raises
    ------
    ValueError : no JSON, or nested too deep.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def yaml_of(text: str) -> Any:
    """What a YAML text says; plain values only, no objects.

    Raises
    ------
    ValueError : no YAML, too long, nested too deep, or with aliases that unfold to too much.
    """
    if len(text) > LONGEST_YAML:
        raise ValueError(f"it is too long: at most {LONGEST_YAML >> 10} kB of YAML are read")
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _size(node, {}, 0)
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _size(node: Any, sizes: dict[int, int], depth: int) -> int:
    """How many values a node stands for, with its aliases unfolded; a node being measured is of size 0."""
    if depth > DEEPEST:
        raise ValueError(f"it is nested over {DEEPEST} levels deep")
    if id(node) in sizes:
        if not sizes[id(node)]:
            raise ValueError("an alias in it stands within its own anchor")
        return sizes[id(node)]
    sizes[id(node)] = 0
    inner = node.value if isinstance(node, yaml.SequenceNode) else []
    if isinstance(node, yaml.MappingNode):
        inner = [part for pair in node.value for part in pair]
    size = 1 + sum(_size(part, sizes, depth + 1) for part in inner)
    if size > MOST_NODES:
        raise ValueError(f"its aliases unfold to over {MOST_NODES} values")
    sizes[id(node)] = size
    return size
