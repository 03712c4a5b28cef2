"""The page around the content: head, colours by the reader's screen, layout, script, policy."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from attnstudy.report.markup import esc
from attnstudy.report.style import DARK, LIGHT

_PAGE_LIGHT = {"page": "#eef0f4", "soft": "#f2f4f7"}
_PAGE_DARK = {"page": "#0f1217", "soft": "#222832"}

_LAYOUT = Path(__file__).with_name("page.css")
_CARDS = Path(__file__).with_name("cards.css")
_SCRIPT = Path(__file__).with_name("page.js")


def page(title: str, body: str) -> str:
    """Return a whole HTML document that needs nothing but itself.

    Args:
        title: plain text.
        body: HTML.

    """
    style, script = _style(), _text(_SCRIPT)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, script)}">\n'
        f"<title>{esc(title)}</title>\n<style>{style}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n<script>{script}</script>\n</body>\n</html>\n"
    )


def _policy(style: str, script: str) -> str:
    """Return what the page may do: no name or note, whatever it holds, can load or run anything."""
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    """Return what lets a policy know a script or a style by its bytes."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _text(file: Path) -> str:
    return "\n" + file.read_text(encoding="utf-8")


@cache
def _style() -> str:
    light = _variables({**_PAGE_LIGHT, **LIGHT})
    dark = _variables({**_PAGE_DARK, **DARK})
    paper = _variables({**_PAGE_LIGHT, **LIGHT, "page": "#fff", "paper": "#fff"})
    return (
        f"\n:root{{color-scheme:light dark;{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
        f"@media print{{:root{{color-scheme:light;{paper}}}}}{_text(_LAYOUT)}"
        + _cards("table", "40rem")
        + _cards("table.wide", "68rem")
    )


def _variables(colours: Mapping[str, str]) -> str:
    return "".join(f"--{role}:{colour};" for role, colour in colours.items())


def _cards(tables: str, below: str) -> str:
    """Return the rules that make cards of the rows of some tables on screens below a width."""
    return _text(_CARDS).replace("TABLE", tables).replace("WIDTH", below)
