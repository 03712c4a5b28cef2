"""Rows that what identifies runs says are of one run: evaluations of it, not repetitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from attnstudy.errors import UsageError
from attnstudy.tables import headings
from attnstudy.tables.cells import clip, gap_of
from attnstudy.tables.columns import Column, Kind
from attnstudy.tables.layouts.source import Table


def refuse_rows_of_one_run(table: Table, labels: Sequence[str], rows: Sequence[int]) -> None:
    """Refuse rows of one arm that have the id, the name or the start of one run.

    Args:
        table: with a row per run, as it seems.
        labels: for every row its arm.
        rows: those that would count as runs.

    Raises:
        UsageError: naming the first such run.

    """
    own = (*table.shape.arms, table.shape.seed)
    for column in table.columns:
        if column.kind is not Kind.BOOKKEEPING or not column.varies or not column.repeats:
            continue
        if column in own or column.name in (*table.asked.allowed, table.asked.metric):
            continue
        shared = _shared(column, labels, rows, numbered=table.shape.seed is not None)
        if shared is not None:
            (arm, cell), many = shared
            name = clip(column.name)
            raise UsageError(
                f"{table.what} has {many} rows of {clip(arm)} with {name} {clip(cell)}, which are "
                "no repetitions if they are of one run: give one result per run, their mean for "
                f"example; or, if each row is a run, say --allow-differences {name}"
            )


def _shared(
    column: Column, labels: Sequence[str], rows: Sequence[int], *, numbered: bool
) -> tuple[tuple[str, str], int] | None:
    """Return arm and cell of rows that a column says are of one run, and how many they are.

    Where seeds number the runs, only an id of the run itself weighs more than they do. An arm that
    has one value throughout, its name perhaps, is not told apart by it.
    """
    gaps = column.having(lambda cell: gap_of(cell) is not None or not cell.strip())
    counts = Counter(
        (labels[row], column.cells[row]) for row in rows if column.cells[row] not in gaps
    )
    repeated = [(key, many) for key, many in counts.items() if many > 1]
    values = Counter(arm for arm, _ in counts)
    apart = [(key, many) for key, many in repeated if values[key[0]] > 1]
    if headings.is_run_id(column.name):
        return next(iter(apart if numbered else repeated), None)
    if numbered or not apart:
        return None
    if headings.identifies_run(column.name):
        return apart[0]
    # of a time or a note several runs may share one; hardly every run of every arm one with others
    together = len(repeated) == len(counts) and min(values.values()) > 1
    nested = len({cell for _, cell in counts}) == len(counts)
    return apart[0] if together and nested and not headings.is_of_groups(column.name) else None
