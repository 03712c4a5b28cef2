"""What results are called where the heading above them does not say what they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attnstudy.errors import UsageError
from attnstudy.tables.asked import UNNAMED
from attnstudy.tables.cells import clip
from attnstudy.tables.columns import Column
from attnstudy.tables.directions import way_of
from attnstudy.tables.headings import folded
from attnstudy.tables.layouts.source import Table


def unnamed(table: Table, headings: Iterable[str]) -> str:
    """Return what to call results of which more is taken to be better.

    Args:
        table: of which ``--metric`` says nothing.
        headings: what stands above the names and the numbers, beside the table's title.

    Raises:
        UsageError: one of these is of something of which less is better.

    """
    said = (one for one in (table.grid.title, *headings) if way_of(one) == "falls")
    if table.asked.direction is None and (falling := next(said, None)):
        raise UsageError(
            f"{table.what} has the heading {clip(falling)!r}, of which less is better if its "
            "numbers are that: say what they are with --metric, or which way is better with "
            "--direction"
        )
    return UNNAMED


_NAMES = frozenset({"metric", "metrics", "measure", "metrik", "mesure", "metrica", "kennzahl"})
_WAYS = {
    "higher is better": "maximize", "greater is better": "maximize", "more is better": "maximize",
    "larger is better": "maximize", "maximize": "maximize",
    "lower is better": "minimize", "less is better": "minimize", "smaller is better": "minimize",
    "minimize": "minimize",
}  # fmt: skip
_OTHER = {"maximize": "minimize", "minimize": "maximize"}
_TRUE, _FALSE = {"true", "1", "yes", "1.0"}, {"false", "0", "no", "0.0"}


def name_of(table: Table, metric: Column, kept: Sequence[int]) -> str:
    """Return what the results of rows are, which a column may say where their heading does not.

    Args:
        table: the table.
        metric: the column of results.
        kept: the rows that are ranked.

    Raises:
        UsageError: the title of the table, or a column, says that less is better, or more, and the
            heading does not.

    """
    name = metric.name
    named = [set(c.taken(kept)) for c in table.columns if folded(c.name).strip(". ") in _NAMES]
    if len(named) == 1 and len(named[0]) == 1:
        (only,) = named[0]
        name = name if way_of(only) in (None, way_of(name)) else only
    if table.asked.direction is not None:
        return name
    if way_of(name) is None and way_of(table.grid.title) == "falls":
        unnamed(table, ())
    taken = "minimize" if way_of(name) == "falls" else "maximize"
    for column in table.columns:
        said = _WAYS.get(folded(column.name).replace("_", " "))
        cells = set() if said is None else {cell.casefold() for cell in column.taken(kept)}
        if said is None or len(cells) != 1:
            continue
        (cell,) = cells
        way = said if cell in _TRUE else _OTHER[said] if cell in _FALSE else taken
        if way != taken:
            raise UsageError(
                f"column {clip(column.name)} of {table.what} says {cell}, and by its name "
                f"{clip(name)} would be better the other way: say --direction {way}"
            )
    return name
