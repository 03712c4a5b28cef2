"""Names as figures have room for them."""

from __future__ import annotations

import unicodedata

from attnstudy.shown import in_line

_ELLIPSIS = "…"


def width(text: str) -> int:
    """Return the columns that ``text`` takes: two for wide characters, none for marks."""
    return sum(_columns(character) for character in text)


def shorten(text: str, columns: int) -> str:
    """Return ``text`` as one line and, where it is too wide, with an ellipsis in its middle.

    Names of arms often differ at their end, so both ends stay.
    """
    text = in_line(text)
    if width(text) <= columns:
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
