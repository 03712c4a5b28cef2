"""Signs in what people read: the minus, what it stays with, and what a terminal may lack."""

from __future__ import annotations

import re

MINUS = "−"
"""U+2212, as wide as the plus sign; a hyphen stays where a number may be parsed or typed."""

# after a sign that stands between two things, and in "95 %", "n = 5", "p < .001"
_NO_BREAK = re.compile(r"(?<= [−<>=±×]) (?=\S)|(?<=\d) (?=%)|(?<=\b[np]) (?=[<>=] )")

_PLAIN = str.maketrans(
    {
        MINUS: "-",
        "–": "-",
        "—": "-",
        "─": "-",
        "×": "x",
        "±": "+/-",
        "≤": "<=",
        "≥": ">=",
        "→": "->",
        "…": "...",
        "‘": "'",
        "’": "'",
        "“": '"',
        "”": '"',
        "\u00a0": " ",
    }
)


def with_minus(number: str) -> str:
    """Return a number with its minus sign; in an exponent it stays, so that it can be copied."""
    return re.sub("(?<!e)-", MINUS, number)


def unbroken(text: str, blank: str = "\u00a0") -> str:
    """Return a text in which no line ends between a sign or a unit and what it belongs to.

    Args:
        text: prose, or a pair of names.
        blank: what stands for a blank that is never the end of a line.

    """
    return _NO_BREAK.sub(blank, text)


def in_encoding(text: str, encoding: str) -> str:
    """Return a text as a stream of an encoding can hold it: signs that it lacks in plain ones.

    What has no plain form is shown by its code.
    """
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        name = error.encoding
        plain = "".join(c if _has(name, c) else c.translate(_PLAIN) for c in text)
        return plain.encode(name, errors="backslashreplace").decode(name)
    return text


def _has(encoding: str, character: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
