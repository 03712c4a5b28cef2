"""Filters on the rows of a table: ``split=eval``, ``epoch>=10 and dataset!=svhn``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from attnstudy.errors import UsageError, near_miss
from attnstudy.tables.cells import clip, gap_of, has_decimal_commas, is_number
from attnstudy.tables.comparisons import EQUAL, cells_that_hold
from attnstudy.tables.grid import Grid

_CONDITION = re.compile(
    r"\s*(\"[^\"]*\"|'[^']*'|`[^`]*`|.+?)\s*(!=|<=|>=|==|=|<|>)\s*(.*?)\s*", re.DOTALL
)
# of several conditions or values in one, which would be compared as if they were one text
_JOINT = re.compile(r"[<>=&|,]|\bor\b|^[\[({].*[\])}]$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Condition:
    """What a row has to fulfil."""

    column: str
    comparison: str
    value: str
    quoted: bool = False
    """Whether the value stands between quotation marks, so that all of it is meant."""

    def __str__(self) -> str:
        return f"{self.column}{self.comparison}{self.value}"


def filtered(grid: Grid, filters: Sequence[str]) -> tuple[Grid, tuple[str, ...]]:
    """Return the rows that fulfil every filter, and which columns the filters looked at.

    Raises:
        UsageError: a filter is not understood, names no column, compares what has no order, or
            leaves no row.

    """
    conditions = conditions_of(filters)
    rows: Sequence[int] = range(len(grid))
    idle = []
    for condition in conditions:
        if condition.column not in grid.header:
            raise UsageError(
                f"the table has no column {condition.column!r} to filter by"
                f"{near_miss(condition.column, grid.header)} "
                f"(there: {', '.join(filter(None, grid.header))})"
            )
        cells = grid.columns[grid.header.index(condition.column)]
        before = dict.fromkeys(map(cells.__getitem__, rows))
        if not condition.quoted:
            _refuse_joint(condition, before)
        holding = cells_that_hold(condition.column, condition.comparison, condition.value, before)
        left = [row for row in rows if cells[row] in holding]
        if not left:
            there = sorted(before)
            shown = ", ".join(repr(value) for value in there[:6]) + ", ..." * (len(there) > 6)
            raise UsageError(
                f"no row has {condition.column} {condition.comparison} {condition.value!r} "
                f"(there: {shown})"
            )
        if len(left) == len(rows):
            idle.append(condition)
        rows = left
    taken = len(grid) - len(rows)
    left_out = grid.left_out
    if taken:
        said = " and ".join(str(one) for one in conditions if one not in idle)
        left_out = (*left_out, f"{taken} row{'s' * (taken > 1)} by the filter {said}")
    if idle:
        said = " and ".join(map(str, idle))
        left_out = (*left_out, f"no {'further ' * bool(taken)}row by the filter {said}")
    columns = tuple(c.column for c in conditions if c.comparison in EQUAL)
    return replace(grid.taken(rows) if taken else grid, left_out=left_out), columns


def _refuse_joint(condition: Condition, cells: Collection[str]) -> None:
    """Refuse a value that looks like several, and is not what a cell says.

    Raises:
        UsageError: naming the filter.

    """
    value = condition.value
    if any(cell.strip() == value for cell in cells):
        return
    if _JOINT.search(value):
        if is_number(value) and has_decimal_commas([*cells]):
            return
        raise UsageError(
            f"the filter {str(condition)!r} is not understood: write one condition for each "
            "--filter, or join them with 'and'; 'or' and lists are not known, so leave out the "
            f"other rows with a != for each, and put a value that really reads {clip(value)!r} "
            "between quotation marks"
        )
    filled = [cell for cell in cells if gap_of(cell) is None]
    # with another comparison no row is left, or the order is asked about
    unlike = condition.comparison == "!=" and gap_of(value) is None and not is_number(value)
    if unlike and filled and all(map(is_number, filled)):
        raise UsageError(
            f"the filter {str(condition)!r} is not understood: column {condition.column!r} holds "
            f"numbers, and {clip(value)!r} is none, so write one number"
        )


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
            bare = _bare(value)
            found.append(Condition(_bare(column), comparison, bare, quoted=bare != value))
    return found


def _bare(text: str) -> str:
    for mark in "\"'`":
        if len(text) > 1 and text[0] == text[-1] == mark and mark not in text[1:-1]:
            return text[1:-1]
    return text
