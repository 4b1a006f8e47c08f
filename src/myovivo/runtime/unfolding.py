"""How large a file may become when it is read: bounds that its own size sets, checked before anything is allocated.

A few kilobytes can promise, or unfold to, more than any machine holds. Honest files seldom become a hundred times as
large, and a small one may become somewhat larger all the same.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path

from ..errors import FileError

FREE = 256 << 20  # bytes that any file may unfold to [ours]

RATIO = 100  # beyond that, to how many times what is stored; deflate reaches 1032, on constant bytes alone [ours]

MOST_PARTS = 5_000_000  # arrays, cells and fields of one file [ours]

LARGEST_FRAME, LARGEST_PICTURE = 1 << 27, 1 << 24  # values: 4096 samples of 256 elements of 128 waves, 4096² [ours]

_PIECE = 1 << 20


def allowed(stored: int, free: int = FREE, ratio: int = RATIO) -> int:
    """Bytes that `stored` bytes of a file may unfold to."""
    return max(free, ratio * stored)


def require_allowed(path: str | Path, size: int, stored: int, what: str = "", free: int = FREE) -> None:
    """Refuse what would unfold too far.

    Parameters
    ----------
    path : the file
    size : bytes that are promised
    stored : bytes that are there
    what : which part of the file promises them
    free : bytes that are always allowed

    Raises
    ------
    FileError : saying the size and the bound.
    """
    if size > (bound := allowed(stored, free)):
        there = f"{what or 'it'} would unfold from {_shown(stored)} to {_shown(size)}"
        rule = f"at most {_shown(bound)} are allowed ({_shown(free)}, or {RATIO} times what is stored)"
        raise FileError(path, f"{there}, {rule}; if it is honest, save it without compression")


def inflated(pieces: Iterable[bytes], size: int, whole: bool = True) -> bytearray:
    """The first `size` bytes that a deflate stream unfolds to.

    Memory is taken as they come, never as they are promised.

    Parameters
    ----------
    pieces : of the stream
    size : bytes
    whole : whether the stream must end there, with its check sum if it has one; else it may hold fewer or more

    Raises
    ------
    ValueError : it holds fewer or more.
    zlib.error : a broken stream.
    """
    stream, content = zlib.decompressobj(), bytearray()
    most = size + 1 if whole else size
    for piece in pieces:
        while len(content) < most and not stream.eof:
            unfolded = stream.decompress(piece, min(most - len(content), _PIECE))
            content += unfolded
            piece = stream.unconsumed_tail
            if not piece and not unfolded:  # some may be on its way when all was taken in
                break
        if len(content) >= most or stream.eof:
            break
    if whole and len(content) != size:  # MATLAB leaves some streams without their end
        raise ValueError(f"{size} bytes are told where a stream unfolds to {len(content)}")
    return content


def unfolded_size(pieces: Iterable[bytes], most: int, window: int = zlib.MAX_WBITS) -> int:
    """Bytes that a deflate stream unfolds to, counted up to `most`; nothing is kept.

    Raises
    ------
    zlib.error : a broken stream.
    """
    stream, size = zlib.decompressobj(window), 0
    for piece in pieces:
        while size < most and not stream.eof:
            unfolded = stream.decompress(piece, _PIECE)
            size += len(unfolded)
            piece = stream.unconsumed_tail
            if not piece and not unfolded:
                break
    return size


def _shown(size: int) -> str:
    for unit, step in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if size >= step:
            return f"{size / step:.4g} {unit}"
    return f"{size} B"
