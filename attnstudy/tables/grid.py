"""From the bytes of a CSV file to a header and rows of text."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from attnstudy.errors import DataError
from attnstudy.shown import from_csv
from attnstudy.tables import headings
from attnstudy.tables.cells import clip, gap_of, is_number, split_summary
from attnstudy.tables.headings import is_statistic

_DELIMITERS = ("\t", ";", ",")
_LOOKED_AT = 20_000  # characters that tell the delimiter
_QUOTED = re.compile(r'(?<![^,;\t\r\n ])"(?:[^"]|"")*"')
_COMMENT = re.compile(r"#(?!\s*\d+\s*(?:[,;\t]|$))")
_ANNOUNCED = re.compile(r"\s*sep=([;,\t]) *[\r\n]+", re.IGNORECASE)  # Excel's first line
_LONG = 3  # digits of a heading that is no seed
_LABEL = re.compile(r"#\s*\d+")

Line = tuple[int, tuple[str, ...]]
"""Line number and cells."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as text."""

    header: tuple[str, ...]
    """Column names; unique unless empty."""
    rows: tuple[Line, ...]
    """Line number and cells of each row; as many cells as columns."""
    delimiter: str
    """What separates the cells."""
    left_out: tuple[str, ...] = ()
    """Lines that do not count, a phrase each."""
    blocks: tuple[int, ...] = ()
    """Lines in which the header is repeated."""
    place: str = "line"
    """What the number of a row counts."""

    def column(self, index: int) -> tuple[str, ...]:
        """Return the cells of one column."""
        return tuple(row[index] for _, row in self.rows)


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


def read_grid(text: str, what: str = "the table") -> Grid:
    """Return header and rows of a CSV text separated by tabs, semicolons or commas.

    Passed over are blank lines, columns and cells without any content at the end, and, listed in
    ``left_out``, comments, a title, and headers that are repeated. Two rows of column names, as
    pandas writes them, are joined.

    Args:
        text: the CSV, its first row the column names.
        what: what the text is, for the message.

    Raises:
        DataError: the text is empty or not a table.

    """
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise DataError(f"{what} is not text: give a CSV file")
    empty = f"{what} is empty: give a CSV with column names and rows of results"
    announced = _ANNOUNCED.match(text)
    text = text[announced.end() :] if announced else text
    delimiter = announced[1] if announced else _delimiter(text, what, empty)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        lines = [(reader.line_num, tuple(_clean(from_csv(cell)) for cell in row)) for row in reader]
    except csv.Error as error:
        raise DataError(f"{what} is not a CSV ({error}): save it as CSV in UTF-8") from None
    lines = [(number, row) for number, row in lines if any(row)]
    lines, left_out = _without_comments(lines)
    if not lines:
        raise DataError(empty)
    return _framed(lines, delimiter, left_out, what)


def grid_of(header: Sequence[str], rows: Sequence[Sequence[str]], what: str) -> Grid:
    """Return the grid of a table that comes as cells, not as text.

    Raises:
        DataError: it has no rows, no columns, or two columns of one name.

    """
    names = tuple(map(_clean, header))
    if len(rows) == 0 or not names:
        raise DataError(f"{what} has no rows: give a row per run")
    _check_names(names, what)
    cleaned = tuple(
        (number, tuple(cell if gap_of(cell) else _clean(cell) for cell in row))
        for number, row in enumerate(rows, start=1)
    )
    return Grid(headings.with_first_run(names), cleaned, "\t", place="row")


def stacked(grids: Sequence[tuple[str, Grid]], column: str) -> Grid:
    """Return several grids with the same columns as one, with a further column of their names.

    Raises:
        DataError: they do not have the same columns.

    """
    (first, head), *others = grids
    rows = [(number, (*row, first)) for number, row in head.rows]
    left_out = list(head.left_out)
    for name, grid in others:
        apart = sorted(set(head.header) ^ set(grid.header))
        if apart or len(grid.header) != len(head.header):
            raise DataError(
                f"{first} and {name} do not have the same columns (only one has "
                f"{', '.join(repr(clip(one)) for one in apart[:4])}): rank them one by one"
            )
        order = [grid.header.index(one) for one in head.header]
        rows += [(number, (*(row[i] for i in order), name)) for number, row in grid.rows]
        left_out += grid.left_out
    return replace(head, header=(*head.header, column), rows=tuple(rows), left_out=tuple(left_out))


def _delimiter(text: str, what: str, empty: str) -> str:
    if not text.strip(' \t\r\n;,"'):
        raise DataError(empty)
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


def _clean(cell: str) -> str:
    """Return a cell without control characters, blanks at its ends or runs of blanks."""
    if " " not in cell and cell.isprintable():
        return cell
    return " ".join("".join(c if c.isprintable() else " " for c in cell).split())


def _without_comments(lines: list[Line]) -> tuple[list[Line], list[str]]:
    """Take out comments; one that holds the column names, as NumPy writes them, is the header."""
    marked = [line for line in lines if line[1][0].startswith("#") and line[1][0] != "#"]
    if not marked:
        return lines, []
    numbered = [line for line in marked if _LABEL.fullmatch(line[1][0]) and len(line[1]) > 1]
    rows = [line for line in lines[1:] if not is_statistic(line[1][0])]
    if 2 * len(numbered) >= len(rows):  # a column of #0, #1 labels the rows
        marked = [line for line in marked if line not in numbered]
    elif numbered:
        number, row = numbered[0]
        raise DataError(
            f"line {number} begins with {row[0]!r}, which may be a name or mark a comment: rename "
            "it, or remove the line"
        )
    kept = [line for line in lines if line not in marked]
    if not marked or not kept:
        return lines, []
    left_out = []
    first = kept[0][1]
    head = [line for line in marked if line[0] < kept[0][0] and len(line[1]) == len(first) > 1]
    if head and any(map(is_number, first)):
        number, row = head[-1]
        kept.insert(0, (number, (row[0].lstrip("# "), *row[1:])))
        marked.remove(head[-1])
    if marked:
        numbers = _listed([number for number, _ in marked])
        left_out.append(f"comment{'s' * (len(marked) > 1)} in line {numbers}")
    return kept, left_out


def _framed(lines: list[Line], delimiter: str, left_out: list[str], what: str) -> Grid:
    """Return the grid of rows of cells of which the first one or two are column names."""
    if len(lines) > 2 and sum(map(bool, lines[0][1])) == 1 and sum(map(bool, lines[1][1])) > 1:
        left_out.append(f"the title {clip(next(filter(None, lines[0][1])))!r}")
        lines = lines[1:]
    if _first_row_is_data(lines[0][1]):
        raise DataError(
            f"the first row of {what} holds numbers: put a row of column names above it"
        )
    header, rows = _header(lines, what)
    header = _without_empty_end(header)
    if not rows:
        raise DataError(f"{what} has column names but no rows: add a row for each run or arm")
    _check_names(header, what)
    fitted = tuple((n, _fit(row, header, n, what)) for n, row in rows)
    again = [n for n, row in fitted if row == header]
    if again:
        left_out.append(f"the header repeated in line {_listed(again)}")
        fitted = tuple(line for line in fitted if line[1] != header)
    if not fitted:
        raise DataError(f"{what} has column names but no rows: add a row for each run or arm")
    _refuse_nameless(header, fitted, what)
    return Grid(headings.with_first_run(header), fitted, delimiter, tuple(left_out), tuple(again))


def _first_row_is_data(row: tuple[str, ...]) -> bool:
    # names such as 0 and 1 are seeds, 25% a quantile; a decimal number is a measurement
    return any(is_number(cell) and not cell.removesuffix("%").isdecimal() for cell in row)


def _refuse_nameless(header: tuple[str, ...], rows: Sequence[Line], what: str) -> None:
    """Refuse a first row that is one of data, of whole numbers and of names that come again."""
    for index, name in enumerate(header):
        if not name or (name.isdecimal() and len(name) < _LONG):  # 0 and 1 are seeds
            continue
        cells = [row[index] for _, row in rows]
        numbers = [int(cell) for cell in cells if cell.isdecimal()]
        alike = name.isdecimal() and bool(numbers) and not any(map(_is_known, header))
        among = alike and min(numbers) <= 2 * int(name) and int(name) <= 2 * max(numbers)
        if name in cells or among:
            raise DataError(
                f"the first row of {what} looks like data ({clip(name)!r} "
                f"{'is among' if name in cells else 'is like'} the cells below it): put a row of "
                "column names above it"
            )


def _is_known(heading: str) -> bool:
    """Whether a heading is one of those that the columns of results have."""
    known = (
        headings.is_arm, headings.is_seed, headings.is_fold, headings.is_step, headings.is_task,
        headings.is_state, headings.is_metric, headings.is_bookkeeping, headings.is_given,
    )  # fmt: skip
    return any(is_one(heading) for is_one in known) or is_statistic(heading)


def refuse_groups(names: Sequence[tuple[str, str]], what: str) -> None:
    """Refuse two rows of column names that cross, as datasets above methods do.

    Args:
        names: for every column its name in the upper and in the lower row.
        what: what the table is called.

    Raises:
        DataError: the same names stand below several others.

    """
    groups: dict[str, set[str]] = {}
    for above, under in names:
        if above and under and above != under and not under.isdecimal() and not is_statistic(under):
            groups.setdefault(under, set()).add(above)
    several = next((above for above in groups.values() if len(above) > 1), None)
    if several is not None:
        shown = sorted(several, key=[above for above, _ in names].index)
        raise DataError(
            f"{what} has several groups of columns ({', '.join(map(clip, shown[:4]))}) in two rows "
            "of column names: give the columns of one group, or a row per run with its arm, seed "
            "and result"
        )


def _header(lines: list[Line], what: str) -> tuple[tuple[str, ...], list[Line]]:
    """Return the column names, joined where they stand in two rows, and the rows below."""
    (_, first), *rest = lines
    names = [name for name in _without_empty_end(first) if name]
    doubled = len(set(names)) < len(names)
    below = rest[0][1] if len(rest) > 1 else ()
    # a table of summaries has one group chosen with --metric
    summaries = any(split_summary(cell) for _, row in rest[1:] for cell in row)
    if not doubled and len(set(filter(None, below))) < len(below) == len(first):
        over: list[str] = []  # a spreadsheet names a group above its first column only
        for above in first:
            over.append(above or (over[-1] if over else ""))
        if not summaries and not any(map(is_number, below)):
            refuse_groups(list(zip(over, below, strict=True)), what)
    if doubled and len(below) == len(first) and _goes_on(first, below):
        if not summaries:
            refuse_groups(list(zip(first, below, strict=True)), what)
        first = tuple(_joined(above, under) for above, under in zip(first, below, strict=True))
        rest = rest[1:]
    name, *others = rest[0][1] if rest else ("",)
    if name and not any(others) and len(rest) > 1 and len(first) > 1 and (doubled or not first[0]):
        # pandas gives the name of the index a row of its own
        first, rest = (name, *first[1:]), rest[1:]
    return first, rest


def _goes_on(first: tuple[str, ...], below: tuple[str, ...]) -> bool:
    """Whether a row goes on naming the columns: no decimals, and a corner left to one of the two.

    A row of results names its arm or seed below the name of that column.
    """
    names = all(not is_number(cell) or cell.isdecimal() for cell in below)
    return names and (not first[0] or not below[0] or first[0] == below[0])


def _joined(above: str, below: str) -> str:
    return below if above == below or not above else f"{above} {below}".strip()


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
            "give every row one cell per column, and quote cells that contain the separator"
        )
    return cells


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:4]))
    return shown + (f" and {len(numbers) - 4} more" if len(numbers) > 4 else "")
