"""A matplotlib figure as SVG inside a page: scalable, in the page's colours and its font."""

from __future__ import annotations

import re
from collections.abc import Set

from matplotlib.figure import Figure

from attnstudy.report.figures import written
from attnstudy.report.style import LIGHT, Look
from attnstudy.shown import in_html

_TAG = re.compile(r"<[^<>]*>")
_COLOUR = re.compile("|".join(LIGHT.values()), re.IGNORECASE)
_ROLE = {colour: role for role, colour in LIGHT.items()}
_FONT = re.compile(r"font-family: [^;\"]*;? ?")
_ID = re.compile(r' id="([^"]*)"')
_REFERENCE = re.compile(r'(?<=url\(#)[^)]*|(?<=href="#)[^"]*')
_SIZE = re.compile(r'<svg [^>]*?viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>')
_LEFT_OUT = re.compile(r"<metadata>.*?</metadata>|<style\b.*?</style>|<!--.*?-->", re.DOTALL)


def inline_svg(figure: Figure, name: str, label: str) -> str:
    """Return a figure as an ``svg`` element.

    Args:
        figure: drawn in the style of the reports.
        name: makes its identifiers unique within the page.
        label: what it shows, for readers who do not see it.

    """
    text = written(figure, name, "svg", Look(transparent=True)).decode()
    text = _LEFT_OUT.sub("", text[text.index("<svg") :])
    size = _SIZE.match(text)
    if size is None:  # another version of matplotlib writes another head
        raise ValueError("the SVG of this matplotlib has no viewBox")
    width, height = size.groups()
    text = text[size.end() :]
    used = set(_REFERENCE.findall(" ".join(_TAG.findall(text))))
    body = _TAG.sub(lambda tag: _in_page(tag[0], name, used), text)
    body = re.sub(r">\n\s*<", "><", body).strip()
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{in_html(label)}" '
        f'style="max-width:{float(width) / 72 * 1.3:.2f}in">{body}'
    )


def _in_page(tag: str, name: str, used: Set[str]) -> str:
    """Return a tag with variables for colours, the page's font and identifiers of its own."""
    tag = tag.replace("xlink:href", "href")
    tag = _FONT.sub("", tag)
    tag = _COLOUR.sub(lambda colour: f"var(--{_ROLE[colour[0].lower()]})", tag)
    tag = _ID.sub(lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", tag)
    return _REFERENCE.sub(lambda found: f"{name}-{found[0]}", tag)
