"""The page's scripts, a file for each idea, as the one script that a page carries; and what the page may run."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from pathlib import Path

FOLDER = Path(__file__).parent

ENTRY = "main.js"

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w]+\.js)";\n', re.M)


@functools.cache
def bundled_script() -> str:
    """Every module in the order of its imports, those lines themselves and the word `export` left out.

    The modules import only each other, and no two of them give a name twice, so that they can stand in one script.
    """
    texts: dict[str, str] = {}

    def add(name: str) -> None:
        if name in texts:
            return
        text = (FOLDER / "scripts" / name).read_text(encoding="utf-8")
        texts[name] = ""  # on its way: a circle would end here
        for imported in _IMPORT.findall(text):
            add(imported)
        del texts[name]
        texts[name] = re.sub(r"^export ", "", _IMPORT.sub("", text), flags=re.M)

    add(ENTRY)
    return '"use strict";\n' + "\n".join(texts.values())


@functools.cache
def style_sheet() -> str:
    """The page's style."""
    return (FOLDER / "templates" / "viewer.css").read_text(encoding="utf-8")


def security_policy() -> str:
    """What a page may do: run its one script, use its one style sheet, show what it made itself; no network at all."""
    rules = {
        "default-src": "'none'",
        "script-src": _source(bundled_script()),
        "style-src": _source(style_sheet()),
        "img-src": "data: blob:",
        "media-src": "blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
