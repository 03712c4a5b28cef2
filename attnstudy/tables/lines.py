"""The lines of a CSV, held by columns, so that a long table needs little more than its cells."""

from __future__ import annotations

import csv
import io
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, groupby, islice

Line = tuple[int, tuple[str, ...]]
"""Line number and cells."""

_HEAD = 8  # lines that may be titles and names of columns, about
_LINES = 256  # taken apart at once: so few that Python's collector does not go through them
_TEXT = 2**20  # characters of them, about
_SHARED = 2**17  # texts of a column up to which cells that are alike share one


@dataclass(slots=True)
class _Block:
    """Lines below one another that have as many cells."""

    numbers: array[int]
    columns: list[list[str]]
    texts: list[dict[str, str] | None]
    """What the cells of each column share; None where they are too many to."""

    def __len__(self) -> int:
        return len(self.numbers)


class Lines:
    """Lines with their numbers, as many cells in each as it has."""

    def __init__(self, blocks: Sequence[_Block]) -> None:
        """Take the blocks, each with at least one line."""
        self._blocks = blocks
        self._starts = [0, *accumulate(map(len, blocks))]

    def __len__(self) -> int:
        """Return how many lines there are."""
        return self._starts[-1]

    def __getitem__(self, index: int) -> Line:
        """Return one line, counted from 0."""
        place = bisect_right(self._starts, index) - 1
        block, inside = self._blocks[place], index - self._starts[place]
        return block.numbers[inside], tuple(column[inside] for column in block.columns)

    def first_cells(self) -> Iterator[str]:
        """Give the first cell of each line."""
        return chain.from_iterable(block.columns[0] for block in self._blocks)

    def cells(self) -> Iterator[str]:
        """Give all cells that differ within a column and more of the same, in no order."""
        return chain.from_iterable(set(column) for b in self._blocks for column in b.columns)

    def where(self, keep: Sequence[bool]) -> Lines:
        """Return the lines of which ``keep`` is true."""
        blocks = []
        for block, start in zip(self._blocks, self._starts, strict=False):
            own = [i for i in range(len(block)) if keep[start + i]]
            if own:
                numbers = array("q", [block.numbers[i] for i in own])
                blocks.append(_Block(numbers, [[c[i] for i in own] for c in block.columns], []))
        return Lines(blocks)

    def after(self, count: int) -> Lines:
        """Return the lines but for the first ones."""
        blocks = []
        for block, start in zip(self._blocks, self._starts, strict=False):
            own = max(count - start, 0)
            if own < len(block):
                cut = _Block(block.numbers[own:], [column[own:] for column in block.columns], [])
                blocks.append(cut if own else block)
        return Lines(blocks)

    def below(self, line: Line) -> Lines:
        """Return these lines below another one."""
        number, cells = line
        return Lines([_Block(array("q", [number]), [[cell] for cell in cells], []), *self._blocks])

    def fitted(
        self, width: int, refuse: Callable[[Line], None]
    ) -> tuple[array[int], list[list[str]]]:
        """Return the numbers of the lines and their columns, so many of them.

        Args:
            width: cells that every line has to have; empty ones may follow.
            refuse: is given the first line that has another number of cells, to raise an error.

        """
        numbers: array[int] = array("q")
        columns: list[list[str]] = [[] for _ in range(width)]
        for block, start in zip(self._blocks, self._starts, strict=False):
            over = [i for column in block.columns[width:] for i, c in enumerate(column) if c]
            if len(block.columns) < width or over:
                refuse(self[start + (0 if len(block.columns) < width else min(over))])
            numbers.extend(block.numbers)
            for column, more in zip(columns, block.columns, strict=False):
                column.extend(more)
        return numbers, columns


def read_lines(text: str, delimiter: str, clean: Callable[[str], str]) -> Lines:
    """Return the lines of a CSV that have any content.

    Args:
        text: the CSV.
        delimiter: what separates the cells.
        clean: returns a cell as it counts: one that is printable, without blanks and without a
            single quote stays as it is.

    Raises:
        csv.Error: the text is no CSV.

    """
    reader = csv.reader(_physical(text), delimiter=delimiter, skipinitialspace=True)
    alone = '"' not in text  # without quotes every line is a row
    gather = _Gathering(clean)
    while True:
        before = reader.line_num
        numbers: Sequence[int]
        if alone:
            rows = list(islice(reader, gather.wanted))
            numbers = range(before + 1, before + 1 + len(rows))
        else:
            numbered = [(row, reader.line_num) for row in islice(reader, gather.wanted)]
            rows, numbers = [row for row, _ in numbered], [number for _, number in numbered]
        if not rows:
            return gather.lines()
        if not all(map(any, rows)):
            there = [i for i, row in enumerate(rows) if any(row)]
            rows, numbers = [rows[i] for i in there], [numbers[i] for i in there]
        start = 0
        for _, alike in groupby(rows, key=len):
            end = start + sum(1 for _ in alike)
            gather.add(numbers[start:end], rows[start:end])
            start = end


def _physical(text: str) -> Iterator[str]:
    """Give the lines of a text with their ends, as a file that is open without translation does."""
    return chain.from_iterable(io.StringIO(part, newline="") for part in _parts(text))


def _parts(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = text.find("\n", start + _TEXT) + 1 or len(text)
        yield text[start:end]
        start = end


class _Gathering:
    """Lines on their way into blocks."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        self.blocks: list[_Block] = []
        self._clean = clean
        self._cleaned: dict[str, str] = {}

    def lines(self) -> Lines:
        """Return all lines that were taken."""
        for block in self.blocks:
            block.texts = []
        return Lines(self.blocks)

    @property
    def wanted(self) -> int:
        """How many lines to take next: the first ones, which may be no rows, one by one."""
        return 1 if self._heading else _LINES

    @property
    def _heading(self) -> bool:
        return len(self.blocks) <= _HEAD

    def add(self, numbers: Sequence[int], rows: Sequence[Sequence[str]]) -> None:
        """Take rows with as many cells, each with any content."""
        columns: list[tuple[str, ...] | list[str]] = list(zip(*rows, strict=True))
        plain = _stays("".join(map("".join, rows)))
        if not plain:
            columns = [
                column if _stays("".join(column)) else list(map(self._cell, column))
                for column in columns
            ]
            if all("" in column for column in columns):  # blanks alone are no content
                there = [i for i, row in enumerate(zip(*columns, strict=True)) if any(row)]
                numbers = [numbers[i] for i in there]
                columns = [type(column)([column[i] for i in there]) for column in columns]
        if not numbers:
            return
        if self._heading or len(self.blocks[-1].columns) != len(columns):
            self.blocks.append(_Block(array("q"), [[] for _ in columns], []))
        block = self.blocks[-1]
        if not block.texts and len(block) > _LINES:  # a short table has little to share
            block.texts = [{} for _ in columns]
        block.numbers.extend(numbers)
        for place, (column, more) in enumerate(zip(block.columns, columns, strict=True)):
            texts = block.texts[place] if block.texts else None
            # what was cleaned is shared by those that were the same before, and by no others
            if texts is None or isinstance(more, list):
                column.extend(more)
                continue
            column.extend(map(texts.setdefault, more, more))
            if len(texts) > _SHARED:
                block.texts[place] = None

    def _cell(self, cell: str) -> str:
        found = self._cleaned.get(cell)
        if found is None:
            if len(self._cleaned) > _SHARED:
                self._cleaned.clear()
            found = self._cleaned[cell] = self._clean(cell)
        return found


def _stays(cells: str) -> bool:
    """Whether nothing is to be cleaned in cells."""
    return " " not in cells and "'" not in cells and cells.isprintable()
