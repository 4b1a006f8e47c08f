"""HTML from templates: what is put into them is escaped, unless it is marked as markup on purpose."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def render(template: Path, **data: Any) -> str:
    """Fill in a template; it may use others of its folder."""
    return _environment(template.parent).get_template(template.name).render(data)


@functools.cache
def _environment(folder: Path) -> Environment:
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,  # a name that is missing is an error, not a gap in the page
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
