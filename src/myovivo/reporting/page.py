"""The frame of every HTML page: one file that needs nothing else, readable on paper too."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable

from ..version import __version__

PAPER_CITED = (
    "Paper: Ali, Umander, Rohlén, Röhrle, Grönlund 2022, “Modelling intra-muscular contraction dynamics using in "
    "silico to in vivo domain translation”, BioMed Eng OnLine 21:46."
)


def whole_page(title: str, body: Iterable[str], footer: str) -> str:
    """A page with a heading, its body (HTML) and what stands below it (HTML)."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{html.escape(title)}</title><style>{CSS}</style></head><body><main>",
            f"<h1>{html.escape(title)}</h1>",
            *body,
            f"<footer><p>Made by myovivo {__version__}. {footer} {PAPER_CITED}</p></footer>",
            "</main></body></html>",
            "",
        ]
    )


def figure_block(title: str, png: bytes, caption: str) -> str:
    """A figure with its heading (text) and caption (HTML); the picture is part of the page."""
    data = base64.b64encode(png).decode("ascii")
    return "\n".join(
        [
            "<figure>",
            f"<h3>{html.escape(title)}</h3>",
            f'<img alt="{html.escape(title)}" src="data:image/png;base64,{data}">',
            f"<figcaption>{caption}</figcaption></figure>",
        ]
    )


CSS = """
:root { color-scheme: light; }
body { margin: 0; background: #fff; color: #1a1a1a; font: 16px/1.5 system-ui, Helvetica, Arial, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 32px 24px 48px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 8px; }
h2 { font-size: 20px; margin: 40px 0 8px; padding-top: 16px; border-top: 1px solid #d5d9de; }
h3 { font-size: 16px; margin: 0 0 8px; }
.lead { font-size: 18px; color: #3d4650; margin: 0 0 16px; max-width: 46em; }
p, dd, figcaption { max-width: 56em; }
.warning { border-left: 4px solid #d55e00; background: #fdf3ec; padding: 12px 16px; margin: 16px 0; }
.warning ul { margin: 4px 0 0; padding-left: 20px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; margin: 8px 0; }
th, td { padding: 6px 12px 6px 0; text-align: left; border-bottom: 1px solid #e4e7eb; vertical-align: top; }
thead th { border-bottom: 2px solid #1a1a1a; font-weight: 600; white-space: nowrap; }
thead th span { color: #6b7580; font-weight: 400; }
.metrics td, .metrics thead th:not(:first-child) { text-align: right; padding: 6px 6px 6px 10px; }
.metrics thead th { white-space: normal; vertical-align: bottom; }
.metrics td { white-space: nowrap; }
.metrics td span { color: #5d6670; font-size: 12px; font-weight: 400; }
.metrics tr > :first-child { padding-left: 6px; }
.metrics tbody th { font-weight: 500; white-space: nowrap; }
.metrics .model th, .metrics .model td { background: #eaf2f8; font-weight: 600; }
.metrics .paper td, .metrics .paper th { color: #5d6670; font-weight: 400; border-bottom-color: #f0f2f4; }
.metrics .paper tr:first-child th { padding-top: 14px; font-style: italic; }
.legend { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; font-size: 14px; color: #3d4650; }
.legend dt { font-weight: 600; } .legend dd { margin: 0; }
figure { margin: 28px 0 40px; break-inside: avoid; }
figure img { width: 100%; height: auto; display: block; }
figcaption { font-size: 14px; color: #3d4650; margin-top: 8px; }
footer { border-top: 1px solid #d5d9de; margin-top: 40px; font-size: 13px; color: #5d6670; }
"""
