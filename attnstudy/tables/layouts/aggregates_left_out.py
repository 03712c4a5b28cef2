"""Where columns are runs: columns and rows that sum up others are left out, or refused."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from attnstudy.errors import UsageError
from attnstudy.tables import headings
from attnstudy.tables.cells import Gap, Printed, clip, split_summary
from attnstudy.tables.columns import Column
from attnstudy.tables.layouts.aggregates import SURE, SUSPECTED, means_throughout, standing_of
from attnstudy.tables.layouts.numbers import AllButOne, Extent, Others
from attnstudy.tables.layouts.source import Table


def column_left_out(column: Column, why: str) -> str:
    """Return what to say of a column that does not count."""
    return f"column {clip(column.name)} ({why})"


def refuse_leading_means(table: Table, values: Sequence[Column], kept: Sequence[int]) -> None:
    """Refuse columns that sum up those before them, though they were said to be runs.

    Raises:
        UsageError: one is the mean of the columns before it in every row, or of another size.

    """
    before = [_Sum() for _ in kept]
    sizes = {c.index: [abs(n.value) for n in _printed_numbers(table, c, kept)] for c in values}
    there = [c.index for c in values if sizes[c.index]]
    smallest = heapq.nsmallest(2, there, key=lambda index: min(sizes[index]))
    for place, column in enumerate(values):
        numbers = [table.number(row, column) for row in kept]
        rows = [
            (number, sums.others)
            for number, sums in zip(numbers, before, strict=True)
            if place > 1 and isinstance(number, Printed)
        ]
        if len(rows) > 1 and means_throughout(rows, 0.2):
            raise UsageError(
                f"column {column.name!r} of {table.what} is in every row the mean of the columns "
                "before it: remove it and what follows it, if they sum up the runs"
            )
        mine = sizes[column.index]
        theirs = next((min(sizes[index]) for index in smallest if index != column.index), None)
        # as a spread is
        if len(values) > 2 and mine and theirs is not None and 10 * max(mine) < theirs:
            raise UsageError(
                f"column {column.name!r} of {table.what} is unlike the other columns and no run "
                "of the same arms: remove it"
            )
        for number, sums in zip(numbers, before, strict=True):
            if isinstance(number, Printed):
                sums.add(number)


@dataclass(slots=True)
class _Sum:
    """The numbers of a row so far."""

    others: Others | None = None

    def add(self, number: Printed) -> None:
        value = Fraction(number.value)
        if self.others is None:
            self.others = Others(Extent(value, value, value, 1), number.unit)
            return
        so_far = self.others.extent
        extent = Extent(
            min(so_far.low, value),
            max(so_far.high, value),
            so_far.total + value,
            so_far.count + 1,
        )
        self.others = Others(extent, max(self.others.unit, number.unit))


def without_means(
    table: Table, values: Sequence[Column], kept: Sequence[int]
) -> tuple[list[Column], list[str]]:
    """Leave out a column that is the mean of the others in every row."""
    rows: dict[int, AllButOne] = {}
    chance = SUSPECTED if table.asked.layout is None else SURE
    for column in reversed(values):
        index = column.index
        for row in kept:
            if row not in rows and isinstance(table.number(row, column), Printed):
                rows[row] = AllButOne(_printed_of(table, values, row))
        looked = (rows[row] for row in kept if row in rows)
        beside = ((row.numbers[index], row.others(index)) for row in looked if index in row.numbers)
        if means_throughout(beside, chance):
            others = [c for c in values if c is not column]
            return others, [column_left_out(column, "in every row the mean of the other columns")]
    return list(values), []


def without_statistic_rows(
    table: Table, labels: Sequence[str], shown: Sequence[Column], kept: Sequence[int]
) -> tuple[list[int], list[str]]:
    """Leave out rows that are statistics of the other rows.

    Args:
        table: with columns that are runs.
        labels: of every row.
        shown: the columns of runs, or where there are none that of the means.
        kept: rows that are still in.

    """
    left_out = []
    rows = list(kept)
    for row in kept:
        if not headings.is_statistic(labels[row]) or len(rows) < 2:
            continue
        others = [r for r in rows if r != row and not headings.is_statistic(labels[r])]
        beside = [
            (number, [v for r in others if isinstance(v := _cell(table, column, r), Printed)])
            for column in shown
            if isinstance(number := _cell(table, column, row), Printed)
        ]
        standing = standing_of(labels[row], beside)
        if standing == "arm":
            continue
        if standing == "unclear" and beside:
            raise UsageError(
                f"row {labels[row]!r} of {table.what} may be an arm or the mean of others, and it "
                "is not the mean of the other rows: rename it, or remove it"
            )
        rows.remove(row)
        left_out.append(f"row {labels[row]} (a statistic of the other rows)")
    if len(rows) < 3 or len(shown) < 2:
        return rows, left_out
    columns: dict[int, AllButOne] = {}

    def together(column: Column) -> AllButOne:
        if column.index not in columns:
            columns[column.index] = AllButOne(
                {r: n for r in rows if isinstance(n := table.number(r, column), Printed)}
            )
        return columns[column.index]

    for row in rows:
        there = []
        for column in shown:
            if isinstance(table.number(row, column), Printed):
                there.append(column)
                if not table.reads_plainly(column):  # all cells are read before any is compared
                    together(column)
        pairs = ((of.numbers[row], of.others(row)) for of in map(together, there))
        if means_throughout(pairs, SUSPECTED):
            raise UsageError(
                f"row {labels[row]!r} of {table.what} is in every column the mean of the other "
                f"rows: leave it out with --filter {table.shape.arms[0].name}!={labels[row]}"
            )
    return rows, left_out


def _printed_of(table: Table, columns: Sequence[Column], row: int) -> dict[int, Printed]:
    """Return the numbers of a row by the index of their column."""
    return {c.index: n for c in columns if isinstance(n := table.number(row, c), Printed)}


def _cell(table: Table, column: Column, row: int) -> Printed | Gap | None:
    """Return what a cell holds; None for a mean with its spread."""
    return None if split_summary(column.cells[row]) else table.number(row, column)


def _printed_numbers(table: Table, column: Column, kept: Sequence[int]) -> list[Printed]:
    found = [table.number(row, column) for row in kept]
    return [number for number in found if isinstance(number, Printed)]
