"""From the bytes of a CSV file to a header and columns of text."""

from __future__ import annotations

import codecs
import csv
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from attnstudy.errors import DataError
from attnstudy.shown import from_csv
from attnstudy.tables import headings
from attnstudy.tables.cells import clip, gap_of, is_number, split_summary
from attnstudy.tables.headings import is_statistic
from attnstudy.tables.lines import Line, Lines, read_lines

_DELIMITERS = ("\t", ";", ",")
_LOOKED_AT = 20_000  # characters that tell the delimiter
_QUOTED = re.compile(r'(?<![^,;\t\r\n ])"(?:[^"]|"")*"')
_COMMENT = re.compile(r"#(?!\s*\d+\s*(?:[,;\t]|$))")
_ANNOUNCED = re.compile(r"\s*sep=([;,\t]) *[\r\n]+", re.IGNORECASE)  # Excel's first line
_LONG = 3  # digits of a heading that is no seed
_LABEL = re.compile(r"#\s*\d+")


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as text."""

    header: tuple[str, ...]
    """Column names; unique unless empty."""
    columns: tuple[tuple[str, ...], ...]
    """The cells of each column, one for each row."""
    numbers: Sequence[int]
    """The line number of each row."""
    delimiter: str
    """What separates the cells."""
    left_out: tuple[str, ...] = ()
    """Lines that do not count, a phrase each."""
    blocks: tuple[int, ...] = ()
    """Lines in which the header is repeated."""
    place: str = "line"
    """What the number of a row counts."""

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.numbers)

    @property
    def rows(self) -> Iterator[Line]:
        """Line number and cells of each row; as many cells as columns."""
        return zip(self.numbers, zip(*self.columns, strict=True), strict=True)

    def taken(self, rows: Sequence[int]) -> Grid:
        """Return the grid with some of its rows alone."""
        return replace(
            self,
            columns=tuple(tuple(map(column.__getitem__, rows)) for column in self.columns),
            numbers=array("q", map(self.numbers.__getitem__, rows)),
        )


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
    try:
        lines = read_lines(text, delimiter, lambda cell: _clean(from_csv(cell)))
    except csv.Error as error:
        raise DataError(f"{what} is not a CSV ({error}): save it as CSV in UTF-8") from None
    lines, left_out = _without_comments(lines)
    if not lines:
        raise DataError(empty)
    return _framed(lines, delimiter, left_out, what)


def grid_of(header: Sequence[str], columns: Sequence[Sequence[str]], what: str) -> Grid:
    """Return the grid of a table that comes as columns of cells, not as text.

    Raises:
        DataError: it has no rows, no columns, or two columns of one name.

    """
    names = tuple(map(_clean, header))
    if not names or not columns or len(columns[0]) == 0:
        raise DataError(f"{what} has no rows: give a row per run")
    _check_names(names, what)
    cleaned = tuple(
        tuple(cell if gap_of(cell) else _clean(cell) for cell in column) for column in columns
    )
    numbers = range(1, len(columns[0]) + 1)
    return Grid(headings.with_first_run(names), cleaned, numbers, "\t", place="row")


def stacked(grids: Sequence[tuple[str, Grid]], column: str) -> Grid:
    """Return several grids with the same columns as one, with a further column of their names.

    Raises:
        DataError: they do not have the same columns.

    """
    (first, head), *others = grids
    columns = [[*column] for column in head.columns]
    numbers, names = array("q", head.numbers), [first] * len(head)
    left_out = list(head.left_out)
    for name, grid in others:
        apart = sorted(set(head.header) ^ set(grid.header))
        if apart or len(grid.header) != len(head.header):
            raise DataError(
                f"{first} and {name} do not have the same columns (only one has "
                f"{', '.join(repr(clip(one)) for one in apart[:4])}): rank them one by one"
            )
        place = {one: i for i, one in reversed(list(enumerate(grid.header)))}
        for one, cells in zip(head.header, columns, strict=True):
            cells.extend(grid.columns[place[one]])
        numbers.extend(grid.numbers)
        names += [name] * len(grid)
        left_out += grid.left_out
    return replace(
        head,
        header=(*head.header, column),
        columns=tuple(map(tuple, [*columns, names])),
        numbers=numbers,
        left_out=tuple(left_out),
    )


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


class _Respelled(str):
    """A cell in which something was replaced that nobody sees, with what stood there."""

    __slots__ = ("raw",)
    raw: str


def _clean(cell: str) -> str:
    """Return a cell without control characters, blanks at its ends or runs of blanks."""
    if " " not in cell and cell.isprintable():
        return cell
    clean = " ".join("".join(c if c.isprintable() else " " for c in cell).split())
    if clean == cell.strip(" \t\r\n"):  # blanks at the ends of a cell are layout
        return clean
    respelled = _Respelled(clean)
    respelled.raw = cell
    return respelled


def refuse_respelled(cells: Iterable[str], what: str) -> None:
    """Refuse two names that only what nobody sees tells apart: they would be taken for one.

    Args:
        cells: of a column of names.
        what: what the table is called.

    Raises:
        DataError: naming both, with codes for what is not seen.

    """
    given = list(cells)
    if not any(isinstance(cell, _Respelled) for cell in given):
        return
    spelled: dict[str, str] = {}
    for cell in given:
        raw = cell.raw if isinstance(cell, _Respelled) else cell
        first = spelled.setdefault(cell, raw)
        if first != raw:
            raise DataError(
                f"{what} has {clip(first)!a} and {clip(raw)!a}, which look alike: write both in "
                "the same way if they are one, or give them names that can be told apart"
            )


def _without_comments(lines: Lines) -> tuple[Lines, list[str]]:
    """Take out comments; one that holds the column names, as NumPy writes them, is the header."""
    found = [
        i for i, cell in enumerate(lines.first_cells()) if cell.startswith("#") and cell != "#"
    ]
    if not found:
        return lines, []
    marked = {i: lines[i] for i in found}
    numbered = {i for i, (_, row) in marked.items() if _LABEL.fullmatch(row[0]) and len(row) > 1}
    labels = Counter(lines.first_cells()) - Counter([lines[0][1][0]]) if numbered else Counter()
    rows = sum(count for label, count in labels.items() if not is_statistic(label))
    if 2 * len(numbered) >= rows:  # a column of #0, #1 labels the rows
        marked = {i: line for i, line in marked.items() if i not in numbered}
    elif numbered:
        number, row = marked[min(numbered)]
        raise DataError(
            f"line {number} begins with {row[0]!r}, which may be a name or mark a comment: rename "
            "it, or remove the line"
        )
    if not marked or len(marked) == len(lines):
        return lines, []
    kept = lines.where([i not in marked for i in range(len(lines))])
    left_out = []
    begin, first = kept[0]
    comments = list(marked.values())
    head = [line for line in comments if line[0] < begin and len(line[1]) == len(first) > 1]
    if head and any(map(is_number, first)):
        number, row = head[-1]
        kept = kept.below((number, (row[0].lstrip("# "), *row[1:])))
        comments.remove(head[-1])
    if comments:
        numbers = _listed([number for number, _ in comments])
        left_out.append(f"comment{'s' * (len(comments) > 1)} in line {numbers}")
    return kept, left_out


def _framed(lines: Lines, delimiter: str, left_out: list[str], what: str) -> Grid:
    """Return the grid of rows of cells of which the first one or two are column names."""
    if len(lines) > 2 and sum(map(bool, lines[0][1])) == 1 and sum(map(bool, lines[1][1])) > 1:
        left_out.append(f"the title {clip(next(filter(None, lines[0][1])))!r}")
        lines = lines.after(1)
    if _first_row_is_data(lines[0][1]):
        raise DataError(
            f"the first row of {what} holds numbers: put a row of column names above it"
        )
    header, rows = _header(lines, what)
    header = _without_empty_end(header)
    if not rows:
        raise DataError(f"{what} has column names but no rows: add a row for each run or arm")
    _check_names(header, what)
    numbers, found = rows.fitted(len(header), lambda line: _refuse_unfit(line, header, what))
    columns = tuple(map(tuple, found))
    again = _rows_like(header, columns)
    if again:
        left_out.append(f"the header repeated in line {_listed([numbers[i] for i in again])}")
    blocks = tuple(numbers[i] for i in again)
    if len(again) == len(numbers):
        raise DataError(f"{what} has column names but no rows: add a row for each run or arm")
    grid = Grid(header, columns, numbers, delimiter, tuple(left_out), blocks)
    if again:
        others = set(again)
        grid = grid.taken([i for i in range(len(numbers)) if i not in others])
    _refuse_nameless(header, grid.columns, what)
    return replace(grid, header=headings.with_first_run(header))


def _rows_like(header: tuple[str, ...], columns: Sequence[Sequence[str]]) -> list[int]:
    """Return the rows that are the header again."""
    found: Sequence[int] = range(len(columns[0]) if columns else 0)
    for name, cells in zip(header, columns, strict=True):
        if name not in cells:
            return []
        found = [i for i in found if cells[i] == name]
    return list(found)


def _first_row_is_data(row: tuple[str, ...]) -> bool:
    # names such as 0 and 1 are seeds, 25% a quantile; a decimal number is a measurement
    return any(is_number(cell) and not cell.removesuffix("%").isdecimal() for cell in row)


def _refuse_nameless(header: tuple[str, ...], columns: Sequence[Sequence[str]], what: str) -> None:
    """Refuse a first row that is one of data, of whole numbers and of names that come again."""
    whole = any(name.isdecimal() and len(name) >= _LONG for name in header)
    known = whole and any(map(_is_known, header))
    for name, cells in zip(header, columns, strict=True):
        if not name or (name.isdecimal() and len(name) < _LONG):  # 0 and 1 are seeds
            continue
        among = False
        if name.isdecimal() and not known:
            numbers = [float(cell) for cell in cells if cell.isdecimal()]
            among = bool(numbers) and (
                min(numbers) <= 2 * float(name) and float(name) <= 2 * max(numbers)
            )
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


def _header(lines: Lines, what: str) -> tuple[tuple[str, ...], Lines]:
    """Return the column names, joined where they stand in two rows, and the rows below."""
    first, rest = lines[0][1], lines.after(1)
    names = [name for name in _without_empty_end(first) if name]
    doubled = len(set(names)) < len(names)
    below = rest[0][1] if len(rest) > 1 else ()

    def summaries() -> bool:
        # a table of summaries has one group chosen with --metric
        return any(map(split_summary, rest.after(1).cells()))

    if not doubled and len(set(filter(None, below))) < len(below) == len(first):
        over: list[str] = []  # a spreadsheet names a group above its first column only
        for above in first:
            over.append(above or (over[-1] if over else ""))
        if not any(map(is_number, below)) and not summaries():
            refuse_groups(list(zip(over, below, strict=True)), what)
    if doubled and len(below) == len(first) and _goes_on(first, below):
        if not summaries():
            refuse_groups(list(zip(first, below, strict=True)), what)
        first = tuple(_joined(above, under) for above, under in zip(first, below, strict=True))
        rest = rest.after(1)
    name, *others = rest[0][1] if rest else ("",)
    if name and not any(others) and len(rest) > 1 and len(first) > 1 and (doubled or not first[0]):
        # pandas gives the name of the index a row of its own
        first, rest = (name, *first[1:]), rest.after(1)
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
    end = len(row)
    while end and not row[end - 1]:
        end -= 1
    return row[:end]


def _check_names(header: tuple[str, ...], what: str) -> None:
    seen: set[str] = set()
    for name in filter(None, header):
        if name in seen:
            raise DataError(f"{what} has two columns {name!r}: give every column its own name")
        seen.add(name)


def _refuse_unfit(line: Line, header: tuple[str, ...], what: str) -> None:
    """Refuse a row that has not one cell for each column."""
    number, row = line
    cells = row[: len(header)] + _without_empty_end(row[len(header) :])
    raise DataError(
        f"line {number} of {what} has {len(cells)} cell{'s' * (len(cells) != 1)} where the "
        f"header has {len(header)}: "
        "give every row one cell per column, and quote cells that contain the separator"
    )


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:4]))
    return shown + (f" and {len(numbers) - 4} more" if len(numbers) > 4 else "")
