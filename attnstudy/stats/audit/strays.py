"""Columns of numbers that are no runs although nothing in their headings says so.

Anything may stand beside the runs of a table. What is no run makes every mean wrong, so before a
table is said to have wrong means, each column that is not called as a run is tried without.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from attnstudy.stats.audit.printed import clip
from attnstudy.stats.audit.table import Row, Table, scale_of
from attnstudy.stats.audit.underlying import mean_explained, sd_explained
from attnstudy.stats.headings import names_a_run, siblings


def without_strays(table: Table) -> Table:
    """Return the table without the columns of values that seem not to be runs, and say so."""
    runs = {name for name in table.columns if names_a_run(name)} | siblings(table.columns)
    strange = tuple(name for name in table.columns if name not in runs)
    if not strange:
        return table
    checkable = any(row.cells and (row.mean or row.sd) for row in table.rows)
    if not checkable:
        if len(runs) < 2:
            return table
        return _without(table, strange, "the other columns are numbered runs")
    tried = [
        (fits, names)
        for names in _choices(strange)
        if (fits := _fits_without(table, names, runs)) is not None
    ]
    if tried:
        names = max(tried, key=lambda choice: choice[0])[1]
        return _without(table, names, "without it the printed numbers are those of the values")
    if runs:
        return table
    if all(row.cells and not row.complete for row in table.rows):
        return _without(table, strange, "the rows have another number of runs")
    if _beside_the_means(table):
        return _without(table, strange, "the printed means lie far from it")
    if table.mean_column is None and not any(_fits(row) for row in table.rows if row.sd):
        return _without_sds(table)
    return table


def _choices(strange: Sequence[str]) -> Iterator[tuple[str, ...]]:
    yield from ((name,) for name in strange)
    if len(strange) > 1:
        yield tuple(strange)


def _fits_without(table: Table, names: tuple[str, ...], runs: set[str]) -> int | None:
    """Return how many rows are right without the columns; none where that is no reason.

    It is one where no row is right with them, and most are without: two or more, or all where
    every column that is left is called as a run is.
    """
    left = [name for name in table.columns if name not in names]
    checked = [row for row in table.rows if row.mean or row.sd]
    having = [row for row in checked if any(cell.column in names for cell in row.cells)]
    if len(left) < 2 or not having or any(_fits(row) for row in having):
        return None
    fits = sum(_fits(_only_others(row, names)) for row in having)
    sure = fits == len(having) and runs.issuperset(left)
    return fits if sure or (fits >= 2 and 2 * fits > len(having)) else None


def _fits(row: Row) -> bool:
    if not row.cells or not row.complete:
        return False
    return (row.mean is None or mean_explained(row, row.mean, None, None)) and (
        row.sd is None or len(row.cells) < 2 or sd_explained(row, row.sd, None, None)
    )


def _beside_the_means(table: Table) -> bool:
    """Whether most printed means lie further from their row's values than those are apart."""
    rows = [row for row in table.rows if row.mean is not None and row.cells]
    outside = sum(
        not 2 * min(row.values) - max(row.values)
        <= row.mean.value
        <= 2 * max(row.values) - min(row.values)
        for row in rows
        if row.mean is not None
    )
    return len(rows) == len(table.rows) and 2 * outside > len(rows)


def _only_others(row: Row, names: Sequence[str]) -> Row:
    return replace(row, cells=tuple(cell for cell in row.cells if cell.column not in names))


def _without(table: Table, names: tuple[str, ...], reason: str) -> Table:
    rows = tuple(_only_others(row, names) for row in table.rows)
    if any(not row.cells and row.mean is None for row in rows):
        return table
    notes = tuple(
        f"column {clip(name)!r} seems not to be a run and is left out: {reason}" for name in names
    )
    return replace(
        table,
        rows=rows,
        columns=tuple(name for name in table.columns if name not in names),
        scale=scale_of(rows),
        notes=(*table.notes, *notes),
    )


def _without_sds(table: Table) -> Table:
    note = (
        f"column {clip(table.sd_column or '')!r} is left out: it is the SD of no row's values, "
        "which seem not to be runs"
    )
    rows = tuple(replace(row, sd=None) for row in table.rows)
    return replace(table, rows=rows, sd_column=None, notes=(*table.notes, note))
