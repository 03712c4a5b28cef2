"""A matplotlib figure as SVG inside a page: scalable, in the page's colours and its font.

The page forbids styles in attributes, so each becomes an attribute of SVG.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Set

from matplotlib.figure import Figure

from attnstudy.report.figures import written
from attnstudy.report.marks import Marks, places
from attnstudy.report.style import LIGHT, Look
from attnstudy.shown import in_html

_TAG = re.compile(r"<[^<>]*>")
_COLOUR = re.compile("|".join(LIGHT.values()), re.IGNORECASE)
_ROLE = {colour: role for role, colour in LIGHT.items()}
_FONT = re.compile(r"font-family: [^;\"]*;? ?")
_STYLE = re.compile(r' style="([^"]*)"')
_ID = re.compile(r' id="([^"]*)"')
_GROUP = re.compile(r'<g id="([^"]*)">')
_POINT = re.compile(r"<use [^<>]*/>")
_CELL = re.compile(r"<path (?=d=)")
_PATH = re.compile(r' d="([^"]*)"')
_NUMBER = re.compile(r"-?\d+\.\d+")
_REFERENCE = re.compile(r'(?<=url\(#)[^)]*|(?<=href="#)[^"]*')
_SIZE = re.compile(r'<svg [^>]*?viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>')
_PIXELS = 1.3 * 96 / 72  # for a point of the figure, where the screen is wide enough
_LEFT_OUT = re.compile(r"<metadata>.*?</metadata>|<style\b.*?</style>|<!--.*?-->", re.DOTALL)


def inline_svg(
    figure: Figure, name: str, label: str, marks: Marks | None = None, kind: str = ""
) -> str:
    """Return a figure as an ``svg`` element.

    Args:
        figure: drawn in the style of the reports.
        name: makes its identifiers unique within the page.
        label: what it shows, for readers who do not see it.
        marks: what its groups stand for.
        kind: a class for it.

    """
    text = written(figure, name, "svg", Look(transparent=True)).decode()
    text = _LEFT_OUT.sub("", text[text.index("<svg") :])
    size = _SIZE.match(text)
    if size is None:  # another version of matplotlib writes another head
        raise ValueError("the SVG of this matplotlib has no viewBox")
    width, height = size.groups()
    text = _marked(text[size.end() :], marks or {})
    used = set(_REFERENCE.findall(" ".join(_TAG.findall(text))))
    body = _TAG.sub(lambda tag: _in_page(tag[0], name, used), text)
    body = re.sub(r">\n\s*<", "><", body).strip()
    named = f' class="{kind}"' if kind else ""
    return (
        f'<svg{named} viewBox="0 0 {width} {height}" role="img" aria-label="{in_html(label)}" '
        f'width="{float(width) * _PIXELS:.0f}">{body}'
    )


def _marked(text: str, marks: Marks) -> str:
    """Return an SVG whose groups, points and cells say which arms they are about."""
    before, *rest = _GROUP.split(text)
    parts = [before]
    for gid, content in zip(rest[::2], rest[1::2], strict=True):
        mark = marks.get(gid)
        about = f' data-arm="{places(mark.arms)}"' if mark and mark.arms else ""
        parts.append(f'<g id="{gid}"{about}>')
        if mark and mark.points and len(_POINT.findall(content)) == len(mark.points):
            content = _POINT.sub(_each(map(_point, mark.points)), content)
        if mark and mark.cells and len(_CELL.findall(content)) == len(mark.cells):
            content = _CELL.sub(_each(map(_cell, mark.cells)), content)
        parts.append(content)
    return "".join(parts)


def _each(made: Iterator[Callable[[str], str]]) -> Callable[[re.Match[str]], str]:
    """Return what replaces match after match, each by the next of ``made``."""
    return lambda found: next(made)(found[0])


def _point(title: str) -> Callable[[str], str]:
    return lambda use: f'<g class="run"><title>{in_html(title)}</title>{use}</g>'


def _cell(arms: tuple[int, ...]) -> Callable[[str], str]:
    return lambda start: f'{start}data-arm="{places(arms)}" '


def _attributes(style: re.Match[str]) -> str:
    """Return ``fill: none; stroke: red`` as attributes of the same names."""
    pairs = (one.split(":", 1) for one in style[1].split(";") if ":" in one)
    return "".join(f' {name.strip()}="{value.strip()}"' for name, value in pairs)


def _short_path(path: re.Match[str]) -> str:
    """Return a path to a hundredth of a point: shorter, and nobody sees the difference."""
    short = _NUMBER.sub(lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), path[1])
    return f' d="{" ".join(short.split())}"'


def _in_page(tag: str, name: str, used: Set[str]) -> str:
    """Return a tag with variables for colours, the page's font and identifiers of its own."""
    tag = tag.replace("xlink:href", "href")
    tag = _STYLE.sub(_attributes, _FONT.sub("", tag))
    tag = _PATH.sub(_short_path, tag)
    tag = _COLOUR.sub(lambda colour: f"var(--{_ROLE[colour[0].lower()]})", tag)
    tag = _ID.sub(lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", tag)
    return _REFERENCE.sub(lambda found: f"{name}-{found[0]}", tag)
