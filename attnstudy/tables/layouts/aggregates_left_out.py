"""Where columns are runs: columns and rows that sum up others are left out, or refused."""

from __future__ import annotations

from collections.abc import Sequence

from attnstudy.errors import UsageError
from attnstudy.tables import headings
from attnstudy.tables.cells import Gap, Printed, clip, split_summary
from attnstudy.tables.columns import Column
from attnstudy.tables.layouts.aggregates import SURE, SUSPECTED, means_throughout, standing_of
from attnstudy.tables.layouts.source import Table


def column_left_out(column: Column, why: str) -> str:
    """Return what to say of a column that does not count."""
    return f"column {clip(column.name)} ({why})"


def refuse_leading_means(table: Table, values: Sequence[Column], kept: Sequence[int]) -> None:
    """Refuse columns that sum up those before them, though they were said to be runs.

    Raises:
        UsageError: one is the mean of the columns before it in every row, or of another size.

    """
    for place, column in enumerate(values):
        before = values[:place]
        rows = table.beside(column, before, kept) if place > 1 else []
        if len(rows) > 1 and means_throughout(rows, 0.2):
            raise UsageError(
                f"column {column.name!r} of {table.what} is in every row the mean of the columns "
                "before it: remove it and what follows it, if they sum up the runs"
            )
        mine = [abs(n.value) for n in _printed_numbers(table, column, kept)]
        theirs = [
            abs(n.value)
            for other in values
            for n in _printed_numbers(table, other, kept)
            if other is not column
        ]
        if len(values) > 2 and mine and theirs and 10 * max(mine) < min(theirs):  # as a spread is
            raise UsageError(
                f"column {column.name!r} of {table.what} is unlike the other columns and no run "
                "of the same arms: remove it"
            )


def without_means(
    table: Table, values: Sequence[Column], kept: Sequence[int]
) -> tuple[list[Column], list[str]]:
    """Leave out a column that is the mean of the others in every row."""
    for column in reversed(values):
        others = [c for c in values if c is not column]
        rows = table.beside(column, others, kept)
        if means_throughout(rows, SUSPECTED if table.asked.layout is None else SURE):
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
    for row in rows if len(rows) > 2 and len(shown) > 1 else ():
        others = [r for r in rows if r != row]
        pairs = [
            (number, [v for r in others if isinstance(v := table.number(r, c), Printed)])
            for c in shown
            if isinstance(number := table.number(row, c), Printed)
        ]
        if means_throughout(pairs, SUSPECTED):
            raise UsageError(
                f"row {labels[row]!r} of {table.what} is in every column the mean of the other "
                f"rows: leave it out with --filter {table.shape.arms[0].name}!={labels[row]}"
            )
    return rows, left_out


def _cell(table: Table, column: Column, row: int) -> Printed | Gap | None:
    """Return what a cell holds; None for a mean with its spread."""
    return None if split_summary(column.cells[row]) else table.number(row, column)


def _printed_numbers(table: Table, column: Column, kept: Sequence[int]) -> list[Printed]:
    found = [table.number(row, column) for row in kept]
    return [number for number in found if isinstance(number, Printed)]
