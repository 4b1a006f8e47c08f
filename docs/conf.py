"""How Sphinx builds these pages: `make docs`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

import myovivo  # noqa: E402

project = "myovivo"
author = "the myovivo authors"
version = release = myovivo.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "mathml",
    "myovivo_tables",
]
html_math_renderer = "mathml"  # drawn by the browser itself: the pages need no network
exclude_patterns = ["_build", "gallery/GALLERY_HEADER.rst", "**/sg_execution_times.rst", "sg_execution_times.rst"]
default_role = "py:obj"  # `name` in a docstring is a link where there is something to link to, else code
maximum_signature_line_length = 80

autodoc_typehints = "none"  # the docstrings say it in words, with units
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
autosummary_generate = False
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/\d\d_",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "min_reported_time": 1_000_000,
    "show_memory": False,
    "show_signature": False,
    "capture_repr": (),
}
suppress_warnings = ["config.cache"]

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["myovivo.css"]
html_title = f"myovivo {version}"
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "navigation_with_keys": False,
    "header_links_before_dropdown": 7,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": [], "quickstart": [], "conventions": [], "benchmarks": [], "inside": []}
copyright = "the myovivo authors, Apache-2.0"


SECTIONS = ("Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns")


def sentences_after_colons(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Give numpydoc `name`, then the text, where our docstrings have `name : text`.

    What follows the colon is a sentence that may run on, not a type.
    """
    done: list[str] = []
    section = ""
    for index, line in enumerate(lines):
        if index + 1 < len(lines) and lines[index + 1] and set(lines[index + 1]) == {"-"}:
            section = line.strip()
        head, colon, text = line.partition(" : ")
        if section in SECTIONS and colon and not line.startswith(" "):
            done += [head, f"    {text}"]
        else:
            done.append(line)
    lines[:] = done


def plain_bars(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Keep reStructuredText from reading |fft2(L)| and |a - b| in a docstring as substitutions."""
    for index, line in enumerate(lines):
        pieces = re.split(r"(`[^`]*`)", line)  # bars within backticks are code already
        lines[index] = "".join(piece if piece.startswith("`") else piece.replace("|", r"\|") for piece in pieces)


def setup(app: Any) -> None:
    """Connect what this file defines."""
    app.connect("autodoc-process-docstring", sentences_after_colons, priority=100)  # numpydoc: 500
    app.connect("autodoc-process-docstring", plain_bars, priority=900)
