"""What is said to the user: times, counts with their nouns, and the name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_ALIKE = 0.7  # of 1, from which a name is taken for a mistyped other


def spoken_time(seconds: float) -> str:
    """A time as people say it: "40 s", "3 min", "36 h 40 min", "5 days"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    if hours >= 48:
        return f"{hours / 24:.0f} days"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A count with its noun in agreement: "1 sequence", "2 sequences"."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Those of `names` that somebody who wrote `name` may have meant, best first; none if nothing is near.

    Of dotted names the last part is enough, "frames" for "grid.frames", and so is the first, for all behind it.
    """
    names = list(dict.fromkeys(names))
    last = name.rpartition(".")[2]
    if same := [known for known in names if known.rpartition(".")[2] == last]:
        return same if "." not in name else _closest(name, same)
    if inside := [known for known in names if known.startswith(f"{name}.")]:
        return inside
    if alike := _closest(name, names):
        return alike
    if begun := [known for known in names if known.startswith(name)]:
        return begun
    parts = [known.rpartition(".")[2] for known in names]
    return [known for part in _closest(last, parts) for known in names if known.rpartition(".")[2] == part]


def did_you_mean(name: str, names: Iterable[str], mark: str = "") -> str:
    """What an error says behind a wrong name: "; did you mean grid.frames?", or nothing if no name is near.

    Parameters
    ----------
    name, names : the wrong name, and those that there are
    mark : put before each name that is proposed, as "--"
    """
    known = [mark + near for near in nearest(name, names)[:3]]
    return f"; did you mean {' or '.join(known)}?" if known else ""


def _closest(name: str, names: Iterable[str]) -> list[str]:
    return difflib.get_close_matches(name, list(dict.fromkeys(names)), n=1, cutoff=_ALIKE)
