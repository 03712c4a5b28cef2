"""Reading a table of results: its shape, its arms and runs, and what was left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from attnstudy.errors import UsageError, near_miss
from attnstudy.tables.asked import Asked, Reading
from attnstudy.tables.columns import columns_of
from attnstudy.tables.grid import Grid
from attnstudy.tables.layouts.columns_are_arms import read_columns_as_arms
from attnstudy.tables.layouts.columns_are_runs import read_columns_as_runs
from attnstudy.tables.layouts.rows_are_runs import read_rows_as_runs
from attnstudy.tables.layouts.shape import shape_of
from attnstudy.tables.layouts.source import Table
from attnstudy.tables.names import refuse_respelled

_READERS: dict[str, Callable[[Table], Reading]] = {
    "rows-are-runs": read_rows_as_runs,
    "columns-are-arms": read_columns_as_arms,
    "columns-are-runs": read_columns_as_runs,
}


def read_table(grid: Grid, asked: Asked, what: str = "the table") -> Reading:
    """Return the arms of a table of results and their runs.

    Raises:
        UsageError: a column that was named is not there, or the table can be read in several ways.
        DataError: the table holds no results, or a cell is not what it should be.

    """
    columns = columns_of(grid)
    names = [column.name for column in columns if column.name]
    for allowed in asked.allowed:
        if allowed not in names:
            raise UsageError(
                f"{what} has no column {allowed!r} to allow differences in"
                f"{near_miss(allowed, names)} (there: {', '.join(names)})"
            )
    shape = shape_of(columns, asked, what)
    for column in shape.arms:
        refuse_respelled(column.cells, what)
    table = Table(grid=grid, columns=columns, shape=shape, asked=asked, what=what)
    reading = _READERS[shape.layout](table)
    notes = reading.notes
    if table.decimal_comma:
        notes = (*notes, "commas are read as decimal marks")
    return replace(reading, left_out=(*grid.left_out, *reading.left_out), notes=notes)
