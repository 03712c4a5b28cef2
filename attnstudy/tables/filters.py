"""Filters on the rows of a table: ``split=eval``, ``epoch>=10 and dataset!=svhn``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from attnstudy.errors import UsageError, near_miss
from attnstudy.tables.cells import is_number, read_number
from attnstudy.tables.grid import Grid

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "!=": operator.ne, "<=": operator.le, ">=": operator.ge, "==": operator.eq, "=": operator.eq,
    "<": operator.lt, ">": operator.gt,
}  # fmt: skip
_CONDITION = re.compile(r"\s*(.+?)\s*(!=|<=|>=|==|=|<|>)\s*(.*?)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Condition:
    """What a row has to fulfil."""

    column: str
    comparison: str
    value: str

    def holds(self, cell: str) -> bool:
        """Whether a cell fulfils it: as numbers where both are, else as texts."""
        compare = _COMPARISONS[self.comparison]
        if is_number(cell) and is_number(self.value):
            return compare(_number(cell), _number(self.value))
        return compare(cell.strip(), self.value)

    def __str__(self) -> str:
        return f"{self.column}{self.comparison}{self.value}"


def filtered(grid: Grid, filters: Sequence[str]) -> tuple[Grid, tuple[str, ...]]:
    """Return the rows that fulfil every filter, and which columns the filters looked at.

    Raises:
        UsageError: a filter is not understood, names no column, or leaves no row.

    """
    conditions = conditions_of(filters)
    rows: Sequence[int] = range(len(grid))
    for condition in conditions:
        if condition.column not in grid.header:
            raise UsageError(
                f"the table has no column {condition.column!r} to filter by"
                f"{near_miss(condition.column, grid.header)} "
                f"(there: {', '.join(filter(None, grid.header))})"
            )
        cells = grid.columns[grid.header.index(condition.column)]
        before = dict.fromkeys(map(cells.__getitem__, rows))
        holding = {cell for cell in before if condition.holds(cell)}
        rows = [row for row in rows if cells[row] in holding]
        if not rows:
            there = sorted(before)
            shown = ", ".join(repr(value) for value in there[:6]) + ", ..." * (len(there) > 6)
            raise UsageError(
                f"no row has {condition.column} {condition.comparison} {condition.value!r} "
                f"(there: {shown})"
            )
    left = len(grid) - len(rows)
    left_out = grid.left_out
    if left:
        said = " and ".join(map(str, conditions))
        left_out = (*left_out, f"{left} row{'s' * (left > 1)} by the filter {said}")
    columns = tuple(c.column for c in conditions if c.comparison in ("=", "=="))
    return replace(grid.taken(rows) if left else grid, left_out=left_out), columns


def filters_on(filters: Sequence[str], column: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the filters that look at a column, and all others, each with one condition.

    Raises:
        UsageError: a filter is not understood.

    """
    own: list[str] = []
    others: list[str] = []
    for text in filters:
        for part, condition in zip(_parts(text), conditions_of([text]), strict=True):
            (own if condition.column == column else others).append(part)
    return tuple(own), tuple(others)


def _parts(text: str) -> list[str]:
    return re.split(r"\s+and\s+(?=(?:[^\"']|\"[^\"]*\"|'[^']*')*$)", text, flags=re.IGNORECASE)


def conditions_of(filters: Iterable[str]) -> list[Condition]:
    """Return what filters ask of a row.

    Raises:
        UsageError: a filter is not understood.

    """
    found = []
    for text in filters:
        for part in _parts(text):
            match = _CONDITION.fullmatch(part)
            if match is None:
                raise UsageError(
                    f"the filter {text!r} is not understood: write COLUMN=VALUE, joined by 'and'"
                )
            column, comparison, value = match.groups()
            found.append(Condition(_bare(column), comparison, _bare(value)))
    return found


def _bare(text: str) -> str:
    for mark in "\"'`":
        if len(text) > 1 and text[0] == text[-1] == mark:
            return text[1:-1]
    return text


def _number(text: str) -> Decimal:
    return read_number(text, "the filter", decimal_comma="," in text and "." not in text).value
