r"""Text from outside, made fit for the place where it is shown: one function for each place.

The author of a name, a question, a setting or a message of an error must not be able to write more
than that. What nobody would see is shown by its code, ``\x1b`` or ``\u202e``: characters that
control a terminal, turn the direction of writing, or take no room. It is done where text is joined
into output, never where it is read.
"""

from __future__ import annotations

import re
from html import escape

from attnstudy.shown.characters import is_hidden
from attnstudy.shown.latex import in_latex
from attnstudy.shown.signs import MINUS, in_encoding, unbroken, with_minus

_BREAK = re.compile(r"\r\n|[\r\n\t]")
_MARKDOWN = re.compile(r"([\\`*_|\[\]~#])")
# MLflow's UI, for one, does not take these with a backslash before them for what they are
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"})
# what begins a list, a line or a heading; a number stays as it is
_MARKDOWN_START = re.compile(r"([+=-])(?=[\s+=-]|$)|(?<=\d)([.)])(?=\s|$)")
_DIGITS = re.compile(r"\d{1,9}(?=[.)])")
_FORMULA = re.compile(r"'*\s*[=+\-@＝＋－＠]")
"""How a cell begins that a spreadsheet computes, or that is one of ours, marked as text."""


def in_line(text: str) -> str:
    """Return a text as one line of a terminal: a cell of a table, an error, a line of progress."""
    if text.isascii() and text.isprintable():
        return text
    return _visible(_BREAK.sub(" ", text))


def in_lines(text: str) -> str:
    """Return what is printed: lines stay, and nothing in them controls the terminal."""
    if all(c == "\n" or not is_hidden(c) for c in set(text)):
        return text
    return "\n".join(map(in_line, text.split("\n")))


def in_markdown(text: str) -> str:
    """Return a text in which nothing is taken for Markdown or HTML, as one line."""
    text = _MARKDOWN.sub(r"\\\1", " ".join(in_line(text).split())).translate(_ENTITIES)
    number = _DIGITS.match(text)
    start = number.end() if number else 0
    mark = _MARKDOWN_START.match(text, start)
    return text if mark is None else f"{text[:start]}\\{text[start:]}"


def in_html(text: str) -> str:
    """Return a text as HTML shows it literally, also inside an attribute, as one line."""
    return escape(in_line(text))


def in_csv(cell: object) -> object:
    """Return a cell for a CSV: a text is never a formula, a number is as it was.

    As OWASP advises, a single quote says that the cell is a text; ``from_csv`` takes it away.
    """
    if not isinstance(cell, str):
        return cell
    text = in_line(cell)
    return f"'{text}" if _FORMULA.match(text) else text


def from_csv(cell: str) -> str:
    """Return a cell of a CSV without the quote that says that it is a text."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _visible(text: str) -> str:
    hidden = {ord(c): _code(c) for c in set(text) if is_hidden(c)}
    return text.translate(hidden) if hidden else text


def _code(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


__all__ = [
    "MINUS",
    "from_csv",
    "in_csv",
    "in_encoding",
    "in_html",
    "in_latex",
    "in_line",
    "in_lines",
    "in_markdown",
    "unbroken",
    "with_minus",
]
