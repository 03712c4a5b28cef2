"""Names as they may be shown: whatever was typed, nothing in a report breaks on it."""

from __future__ import annotations

import unicodedata

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ELLIPSIS = "…"


def clean(text: str) -> str:
    """Return ``text`` without what XML, a font or a line cannot hold.

    Control characters, lone surrogates and changes of the writing direction become a
    replacement character; line breaks and tabs become spaces.
    """
    return "".join(map(_clean_character, text))


def _clean_character(character: str) -> str:
    if character in "\n\r\t":
        return " "
    if unicodedata.category(character) in ("Cc", "Cs") or character in _BIDI:
        return "\ufffd"
    return "\ufffd" if ord(character) & 0xFFFE == 0xFFFE else character  # not for XML


def width(text: str) -> int:
    """Return the columns that ``text`` takes: two for wide characters, none for marks."""
    return sum(_columns(character) for character in text)


def shorten(text: str, columns: int) -> str:
    """Return ``text`` cleaned and, where it is too wide, with an ellipsis in its middle.

    Names of arms often differ at their end, so both ends stay.
    """
    text = clean(text)
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
