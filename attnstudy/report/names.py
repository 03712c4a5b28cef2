"""Names as figures have room for them, and labels of arms that are told apart."""

from __future__ import annotations

import os.path
import re
import unicodedata
from collections.abc import Sequence

from attnstudy.shown import in_line
from attnstudy.stats import Ranking

_ELLIPSIS = "…"
_START = re.compile(r".*(?:[_/=: ]|(?<!\d)\.|(?<!\d[eE])-)")  # whole words, and no part of a number

NAMED = 10
"""Arms up to which every figure has room for their names."""

_LEAST = 14  # columns of the narrowest label in a figure


def width(text: str) -> int:
    """Return the columns that ``text`` takes: two for wide characters, none for marks."""
    return sum(_columns(character) for character in text)


def shorten(text: str, columns: int) -> str:
    """Return ``text`` as one line and, where it is too wide, with an ellipsis in its middle.

    Names of arms often differ at their end, so both ends stay.
    """
    text = in_line(text)
    if (text.isascii() and len(text) <= columns) or width(text) <= columns:
        return text
    tail = _first(text[::-1], (columns - 1) // 2)[::-1]
    head = _first(text, columns - 1 - width(tail))
    return f"{head.rstrip()}{_ELLIPSIS}{tail.lstrip()}"


def _first(text: str, columns: int) -> str:
    taken = 0
    for index, character in enumerate(text):
        taken += _columns(character)
        if taken > columns:
            return text[:index]
    return text


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def labels(ranking: Ranking, columns: int) -> dict[str, str]:
    """Return a label for every arm, no wider than ``columns``, no two the same."""
    return told_apart([arm.name for arm in ranking.arms], columns)


def told_apart(names: Sequence[str], columns: int) -> dict[str, str]:
    """Return a label for every name, no wider than ``columns``.

    Where one is too wide, all leave out the words that they begin with in common. Where shortening
    makes two alike, all begin with their place.
    """
    short = _shortened(names, columns)
    if len(set(short)) == len(names):
        return dict(zip(names, short, strict=True))
    return {
        name: f"{place}: {shorten(name, columns - len(str(place)) - 2)}"
        for place, name in enumerate(names, start=1)
    }


def numbered(ranking: Ranking) -> bool:
    """Tell whether a figure names arms by their place, so that the table has to show it."""
    names = [arm.name for arm in ranking.arms]
    return len(names) > NAMED or len(set(_shortened(names, _LEAST))) < len(names)


def _shortened(names: Sequence[str], columns: int) -> list[str]:
    lines = [in_line(name) for name in names]
    start = _START.match(os.path.commonprefix(lines))  # noqa: RUF071 - these are no paths
    if (
        start
        and len(lines) > 1
        and min(map(len, lines)) > start.end()
        and any(width(line) > columns for line in lines)
    ):
        lines = [_ELLIPSIS + line[start.end() :] for line in lines]
    return [shorten(line, columns) for line in lines]
