"""From the bytes of a CSV file to a header and rows of text."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass

from attnstudy.errors import DataError

_MAX_ROWS = 100
_DELIMITERS = ("\t", ";", ",")


@dataclass(frozen=True, slots=True)
class Grid:
    """A CSV file as text."""

    header: tuple[str, ...]
    """Column names; unique unless empty."""
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    """Line number and cells of each row; as many cells as columns."""
    delimiter: str
    """What separates the cells."""


def read_text(data: bytes) -> str:
    """Return the text of a file in UTF-8, with or without BOM, or in UTF-16 with one.

    Raises:
        DataError: the bytes are no such text.

    """
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise DataError("the file is not text in UTF-8: save the table as CSV in UTF-8")
    return text


def read_grid(text: str, what: str = "the table") -> Grid:
    """Return header and rows of a CSV text separated by tabs, semicolons or commas.

    Blank lines are passed over, and so are columns and cells without any content at the end.

    Args:
        text: the CSV, its first row the column names.
        what: what the text is, for the message.

    Raises:
        DataError: the text is empty or not a table.

    """
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise DataError(f"{what} is not text: give a CSV file")
    empty = f"{what} is empty: give a CSV with column names and one row a variant"
    first = next((line for line in text.splitlines() if line.strip(' \t;,"')), None)
    if first is None:
        raise DataError(empty)
    delimiter = next((mark for mark in _DELIMITERS if mark in _outside_quotes(first)), None)
    if delimiter is None:
        raise DataError(
            f"{what} has a single column: separate name, values and mean by commas, semicolons "
            "or tabs"
        )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        rows = [(reader.line_num, tuple(map(_clean, row))) for row in reader]
    except csv.Error as error:
        raise DataError(f"{what} is not a CSV ({error}): save it as CSV in UTF-8") from None
    rows = [(line, row) for line, row in rows if any(row)]
    if not rows:
        raise DataError(empty)
    header = _without_empty_end(rows[0][1])
    if len(rows) == 1:
        raise DataError(f"{what} has column names but no rows: add one row a variant")
    if len(rows) > _MAX_ROWS + 1:
        raise DataError(
            f"{what} has {len(rows) - 1} rows, more than the {_MAX_ROWS} that are compared with "
            "each other: give the rows of one results table"
        )
    _check_names(header, what)
    return Grid(header, tuple((n, _fit(row, header, n, what)) for n, row in rows[1:]), delimiter)


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])


def _clean(cell: str) -> str:
    """Return a cell without control characters, blanks at its ends or runs of blanks."""
    return " ".join("".join(c if c.isprintable() else " " for c in cell).split())


def _without_empty_end(row: tuple[str, ...]) -> tuple[str, ...]:
    while row and not row[-1]:
        row = row[:-1]
    return row


def _check_names(header: tuple[str, ...], what: str) -> None:
    seen: set[str] = set()
    for name in filter(None, header):
        if name in seen:
            raise DataError(f"{what} has two columns {name!r}: give every column its own name")
        seen.add(name)


def _fit(row: tuple[str, ...], header: tuple[str, ...], line: int, what: str) -> tuple[str, ...]:
    cells = row[: len(header)] + _without_empty_end(row[len(header) :])
    if len(cells) != len(header):
        raise DataError(
            f"line {line} of {what} has {len(cells)} cell{'s' * (len(cells) != 1)} where the "
            f"header has {len(header)}: "
            "give every row one cell a column, and quote cells that contain the separator"
        )
    return cells
