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
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "myovivo_tables",
]
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
html_sidebars = {"index": [], "quickstart": [], "conventions": [], "benchmarks": []}
copyright = "the myovivo authors, Apache-2.0"


def plain_bars(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Keep reStructuredText from reading |fft2(L)| and |a - b| in a docstring as substitutions."""
    for index, line in enumerate(lines):
        pieces = re.split(r"(`[^`]*`)", line)  # bars within backticks are code already
        lines[index] = "".join(piece if piece.startswith("`") else piece.replace("|", r"\|") for piece in pieces)


def setup(app: Any) -> None:
    """Connect what this file defines."""
    app.connect("autodoc-process-docstring", plain_bars, priority=900)
