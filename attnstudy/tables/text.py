"""From the bytes of a file to its text, and to what separates the cells in it."""

from __future__ import annotations

import codecs
import re
from collections import Counter

from attnstudy.errors import DataError

EMPTY = "{what} is empty: give a CSV with column names and rows of results"
_DELIMITERS = ("\t", ";", ",")
_LOOKED_AT = 20_000  # characters that tell the delimiter
_QUOTED = re.compile(r'(?<![^,;\t\r\n ])"(?:[^"]|"")*"')
_ANNOUNCED = re.compile(r"\s*sep=([;,\t]) *[\r\n]+", re.IGNORECASE)  # Excel's first line
_COMMENT = re.compile(r"#(?!\s*\d+\s*(?:[,;\t]|$))")


def read_text(data: bytes, what: str = "the file") -> str:
    """Return the text of a file in UTF-8, with or without BOM, or in UTF-16 with one.

    What is neither is taken for the Windows-1252 of spreadsheets in western Europe: numbers are the
    same there, and the names of the arms are shown.

    Raises:
        DataError: the bytes are no such text.

    """
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        text = "\0" if wide else _of_spreadsheet(data)
    if "\0" in text:
        raise DataError(f"{what} is not text in UTF-8: save the table as CSV in UTF-8")
    return text


def _of_spreadsheet(data: bytes) -> str:
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return "\0"
    return text if all(c.isprintable() or c.isspace() for c in text) else "\0"


def delimiter_and_table(text: str, what: str) -> tuple[str, str]:
    """Return what separates the cells of a CSV text, and the text without what announces it.

    Args:
        text: the CSV.
        what: what the text is, for the message.

    Raises:
        DataError: nothing separates cells, or there are none.

    """
    announced = _ANNOUNCED.match(text)
    if announced is None:
        return _delimiter(text, what), text
    return announced[1], text[announced.end() :]


def _delimiter(text: str, what: str) -> str:
    if not text.strip(' \t\r\n;,"'):
        raise DataError(EMPTY.format(what=what))
    # a quoted cell may hold the separators and several lines
    sample = text[:_LOOKED_AT].rpartition("\n")[0] if len(text) > _LOOKED_AT else text
    lines = [line for line in _QUOTED.sub("q", sample or text).splitlines() if line.strip(" \t;,")]
    looked = [line for line in lines if not _COMMENT.match(line)] or lines[:1] or [""]
    found = [(mark, Counter(line.count(mark) for line in looked)) for mark in _DELIMITERS]
    # commas may be decimal marks, so tabs and semicolons first: what separates all lines alike, or
    # most of them somehow
    for mark, counts in found:
        if len(counts) == 1 and 0 not in counts:
            return mark
    for mark, counts in found:
        if sum(n for count, n in counts.items() if count) * 2 > len(looked):
            return mark
    for mark, said in (("|", "Markdown"), ("&", "LaTeX")):
        if all(mark in line for line in looked[:2]):
            raise DataError(
                f"{what} is a table in {said}, with cells between {mark}: separate them by commas, "
                "semicolons or tabs, as a spreadsheet saves them, or convert it with pandas"
            )
    raise DataError(
        f"{what} has a single column: separate names and values by commas, semicolons or tabs"
    )
