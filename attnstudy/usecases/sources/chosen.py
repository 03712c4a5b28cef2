"""Runs that filters choose by results: by the ranked one never, by another one not in silence."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from attnstudy.errors import UsageError
from attnstudy.tables.cells import gap_of
from attnstudy.tables.columns import Kind, columns_of
from attnstudy.tables.filters import Condition
from attnstudy.tables.grid import Grid


def settle_choice(
    conditions: Iterable[Condition], ranked: Collection[str], others: Collection[str]
) -> tuple[str, ...]:
    """Refuse conditions on what is ranked, and say of those on other results what they may do.

    Those that leave out runs without a value are neither.

    Args:
        conditions: of filters.
        ranked: what the results that are ranked are called.
        others: what other results are.

    Returns:
        A remark for each other result.

    Raises:
        UsageError: naming the condition on what is ranked.

    """
    remarks = {}
    for condition in conditions:
        if gap_of(condition.value) is not None:
            continue
        if condition.column in ranked:
            raise UsageError(
                f"the filter {condition} chooses runs by {condition.column}, the result that is "
                "ranked, and then no error rate holds: leave it out, or filter by what was known "
                "before the results"
            )
        if condition.column in others:
            remarks[condition.column] = (
                f"the filter {condition} chooses runs by what came out of them: a difference may "
                f"be one of {condition.column}, and the error rate is no promise for runs so chosen"
            )
    return tuple(remarks.values())


def results_in(grid: Grid) -> frozenset[str]:
    """Return the columns of a table that hold results, by their headings and their numbers."""
    return frozenset(
        column.name
        for column in columns_of(grid)
        if column.kind in (Kind.METRIC, Kind.STATISTIC)
        or (column.kind is Kind.NUMBER and column.measured)
    )
