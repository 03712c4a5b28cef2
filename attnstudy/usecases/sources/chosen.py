"""Runs that filters choose by results: by the ranked one never, by another one not in silence."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from attnstudy.errors import UsageError
from attnstudy.tables.cells import gap_of
from attnstudy.tables.columns import Kind, columns_of
from attnstudy.tables.filters import Condition
from attnstudy.tables.grid import Grid


def settle_choice(chosen_by: Iterable[Condition], ranked: Collection[str]) -> tuple[str, ...]:
    """Refuse conditions on what is ranked, and say of those on other results what they may do.

    Args:
        chosen_by: the conditions on results.
        ranked: what the results that are ranked are called.

    Returns:
        A remark for each other result.

    Raises:
        UsageError: naming the condition on what is ranked.

    """
    remarks = {}
    for condition in chosen_by:
        if condition.column in ranked:
            raise UsageError(
                f"the filter {condition} chooses runs by {condition.column}, the result that is "
                "ranked, and then no error rate holds: leave it out, or filter by what was known "
                "before the results"
            )
        remarks[condition.column] = (
            f"the filter {condition} chooses runs by what came out of them: a difference may be "
            f"one of {condition.column}, and the error rate is no promise for runs so chosen"
        )
    return tuple(remarks.values())


def on_results(conditions: Iterable[Condition], grid: Grid) -> list[Condition]:
    """Return the conditions on results of a table, but for those that leave out runs without one.

    Args:
        conditions: of filters.
        grid: the table before it was filtered.

    """
    filled = [condition for condition in conditions if gap_of(condition.value) is None]
    if not filled:
        return []
    results = {
        column.name
        for column in columns_of(grid)
        if column.kind in (Kind.METRIC, Kind.STATISTIC)
        or (column.kind is Kind.NUMBER and column.measured)
    }
    return [condition for condition in filled if condition.column in results]
