"""Which columns of a table with a column per arm are arms, and which are made of the others."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from attnstudy.errors import DataError, UsageError
from attnstudy.tables import headings
from attnstudy.tables.asked import quoted
from attnstudy.tables.cells import Printed
from attnstudy.tables.columns import Column, Kind
from attnstudy.tables.headings import Role
from attnstudy.tables.layouts.aggregates import (
    SURE,
    SUSPECTED,
    derived_from,
    is_extreme_of,
    lies_among,
    means_throughout,
    standing_of,
)
from attnstudy.tables.layouts.numbers import AllButOne, Others, RangeOfOthers
from attnstudy.tables.layouts.source import Table

_KEPT = 100  # rows of which the sums are kept
_COMPARED = 30  # columns of which differences are looked for


def arm_columns(table: Table, kept: Sequence[int]) -> tuple[list[Column], list[str]]:
    """Return the columns that are arms, without those that hold statistics of the others.

    A column called as a mean is one where it is the mean of the others in every row. Where it is
    not, and where a column called as another statistic lies among the results, it is an arm.
    """
    columns = [*table.shape.arms]
    if not all(c.name for c in columns):
        raise DataError(f"{table.what} has a column of numbers without a heading: name its arm")
    suspects = [c for c in columns if headings.is_statistic(c.name) or c.name in ("Σ", "±", "Ø")]
    suspected = {c.index for c in suspects}
    arms = [c for c in columns if c.index not in suspected]
    counts = [c for c in suspects if headings.has_role(c.name, Role.COUNT)]
    for column in counts:
        others = [c for c in columns if c.index not in suspected]
        varies = len(set(column.taken(kept))) > 1
        if varies and not _lies_among(table, column, others, kept):
            # the number of runs would be the same throughout
            raise UsageError(
                f"column {column.name!r} of {table.what} differs from row to row and may be what "
                "the rows were measured at: choose one of its values with --filter "
                f"{column.name}=N, or give a row per run, with its arm"
            )
    left_out = _settings(table, arms, kept)
    left = {c.index for c in (*suspects, *arms)}
    columns = [c for c in columns if c.index in left]
    for column in suspects:
        others = [c for c in columns if c.index not in suspected]
        standing = standing_of(column.name, table.beside(column, others, kept))
        if standing == "unclear" and _lies_among(table, column, others, kept):
            raise UsageError(
                f"column {column.name!r} of {table.what} may be an arm or the mean of others, "
                "and it is not the mean of the other columns: rename it, or remove it"
            )
        if standing == "arm" or not others:
            arms.append(column)
        else:
            left_out.append(f"column {column.name} (a statistic of the arms)")
    rows = _Rows(table, arms, kept)
    for column in list(arms):
        if len(arms) > 2 and means_throughout(rows.beside(column), SURE):
            arms.remove(column)
            rows = _Rows(table, arms, kept)
            left_out.append(f"column {column.name} (in every row the mean of the other columns)")
        elif (
            len(arms) > 2
            and table.asked.layout is None
            and means_throughout(rows.beside(column), SUSPECTED)
        ):
            raise UsageError(
                f"column {column.name!r} of {table.what} is in every row the mean of the other "
                "columns: remove it, or, if it is an arm, say --layout columns-are-arms"
            )
    left_out += _without_derived(table, arms, kept)
    left = {c.index for c in arms}
    return [c for c in columns if c.index in left], left_out


def _without_derived(table: Table, arms: list[Column], kept: Sequence[int]) -> list[str]:
    """Take out columns that are differences or ratios of two others in every row.

    Raises:
        UsageError: one is, and its heading does not say so.

    """
    left_out: list[str] = []
    if not 2 < len(arms) <= _COMPARED:
        return left_out
    numbers = {c.index: table.numbers(kept, c) for c in arms}
    for column in reversed(list(arms)):
        others = [c for c in arms if c is not column]
        series = [numbers[c.index] for c in others]
        if len(others) > 1 and is_extreme_of(numbers[column.index], series):
            if table.asked.layout is None and not headings.is_statistic(column.name):
                raise UsageError(
                    f"column {column.name!r} of {table.what} is in every row the largest or the "
                    "smallest of the others: remove it, or, if it is an arm, say --layout "
                    "columns-are-arms"
                )
            if headings.is_statistic(column.name):
                arms.remove(column)
                left_out.append(f"column {column.name} (the best or worst of each row)")
                continue
        found = derived_from(numbers[column.index], series)
        if found is None or len(others) < 2:
            continue
        a, b = (others[i].name for i in found)
        if headings.is_statistic(column.name):
            arms.remove(column)
            left_out.append(f"column {column.name} (made of {a} and {b} in every row)")
        elif table.asked.layout is None:
            raise UsageError(
                f"column {column.name!r} of {table.what} is in every row the difference or the "
                f"ratio of {a} and {b}: remove it, or, if it is an arm, say --layout "
                "columns-are-arms"
            )
    return left_out


def _settings(table: Table, arms: list[Column], kept: Sequence[int]) -> list[str]:
    """Take out what is set the same for all runs, and refuse what may be a setting."""
    left_out = []
    for column in list(arms):
        if column.kind is not Kind.GIVEN or len(arms) < 2:
            continue
        cells = set(column.taken(kept))
        if len(cells) == 1:
            arms.remove(column)
            left_out.append(f"column {column.name} (set to {cells.pop()} in every row)")
    found = {c.index: table.numbers(kept, c) for c in arms}
    reached = RangeOfOthers({index: numbers.extent for index, numbers in found.items()})
    places = sorted(numbers.places for numbers in found.values())
    for column in arms:
        numbers = found[column.index]
        given = column.kind is Kind.GIVEN
        among = lies_among(numbers.extent, reached.others(column.index))
        coarse = len(arms) > 1 and numbers.places < _median_without(places, numbers.places)
        unlike = given or coarse or numbers.different < len(numbers)
        if len(arms) > 1 and ((given and coarse) or (unlike and not among)):
            values = list(dict.fromkeys(numbers.texts))
            raise UsageError(
                f"column {column.name!r} of {table.what} ({quoted(values, 4)}) is unlike the other "
                "columns and may be a setting, not an arm: choose one of its values with --filter "
                f"{column.name}=N, or give a row per run, with its arm; if it numbers the runs, "
                f"say --seed-by {column.name}"
            )
    return left_out


class _Rows:
    """The numbers of each row, taken together where somebody looks at it."""

    def __init__(self, table: Table, arms: Sequence[Column], kept: Sequence[int]) -> None:
        """Take the columns that are arms so far."""
        self._table = table
        self._arms = tuple(arms)
        self._kept = kept
        self._rows: dict[int, AllButOne] = {}

    def beside(self, column: Column) -> Iterator[tuple[Printed, Others | None]]:
        """Give each number of a column with the others in its row."""
        for row in self._kept:
            number = self._table.number(row, column)
            if not isinstance(number, Printed):
                continue
            together = self._rows.get(row) or AllButOne(
                {
                    c.index: n
                    for c in self._arms
                    if isinstance(n := self._table.number(row, c), Printed)
                }
            )
            if len(self._rows) < _KEPT:  # nearly always the first row says that it is no mean
                self._rows[row] = together
            yield number, together.others(column.index)


def _median_without(ordered: Sequence[int], one: int) -> float:
    """Return the median of ascending numbers, two or more, but for one of them."""
    gone = bisect_left(ordered, one)
    count = len(ordered) - 1
    middle = ((count - 1) // 2, count // 2)
    low, high = (ordered[place if place < gone else place + 1] for place in middle)
    return (low + high) / 2


def _lies_among(
    table: Table, column: Column, others: Sequence[Column], kept: Sequence[int]
) -> bool:
    """Whether a column's values lie where those of the others do."""
    extents = [e for c in others if (e := table.numbers(kept, c).extent) is not None]
    mine = table.numbers(kept, column).extent
    if not extents:
        return False
    return lies_among(mine, (min(e.low for e in extents), max(e.high for e in extents)))
