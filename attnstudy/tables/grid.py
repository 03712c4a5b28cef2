"""From the text of a CSV file to a header and columns of text."""

from __future__ import annotations

import csv
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from attnstudy.errors import DataError
from attnstudy.shown import from_csv
from attnstudy.tables import headings
from attnstudy.tables.cells import clip, gap_of, is_number
from attnstudy.tables.header_rows import (
    header_of,
    is_data,
    refuse_doubled,
    refuse_nameless,
    without_empty_end,
)
from attnstudy.tables.headings import is_statistic
from attnstudy.tables.lines import Line, Lines, read_lines
from attnstudy.tables.names import clean
from attnstudy.tables.text import EMPTY, delimiter_and_table

_LABEL = re.compile(r"#\s*\d+")


@dataclass(frozen=True, slots=True)
class File:
    """One of several files that are read as one table."""

    name: str
    delimiter: str
    """What separates the cells."""


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
    blocks: tuple[tuple[int, int], ...] = ()
    """Where the header is repeated: which of the files, and the line."""
    comments: tuple[str, ...] = ()
    """What comments say."""
    title: str = ""
    """What stands above the column names, if anything."""
    place: str = "line"
    """What the number of a row counts."""
    files: tuple[File, ...] = ()
    """Where the rows come from, if from several files."""
    file_of: Sequence[int] = ()
    """Which of these each row is from."""

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
            file_of=array("q", map(self.file_of.__getitem__, rows)) if self.files else (),
        )

    def place_of(self, row: int) -> str:
        """Return where a row stands, for the reader."""
        place = f"{self.place} {self.numbers[row]}"
        return f"{place} in {self.files[self.file_of[row]].name}" if self.files else place


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
    delimiter, text = delimiter_and_table(text, what)
    try:
        lines = read_lines(text, delimiter, lambda cell: clean(from_csv(cell)))
    except csv.Error as error:
        raise DataError(f"{what} is not a CSV ({error}): save it as CSV in UTF-8") from None
    lines, left_out, comments = _without_comments(lines)
    if not lines:
        raise DataError(EMPTY.format(what=what))
    return replace(_framed(lines, delimiter, left_out, what), comments=comments)


def grid_of(header: Sequence[str], columns: Sequence[Sequence[str]], what: str) -> Grid:
    """Return the grid of a table that comes as columns of cells, not as text.

    Raises:
        DataError: it has no rows, no columns, or two columns of one name.

    """
    names = tuple(map(clean, header))
    if not names or not columns or len(columns[0]) == 0:
        raise DataError(f"{what} has no rows: give a row per run")
    refuse_doubled(names, what)
    cleaned = tuple(
        tuple(cell if gap_of(cell) else clean(cell) for cell in column) for column in columns
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
    left_out = [f"{what} of {first}" for what in head.left_out]
    file_of = array("q", [0]) * len(head)
    for place_of_file, (name, grid) in enumerate(others, start=1):
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
        left_out += (f"{what} of {name}" for what in grid.left_out)
        file_of.extend(array("q", [place_of_file]) * len(grid))
    return replace(
        head,
        header=(*head.header, column),
        columns=tuple(map(tuple, [*columns, names])),
        numbers=numbers,
        left_out=tuple(left_out),
        blocks=tuple((n, line) for n, (_, grid) in enumerate(grids) for _, line in grid.blocks),
        files=tuple(File(name, grid.delimiter) for name, grid in grids),
        file_of=file_of,
    )


def _without_comments(lines: Lines) -> tuple[Lines, list[str], tuple[str, ...]]:
    """Take out comments, and return what they say.

    One that holds the column names, as NumPy writes them, is the header.
    """
    found = [
        i for i, cell in enumerate(lines.first_cells()) if cell.startswith("#") and cell != "#"
    ]
    if not found:
        return lines, [], ()
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
        return lines, [], ()
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
    said = tuple(", ".join(filter(None, row)).lstrip("# ") for _, row in comments)
    return kept, left_out, said


def _framed(lines: Lines, delimiter: str, left_out: list[str], what: str) -> Grid:
    """Return the grid of rows of cells of which the first one or two are column names."""
    title = ""
    if len(lines) > 2 and sum(map(bool, lines[0][1])) == 1 and sum(map(bool, lines[1][1])) > 1:
        title = next(filter(None, lines[0][1]))
        left_out.append(f"the title {clip(title)!r}")
        lines = lines.after(1)
    if is_data(lines[0][1]):
        raise DataError(
            f"the first row of {what} holds numbers: put a row of column names above it"
        )
    header, rows = header_of(lines, what)
    header = without_empty_end(header)
    if not rows:
        raise DataError(f"{what} has column names but no rows: add a row for each run or arm")
    refuse_doubled(header, what)
    numbers, found = rows.fitted(len(header), lambda line: _refuse_unfit(line, header, what))
    columns = tuple(map(tuple, found))
    again = _rows_like(header, columns)
    if again:
        left_out.append(f"the header repeated in line {_listed([numbers[i] for i in again])}")
    blocks = tuple((0, numbers[i]) for i in again)
    if len(again) == len(numbers):
        raise DataError(f"{what} has column names but no rows: add a row for each run or arm")
    grid = Grid(header, columns, numbers, delimiter, tuple(left_out), blocks, title=title)
    if again:
        others = set(again)
        grid = grid.taken([i for i in range(len(numbers)) if i not in others])
    refuse_nameless(header, grid.columns, what)
    return replace(grid, header=headings.with_first_run(header))


def _rows_like(header: tuple[str, ...], columns: Sequence[Sequence[str]]) -> list[int]:
    """Return the rows that are the header again."""
    found: Sequence[int] = range(len(columns[0]) if columns else 0)
    for name, cells in zip(header, columns, strict=True):
        if name not in cells:
            return []
        found = [i for i in found if cells[i] == name]
    return list(found)


def _refuse_unfit(line: Line, header: tuple[str, ...], what: str) -> None:
    """Refuse a row that has not one cell for each column."""
    number, row = line
    cells = row[: len(header)] + without_empty_end(row[len(header) :])
    raise DataError(
        f"line {number} of {what} has {len(cells)} cell{'s' * (len(cells) != 1)} where the "
        f"header has {len(header)}: "
        "give every row one cell per column, and quote cells that contain the separator"
    )


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:4]))
    return shown + (f" and {len(numbers) - 4} more" if len(numbers) > 4 else "")
